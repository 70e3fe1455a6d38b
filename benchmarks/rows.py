"""The calls that are measured, what each is compared with, and the goal for the ratio."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from benchmarks.cases.everyday import DIFFERING, ROWS, SAME, TLS, call_of, named
from benchmarks.cases.sdk import SDK

SUITE: Final = "everyday calls"
RAW: Final = "raw aiohttp"


class Row(NamedTuple):
    """A row of the tables.

    Attributes:
        case: The case of railhttp.
        against: The case that does the same with raw aiohttp, or with another client of railhttp.
        goal: The ratio to reach.
        later: The ratio to reach one day; None if the goal is all.
    """

    case: str
    against: str
    goal: float
    later: float | None = None

    @property
    def cases(self) -> tuple[str, str]:
        """Both cases."""
        return self.case, self.against

    @property
    def tls(self) -> bool:
        """Whether the calls go to the server's HTTPS port."""
        return call_of(self.case) == TLS


def _railhttp(call: str, goal: float, later: float) -> Row:
    return Row(named("railhttp", call), named(RAW, call), goal, later)


EVERYDAY: Final[Mapping[str, Row]] = {
    **{call: _railhttp(call, 0.60, 0.45) for call in ROWS if call != SAME},
    SDK: _railhttp(SDK, 0.60, 0.45),
    f"{SDK}, a declared endpoint": Row(named("railhttp endpoint", SDK), named(RAW, SDK), 0.60),
    SAME: _railhttp(SAME, 0.40, 0.35),
}
"""Calls as programs make them, and the same URL again and again."""

OTHERS: Final[Mapping[str, Row]] = {
    f"everything on: {SAME}": Row(
        named("railhttp with everything", SAME), named(RAW, SAME), 0.60, 0.50
    ),
    f"everything on: {DIFFERING}": Row(
        named("railhttp with everything", DIFFERING), named(RAW, DIFFERING), 0.75, 0.50
    ),
    f"`standard()`: {SAME}": Row(named("railhttp with standard()", SAME), named(RAW, SAME), 0.60),
    f"`future.get`, then `run`: {SAME}": Row(
        named("railhttp future", SAME), named(RAW, SAME), 0.60
    ),
    "the default pool of 10, against a large pool": Row(
        named("railhttp as documented", SAME), named("railhttp", SAME), 1.10
    ),
    TLS: _railhttp(TLS, 0.40, 0.35),
}
"""Other clients and settings."""

ALL: Final[Mapping[str, Row]] = {**EVERYDAY, **OTHERS}
