"""Server-sent events over real connections: one, and one after another."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

import pytest
from tests.client.hurried_clock import HurriedClock
from tests.servers.connection import Connection, Received
from tests.servers.faults import FaultServer
from tests.servers.leaks import nothing_left
from tests.servers.registry import answer, head
from tests.servers.scripted import Play, ScriptedServer, sends

from railhttp import (
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPStatusError,
    HTTPTimeoutError,
    RetryPolicy,
)
from railhttp.testing import ManualClock, ScriptedTransport
from railhttp.wire.sse import ServerSentEvent

HEAD: Final = head("Content-Type: text/event-stream; charset=utf-8", "Connection: close")
NO_MORE: Final = sends(answer(b"", status="204 No Content"))


def once_told(told: asyncio.Event, *pieces: bytes, reset: bool = False) -> Play:
    """Send pieces, wait until told, and break off."""

    async def play(connection: Connection, _: Received) -> None:
        for piece in pieces:
            await connection.send(piece)
        await told.wait()
        if reset:
            connection.reset()

    return play


async def stalls(connection: Connection, _: Received) -> None:
    """Send nothing at all."""
    await connection.until_gone()


async def texts(
    client: HTTPClient, server: ScriptedServer, *, told: asyncio.Event | None = None
) -> list[str]:
    """The data of all events of a stream that reconnects; with each of them the server is told."""
    seen = []
    async with client.sse(server.url(), reconnect=True) as events:
        async for event in events:
            seen.append(event.data)
            if told is not None:
                told.set()
    return seen


async def test_events_come_as_they_are_sent(client: HTTPClient) -> None:
    arrived = asyncio.Event()

    async def play(connection: Connection, _: Received) -> None:
        await connection.send(HEAD + b"event: greeting\nid: 1\ndata: one\n\ndata: tw")
        await arrived.wait()
        await connection.send(b"o\n\ndata: never whole\n")

    async with ScriptedServer(play) as server, client.sse(server.url()) as events:
        seen = []
        async for event in events:
            seen.append(event)
            arrived.set()
    assert seen == [
        ServerSentEvent("one", "greeting", "1"),
        ServerSentEvent("two", event_id="1"),
    ]
    request = server.received[0]
    assert request.header("Accept") == "text/event-stream"
    assert request.header("Cache-Control") == "no-store"
    assert request.all("Last-Event-ID") == []


async def test_the_callers_own_headers_count(client: HTTPClient) -> None:
    headers = {"accept": "text/*", "X-Id": "7"}
    async with (
        ScriptedServer(sends(HEAD)) as server,
        client.sse(server.url(), headers=headers) as events,
    ):
        assert [event async for event in events] == []
    assert server.received[0].all("Accept") == ["text/*"]
    assert server.received[0].header("X-Id") == "7"


async def test_a_stream_may_be_the_answer_to_a_post(client: HTTPClient) -> None:
    async with (
        ScriptedServer(sends(HEAD + b"data: token\n\n")) as server,
        client.sse(server.url(), method="POST", json={"prompt": "hello"}) as events,
    ):
        assert [event.data async for event in events] == ["token"]
    assert server.received[0].method == "POST"
    assert server.received[0].body == b'{"prompt":"hello"}'


@pytest.mark.parametrize("status", ["404 Not Found", "503 Busy", "204 No Content", "302 Found"])
async def test_any_status_but_200_is_refused_with_its_answer(status: str) -> None:
    body = b"" if status.startswith("204") else b"sorry"
    async with (
        ScriptedServer(sends(answer(body, "Connection: close", status=status))) as server,
        HTTPClient(retry_policy=RetryPolicy(max_attempts=1)) as client,
    ):
        with pytest.raises(HTTPStatusError) as caught:
            async with client.sse(server.url()):
                pass
    assert str(caught.value.status) == status[:3]
    assert caught.value.response.body == body


async def test_an_error_page_that_drips_for_ever_is_not_waited_for() -> None:
    async def drip(connection: Connection, _: Received) -> None:
        await connection.send(head("Content-Length: 1000", status="404 Not Found"))
        while True:
            await connection.send(b"a")
            await asyncio.sleep(0.01)

    config = HTTPClientConfig(timeout=0.1, trust_env=False)
    async with ScriptedServer(drip) as server, HTTPClient(config) as client:
        with pytest.raises(HTTPStatusError) as caught:
            async with asyncio.timeout(60.0), client.sse(server.url()):
                pass
    assert caught.value.status == 404
    assert set(caught.value.response.body) == set(b"a")


GZIP_404 = head("Content-Length: 5", "Content-Encoding: gzip", status="404 Not Found")


@pytest.mark.parametrize("reconnect", [False, True])
@pytest.mark.parametrize(
    ("page", "body"),
    [
        (head("Content-Length: 100", status="404 Not Found") + b"sor", b"sor"),
        (head("Content-Length: 100", status="404 Not Found"), b""),
        (GZIP_404 + b"sorry", b""),
        (answer(bytes(5000), status="404 Not Found"), bytes(1000)),
    ],
    ids=["breaks off", "never comes", "corrupt", "too large"],
)
async def test_a_status_says_more_than_how_its_error_page_ends(
    page: bytes, body: bytes, reconnect: bool
) -> None:
    config = HTTPClientConfig(max_response_bytes=1000, trust_env=False)
    async with ScriptedServer(sends(page)) as server, HTTPClient(config) as client:
        with pytest.raises(HTTPStatusError) as caught:
            async with client.sse(server.url(), reconnect=reconnect):
                pass
    assert (caught.value.status, caught.value.response.body) == (404, body)


async def test_a_refusal_whose_page_is_read_in_part_closes_its_connection() -> None:
    gone = asyncio.Event()

    async def play(connection: Connection, _: Received) -> None:
        await connection.send(head("Content-Length: 10000", status="404 Not Found") + bytes(5000))
        await connection.until_gone()
        gone.set()

    config = HTTPClientConfig(max_response_bytes=1000, trust_env=False)
    async with ScriptedServer(play) as server, HTTPClient(config) as client:
        with pytest.raises(HTTPStatusError) as caught:
            async with client.sse(server.url()):
                pass
        async with asyncio.timeout(60.0):
            await gone.wait()
    assert len(caught.value.response.body) == 1000  # it is kept all the time, with its traceback


async def test_stopping_the_client_ends_the_reading_of_an_error_page(client: HTTPClient) -> None:
    page = head("Content-Length: 100", status="404 Not Found") + b"sor"
    async with ScriptedServer(once_told(asyncio.Event(), page)) as server:
        asyncio.get_running_loop().call_later(0.05, lambda: asyncio.ensure_future(client.stop()))
        with pytest.raises(HTTPConnectionError) as caught:
            async with client.sse(server.url()):
                pass
    assert caught.value.kind == "closed"


async def test_what_is_no_event_stream_is_refused(client: HTTPClient, faults: FaultServer) -> None:
    async with nothing_left(), HTTPClient() as client:
        with pytest.raises(HTTPDecodeError) as caught:
            async with client.sse(faults.url("/json-as-html")):
                pass
    assert (caught.value.where, caught.value.content_type) == ("Content-Type", "text/html")


async def test_an_event_beyond_the_callers_limit_is_too_large(client: HTTPClient) -> None:
    async with (
        ScriptedServer(sends(HEAD + b"data: " + b"a" * 2000)) as server,
        client.sse(server.url(), max_event_bytes=1000) as events,
    ):
        with pytest.raises(HTTPResponseTooLargeError) as caught:
            await anext(events)
    assert caught.value.limit == 1000


@pytest.mark.parametrize("limit", ["x", 0, -1, 1.5, True])
async def test_a_limit_that_is_none_is_refused_before_anything_is_sent(
    client: HTTPClient, limit: int
) -> None:
    with pytest.raises(HTTPInvalidRequestError, match="positive integer") as caught:
        async with client.sse("http://127.0.0.1:1/", max_event_bytes=limit):
            pass
    assert (caught.value.field, caught.value.attempts) == ("max_event_bytes", 0)


async def test_without_reconnecting_a_drop_is_a_failure(client: HTTPClient) -> None:
    told = asyncio.Event()
    play = once_told(told, HEAD + b"data: one\n\n", reset=True)
    async with ScriptedServer(play) as server, client.sse(server.url()) as events:
        assert (await anext(events)).data == "one"
        told.set()
        with pytest.raises(HTTPConnectionError):
            await anext(events)


async def test_a_slow_consumer_gets_the_events_that_came_before_a_drop(client: HTTPClient) -> None:
    async def play(connection: Connection, _: Received) -> None:
        await connection.send(head("Content-Type: text/event-stream", "Transfer-Encoding: chunked"))
        for number in range(10):
            await connection.send(b"9\r\ndata: %d\n\n\r\n" % number)
            await asyncio.sleep(0.001)

    async with ScriptedServer(play) as server, client.sse(server.url()) as events:
        for number in range(10):
            assert (await anext(events)).data == str(number)
            await asyncio.sleep(0.02)
        with pytest.raises(HTTPConnectionError):
            await anext(events)


async def test_silence_ends_a_stream(client: HTTPClient) -> None:
    play = once_told(asyncio.Event(), HEAD)
    async with (
        ScriptedServer(play) as server,
        client.sse(server.url(), read_timeout=0.02) as events,
    ):
        with pytest.raises(HTTPTimeoutError) as caught:
            await anext(events)
    assert caught.value.phase == "read"


async def test_leaving_the_block_closes_the_connection() -> None:
    async with nothing_left():
        play = once_told(asyncio.Event(), HEAD + b"data: one\n\n")
        async with ScriptedServer(play) as server, HTTPClient() as client:
            async with client.sse(server.url(), reconnect=True) as events:
                async for _ in events:
                    break
            with pytest.raises(HTTPConnectionError) as caught:
                await anext(events)
    assert caught.value.kind == "closed"


# -- reconnecting ---------------------------------------------------------------------------


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_after_a_drop_the_stream_goes_on_from_the_last_id(
    client: HTTPClient, reset: bool
) -> None:
    told = asyncio.Event()
    server = ScriptedServer(
        once_told(told, HEAD + b"retry: 1\n\nid: 7\ndata: a\n\nid: 8\ndata: ha", reset=reset),
        sends(HEAD + b"id: 8\ndata: b\n\n"),
        NO_MORE,
    )
    async with server:
        assert await texts(client, server, told=told) == ["a", "b"]
    assert [request.header("Last-Event-ID") for request in server.received] == ["", "7", "8"]


@pytest.mark.parametrize("event_id", ["a\x07b", "\x7f", "\x85"])
async def test_an_id_of_the_server_that_no_header_can_hold_is_not_sent(
    client: HTTPClient, event_id: str
) -> None:
    event = f"retry: 1\nid: {event_id}\ndata: a\n\n".encode()
    server = ScriptedServer(sends(HEAD + event), sends(HEAD + b"data: b\n\n"), NO_MORE)
    async with server, client.sse(server.url(), reconnect=True) as events:
        assert [(event.data, event.event_id) async for event in events] == [
            ("a", event_id),
            ("b", event_id),
        ]
    assert [request.all("Last-Event-ID") for request in server.received] == [[], [], []]


async def test_an_earlier_stream_can_be_gone_on_with(client: HTTPClient) -> None:
    async with (
        ScriptedServer(sends(HEAD + b"data: on\n\n")) as server,
        client.sse(server.url(), last_event_id="né") as events,
    ):
        assert [event.event_id async for event in events] == ["né"]
    assert server.received[0].header("Last-Event-ID").encode("latin-1").decode() == "né"


async def test_an_id_that_no_header_can_hold_is_refused(client: HTTPClient) -> None:
    with pytest.raises(HTTPInvalidRequestError) as caught:
        async with client.sse("http://h/", last_event_id="a\nb"):
            pass
    assert (caught.value.field, caught.value.url) == ("headers", "http://h/")


async def test_a_204_ends_the_stream_even_at_first(client: HTTPClient) -> None:
    async with ScriptedServer(NO_MORE) as server:
        assert await texts(client, server) == []
    assert len(server.received) == 1


async def test_the_server_names_the_wait_and_chance_adds_to_it() -> None:
    clock = HurriedClock()
    server = ScriptedServer(
        sends(HEAD + b"data: a\n\n"),  # 3 s where none is named
        sends(HEAD + b"retry: 2000\n\n"),
        sends(HEAD),  # fruitless, for the second time
        sends(HEAD + b"data: b\n\n"),
        NO_MORE,
    )
    async with server, HTTPClient(clock=clock) as client:
        assert await texts(client, server) == ["a", "b"]
    assert clock.slept == [3 + 1.5, 2 + 2.0, 2 + 4.0, 2 + 1.0]


async def test_waits_grow_no_further_than_their_bound() -> None:
    clock = HurriedClock()
    plays = [sends(HEAD + b"retry: 0\n\n") for _ in range(15)]
    server = ScriptedServer(*plays, NO_MORE)
    async with server, HTTPClient(clock=clock) as client:
        assert await texts(client, server) == []
    assert (clock.slept[0], clock.slept[-1]) == (0.05, 15.0)


async def test_a_server_that_is_gone_for_a_while_is_asked_again() -> None:
    clock = HurriedClock()
    server = ScriptedServer(
        sends(HEAD + b"data: a\n\n"),
        sends(answer(b"", "Connection: close", status="503 Busy")),
        sends(b""),
        sends(HEAD + b"data: b\n\n"),
        NO_MORE,
    )
    policy = RetryPolicy(max_attempts=1)
    async with server, HTTPClient(retry_policy=policy, clock=clock) as client:
        assert await texts(client, server) == ["a", "b"]


async def test_a_failure_of_a_stream_that_was_opened_again_speaks_of_all_its_openings() -> None:
    gone = sends(answer(b"", "Connection: close", status="410 Gone"))
    server = ScriptedServer(sends(HEAD + b"data: a\n\n"), sends(b""), gone)
    policy = RetryPolicy(max_attempts=1)
    async with server, HTTPClient(retry_policy=policy, clock=HurriedClock()) as client:
        with pytest.raises(HTTPStatusError) as caught:
            await texts(client, server)
    assert (caught.value.attempts, caught.value.delivery) == (3, Delivery.ANSWERED)


async def test_a_stream_that_was_answered_once_is_never_called_unsent() -> None:
    config, clock = HTTPClientConfig(trust_env=False), ManualClock()
    gone = asyncio.Event()
    async with (
        HTTPClient(config, retry_policy=RetryPolicy(1), clock=clock) as client,
        AsyncExitStack() as listening,
    ):
        server = ScriptedServer(sends(HEAD + b"data: a\n\n"))
        await listening.enter_async_context(server)

        async def until_the_server_is_gone() -> None:
            async with client.sse(server.url(), reconnect=True, timeout=100.0) as events:
                async for _ in events:
                    await listening.aclose()
                    gone.set()

        reading = asyncio.ensure_future(until_the_server_is_gone())
        await gone.wait()
        while not reading.done():
            await clock.advance(1.0)
            await asyncio.sleep(0.001)
        with pytest.raises(HTTPTimeoutError) as caught:
            await reading
    assert (caught.value.phase, caught.value.delivery) == ("total", Delivery.ANSWERED)
    assert caught.value.attempts > 1
    assert caught.value.elapsed >= 100.0


async def test_a_head_that_comes_too_late_does_not_end_the_stream() -> None:
    server = ScriptedServer(
        sends(HEAD + b"data: a\n\n"), stalls, sends(HEAD + b"data: b\n\n"), NO_MORE
    )
    config = HTTPClientConfig(timeout=0.25, trust_env=False)
    async with server, HTTPClient(config, clock=HurriedClock()) as client:
        assert await texts(client, server) == ["a", "b"]


async def test_the_calls_timeout_bounds_a_reconnection_without_a_head() -> None:
    server, clock = ScriptedServer(sends(HEAD + b"retry: 0\n\n"), stalls), ManualClock()

    async def first_event(client: HTTPClient) -> object:
        async with client.sse(server.url(), reconnect=True, timeout=1000.0) as events:
            return await anext(events)

    async with server, HTTPClient(HTTPClientConfig(trust_env=False), clock=clock) as client:
        reading = asyncio.ensure_future(first_event(client))
        while len(server.received) < 2:  # its time to reconnect comes
            await clock.advance(0.1)
            await asyncio.sleep(0.001)
        await clock.advance(1000.0)
        with pytest.raises(HTTPTimeoutError) as caught:
            await reading
    assert (caught.value.phase, len(server.received)) == ("total", 2)


async def test_a_reconnection_without_a_head_ends_when_the_time_of_the_stream_is_over() -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    events = {"Content-Type": "text/event-stream"}
    script.on("GET", "/").reply(body=b"retry: 4000\n\n", headers=events).hang()

    async def main() -> None:
        async with (
            HTTPClient(exchange=script, clock=clock) as client,
            client.sse("http://h/", reconnect=True, timeout=10.0) as stream,
        ):
            await anext(stream)

    with pytest.raises(HTTPTimeoutError) as caught:
        await clock.run(main())
    assert (caught.value.phase, len(script.calls)) == ("total", 2)
    assert clock.monotonic() == pytest.approx(10.0)


async def test_an_answer_that_will_not_change_ends_the_stream() -> None:
    server = ScriptedServer(sends(HEAD + b"data: a\n\n"), sends(answer(b"", status="410 Gone")))
    async with server, HTTPClient(clock=HurriedClock()) as client:
        with pytest.raises(HTTPStatusError) as caught:
            await texts(client, server)
    assert caught.value.status == 410


async def test_a_refusal_whose_error_page_breaks_off_ends_the_stream_too() -> None:
    gone = head("Content-Length: 100", status="410 Gone") + b"sor"
    server = ScriptedServer(sends(HEAD + b"data: a\n\n"), sends(gone), NO_MORE)
    async with server, HTTPClient(clock=HurriedClock()) as client:
        with pytest.raises(HTTPStatusError) as caught:
            await texts(client, server)
    assert (caught.value.status, caught.value.response.body) == (410, b"sor")


async def test_a_corrupt_stream_is_not_asked_for_again() -> None:
    fields = ("Content-Type: text/event-stream", "Content-Encoding: gzip")
    server = ScriptedServer(sends(answer(b"data: no gzip\n\n", *fields)))
    async with server, HTTPClient(clock=HurriedClock()) as client:
        with pytest.raises(HTTPDecodeError):
            await texts(client, server)
    assert len(server.received) == 1


async def test_the_calls_timeout_bounds_reconnections_too() -> None:
    server = ScriptedServer(sends(HEAD + b"retry: 10\n\n"))
    async with server, HTTPClient() as client:
        with pytest.raises(HTTPTimeoutError) as caught:
            async with client.sse(server.url(), reconnect=True, timeout=0.2) as events:
                await anext(events)
    assert (caught.value.phase, caught.value.message) == ("total", "not done within 0.2s")


async def test_stopping_the_client_ends_a_wait(client: HTTPClient) -> None:
    async with (
        ScriptedServer(sends(HEAD)) as server,
        client.sse(server.url(), reconnect=True) as events,
    ):
        asyncio.get_running_loop().call_later(0.02, lambda: asyncio.ensure_future(client.stop()))
        with pytest.raises(HTTPConnectionError) as caught:
            await anext(events)
    assert caught.value.kind == "closed"


async def test_a_block_that_was_left_does_not_reconnect() -> None:
    """The events are read in another task than the one that leaves the block."""
    async with nothing_left():
        server = ScriptedServer(sends(HEAD + b"retry: 20\n\n"))
        async with server, HTTPClient(HTTPClientConfig(timeout=5)) as client:
            async with client.sse(server.url(), reconnect=True) as events:
                reading = asyncio.ensure_future(anext(events))
                await asyncio.sleep(0.01)  # now it waits for its time to reconnect
            with pytest.raises(HTTPConnectionError) as caught:
                await reading
    assert caught.value.kind == "closed"


async def test_a_post_cannot_reconnect(client: HTTPClient) -> None:
    with pytest.raises(HTTPInvalidRequestError) as caught:
        async with client.sse("http://h/", method="post", reconnect=True):
            pass
    assert (caught.value.field, caught.value.attempts) == ("reconnect", 0)


async def test_an_iteration_that_is_closed_has_no_further_event(client: HTTPClient) -> None:
    async with (
        ScriptedServer(sends(HEAD + b"data: a\n\ndata: b\n\n")) as server,
        client.sse(server.url()) as events,
    ):
        assert (await anext(events)).data == "a"
        await events.aclose()
        assert [event.data async for event in events] == []


async def test_a_block_that_is_left_during_a_wait_does_not_try_for_ever() -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    events = {"Content-Type": "text/event-stream"}
    route = script.on("GET", "/").reply(body=b"data: a\n\n", headers=events)
    route.fail(ConnectionRefusedError(), at="connect")
    once = RetryPolicy(1)
    async with HTTPClient(exchange=script, clock=clock, retry_policy=once) as client:
        async with client.sse("http://h/", reconnect=True) as stream:
            assert (await anext(stream)).data == "a"
            going_on = asyncio.ensure_future(anext(stream, None))
            await clock.advance(1.0)
            assert not going_on.done()
            sent = len(script.calls)
        await clock.advance(1000.0)
        with pytest.raises(HTTPConnectionError) as caught:
            await going_on
    assert (caught.value.kind, len(script.calls)) == ("closed", sent)
