"""CONNECT requests, and the responses that open a tunnel."""

import asyncio
from unittest.mock import Mock

import pytest
from aiohttp import ClientConnectionError
from tests.servers.connection import Received
from tests.servers.registry import answer
from tests.servers.scripted import ScriptedServer, sends
from yarl import URL

from railhttp import HTTPClient, HTTPClientConfig, HTTPConnectionError, RequestOptions, RetryPolicy
from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.connector import USER_AGENT
from railhttp.transport.destination import Destination
from railhttp.transport.tunnel import TunnelRefusedError, open_tunnel

ONCE = RetryPolicy(max_attempts=1, reraise=True)
CONFIG = HTTPClientConfig(timeout=60.0, trust_env=False)


async def asked(
    url: str, options: RequestOptions | None = None, user: str = ""
) -> tuple[Received, HTTPConnectionError]:
    """Return what a proxy that refuses reads, and the failure of the call."""
    refusal = sends(answer(b"", status="403 Forbidden"))
    async with ScriptedServer(refusal) as proxy, HTTPClient(CONFIG, retry_policy=ONCE) as client:
        given: RequestOptions = {**(options or {})}
        given["proxy"] = URL(proxy.url("")).with_user(user or None)
        failure = (await client.get(url, **given)).failure()
        (received,) = proxy.received
    assert isinstance(failure, HTTPConnectionError)
    return received, failure


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://h.test/a?b", "h.test:443"),
        ("https://h.test:8443/", "h.test:8443"),
        ("https://[::1]/", "[::1]:443"),
        ("https://[2001:DB8::1]:8443/", "[2001:db8::1]:8443"),
        ("https://bücher.test/", "xn--bcher-kva.test:443"),
    ],
)
async def test_a_proxy_is_asked_for_the_host_and_its_port(url: str, authority: str) -> None:
    received, failure = await asked(url)
    assert (received.method, received.target) == ("CONNECT", authority)
    assert (failure.kind, failure.proxy_status) == ("proxy", 403)


async def test_a_request_for_a_tunnel_has_the_fields_of_the_proxy_alone() -> None:
    options = RequestOptions(headers={"Authorization": "Bearer x", "X-Id": "7", "Accept": "a/b"})
    received, _ = await asked("https://h.test/", options)
    assert dict(received.headers) == {"Host": "h.test", "User-Agent": USER_AGENT}
    received, _ = await asked("https://h.test:8443/", {}, user="ann")
    assert {name for name, _ in received.headers} == {"Host", "User-Agent", "Proxy-Authorization"}
    assert received.header("host") == "h.test:8443"


async def test_the_fields_that_the_call_has_for_the_proxy_are_sent_to_it() -> None:
    fields = {"Accept": "a/b", "Accept-Encoding": "x", "X-Proxy": "7"}
    received, _ = await asked("https://h.test/", {"proxy_headers": fields})
    assert {name: received.header(name) for name in fields} == fields


async def connected() -> tuple[StrictResponseHandler, Mock]:
    connection = StrictResponseHandler(asyncio.get_running_loop())
    transport = Mock(spec=asyncio.Transport)
    transport.is_closing.return_value = False
    transport.get_extra_info.return_value = None
    transport.get_write_buffer_size.return_value = 0
    connection.connection_made(transport)
    return connection, transport


@pytest.mark.parametrize(
    ("status", "opens"),
    [(101, False), (200, True), (204, True), (299, True), (300, False), (407, False)],
)
async def test_a_tunnel_is_open_after_any_2xx(status: int, opens: bool) -> None:
    connection, transport = await connected()
    target = Destination(URL("https://h.test"), None, None)
    proxy = Destination(URL("http://proxy.test"), None, None)
    opening = asyncio.create_task(open_tunnel(connection, target, proxy))
    await asyncio.sleep(0)
    assert transport.write.call_args.args[0].startswith(b"CONNECT h.test:443 HTTP/1.1\r\n")
    connection.data_received(b"HTTP/1.1 103 Wait\r\n\r\n")
    assert not opening.done()
    connection.data_received(b"HTTP/1.1 %d Some\r\n\r\n" % status)
    if opens:
        await opening
    else:
        with pytest.raises(TunnelRefusedError) as caught:
            await opening
        assert caught.value.status == status


async def test_a_connection_that_was_lost_opens_no_tunnel() -> None:
    connection, _ = await connected()
    connection.connection_lost(None)
    destination = Destination(URL("https://h.test"), None, None)
    with pytest.raises(ClientConnectionError, match="the connection is closed"):
        await open_tunnel(connection, destination, destination)


def test_an_error_without_a_status_has_none() -> None:
    assert TunnelRefusedError().status is None
    assert TunnelRefusedError("text", 407).status == 407
