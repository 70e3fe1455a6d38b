"""The same declaration is the server in tests: it reads requests, and keeps to its contract."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import msgspec
import pydantic
import pytest
from returns.result import Failure, Result, Success
from tests.endpoints.users_api import (
    Accepted,
    NewUser,
    Problem,
    RateLimited,
    Taken,
    User,
    UserNotFound,
    Users,
)

from railhttp import HTTPClient, HTTPConnectionError, HttpResponse, HTTPStatusError, RetryPolicy
from railhttp.endpoints import Answered, Body, Service, get, post
from railhttp.railway import ProblemDetails, run
from railhttp.testing import ContractBroken, ScriptedTransport, UnmatchedRequestError
from railhttp.wire.sse import ServerSentEvent

ANN = User(7, "Ann")


@pytest.fixture
def script() -> ScriptedTransport:
    return ScriptedTransport()


@pytest.fixture
async def client(script: ScriptedTransport) -> AsyncGenerator[HTTPClient]:
    once = RetryPolicy(1)
    async with HTTPClient(exchange=script, base_url="http://h/v1", retry_policy=once) as client:
        yield client


@pytest.fixture
def users(client: HTTPClient) -> Users:
    return Users(client)


async def test_steps_are_played_in_order_and_the_last_one_again(
    users: Users, script: ScriptedTransport
) -> None:
    stub = script.serve(Users.find).replies(ANN).refuses(UserNotFound(7)).refuses(RateLimited(3))
    results = [await users.find(7) for _ in range(4)]
    assert results == [
        Success(ANN),
        Failure(UserNotFound(7)),
        Failure(RateLimited(3)),
        Failure(RateLimited(3)),
    ]
    stub.assert_called(4)


async def test_the_value_decides_about_the_status(users: Users, script: ScriptedTransport) -> None:
    script.serve(Users.change).replies(ANN).replies(Accepted("j"))
    first = await users.change.with_response()(7, NewUser("x"))
    second = await users.change.with_response()(7, NewUser("x"))
    assert (first.unwrap().response.status, second.unwrap().response.status) == (200, 202)


async def test_a_step_may_choose_status_and_header_fields(
    users: Users, script: ScriptedTransport
) -> None:
    stub = script.serve(Users.add).refuses(Problem("no"), status=422, headers={"X-A": "1"})
    stub.replies(ANN, headers={"Location": "/users/7"}, delay=0.001)
    assert await users.add(NewUser("x")) == Failure(Problem("no"))
    added = (await users.add.with_response()(NewUser("x"))).unwrap()
    assert (added.value, added.response.headers["Location"]) == (ANN, "/users/7")


async def test_a_stub_of_an_endpoint_with_its_response_takes_both(
    client: HTTPClient, script: ScriptedTransport
) -> None:
    find = Users.find.with_response()
    script.serve(find).replies(Answered(ANN, HttpResponse(200, {"ETag": '"1"'})))
    answered = (await run(find(7)(client))).unwrap()
    assert (answered.value, answered.response.headers["ETag"]) == (ANN, '"1"')


async def test_a_handler_gets_the_parameters_under_their_own_names(
    users: Users, script: ScriptedTransport
) -> None:
    seen: list[object] = []

    def find(
        user_id: int, expand: bool = True, trace: str | None = "none"
    ) -> Result[User, UserNotFound | RateLimited]:
        seen.append((user_id, expand, trace))
        return Success(ANN) if user_id == 7 else Failure(UserNotFound(user_id))

    def add(user: NewUser) -> Result[User, Taken | Problem]:
        return Failure(Taken(user.name))

    script.serve(Users.find).does(find)
    script.serve(Users.add).does(add)
    assert await users.find(7, trace="t") == Success(ANN)
    assert await users.find(8, expand=True) == Failure(UserNotFound(8))
    assert await users.add(NewUser("Bob")) == Failure(Taken("Bob"))
    assert seen == [(7, False, "t"), (8, True, None)]


async def test_networks_fail_and_servers_say_what_nobody_declared(
    users: Users, script: ScriptedTransport
) -> None:
    script.serve(Users.find).fails(ConnectionResetError()).reply(503).hangs()
    assert isinstance((await users.find(7)).failure(), HTTPConnectionError)
    assert isinstance((await users.find(7)).failure(), HTTPStatusError)
    late = (await users.find.with_options(timeout=0.01)(7)).failure()
    assert type(late).__name__ == "HTTPTimeoutError"


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("GET", "/users/seven", b"", "user_id: must be an integer"),
        ("GET", "/users/7?expand=yes", b"", "expand: must be true or false"),
        ("GET", "/users/7?expand=true&expand=false", b"", "expand: must be sent once"),
        ("GET", "/users?page-size=x", b"", "page_size: must be an integer"),
        ("POST", "/users", b"", "user: "),
        ("POST", "/users", b"{}", "user: $"),
        ("POST", "/users", b'{"name":7}', "user: $.name"),
        ("POST", "/users", b'{"name":"x","age":7}', "user: $.age"),
    ],
)
async def test_a_request_that_does_not_fit_names_the_field(
    client: HTTPClient, script: ScriptedTransport, method: str, path: str, body: bytes, field: str
) -> None:
    script.serve(Users.find).replies(ANN)
    script.serve(Users.search).replies([])
    script.serve(Users.add).replies(ANN)
    headers = {"Content-Type": "application/json"}
    with pytest.raises(UnmatchedRequestError, match=r"does not fit (GET|POST) /users") as caught:
        await client.request(method, path, data=body or None, headers=headers)
    assert field in str(caught.value)
    assert script.misses == [str(caught.value)]


@pytest.mark.parametrize(
    "value",
    [User("7", "Ann"), User(7, None), "Ann", None, 7],  # type: ignore[arg-type]  # wrong
)
async def test_a_value_that_does_not_come_back_breaks_the_contract(
    users: Users, script: ScriptedTransport, value: User
) -> None:
    script.serve(Users.find).replies(value).replies(ANN)
    with pytest.raises(ContractBroken, match=r"GET /users/\{user_id\}: \w+ does not come back"):
        await users.find(7)
    assert await users.find(7) == Success(ANN)


@dataclass(frozen=True)
class Superuser(User):
    power: int = 9000


class LooseStruct(msgspec.Struct):
    id: int


class WiderStruct(LooseStruct):
    more: int = 1


class LooseModel(pydantic.BaseModel):
    id: int


class WiderModel(LooseModel):
    more: int = 1


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (User, Superuser(7, "Ann")),
        (LooseStruct, WiderStruct(7)),
        (LooseModel, WiderModel(id=7)),
        (list[User], (ANN,)),
        (int, True),
        (int, object()),
    ],
)
async def test_a_value_with_more_than_is_declared_breaks_the_contract(
    client: HTTPClient, script: ScriptedTransport, model: type[object], value: object
) -> None:
    endpoint = get("/things").gives(model)
    script.serve(endpoint).replies(value)
    with pytest.raises(ContractBroken):
        await run(endpoint()(client))


def no_result(user_id: int, expand: bool = False, trace: str | None = None) -> User:
    return ANN


def no_int(
    user_id: int, expand: bool = False, trace: str | None = None
) -> Result[User, UserNotFound]:
    return Failure(UserNotFound("7"))  # type: ignore[arg-type]  # that is the case


def broken(
    user_id: int, expand: bool = False, trace: str | None = None
) -> Result[User, UserNotFound]:
    raise KeyError(user_id)


async def too_late(
    user_id: int, expand: bool = False, trace: str | None = None
) -> Result[User, UserNotFound]:
    return Success(ANN)


async def test_an_error_of_a_handler_is_the_cause(users: Users, script: ScriptedTransport) -> None:
    script.serve(Users.find).does(broken)
    with pytest.raises(ContractBroken, match="the handler raised KeyError") as caught:
        await users.find(7)
    assert isinstance(caught.value.__cause__, KeyError)


async def test_refusals_and_handlers_keep_to_the_contract_too(
    users: Users, script: ScriptedTransport
) -> None:
    stub = script.serve(Users.find).refuses(Taken("x"))  # type: ignore[arg-type]  # not declared
    stub.does(no_result)  # type: ignore[arg-type]  # no Result
    stub.does(no_int)
    stub.does(too_late)  # type: ignore[arg-type]  # no Result
    for _ in range(4):
        with pytest.raises(ContractBroken):
            await users.find(7)


async def test_a_status_that_is_not_declared_for_the_value_breaks_the_contract(
    users: Users, script: ScriptedTransport
) -> None:
    script.serve(Users.find).replies(ANN, status=201)
    with pytest.raises(ContractBroken, match="status 201 is not declared"):
        await users.find(7)


async def test_a_body_that_cannot_be_sent_breaks_the_contract(
    client: HTTPClient, script: ScriptedTransport
) -> None:
    endpoint = get("/x").gives(int, status=204)
    script.serve(endpoint).replies(7)
    with pytest.raises(ContractBroken, match="a 204 has no body"):
        await run(endpoint()(client))


async def test_a_stub_without_steps_says_so(users: Users, script: ScriptedTransport) -> None:
    script.serve(Users.find)
    with pytest.raises(ContractBroken, match="has no step yet"):
        await users.find(7)


async def test_responses_themselves_are_values(users: Users, script: ScriptedTransport) -> None:
    script.serve(Users.health).replies(HttpResponse(202, body=b"soon")).replies(HttpResponse(404))
    assert (await users.health()).unwrap().body == b"soon"
    with pytest.raises(ContractBroken):
        await users.health()


async def test_events_and_streams_are_served(users: Users, script: ScriptedTransport) -> None:
    script.serve(Users.feed).replies(ANN, User(8, "a\nb")).refuses(UserNotFound(7))
    script.serve(Users.export).replies(b"a", b"b").refuses(Problem("no"))
    assert [event async for event in users.feed()] == [Success(ANN), Success(User(8, "a\nb"))]
    assert [event async for event in users.feed()] == [Failure(UserNotFound(7))]
    async with users.export() as opened:
        assert [chunk async for chunk in opened.unwrap()] == [b"a", b"b"]
    async with users.export() as opened:
        assert opened == Failure(Problem("no"))


async def test_an_event_that_does_not_come_back_breaks_the_contract(
    users: Users, script: ScriptedTransport
) -> None:
    script.serve(Users.feed).replies(User("7", "Ann"))  # type: ignore[arg-type]  # no int
    with pytest.raises(ContractBroken):
        assert [event async for event in users.feed()]


async def test_raw_events_are_served(client: HTTPClient, script: ScriptedTransport) -> None:
    feed = get("/raw").events(ServerSentEvent)
    event = ServerSentEvent(data="a\nb", event="tick", event_id="3")
    script.serve(feed).replies(event)
    assert [one async for one in feed()(client)] == [Success(event)]


def one_user(name: str) -> dict[str, object]:
    return {"name": name}


async def test_specific_paths_come_first_whatever_their_order(
    client: HTTPClient, script: ScriptedTransport
) -> None:
    class Names(Service):
        one = get("/users/{name}", one_user).gives(str)
        me = get("/users/me").gives(str)
        of_team = get("/teams/{name}/users/all", one_user).gives(str)

    script.serve(Names.one).replies("one")
    script.serve(Names.me).replies("me")
    script.serve(Names.of_team).replies("team")
    names = Names(client)
    assert await names.me() == Success("me")
    assert await names.one("you") == Success("one")
    assert await names.of_team("a") == Success("team")


@dataclass(frozen=True)
class Upload:
    name: str
    data: Body[bytes]


async def test_bytes_are_sent_unchanged(client: HTTPClient, script: ScriptedTransport) -> None:
    upload = post("/files/{name}", Upload).gives(None)
    seen: list[bytes] = []

    def save(name: str, data: bytes) -> Result[None, object]:
        seen.append(data)
        return Success(None)

    script.serve(upload).does(save)  # type: ignore[arg-type]  # no refusal is declared
    assert await run(upload("a", b"\x00\xff")(client)) == Success(None)
    assert seen == [b"\x00\xff"]
    assert script.calls[0].headers["Content-Type"] == "application/octet-stream"


async def test_problem_details_are_a_refusal(client: HTTPClient, script: ScriptedTransport) -> None:
    endpoint = get("/x").gives(int).fails(range(400, 600), ProblemDetails)
    refused = ProblemDetails(title="no", status=403, extensions={"balance": 30})
    script.serve(endpoint).refuses(refused, status=403).reply(403, json={"title": "no"})
    assert await run(endpoint()(client)) == Failure(refused)
    failure = (await run(endpoint()(client))).failure()
    assert isinstance(failure, HTTPStatusError)  # of another media type


def test_only_endpoints_can_be_served(script: ScriptedTransport) -> None:
    with pytest.raises(TypeError, match="endpoint"):
        script.serve(Users)  # type: ignore[call-overload]  # a service
