"""The options of aiohttp's `ClientSession.request`: each one on the wire, as aiohttp means it."""

import asyncio
import gzip
import inspect
import io
import json
import os
import warnings
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final, Protocol, cast, get_type_hints

import aiohttp
import pytest
from multidict import CIMultiDict
from returns.result import Success
from tests.servers.connection import Connection, Received
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.listener import unanswered_port
from tests.servers.proxy import ProxyServer
from tests.servers.registry import answer, head
from tests.servers.scripted import ScriptedServer, sends
from tests.servers.tls import TlsContexts
from yarl import URL

from railhttp import (
    BaseURLHTTPClient,
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPStatusError,
    HTTPTimeoutError,
    RequestOptions,
)
from railhttp.client.request_builder import RequestBuilder
from railhttp.model.errors import HTTPInterceptorError
from railhttp.model.option_advice import ELSEWHERE
from railhttp.pipeline.clock import SYSTEM_CLOCK

BASIC: Final = f"Basic {b64encode(b'ann:s3cret').decode()}"


def basic_auth(name: str = "ann", password: str = "s3cret") -> aiohttp.BasicAuth:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # aiohttp 4 will not have it
        return aiohttp.BasicAuth(name, password)


# -- accepted, typed, or refused ---------------------------------------------------------------


def keywords_of_aiohttp() -> set[str]:
    parameters = inspect.signature(aiohttp.ClientSession._request).parameters
    return {*parameters} - {"self", "method", "str_or_url"}


def test_every_keyword_of_aiohttp_is_an_option() -> None:
    assert keywords_of_aiohttp() <= RequestOptions.__annotations__.keys()


def test_the_types_of_the_options_can_be_resolved() -> None:
    hints = get_type_hints(RequestOptions)
    assert hints.keys() == RequestOptions.__annotations__.keys()
    assert aiohttp.ClientTimeout in hints["timeout"].__args__
    assert aiohttp.Fingerprint in hints["ssl"].__args__


@pytest.mark.parametrize(
    ("name", "value", "instead"),
    [
        ("middlewares", [print], "interceptors"),
        ("middlewares", (), "pool.session"),
        ("trace_request_ctx", {"id": 7}, "instruments"),
        ("trace_request_ctx", object(), "pool.session"),
        ("upload_tracker", object(), "upload_progress"),
    ],
)
async def test_what_cannot_be_honoured_is_refused_with_what_to_use_instead(
    client: HTTPClient, name: str, value: object, instead: str
) -> None:
    failure = await refused(client, {name: value})
    assert failure.message.startswith(f"{name}: ")
    assert instead in failure.message


async def refused(client: HTTPClient, options: Mapping[str, object]) -> HTTPInvalidRequestError:
    result = await client.get("http://127.0.0.1:1/", **cast("RequestOptions", options))
    failure = result.failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.attempts, failure.delivery) == (0, Delivery.NOT_SENT)
    return failure


@pytest.mark.parametrize(
    ("options", "first", "second"),
    [
        ({"ssl": False, "ssl_context": False}, "ssl", "ssl_context"),
        ({"ssl": True, "verify_ssl": True}, "ssl", "verify_ssl"),
        ({"ssl_context": True, "fingerprint": bytes(32)}, "ssl_context", "fingerprint"),
        (
            {"timeout": aiohttp.ClientTimeout(sock_read=1), "read_timeout": 1},
            "sock_read",
            "read_timeout",
        ),
        (
            {"timeout": aiohttp.ClientTimeout(connect=1), "connect_timeout": 2},
            "connect",
            "connect_timeout",
        ),
        ({"auth": ("a", "b"), "headers": {"authorization": "x"}}, "auth", "headers"),
        ({"proxy_auth": ("a", "b"), "proxy": "http://c:d@h"}, "proxy_auth", "proxy"),
        (
            {
                "proxy_auth": ("a", "b"),
                "proxy": "http://h",
                "proxy_headers": {"Proxy-Authorization": "x"},
            },
            "proxy_auth",
            "proxy_headers",
        ),
        (
            {"proxy_auth": ("a", "b"), "headers": {"Proxy-Authorization": "x"}},
            "proxy_auth",
            "headers",
        ),
        ({"data": b"a", "expect100": True, "headers": {"Expect": "x"}}, "expect100", "headers"),
        (
            {"data": b"a", "compress": True, "headers": {"Content-Encoding": "br"}},
            "compress",
            "headers",
        ),
        ({"data": b"a", "chunked": True, "headers": {"Content-Length": "1"}}, "chunked", "headers"),
        ({"data": aiohttp.FormData({"a": "b"}), "json": 1}, "data", "json"),
    ],
)
async def test_one_thing_said_twice_is_refused_by_both_names(
    client: HTTPClient, options: dict[str, object], first: str, second: str
) -> None:
    failure = await refused(client, options)
    assert first in failure.message
    assert second in failure.message
    assert failure.message.startswith(f"{failure.field}: ")


async def test_credentials_in_the_url_and_in_auth_are_refused(client: HTTPClient) -> None:
    failure = (await client.get("http://c:d@h/", auth=("a", "b"))).failure()
    assert failure.label == "auth"
    assert "url" in failure.message
    assert "c:d" not in str(failure)


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("verify", "ssl_context"),
        ("follow_redirects", "allow_redirects"),
        ("content", "data"),
        ("files", "post_multipart"),
        ("base_url", "HTTPClient(base_url"),
        ("cert", "ssl_context"),
        ("stream", "client.stream"),
        ("tiemout", "timeout"),
    ],
)
async def test_a_word_of_another_client_is_a_type_error_that_names_ours(
    client: HTTPClient, name: str, ours: str
) -> None:
    options = cast("RequestOptions", {name: True})
    for call in (client.get, client.post, client.download):
        with pytest.raises(TypeError, match=f"^{name}: .*{ours.replace('(', '[(]')}"):
            await call("http://h/", *(["p"] if call == client.download else []), **options)
    with pytest.raises(TypeError, match=f"^{name}: "):
        await client.request("GET", "http://h/", **options)


def test_no_word_of_another_client_is_one_of_ours() -> None:
    assert not ELSEWHERE.keys() & RequestOptions.__annotations__.keys()


# -- plain values ------------------------------------------------------------------------------


async def test_a_url_object_is_sent_as_it_encodes_its_parts(
    client: HTTPClient, faults: FaultServer
) -> None:
    base = URL(faults.url("/ok"))
    await client.get(base)
    await client.get(URL(faults.url("/ok") + "?a=%2Fb%41", encoded=True), params={"c": "d"})
    await client.request("GET", base.with_query(a="b"))
    async with client.stream("GET", base) as response:
        assert response.status == 200
    targets = [seen.target for seen in faults.received]
    assert targets == ["/ok", "/ok?a=%2Fb%41&c=d", "/ok?a=b", "/ok"]


async def test_a_url_object_may_be_below_the_base_url(echo: EchoServer) -> None:
    async with HTTPClient(base_url=echo.url("/get")) as client:
        response = (await client.get(URL("tail"))).unwrap()
    assert response.url == echo.url("/get/tail")


async def test_a_url_object_keeps_its_user_to_itself(
    client: HTTPClient, faults: FaultServer
) -> None:
    url = URL(faults.url()).with_user("ann").with_password("s3cret")
    response = (await client.get(url)).unwrap()
    assert "@" not in response.url
    assert faults.received[0].all("authorization") == [BASIC]


@pytest.mark.parametrize(
    ("params", "target"),
    [
        ("a=1&b=x y", "/ok?a=1&b=x%20y"),
        ([("a", 1), ("a", "é"), ("b", None)], "/ok?a=1&a=%C3%A9"),
        ((("a", "1"),), "/ok?a=1"),
        ([], "/ok"),
        ("", "/ok"),
    ],
)
async def test_params_may_be_text_or_pairs(
    client: HTTPClient, faults: FaultServer, params: object, target: str
) -> None:
    await client.get(faults.url("/ok"), **cast("RequestOptions", {"params": params}))
    assert faults.received[0].target == target


async def test_headers_and_cookies_may_be_pairs(client: HTTPClient, faults: FaultServer) -> None:
    await client.get(
        faults.url(), headers=[("X-A", "1"), ("X-A", "2")], cookies=[("a", "1"), ("b", "2")]
    )
    seen = faults.received[0]
    assert (seen.all("x-a"), seen.header("cookie")) == (["1", "2"], "a=1; b=2")


async def test_cookies_may_be_those_of_a_simple_cookie(
    client: HTTPClient, faults: FaultServer
) -> None:
    from http.cookies import SimpleCookie  # noqa: PLC0415  # here only

    await client.get(faults.url(), cookies=SimpleCookie("a=1"))
    assert faults.received[0].header("cookie") == "a=1"


async def test_pairs_join_the_default_fields(faults: FaultServer) -> None:
    async with HTTPClient(headers={"X-A": "default", "X-B": "default"}) as client:
        await client.get(faults.url(), headers=[("x-a", "call")])
    seen = faults.received[0]
    assert (seen.all("x-a"), seen.all("x-b")) == (["call"], ["default"])


# -- credentials and proxies ---------------------------------------------------------------------


@pytest.mark.parametrize("auth", [basic_auth(), ("ann", "s3cret")])
async def test_auth_is_sent_as_basic_authentication(
    client: HTTPClient, faults: FaultServer, auth: aiohttp.BasicAuth | tuple[str, str]
) -> None:
    await client.get(faults.url(), auth=auth)
    assert faults.received[0].all("authorization") == [BASIC]


async def test_auth_replaces_a_default_field(faults: FaultServer) -> None:
    async with HTTPClient(headers={"Authorization": "Bearer x"}) as client:
        await client.get(faults.url(), auth=("ann", "s3cret"))
    assert faults.received[0].all("authorization") == [BASIC]


@pytest.mark.parametrize("value", [5, ("a",), ("a:b", "c"), basic_auth("é", "€")])
async def test_auth_that_cannot_be_sent_is_refused_without_being_shown(
    client: HTTPClient, value: object
) -> None:
    for name in ("auth", "proxy_auth"):
        failure = await refused(client, {name: value})
        assert failure.field == name
        assert "€" not in str(failure)


@pytest.mark.parametrize(
    "options",
    [
        {"proxy_auth": ("ann", "s3cret")},
        {"proxy_auth": basic_auth()},
        {"proxy_headers": {"Proxy-Authorization": BASIC}},
    ],
)
@pytest.mark.parametrize("secure", [False, True])
async def test_a_proxy_receives_its_credentials_and_fields_whether_it_tunnels_or_forwards(
    tls: TlsContexts, options: RequestOptions, secure: bool
) -> None:
    context = tls.trusted if secure else None
    fields = options.get("proxy_headers") or {}
    assert isinstance(fields, Mapping)
    async with (
        FaultServer(ssl_context=context) as server,
        ProxyServer(username="ann", password="s3cret") as proxy,
        HTTPClient(HTTPClientConfig(trust_env=False)) as client,
    ):
        given: RequestOptions = {
            **options,
            "proxy": URL(proxy.url()),
            "proxy_headers": {**fields, "X-Proxy": "7"},
            "ssl": tls.client,
        }
        for _ in range(2):
            result = await client.get(server.url(), **given)
            assert result.unwrap().body == b"ok"
        assert [seen.header("x-proxy") for seen in proxy.received] == ["7"] * (2 - secure)
        if secure:
            assert server.received[0].header("x-proxy") == ""
        assert all(not seen.header("proxy-authorization") for seen in server.received)


async def test_the_credentials_of_the_proxy_follow_redirects(echo: EchoServer) -> None:
    async with (
        EchoServer() as other,
        ProxyServer(username="ann", password="s3cret") as proxy,
        HTTPClient(HTTPClientConfig(trust_env=False)) as client,
    ):
        url = echo.url("/redirect-to", url=other.url())
        result = await client.get(url, proxy=proxy.url(), proxy_auth=("ann", "s3cret"))
        assert result.unwrap().url == other.url()
        assert len(proxy.received) == 2


async def test_what_is_for_the_proxy_stays_unsent_without_one(
    client: HTTPClient, faults: FaultServer
) -> None:
    await client.get(faults.url(), proxy_auth=("ann", "s3cret"), proxy_headers={"X-Proxy": "7"})
    seen = faults.received[0]
    assert (seen.header("x-proxy"), seen.header("proxy-authorization")) == ("", "")


# -- TLS ---------------------------------------------------------------------------------------


async def test_ssl_takes_what_ssl_context_takes(tls: TlsContexts, client: HTTPClient) -> None:
    async with FaultServer(ssl_context=tls.trusted) as server:
        assert (await client.get(server.url(), ssl=tls.client)).unwrap().ok
        assert (await client.get(server.url(), ssl=False)).unwrap().ok
        assert (await client.get(server.url(), verify_ssl=False)).unwrap().ok
        for options in (RequestOptions(ssl=True), RequestOptions(ssl=None), RequestOptions()):
            assert (await client.get(server.url(), **options)).failure().label == "tls"


async def test_a_fingerprint_pins_the_certificate(tls: TlsContexts, client: HTTPClient) -> None:
    async with FaultServer(ssl_context=tls.trusted) as server:
        for options in (
            RequestOptions(ssl=aiohttp.Fingerprint(tls.fingerprint)),
            RequestOptions(fingerprint=tls.fingerprint),
        ):
            assert (await client.get(server.url(), **options)).unwrap().ok
        assert server.connections == 1  # equal pins share connections
        failure = (await client.get(server.url(), ssl=aiohttp.Fingerprint(bytes(32)))).failure()
        assert (failure.label, failure.delivery) == ("tls", Delivery.NOT_SENT)


async def test_a_fingerprint_holds_inside_of_a_tunnel(
    tls: TlsContexts, proxy: ProxyServer, client: HTTPClient
) -> None:
    async with FaultServer(ssl_context=tls.trusted) as server:
        for digest, label in ((tls.fingerprint, ""), (bytes(32), "tls")):
            result = await client.get(
                server.url(), proxy=proxy.url(), ssl=aiohttp.Fingerprint(digest)
            )
            assert result.swap().map(lambda failure: failure.label).value_or("") == label


async def test_server_hostname_replaces_the_host_in_sni_and_in_the_check(
    tls: TlsContexts, client: HTTPClient
) -> None:
    asked: list[str] = []
    tls.wrong_host.sni_callback = lambda _, name, __: asked.append(str(name))
    try:
        async with FaultServer(ssl_context=tls.wrong_host) as server:
            wrong = await client.get(server.url(), ssl=tls.client)
            assert wrong.failure().label == "tls"
            right = await client.get(server.url(), ssl=tls.client, server_hostname="other.example")
            assert right.unwrap().ok
            # A connection that was checked for one name serves no request for another.
            again = await client.get(server.url(), ssl=tls.client)
            assert again.failure().label == "tls"
    finally:
        tls.wrong_host.sni_callback = None
    assert "other.example" in asked


# -- time limits -------------------------------------------------------------------------------


async def test_the_parts_of_a_client_timeout_are_limits(faults: FaultServer) -> None:
    config = HTTPClientConfig(trust_env=False)
    stalls = faults.url("/stall-before-head")
    async with HTTPClient(config) as client:
        for timeout, phase in (
            (aiohttp.ClientTimeout(total=0.05), "total"),
            (aiohttp.ClientTimeout(sock_read=0.05), "read"),
        ):
            failure = (await client.post(stalls, timeout=timeout)).failure()
            assert isinstance(failure, HTTPTimeoutError)
            assert failure.phase == phase
    with unanswered_port() as port:
        async with HTTPClient(config) as client:
            for timeout in (
                aiohttp.ClientTimeout(connect=0.05),
                aiohttp.ClientTimeout(sock_connect=0.05),
            ):
                result = await client.post(f"http://127.0.0.1:{port}/", timeout=timeout)
                failure = result.failure()
                assert isinstance(failure, HTTPTimeoutError)
                assert failure.phase == "connect"


async def test_a_bare_client_timeout_is_no_limit(echo: EchoServer) -> None:
    config = HTTPClientConfig(timeout=0.1, read_timeout=0.05, connect_timeout=0.05)
    async with HTTPClient(config) as client:
        assert (await client.post(echo.url("/slow/200"))).failure().label in {"read", "total"}
        for timeout in (
            aiohttp.ClientTimeout(),
            aiohttp.ClientTimeout(total=0, sock_read=0, connect=0),
        ):
            assert (await client.post(echo.url("/slow/200"), timeout=timeout)).unwrap().ok


async def test_limits_are_not_rounded(faults: FaultServer, client: HTTPClient) -> None:
    """With this threshold, aiohttp would wait until the next whole second."""
    loop = asyncio.get_running_loop()
    began = loop.time()  # counts what the loop waits, not what the machine takes
    timeout = aiohttp.ClientTimeout(total=0.1, ceil_threshold=0)
    result = await client.get(faults.url("/stall-before-head"), timeout=timeout)
    assert result.failure().label == "total"
    assert loop.time() - began < 0.9


async def test_our_own_limit_joins_a_client_timeout_that_says_nothing_of_it(
    faults: FaultServer, client: HTTPClient
) -> None:
    result = await client.post(
        faults.url("/stall-before-head"), timeout=aiohttp.ClientTimeout(total=5), read_timeout=0.05
    )
    assert result.failure().label == "read"


@pytest.mark.parametrize("field", ["total", "connect", "sock_read", "sock_connect"])
async def test_a_part_that_is_no_limit_is_refused(client: HTTPClient, field: str) -> None:
    timeout = aiohttp.ClientTimeout(**{field: -1})
    failure = await refused(client, {"timeout": timeout})
    assert failure.message.startswith(f"timeout: {field} must be")


async def test_a_stream_is_bounded_as_a_whole_by_a_client_timeout(
    faults: FaultServer, client: HTTPClient
) -> None:
    timeout = aiohttp.ClientTimeout(total=0.1)
    async with client.stream("GET", faults.url("/endless-body"), timeout=timeout) as chunks:
        with pytest.raises(HTTPTimeoutError) as caught:
            _ = [chunk async for chunk in chunks]
    assert caught.value.phase == "total"


# -- bodies ------------------------------------------------------------------------------------


async def body_of(client: HTTPClient, faults: FaultServer, **options: object) -> Received:
    result = await client.post(faults.url(), **cast("RequestOptions", options))
    assert isinstance(result, Success), result
    return faults.received[-1]


async def test_chunked_sends_a_body_chunked_although_its_length_is_known(
    client: HTTPClient, faults: FaultServer
) -> None:
    for options in ({"data": b"abc"}, {"json": [1]}, {"data": io.BytesIO(b"abc")}):
        seen = await body_of(client, faults, chunked=True, **options)
        assert (seen.header("transfer-encoding"), seen.all("content-length")) == ("chunked", [])
        assert seen.all("expect") == []
        assert seen.body in {b"abc", b"[1]"}
    seen = await body_of(client, faults, chunked=None, data=b"abc")
    assert seen.header("content-length") == "3"
    seen = await body_of(client, faults, chunked=True)
    assert (seen.header("content-length"), seen.body) == ("0", b"")


@pytest.mark.parametrize("compress", [None, False, ""])
async def test_a_body_may_be_left_uncompressed(
    client: HTTPClient, faults: FaultServer, compress: str | bool | None
) -> None:
    seen = await body_of(client, faults, data=b"abc", compress=compress)
    assert (seen.all("content-encoding"), seen.body) == ([], b"abc")


LARGE: Final = b"0123456789" * 50_000


@pytest.mark.parametrize(
    ("compress", "coding"), [(True, "deflate"), ("deflate",) * 2, ("gzip",) * 2]
)
@pytest.mark.parametrize("large", [False, True])
async def test_compress_encodes_the_body(
    client: HTTPClient, faults: FaultServer, compress: str | bool, coding: str, large: bool
) -> None:
    content = LARGE if large else b"abc"
    for data in (content, io.BytesIO(content)):
        seen = await body_of(client, faults, data=data, compress=compress)
        assert seen.header("content-encoding") == coding
        assert seen.header("transfer-encoding") == "chunked"
        unpacked = gzip.decompress(seen.body) if coding == "gzip" else zlib.decompress(seen.body)
        assert unpacked == content
        assert len(seen.body) < len(content) or not large


async def test_an_empty_body_is_not_compressed(client: HTTPClient, faults: FaultServer) -> None:
    for options in ({}, {"data": b""}):
        seen = await body_of(client, faults, compress=True, **options)
        assert (seen.header("content-encoding"), seen.header("content-length")) == ("", "0")


async def test_a_compressed_body_is_sent_again_by_a_retry_and_a_redirect(
    echo: EchoServer, client: HTTPClient
) -> None:
    result = await client.put(echo.url("/flaky/a/1"), data=b"abc", compress="gzip")
    assert result.unwrap().json() == {"count": 2}
    moved = echo.url("/redirect-to", url=echo.url(), status=307)
    document = (await client.post(moved, data=b"abc", compress="gzip")).unwrap().json()
    assert isinstance(document, dict)
    assert document["body"] == "abc"  # this server undoes codings


async def test_expect100_waits_for_the_go_ahead(client: HTTPClient, faults: FaultServer) -> None:
    seen = await body_of(client, faults, data=b"abc", expect100=True)
    assert (seen.header("expect"), seen.body) == ("100-continue", b"abc")
    seen = await body_of(client, faults, expect100=True)
    assert seen.header("expect") == ""  # RFC 9110, 10.1.1: not without content


async def test_expect100_saves_a_body_that_is_refused(client: HTTPClient) -> None:
    async def refuse(connection: Connection, _: Received) -> None:
        await connection.send(answer(b"", "Connection: close", status="417 Expectation Failed"))

    async with ScriptedServer(refuse, reads_body=False) as server:
        result = await client.post(server.url(), data=LARGE, expect100=True)
        assert isinstance(result.failure(), HTTPStatusError)
        assert server.received[0].body == b""


async def test_skip_auto_headers_leaves_defaults_out(
    client: HTTPClient, faults: FaultServer
) -> None:
    names = ["User-Agent", "accept", "Accept-Encoding", "Content-Type"]
    seen = await body_of(client, faults, data=b"abc", skip_auto_headers=names)
    assert all(not seen.header(name) for name in names)
    assert seen.header("content-length") == "3"
    seen = await body_of(
        client, faults, data=b"a", skip_auto_headers=["Accept"], headers={"accept": "a/b"}
    )
    assert seen.all("accept") == ["a/b"]  # a field of the call is not automatic


# -- forms and payloads --------------------------------------------------------------------------


async def parts_of(client: HTTPClient, echo: EchoServer, data: object) -> list[dict[str, object]]:
    options = cast("RequestOptions", {"data": data})
    parts = (await client.post(echo.url("/upload"), **options)).unwrap().json()
    return cast("list[dict[str, object]]", parts)


async def test_form_data_with_a_file_is_multipart(
    client: HTTPClient, echo: EchoServer, tmp_path: Path
) -> None:
    path = tmp_path / "report.txt"
    path.write_bytes(b"content")
    form = aiohttp.FormData()
    form.add_field("note", "hello")
    with path.open("rb") as file:
        form.add_field("file", file, filename="report.txt", content_type="text/plain")
        parts = await parts_of(client, echo, form)
    shown = [(part["name"], part["filename"], part["text"]) for part in parts]
    assert shown == [("note", None, "hello"), ("file", "report.txt", "content")]


async def test_form_data_with_text_only_is_urlencoded(
    client: HTTPClient, faults: FaultServer
) -> None:
    seen = await body_of(client, faults, data=aiohttp.FormData([("a", "1"), ("a", "é")]))
    assert seen.header("content-type") == "application/x-www-form-urlencoded"
    assert (seen.body, seen.header("content-length")) == (b"a=1&a=%C3%A9", "12")


async def test_pairs_are_a_form(client: HTTPClient, faults: FaultServer) -> None:
    seen = await body_of(client, faults, data=[("a", "1"), ("a", 2)])
    assert seen.header("content-type") == "application/x-www-form-urlencoded"
    assert seen.body == b"a=1&a=2"


async def test_a_payload_brings_its_length_and_its_fields(
    client: HTTPClient, faults: FaultServer
) -> None:
    payload = aiohttp.StringPayload("é", content_type="text/x", headers={"X-Part": "7"})
    seen = await body_of(client, faults, data=payload)
    assert (seen.body, seen.header("content-length")) == ("é".encode(), "2")
    assert (seen.header("content-type"), seen.header("x-part")) == ("text/x", "7")
    writer = aiohttp.MultipartWriter("mixed")
    writer.append("text")
    writer.append_json({"a": 1})
    seen = await body_of(client, faults, data=writer)
    assert seen.header("content-type").startswith("multipart/mixed; boundary=")
    assert seen.body.count(b"--") >= 4
    assert seen.header("content-length") == str(len(seen.body))


async def test_a_payload_of_unknown_length_is_sent_chunked_and_once(
    client: HTTPClient, faults: FaultServer
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"a"
        yield LARGE

    payload = aiohttp.AsyncIterablePayload(chunks())
    seen = await body_of(client, faults, data=payload)
    assert (seen.body, seen.header("transfer-encoding")) == (b"a" + LARGE, "chunked")
    assert (await refused(client, {"data": payload})).field == "data"


async def test_a_payload_is_sent_again_if_it_can_be_read_again(
    client: HTTPClient, echo: EchoServer, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with path.open("rb") as file:
        result = await client.put(
            echo.url("/flaky/a/1"), data=aiohttp.FormData({"file": file, "a": "b"})
        )
    assert result.unwrap().json() == {"count": 2}
    once = aiohttp.AsyncIterablePayload(chunks_of(b"a"))
    assert (await client.put(echo.url("/flaky/b/1"), data=once)).failure().attempts == 1


async def test_a_payload_of_a_pipe_is_sent_once(client: HTTPClient, echo: EchoServer) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"content")
    os.close(writer)
    with io.BufferedReader(io.FileIO(reader)) as file:
        payload = aiohttp.BufferedReaderPayload(file)
        assert (await client.put(echo.url("/flaky/c/1"), data=payload)).failure().attempts == 1


async def test_the_length_of_a_payload_is_that_of_its_content(
    client: HTTPClient, faults: FaultServer
) -> None:
    payload = aiohttp.BytesPayload(b"abc", headers={"Content-Length": "99", "X-Part": "7"})
    seen = await body_of(client, faults, data=payload)
    assert (seen.body, seen.all("content-length"), seen.header("x-part")) == (b"abc", ["3"], "7")


async def chunks_of(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_a_payload_that_raises_fails_the_call_and_leaves_no_task(
    client: HTTPClient, faults: FaultServer
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"a"
        raise ZeroDivisionError

    before = asyncio.all_tasks()
    data = aiohttp.AsyncIterablePayload(broken())
    failure = (await client.post(faults.url(), data=data)).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert isinstance(failure.__cause__, ZeroDivisionError)
    await asyncio.sleep(0.01)
    assert len(asyncio.all_tasks() - before) <= 1  # the server's


async def test_a_form_that_cannot_be_encoded_is_refused(client: HTTPClient) -> None:
    form = aiohttp.FormData()
    form.add_field("a", object(), filename="x")
    assert (await refused(client, {"data": form})).field == "data"


# -- the response ------------------------------------------------------------------------------


async def test_raise_for_status_raises_from_request_and_stream(
    client: HTTPClient, echo: EchoServer
) -> None:
    url = echo.url("/status/404")
    assert (await client.request("GET", url, raise_for_status=False)).status == 404
    with pytest.raises(HTTPStatusError) as caught:
        await client.request("GET", url, raise_for_status=True)
    assert caught.value.status == 404
    with pytest.raises(HTTPStatusError):
        async with client.stream("GET", url, raise_for_status=True):
            raise AssertionError("the block was entered")
    assert isinstance((await client.get(url, raise_for_status=True)).failure(), HTTPStatusError)
    async with BaseURLHTTPClient(echo.url("")) as base:
        with pytest.raises(HTTPStatusError):
            await base.get("/status/404", raise_for_status=True)
        assert (await base.get("/status/404")).status == 404


async def test_raise_for_status_may_be_a_function(client: HTTPClient, echo: EchoServer) -> None:
    seen: list[int] = []

    async def look(response: HttpResponse) -> None:
        seen.append(response.status)
        if response.status == 204:
            raise KeyError("not this one")

    await client.request("GET", echo.url("/status/404"), raise_for_status=look)
    failure = (await client.get(echo.url("/status/204"), raise_for_status=look)).failure()
    assert isinstance(failure, HTTPInterceptorError)
    assert isinstance(failure.__cause__, KeyError)
    assert (failure.interceptor, failure.delivery) == ("raise_for_status", Delivery.ANSWERED)
    assert seen == [404, 204]


async def test_auto_decompress_false_leaves_the_coding(
    client: HTTPClient, echo: EchoServer
) -> None:
    raw = (await client.get(echo.url("/gzip"), auto_decompress=False)).unwrap()
    assert raw.headers["Content-Encoding"] == "gzip"
    assert (
        json.loads(gzip.decompress(raw.body))
        == (await client.get(echo.url("/gzip"))).unwrap().json()
    )
    async with client.stream("GET", echo.url("/gzip"), auto_decompress=False) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == raw.body


async def test_read_until_eof_false_takes_a_body_without_length_for_empty(
    client: HTTPClient,
) -> None:
    async with ScriptedServer(sends(head() + b"body")) as server:
        assert (await client.get(server.url())).unwrap().body == b"body"
        assert (await client.get(server.url(), read_until_eof=False)).unwrap().body == b""


@pytest.mark.parametrize(
    ("options", "response"),
    [
        ({"max_field_size": 100}, answer(b"", f"X-Long: {'a' * 200}")),
        ({"max_line_size": 100}, answer(b"", status=f"200 {'a' * 200}")),
        ({"max_headers": 5}, answer(b"", *(f"X-{number}: 1" for number in range(9)))),
    ],
)
async def test_limits_of_the_head_are_those_of_the_call(
    client: HTTPClient, options: RequestOptions, response: bytes
) -> None:
    async with ScriptedServer(sends(response)) as server:
        assert (await client.get(server.url())).unwrap().ok
        failure = (await client.post(server.url(), **options)).failure()
        assert failure.delivery is Delivery.ANSWERED or failure.attempts == 1


async def test_a_larger_field_than_usual_may_be_allowed(client: HTTPClient) -> None:
    long = "a" * 100_000
    async with ScriptedServer(sends(answer(b"", f"X-Long: {long}"))) as server:
        assert not isinstance(await client.post(server.url()), Success)
        result = await client.post(server.url(), max_field_size=200_000)
        assert result.unwrap().headers["X-Long"] == long


async def test_read_bufsize_bounds_what_is_read_ahead(client: HTTPClient, echo: EchoServer) -> None:
    url = echo.url("/bytes/1000000")
    assert len((await client.get(url, read_bufsize=1024)).unwrap().body) == 1_000_000


# -- in the same process -------------------------------------------------------------------------


WRONG: Final[dict[str, list[object]]] = {
    "auto_decompress": ["no"],
    "chunked": [4096],
    "compress": ["br", "x", 5],
    "expect100": ["yes"],
    "fingerprint": [b"short", "text"],
    "max_field_size": [0, "5"],
    "max_headers": [-1],
    "max_line_size": [1.5],
    "proxy_headers": [5, {"a b": "c"}],
    "raise_for_status": [5],
    "read_bufsize": [0],
    "read_until_eof": [1],
    "server_hostname": [5, "a\n"],
    "skip_auto_headers": ["Accept", 5, ["a b"], ["Accept", "a b"], [5]],
    "ssl": [5, "no", b"x"],
    "verify_ssl": [0],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
async def test_a_wrong_value_is_refused_by_name(
    client: HTTPClient, name: str, value: object
) -> None:
    failure = await refused(client, {name: value})
    assert (failure.field, failure.message.partition(":")[0]) == (name, name)


def test_what_no_call_uses_is_not_imported_and_builds_no_other_request() -> None:
    builder = RequestBuilder(HTTPClientConfig(), SYSTEM_CLOCK)
    plain = builder.prepare("GET", "http://h/", {})
    assert plain.request.options.wire is None
    assert builder.prepare("GET", "http://h/", {"ssl": None}).request == plain.request
    timed = builder.prepare("GET", "http://h/", {"timeout": aiohttp.ClientTimeout(total=3)})
    assert (timed.timeout, timed.request.options.wire) == (3, None)


def test_secrets_of_a_proxy_are_not_shown() -> None:
    builder = RequestBuilder(HTTPClientConfig(), SYSTEM_CLOCK)
    options: RequestOptions = {
        "proxy": "http://h",
        "proxy_auth": ("ann", "s3cret"),
        "proxy_headers": {"X-Key": "t0ken"},
    }
    shown = repr(builder.prepare("GET", "http://h/", options))
    assert b64encode(b"ann:s3cret").decode() not in shown
    assert "t0ken" not in shown


# -- a program for aiohttp -----------------------------------------------------------------------


class Answered(Protocol):
    """The common part of aiohttp's response and ours."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


class Session(Protocol):
    """The part of a session that the program uses."""

    async def request(self, method: str, url: str, **options: object) -> Answered: ...


async def program(session: Session, server: str, secure: str, digest: bytes) -> list[int]:
    """Written for `aiohttp.ClientSession`, with twenty of its keywords."""
    form = aiohttp.FormData()
    form.add_field("note", "hello", content_type="text/plain")
    calls: list[tuple[str, object, dict[str, object]]] = [
        ("GET", server, {"params": "a=1", "headers": [("X-A", "1")]}),
        ("GET", URL(server), {"params": [("b", "2")], "auth": basic_auth()}),
        ("POST", server, {"data": {"a": "1"}, "cookies": {"c": "1"}, "expect100": True}),
        ("POST", server, {"data": b"abc", "chunked": True}),
        ("PUT", server, {"json": {"a": 1}, "skip_auto_headers": ["User-Agent", "Accept"]}),
        ("POST", server, {"data": form, "raise_for_status": True}),
        ("POST", server, {"data": b"abc" * 100, "compress": "deflate"}),
        (
            "GET",
            server,
            {
                "timeout": aiohttp.ClientTimeout(total=5, connect=2, sock_connect=2, sock_read=2),
                "allow_redirects": False,
                "max_redirects": 3,
                "read_until_eof": True,
                "read_bufsize": 4096,
                "auto_decompress": False,
                "max_line_size": 8190,
                "max_field_size": 8190,
                "middlewares": None,
                "trace_request_ctx": None,
            },
        ),
        ("GET", secure, {"ssl": aiohttp.Fingerprint(digest)}),
        ("GET", secure, {"ssl": False, "server_hostname": "localhost"}),
    ]
    statuses = []
    for method, url, options in calls:
        response = await session.request(method, cast("str", url), **options)
        statuses.append(response.status)
    return statuses


def told(seen: Received) -> tuple[object, ...]:
    """The request as a server sees it, without the parts that must differ."""
    fields = CIMultiDict(seen.headers)
    for name in ("User-Agent", "Accept-Encoding", "Host"):
        fields.popall(name, None)
    kind = fields.pop("Content-Type", "").partition(";")[0]
    # aiohttp writes JSON with spaces, and each form has another boundary.
    body = b"" if kind.startswith("multipart") else seen.body.replace(b" ", b"")
    length = fields.pop("Content-Length", "")
    return (
        seen.method,
        seen.target,
        kind,
        body,
        bool(length),
        sorted((name.lower(), value) for name, value in fields.items()),
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_a_program_for_aiohttp_works_after_changing_the_constructor(
    tls: TlsContexts,
) -> None:
    seen: list[list[tuple[object, ...]]] = []
    for make in (aiohttp.ClientSession, HTTPClient):
        async with (
            FaultServer() as server,
            FaultServer(ssl_context=tls.trusted) as secure,
            make() as session,
        ):
            statuses = await program(
                cast("Session", session), server.url("/ok"), secure.url("/ok"), tls.fingerprint
            )
            assert statuses == [200] * 10
            seen.append([told(one) for one in (*server.received, *secure.received)])
    assert seen[0] == seen[1]


def test_the_program_uses_twenty_keywords() -> None:
    source = inspect.getsource(program)
    used = {name for name in keywords_of_aiohttp() if f'"{name}":' in source}
    assert len(used) >= 20


async def test_a_form_beside_fields_is_refused(client: HTTPClient) -> None:
    failure = (
        await client.post_multipart("http://h/", {"a": "1"}, data=aiohttp.FormData({"b": "2"}))
    ).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, failure.attempts) == ("data", 0)
