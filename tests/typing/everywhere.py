"""What type checkers see: mypy with and without the plugin of `returns`, and pyright.

Nothing here is run; `make types` checks it.
"""

import ssl
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Literal, Never, TypedDict, assert_never, assert_type

import aiohttp
import attrs
import msgspec
import pydantic
from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.io import IOResult
from returns.maybe import Maybe
from returns.result import Result, Success
from yarl import URL

from railhttp import (
    BaseURLHTTPClient,
    ConnectionPool,
    ConnectionPoolConfig,
    HTTPCircuitOpenError,
    HTTPClient,
    HTTPClientConfig,
    HTTPClientError,
    HTTPClientProtocol,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPModule,
    HttpResponse,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
    RequestContext,
    RequestOptions,
    RetryPolicy,
    ServerSentEvent,
    StreamContext,
)
from railhttp.auth import Again
from railhttp.egress import Egress
from railhttp.headers import Headers
from railhttp.railway import (
    Decoder,
    PageReader,
    ProblemDetails,
    ResponseReader,
    catching,
    collect,
    decode,
    decode_json,
    decode_lines,
    decode_text,
    expect,
    fallback,
    first_success,
    gather,
    next_link,
    on_status,
    outcome,
    pages,
    problem,
    race,
    reader,
    retry,
    run,
    settled,
    shared,
    tap,
    tap_failure,
    then,
)
from railhttp.sync import HTTPClient as SyncHTTPClient
from railhttp.types import JSON, Download


@dataclass
class User:
    id: int


@attrs.frozen
class Item:
    id: int


class Stock(TypedDict):
    left: int


class Price(pydantic.BaseModel):
    cents: int


class Parcel(msgspec.Struct):
    weight: float


class Unknown(Exception): ...


class Refused(Exception): ...


def known(user: User) -> Result[str, Unknown]: ...  # type: ignore[empty-body]  # never run
def stock(name: str) -> FutureResult[Stock, Refused]: ...  # type: ignore[empty-body]
def parcel(stock: Stock) -> RequiresContextFutureResult[Parcel, Refused, HTTPClient]: ...  # type: ignore[empty-body]
async def paid(stock: Stock) -> Result[Item, Refused]: ...  # type: ignore[empty-body]
async def remembered(failure: Unknown) -> Result[Item, Refused]: ...  # type: ignore[empty-body]
def look_at_user(user: User) -> None: ...
def look_at_unknown(failure: Unknown) -> None: ...
def look(anything: object) -> None: ...
def no_user(failure: Unknown) -> Result[None, Refused]: ...  # type: ignore[empty-body]
def no_such_user(response: HttpResponse) -> Result[None, Never]: ...  # type: ignore[empty-body]
def cached(failure: Unknown) -> FutureResult[Item, Refused]: ...  # type: ignore[empty-body]
def other_host(failure: Unknown) -> RequiresContextFutureResult[Item, Refused, HTTPClient]: ...  # type: ignore[empty-body]


# -- faces ----------------------------------------------------------------------------------


async def verbs(client: HTTPClient) -> None:
    assert_type(await client.get("http://h/"), Result[HttpResponse, HTTPFailure])
    documented: Result[HttpResponse, HTTPClientError] = await client.get("http://h/")
    assert_type(client.future.get("http://h/"), FutureResult[HttpResponse, HTTPFailure])
    assert_type(
        client.future.post("http://h/", json={"a": 1}, timeout=2.0),
        FutureResult[HttpResponse, HTTPFailure],
    )
    assert_type(
        client.future.post_multipart("http://h/", {"a": "1"}),
        FutureResult[HttpResponse, HTTPFailure],
    )
    options: RequestOptions = {
        "headers": None,
        "cookies": None,
        "ssl_context": None,
        "idempotency_key": None,
    }
    assert_type(await client.get("http://h/", **options), Result[HttpResponse, HTTPFailure])
    assert_type(await client.future.get("http://h/"), IOResult[HttpResponse, HTTPFailure])
    assert_type(await run(client.future.get("http://h/")), Result[HttpResponse, HTTPFailure])
    del documented


async def words_of_aiohttp(client: HTTPClient, base: BaseURLHTTPClient) -> None:
    form = aiohttp.FormData({"a": "b"})
    options: RequestOptions = {
        "auth": ("ann", "s3cret"),
        "auto_decompress": False,
        "chunked": True,
        "compress": "gzip",
        "cookies": SimpleCookie("a=1"),
        "data": form,
        "expect100": True,
        "fingerprint": b"",
        "headers": [("X-A", "1")],
        "max_field_size": 8190,
        "max_headers": 10,
        "max_line_size": 8190,
        "middlewares": None,
        "params": "a=1",
        "proxy": URL("http://p/"),
        "proxy_auth": aiohttp.BasicAuth("ann", "s3cret"),
        "proxy_headers": {"X-A": "1"},
        "raise_for_status": True,
        "read_bufsize": 1024,
        "read_until_eof": False,
        "server_hostname": "h",
        "skip_auto_headers": ["Accept"],
        "ssl": aiohttp.Fingerprint(bytes(32)),
        "timeout": aiohttp.ClientTimeout(total=5),
        "trace_request_ctx": None,
        "upload_tracker": None,
        "verify_ssl": False,
    }
    url = URL("http://h/")
    assert_type(await client.get(url, **options), Result[HttpResponse, HTTPFailure])
    assert_type(client.future.get(url, **options), FutureResult[HttpResponse, HTTPFailure])
    assert_type(await client.request("GET", url, **options), HttpResponse)
    assert_type(await base.get(url, **options), HttpResponse)
    assert_type(await base.post(url, form), HttpResponse)
    assert_type(await base.post(url, {"a": [1]}), HttpResponse)
    assert_type(await base.put(url, data={"a": [1]}), HttpResponse)
    await client.get(url, data=aiohttp.StringPayload("a"), ssl=False, raise_for_status=look_later)
    await client.get(url, params=[("a", 1), ("a", None)], ssl=ssl.create_default_context())
    async with client.stream("GET", url, ssl=True) as stream:
        assert_type(stream.status, int)


async def look_later(response: HttpResponse) -> None: ...


async def sessions(pool: ConnectionPool, resp: aiohttp.ClientResponse) -> None:
    assert_type(pool.session, aiohttp.ClientSession)
    assert_type(pool._session, aiohttp.ClientSession)
    assert_type(StreamContext(resp).status, int)


async def protocols(client: HTTPClientProtocol) -> None:
    assert_type(await client.get("http://h/", ssl=False), HttpResponse)


def one_vocabulary() -> None:
    HTTPClient(timeout=5)
    HTTPClientConfig(max_connections=5, verify_ssl=False)
    HTTPModule.configure(base_url="http://h/", headers={"X-A": "1"}, timeout=5)


def settings() -> None:
    config = HTTPClientConfig(secret_headers=["X-Session"], timeout=None)
    assert_type(config.secret_headers, frozenset[str])
    assert_type(config.timeout, float | None)
    assert_type(config.pool, ConnectionPoolConfig)


def test_data() -> None:
    response = HttpResponse(200, {"Content-Type": "text/plain"}, b"x")
    assert_type(response.headers, Headers)
    assert_type(response.headers.getall("Content-Type"), list[str])


def readers(client: HTTPClient) -> None:
    request = reader.get("http://h/", headers={"Accept": "*/*"})
    assert_type(request, RequiresContextFutureResult[HttpResponse, HTTPFailure, HTTPClient])
    alias: ResponseReader = reader.delete("http://h/")
    assert_type(alias(client), FutureResult[HttpResponse, HTTPFailure])
    again = retry(RetryPolicy())
    assert_type(again(request), RequiresContextFutureResult[HttpResponse, HTTPFailure, HTTPClient])
    assert_type(
        again(parcel({"left": 1})),
        RequiresContextFutureResult[Parcel, Refused | HTTPFailure, HTTPClient],
    )


# -- decoders -------------------------------------------------------------------------------


def decoders(response: HttpResponse) -> None:
    assert_type(decode_json(response), Result[JSON, HTTPDecodeError])
    assert_type(decode_text(response), Result[str, HTTPDecodeError])
    assert_type(decode_lines(response), Result[tuple[str, ...], HTTPDecodeError])
    assert_type(decode(User), Decoder[User])
    assert_type(decode(User)(response), Result[User, HTTPDecodeError])
    assert_type(decode(Item), Decoder[Item])
    assert_type(decode(Stock), Decoder[Stock])
    assert_type(decode(Price), Decoder[Price])
    assert_type(decode(Parcel), Decoder[Parcel])
    assert_type(decode(list[User]), Decoder[list[User]])
    assert_type(decode(dict[str, Price]), Decoder[dict[str, Price]])
    assert_type(decode(User | None), Decoder[User | None])
    assert_type(decode(Literal["a", "b"]), Decoder[Literal["a", "b"]])


def a_decoder_of_your_own(response: HttpResponse) -> Result[User, HTTPDecodeError]:
    mine: Decoder[User | None] = a_decoder_of_your_own
    return mine(response).bind(lambda user: Success(user or User(0)))


def decoders_in_methods(client: HTTPClient) -> None:
    answer = client.future.get("http://h/")
    assert_type(answer.bind_result(decode(User)), FutureResult[User, HTTPFailure])
    assert_type(answer.bind_result(decode_json), FutureResult[JSON, HTTPFailure])
    assert_type(
        answer.bind_result(expect(200, 201)).bind_result(decode(User)).map(lambda user: user.id),
        FutureResult[int, HTTPFailure],
    )
    assert_type(
        reader.get("http://h/").bind_result(decode(User)),
        RequiresContextFutureResult[User, HTTPFailure, HTTPClient],
    )


async def decoders_of_verbs(client: HTTPClient) -> None:
    answer = await client.get("http://h/")
    assert_type(then(decode(User))(answer), Result[User, HTTPFailure])


# -- switching tracks -----------------------------------------------------------------------


def then_adds_failures(
    now: Result[User, HTTPFailure],
    later: FutureResult[User, HTTPFailure],
    described: RequiresContextFutureResult[User, HTTPFailure, HTTPClient],
) -> None:
    assert_type(then(known)(now), Result[str, HTTPFailure | Unknown])
    assert_type(then(known)(later), FutureResult[str, HTTPFailure | Unknown])
    assert_type(
        then(known)(described),
        RequiresContextFutureResult[str, HTTPFailure | Unknown, HTTPClient],
    )
    assert_type(
        then(stock)(then(known)(later)), FutureResult[Stock, HTTPFailure | Unknown | Refused]
    )
    assert_type(
        then(paid)(then(stock)(then(known)(later))),
        FutureResult[Item, HTTPFailure | Unknown | Refused],
    )
    assert_type(
        then(paid)(then(stock)(then(known)(described))),
        RequiresContextFutureResult[Item, HTTPFailure | Unknown | Refused, HTTPClient],
    )
    assert_type(
        then(parcel)(then(stock)(then(known)(described))),
        RequiresContextFutureResult[Parcel, HTTPFailure | Unknown | Refused, HTTPClient],
    )


def then_works_with_decoders(client: HTTPClient) -> None:
    user = then(decode(User))(client.future.get("http://h/"))
    assert_type(then(known)(user), FutureResult[str, HTTPFailure | Unknown])


def fallback_adds_values(
    now: Result[User, Unknown],
    later: FutureResult[User, Unknown],
    described: RequiresContextFutureResult[User, Unknown, HTTPClient],
) -> None:
    assert_type(fallback(no_user)(now), Result[User | None, Refused])
    assert_type(fallback(no_user)(later), FutureResult[User | None, Refused])
    assert_type(fallback(cached)(later), FutureResult[User | Item, Refused])
    assert_type(fallback(remembered)(later), FutureResult[User | Item, Refused])
    assert_type(
        fallback(cached)(described), RequiresContextFutureResult[User | Item, Refused, HTTPClient]
    )
    assert_type(
        fallback(other_host)(described),
        RequiresContextFutureResult[User | Item, Refused, HTTPClient],
    )


def on_status_adds_both(
    now: Result[User, HTTPFailure], later: FutureResult[User, HTTPFailure]
) -> None:
    absent = on_status(404, no_such_user)
    assert_type(absent(now), Result[User | None, HTTPFailure])
    assert_type(absent(later), FutureResult[User | None, HTTPFailure])
    assert_type(on_status(409, decode(Item))(later), FutureResult[User | Item, HTTPFailure])


def taps_change_nothing(
    now: Result[User, Unknown],
    later: FutureResult[User, Unknown],
    described: RequiresContextFutureResult[User, Unknown, HTTPClient],
) -> None:
    assert_type(tap(look_at_user)(now), Result[User, Unknown])
    assert_type(tap(look_at_user)(later), FutureResult[User, Unknown])
    assert_type(tap(look)(later), FutureResult[User, Unknown])
    assert_type(tap(print)(described), RequiresContextFutureResult[User, Unknown, HTTPClient])
    assert_type(tap_failure(look_at_unknown)(now), Result[User, Unknown])
    assert_type(tap_failure(look)(later), FutureResult[User, Unknown])


# -- in and out -----------------------------------------------------------------------------


def outcomes_match_exhaustively(result: Result[User, HTTPFailure | Unknown]) -> str:
    assert_type(outcome(result), User | HTTPFailure | Unknown)
    match outcome(result):
        case User(id=number):
            assert_type(number, int)
            return "user"
        case HTTPStatusError(status):
            assert_type(status, int)
            return "status"
        case HTTPCircuitOpenError() | HTTPRetryExhaustedError():
            return "later"
        case HTTPConnectionError() | HTTPTimeoutError() | HTTPInterceptorError():
            return "infrastructure"
        case HTTPInvalidRequestError() | HTTPDecodeError() | HTTPResponseTooLargeError():
            return "defect"
        case Unknown():
            return "unknown"
        case never:
            assert_never(never)


@catching(ValueError, KeyError)
def caught(text: str, *, base: int = 10) -> int:
    return int(text, base)


@catching(OSError)
async def caught_later(path: str) -> bytes:
    return path.encode()


def catching_keeps_the_classes_apart() -> None:
    assert_type(caught("7", base=8), Result[int, ValueError | KeyError])
    assert_type(caught_later("x"), FutureResult[bytes, OSError])
    assert_type(catching(ValueError)(int)("7"), Result[int, ValueError])


def problems(failure: HTTPFailure) -> None:
    assert_type(problem(failure), Maybe[ProblemDetails])


# -- at the same time -----------------------------------------------------------------------


def gathered(user: FutureResult[User, Unknown], item: FutureResult[Item, Refused]) -> None:
    assert_type(gather(user), FutureResult[tuple[User], Unknown])
    assert_type(gather(user, item), FutureResult[tuple[User, Item], Unknown | Refused])
    assert_type(
        gather(user, item, user, limit=2), FutureResult[tuple[User, Item, User], Unknown | Refused]
    )
    assert_type(
        gather(user, item, user, item),
        FutureResult[tuple[User, Item, User, Item], Unknown | Refused],
    )
    assert_type(
        gather(user, item, user, item, user),
        FutureResult[tuple[User, Item, User, Item, User], Unknown | Refused],
    )
    assert_type(gather(user, user, user, user, user, user), FutureResult[tuple[User, ...], Unknown])
    assert_type(gather(*[user, user]), FutureResult[tuple[User, ...], Unknown])


def shared_by_two(user: FutureResult[User, Unknown]) -> None:
    assert_type(shared(user), FutureResult[User, Unknown])


async def all_outcomes(
    user: FutureResult[User, Unknown], item: FutureResult[Item, Refused]
) -> None:
    both = (await run(gather(settled(user), settled(item)))).unwrap()
    assert_type(both, tuple[Result[User, Unknown], Result[Item, Refused]])


def collected(client: HTTPClient, urls: list[str]) -> None:
    users = (client.future.get(url).bind_result(decode(User)) for url in urls)
    assert_type(collect(users, limit=10), FutureResult[tuple[User, ...], HTTPFailure])


def raced(user: FutureResult[User, Unknown], item: FutureResult[Item, Refused]) -> None:
    assert_type(race(user, item), FutureResult[User | Item, Unknown | Refused])
    assert_type(race(user, item, item), FutureResult[User | Item, Unknown | Refused])
    assert_type(race(user, user, user, user), FutureResult[User, Unknown])
    assert_type(first_success(user, item), FutureResult[User | Item, tuple[Unknown, Refused]])
    assert_type(
        first_success(user, item, user),
        FutureResult[User | Item, tuple[Unknown, Refused, Unknown]],
    )
    assert_type(first_success(user, user, user, user), FutureResult[User, tuple[Unknown, ...]])


async def paged(client: HTTPClient) -> None:
    by_link = pages(reader.get("/users"), next_link)
    assert_type(by_link, PageReader[HttpResponse, HTTPFailure])
    users = by_link.decoded(decode(list[User]))
    async for page in users(client):
        assert_type(page, Result[list[User], HTTPFailure])

    def ids(page: list[User]) -> list[int]:
        return [user.id for user in page]

    async for number in users(client).items(ids):
        assert_type(number, Result[int, HTTPFailure])
    found = users(client).collect(limit=2)
    assert_type(found, FutureResult[tuple[list[User], ...], HTTPFailure])


async def documents(client: HTTPClient) -> None:
    async with client.sse("/users").decoded(User, done="[DONE]") as users:
        async for user in users:
            assert_type(user, Result[User, HTTPFailure])
    async for user in client.sse("/users").decoded(User):
        assert_type(user, Result[User, HTTPFailure])
    async with client.stream("GET", "/users") as response:
        async for either in response.decoded(User | Refused):
            assert_type(either, Result[User | Refused, HTTPFailure])


class Reauthorized:
    """An interceptor that may ask for one more send."""

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse | Again:
        return response


def derived() -> None:
    client = HTTPClient(interceptors=[Reauthorized()])
    assert_type(client.with_options(timeout=2, retry_policy=RetryPolicy(1)), HTTPClient)


async def resolved(host: str, port: int) -> list[str]:
    return [host, str(port)]


def connections() -> None:
    config = HTTPClientConfig(verify="system", cert=("a", Path("b")), resolver=resolved)
    assert_type(config.verify, bool | Literal["system"])
    assert_type(config.unix_socket, str | None)
    HTTPClient(config, egress=Egress.public(), verify=False, cert="a", resolver=resolved)
    Egress(allow=["10.0.0.0/8"], deny={"h.example"}, ports={80, 443}, schemes=("https",))
    ConnectionPoolConfig(verify_ssl="system", unix_socket="/run/api.sock")


def without_await() -> None:
    with SyncHTTPClient(HTTPClientConfig(), base_url="http://h", egress=Egress.public()) as client:
        assert_type(client, SyncHTTPClient)
        assert_type(client.get("/x", timeout=3), Result[HttpResponse, HTTPFailure])
        assert_type(client.request("GET", "/x"), HttpResponse)
        assert_type(client.download("/x", "file"), Result[Download, HTTPFailure])
        with client.stream("GET", "/x") as response:
            assert_type(next(iter(response)), bytes)
            assert_type([*response.iter_lines()], list[str])
        with client.sse("/x") as events:
            assert_type(next(events), ServerSentEvent)
