"""What type checkers see of declared endpoints: mypy with and without the plugin, and pyright.

Nothing here is run; `make types` checks it.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Never, assert_never, assert_type

import attrs
import msgspec
import pydantic
from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.result import Result, Success

from railhttp import (
    HTTPCircuitOpenError,
    HTTPClient,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.client.stream_context import StreamContext
from railhttp.endpoints import (
    Answered,
    Body,
    BoundEndpoint,
    Endpoint,
    Header,
    Query,
    Service,
    delete,
    get,
    post,
)
from railhttp.railway import PageReader, Pages, gather, outcome, then
from railhttp.testing import ScriptedTransport


@dataclass(frozen=True)
class User:
    id: int
    name: str


@dataclass(frozen=True)
class NewUser:
    name: str


@dataclass(frozen=True)
class UserNotFound:
    user_id: int


@dataclass(frozen=True)
class RateLimited:
    retry_after: int


@dataclass(frozen=True)
class TooShort: ...


@dataclass(frozen=True)
class FindUser:
    user_id: int
    expand: bool = False
    trace: Annotated[str | None, Header("X-Trace")] = None
    page: Annotated[int, Query("page-number")] = 1


@dataclass(frozen=True)
class AddUser:
    user: Body[NewUser]


@attrs.frozen
class FindItem:
    item_id: str


class FindParcel(msgspec.Struct):
    parcel_id: int


class FindPrice(pydantic.BaseModel):
    price_id: int


def find_nothing(name: str, *, deep: bool = False) -> dict[str, object]: ...  # type: ignore[empty-body]  # never run


class Users(Service):
    find = (
        get("/users/{user_id}", FindUser)
        .gives(User)
        .fails(404, UserNotFound)
        .fails(429, RateLimited)
    )
    add = post("/users", AddUser).gives(User, status=201).or_gives(202, str).keyed()
    search = get("/users").gives(User | None).fails(range(400, 500), list[int])
    remove = delete("/users/{user_id}", FindUser).gives(None, status=204).fails({404}, UserNotFound)
    health = get("/health")
    feed = get("/feed").events(User).fails(404, UserNotFound)
    export = get("/users.csv").fails(403, RateLimited).streamed()
    item = get("/items/{item_id}", FindItem)
    parcel = get("/parcels/{parcel_id}", FindParcel)
    price = get("/prices/{price_id}", FindPrice)
    nothing = get("/{name}", find_nothing)
    listed = get("/{name}", find_nothing).gives(list[User]).fails(404, UserNotFound).paged()


class Api(Service):
    users: Users


def name_of(user: User) -> Result[str, TooShort]: ...  # type: ignore[empty-body]  # never run
def add_user(user: NewUser) -> Result[User | str, Never]: ...  # type: ignore[empty-body]  # never run


def find_user(  # type: ignore[empty-body]  # never run
    user_id: int, expand: bool = False, trace: str | None = None, page: int = 1
) -> Result[User, UserNotFound | RateLimited]: ...


async def calls(client: HTTPClient) -> None:
    users = Api(client).users
    found = await users.find(7, expand=True)
    assert_type(found, Result[User, UserNotFound | RateLimited | HTTPFailure])
    assert_type(await users.add(NewUser("x")), Result[User | str, HTTPFailure])
    assert_type(await users.search(), Result[User | None, list[int] | HTTPFailure])
    assert_type(await users.remove(user_id=7), Result[None, UserNotFound | HTTPFailure])
    assert_type(await users.health(), Result[HttpResponse, HTTPFailure])
    assert_type(await users.item(item_id="x"), Result[HttpResponse, HTTPFailure])
    assert_type(await users.parcel(parcel_id=1), Result[HttpResponse, HTTPFailure])
    assert_type(await users.price(price_id=1), Result[HttpResponse, HTTPFailure])
    assert_type(await users.nothing("x", deep=True), Result[HttpResponse, HTTPFailure])


async def options_and_responses(client: HTTPClient) -> None:
    users = Users(client, base_url="/v1", timeout=2, headers={"X-A": "1"})
    quick = await users.find.with_options(timeout=2)(7)
    assert_type(quick, Result[User, UserNotFound | RateLimited | HTTPFailure])
    answered = await users.find.with_response()(7)
    assert_type(answered, Result[Answered[User], UserNotFound | RateLimited | HTTPFailure])


def futures_and_readers(client: HTTPClient) -> None:
    users = Users(client)
    assert_type(users.find.future(7), FutureResult[User, UserNotFound | RateLimited | HTTPFailure])
    assert_type(
        Users.find(7),
        RequiresContextFutureResult[User, UserNotFound | RateLimited | HTTPFailure, HTTPClient],
    )
    assert_type(
        then(name_of)(Users.find(7)),
        RequiresContextFutureResult[
            str, UserNotFound | RateLimited | HTTPFailure | TooShort, HTTPClient
        ],
    )
    assert_type(
        gather(users.find.future(7), users.add.future(NewUser("x"))),
        FutureResult[tuple[User, User | str], UserNotFound | RateLimited | HTTPFailure],
    )


def pages(client: HTTPClient) -> None:
    users = Users(client)
    assert_type(users.listed("ann"), Pages[list[User], UserNotFound | HTTPFailure])
    assert_type(Users.listed("ann"), PageReader[list[User], UserNotFound | HTTPFailure])
    assert_type(users.health.paged()(), Pages[HttpResponse, HTTPFailure])


def values() -> None:
    assert_type(get("/health"), Endpoint[[], HttpResponse, Never])
    assert_type(get("/health").gives(int).fails(404, str), Endpoint[[], int, str])
    assert_type(get("/health").keyed().harmless(), Endpoint[[], HttpResponse, Never])
    wider: Endpoint[[], object, object] = get("/health").gives(int).fails(404, str)
    bound: Callable[[HTTPClient], BoundEndpoint[[], HttpResponse, Never]]
    bound = lambda client: Users(client).health  # noqa: E731  # its type is the point
    print(wider, bound)


async def streams(client: HTTPClient) -> None:
    users = Users(client)
    async with users.feed() as events:
        assert_type(aiter(events), AsyncIterator[Result[User, UserNotFound | HTTPFailure]])
        async for event in events:
            assert_type(event, Result[User, UserNotFound | HTTPFailure])
    async with users.export() as opened:
        assert_type(opened, Result[StreamContext, RateLimited | HTTPFailure])


async def every_case(client: HTTPClient) -> str:
    match outcome(await Users(client).find(7)):
        case User(name=name):
            return name
        case UserNotFound(user_id):
            return f"no user {user_id}"
        case RateLimited(seconds):
            return f"wait {seconds} s"
        case HTTPStatusError(status):
            return f"status {status}"
        case HTTPConnectionError() | HTTPTimeoutError() | HTTPRetryExhaustedError():
            return "no response"
        case HTTPDecodeError() | HTTPResponseTooLargeError():
            return "no sense"
        case HTTPInvalidRequestError() | HTTPInterceptorError() | HTTPCircuitOpenError():
            return "not sent"
        case _ as never:
            assert_never(never)


def stubs(script: ScriptedTransport) -> None:
    find = script.serve(Users.find).replies(User(7, "Ann")).refuses(UserNotFound(7))
    find.refuses(RateLimited(1)).does(find_user).fails(ConnectionResetError())
    script.serve(Users.add).replies(User(7, "Ann")).replies("accepted").does(add_user)
    script.serve(Users.remove).replies(None).refuses(UserNotFound(7))
    script.serve(Users.listed).replies([User(7, "Ann")]).refuses(UserNotFound(7))
    script.serve(Users.feed).replies(User(1, "a"), User(2, "b")).refuses(UserNotFound(7))
    script.serve(Users.export).replies(b"a", b"b").refuses(RateLimited(1))
    script.serve(Users.health).replies(HttpResponse(200)).does(lambda: Success(HttpResponse(200)))
