"""A circuit: the states of a breaker, and what passes between it and its calls."""

from typing import Literal, NamedTuple, TypeAlias, assert_never

from railhttp.policy.health import Verdict
from railhttp.policy.window import Window

CircuitState: TypeAlias = Literal["closed", "open", "half_open"]
"""What a breaker shows of its state; one that is forced open is open."""


class Closed(NamedTuple):
    """Calls pass and are counted."""

    generation: int = 0
    in_a_row: int = 0
    window: Window = Window()


class Open(NamedTuple):
    """Calls are refused until a time; `trips` counts the openings since it was last closed."""

    generation: int
    trips: int
    until: float


class ProbeSlot(NamedTuple):
    """A probe's slot, and until when it is the probe's own."""

    probe: int
    until: float


class HalfOpen(NamedTuple):
    """A few probes pass; `issued` numbers them, so that none is taken for another."""

    generation: int
    trips: int
    issued: int = 0
    leases: tuple[ProbeSlot, ...] = ()
    successes: int = 0


class ForcedOpen(NamedTuple):
    """Calls are refused until somebody says `reset`."""

    generation: int


BreakerState: TypeAlias = Closed | Open | HalfOpen | ForcedOpen


class Ticket(NamedTuple):
    """An admission: whose it is and when it was given; `probe` is 0 for an ordinary call."""

    generation: int
    probe: int
    since: float


class Rejection(NamedTuple):
    """No admission; seconds until the first probe may pass, None where nobody can tell."""

    retry_after: float | None


class Report(NamedTuple):
    """How an admitted call ended.

    Attributes:
        ticket: Its admission.
        verdict: What it says about the host.
        chance: A random number, 0 to 1, that decides how long a breaker then stays open.
        calls: How many ordinary calls it stands for that ended alike in one step of the window.
        ago: How many seconds ago they ended.
    """

    ticket: Ticket
    verdict: Verdict
    chance: float
    calls: int = 1
    ago: float = 0.0


def force_open(state: BreakerState | None, event: None, now: float) -> tuple[ForcedOpen, None]:
    """Refuse every call until `reset`."""
    return ForcedOpen(_next_generation(state)), None


def reset(state: BreakerState | None, event: None, now: float) -> tuple[Closed, None]:
    """Close, and forget all that was counted."""
    return Closed(_next_generation(state)), None


def _next_generation(state: BreakerState | None) -> int:
    return 1 if state is None else state.generation + 1


def state_name(state: BreakerState | None) -> CircuitState:
    """Return the public name of a state.

    Example:
        >>> state_name(None), state_name(ForcedOpen(1)), state_name(HalfOpen(2, trips=1))
        ('closed', 'open', 'half_open')
    """
    match state:
        case None | Closed():
            return "closed"
        case Open() | ForcedOpen():
            return "open"
        case HalfOpen():
            return "half_open"
        case _:
            assert_never(state)
