"""Values may come back changed, and a program may leave tasks."""

import asyncio
from dataclasses import dataclass
from types import MappingProxyType

import pytest
from tests.endpoints.users_api import User
from yarl import URL

from railhttp import HTTPClient, HTTPValidationError
from railhttp.endpoints import get
from railhttp.railway import run
from railhttp.testing import ContractBroken, ScriptedTransport, SentRequest, serve
from railhttp.testing.explore import Schedule, explore, faults
from railhttp.testing.scripted.requests import RequestPattern

API = "http://h"


@dataclass(frozen=True)
class Superuser(User):
    power: int = 9000


@pytest.mark.parametrize(
    ("model", "value", "is_kept"),
    [
        (list[User], [User(7, "Ann")], True),
        (list[User], [Superuser(7, "Ann")], False),  # of one type, but not equal
        (float, 1.0, True),
        (float, 1, False),  # equal, but not of one type
        (list[float], [float("nan")], False),
    ],
)
async def test_a_value_comes_back_equal_and_of_its_type(
    model: type[object], value: object, is_kept: bool
) -> None:
    script = ScriptedTransport()
    endpoint = get("/things").gives(model)
    script.serve(endpoint).replies(value)
    async with HTTPClient(exchange=script, base_url=API) as client:
        if is_kept:
            assert (await run(endpoint()(client))).unwrap() == value
        else:
            with pytest.raises(ContractBroken):
                await run(endpoint()(client))


def world() -> ScriptedTransport:
    script = ScriptedTransport()
    script.on("GET", "/").reply()
    return script


async def a_moment() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_only_a_task_that_does_not_end_is_left() -> None:
    async def program(client: HTTPClient) -> None:
        loop = asyncio.get_running_loop()
        kept.extend(loop.create_task(task()) for task in (a_moment, for_ever, a_moment, for_ever))

    kept: list[asyncio.Task[None]] = []
    report = await explore(program, world, faults=faults.named())
    (complaint,) = [run.complaint for run in report.runs]
    assert complaint == "a task was left: for_ever; a task was left: for_ever"
    assert all(task.done() for task in kept)
    assert [task.cancelled() for task in kept[-4:]] == [False, True, False, True]


# Patterns and texts.


@pytest.mark.parametrize(
    ("wanted", "body", "matches"),
    [
        ({"a": (1, [2])}, '{"a": [1, [2]]}', True),
        ({"a": [(1,), {"b": (2,)}]}, '{"a": [[1], {"b": [2]}]}', True),
        ({"a": {"b": (2,)}}, '{"a": {"b": [3]}}', False),
        ([MappingProxyType({"a": 1})], '[{"a": 1}]', True),
    ],
)
def test_a_document_is_compared_with_any_sequence_and_mapping(
    wanted: object, body: str, matches: bool
) -> None:
    pattern = RequestPattern("POST", "/a", json=wanted)
    sent = SentRequest("POST", "http://h/a", body=body.encode())
    assert pattern.differences(sent) == ([] if matches else ["body"])


@pytest.mark.parametrize("text", ["GET /x:dns", "GET /x :dns", "GET /x: dns;GET /y: dns"])
def test_a_schedule_needs_its_spaces(text: str) -> None:
    with pytest.raises(HTTPValidationError):
        Schedule.parse(text)


async def test_a_path_may_look_like_a_url() -> None:
    script = ScriptedTransport()
    script.on("GET", "/**").reply(204)
    async with serve(script) as server, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", URL(server.url).port)
        for target in ("/a:/b", "/a?b=c:/d"):
            writer.write(f"GET {target} HTTP/1.1\r\n\r\n".encode())
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")
        writer.close()
        expected = [f"{server.url}/a:/b", f"{server.url}/a?b=c:/d"]
    assert [call.url for call in script.calls] == expected


async def test_a_page_has_a_line_for_each_call() -> None:
    async def program(client: HTTPClient) -> None:
        await client.get(API)
        await client.get(API)

    report = await explore(program, world, faults=faults.named("dns"))
    rows = [line for line in report.html().splitlines() if line.startswith('<tr><th scope="row">')]
    assert len(rows) == 2
