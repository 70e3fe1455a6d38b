"""What layers around a call cost, beside libraries that offer the same."""

import asyncio
from collections.abc import Iterator
from importlib.util import find_spec
from time import process_time
from typing import Final

from benchmarks.cases.in_memory import ENDPOINT, VERB, WRAPPERS, Act, clients
from benchmarks.report import Measurement, Topic
from benchmarks.rounds import Effort
from benchmarks.yardstick import YARDSTICK, yardstick

_CALIBRATION: Final = 200  # calls


def measure(effort: Effort) -> Iterator[Measurement]:
    """Make each call many times, all of them in turn."""
    rounds = asyncio.run(_rounds(effort))
    topic = Topic("layers in memory", "asyncio", "CPU per call", "µs")
    series = {name: [one[name] for one in rounds] for name in rounds[0]}
    for name in series:
        yield topic.compared(series, name, YARDSTICK)
    yield topic.compared(series, ENDPOINT, VERB)


async def _rounds(effort: Effort) -> list[dict[str, float]]:
    present = {name: make() for name, (module, make) in WRAPPERS.items() if find_spec(module)}
    few = min(_CALIBRATION, effort.most)
    async with clients() as more:
        acts = present | more
        numbers = {
            name: max(few, int(effort.seconds / (await _seconds(one, few))))
            for name, one in acts.items()
        }
        return [
            {name: 1e6 * await _seconds(one, numbers[name]) for name, one in acts.items()}
            | {YARDSTICK: yardstick()}
            for _ in range(effort.rounds)
        ]


async def _seconds(call: Act, number: int) -> float:
    """Give the CPU seconds of one call."""
    start = process_time()
    for _ in range(number):
        await call()
    return max(process_time() - start, 1e-9) / number
