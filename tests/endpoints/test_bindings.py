"""What a service adds to the requests of its endpoints, and the failures of parameters."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import pydantic
import pytest
from returns.result import Success
from returns.unsafe import unsafe_perform_io

from railhttp import HTTPClient, HTTPClientConfig, HTTPDecodeError, HTTPInvalidRequestError
from railhttp.endpoints import Body, Header, Service, get, post
from railhttp.endpoints.declaration import Binding, merged
from railhttp.model.options import RequestOptions
from railhttp.railway import outcome
from railhttp.testing import ScriptedTransport
from railhttp.wire.sse import ServerSentEvent

CLIENT = HTTPClient()


@pytest.mark.parametrize(
    ("base_url", "target", "url"),
    [
        ("", "/users", "/users"),
        ("/v1", "/users", "/v1/users"),
        ("/v1/", "/users?page=2", "/v1/users?page=2"),
        ("/v1#top", "/users", "/v1/users"),
        ("https://h/v1//", "/users", "https://h/v1/users"),
        ("https://h/?key=7", "/users", "https://h/users?key=7"),
        ("https://h/?key=7#top", "/users?page=2", "https://h/users?key=7&page=2"),
        ("https://h/?a=1&b=2", "/users?c=?", "https://h/users?a=1&b=2&c=?"),
    ],
)
def test_a_base_and_a_target_are_joined(base_url: str, target: str, url: str) -> None:
    assert Binding.of(CLIENT, base_url, {}).url(target) == url


@pytest.mark.parametrize(
    ("defaults", "options", "both"),
    [
        ({}, {}, {}),
        ({"timeout": 5}, {}, {"timeout": 5}),
        ({}, {"timeout": 5}, {"timeout": 5}),
        ({"timeout": 5}, {"timeout": 2}, {"timeout": 2}),
        ({"headers": {"A": "1"}}, {}, {"headers": {"A": "1"}}),
        ({}, {"headers": {"A": "1"}}, {"headers": {"A": "1"}}),
        (
            {"headers": {"A": "1", "B": "1"}},
            {"headers": {"b": "2", "C": "2"}},
            {"headers": {"A": "1", "b": "2", "C": "2"}},
        ),
    ],
)
def test_specific_options_overrule_general_ones_and_header_fields_one_by_one(
    defaults: RequestOptions, options: RequestOptions, both: RequestOptions
) -> None:
    found = merged(defaults, options)
    assert dict(found) | {"headers": None} == dict(both) | {"headers": None}
    assert dict(found.get("headers") or {}) == dict(both.get("headers") or {})


class Refusing(pydantic.BaseModel):
    page: int
    inner: list[int] = []


class Strict(pydantic.BaseModel):
    page: int = 1

    @pydantic.model_validator(mode="after")
    def refuse(self) -> "Strict":
        raise ValueError("s3cret")


class ValidationError(Exception):  # the name is the case
    """Not that of pydantic."""


@dataclass
class Raising:
    page: int

    def __post_init__(self) -> None:
        raise ValidationError("s3cret")


class Calls(Service):
    refusing = get("/refusing", Refusing)
    strict = get("/strict", Strict)
    raising = post("/raising", Raising)


@pytest.mark.parametrize(
    ("name", "arguments", "field", "kind"),
    [
        ("refusing", {"page": "s3cret"}, "page", "ValidationError"),
        ("refusing", {"page": 1, "inner": ["s3cret"]}, "inner", "ValidationError"),
        ("strict", {}, "", "ValidationError"),
        ("raising", {"page": 1}, "", "ValidationError"),
    ],
)
async def test_what_a_parameter_class_refuses_names_the_field_and_the_endpoint(
    name: str, arguments: dict[str, object], field: str, kind: str
) -> None:
    call = getattr(Calls(CLIENT, base_url="https://h"), name)
    future = await call.future(**arguments)
    for failure in (outcome(await call(**arguments)), unsafe_perform_io(future.failure())):
        assert isinstance(failure, HTTPInvalidRequestError)
        assert (failure.field, failure.attempts, failure.url) == (field, 0, f"/{name}")
        assert failure.method == ("POST" if name == "raising" else "GET")
        assert kind in failure.message
        assert "s3cret" not in str(failure)
        assert type(failure.__cause__).__name__ == kind


@dataclass
class Everything:
    user: Body[dict[str, int]]
    trace: Annotated[str | None, Header("X-Trace")] = None


@dataclass
class Raw:
    data: Body[bytes]


async def test_a_body_and_fields_are_added_to_the_options() -> None:
    transport = ScriptedTransport()
    transport.on("POST", "/**").reply(204)
    config = HTTPClientConfig(trust_env=False)
    sent = post("/sent", Everything).with_options(headers={"X-A": "1"})
    raw = post("/raw", Raw)
    async with HTTPClient(config, exchange=transport, base_url="http://h") as client:
        await sent({"a": 1}, "t")(client)
        await sent({"a": 1})(client)
        await raw(b"\0")(client)
    first, second, third = transport.calls
    assert (first.headers["X-A"], first.headers["X-Trace"]) == ("1", "t")
    assert "X-Trace" not in second.headers
    assert (first.body, third.body) == (b'{"a":1}', b"\0")


class Feed:
    """The events of the recorder."""

    url = "http://h/feed"

    async def __aiter__(self) -> AsyncIterator[ServerSentEvent]:
        yield ServerSentEvent("x")


class Recorder:
    """Stands for a client: notes how a stream is opened."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, object]]] = []
        self.is_open = False

    @asynccontextmanager
    async def sse(self, url: str, **options: object) -> AsyncIterator[Feed]:
        self.calls.append((url, options))
        self.is_open = True
        try:
            yield Feed()
        finally:
            self.is_open = False


@pytest.mark.parametrize("reconnect", [False, True])
async def test_a_stream_of_events_is_opened_as_it_was_declared(reconnect: bool) -> None:
    endpoint = post("/feed").events(int, reconnect=reconnect).with_options(timeout=7)
    recorder = Recorder()
    failures = [one.failure() async for one in endpoint()(recorder)]  # type: ignore[arg-type]  # a recorder
    assert recorder.calls == [
        (
            "/feed",
            {"method": "POST", "reconnect": reconnect, "timeout": 7, "url_template": "/feed"},
        )
    ]
    (failure,) = failures
    assert isinstance(failure, HTTPDecodeError)
    assert (failure.url, failure.method) == ("http://h/feed", "POST")


def test_an_event_is_read_as_its_declared_type() -> None:
    event = ServerSentEvent("7")
    assert get("/").events(int).read_event(event) == Success(7)
    assert get("/").events(ServerSentEvent).read_event(event).unwrap() is event
    failure = get("/").events(list[int]).read_event(event).failure()
    assert isinstance(failure, HTTPDecodeError)
    assert (failure.url, failure.method) == ("", "GET")
    assert not get("/").events(int).reconnect


async def test_the_end_of_its_block_closes_a_feed_that_was_not_read_to_its_end() -> None:
    recorder = Recorder()
    async with get("/").events(int)()(recorder) as feed:  # type: ignore[arg-type]  # a recorder
        await anext(aiter(feed))
        assert recorder.is_open
    assert not recorder.is_open
