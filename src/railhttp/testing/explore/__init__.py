"""The failure explorer: run a program under every failure of each of its calls.

`explore` runs a program again and again, in a fresh world each time, and lets its calls fail in
every way in which HTTP can fail. A lost response is tried in both worlds: in one the server acted,
in the other it did not. `replay` runs one schedule as a regression test.
"""

from railhttp.testing.explore import faults
from railhttp.testing.explore.fault import Fault, Faults
from railhttp.testing.explore.kept import Explorer
from railhttp.testing.explore.report import Group, Report, Tally
from railhttp.testing.explore.run import ClientFactory, Judge, Program, Run
from railhttp.testing.explore.schedule import Schedule
from railhttp.testing.explore.search import UnstableProgramError, explore, replay
from railhttp.testing.explore.strategies import schedules

__all__ = [
    "ClientFactory",
    "Explorer",
    "Fault",
    "Faults",
    "Group",
    "Judge",
    "Program",
    "Report",
    "Run",
    "Schedule",
    "Tally",
    "UnstableProgramError",
    "explore",
    "faults",
    "replay",
    "schedules",
]
