"""The states of a circuit breaker, and the messages between it and its calls."""

from typing import NamedTuple, TypeAlias, assert_never

from railhttp.model.gauges import CircuitState
from railhttp.policy.health import Verdict
from railhttp.policy.window import Window


class Closed(NamedTuple):
    """Calls are admitted and counted."""

    generation: int = 0
    in_a_row: int = 0
    window: Window = Window()


class Open(NamedTuple):
    """Calls are rejected until a time; `trips` counts the openings since the last closed state."""

    generation: int
    trips: int
    until: float


class ProbeSlot(NamedTuple):
    """The slot of a probe; after `until` another probe may take it."""

    probe: int
    until: float


class HalfOpen(NamedTuple):
    """A few probes are admitted; `issued` numbers them, so that a late report matches no slot."""

    generation: int
    trips: int
    issued: int = 0
    slots: tuple[ProbeSlot, ...] = ()
    successes: int = 0


class ForcedOpen(NamedTuple):
    """Calls are rejected until `reset`."""

    generation: int


BreakerState: TypeAlias = Closed | Open | HalfOpen | ForcedOpen


class Ticket(NamedTuple):
    """The admission of a call at the time `since`; `probe` is 0 for an ordinary call."""

    generation: int
    probe: int
    since: float


class Rejection(NamedTuple):
    """The rejection of a call; seconds until the first probe is admitted, None if unknown."""

    retry_after: float | None


class Report(NamedTuple):
    """The end of one or more `calls` with the same outcome, which ended `ago` seconds ago.

    If the breaker opens, `chance`, a random number from 0 to 1, determines for how long.
    """

    ticket: Ticket
    verdict: Verdict
    chance: float
    calls: int = 1
    ago: float = 0.0


def force_open(state: BreakerState | None, event: None, now: float) -> tuple[ForcedOpen, None]:
    """Reject every call until `reset`."""
    return ForcedOpen(1 if state is None else state.generation + 1), None


def reset(state: BreakerState | None, event: None, now: float) -> tuple[Closed, None]:
    """Close, and forget all counts."""
    return Closed(1 if state is None else state.generation + 1), None


def state_name(state: BreakerState | None) -> CircuitState:
    """Return the public name of a state."""
    match state:
        case None | Closed():
            return "closed"
        case Open() | ForcedOpen():
            return "open"
        case HalfOpen():
            return "half_open"
        case _:
            assert_never(state)
