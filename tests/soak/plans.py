"""A plan for each call: drawn from the seed, and the same in every run."""

import random
from dataclasses import dataclass
from typing import Final

KINDS: Final = {
    "get": 38,
    "post": 18,
    "keyed": 8,
    "put": 6,
    "stream": 8,
    "left": 4,
    "lines": 3,
    "events": 3,
    "download": 2,
    "cancelled": 10,
}
"""The ways to call, and how frequent they are."""

FAULTS: Final = {
    "ok": 50,
    "chunked": 10,
    "gzip": 6,
    "interim": 3,
    "drip": 3,
    "moved": 4,
    "closing": 5,
    "late_close": 4,
    "s503": 4,
    "s404": 3,
    "s429": 2,
    "reset": 4,
    "fin": 4,
    "cut": 3,
    "cut_chunk": 2,
    "early": 2,
    "garbage": 1,
    "bad_gzip": 1,
    "hang": 0.5,
    "stall": 0.5,
    "unasked": 1,
    "late_408": 1,
    "late_junk": 2,
}
"""The faults of the server, and how frequent they are."""

WHOLE: Final = frozenset(
    {
        "ok",
        "chunked",
        "gzip",
        "interim",
        "drip",
        "moved",
        "closing",
        "late_close",
        "unasked",
        "late_408",
        "late_junk",
    }
)
"""The faults after which the call has its response."""

STATUSES: Final = {"s503": 503, "s404": 404, "s429": 429, "early": 413}


@dataclass(frozen=True, slots=True)
class Plan:
    """One call.

    Attributes:
        number: The number of the call.
        kind: The way to call.
        faults: The fault for each attempt; further attempts meet the last one.
        chance: A number for anything else, from 0 to 1.
    """

    number: int
    kind: str
    faults: tuple[str, ...]
    chance: float

    @property
    def path(self) -> str:
        return f"/{self.number}/{','.join(self.faults)}/{self.kind}"


def plan(seed: int, number: int) -> Plan:
    """Return the plan of a call."""
    chance = random.Random(f"{seed}/{number}")  # no secret
    kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
    faults = chance.choices(list(FAULTS), list(FAULTS.values()), k=3)
    return Plan(number, kind, tuple(faults), chance.random())


def body_of(number: int) -> bytes:
    """Return the body of the response to a call: no two calls have the same."""
    times = 1 + number * 7919 % (60_000 if number % 40 == 0 else 400)
    return b"%d:" % number * times + b"\n"


def upload_of(number: int) -> bytes:
    """Return the body of the request of a call."""
    return b"upload %d\n" % number * (1 + number * 104_729 % 300)
