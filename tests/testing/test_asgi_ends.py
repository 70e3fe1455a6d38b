"""What a call leaves of its application, and what an application sees by default."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HTTPDecodeError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
)
from railhttp.testing import ASGITransport, ScriptedTransport
from railhttp.testing.asgi_app import Message, Receive, Send

START: dict[str, object] = {"type": "http.response.start", "status": 200}
PATIENCE = 60


async def test_an_application_is_at_the_root_and_its_client_on_this_machine() -> None:
    seen: list[Message] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await send(START)
        await send({"type": "http.response.body"})

    async with HTTPClient(exchange=ASGITransport(app)) as client:
        (await client.get("http://app/a")).unwrap()
    assert (seen[0]["root_path"], seen[0]["client"]) == ("", ("127.0.0.1", 50000))
    assert seen[0]["path"] == "/a"


async def test_an_application_whose_body_is_too_large_ends() -> None:
    ended = asyncio.Event()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(START)
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 100, "more_body": True})
        except ConnectionResetError:
            ended.set()

    config = HTTPClientConfig(max_response_bytes=150)
    async with HTTPClient(config, exchange=ASGITransport(app)) as client:
        failure = (await client.get("http://app/")).failure()
        async with asyncio.timeout(PATIENCE):
            await ended.wait()
    assert isinstance(failure, HTTPResponseTooLargeError)


async def test_a_body_that_the_application_does_not_read_is_closed() -> None:
    events: list[str] = []

    async def body() -> AsyncIterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            events.append("closed")

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        await send(START)
        await send({"type": "http.response.body"})

    kept = body()
    async with HTTPClient(exchange=ASGITransport(app)) as client:
        (await client.post("http://app/", data=kept)).unwrap()
        assert events == ["closed"]


@pytest.mark.parametrize("codings", [[b"gzip"] * 6, [b", ".join([b"gzip"] * 6)]])
async def test_more_codings_than_a_server_needs_are_refused_before_the_body(
    codings: list[bytes],
) -> None:
    fields = [(b"Content-Encoding", coding) for coding in codings]

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(START | {"headers": fields})
        await asyncio.Event().wait()

    async with HTTPClient(exchange=ASGITransport(app)) as client:
        failure = (await client.get("http://app/")).failure()
    assert isinstance(failure, HTTPDecodeError)
    assert (failure.where, failure.__cause__) == ("Content-Encoding", None)


async def test_a_body_that_cannot_be_read_fails_the_call_of_an_application_that_goes_on() -> None:
    ended = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"a"
        raise LookupError

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        try:
            while (await receive())["type"] == "http.request":
                pass
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with HTTPClient(exchange=ASGITransport(app)) as client, asyncio.timeout(PATIENCE):
        failure = (await client.post("http://app/", data=body(), timeout=None)).failure()
        await ended.wait()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert failure.field == "data"
    assert isinstance(failure.__cause__, LookupError)


async def test_secret_fields_of_a_head_are_hidden() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(START | {"headers": [(b"X-Odd", b"s3cret")]})
        await send({"type": "http.response.body"})

    script = ScriptedTransport()
    script.on("GET", "/").reply(headers={"X-Odd": "s3cret"})
    config = HTTPClientConfig(secret_headers=["X-Odd"])
    for exchange in (ASGITransport(app), script):
        async with (
            HTTPClient(config, exchange=exchange) as client,
            client.stream("GET", "http://app/") as stream,
        ):
            assert stream.head.headers["X-Odd"] == "s3cret"
            assert "s3cret" not in str(stream.head.redacted().headers)
