"""Records the calls that a piece of work makes: to repeat the work, one must know all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from typing_extensions import override

from railhttp.pipeline.http_call import HTTPCall
from railhttp.policy.retry import is_harmless

RECORDED_CALLS: Final[ContextVar[list[HTTPCall] | None]] = ContextVar(
    "railhttp_recorded_calls", default=None
)
"""The list that calls are added to; None if nothing records them."""


class Recording(list[HTTPCall]):
    """The calls of a piece of work, in order; an outer recording gets them too."""

    outer: "list[HTTPCall] | None" = None

    @override
    def append(self, call: HTTPCall, /) -> None:
        """Note a call that is about to be made; an exception from here ends it."""
        super().append(call)
        if self.outer is not None:
            self.outer.append(call)


@contextmanager
def recorded_calls(recording: Recording | None = None) -> Iterator[list[HTTPCall]]:
    """Record the calls that are made inside the block, by any client and in any task.

    Args:
        recording: Takes the calls; a new one if None.

    Yields:
        The calls, a list that grows; an outer recording gets them too.
    """
    recording = Recording() if recording is None else recording
    recording.outer = RECORDED_CALLS.get()
    token = RECORDED_CALLS.set(recording)
    try:
        yield recording
    finally:
        RECORDED_CALLS.reset(token)


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
