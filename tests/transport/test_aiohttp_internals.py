"""The table of aiohttp's private names is complete, and the installed aiohttp has them all."""

import ast
import importlib
import re
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

import railhttp.transport.session
from railhttp.transport import aiohttp_internals
from railhttp.transport.aiohttp_internals import (
    PRIVATE_NAMES,
    TESTED_RANGE,
    TESTED_SINCE,
    missing_names,
    problem,
    warn_if_untested,
)

ROOT = Path(__file__).parents[2]
ROOM = Path(railhttp.transport.__file__).parent
LISTED = {name for names in PRIVATE_NAMES.values() for name in names}
OWN_NAMES = {"_connector", "_key"}  # attributes of ours that aiohttp's `Connection` has too


def _names_of_members(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Attribute(attr=name) | ast.alias(name=name):
                yield name
            case ast.ClassDef(body=body):
                for statement in body:
                    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                        yield statement.name


USED = {name for path in ROOM.glob("*.py") for name in _names_of_members(path)}


def test_the_installed_aiohttp_has_every_listed_name() -> None:
    assert missing_names() == []
    assert problem(aiohttp.__version__, []) is None


def test_every_listed_name_is_used() -> None:
    assert LISTED <= USED


def test_every_private_name_of_aiohttp_that_is_used_is_listed() -> None:
    private = {name for name in USED if re.match(r"_[^_]", name)}
    unlisted = tuple(private - LISTED - OWN_NAMES)
    candidates = dict.fromkeys(PRIVATE_NAMES, unlisted)
    everywhere = {f"{place}.{name}" for place in candidates for name in unlisted}
    assert everywhere == set(missing_names(candidates))


@pytest.mark.parametrize("place", ["aiohttp.streams:Gone", "aiohttp.gone:StreamReader"])
def test_a_class_or_module_that_is_gone_counts_as_missing(place: str) -> None:
    assert missing_names({place: ("_buffer",)}) == [f"{place}._buffer"]


@pytest.mark.parametrize(
    ("version", "tested"),
    [
        ("3.14.0", True),
        ("3.14.99", True),
        ("3.14", True),
        ("3.14.6.dev0", True),
        ("3.13.9", False),
        ("3.15.0", False),
        ("3.15.0a1", False),
        ("4.0.0", False),
        ("main", False),
    ],
)
def test_a_release_outside_the_tested_range_is_reported(version: str, *, tested: bool) -> None:
    assert (problem(version, []) is None) is tested


@pytest.mark.parametrize("version", ["3.15.2", "4.0.0a1"])
def test_the_first_pool_warns_once_and_names_the_range(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aiohttp, "__version__", version)
    with pytest.warns(RuntimeWarning) as caught:
        importlib.reload(railhttp.transport.session)
    assert [str(warning.message) for warning in caught] == [
        f"railhttp uses private names of aiohttp and is tested with aiohttp {TESTED_RANGE}; "
        f"aiohttp {version} is installed: install a tested release, or a newer railhttp"
    ]


def test_a_missing_name_is_named_in_the_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiohttp_internals, "missing_names", lambda: ["aiohttp.streams:X._y"])
    with pytest.warns(RuntimeWarning, match=r"lacks aiohttp\.streams:X\._y: install a tested"):
        warn_if_untested()


def test_a_tested_release_brings_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importlib.reload(railhttp.transport.session)


def test_the_tested_range_begins_with_the_oldest_release_that_can_be_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (requirement,) = (line for line in project["dependencies"] if line.startswith("aiohttp"))
    assert requirement.startswith("aiohttp>={}.{},".format(*TESTED_SINCE))
