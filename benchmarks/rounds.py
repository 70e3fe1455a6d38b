"""Interleaved rounds: each case in a process of its own, all of them in turn."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import MappingProxyType
from typing import Final, NamedTuple

from benchmarks.cases import ENVIRONMENTS
from benchmarks.worker import Sample, Task

_CALIBRATION: Final = 200  # requests


class Effort(NamedTuple):
    """How much is measured.

    Attributes:
        rounds: How often each case has its turn.
        seconds: CPU seconds of a turn, roughly.
        most: How many requests a turn has at the most.
    """

    rounds: int
    seconds: float
    most: int = 1_000_000


class Worker:
    """A process that measures one case."""

    def __init__(self, case: str, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._case = case
        self._orders = process.stdin
        self._answers = process.stdout

    def dismiss(self) -> None:
        """Let the process end."""
        self._orders.close()

    def perform(self, task: Task) -> Sample:
        """Have a task done, and wait for it."""
        print(json.dumps(task), file=self._orders, flush=True)
        answer = self._answers.readline()
        if not answer:
            raise RuntimeError(f"the worker of {self._case!r} broke down")
        return Sample(*json.loads(answer))


@contextmanager
def workers(
    cases: Sequence[str],
    loop: str,
    core: int | None,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[dict[str, Worker]]:
    """Start a process for each case; their environments hold no proxies but the case's own."""
    with ExitStack() as stack:
        processes = {
            case: stack.enter_context(_process(case, loop, core, environment)) for case in cases
        }
        crew = {case: Worker(case, process) for case, process in processes.items()}
        for worker in crew.values():
            stack.callback(worker.dismiss)  # all of them before the first one is waited for
        yield crew


def _process(
    case: str, loop: str, core: int | None, environment: Mapping[str, str]
) -> "subprocess.Popen[str]":
    clean = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    command = [sys.executable, "-m", "benchmarks.worker", case, loop]
    return subprocess.Popen(
        [*command, "" if core is None else str(core)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**clean, **environment, **ENVIRONMENTS.get(case, {})},
    )


def interleave(crew: Mapping[str, Worker], task: Task, effort: Effort) -> dict[str, list[Sample]]:
    """Measure all cases in turn, several times; the turn changes from round to round.

    Args:
        crew: The cases.
        task: What each does; how many requests it makes, follows from `effort`.
        effort: How often and how long.

    Returns:
        The samples of each case, one for each round.
    """
    tasks = {case: _sized(worker, task, effort) for case, worker in crew.items()}
    samples: dict[str, list[Sample]] = {case: [] for case in crew}
    order = list(crew)
    for _ in range(effort.rounds):
        for case in order:
            samples[case].append(crew[case].perform(tasks[case]))
        order = [*order[1:], order[0]]
    return samples


def _sized(worker: Worker, task: Task, effort: Effort) -> Task:
    few = min(_CALIBRATION, effort.most)
    sample = worker.perform(task._replace(requests=few))
    wanted = int(few * effort.seconds / max(sample.cpu, 1e-6))
    return task._replace(requests=min(effort.most, max(wanted, few)))
