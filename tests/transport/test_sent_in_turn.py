"""A waiting call's request is sent by the call that gives its connection back."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Final
from unittest.mock import Mock

import pytest
from aiohttp.client_reqrep import ConnectionKey
from returns.result import Result
from tests.patience import until
from tests.servers.connection import Connection, Received
from tests.servers.faults import FaultServer
from tests.servers.registry import answer
from tests.servers.scripted import ScriptedServer, sends
from yarl import URL

from railhttp import (
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HttpResponse,
    HTTPTimeoutError,
    RetryPolicy,
)
from railhttp.model.body import BytesBody, StreamBody
from railhttp.model.config import ConnectionPoolConfig
from railhttp.model.errors import HTTPFailure
from railhttp.model.events import HTTPEvent, WaitEvent
from railhttp.model.field_lines import FieldLines
from railhttp.model.request import Request, SendOptions
from railhttp.model.stage import Stage
from railhttp.model.timings import PhaseTimer
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.http_call import HTTPCall
from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.fair_connector import FairConnector
from railhttp.transport.waiter import Turn, Waiter

CONFIG: Final = HTTPClientConfig(ConnectionPoolConfig(max_connections=1), trust_env=False)
ONCE: Final = RetryPolicy(max_attempts=1, reraise=True)
Outcome = Result[HttpResponse, HTTPFailure]


@asynccontextmanager
async def queued(
    faults: FaultServer, call: Callable[[HTTPClient], asyncio.Task[Outcome]]
) -> AsyncIterator[tuple[HTTPClient, asyncio.Task[Outcome]]]:
    """A call that has waited for the only connection, which another call has given back."""
    async with HTTPClient(CONFIG, retry_policy=ONCE) as client:
        first = asyncio.create_task(client.get(faults.url("/slow-head", seconds=0.02)))
        await until(lambda: faults.received)
        waiting = call(client)
        await until(lambda: client.pool.gauges.waiting == 1)
        (await first).unwrap()
        await until(lambda: client.pool.gauges.waiting == 0)
        yield client, waiting
        (await client.get(faults.url())).unwrap()  # the place is free again
        assert client.pool.gauges == (1, 1, 0, 1)


def get(url: str, **options: float) -> Callable[[HTTPClient], asyncio.Task[Outcome]]:
    return lambda client: asyncio.create_task(client.get(url, read_timeout=options.get("read", 60)))


async def test_the_connection_goes_on_with_the_request_of_the_waiting_call(
    faults: FaultServer,
) -> None:
    async with queued(faults, get(faults.url())) as (_, waiting):
        assert (await waiting).unwrap().body == b"ok"
    assert [seen.connection for seen in faults.received] == [1, 1, 1]


async def test_a_call_that_is_cancelled_after_its_request_was_sent_closes_the_connection(
    faults: FaultServer,
) -> None:
    async with queued(faults, get(faults.url("/stall-before-head"))) as (_, waiting):
        await until(lambda: len(faults.received) == 2)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert [seen.connection for seen in faults.received] == [1, 1, 2]


async def test_silence_after_the_request_was_sent_is_a_read_timeout(faults: FaultServer) -> None:
    async with queued(faults, get(faults.url("/stall-before-head"), read=0.05)) as (_, waiting):
        failure = (await waiting).failure()
        assert isinstance(failure, HTTPTimeoutError)
        assert (failure.phase, failure.limit) == ("read", 0.05)
        assert failure.delivery is Delivery.MAYBE_SENT


async def test_a_connection_that_drops_fails_the_call_whose_request_was_sent(
    faults: FaultServer,
) -> None:
    async with queued(faults, get(faults.url("/reset-before-head"))) as (_, waiting):
        failure = (await waiting).failure()
        assert isinstance(failure, HTTPConnectionError)
        assert failure.delivery is Delivery.MAYBE_SENT


async def test_stopping_the_client_ends_a_call_whose_request_was_sent(faults: FaultServer) -> None:
    async with HTTPClient(CONFIG, retry_policy=ONCE) as client:
        first = asyncio.create_task(client.get(faults.url("/slow-head", seconds=0.02)))
        await until(lambda: faults.received)
        waiting = asyncio.create_task(client.get(faults.url("/stall-before-head")))
        await until(lambda: len(faults.received) == 2)
        (await first).unwrap()
    failure = (await waiting).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.kind == "closed"


async def test_an_exception_while_a_request_is_sent_is_that_of_the_waiting_call(
    faults: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("railhttp.transport.waiter.start_sending", Mock(side_effect=OSError("x")))
        async with queued(faults, get(faults.url())) as (_, waiting):
            assert isinstance((await waiting).failure(), HTTPConnectionError)
            patched.undo()


async def test_a_body_that_is_streamed_is_sent_whole_after_the_wait(faults: FaultServer) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(0)
        yield b"b"

    async with HTTPClient(CONFIG, retry_policy=ONCE) as client:
        calls = (client.post(faults.url(), data=body()) for _ in range(3))
        for outcome in await asyncio.gather(*calls):
            outcome.unwrap()
    assert [seen.body for seen in faults.received] == [b"ab"] * 3


async def test_a_wait_is_reported_in_the_context_of_its_call(faults: FaultServer) -> None:
    name: ContextVar[str] = ContextVar("name")
    seen: list[str] = []

    def observe(event: HTTPEvent) -> None:
        if isinstance(event, WaitEvent):
            seen.append(name.get())

    async def call(client: HTTPClient, own: str) -> None:
        name.set(own)
        (await client.get(faults.url())).unwrap()

    async with HTTPClient(CONFIG, observers=[observe]) as client:
        await asyncio.gather(*(call(client, own) for own in ("first", "second", "third")))
    assert seen == ["second", "third"]


async def test_a_wait_that_ends_without_a_connection_is_reported_too(faults: FaultServer) -> None:
    seen: list[tuple[str, bool]] = []

    def observe(event: HTTPEvent) -> None:
        if isinstance(event, WaitEvent):
            seen.append((event.queue, event.admitted))

    async with HTTPClient(CONFIG, retry_policy=ONCE, observers=[observe]) as client:
        holder = asyncio.create_task(client.get(faults.url("/stall-before-head")))
        await until(lambda: faults.received)
        failure = (await client.get(faults.url(), timeout=0.05)).failure()
        assert isinstance(failure, HTTPTimeoutError)
        assert failure.phase == "total"
        holder.cancel()
        await asyncio.gather(holder, return_exceptions=True)
    assert seen == [("pool", False)]


# --- when the waiting call has to send it itself

REQUEST: Final = Request(
    "POST", URL("http://a.test/"), None, BytesBody(b"x", ""), None, SendOptions()
)
EXPECTS: Final = {"Expect": "100-continue"}


def timed(call: HTTPCall) -> None:
    call.timer = PhaseTimer(lambda: 0.0)


@pytest.mark.parametrize(
    ("request_", "prepare", "is_sent"),
    [
        (REQUEST, None, True),
        (replace(REQUEST, body=None), None, True),
        (replace(REQUEST, body=BytesBody(b"x" * 65536, "")), None, True),
        (replace(REQUEST, body=BytesBody(b"x" * 65537, "")), None, False),
        (replace(REQUEST, body=StreamBody((b"x",), "")), None, False),
        (replace(REQUEST, lines=FieldLines.of(EXPECTS)), None, False),
        (replace(REQUEST, options=SendOptions(connect_timeout=9.0)), None, False),
        (REQUEST, timed, False),
    ],
)
async def test_only_a_request_that_is_written_at_once_is_sent_for_the_waiting_call(
    request_: Request, prepare: Callable[[HTTPCall], None] | None, is_sent: bool
) -> None:
    """An upload and the phases of an exchange belong to the task of the call."""
    async with connected() as (connection, peer):
        call = HTTPCall(request_, "http://a.test", SYSTEM_CLOCK, None, None)
        if prepare is not None:
            prepare(call)
        turn: Turn = asyncio.get_running_loop().create_future()
        call.starvation = lambda: "no free connection"
        assert Waiter(request_, b"head", call).begin(connection, turn) is is_sent
        assert (call.starvation is None) is is_sent
        peer.setblocking(False)
        if is_sent:
            assert peer.recv(9).startswith(b"head")
        else:
            with pytest.raises(BlockingIOError):
                peer.recv(9)


@pytest.mark.parametrize("event", ["bytes", "end", "abort"])
async def test_nothing_is_sent_on_a_connection_that_is_not_as_it_was_left(event: str) -> None:
    async with connected() as (connection, peer):
        match event:
            case "bytes":
                peer.sendall(b"late")
            case "end":
                peer.shutdown(socket.SHUT_RDWR)
            case _:
                assert connection.transport is not None
                connection.transport.abort()
        call = HTTPCall(REQUEST, "http://a.test", SYSTEM_CLOCK, None, None)
        turn: Turn = asyncio.get_running_loop().create_future()
        assert not Waiter(REQUEST, b"head", call).begin(connection, turn)
        assert (call.stage, connection.is_idle) == (Stage.QUEUED, True)


@pytest.mark.parametrize("event", ["bytes", "end"])
async def test_a_waiting_call_takes_no_connection_on_which_something_has_come(
    monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    """Something comes after the connection was handed over, and before its new owner runs."""
    hand_over = FairConnector._hand_over

    def hand_over_late(
        connector: FairConnector, key: ConnectionKey, connection: StrictResponseHandler
    ) -> bool:
        handed_over = hand_over(connector, key, connection)
        if event == "bytes":
            peers[0].send(answer(b"late"))
        else:
            peers[0].shutdown(socket.SHUT_WR)
        return handed_over

    async def play(connection: Connection, _: Received) -> None:
        peers.append(connection._sock)
        await is_awaited.wait()
        await connection.send(answer(b"first"))
        await connection.until_gone()

    monkeypatch.setattr(FairConnector, "_hand_over", hand_over_late)
    peers, is_awaited = list[socket.socket](), asyncio.Event()
    async with (
        ScriptedServer(play, sends(answer(b"second"))) as server,
        HTTPClient(CONFIG, retry_policy=ONCE) as client,
    ):
        first = asyncio.create_task(client.get(server.url()))
        await until(lambda: peers)
        waiting = asyncio.create_task(client.get(server.url(), connect_timeout=60.0))
        await until(lambda: client.pool.gauges.waiting == 1)
        is_awaited.set()
        assert (await first).unwrap().body == b"first"
        assert (await waiting).unwrap().body == b"second"


async def test_an_exception_after_the_waiting_call_was_cancelled_disturbs_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An observer of the wait may have cancelled it."""
    monkeypatch.setattr("railhttp.transport.waiter.start_sending", Mock(side_effect=OSError("x")))
    async with connected() as (connection, _):
        call = HTTPCall(REQUEST, "http://a.test", SYSTEM_CLOCK, None, None)
        turn: Turn = asyncio.get_running_loop().create_future()
        turn.cancel()
        assert Waiter(REQUEST, b"head", call).begin(connection, turn)


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[StrictResponseHandler, socket.socket]]:
    """A connection at rest, and its other end."""
    loop = asyncio.get_running_loop()
    own, peer = socket.socketpair()
    with peer:
        _, connection = await loop.create_connection(lambda: StrictResponseHandler(loop), sock=own)
        connection.rest()
        yield connection, peer
        connection.abort()
        await asyncio.sleep(0)


async def test_the_response_of_one_call_leaves_the_read_timeout_of_the_next_alone() -> None:
    is_queued = asyncio.Event()

    async def serve_once(connection: Connection, _: Received) -> None:
        await is_queued.wait()
        await connection.send(answer(b"one"))
        await connection.read_head()
        await asyncio.Event().wait()

    async def streamed(client: HTTPClient, url: str) -> bytes:
        async with client.stream("GET", url, timeout=None, read_timeout=60.0) as response:
            return await response.read()

    async with (
        ScriptedServer(serve_once) as server,
        HTTPClient(CONFIG, retry_policy=ONCE) as client,
        asyncio.timeout(60.0),
    ):
        first = asyncio.create_task(streamed(client, server.url()))
        await until(lambda: client.gauges.pool is not None and client.gauges.pool.open == 1)
        limited = client.get(server.url(), timeout=None, read_timeout=0.1)
        second = asyncio.create_task(limited)
        await until(lambda: client.gauges.pool is not None and client.gauges.pool.waiting == 1)
        is_queued.set()
        assert await first == b"one"
        failure = (await second).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, failure.limit) == ("read", 0.1)
