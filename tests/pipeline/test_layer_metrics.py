"""What is recorded of the events of layers, and how seldom a healthy breaker reports."""

from collections.abc import Mapping

import pytest
from tests.pipeline.scripted import ScriptedCall

from railhttp.model.events import (
    CircuitChangedEvent,
    LayerEvent,
    RetryBudgetExhaustedEvent,
    StoreBackEvent,
    StoreDownEvent,
    WaitEvent,
)
from railhttp.pipeline.observation.metrics import CallMetrics
from railhttp.resilience import CircuitBreaker
from railhttp.testing import ManualClock


class Recorder:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, float, Mapping[str, str] | None]] = []

    def increment(
        self, name: str, value: float = 1.0, tags: Mapping[str, str] | None = None
    ) -> None:
        self.seen.append((name, value, tags))

    gauge = histogram = increment


@pytest.mark.parametrize(
    ("event", "measurement"),
    [
        (
            CircuitChangedEvent(name="stock", before="closed", after="open"),
            (
                "http.circuit.changes",
                1.0,
                {"circuit": "stock", "before": "closed", "after": "open"},
            ),
        ),
        (
            RetryBudgetExhaustedEvent(origin="http://h"),
            ("http.retry_budget.exhausted", 1.0, {"origin": "http://h"}),
        ),
        *(
            (
                WaitEvent(
                    queue=queue, seconds=2.5, admitted=admitted, method="GET", url="http://h"
                ),
                (f"http.{queue}.wait", 2.5, {"admitted": text}),
            )
            for queue in ("pool", "rate_limit", "bulkhead")
            for admitted, text in ((True, "true"), (False, "false"))
        ),
        (
            StoreDownEvent(store="s", problem="TimeoutError", when_down="local"),
            ("http.store.changes", 1.0, {"store": "s", "after": "down"}),
        ),
        (
            StoreBackEvent(store="s", seconds=7.0),
            ("http.store.changes", 1.0, {"store": "s", "after": "up"}),
        ),
    ],
)
def test_the_event_of_a_layer_is_recorded(
    event: LayerEvent, measurement: tuple[str, float, Mapping[str, str]]
) -> None:
    recorder = Recorder()
    CallMetrics(recorder).event_occurred(event)
    assert recorder.seen == [measurement]


async def test_a_healthy_host_costs_few_reports() -> None:
    """A shared store is asked for each of them, over the network."""
    clock = ManualClock()
    states: list[object] = []
    breaker = CircuitBreaker(name="b", clock=clock)
    store = breaker._store
    for _ in range(200):
        await breaker.call(ScriptedCall(clock))
        state = store.peek("b")
        if not states or states[-1] is not state:
            states.append(state)
    assert len(states) <= 3


async def test_the_first_success_of_each_tenth_of_the_window_is_reported() -> None:
    clock = ManualClock(now=57.0)
    breaker = CircuitBreaker(name="b", window=30.0, clock=clock)
    reported = []
    for _ in range(9):
        before = breaker._store.peek("b")
        await breaker.call(ScriptedCall(clock))
        reported.append(breaker._store.peek("b") is not before)
        await clock.advance(1.5)
    assert reported[2:] == [True, False, True, False, True, False, True]  # the circuit is known
