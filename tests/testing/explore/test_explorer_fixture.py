"""The fixture that remembers what it has found."""

import os
import subprocess
import sys
from pathlib import Path

from returns.pipeline import is_successful

from railhttp import HTTPClient
from railhttp.testing import ScriptedTransport
from railhttp.testing.explore import Report, faults
from railhttp.testing.explore.kept import Explorer

SOME = faults.named("dns", "tls", "html")
TEST = """
from railhttp.testing import ScriptedTransport
from railhttp.testing.explore import faults

pytest_plugins = ["railhttp.testing.pytest_plugin"]

def world():
    script = ScriptedTransport()
    script.on("GET", "/price").reply(json=7)
    return script

async def program(client):
    return (await client.get("https://api.example/price")).unwrap().json()

async def test_a_price(explorer):
    report = await explorer(program, world, faults=faults.named("dns"))
    report.assert_handled()
"""


def world() -> ScriptedTransport:
    script = ScriptedTransport()
    script.on("GET", "/price").reply(json=7)
    script.on("GET", "/tax").reply(json=1)
    return script


async def careless(client: HTTPClient) -> None:
    price = await client.get("https://api.example/price")
    tax = await client.get("https://api.example/tax")
    if is_successful(price) or not is_successful(tax):
        return
    price.unwrap()


async def careful(client: HTTPClient) -> None:
    await client.get("https://api.example/price")


def shown(report: Report[None]) -> list[str]:
    return [str(run.schedule) for run in report.runs]


async def test_the_smallest_schedules_are_kept_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "test.txt"
    await Explorer(path)(careless, world, faults=SOME)
    assert path.read_text().startswith("GET /price: dns  # it raised UnwrapFailedError")
    assert len(path.read_text().splitlines()) == 2


async def test_what_was_bad_and_still_is_ends_the_exploration(tmp_path: Path) -> None:
    path = tmp_path / "test.txt"
    path.write_text("GET /price: tls  # bad\nGET /tax: dns\nGET /x: of another version\n")
    report = await Explorer(path)(careless, world, faults=SOME)
    assert shown(report) == ["no fault", "GET /price: tls", "GET /tax: dns"]
    assert path.read_text().startswith("GET /price: tls  # it raised")
    assert len(path.read_text().splitlines()) == 1


async def test_what_is_mended_is_forgotten_after_a_whole_exploration(tmp_path: Path) -> None:
    path = tmp_path / "test.txt"
    path.write_text("GET /price: tls\nGET /tax: dns\n")
    report = await Explorer(path)(careful, world, faults=SOME)
    assert shown(report) == [
        "no fault",
        "GET /price: tls",
        "GET /tax: dns",
        "GET /price: dns",
        "GET /price: html",
    ]
    assert "GET /tax in GET /tax: dns" in report.not_reached
    assert not path.exists()


async def test_a_careful_program_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "test.txt"
    report = await Explorer(path)(careful, world, faults=SOME)
    assert (report.minimal, os.listdir(tmp_path)) == ((), [])


async def test_a_second_exploration_of_a_test_has_a_file_of_its_own(tmp_path: Path) -> None:
    explorer = Explorer(tmp_path / "test.txt")
    await explorer(careless, world, faults=SOME)
    await explorer(careless, world, faults=SOME)
    assert {(tmp_path / name).exists() for name in ("test.txt", "test-2.txt")} == {True}


def test_the_fixture_keeps_its_files_at_the_root(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    for _ in range(2):
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
        assert '"GET /price: dns",  # it raised UnwrapFailedError' in done.stdout
    (kept,) = (tmp_path / ".railhttp" / "schedules").iterdir()
    assert kept.name == "test_it.py-test_a_price.txt"
    assert kept.read_text().startswith("GET /price: dns  # it raised UnwrapFailedError")
