"""The goals, and where they are met."""

import operator
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from benchmarks import rows
from benchmarks.cases.everyday import DIFFERING, SAME, named
from benchmarks.report import Measurement
from benchmarks.yardstick import YARDSTICK


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


SUCCESS: Final = 0.35
"""The microseconds that `Success()` took on the machine on which the goals were set. Times are held
against their goals as multiples of it, measured in the same rounds."""

CPU: Final = "CPU per request"
ITEM: Final = "CPU per item"
INSTRUCTIONS: Final = "instructions"
PER_CALL: Final = "instructions per call"
IMPORTED: Final = "instructions of an import"
HELD: Final = "memory of a connection"
ALLOCATED: Final = "allocated memory"
RESIDENT: Final = "growth of the resident set"
IN_FLIGHT: Final = "a call in flight"
IDLE: Final = "an idle connection"
BODIES: Final = "bodies"
CPU_OF_BODY: Final = "CPU per body"
PEAK: Final = "peak of memory"
SYNCED: Final = "raw aiohttp, fsync and rename"
THREADED: Final = "raw aiohttp, the same in a thread"
_AT_32: Final = "32 concurrent"


def _decodes(
    text: str, peer: str, limit: float, later: float | None = None, setting: str = ""
) -> Goal:
    text = f"{text}, CPU of {peer}"
    return Goal(text, "decoding", peer, "railhttp", ITEM, operator.ge, limit, later, setting)


def _row(name: str, suite: str, quantity: str) -> Goal:
    row = rows.ALL[name]
    numbers = (operator.le, row.goal, row.later)
    return Goal(f"{name} ({quantity})", suite, row.case, row.against, quantity, *numbers)


GOALS: Final = (
    *(_row(name, rows.SUITE, CPU) for name in rows.ALL),
    *(_row(name, INSTRUCTIONS, PER_CALL) for name in rows.ALL),
    Goal(
        "environment proxies on, against off",
        *("requests", "railhttp with environment proxies", "railhttp without environment", CPU),
        *(operator.le, 1.03, 1.01, _AT_32),
    ),
    Goal(
        f"{DIFFERING}, CPU of httpx",
        *(rows.SUITE, named("httpx", DIFFERING), named("railhttp", DIFFERING), CPU),
        *(operator.ge, 11.0, 20.0),
    ),
    Goal(
        f"{SAME}, CPU of lexigram-http",
        *(rows.SUITE, named("lexigram-http", SAME), named("railhttp", SAME), CPU),
        *(operator.ge, 3.5, 9.0),
    ),
    *(
        Goal(
            f"{what} of 1 MiB and 100 MiB",
            *(BODIES, "railhttp", "raw aiohttp", CPU_OF_BODY, operator.le, 1.0),
            setting=what,
        )
        for what in ("read", "stream", "download", "upload a file")
    ),
    *(
        Goal(
            f"download of 1 MiB and 100 MiB, against {case}",
            *(BODIES, "railhttp", case, CPU_OF_BODY, operator.le, 1.0),
            setting="download",
        )
        for case in (SYNCED, THREADED)
    ),
    Goal(
        "memory for a whole body of 100 MiB",
        *(BODIES, "railhttp", "", PEAK, operator.le, 105.0),
        setting="read, 100 MiB",
    ),
    Goal(
        "streaming 256 MiB, against `iter_any`",
        *("streaming", "railhttp stream", "aiohttp iter_any", "MB per second", operator.ge, 1.0),
    ),
    Goal(
        "memory growth while streaming",
        *("memory growth", "stream", "", "growth of memory", operator.le, 4.0),
    ),
    *(
        Goal(
            f"memory of {state}, 500 at once ({quantity})",
            *(HELD, "railhttp", "raw aiohttp", quantity, operator.le, 1.25),
            setting=state,
        )
        for quantity in (ALLOCATED, RESIDENT)
        for state in (IN_FLIGHT, IDLE)
    ),
    _decodes("SSE decoding", "httpx-sse", 2.2),
    _decodes("SSE decoding", "openai SDK", 1.5),
    _decodes("`decode` of a msgspec Struct", "msgspec", 0.91, setting="a msgspec Struct"),
    _decodes("`decode` of a dataclass", "msgspec", 0.91, setting="a dataclass"),
    _decodes("`decode` of a pydantic model", "pydantic", 0.91, setting="a pydantic model"),
    _decodes("`decode` of a page of Structs", "msgspec", 0.91, setting="msgspec Structs"),
    _decodes("`decode` of a page of dataclasses", "msgspec", 0.91, setting="dataclasses"),
    _decodes("`decode` of a page of pydantic models", "pydantic", 0.91, setting="pydantic models"),
    _decodes("SSE decoding", "lexigram-http", 4.0, 5.5),
    _decodes("NDJSON", "aiohttp readline", 4.0, 5.5, "lines over a socket"),
    _decodes("NDJSON", "httpx aiter_lines", 1.6, 2.2, "lines over a socket"),
    _decodes("NDJSON", "aiohttp readline", 4.0, 5.5, "lines in memory"),
    _decodes("NDJSON", "httpx aiter_lines", 1.6, 2.2, "lines in memory"),
    *(
        Goal(
            f"`{statement}`, against `import aiohttp` (instructions)",
            *(INSTRUCTIONS, statement, "import aiohttp", IMPORTED, operator.le, 1.1),
        )
        for statement in (
            *("import railhttp", "from railhttp import HTTPClient"),
            "from railhttp import HTTPClient; HTTPClient()",
        )
    ),
    Goal(
        "`from railhttp import HTTPClient; HTTPClient()`, on top of aiohttp: "
        f"30 ms where `Success()` takes {SUCCESS} µs",
        *("import", "a client on top of aiohttp", YARDSTICK, "CPU"),
        *(operator.le, round(30_000 / SUCCESS)),
    ),
    Goal(
        f"a call through the whole pipeline, in memory: 5 µs where `Success()` takes {SUCCESS} µs",
        *("layers in memory", "railhttp: client.get", YARDSTICK, "CPU per call"),
        *(operator.le, round(5 / SUCCESS, 1)),
    ),
    Goal(
        "a call of an endpoint, against the verb and `decode`, in memory",
        *("layers in memory", "railhttp: an endpoint", "railhttp: client.get and decode"),
        *("CPU per call", operator.le, 1.15),
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


def number(one: Measurement) -> float:
    """Give what a goal is compared with: the ratio, where there is one."""
    return (one.ratio or one.value).median
