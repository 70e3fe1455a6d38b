"""States as bytes: a closed set of tagged types, so that a value from the server runs no code."""

from collections.abc import Callable
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec

from railhttp.policy.breaker_states import BreakerState, Closed, ForcedOpen, HalfOpen, Open
from railhttp.policy.budget import Tokens

S = TypeVar("S")


class Codec(Generic[S]):
    """Writes a state as JSON with its type, and reads it.

    Args:
        wrap: Puts a state into its document.
        document: The type of all documents.
        unwrap: Returns the state of a document.
        lifetime: Returns how many seconds a state is kept without a change at a time; None for no
            limit.
    """

    def __init__(
        self,
        wrap: Callable[[S], msgspec.Struct],
        decoder: Callable[[bytes], S],
        lifetime: Callable[[S, float], float | None],
    ) -> None:
        self._wrap = wrap
        self._decode = decoder
        self.lifetime: Final = lifetime

    def encode(self, state: S) -> bytes:
        """Return the bytes of a state."""
        return msgspec.json.encode(self._wrap(state))

    def decode(self, data: bytes) -> S | None:
        """Return the state of bytes; None if another version or program has written them."""
        try:
            return self._decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None


class _Closed(msgspec.Struct, tag="closed"):
    state: Closed


class _Open(msgspec.Struct, tag="open"):
    state: Open


class _HalfOpen(msgspec.Struct, tag="half_open"):
    state: HalfOpen


class _ForcedOpen(msgspec.Struct, tag="forced_open"):
    state: ForcedOpen


_Breaker: TypeAlias = _Closed | _Open | _HalfOpen | _ForcedOpen


def _wrapped(state: BreakerState) -> _Breaker:
    match state:
        case Closed():
            return _Closed(state)
        case Open():
            return _Open(state)
        case HalfOpen():
            return _HalfOpen(state)
        case ForcedOpen():
            return _ForcedOpen(state)


_HOUR: Final = 3600.0


def _breaker_lifetime(state: BreakerState, now: float) -> float | None:
    match state:
        case ForcedOpen():  # until `reset`
            return None
        case Open():
            return max(0.0, state.until - now) + _HOUR
        case HalfOpen():
            # A slot may have ended long ago, and the server refuses a lifetime below zero.
            return max([0.0, *(slot.until - now for slot in state.slots)]) + _HOUR
        case Closed():
            return _HOUR


_read_breaker: Final = msgspec.json.Decoder(_Breaker)

BREAKERS: Final = Codec[BreakerState](
    _wrapped, lambda data: _read_breaker.decode(data).state, _breaker_lifetime
)


class Streak(NamedTuple):
    """The consecutive failures of a host that one process sees, until a time."""

    process: str
    failures: int
    until: float


class Fleet(NamedTuple):
    """The circuit of all processes, and those that see failures while it is closed."""

    circuit: BreakerState
    streaks: tuple[Streak, ...] = ()


class _Fleet(msgspec.Struct, tag="fleet"):
    circuit: _Breaker
    streaks: tuple[Streak, ...]


_read_fleet: Final = msgspec.json.Decoder(_Fleet)


def _fleet(data: bytes) -> Fleet:
    document = _read_fleet.decode(data)
    return Fleet(document.circuit.state, document.streaks)


FLEETS: Final = Codec[Fleet](
    lambda fleet: _Fleet(_wrapped(fleet.circuit), fleet.streaks),
    _fleet,
    lambda fleet, now: _breaker_lifetime(fleet.circuit, now),
)


class _Rate(msgspec.Struct, tag="rate"):
    full_at: float


_read_rate: Final = msgspec.json.Decoder(_Rate)

RATES: Final = Codec[float](
    _Rate,
    lambda data: _read_rate.decode(data).full_at,
    lambda full_at, now: max(0.0, full_at - now) + 1.0,
)


class _Budget(msgspec.Struct, tag="budget"):
    state: Tokens


_read_budget: Final = msgspec.json.Decoder(_Budget)

BUDGETS: Final = Codec[Tokens](
    _Budget, lambda data: _read_budget.decode(data).state, lambda _, now: 24 * _HOUR
)
