"""Programs that mypy must refuse, as strictly as the project itself is checked.

All of them are checked in one run; each line that must be refused says with which code.
"""

import re
from pathlib import Path
from typing import Final

import pytest
from mypy import api

ROOT: Final = Path(__file__).parents[2]
PREAMBLE: Final = """
from dataclasses import dataclass
from typing import assert_never
from returns.future import FutureResult
from returns.pipeline import flow
from returns.result import Failure, Result, Success
from railhttp import *
from railhttp.railway import *
from railhttp.sync import HTTPClient as SyncHTTPClient

@dataclass
class User:
    id: int

@dataclass
class Item:
    id: int

class Unknown(Exception): ...

def known(user: User) -> Result[str, Unknown]:
    return Failure(Unknown())

async def main(client: HTTPClient, user: FutureResult[User, Unknown]) -> None:
    now = await run(user)
"""
PROGRAMS: Final = {
    "a misspelt option": 'client.future.get("http://h/", tiemout=1)  # call-arg',
    "an option of another type": 'client.future.get("http://h/", timeout="1")  # arg-type',
    "a client without await has the same arguments": "SyncHTTPClient(colour=3)  # call-arg",
    "and of the same types": 'SyncHTTPClient(base_url=b"http://h")  # arg-type',
    "and the same options": 'SyncHTTPClient().get("http://h/", tiemout=1)  # call-arg',
    "a trust store of another name": 'HTTPClient(verify="sytem")  # arg-type',
    "a resolver of another kind": "HTTPClient(resolver=known)  # arg-type",
    "a word of another client": 'await client.get("http://h/", verify=False)  # call-arg',
    "a word of aiohttp with another type": 'await client.get("http://h/", ssl=5)  # arg-type',
    "what cannot be honoured": 'await client.get("http://h/", middlewares=[print])  # arg-type',
    "a session of another library": 'StreamContext("resp")  # arg-type',
    "a setting that no pool has": "HTTPClientConfig(max_conections=5)  # call-arg",
    "a URL that is no text": "reader.get(b'http://h/')  # arg-type",
    "a future is no result": "outcome(user)  # arg-type",
    "a result is no future": "await run(now)  # arg-type",
    "a reader needs a client": 'reader.get("http://h/")()  # call-arg',
    "a reader needs this client": 'reader.get("http://h/")("client")  # arg-type',
    "a future cannot be retried": (
        'retry(RetryPolicy())(client.future.get("http://h/"))  # arg-type'
    ),
    "a step that takes something else": "then(decode(User))(user)  # arg-type",
    "a step that gives no track": "then(len)  # arg-type",
    "a step with a lambda has no type": "then(lambda one: Success(one.id))  # attr-defined",
    "a future step after a result": "then(lambda_free)(now)  # call-overload",
    "an async step after a result": "then(known_later)(now)  # call-overload",
    "an async step that gives no result": "then(seen_later)  # arg-type",
    "a wrong order in a flow": "flow(user, then(decode(Item)), then(known))  # arg-type",
    "bind never widens": "client.future.get('http://h/').bind_result(typed)  # arg-type",
    "a fallback of another failure": (
        'fallback(typed_failure)(client.future.get("http://h/"))  # arg-type'
    ),
    "a tap that takes something else": "tap(item_seen)(user)  # arg-type",
    "an async tap would never be awaited": "tap(seen_later)  # arg-type",
    "a decoder of another type": "other: Decoder[Item] = decode(User)  # arg-type",
    "a decoder of no type": "decode(7)  # call-overload",
    "catching what is no exception": "catching(int)  # type-var",
    "catching a cancellation": "catching(GeneratorExit)  # type-var",
    "a limit that is no number": 'gather(user, limit="2")  # call-overload',
    "gathering what is no future": "gather(now)  # call-overload",
    "gathering a bare verb": 'gather(client.get("http://h/"))  # call-overload',
    "collecting into another type": (
        "few: FutureResult[tuple[Item, ...], Unknown] = collect([user])  # list-item"
    ),
    "racing nobody": "race()  # call-overload",
    "a problem of what is no failure": "problem(Unknown())  # arg-type",
    "a status that is no number": 'expect("200")  # arg-type',
    "a match with a missing arm": """
match outcome(now):
    case User():
        pass
    case never:
        assert_never(never)  # arg-type
""",
    "a match over the failures with a missing arm": """
failed = (await client.get("http://h/")).failure()
match failed:
    case HTTPStatusError() | HTTPTimeoutError():
        pass
    case never:
        assert_never(never)  # arg-type
""",
}
AFTER: Final = """
def lambda_free(user: User) -> FutureResult[int, Unknown]:
    return FutureResult.from_value(user.id)

async def known_later(user: User) -> Result[str, Unknown]:
    return Failure(Unknown())

def typed(response: HttpResponse) -> Result[User, Unknown]:
    return Failure(Unknown())

def typed_failure(failure: Unknown) -> Result[int, Unknown]:
    return Failure(failure)

def item_seen(item: Item) -> None: ...

async def seen_later(user: User) -> None: ...
"""
_EXPECTED: Final = re.compile(r"  # ([a-z-]+)$")
_FOUND: Final = re.compile(r"(\w+)\.py:(\d+): error: .*\[([a-z-]+)\]$")


def _source(program: str) -> str:
    body = "\n".join(f"    {line}" for line in program.strip().splitlines())
    return f"{PREAMBLE}{body}\n{AFTER}"


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[tuple[int, str]]]:
    """What mypy says of each program: lines and codes."""
    folder = tmp_path_factory.mktemp("wrong")
    paths = {name: folder / f"{re.sub(r'[^a-z]', '_', name.lower())}.py" for name in PROGRAMS}
    for name, path in paths.items():
        path.write_text(_source(PROGRAMS[name]), encoding="utf-8")
    arguments = ["--config-file", str(ROOT / "mypy.ini"), "--no-pretty", "--hide-error-context"]
    output, problems, _ = api.run([*arguments, *map(str, paths.values())])
    assert not problems
    found: dict[str, set[tuple[int, str]]] = {path.stem: set() for path in paths.values()}
    for line in output.splitlines():
        if match := _FOUND.search(line):
            found[match[1]].add((int(match[2]), match[3]))
    return {name: found[path.stem] for name, path in paths.items()}


@pytest.mark.parametrize("name", PROGRAMS)
def test_mypy_refuses(name: str, refusals: dict[str, set[tuple[int, str]]]) -> None:
    lines = _source(PROGRAMS[name]).splitlines()
    expected = {
        (number, match[1])
        for number, line in enumerate(lines, 1)
        if (match := _EXPECTED.search(line))
    }
    assert expected
    assert refusals[name] == expected
