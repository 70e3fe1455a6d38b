"""The events of the layers: transitions, budgets and waits, as observers and the log see them."""

import asyncio
import logging
from collections.abc import Mapping

import pytest
from tests.servers.faults import FaultServer

from railhttp import (
    ConnectionPoolConfig,
    HTTPCircuitOpenError,
    HTTPClient,
    HTTPClientConfig,
    HTTPError,
)
from railhttp.events import (
    CircuitChangedEvent,
    HTTPEvent,
    RetryBudgetExhaustedEvent,
    StreamFailedEvent,
    WaitEvent,
)
from railhttp.resilience import (
    Bulkhead,
    CircuitBreaker,
    RateLimiter,
    ResiliencePipeline,
    RetryBudget,
    RetryPolicy,
)
from railhttp.testing import ManualClock, ScriptedTransport

URL = "https://api.example/v1?token=s3cret"
SHOWN = "https://api.example/v1?token=***"


class Recorder:
    """Keeps what is recorded, by name."""

    def __init__(self) -> None:
        self.values: dict[str, list[tuple[float, Mapping[str, str]]]] = {}

    def increment(
        self, name: str, value: float = 1.0, tags: Mapping[str, str] | None = None
    ) -> None:
        self.values.setdefault(name, []).append((value, tags or {}))

    gauge = histogram = increment


def identity(line: logging.LogRecord) -> tuple[object, ...]:
    """Return the attributes by which a line of the log is found again."""
    return tuple(vars(line)[name] for name in ("method", "url", "call_id"))


async def test_each_transition_of_a_circuit_is_an_event_a_line_and_a_metric(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    events: list[HTTPEvent] = []
    clock, recorder = ManualClock(chances=[1.0]), Recorder()
    transport = ScriptedTransport(clock=clock)
    transport.on("POST", "/v1").reply(503).reply(200)
    breaker = CircuitBreaker(1, recovery_timeout=5, name="stock")
    async with HTTPClient(
        circuit_breaker=breaker,
        observers=[events.append],
        metrics=recorder,
        exchange=transport,
        clock=clock,
    ) as client:
        await client.post(URL)
        with pytest.raises(HTTPCircuitOpenError):
            await client.post(URL)
        await clock.advance(10)
        await client.post(URL)
        assert client.gauges.breakers == {"stock": "closed"}
    changes = [event for event in events if isinstance(event, CircuitChangedEvent)]
    assert [(event.before, event.after) for event in changes] == [
        ("closed", "open"),
        ("open", "half_open"),
        ("half_open", "closed"),
    ]
    assert {(event.name, event.url) for event in changes} == {("stock", SHOWN)}
    lines = [record for record in caplog.records if record.name == "railhttp"]
    assert [(line.levelname, line.getMessage()) for line in lines] == [
        ("WARNING", "circuit stock changed from closed to open"),
        ("INFO", "circuit stock changed from open to half_open"),
        ("INFO", "circuit stock changed from half_open to closed"),
    ]
    assert [identity(line) for line in lines] == [
        ("POST", SHOWN, event.call_id) for event in changes
    ]
    assert [tags["after"] for _, tags in recorder.values["http.circuit.changes"]] == [
        *("open", "half_open", "closed")
    ]
    assert [value for value, _ in recorder.values["http.circuit.state"]] == [2, 0]


async def test_a_change_by_hand_is_reported_by_the_next_call() -> None:
    events: list[HTTPEvent] = []
    breaker = CircuitBreaker(name="stock")
    transport = ScriptedTransport()
    transport.on("GET", "/v1").reply()
    async with HTTPClient(
        circuit_breaker=breaker, observers=[events.append], exchange=transport
    ) as client:
        await breaker.force_open()
        with pytest.raises(HTTPCircuitOpenError):
            await client.get(URL)
        await breaker.reset()
        await client.get(URL)
    changes = [event for event in events if isinstance(event, CircuitChangedEvent)]
    assert [event.after for event in changes] == ["open", "closed"]


async def test_a_breaker_of_a_plain_function_reports_to_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> None:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011  # our own
        await CircuitBreaker(1).call(fail)
    assert caplog.messages == ["the circuit changed from closed to open"]


async def test_a_budget_that_is_used_up_is_an_event_and_a_metric() -> None:
    events: list[HTTPEvent] = []
    recorder = Recorder()
    transport = ScriptedTransport()
    transport.on("GET", "/v1").reply(503)
    policy = RetryPolicy(base_delay=0, budget=RetryBudget(capacity=14, refill=0))
    async with HTTPClient(
        retry_policy=policy, observers=[events.append], metrics=recorder, exchange=transport
    ) as client:
        await client.get(URL)
    [event] = [event for event in events if isinstance(event, RetryBudgetExhaustedEvent)]
    assert (event.origin, event.url) == ("https://api.example", SHOWN)
    assert recorder.values["http.retry_budget.exhausted"] == [
        (1.0, {"origin": "https://api.example"})
    ]


@pytest.mark.parametrize(
    ("layer", "queue"),
    [(RateLimiter(rate=50), "rate_limit"), (Bulkhead(1), "bulkhead")],
)
async def test_a_wait_for_a_policy_is_an_event_a_line_and_a_metric(
    layer: RateLimiter | Bulkhead, queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "railhttp.request")
    events: list[HTTPEvent] = []
    recorder = Recorder()
    transport = ScriptedTransport()
    transport.on("GET", "/v1").reply(delay=0.02)
    async with HTTPClient(
        resilience=ResiliencePipeline(layer),
        observers=[events.append],
        metrics=recorder,
        exchange=transport,
    ) as client:
        await asyncio.gather(client.get(URL), client.get(URL))
    [event] = [event for event in events if isinstance(event, WaitEvent)]
    assert (event.queue, event.admitted, event.method, event.url) == (queue, True, "GET", SHOWN)
    assert 0 < event.seconds < 60
    [line] = [line for line in caplog.records if "waited" in line.getMessage()]
    assert identity(line) == ("GET", SHOWN, event.call_id)
    assert recorder.values[f"http.{queue}.wait"] == [(event.seconds, {"admitted": "true"})]


async def test_a_wait_in_vain_is_one_too() -> None:
    events: list[HTTPEvent] = []
    transport = ScriptedTransport()
    transport.on("GET", "/v1").reply(delay=0.1)
    pipeline = ResiliencePipeline(Bulkhead(1, max_wait=0.01))
    async with HTTPClient(
        resilience=pipeline, observers=[events.append], exchange=transport
    ) as client:
        await asyncio.gather(client.get(URL), client.get(URL))
    [event] = [event for event in events if isinstance(event, WaitEvent)]
    assert not event.admitted


async def test_a_wait_for_the_pool_is_an_event_and_the_gauges_show_it(faults: FaultServer) -> None:
    events: list[HTTPEvent] = []
    recorder = Recorder()
    config = HTTPClientConfig(ConnectionPoolConfig(max_connections=1))
    async with HTTPClient(config, metrics=recorder, observers=[events.append]) as client:
        url = faults.url("/slow-head", seconds=0.05)
        calls = [asyncio.create_task(client.request("GET", url)) for _ in range(3)]
        await asyncio.sleep(0.02)
        assert client.gauges.pool == (1, 0, 2, 1)
        await asyncio.gather(*calls)
        assert client.gauges.pool == (1, 1, 0, 1)
    waits = [event for event in events if isinstance(event, WaitEvent)]
    assert [(event.queue, event.admitted) for event in waits] == [("pool", True)] * 2
    assert len(recorder.values["http.pool.wait"]) == 2
    assert [value for value, _ in recorder.values["http.pool.limit"]] == [1, 1, 1]


async def test_all_events_and_lines_of_a_call_have_its_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "railhttp.request")
    events: list[HTTPEvent] = []
    transport = ScriptedTransport()
    transport.on("GET", "/v1").reply(503).reply()
    async with HTTPClient(
        retry_policy=RetryPolicy(base_delay=0), observers=[events.append], exchange=transport
    ) as client:
        await client.get(URL)
        await client.get(URL)
    ids = [event.call_id for event in events]
    assert len(set(ids[:5])) == 1
    assert len(set(ids)) == 2
    assert [vars(line)["call_id"] for line in caplog.records] == [ids[0]] * 5 + [ids[-1]] * 3


async def test_a_stream_that_breaks_after_its_head_shows_as_failed(
    faults: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "railhttp.request")
    events: list[HTTPEvent] = []
    recorder = Recorder()
    async with HTTPClient(metrics=recorder, observers=[events.append]) as client:
        async with client.stream("GET", faults.url("/short-body")) as stream:
            with pytest.raises(HTTPError):
                _ = [chunk async for chunk in stream]
        async with client.stream("GET", faults.url()) as stream:
            pass  # leaving early is no failure
    [event] = [event for event in events if isinstance(event, StreamFailedEvent)]
    assert event.error_type.startswith("HTTPConnectionError.")
    assert event.call_id == events[0].call_id
    assert [tags["error"] for _, tags in recorder.values["http.request.status"]] == [
        *(event.error_type, "")
    ]
    assert "the body broke off with HTTPConnectionError." in caplog.text


async def test_parts_of_paths_can_be_masked(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "railhttp.request")
    events: list[HTTPEvent] = []
    transport = ScriptedTransport()
    transport.on("GET", "/reset/*").reply()
    transport.on("GET", "/users/*").reply()

    def mask(path: str) -> str:
        first, _, _ = path.rpartition("/")
        return f"{first}/***" if first == "/reset" else path

    def broken(path: str) -> str:
        raise KeyError(path)

    for hook in (mask, broken):
        async with HTTPClient(
            HTTPClientConfig(mask_path=hook), observers=[events.append], exchange=transport
        ) as client:
            await client.get("https://api.example/reset/s3cret")
            await client.get("https://api.example/users/7?page=2")
    assert list(dict.fromkeys(event.url for event in events)) == [
        "https://api.example/reset/***",
        "https://api.example/users/7?page=***",
        "https://api.example/***",
    ]
    assert "s3cret" not in caplog.text
