"""Applications of FastAPI, of Starlette and by hand, requested without a socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request as StarletteRequest
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from railhttp import (
    Delivery,
    HTTPClient,
    HTTPConnectionError,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.testing import ASGITransport, ManualClock
from railhttp.testing.asgi_app import Message, Receive, Send


class User(BaseModel):
    name: str


def shop() -> FastAPI:
    app = FastAPI()

    @app.post("/users/{number}")
    async def create(number: int, user: User, request: Request) -> dict[str, object]:
        return {
            "number": number,
            "name": user.name,
            "client": request.client.host if request.client else None,
            "url": str(request.url),
            "agent": request.headers["user-agent"].partition("/")[0],
        }

    @app.get("/missing")
    async def missing() -> None:
        raise HTTPException(404, "nothing here")

    @app.get("/broken")
    async def broken() -> None:
        raise LookupError("a defect of the app")

    return app


async def test_a_fastapi_app_gets_what_a_server_would_pass() -> None:
    async with HTTPClient(exchange=ASGITransport(shop())) as client:
        result = await client.post("http://shop/users/7?page=1", json={"name": "Ann"})
    assert result.unwrap().json() == {
        "number": 7,
        "name": "Ann",
        "client": "127.0.0.1",
        "url": "http://shop/users/7?page=1",
        "agent": "railhttp",
    }


async def test_its_validation_is_a_status() -> None:
    async with HTTPClient(exchange=ASGITransport(shop())) as client:
        wrong = (await client.post("http://shop/users/x", json={})).failure()
        missing = (await client.get("http://shop/missing")).failure()
    assert isinstance(wrong, HTTPStatusError)
    assert isinstance(missing, HTTPStatusError)
    assert (wrong.status, missing.status) == (422, 404)
    assert missing.response.json() == {"detail": "nothing here"}


async def test_what_the_app_raises_fails_the_call_with_its_cause() -> None:
    async with HTTPClient(exchange=ASGITransport(shop())) as client:
        failure = (await client.get("http://shop/broken")).failure()
    assert isinstance(failure, HTTPInterceptorError)
    assert (failure.interceptor, failure.attempts) == ("app", 1)
    assert isinstance(failure.__cause__, LookupError)


async def test_or_is_what_a_server_makes_of_it() -> None:
    transport = ASGITransport(shop(), raise_app_exceptions=False)
    async with HTTPClient(exchange=transport) as client:
        response = await client.request("POST", "http://shop/broken")
        broken = (await client.post("http://shop/users/7", json={"name": "A"})).unwrap()
    assert (response.status, broken.status) == (405, 200)
    async with HTTPClient(exchange=transport) as client:
        failure = (await client.get("http://shop/broken", timeout=5)).failure()
    assert isinstance(failure, HTTPStatusError)
    assert failure.status == 500


async def test_an_app_without_a_lifespan_of_its_own_starts_too() -> None:
    async def plain(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    async with ASGITransport(plain) as transport, HTTPClient(exchange=transport) as client:
        assert (await client.get("http://app/")).unwrap().status == 204


async def test_the_lifespan_runs_around_the_block_and_shares_its_state() -> None:
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, object]]:
        events.append("start")
        yield {"greeting": "hello"}
        events.append("stop")

    async def greet(request: StarletteRequest) -> PlainTextResponse:
        return PlainTextResponse(request.state.greeting)

    app = Starlette(routes=[Route("/", greet)], lifespan=lifespan)
    async with ASGITransport(app) as transport, HTTPClient(exchange=transport) as client:
        assert (await client.get("http://app/")).unwrap().text == "hello"
        assert events == ["start"]
    assert events == ["start", "stop"]


async def test_a_start_that_fails_is_an_error_at_once() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(RuntimeError, match="startup failed: no database"):
        async with ASGITransport(app):
            pass


async def test_a_body_is_streamed_in_both_directions() -> None:
    seen: list[bytes] = []

    async def echo(request: StarletteRequest) -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            async for chunk in request.stream():
                seen.append(chunk)
                yield chunk.upper()

        return StreamingResponse(chunks())

    async def body() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    app = Starlette(routes=[Route("/", echo, methods=["POST"])])
    async with (
        HTTPClient(exchange=ASGITransport(app)) as client,
        client.stream("POST", "http://app/", data=body()) as stream,
    ):
        chunks = [chunk async for chunk in stream]
    assert (chunks, seen) == ([b"ONE", b"TWO"], [b"one", b"two", b""])


async def test_a_coding_of_a_middleware_is_undone() -> None:
    async def page(request: StarletteRequest) -> PlainTextResponse:
        return PlainTextResponse("a" * 5000)

    app = Starlette(
        routes=[Route("/", page)], middleware=[Middleware(GZipMiddleware, minimum_size=10)]
    )
    async with HTTPClient(exchange=ASGITransport(app)) as client:
        response = (await client.get("http://app/")).unwrap()
    assert (response.headers["content-encoding"], len(response.body)) == ("gzip", 5000)


async def test_background_tasks_are_done_when_the_call_is() -> None:
    done: list[str] = []

    async def clean_up() -> None:
        await asyncio.sleep(0.01)
        done.append("cleaned up")

    async def page(request: StarletteRequest) -> PlainTextResponse:
        return PlainTextResponse("hi", background=BackgroundTask(clean_up))

    async with HTTPClient(exchange=ASGITransport(Starlette(routes=[Route("/", page)]))) as client:
        await client.get("http://app/")
    assert done == ["cleaned up"]


async def test_a_client_that_leaves_is_a_disconnect() -> None:
    seen: list[object] = []

    async def endless(scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        seen.append((await receive())["type"])
        try:
            await send({"type": "http.response.body", "body": b"y"})
        except OSError as error:
            seen.append(type(error))

    async with HTTPClient(exchange=ASGITransport(endless)) as client:
        async with client.stream("GET", "http://app/") as stream:
            assert await anext(aiter(stream)) == b"x"
        await asyncio.sleep(0)
    assert seen == ["http.disconnect", ConnectionResetError]


async def test_an_app_that_ignores_the_disconnect_is_cancelled() -> None:
    ended = asyncio.Event()

    async def stubborn(scope: Message, receive: Receive, send: Send) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with HTTPClient(exchange=ASGITransport(stubborn)) as client:
        failure = (await client.post("http://app/", timeout=0.02)).failure()
        async with asyncio.timeout(60):
            await ended.wait()
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, failure.delivery) == ("total", Delivery.MAYBE_SENT)


async def test_silence_is_measured_by_the_clock_of_the_transport() -> None:
    clock = ManualClock()

    async def silent(scope: Message, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    transport = ASGITransport(silent, clock=clock)
    async with HTTPClient(exchange=transport, clock=clock) as client:
        call = asyncio.create_task(client.post("http://app/", read_timeout=5, timeout=60))
        await asyncio.sleep(0.01)
        await clock.advance(5)
        failure = (await call).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, failure.limit) == ("read", 5)


@pytest.mark.parametrize(
    ("messages", "kind"),
    [
        ([], "disconnected"),
        ([{"type": "http.response.start", "status": 200}], "truncated"),
        (
            [
                {"type": "http.response.start", "status": 200},
                {"type": "http.response.body", "body": b"part", "more_body": True},
            ],
            "truncated",
        ),
    ],
)
async def test_an_app_that_returns_too_early(messages: list[Message], kind: str) -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    async with HTTPClient(exchange=ASGITransport(app)) as client:
        failure = (await client.post("http://app/")).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.kind == kind


async def test_messages_out_of_order_are_an_error_of_the_app() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.body", "body": b"x"})

    async with HTTPClient(exchange=ASGITransport(app)) as client:
        failure = (await client.get("http://app/")).failure()
    assert isinstance(failure.__cause__, RuntimeError)


async def test_a_request_body_that_breaks_fails_the_call_and_disconnects_the_app() -> None:
    seen: list[object] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "http.request":
            pass
        seen.append(message["type"])

    async def body() -> AsyncIterator[bytes]:
        yield b"part"
        raise LookupError

    async with HTTPClient(exchange=ASGITransport(app)) as client:
        failure = (await client.post("http://app/", data=body())).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, seen) == ("data", ["http.disconnect"])


async def test_the_root_path_is_that_of_the_mount() -> None:
    seen: list[object] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        seen.append((scope["root_path"], scope["path"], scope["raw_path"], scope["query_string"]))
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    transport = ASGITransport(app, root_path="/api")
    async with HTTPClient(exchange=transport) as client:
        await client.get("http://app/caf%C3%A9?q=%20")
    assert seen == [("/api", "/café", b"/caf%C3%A9", b"q=%20")]
