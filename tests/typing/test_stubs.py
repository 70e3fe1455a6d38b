"""The stubs say of their packages what is true: a stub hides the types of what is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

STUBS = Path(__file__).parents[2] / "stubs"


@pytest.mark.parametrize("stub", sorted(STUBS.glob("*.pyi")), ids=lambda stub: stub.stem)
def test_a_stub_agrees_with_the_installed_package(stub: Path) -> None:
    command = [sys.executable, "-m", "mypy.stubtest", stub.stem, "--ignore-missing-stub"]
    done = subprocess.run(
        command,
        env={**os.environ, "MYPYPATH": str(STUBS)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
