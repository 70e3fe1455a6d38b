"""Each type checker reads the programs of consumers as docs/type-checkers.md has it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from mypy import api

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs/type-checkers.md"
PREAMBLE: Final = """
from dataclasses import dataclass
from typing import Never, assert_never, assert_type
from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.maybe import Maybe
from returns.pipeline import flow
from returns.result import Failure, Result, Success
from railhttp import (
    BaseURLHTTPClient, HTTPCircuitOpenError, HTTPClient, HTTPConnectionError, HTTPDecodeError,
    HTTPFailure, HTTPInterceptorError, HTTPInvalidRequestError, HttpResponse,
    HTTPResponseTooLargeError, HTTPRetryExhaustedError, HTTPStatusError, HTTPTimeoutError,
    RequestContext, RetryPolicy, ServerSentEvent, StreamContext, build_url,
)
from railhttp.endpoints import Service, get, post
from railhttp.railway import (
    Decoder, decode, expect, fallback, gather, outcome, reader, run, settled, tap, tap_failure,
    then,
)
from railhttp.resilience import CircuitBreaker, RetryEvent
from railhttp.sync import HTTPClient as SyncHTTPClient
from railhttp.testing import ScriptedTransport, SentRequest

@dataclass(frozen=True)
class User:
    id: int

@dataclass(frozen=True)
class Missing:
    user_id: int

@dataclass(frozen=True)
class FindUser:
    user_id: int

class Refused(Exception): ...

class Users(Service):
    find = get("/users/{user_id}", FindUser).gives(User).fails(404, Missing)
    feed = get("/feed").events(User)

def known(user: User) -> Result[str, Refused]:
    return Failure(Refused())

async def paid(user: User) -> Result[int, Refused]:
    return Success(user.id)

async def late_failure(failure: HTTPFailure) -> bool:
    return True

async def late_response(response: HttpResponse) -> bool:
    return True

async def late_retry(event: RetryEvent) -> None: ...
async def late_progress(done: int, total: int | None) -> None: ...
async def late_body(body: bytes) -> bool:
    return True

async def late_reply(request: SentRequest) -> HttpResponse:
    return HttpResponse(200)

async def late_look(anything: object) -> None: ...

async def main(
    client: HTTPClient, base: BaseURLHTTPClient, sync: SyncHTTPClient, script: ScriptedTransport
) -> None:
    found = await client.get("http://h/")
    users = Users(client)
"""
PROGRAMS: Final = {
    "the `Result` of a verb": """
assert_type(found, Result[HttpResponse, HTTPFailure])
assert_type(await client.post("/", json={"a": 1}), Result[HttpResponse, HTTPFailure])
assert_type(sync.get("/"), Result[HttpResponse, HTTPFailure])
assert_type(await base.get("/"), HttpResponse)
""",
    "the value in `case Success(value)`": """
match found:
    case Success(value):
        assert_type(value, HttpResponse)
    case Failure(failure):
        assert_type(failure, HTTPFailure)
""",
    "a chain of `.map` and `.alt`": """
assert_type(found.map(lambda response: response.status), Result[int, HTTPFailure])
assert_type(found.map(lambda one: one.text).map(len), Result[int, HTTPFailure])
assert_type(found.alt(str), Result[HttpResponse, str])
""",
    "`.bind(decode(User))`": """
assert_type(found.bind(decode(User)), Result[User, HTTPFailure])
""",
    "`then` adds the failures of a step": """
user = then(decode(User))(client.future.get("/"))
assert_type(user, FutureResult[User, HTTPFailure])
assert_type(then(known)(user), FutureResult[str, HTTPFailure | Refused])
assert_type(then(known)(then(decode(User))(found)), Result[str, HTTPFailure | Refused])
""",
    "`async def` as a step of `then`": """
user = client.future.get("/").bind_result(decode(User))
assert_type(then(paid)(user), FutureResult[int, HTTPFailure | Refused])
""",
    "`flow` through such steps": """
assert_type(
    flow(client.future.get("/"), then(expect(200)), then(decode(User)), then(known)),
    FutureResult[str, HTTPFailure | Refused],
)
""",
    "do-notation": """
assert_type(
    FutureResult.do(
        user.id async for user in client.future.get("/").bind_result(decode(User))
    ),
    FutureResult[int, HTTPFailure],
)
""",
    "`gather` of different types": """
one = client.future.get("/").bind_result(decode(User))
two = client.future.get("/").map(lambda response: response.status)
assert_type(gather(one, two), FutureResult[tuple[User, int], HTTPFailure])
""",
    "`gather` of `settled` futures": """
user = client.future.get("/").bind_result(decode(User))
assert_type(
    gather(settled(user), settled(user)),
    FutureResult[tuple[Result[User, HTTPFailure], Result[User, HTTPFailure]], Never],
)
""",
    "a decoder of a class or a list": """
assert_type(decode(User), Decoder[User])
assert_type(decode(list[User]), Decoder[list[User]])
""",
    "a decoder of a union": """
assert_type(decode(User | None), Decoder[User | None])
""",
    "a request as a reader": """
request = reader.get("/")
assert_type(request, RequiresContextFutureResult[HttpResponse, HTTPFailure, HTTPClient])
assert_type(await run(request(client)), Result[HttpResponse, HTTPFailure])
""",
    "the outcome of an endpoint": """
assert_type(await users.find(7), Result[User, Missing | HTTPFailure])
assert_type(users.find.future(user_id=7), FutureResult[User, Missing | HTTPFailure])
assert_type(Users.find(7), RequiresContextFutureResult[User, Missing | HTTPFailure, HTTPClient])
""",
    "a wrong argument of an endpoint": """
await users.find("7")  # refused
await users.find()  # refused
await users.find(user=7)  # refused
users.find.with_options(tiemout=1)  # refused
""",
    "events and streams": """
async with users.feed() as feed:
    async for event in feed:
        assert_type(event, Result[User, HTTPFailure])
async with client.stream("GET", "/") as response:
    assert_type(response, StreamContext)
async with client.sse("/") as events:
    async for sent in events:
        assert_type(sent, ServerSentEvent)
""",
    "all failures matched, and `assert_never`": """
match outcome(found):
    case HttpResponse() | HTTPStatusError():
        pass
    case HTTPConnectionError() | HTTPTimeoutError() | HTTPRetryExhaustedError():
        pass
    case HTTPDecodeError() | HTTPResponseTooLargeError():
        pass
    case HTTPInvalidRequestError() | HTTPInterceptorError() | HTTPCircuitOpenError():
        pass
    case never:
        assert_never(never)
""",
    "a failure left out of the match": """
match outcome(found):
    case HttpResponse() | HTTPStatusError() | HTTPConnectionError() | HTTPTimeoutError():
        pass
    case HTTPRetryExhaustedError() | HTTPDecodeError() | HTTPResponseTooLargeError():
        pass
    case HTTPInvalidRequestError() | HTTPInterceptorError():
        pass
    case never:
        assert_never(never)  # refused
""",
    "a wrong argument of a verb": """
await client.get("/", tiemout=1)  # refused
await client.get("/", timeout="1")  # refused
await client.get(b"/")  # refused
client.future.get("/", tiemout=1)  # refused
reader.get("/", tiemout=1)  # refused
sync.get("/", tiemout=1)  # refused
HTTPClient(tiemout=1)  # refused
""",
    "values of a query": """
ids: list[int] = [1, 2]
names: tuple[str, ...] = ("a",)
await client.get("/", params={"a": ids, "b": names, "c": [1, "x", None], "d": None, "e": []})
await client.get("/", params=[("a", 1), ("a", [2, 3])])
build_url("http://h", "/", {"a": ids})
""",
    "bytes in a query": """
await client.get("/", params={"a": b"x"})  # refused
await client.get("/", params={"a": [b"x"]})  # refused
await client.get("/", params=[("a", b"x")])  # refused
await client.request("GET", "/", params={"a": b"x"})  # refused
await base.get("/", params={"a": b"x"})  # refused
client.future.get("/", params={"a": b"x"})  # refused
reader.get("/", params={"a": b"x"})  # refused
sync.get("/", params={"a": b"x"})  # refused
sync.request("GET", "/", params={"a": b"x"})  # refused
build_url("http://h", "/", {"a": b"x"})  # refused
get("/").with_options(params={"a": b"x"})  # refused
users.find.with_options(params={"a": b"x"})  # refused
Users(client, params={"a": b"x"})  # refused
""",
    "`async def` for a plain function": """
RetryPolicy(retry_if=late_failure)  # refused
RetryPolicy(retry_if_response=late_response)  # refused
RetryPolicy(on_retry=late_retry)  # refused
CircuitBreaker(failure_if=late_failure)  # refused
CircuitBreaker(failure_if_response=late_response)  # refused
await client.post("/", upload_progress=late_progress)  # refused
await client.download("/", "file", progress=late_progress)  # refused
sync.download("/", "file", progress=late_progress)  # refused
script.on("GET", "/", content=late_body)  # refused
script.on("GET", "/").does(late_reply)  # refused
tap(late_look)  # refused
tap_failure(late_look)  # refused
""",
}
COLUMNS: Final = ("mypy with the plugin", "mypy", "pyright", "pyrefly", "ty")


def _source(program: str) -> str:
    body = "\n".join(f"    {line}" for line in program.strip().splitlines())
    return f"{PREAMBLE}{body}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("consumers")
    for number, program in enumerate(PROGRAMS.values()):
        (folder / f"program_{number:02}.py").write_text(_source(program), encoding="utf-8")
    return folder


def _lines(found: list[tuple[str, int]]) -> dict[str, set[int]]:
    numbers = [f"program_{number:02}" for number in range(len(PROGRAMS))]
    return {
        name: {line for file, line in found if Path(file).stem == stem}
        for name, stem in zip(PROGRAMS, numbers, strict=True)
    }


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


def _text_lines(output: str) -> dict[str, set[int]]:
    found = re.findall(r"(program_\d+\.py):(\d+):", output)
    return _lines([(file, int(line)) for file, line in found])


def _mypy(folder: Path, config: str, cache: str) -> dict[str, set[int]]:
    arguments = ["--config-file", str(ROOT / config), "--cache-dir", str(ROOT / cache)]
    paths = map(str, sorted(folder.glob("*.py")))
    output, problems, _ = api.run([*arguments, "--no-pretty", "--hide-error-context", *paths])
    assert not problems
    errors = "\n".join(line for line in output.splitlines() if ": error:" in line)
    return _text_lines(errors)


def _pyright(folder: Path) -> dict[str, set[int]]:
    settings = {"include": ["."], "pythonVersion": "3.11", "typeCheckingMode": "standard"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [_tool("pyright"), "--outputjson", "--pythonpath", sys.executable]
    problems = json.loads(_run(command, folder))["generalDiagnostics"]
    return _lines(
        [
            (one["file"], one["range"]["start"]["line"] + 1)
            for one in problems
            if one["severity"] == "error"
        ]
    )


def _pyrefly(folder: Path) -> dict[str, set[int]]:
    (folder / "pyrefly.toml").write_text('python-version = "3.11"\n', encoding="utf-8")
    command = [_tool("pyrefly"), "check", "--python-interpreter-path", sys.executable]
    found = json.loads(_run([*command, "--output-format", "json"], folder))["errors"]
    return _lines([(one["path"], one["line"]) for one in found if one["severity"] == "error"])


def _ty(folder: Path) -> dict[str, set[int]]:
    command = [_tool("ty"), "check", "--python", sys.prefix, "--python-version", "3.11"]
    output = _run([*command, "--output-format", "concise"], folder)
    return _text_lines("\n".join(line for line in output.splitlines() if "error[" in line))


def _tool(name: str) -> str:
    found = Path(sys.executable).with_name(name)
    if not found.exists():
        pytest.skip(
            f"WARNING: {name} is not installed, and its column NOT checked: use the group `dev`"
        )
    return str(found)


def _verdicts(reported: dict[str, set[int]]) -> dict[str, str]:
    expected = {
        name: {
            number
            for number, line in enumerate(_source(program).splitlines(), 1)
            if line.endswith("# refused")
        }
        for name, program in PROGRAMS.items()
    }
    return {name: "yes" if reported[name] == expected[name] else "no" for name in PROGRAMS}


def _table() -> dict[str, dict[str, str]]:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    assert tuple(rows[0][1:]) == COLUMNS
    return {
        column: {row[0]: row[index] for row in rows[2:]} for index, column in enumerate(COLUMNS, 1)
    }


@pytest.mark.parametrize("checker", COLUMNS)
def test_the_table_says_what_the_checker_sees(checker: str, folder: Path) -> None:
    match checker:
        case "mypy with the plugin":
            reported = _mypy(folder, "mypy.ini", ".mypy_cache")
        case "mypy":
            config = "tests/typing/plugin_free.ini"
            reported = _mypy(folder, config, ".mypy_cache/plugin_free")
        case "pyright":
            reported = _pyright(folder)
        case "pyrefly":
            reported = _pyrefly(folder)
        case _:
            reported = _ty(folder)
    assert _verdicts(reported) == _table()[checker], reported
