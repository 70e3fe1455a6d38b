"""Records the calls that a piece of work makes: to repeat the work, one must know all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from railhttp.pipeline.call import HTTPCall
from railhttp.policy.retry import is_harmless

RECORDED_CALLS: Final[ContextVar[list[HTTPCall] | None]] = ContextVar(
    "railhttp_recorded_calls", default=None
)
"""The list that calls are added to; None if nothing records them."""


@contextmanager
def recorded_calls() -> Iterator[list[HTTPCall]]:
    """Record the calls that are made inside the block, by any client and in any task.

    Yields:
        The calls, a list that grows; an outer recording gets them too.
    """
    outer = RECORDED_CALLS.get()
    calls: list[HTTPCall] = []
    token = RECORDED_CALLS.set(calls)
    try:
        yield calls
    finally:
        RECORDED_CALLS.reset(token)
        if outer is not None:
            outer.extend(calls)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Keep the calls inside the block out of a recording: they are not the work itself."""
    token = RECORDED_CALLS.set(None)
    try:
        yield
    finally:
        RECORDED_CALLS.reset(token)


def is_repeatable(call: HTTPCall) -> bool:
    """Return whether a second call does no harm: it is repeatable, or was provably never sent."""
    return is_harmless(call.delivery, repeatable=call.repeatable, replayable=call.replayable)
