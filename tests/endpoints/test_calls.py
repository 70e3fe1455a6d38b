"""A call of an endpoint: what is sent, and what each response becomes, on real sockets."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Annotated, Final, NamedTuple

import attrs
import msgspec
import pydantic
import pytest
from returns.pipeline import is_successful
from returns.result import Failure, Success
from returns.unsafe import unsafe_perform_io
from tests.endpoints.users_api import (
    Accepted,
    Api,
    ChangeUser,
    NewUser,
    Problem,
    RateLimited,
    User,
    UserNotFound,
    Users,
)

from railhttp import (
    HTTPClient,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPStatusError,
    RetryPolicy,
)
from railhttp.endpoints import Answered, Header, Query, Service, get, post
from railhttp.events import RequestStarted
from railhttp.railway import gather, run
from railhttp.testing import ScriptedTransport, ScriptServer, serve

ANN: Final = User(7, "Ann")
JSON: Final = {"Content-Type": "application/json"}


@pytest.fixture
async def server() -> AsyncGenerator[ScriptServer]:
    async with serve(ScriptedTransport()) as server:
        yield server


@pytest.fixture
async def client(server: ScriptServer) -> AsyncGenerator[HTTPClient]:
    policy = RetryPolicy(2, base_delay=0.0, reraise=True)
    async with HTTPClient(base_url=server.url, retry_policy=policy) as client:
        yield client


@pytest.fixture
def users(client: HTTPClient) -> Users:
    return Users(client)


async def test_a_declared_status_is_its_value(users: Users, server: ScriptServer) -> None:
    server.script.on("GET", "/users/7").reply(json={"id": 7, "name": "Ann"})
    assert await users.find(7, expand=True, trace="t-1") == Success(ANN)
    (sent,) = server.script.calls
    assert sent.url == f"{server.url}/users/7?expand=true"
    assert sent.headers["X-Trace"] == "t-1"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, b'{"user_id":7}', UserNotFound(7)),
        (429, b'{"retry_after":3}', RateLimited(3)),
        (404, b'{"user_id":7,"hint":"members that nobody declared"}', UserNotFound(7)),
    ],
)
async def test_a_declared_refusal_is_its_failure(
    users: Users, server: ScriptServer, status: int, body: bytes, expected: object
) -> None:
    server.script.on("GET", "/users/7").reply(status, body=body, headers=JSON)
    assert await users.find(7) == Failure(expected)


@pytest.mark.parametrize("status", [400, 422])
async def test_a_refusal_may_have_several_statuses(
    users: Users, server: ScriptServer, status: int
) -> None:
    server.script.on("POST", "/users").reply(status, json={"title": "too short"})
    assert await users.add(NewUser("A")) == Failure(Problem("too short"))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<html>404</html>", "text/html"),
        (b"<html>404</html>", "application/json"),
        (b'{"user_id":"seven"}', "application/json"),
        (b"", "application/json"),
    ],
)
async def test_a_declared_status_whose_body_does_not_fit_stays_a_status_error(
    users: Users, server: ScriptServer, body: bytes, content_type: str
) -> None:
    headers = {"Content-Type": content_type}
    server.script.on("GET", "/users/7").reply(404, body=body, headers=headers)
    failure = (await users.find(7)).failure()
    assert isinstance(failure, HTTPStatusError)
    assert failure.status == 404
    assert failure.response.body == body
    assert isinstance(failure.__cause__, HTTPDecodeError)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (201, "status 201, expected 200"),
        (204, "status 204, expected 200"),
        (304, "status 304, expected 200"),
        (403, "status 403"),
        (500, "status 500"),
    ],
)
async def test_an_undeclared_status_is_a_status_error(
    users: Users, server: ScriptServer, status: int, message: str
) -> None:
    server.script.on("GET", "/users/7").reply(status)
    failure = (await users.find(7)).failure()
    assert isinstance(failure, HTTPStatusError)
    assert (failure.status, failure.message) == (status, message)


def declared(status: int) -> type[object]:
    """The class of what a status of `Users.find` becomes, with a body that fits both refusals."""
    refusals: dict[int, type[object]] = {404: UserNotFound, 429: RateLimited}
    return HTTPDecodeError if status == 200 else refusals.get(status, HTTPStatusError)


async def test_every_status_is_what_was_declared_for_it(server: ScriptServer) -> None:
    route = server.script.on("GET", "/users/7")
    for status in range(200, 600):
        route.reply(status, json={"user_id": 7, "retry_after": 3})
    async with HTTPClient(base_url=server.url, retry_policy=RetryPolicy(1)) as client:
        users = Users(client)
        ends = [type((await users.find(7)).failure()) for _ in range(200, 600)]
    assert ends == [declared(status) for status in range(200, 600)]


async def test_a_redirect_that_is_not_followed_is_undeclared(
    users: Users, server: ScriptServer
) -> None:
    server.script.on("GET", "/users/7").reply(302, headers={"Location": "/users/8"})
    failure = (await users.find.with_options(allow_redirects=False)(7)).failure()
    assert isinstance(failure, HTTPStatusError)
    assert failure.message == "status 302, expected 200"


async def test_a_value_that_does_not_fit_is_a_decode_error(
    users: Users, server: ScriptServer
) -> None:
    server.script.on("GET", "/users/7").reply(json={"id": "7", "name": "Ann"})
    failure = (await users.find(7)).failure()
    assert isinstance(failure, HTTPDecodeError)
    assert failure.where == "$.id"


async def test_each_value_has_its_status(users: Users, server: ScriptServer) -> None:
    route = server.script.on("PUT", "/users/7").reply(json={"id": 7, "name": "Bob"})
    route.reply(202, json={"job": "j-1"})
    assert await users.change(7, NewUser("Bob")) == Success(User(7, "Bob"))
    assert await users.change(7, NewUser("Bob")) == Success(Accepted("j-1"))
    assert route.calls[0].json() == {"name": "Bob"}
    assert route.calls[0].headers["Content-Type"] == "application/json"


async def test_a_value_of_none_reads_nothing(users: Users, server: ScriptServer) -> None:
    server.script.on("DELETE", "/users/7").reply(204).reply(404, json={"user_id": 7})
    assert await users.remove(7) == Success(None)
    assert await users.remove(7) == Failure(UserNotFound(7))


async def test_without_a_declared_value_it_is_the_response(
    users: Users, server: ScriptServer
) -> None:
    server.script.on("GET", "/health").reply(text="fine").reply(202).reply(500)
    assert (await users.health()).unwrap().text == "fine"
    assert (await users.health()).unwrap().status == 202
    assert isinstance((await users.health()).failure(), HTTPStatusError)


async def test_retries_come_first(users: Users, server: ScriptServer) -> None:
    route = server.script.on("GET", "/users/7").reply(429, json={"retry_after": 0})
    route.reply(json={"id": 7, "name": "Ann"})
    assert await users.find(7) == Success(ANN)
    route.reply(429, json={"retry_after": 0})
    assert await users.find(7) == Failure(RateLimited(0))
    assert route.called == 4


async def test_no_answer_is_one_of_the_failures_of_http() -> None:
    async with HTTPClient(base_url="http://127.0.0.1:1", retry_policy=RetryPolicy(1)) as client:
        failure = (await Users(client).find(7)).failure()
    assert isinstance(failure, HTTPConnectionError)


async def test_the_signals_of_policies_are_failures_too() -> None:
    policy = RetryPolicy(2, base_delay=0.0)
    async with HTTPClient(base_url="http://127.0.0.1:1", retry_policy=policy) as client:
        failure = (await Users(client).find(7)).failure()
    assert type(failure).__name__ == "HTTPRetryExhaustedError"


async def test_a_call_is_a_future_or_a_reader_too(
    users: Users, client: HTTPClient, server: ScriptServer
) -> None:
    server.script.on("GET", "/users/*").reply(json={"id": 7, "name": "Ann"})
    both = gather(users.find.future(7), users.find.future(8))
    assert await run(both) == Success((ANN, ANN))
    described = Users.find(7)
    assert await run(described(client)) == Success(ANN)
    assert await run(described(client)) == Success(ANN)
    assert server.script.routes[0].called == 4


async def test_the_response_may_come_with_the_value(users: Users, server: ScriptServer) -> None:
    reply = {"ETag": '"v1"'}
    server.script.on("GET", "/users/7").reply(json={"id": 7, "name": "Ann"}, headers=reply)
    answered = (await users.find.with_response()(7)).unwrap()
    assert isinstance(answered, Answered)
    assert (answered.value, answered.response.headers["ETag"]) == (ANN, '"v1"')


async def test_a_wrong_call_is_a_type_error(users: Users) -> None:
    with pytest.raises(TypeError):
        await users.find()  # type: ignore[call-arg]  # an argument is missing
    with pytest.raises(TypeError):
        await users.search()  # type: ignore[call-arg]  # an argument is missing
    with pytest.raises(TypeError):
        users.find.future(7, nope=1)  # type: ignore[call-arg]  # an argument is unknown
    with pytest.raises(TypeError):
        Users.find()  # type: ignore[call-arg]  # an argument is missing


@dataclass(frozen=True)
class Positive:
    number: int
    trace: Annotated[str | None, Header("X-Trace")] = None

    def __post_init__(self) -> None:
        if self.number < 1:
            raise ValueError(self.number)


class Numbers(Service):
    read = get("/{number}", Positive).gives(int)


async def test_a_value_that_its_class_refuses_is_a_failure_and_nothing_is_sent() -> None:
    script = ScriptedTransport()
    async with HTTPClient(exchange=script, base_url="http://h") as client:
        numbers = Numbers(client)
        for failure in (
            (await numbers.read(0)).failure(),
            unsafe_perform_io((await numbers.read.future(0)).failure()),
            (await numbers.read.with_options(timeout=1)(0)).failure(),
        ):
            assert isinstance(failure, HTTPInvalidRequestError)
    assert not script.calls


# -- paths, queries, header fields ------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    name: str


class Files(Service):
    read = get("/files/{name}", Named).gives(None)
    table = get("/files/{name}.csv", Named).gives(None)


@pytest.mark.parametrize("name", ["", ".", "..", "\ud800"])
async def test_a_value_that_cannot_be_a_segment_is_refused(name: str) -> None:
    async with HTTPClient(exchange=ScriptedTransport(), base_url="http://h") as client:
        failure = (await Files(client).read(name)).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert failure.field == "name"


@pytest.mark.parametrize(
    "name", ["a/b", "../etc", "a?b#c", "%2e%2e", "a b+c", "é", "x;y=1", "a\\b", "\x00", "...", ":"]
)
async def test_every_other_value_stays_one_segment(name: str) -> None:
    script = ScriptedTransport()
    script.on("GET", "/**").reply(200)
    async with HTTPClient(exchange=script, base_url="http://h/v1") as client:
        assert await Files(client).read(name) == Success(None)
    path = script.calls[0].url.removeprefix("http://h")
    assert path.startswith("/v1/files/")
    assert path.count("/") == 3
    assert Files.read.plan.template.match(path) == {"name": name}


async def test_a_field_may_fill_a_part_of_a_segment() -> None:
    script = ScriptedTransport()
    script.on("GET", "/files/..%2Fa.csv").reply(200)
    async with HTTPClient(exchange=script, base_url="http://h") as client:
        assert await Files(client).table("../a") == Success(None)


async def test_query_parameters_repeat_and_leave_none_out() -> None:
    script = ScriptedTransport()
    script.on("GET", "/users").reply(json=[])
    async with HTTPClient(exchange=script, base_url="http://h") as client:
        users = Users(client)
        await users.search(["a b", "c&d"], page_size=2)
        await users.search([])
    assert [call.url for call in script.calls] == [
        "http://h/users?tags=a+b&tags=c%26d&page-size=2",
        "http://h/users",
    ]


async def test_a_value_without_a_text_is_refused_by_name() -> None:
    async with HTTPClient(exchange=ScriptedTransport(), base_url="http://h") as client:
        failure = (await Users(client).find(object())).failure()  # type: ignore[arg-type]  # refused
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, failure.url) == ("user_id", "/users/{user_id}")


# -- parameter classes --------------------------------------------------------------------------


class Struct(msgspec.Struct):
    user_id: int
    page_size: int = 1


class Renamed(msgspec.Struct, rename="camel"):
    user_id: int
    page_size: int = 1


class Model(pydantic.BaseModel):
    user_id: int
    page_size: int = pydantic.Field(1, alias="pageSize")


@attrs.frozen
class Attrs:
    user_id: int
    page_size: int = 1


class Tuple(NamedTuple):
    user_id: int
    page_size: int = 1


def function(user_id: int, page_size: int = 1) -> dict[str, object]:
    return {"user_id": user_id, "page_size": page_size}


class Plain:
    def __init__(self, user_id: int, page_size: int = 1) -> None:
        self.user_id = user_id
        self.page_size = page_size


class Open(pydantic.BaseModel, extra="allow"):
    user_id: int
    page_size: int = 1


class Private(pydantic.BaseModel):
    user_id: int
    page_size: Annotated[int | None, Query("size")] = None


@attrs.frozen
class Hidden:
    _user_id: int
    page_size: Annotated[int, Query("size")] = attrs.field(factory=lambda: 3)


@dataclass
class Lists:
    user_id: int
    page_size: list[int] = field(default_factory=lambda: [1, 2])


@pytest.mark.parametrize(
    ("make", "query"),
    [
        (Plain, "page_size=1"),
        (Open, "page_size=1"),
        (Private, ""),
        (Hidden, "size=3"),
        (Lists, "page_size=1&page_size=2"),
        (Struct, "page_size=1"),
        (Renamed, "pageSize=1"),
        (Model, "pageSize=1"),
        (Attrs, "page_size=1"),
        (Tuple, "page_size=1"),
        (function, "page_size=1"),
    ],
)
async def test_every_kind_of_parameter_class(make: Callable[..., object], query: str) -> None:
    find = get("/users/{user_id}", make).gives(None)
    script = ScriptedTransport()
    script.serve(find).replies(None)
    async with HTTPClient(exchange=script, base_url="http://h") as client:
        assert await run(find(user_id=7)(client)) == Success(None)
    assert {call.url for call in script.calls} == {f"http://h/users/7?{query}".removesuffix("?")}


async def test_what_a_parameter_class_refuses_is_an_invalid_request() -> None:
    find = get("/users/{user_id}", Model).gives(None)
    async with HTTPClient(exchange=ScriptedTransport(), base_url="http://h") as client:
        refused = find(user_id="s3cret", pageSize=1)  # type: ignore[arg-type]  # refused there
        failure = (await run(refused(client))).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert failure.field == "user_id"
    assert "s3cret" not in str(failure)


# -- services and options -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client_base", "service_base", "url"),
    [
        ("http://h/v1", "", "http://h/v1/health"),
        ("http://h/v1", "/users-api/", "http://h/v1/users-api/health"),
        ("http://h/v1", "https://other/v2?key=7", "https://other/v2/health?key=7"),
        ("", "http://h", "http://h/health"),
    ],
)
async def test_a_service_may_have_a_base(client_base: str, service_base: str, url: str) -> None:
    script = ScriptedTransport()
    script.on("GET", "**health").reply(200)
    async with HTTPClient(exchange=script, base_url=client_base) as client:
        assert (await Users(client, base_url=service_base).health()).unwrap().ok
    assert script.calls[0].url == url


async def test_services_compose() -> None:
    script = ScriptedTransport()
    script.on("GET", "/v1/health").reply(200)
    script.on("GET", "/v1/orders/count").reply(json=3)
    async with HTTPClient(exchange=script, base_url="http://h") as client:
        api = Api(client, base_url="/v1", headers={"X-App": "shop"})
        assert (await api.users.health()).unwrap().ok
        assert await api.orders.count() == Success(3)
    assert {call.headers["X-App"] for call in script.calls} == {"shop"}


async def test_specific_options_overrule_general_ones() -> None:
    class Things(Service):
        read = get("/").with_options(headers={"X-B": "endpoint", "X-C": "endpoint"})

    script = ScriptedTransport()
    script.on("GET", "/").reply(200)
    everywhere = {"X-A": "service", "X-B": "service", "X-C": "service"}
    async with HTTPClient(exchange=script, base_url="http://h") as client:
        things = Things(client, headers=everywhere, params={"page": 1})
        await things.read.with_options(headers={"x-c": "call"}, params={"page": 2})()
        await run(Things.read()(client))
    first, second = script.calls
    assert dict(first.headers) == {"X-A": "service", "X-B": "endpoint", "x-c": "call"}
    assert first.url == "http://h/?page=2"
    assert dict(second.headers) == {"X-B": "endpoint", "X-C": "endpoint"}


class Payments(Service):
    pay = post("/pay", ChangeUser).gives(None)
    keyed = post("/pay", ChangeUser).keyed().gives(None)
    harmless = post("/pay", ChangeUser).harmless().gives(None)


@pytest.mark.parametrize(("name", "attempts"), [("pay", 1), ("keyed", 2), ("harmless", 2)])
async def test_a_post_is_repeated_only_if_it_is_declared_so(name: str, attempts: int) -> None:
    script = ScriptedTransport()
    script.on("POST", "/pay").reply(503).reply(200)
    policy = RetryPolicy(2, base_delay=0.0, reraise=True)
    async with HTTPClient(exchange=script, base_url="http://h", retry_policy=policy) as client:
        await getattr(Payments(client), name)(7, NewUser("x"))
        await getattr(Payments(client), name).with_options(idempotency_key="k")(7, NewUser("x"))
    keys = [call.headers.get("Idempotency-Key") for call in script.calls]
    assert len(keys) == attempts + 1
    assert keys[-1] == "k"
    assert len({*keys[:-1]}) == 1
    assert bool(keys[0]) is (name == "keyed")


async def test_subclasses_inherit_endpoints() -> None:
    class More(Users):
        extra = get("/extra").gives(None)

    script = ScriptedTransport()
    script.on("GET", "/**").reply(200)
    async with HTTPClient(exchange=script, base_url="http://h") as client:
        more = More(client)
        assert await more.extra() == Success(None)
        assert isinstance((await more.health()).unwrap(), HttpResponse)


def test_a_subclass_replaces_and_removes_endpoints() -> None:
    class Less(Users):
        find = get("/other").gives(None)  # type: ignore[assignment]  # another type
        health = None  # type: ignore[assignment]  # removed

    less = Less(HTTPClient())
    assert (str(less.find.endpoint), less.health) == ("GET /other", None)
    assert str(Users(HTTPClient()).find.endpoint) == "GET /users/{user_id}"


# -- streams ------------------------------------------------------------------------------------

EVENTS: Final = {"Content-Type": "text/event-stream"}


async def test_events_are_results(users: Users, server: ScriptServer) -> None:
    body = b'data: {"id":7,"name":"Ann"}\n\ndata: {}\n\ndata: {"id":8,"name":"Bob"}\n\n'
    server.script.on("GET", "/feed").reply(body=body, headers=EVENTS)
    async with users.feed(since=3) as events:
        first, broken, last = [event async for event in events]
    assert (first, last) == (Success(ANN), Success(User(8, "Bob")))
    failure = broken.failure()
    assert isinstance(failure, HTTPDecodeError)
    assert failure.url == f"{server.url}/feed?since=***"
    assert server.script.calls[0].url.endswith("/feed?since=3")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b'{"user_id":7}', UserNotFound),
        (404, b"", HTTPStatusError),
        (500, b"", HTTPStatusError),
    ],
)
async def test_a_stream_that_cannot_be_opened_has_one_failure(
    users: Users, client: HTTPClient, server: ScriptServer, status: int, body: bytes, kind: type
) -> None:
    server.script.on("GET", "/feed").reply(status, body=body, headers=JSON)
    results = [event async for event in users.feed()]
    described = [event async for event in Users.feed(since=1)(client)]
    assert [type(result.failure()) for result in (*results, *described)] == [kind, kind]


async def test_a_stream_that_breaks_off_ends_with_its_failure(
    users: Users, server: ScriptServer
) -> None:
    server.script.on("GET", "/feed").fail(
        ConnectionResetError(), "body", after=b'data: {"id":7,"name":"Ann"}\n\n', headers=EVENTS
    )
    results = [event async for event in users.feed()]
    assert results[0] == Success(ANN)
    assert isinstance(results[1].failure(), HTTPConnectionError)


async def test_a_streamed_response_is_opened_as_a_result(
    users: Users, client: HTTPClient, server: ScriptServer
) -> None:
    route = server.script.on("GET", "/users.csv").reply(body=[b"id,", b"name\n"])
    route.reply(403, json={"title": "not yours"}).reply(404)
    async with users.export() as opened:
        assert b"".join([chunk async for chunk in opened.unwrap()]) == b"id,name\n"
    async with users.export() as opened:
        assert opened == Failure(Problem("not yours"))
    async with Users.export()(client) as opened:
        assert isinstance(opened.failure(), HTTPStatusError)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (201, "status 201, expected 200"),
        (399, "status 399, expected 200"),
        (400, "status 400"),
        (500, "status 500"),
    ],
)
async def test_a_streamed_refusal_names_the_expected_statuses_unless_it_is_an_error(
    status: int, message: str
) -> None:
    script = ScriptedTransport()
    script.on("GET", "/export").reply(status)
    async with HTTPClient(
        exchange=script, base_url="http://h", retry_policy=RetryPolicy(1)
    ) as client:
        opening = get("/export").gives(HttpResponse).streamed()()(client)
        async with opening as opened:
            failure = opened.failure()
    assert isinstance(failure, HTTPStatusError)
    assert failure.message == message


@pytest.mark.parametrize("status", [200, 399, 400, 503])
async def test_a_stream_without_declared_statuses_is_refused_from_400_on(status: int) -> None:
    script = ScriptedTransport()
    script.on("GET", "/export").reply(status)
    async with (
        HTTPClient(exchange=script, base_url="http://h", retry_policy=RetryPolicy(1)) as client,
        get("/export").streamed()()(client) as opened,
    ):
        assert is_successful(opened) is (status < 400)


def one_file(name: str) -> dict[str, object]:
    return {"name": name}


class Watched(Service):
    watch = get("/{name}/events", one_file).events(User)
    read = get("/{name}", one_file).streamed().fails(404, UserNotFound)
    later = get("/{name}/events", one_file).events(User).with_options(headers={"X-A": "1"})


async def test_streams_of_parameters_that_cannot_be_sent_are_failures() -> None:
    async with HTTPClient(exchange=ScriptedTransport(), base_url="http://h") as client:
        files = Watched(client)
        (watched,) = [event async for event in files.watch("..")]
        async with files.read("") as opened:
            read = opened.failure()
        with pytest.raises(TypeError):
            files.watch()  # type: ignore[call-arg]  # an argument is missing
    assert isinstance(watched.failure(), HTTPInvalidRequestError)
    assert isinstance(read, HTTPInvalidRequestError)


async def test_an_undeclared_success_of_a_stream_is_a_status_error(
    client: HTTPClient, server: ScriptServer
) -> None:
    server.script.on("GET", "/export").reply(206, body=b"x" * 9_000_000)
    export = get("/export").gives(HttpResponse).streamed().with_options(timeout=5)
    async with export()(client) as opened:
        failure = opened.failure()
    assert isinstance(failure, HTTPStatusError)
    assert failure.message == "status 206, expected 200"
    assert 1_000_000 < len(failure.response.body) < 2_000_000, "a refusal is not read to its end"


async def test_of_a_refused_stream_one_mebibyte_is_read_and_the_piece_that_exceeds_it() -> None:
    script = ScriptedTransport()
    script.on("GET", "/users.csv").reply(404, body=[bytes(1024)] * 2048)
    async with (
        HTTPClient(exchange=script, base_url="http://h") as client,
        Users(client).export() as opened,
    ):
        failure = opened.failure()
    assert isinstance(failure, HTTPStatusError)
    assert len(failure.response.body) == (1 << 20) + 1024


async def test_streams_take_options(users: Users, server: ScriptServer) -> None:
    server.script.on("GET", "/**").reply(headers=EVENTS)
    async with users.feed.with_options(headers={"X-A": "1"})(since=1) as events:
        assert [event async for event in events] == []
    async with users.export.with_options(headers={"X-A": "2"})() as opened:
        assert opened.unwrap().status == 200
    assert [call.headers["X-A"] for call in server.script.calls] == ["1", "2"]


# -- names for observers -----------------------------------------------------------------------


class Templates:
    """An instrument that records the template of each call."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def call_started(self, call: RequestStarted) -> None:
        self.seen.append(call.url_template)

    def attempt_started(self, attempt: RequestStarted) -> None:
        pass


async def test_an_instrument_knows_the_template_of_a_call_however_it_is_made() -> None:
    templates = Templates()
    script = ScriptedTransport()
    script.on("GET", "/feed").reply(headers=EVENTS)
    script.on("GET", "/**").reply(404)
    script.on("POST", "/**").reply(404)
    async with HTTPClient(exchange=script, base_url="http://h", instruments=[templates]) as client:
        users = Users(client)
        await users.find(7)
        await users.find.future(7)
        await Users.find(7)(client)
        await users.add(NewUser("Ann"))
        async with users.export():
            pass
        async with users.feed() as events:
            assert [event async for event in events] == []
    assert templates.seen == [
        *["/users/{user_id}"] * 3,
        "/users",
        "/users.csv",
        "/feed",
    ]


async def test_a_template_of_the_caller_is_kept() -> None:
    templates = Templates()
    script = ScriptedTransport()
    script.on("GET", "/**").reply(404)
    async with HTTPClient(exchange=script, base_url="http://h", instruments=[templates]) as client:
        await Users(client).find.with_options(url_template="/{kind}/{id}")(7)
    assert templates.seen == ["/{kind}/{id}"]
