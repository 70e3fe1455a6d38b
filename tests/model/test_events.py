"""What all events have in common."""

from collections.abc import Callable
from inspect import signature
from typing import get_args

import pytest

from railhttp.events import HTTPEvent


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
