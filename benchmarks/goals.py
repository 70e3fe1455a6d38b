"""The goals, and where they are met."""

import operator
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from benchmarks.report import Measurement


class Goal(NamedTuple):
    """A number that is to be reached.

    Attributes:
        text: What it is about.
        suite: Whose numbers it looks at.
        case: The case that has to be so good.
        against: The case it is compared with; empty where the number stands for itself.
        quantity: Which property.
        is_met: Compares the number with the limit.
        limit: What is to be reached.
        later: What is to be reached one day; None where that is all.
        setting: Which setting counts; any where empty.
        is_time: Whether the number is a time, and so depends on the machine, see `pace`.
    """

    text: str
    suite: str
    case: str
    against: str
    quantity: str
    is_met: Callable[[float, float], bool]
    limit: float
    later: float | None = None
    setting: str = ""
    is_time: bool = False


SUCCESS_MICROSECONDS: Final = 0.35
"""What `Success(…)` took on the machine on which the goals were set."""

CPU: Final = "CPU per request"
ITEM: Final = "CPU per item"
_RAW: Final = "raw aiohttp"
_AT_32: Final = "32 concurrent"


def _decodes(text: str, peer: str, limit: float, later: float, setting: str = "") -> Goal:
    text = f"{text}, CPU of {peer}"
    return Goal(text, "decoding", peer, "railhttp", ITEM, operator.ge, limit, later, setting)


GOALS: Final = (
    Goal("default verb", "requests", "railhttp", _RAW, CPU, operator.le, 0.95, 0.40, _AT_32),
    Goal(
        "with retry, breaker, 2 interceptors, metrics, observers",
        *("requests", "railhttp with everything", _RAW, CPU, operator.le, 1.00, 0.45, _AT_32),
    ),
    Goal(
        "environment proxies on, against off",
        *("requests", "railhttp with environment proxies", "railhttp without environment", CPU),
        *(operator.le, 1.03, 1.01, _AT_32),
    ),
    Goal("CPU of httpx", "requests", "httpx", "railhttp", CPU, operator.ge, 11.0, 30.0, _AT_32),
    Goal(
        "CPU of lexigram-http",
        *("requests", "lexigram-http", "railhttp", CPU, operator.ge, 3.5, 9.0, _AT_32),
    ),
    Goal(
        "streaming 256 MiB, against `iter_any`",
        *("streaming", "railhttp stream", "aiohttp iter_any", "MB per second", operator.ge, 1.0),
    ),
    Goal(
        "memory growth while streaming",
        *("memory growth", "stream", "", "growth of memory", operator.le, 4.0),
    ),
    _decodes("SSE decoding", "httpx-sse", 1.6, 2.2),
    _decodes("SSE decoding", "lexigram-http", 4.0, 5.5),
    _decodes("NDJSON", "aiohttp readline", 4.0, 5.5, "lines over a socket"),
    _decodes("NDJSON", "httpx aiter_lines", 1.6, 2.2, "lines over a socket"),
    _decodes("NDJSON", "aiohttp readline", 4.0, 5.5, "lines in memory"),
    _decodes("NDJSON", "httpx aiter_lines", 1.6, 2.2, "lines in memory"),
    Goal(
        "`import railhttp`, on top of aiohttp",
        *("import", "railhttp on top of aiohttp", "", "CPU", operator.le, 30.0),
        is_time=True,
    ),
    Goal(
        "a call through the whole pipeline, in memory",
        *("layers in memory", "railhttp: client.get", "", "CPU per call", operator.le, 5.0),
        is_time=True,
    ),
)


def answers(goal: Goal, measurements: Sequence[Measurement]) -> list[Measurement]:
    """Find the numbers that a goal looks at."""
    return [
        one
        for one in measurements
        if (one.suite, one.case, one.against, one.quantity)
        == (goal.suite, goal.case, goal.against, goal.quantity)
        and goal.setting in one.setting
    ]


def pace(measurements: Sequence[Measurement]) -> float:
    """Say how many times as long this run took for `Success(…)` as the machine of the goals.

    Returns:
        1 where it was not measured.
    """
    for one in measurements:
        if (one.suite, one.case) == ("pure functions", "Success"):
            return one.value.median / SUCCESS_MICROSECONDS
    return 1.0


def number(goal: Goal, one: Measurement, measurements: Sequence[Measurement]) -> float:
    """Give what a goal is compared with: a ratio, or a time at the pace of the goals' machine."""
    if goal.is_time:
        return one.value.median / pace(measurements)
    return (one.ratio or one.value).median
