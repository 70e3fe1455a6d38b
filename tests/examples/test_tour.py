"""The tour runs as `make demo` runs it, and takes the expected tracks."""

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_every_stop_takes_its_track() -> None:
    command = [sys.executable, "-W", "error", "-X", "dev", "tour.py"]
    done = subprocess.run(
        command, cwd=EXAMPLES, capture_output=True, text=True, timeout=60, check=False
    )
    # asyncio's debug mode also tells of slow steps, which a busy machine has
    errors = [line for line in done.stderr.splitlines() if not line.startswith("Executing <")]
    assert (done.returncode, errors) == (0, []), done.stdout + done.stderr
    assert "✗" not in done.stdout
