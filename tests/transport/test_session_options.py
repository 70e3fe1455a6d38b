"""Limits of the head hold to the byte, and errors name the wrong option of aiohttp."""

import asyncio
import zlib
from collections.abc import Mapping
from typing import Final, cast

import aiohttp
import pytest
from tests.servers.connection import Connection, Received
from tests.servers.registry import answer, head
from tests.servers.scripted import ScriptedServer, sends

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPInvalidRequestError,
    RequestOptions,
    RetryPolicy,
)

CONFIG: Final = HTTPClientConfig(timeout=60.0, trust_env=False)
ONCE: Final = RetryPolicy(max_attempts=1, reraise=True)


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("ssl", {"ssl": False, "ssl_context": False}),
        ("ssl", {"ssl": True, "verify_ssl": True}),
        ("ssl", {"ssl": True, "fingerprint": bytes(32)}),
        ("ssl_context", {"ssl_context": True, "verify_ssl": True}),
        ("ssl_context", {"ssl_context": True, "fingerprint": bytes(32)}),
        ("verify_ssl", {"verify_ssl": True, "fingerprint": bytes(32)}),
        ("timeout", {"timeout": aiohttp.ClientTimeout(sock_read=1), "read_timeout": 1}),
        ("timeout", {"timeout": aiohttp.ClientTimeout(connect=1), "connect_timeout": 2}),
        ("auth", {"auth": ("a", "b"), "headers": {"authorization": "x"}}),
        ("auth", {"auth": ("a", "b"), "headers": [("authorization", "x")]}),
        ("headers", {"auth": ("a", "b"), "headers": {"a b": "x"}}),
        ("headers", {"auth": ("a", "b"), "headers": {"a": "x\n"}}),
        ("proxy_auth", {"proxy_auth": ("a", "b"), "proxy": "http://c:d@h"}),
        ("proxy_auth", {"proxy_auth": ("a", "b"), "headers": {"Proxy-Authorization": "x"}}),
        ("proxy_auth", {"proxy_auth": ("a", "b"), "proxy_headers": {"proxy-authorization": "x"}}),
        ("headers", {"proxy_auth": ("a", "b"), "headers": {"a b": "x"}}),
        ("proxy_headers", {"proxy_headers": [("a b", "x")]}),
        ("expect100", {"data": b"a", "expect100": True, "headers": {"Expect": "x"}}),
        ("compress", {"data": b"a", "compress": True, "headers": {"Content-Encoding": "br"}}),
        ("compress", {"data": b"a", "compress": True, "headers": {"Content-Length": "1"}}),
        ("chunked", {"data": b"a", "chunked": True, "headers": {"Content-Length": "1"}}),
    ],
)
async def test_of_two_options_that_say_the_same_one_is_named_first(
    field: str, options: Mapping[str, object]
) -> None:
    async with HTTPClient(CONFIG) as client:
        result = await client.post("http://127.0.0.1:1/", **cast("RequestOptions", options))
    failure = result.failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, failure.attempts) == (field, 0)


@pytest.mark.parametrize("url", ["http://[::1", "http://a:99999/", "http://a b/"])
async def test_a_url_that_is_not_one_is_named_and_not_the_credentials_beside_it(url: str) -> None:
    async with HTTPClient(CONFIG) as client:
        failure = (await client.get(url, auth=("a", "b"))).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, failure.attempts) == ("url", 0)


def line(size: int) -> bytes:
    """Return a response with a status line of this size, without its LF."""
    return answer(b"", status="200 " + "x" * (size - 14))


def field(size: int) -> bytes:
    """Return a response with a field of this size, without its LF."""
    return answer(b"", "X-Long: " + "y" * (size - 9))


def fields(number: int) -> bytes:
    """Return a response with this number of fields, `Content-Length` included."""
    return answer(b"", *["X: y"] * (number - 1))


@pytest.mark.parametrize(
    ("options", "allowed", "one_more"),
    [
        ({"max_line_size": 100}, line(100), line(101)),
        ({"max_line_size": 10_000}, line(10_000), line(10_001)),
        ({"max_field_size": 100}, field(100), field(101)),
        ({"max_field_size": 70_000}, field(70_000), field(70_001)),
        ({"max_headers": 5}, fields(5), fields(6)),
        ({"max_headers": 300}, fields(300), fields(301)),
        # Each leaves the usual limits of the others.
        ({"max_line_size": 100}, field(65_536), field(65_537)),
        ({"max_field_size": 100}, line(8_190), line(8_191)),
        ({"max_field_size": 100}, fields(256), fields(257)),
        ({"max_headers": 5}, line(8_190), line(8_191)),
        ({"read_bufsize": 1024}, fields(256), fields(257)),
    ],
)
async def test_a_limit_of_the_head_holds_for_a_call_to_the_byte(
    options: RequestOptions, allowed: bytes, one_more: bytes
) -> None:
    async with (
        ScriptedServer(sends(allowed), sends(one_more)) as server,
        HTTPClient(CONFIG, retry_policy=ONCE) as client,
    ):
        for ok in (True, False):
            given: RequestOptions = {**options, "headers": {"Connection": "close"}}
            result = await client.post(server.url(), **given)
            if ok:
                assert result.unwrap().ok
            else:
                failure = result.failure()
                assert isinstance(failure, HTTPConnectionError)
                assert failure.kind == "protocol"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ssl": 5}, "ssl: must be a bool, an ssl.SSLContext or an aiohttp.Fingerprint, got 5"),
        ({"ssl": "s3cret"}, "aiohttp.Fingerprint, got str"),
        ({"verify_ssl": 0}, "verify_ssl: must be"),
        ({"fingerprint": b"s3cret"}, "fingerprint: must be the 32 bytes of a SHA-256, got bytes"),
        ({"auth": b"s3cret"}, "auth: must be an aiohttp.BasicAuth or a pair of str, got bytes"),
        ({"auth": ("s3cret",)}, "a pair of str, got tuple"),
        ({"auth": ("a:s3cret", "b")}, "auth: must be a name without a colon"),
        ({"proxy_auth": 5}, "proxy_auth: must be an aiohttp.BasicAuth or a pair of str, got 5"),
        ({"compress": "s3cret"}, "compress: must be a bool, `gzip` or `deflate`, got str"),
        ({"compress": 5}, "got 5"),
        ({"raise_for_status": "s3cret"}, "must be a bool or an async function, got str"),
        ({"skip_auto_headers": "s3cret"}, "must be an iterable of names of header fields, got str"),
        ({"skip_auto_headers": 5}, "names of header fields, got 5"),
        ({"skip_auto_headers": ["s3cret token"]}, "skip_auto_headers: must be names of header"),
        ({"timeout": aiohttp.ClientTimeout(sock_read=-1)}, "timeout: sock_read must be"),
    ],
)
async def test_a_value_that_is_refused_is_described_and_not_shown(
    options: Mapping[str, object], message: str
) -> None:
    async with HTTPClient(CONFIG) as client:
        result = await client.post("http://127.0.0.1:1/", **cast("RequestOptions", options))
    shown = str(result.failure())
    assert message in shown
    assert "s3cret" not in shown
    assert result.failure().attempts == 0


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("middlewares", "use interceptors"),
        ("trace_request_ctx", "use instruments or observers"),
        ("upload_tracker", "use `upload_progress`"),
    ],
)
async def test_an_option_that_cannot_be_honoured_names_what_to_use(name: str, advice: str) -> None:
    async with HTTPClient(CONFIG) as client:
        options = cast("RequestOptions", {name: object()})
        failure = (await client.post("http://127.0.0.1:1/", **options)).failure()
    assert failure.message.startswith(f"{name}: cannot be honoured: {advice}")
    assert failure.message.count("`") % 2 == 0


@pytest.mark.parametrize(
    "name", ["auto_decompress", "chunked", "expect100", "read_until_eof", "verify_ssl"]
)
async def test_a_flag_is_a_bool(name: str) -> None:
    async with HTTPClient(CONFIG) as client:
        for value in (1, "yes", 0):
            options = cast("RequestOptions", {name: value})
            failure = (await client.post("http://127.0.0.1:1/", **options)).failure()
            assert isinstance(failure, HTTPInvalidRequestError)
            assert failure.field == name


@pytest.mark.parametrize(
    ("compress", "coding"),
    [(True, "deflate"), ("deflate", "deflate"), ("gzip", "gzip"), ("GZip", "gzip"), ("", "")],
)
async def test_a_body_is_compressed_by_the_coding_of_its_option(
    compress: str | bool, coding: str
) -> None:
    async with ScriptedServer(sends(answer(b""))) as server, HTTPClient(CONFIG) as client:
        (await client.post(server.url(), data=b"abc", compress=compress)).unwrap()
        (seen,) = server.received
    assert seen.header("content-encoding") == coding
    unpacked = zlib.decompress(seen.body, 31 if coding == "gzip" else 15) if coding else seen.body
    assert unpacked == b"abc"


@pytest.mark.parametrize("name", ["User-Agent", "Accept", "Accept-Encoding"])
async def test_a_field_that_is_sent_by_itself_can_be_left_out(name: str) -> None:
    async with ScriptedServer(sends(answer(b""))) as server, HTTPClient(CONFIG) as client:
        for skipped in ([], [name], [name.upper()]):
            (await client.get(server.url(), skip_auto_headers=skipped)).unwrap()
        assert [len(seen.all(name)) for seen in server.received] == [1, 0, 0]
        assert server.received[0].header("accept") == "*/*"


async def test_as_much_is_read_ahead_as_the_call_allows() -> None:
    size = 32_000_000  # more than the buffers of the system take

    async def play(connection: Connection, _: Received) -> None:
        await connection.send(head(f"Content-Length: {size}") + bytes(size))
        is_sent.set()
        await connection.until_gone()

    is_sent = asyncio.Event()
    async with (
        ScriptedServer(play) as server,
        HTTPClient(CONFIG) as client,
        client.stream("GET", server.url(), read_bufsize=size),
        asyncio.timeout(60.0),
    ):
        await is_sent.wait()
