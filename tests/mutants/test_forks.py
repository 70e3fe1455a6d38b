"""The limit on a fork, of which pytest's own limit is the first half."""

import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import ctypes
from tests.mutants import forks
forks.HANG = 1
forks._end_later()
ctypes.PyDLL(None).sleep(300)  # a call of a PyDLL keeps the GIL
"""


def test_a_fork_that_keeps_the_gil_is_ended() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, timeout=240, check=False)
    assert ended.returncode == -signal.SIGALRM
