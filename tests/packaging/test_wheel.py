"""The wheel: it holds the package and nothing else, and imports from where it stands."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import railhttp
from railhttp.transport.connector import USER_AGENT

ROOT = Path(__file__).parents[2]
DIST = f"railhttp-{railhttp.__version__}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = target.glob("*.whl")
    return built


def test_it_holds_only_the_package(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"railhttp", f"{DIST}.dist-info"}
    assert "railhttp/py.typed" in names
    assert not [name for name in names if "/test_" in name or name.endswith(".pyc")]


def test_it_needs_only_four_packages(wheel: Path) -> None:
    metadata = zipfile.ZipFile(wheel).read(f"{DIST}.dist-info/METADATA").decode()
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:")]
    plain = sorted(
        line.split()[1].split(">")[0].split("<")[0] for line in required if "extra" not in line
    )
    assert plain == ["aiohttp", "msgspec", "returns", "typing-extensions"]


def test_it_has_the_command(wheel: Path) -> None:
    entries = zipfile.ZipFile(wheel).read(f"{DIST}.dist-info/entry_points.txt").decode()
    assert "railhttp = railhttp.cli.command:main" in entries


def test_it_imports_from_the_archive(wheel: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(wheel)!r}); import railhttp; print(railhttp.__file__)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=wheel.parent)
    assert done.stdout.startswith(str(wheel))


def test_the_version_is_told_once(wheel: Path) -> None:
    assert f"railhttp-{railhttp.__version__}-" in wheel.name
    assert f"railhttp/{railhttp.__version__}" == USER_AGENT
