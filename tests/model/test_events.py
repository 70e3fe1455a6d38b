"""What all events have in common."""

from collections.abc import Callable
from inspect import signature
from typing import get_args

import pytest

from railhttp.events import (
    CircuitChangedEvent,
    HTTPEvent,
    RetryBudgetExhaustedEvent,
    StoreBackEvent,
    StoreDownEvent,
)
from railhttp.model.events import LayerEvent


@pytest.mark.parametrize("event", get_args(HTTPEvent))
def test_the_id_of_the_call_may_be_left_out_and_events_are_compared_without_it(
    event: Callable[..., HTTPEvent],
) -> None:
    given = {name: object() for name in signature(event).parameters if name != "call_id"}
    alone, named = event(**given), event(**given, call_id="7")
    assert (alone.call_id, named.call_id) == ("", "7")
    assert alone == named
    for name in given:
        assert event(**{**given, name: object()}) != alone


@pytest.mark.parametrize(
    "event",
    [
        CircuitChangedEvent(name="stock", before="closed", after="open"),
        RetryBudgetExhaustedEvent(origin=""),
        StoreDownEvent(store="shop", problem="TimeoutError", when_down="local"),
        StoreBackEvent(store="shop", seconds=2.5),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_that_belongs_to_no_call_has_neither_method_nor_url(event: LayerEvent) -> None:
    assert (event.method, event.url, event.call_id) == ("", "", "")
