"""The pytest plugin, inside a separate run of pytest."""

import subprocess
import sys
from pathlib import Path

from pytest import FixtureRequest  # noqa: PT013  # a type

from railhttp.client.http_client import HTTPClient
from railhttp.testing import ManualClock, ScriptedTransport
from railhttp.testing.pytest_plugin import (  # noqa: F401  # pytest finds them here
    http_client,
    http_script,
    manual_clock,
)

CONFTEST = 'pytest_plugins = ["railhttp.testing.pytest_plugin"]\n'

GOOD = """
import asyncio

def test_a_client_plays_the_script(http_script, http_client):
    http_script.on("GET", "/users/7").reply(json={"name": "Ann"})

    async def main():
        async with http_client:
            return (await http_client.get("https://api.example/users/7")).unwrap().json()

    assert asyncio.run(main()) == {"name": "Ann"}

def test_a_clock_is_turned_by_hand(manual_clock):
    asyncio.run(manual_clock.advance(3600))
    assert manual_clock.monotonic() == 3600
"""

MISSING = """
import asyncio

def test_a_miss_that_nobody_saw(http_script, http_client):
    async def main():
        async with http_client:
            await asyncio.gather(http_client.get("http://h/x"), return_exceptions=True)

    asyncio.run(main())
"""


async def test_the_client_plays_the_script_of_the_same_test(request: FixtureRequest) -> None:
    client: HTTPClient = request.getfixturevalue("http_client")
    script: ScriptedTransport = request.getfixturevalue("http_script")
    clock: ManualClock = request.getfixturevalue("manual_clock")
    script.on("GET", "/users/7").reply()
    async with client:
        assert (await client.get("https://api.example/users/7")).unwrap().status == 200
    assert clock.monotonic() == 0


def run(folder: Path, test: str) -> str:
    (folder / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    return done.stdout


def test_its_fixtures_work_together(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    assert "2 passed" in run(tmp_path, GOOD)


def test_a_request_without_a_route_fails_the_test_even_if_nobody_looks(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    output = run(tmp_path, MISSING)
    assert "1 passed, 1 error" in output
    assert "no route for GET http://h/x; there are no routes" in output


def test_it_is_not_loaded_unasked(tmp_path: Path) -> None:
    assert "fixture 'http_script' not found" in run(tmp_path, GOOD)
