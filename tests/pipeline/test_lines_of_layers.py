"""The line of the log that each event of a layer becomes: its logger, its level, its fields."""

import logging

import pytest

from railhttp.model.events import (
    CircuitChangedEvent,
    LayerEvent,
    Queue,
    RedirectEvent,
    RetryBudgetExhaustedEvent,
    StoreBackEvent,
    StoreDownEvent,
    WaitEvent,
    WhenDown,
)
from railhttp.model.gauges import CircuitState
from railhttp.pipeline.observation.layer_log import log_event
from railhttp.pipeline.observation.request_log import logs_requests


def line_of(event: LayerEvent, caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    log_event(event)
    (line,) = caplog.records
    assert line.getMessage()
    return line


def fields_of(line: logging.LogRecord) -> dict[str, object]:
    """Return the attributes that only this line has."""
    usual = vars(logging.makeLogRecord({})).keys() | {"message", "asctime"}
    return {name: value for name, value in vars(line).items() if name not in usual}


IDENTITY = {"method": "GET", "url": "http://h/", "call_id": "7"}


@pytest.mark.parametrize("queue", ["pool", "rate_limit", "bulkhead"])
@pytest.mark.parametrize("admitted", [True, False])
def test_a_wait_is_a_line_about_requests(
    queue: Queue, admitted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    event = WaitEvent(
        queue=queue, seconds=2.5, admitted=admitted, method="GET", url="http://h/", call_id="7"
    )
    line = line_of(event, caplog)
    assert (line.name, line.levelno) == ("railhttp.request", logging.INFO)
    own = {"queue": queue, "seconds": 2.5, "admitted": admitted}
    assert fields_of(line) == own | IDENTITY
    assert ("in vain" in line.getMessage()) is not admitted
    assert queue.replace("_", " ") in line.getMessage()


@pytest.mark.parametrize(
    ("before", "after", "level"),
    [
        ("closed", "open", logging.WARNING),
        ("half_open", "open", logging.WARNING),
        ("open", "half_open", logging.INFO),
        ("half_open", "closed", logging.INFO),
    ],
)
@pytest.mark.parametrize("name", ["", "stock"])
def test_a_circuit_that_opens_is_a_warning(
    name: str,
    before: CircuitState,
    after: CircuitState,
    level: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    event = CircuitChangedEvent(
        name=name, before=before, after=after, method="GET", url="http://h/", call_id="7"
    )
    line = line_of(event, caplog)
    assert (line.name, line.levelno) == ("railhttp", level)
    assert fields_of(line) == {"circuit": name, "before": before, "after": after} | IDENTITY
    assert name in line.getMessage()


@pytest.mark.parametrize("origin", ["", "http://h"])
def test_a_budget_that_is_used_up_is_a_warning(
    origin: str, caplog: pytest.LogCaptureFixture
) -> None:
    event = RetryBudgetExhaustedEvent(origin=origin, method="GET", url="http://h/", call_id="7")
    line = line_of(event, caplog)
    assert (line.name, line.levelno) == ("railhttp", logging.WARNING)
    assert fields_of(line) == {"origin": origin} | IDENTITY
    assert (origin or "a function") in line.getMessage()


@pytest.mark.parametrize("when_down", ["local", "refuse", "raise"])
def test_a_store_that_is_down_is_a_warning_and_its_return_is_not(
    when_down: WhenDown, caplog: pytest.LogCaptureFixture
) -> None:
    down = StoreDownEvent(store="stock", problem="TimeoutError", when_down=when_down)
    line = line_of(down, caplog)
    assert (line.name, line.levelno) == ("railhttp", logging.WARNING)
    own = {"store": "stock", "problem": "TimeoutError", "when_down": when_down}
    assert fields_of(line) == own
    back = line_of(StoreBackEvent(store="stock", seconds=7.0), caplog)
    assert (back.name, back.levelno) == ("railhttp", logging.INFO)
    assert fields_of(back) == {"store": "stock", "seconds": 7.0}


def test_a_redirect_is_a_line_for_debugging(caplog: pytest.LogCaptureFixture) -> None:
    event = RedirectEvent(
        url="http://h/", method="GET", status_code=302, target="http://other/", call_id="7"
    )
    line = line_of(event, caplog)
    assert (line.name, line.levelno) == ("railhttp.request", logging.DEBUG)
    assert fields_of(line) == {"status": 302, "target": "http://other/"} | IDENTITY


@pytest.mark.parametrize(
    ("level", "shown"), [(logging.DEBUG, True), (logging.INFO, True), (logging.WARNING, False)]
)
def test_waits_are_reported_to_a_log_that_shows_them(
    level: int, shown: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(level, logger="railhttp.request")
    assert logs_requests() is shown
