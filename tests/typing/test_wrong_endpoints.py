"""Programs with endpoints that type checkers must refuse: mypy and pyright, each with its code."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from mypy import api

ROOT: Final = Path(__file__).parents[2]
PREAMBLE: Final = """
from typing import assert_never
from returns.result import Result, Success
from railhttp import HTTPClient, HTTPFailure, HTTPStatusError
from railhttp.endpoints import Endpoint, get
from railhttp.railway import outcome
from railhttp.testing import ScriptedTransport
from tests.typing.endpoints import NewUser, RateLimited, User, UserNotFound, Users

def by_name(user_id: str) -> Result[User, UserNotFound]: ...  # type: ignore[empty-body]

async def main(client: HTTPClient, script: ScriptedTransport) -> None:
    users = Users(client)
"""
PROGRAMS: Final = {
    "an argument that is missing": "await users.find()  # call-arg reportCallIssue",
    "an argument that is unknown": "await users.find(user=7)  # call-arg reportCallIssue",
    "an argument of another type": 'await users.find("7")  # arg-type reportArgumentType',
    "a query of another type": "await users.find(7, expand=1)  # arg-type reportArgumentType",
    "a body of another type": 'await users.add("Ann")  # arg-type reportArgumentType',
    "an argument for nothing": "await users.health(7)  # call-arg reportCallIssue",
    "a future without an argument": "users.find.future()  # call-arg reportCallIssue",
    "a reader without an argument": "Users.find()  # call-arg reportCallIssue",
    "a reader without a client": "Users.find(7)()  # call-arg reportCallIssue",
    "an option that is misspelt": (
        "users.find.with_options(tiemout=1)  # call-arg reportCallIssue"
    ),
    "an option of a service that is misspelt": (
        "Users(client, tiemout=1)  # call-arg reportCallIssue"
    ),
    "no type to decode": ("get('/').gives(7)  # call-overload reportArgumentType,reportCallIssue"),
    "a status that is text": (
        "get('/').fails('404', User)  # arg-type reportArgumentType,reportCallIssue"
    ),
    "parameters of no class": "get('/', 7)  # call-overload reportArgumentType",
    "another value": (
        "other: Result[str, object] = await users.find(7)  # assignment reportAssignmentType"
    ),
    "fewer failures than there are": (
        "few: Result[User, HTTPFailure] = await users.find(7)  # assignment reportAssignmentType"
    ),
    "a stub with another value": (
        "script.serve(Users.add).replies(7)  # arg-type reportArgumentType"
    ),
    "a stub with another refusal": (
        "script.serve(Users.find).refuses(NewUser('x'))  # arg-type reportArgumentType"
    ),
    "a stub that cannot refuse": (
        "script.serve(Users.health).refuses(UserNotFound(7))  # arg-type reportArgumentType"
    ),
    "a handler with another parameter": (
        "script.serve(Users.find).does(by_name)  # arg-type reportArgumentType"
    ),
    "a handler that returns no result": (
        "script.serve(Users.health).does(lambda: 7)  # arg-type,return-value reportArgumentType"
    ),
    "a match without a refusal": """
match outcome(await users.find(7)):
    case User() | RateLimited():
        pass
    case HTTPStatusError():
        pass
    case never:
        assert_never(never)  # arg-type reportArgumentType
""",
}
_EXPECTED: Final = re.compile(r"  # ([a-z,-]+) (report[\w,]+)$")
_FOUND: Final = re.compile(r"(\w+)\.py:(\d+): error: .*\[([a-z-]+)\]$")


def _source(program: str) -> str:
    body = "\n".join(f"    {line}" for line in program.strip().splitlines())
    return f"{PREAMBLE}{body}\n"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("wrong_endpoints")
    paths = {name: folder / f"{re.sub(r'[^a-z]', '_', name)}.py" for name in PROGRAMS}
    for name, path in paths.items():
        path.write_text(_source(PROGRAMS[name]), encoding="utf-8")
    return paths


@pytest.fixture(scope="module")
def refused_by_mypy(programs: dict[str, Path]) -> dict[str, dict[int, set[str]]]:
    arguments = ["--config-file", str(ROOT / "mypy.ini"), "--no-pretty", "--hide-error-context"]
    output, problems, _ = api.run([*arguments, *map(str, programs.values())])
    assert not problems
    found: dict[str, dict[int, set[str]]] = {path.stem: {} for path in programs.values()}
    for line in output.splitlines():
        if match := _FOUND.search(line):
            found[match[1]].setdefault(int(match[2]), set()).add(match[3])
    return found


@pytest.fixture(scope="module")
def refused_by_pyright(programs: dict[str, Path]) -> dict[str, dict[int, set[str]]]:
    folder = next(iter(programs.values())).parent
    settings = {
        "include": [str(folder)],
        "extraPaths": [str(ROOT), str(ROOT / "src")],
        "pythonVersion": "3.11",
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(
        [*command, "--project", str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    found: dict[str, dict[int, set[str]]] = {path.stem: {} for path in programs.values()}
    for problem in json.loads(done.stdout)["generalDiagnostics"]:
        if problem["severity"] == "error":
            line = problem["range"]["start"]["line"] + 1
            found[Path(problem["file"]).stem].setdefault(line, set()).add(problem["rule"])
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_mypy_refuses(
    name: str, programs: dict[str, Path], refused_by_mypy: dict[str, dict[int, set[str]]]
) -> None:
    expected = {line: set(codes.split(",")) for line, codes, _ in _expected(name)}
    assert refused_by_mypy[programs[name].stem] == expected


@pytest.mark.parametrize("name", PROGRAMS)
def test_pyright_refuses(
    name: str, programs: dict[str, Path], refused_by_pyright: dict[str, dict[int, set[str]]]
) -> None:
    assert refused_by_pyright[programs[name].stem] == {
        line: set(rules.split(",")) for line, _, rules in _expected(name)
    }


def _expected(name: str) -> list[tuple[int, str, str]]:
    lines = enumerate(_source(PROGRAMS[name]).splitlines(), 1)
    found = [(number, match) for number, line in lines if (match := _EXPECTED.search(line))]
    assert found
    return [(number, match[1], match[2]) for number, match in found]


def test_the_types_hold_with_the_plugin_of_pydantic_too(tmp_path: Path) -> None:
    settings = (ROOT / "tests/typing/plugin_free.ini").read_text(encoding="utf-8")
    config = tmp_path / "mypy.ini"
    config.write_text(f"{settings}\nplugins = pydantic.mypy\n", encoding="utf-8")
    arguments = ["--config-file", str(config), "--cache-dir", str(tmp_path / "cache")]
    output, problems, status = api.run([*arguments, str(ROOT / "tests/typing/endpoints.py")])
    assert (status, problems) == (0, ""), output
