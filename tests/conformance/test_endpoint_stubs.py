"""Stubs of endpoints in memory and on a real socket: same steps, same results."""

from collections.abc import Awaitable, Callable
from typing import Final

import pytest
from returns.result import Result
from tests.endpoints.users_api import Accepted, NewUser, Problem, Taken, User, UserNotFound, Users

from railhttp import HTTPClient, HTTPConnectionError, HttpResponse, RetryPolicy
from railhttp.model.errors import FAILURES
from railhttp.railway import outcome
from railhttp.testing import ScriptedTransport, serve

ANN: Final = User(7, "Ann")
TRUNCATED: Final = HTTPConnectionError("the response ended early", kind="truncated")
Play = Callable[[ScriptedTransport], object]
Ask = Callable[[Users], Awaitable[Result[object, object]]]

SCENES: Final[dict[str, tuple[Play, Ask]]] = {
    "a value": (
        lambda script: script.serve(Users.find).replies(ANN),
        lambda users: users.find(7, trace="é"),
    ),
    "a value of another status": (
        lambda script: script.serve(Users.change).replies(Accepted("j")),
        lambda users: users.change(7, NewUser("ü")),
    ),
    "no document": (
        lambda script: script.serve(Users.remove).replies(None),
        lambda users: users.remove(7),
    ),
    "a list": (
        lambda script: script.serve(Users.search).replies([ANN, ANN]),
        lambda users: users.search(["a b", "c"], page_size=3),
    ),
    "a refusal": (
        lambda script: script.serve(Users.find).refuses(UserNotFound(7)),
        lambda users: users.find(7),
    ),
    "a refusal of one of several statuses": (
        lambda script: script.serve(Users.add).refuses(Problem("no"), status=422),
        lambda users: users.add(NewUser("x")),
    ),
    "a handler": (
        lambda script: script.serve(Users.add).does(
            lambda user: Result.from_failure(Taken(user.name))
        ),
        lambda users: users.add(NewUser("x")),
    ),
    "a retry": (
        lambda script: script.serve(Users.find).reply(503).replies(ANN),
        lambda users: users.find(7),
    ),
    "a reset": (
        lambda script: script.serve(Users.add).fails(ConnectionResetError()),
        lambda users: users.add(NewUser("x")),
    ),
    "a body that breaks off": (
        lambda script: script.serve(Users.add).fails(TRUNCATED, "body"),
        lambda users: users.add(NewUser("x")),
    ),
    "silence": (
        lambda script: script.serve(Users.add).hangs(),
        lambda users: users.add.with_options(read_timeout=0.02)(NewUser("x")),
    ),
    "an undeclared status": (
        lambda script: script.serve(Users.find).reply(418, text="short and stout"),
        lambda users: users.find(7),
    ),
    "a declared status with another body": (
        lambda script: script.serve(Users.find).reply(404, text="<html>"),
        lambda users: users.find(7),
    ),
    "an undeclared success": (
        lambda script: script.serve(Users.find).reply(202),
        lambda users: users.find(7),
    ),
}


def in_words(result: Result[object, object]) -> str:
    end = outcome(result)
    if isinstance(end, FAILURES):
        cause = type(end.__cause__).__name__ if type(end).__name__ == "HTTPStatusError" else ""
        return f"{type(end).__name__} {end.label} {end.delivery} {end.attempts} {cause}"
    return f"{end.status} {end.body!r}" if isinstance(end, HttpResponse) else repr(end)


@pytest.mark.parametrize("scene", SCENES)
async def test_a_stub_in_memory_and_one_on_a_socket_agree(scene: str) -> None:
    play, ask = SCENES[scene]
    policy = RetryPolicy(2, base_delay=0.0, reraise=True)

    script = ScriptedTransport()
    play(script)
    async with HTTPClient(exchange=script, base_url="http://h", retry_policy=policy) as client:
        in_memory = in_words(await ask(Users(client)))

    served = ScriptedTransport()
    play(served)
    async with (
        serve(served) as server,
        HTTPClient(base_url=server.url, retry_policy=policy) as client,
    ):
        assert in_words(await ask(Users(client))) == in_memory
    assert [call.body for call in served.calls] == [call.body for call in script.calls]
    assert {call.method for call in served.calls} == {call.method for call in script.calls}
