"""What is behind an extra is not imported unasked."""

import subprocess
import sys

import pytest

EXTRAS = {"hypothesis", "opentelemetry", "pytest", "svcs"}


@pytest.mark.parametrize("name", ["railhttp", "railhttp.di", "railhttp.testing"])
def test_an_import_needs_no_extra(name: str) -> None:
    program = f"import sys, {name}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert not EXTRAS & set(done.stdout.split())
