"""How fast a large body comes in."""

from collections.abc import Iterator
from typing import Final

from benchmarks.cases import streams
from benchmarks.report import Measurement, Topic
from benchmarks.rounds import Effort, interleave, workers
from benchmarks.worker import Task

_BASELINE: Final = "aiohttp iter_any"


def measure(
    loops: tuple[str, ...], effort: Effort, base: str, large: int, core: int | None
) -> Iterator[Measurement]:
    """Stream `/large` beside aiohttp's own `iter_any`.

    Args:
        loops: `asyncio`, `uvloop`.
        effort: How much is measured; a turn is one body, however long it takes.
        base: The start of the server's URLs.
        large: How many bytes `/large` has.
        core: The core to measure on.
    """
    task = Task([f"{base}/large"], 1, 1, large)
    for loop in loops:
        setting = f"{loop}, {large / 2**20:g} MiB"
        with workers(tuple(streams.CASES), loop, core) as crew:
            samples = interleave(crew, task, effort._replace(most=1))
        speed = {case: [large / one.cpu / 1e6 for one in of] for case, of in samples.items()}
        for case in samples:
            topic = Topic("streaming", setting, "MB per second", "MB/s of CPU")
            yield topic.compared(speed, case, _BASELINE)
