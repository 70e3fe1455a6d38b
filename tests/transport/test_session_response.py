"""Responses of aiohttp's session are read as our own."""

import aiohttp
import pytest
from tests.servers.registry import answer
from tests.servers.scripted import ScriptedServer, sends

from railhttp import ConnectionPool, Delivery, HTTPConnectionError, HTTPValidationError
from railhttp.transport.client_response import session_response


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_it_has_all_that_the_response_has(version: str) -> None:
    reply = answer(b"abc" * 1000, "X-Id: 7", status="203 Other")
    reply = reply.replace(b"HTTP/1.1", b"HTTP/" + version.encode())
    async with ScriptedServer(sends(reply)) as server, aiohttp.ClientSession() as session:
        url = server.url("/a")
        async with session.put(url) as resp:
            head = session_response(resp).answer()
            whole = await session_response(resp).page()
    for response in (head, whole):
        assert (response.status, response.headers["x-id"]) == (203, "7")
        assert (response.url, response.method) == (url, "PUT")
        assert response.http_version == version
    assert (head.body, whole.body) == (b"", b"abc" * 1000)


async def test_a_failure_names_its_request_and_that_it_was_answered() -> None:
    short = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
    async with ScriptedServer(sends(short)) as server, aiohttp.ClientSession() as session:
        url = server.url("/a")
        async with session.put(url) as resp:
            with pytest.raises(HTTPConnectionError) as caught:
                await session_response(resp).read()
    failure = caught.value
    assert (failure.kind, failure.method, failure.url) == ("truncated", "PUT", url)
    assert (failure.delivery, failure.attempts) == (Delivery.ANSWERED, 1)


def test_anything_else_is_refused_by_its_type() -> None:
    with pytest.raises(HTTPValidationError, match="got str") as caught:
        session_response("s3cret")
    assert caught.value.field == "resp"
    assert "s3cret" not in str(caught.value)


async def test_a_pool_that_is_not_started_has_sent_nothing() -> None:
    with pytest.raises(HTTPConnectionError) as caught:
        _ = ConnectionPool().session
    assert (caught.value.delivery, caught.value.attempts) == (Delivery.NOT_SENT, 0)
