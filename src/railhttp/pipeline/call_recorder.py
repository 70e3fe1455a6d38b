"""Which calls a piece of work made: whoever is to repeat the work has to know all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from railhttp.pipeline.call import Call
from railhttp.policy.retry import is_harmless

JOURNAL: Final[ContextVar[list[Call] | None]] = ContextVar("railhttp_journal", default=None)
"""Where calls are written down; None where nobody keeps a journal."""


@contextmanager
def journal() -> Iterator[list[Call]]:
    """Write down the calls that are made inside the block, by whatever client, in any task.

    Yields:
        The calls, growing; those of a journal inside this one are in it too.
    """
    outer = JOURNAL.get()
    calls: list[Call] = []
    token = JOURNAL.set(calls)
    try:
        yield calls
    finally:
        JOURNAL.reset(token)
        if outer is not None:
            outer.extend(calls)


def is_repeatable(call: Call) -> bool:
    """Whether making a call again does no harm: it is repeatable, or was provably never sent."""
    return is_harmless(call.delivery, repeatable=call.repeatable, replayable=call.replayable)
