"""Every example of the API document, as close to its words as Python allows.

Each test names its section. The hosts of the document are a server on loopback, `Ok` and `Err` are
`Success` and `Failure`, and the modules of its framework are `railhttp` and `logging`.
"""

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from returns.result import Failure, Success
from tests.servers.connection import Connection, Received
from tests.servers.echo import EchoServer
from tests.servers.registry import answer
from tests.servers.scripted import ScriptedServer
from tests.servers.tls import TlsContexts

from railhttp import (
    BaseURLHTTPClient,
    ConnectionPool,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPModule,
    HttpResponse,
    HTTPStatusError,
    InterceptorProtocol,
    Module,
    RequestContext,
    build_url,
    extract_json_type,
    format_timeout,
    module,
    parse_headers,
)
from railhttp.integrations.svcs import application
from railhttp.protocols import HTTPClientProtocol

logger = logging.getLogger(__name__)


class DocumentedChain:
    """The document's `InterceptorChain`."""

    def __init__(self, interceptors: list[InterceptorProtocol]):
        self._interceptors = interceptors

    async def execute_request(self, context: Any) -> Any:
        for interceptor in self._interceptors:
            context = await interceptor.intercept_request(context)
        return context

    async def execute_response(self, response: Any) -> Any:
        for interceptor in reversed(self._interceptors):
            response = await interceptor.intercept_response(response)
        return response


class LoggingInterceptor:
    async def intercept_request(self, context: Any) -> Any:
        logger.info("outbound_request method=%s url=%s", context.method, context.url)
        return context

    async def intercept_response(self, response: Any) -> Any:
        logger.info("inbound_response status=%s", response.status)
        return response


async def test_protocol_for_interceptor_chain_management(caplog: pytest.LogCaptureFixture) -> None:
    chain = DocumentedChain([LoggingInterceptor()])
    with caplog.at_level(logging.INFO, __name__):
        context = await chain.execute_request(RequestContext("get", "http://h/"))
        await chain.execute_response(HttpResponse(204))
    assert isinstance(context, RequestContext)
    assert caplog.messages == [
        "outbound_request method=GET url=http://h/",
        "inbound_response status=204",
    ]


async def test_protocol_for_request_response_interceptors(
    echo: EchoServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, __name__):
        async with HTTPClient(interceptors=[LoggingInterceptor()]) as client:
            await client.get(echo.url())
    assert caplog.messages == [
        f"outbound_request method=GET url={echo.url()}",
        "inbound_response status=200",
    ]


async def test_async_http_client_with_base_url_resolution(echo: EchoServer) -> None:
    payload = {"prompt": "hello"}
    async with BaseURLHTTPClient(
        base_url=echo.url("/get"),
        headers={"Authorization": "Bearer token"},
        timeout=60.0,
    ) as client:
        resp = await client.post("/completions", json=payload)
        resp.raise_for_status()
    document = resp.json()
    assert isinstance(document, dict)
    assert (document["path"], document["body"]) == ("/get/completions", '{"prompt":"hello"}')


async def completions(connection: Connection, _: Received) -> None:
    body = b"data: one\n\ndata: two\n\n"
    await connection.send(answer(body, "Content-Type: text/event-stream"))


async def test_base_url_client_stream() -> None:
    payload = {"stream": True}
    seen: list[str] = []
    async with (
        ScriptedServer(completions) as server,
        BaseURLHTTPClient(server.url("")) as client,
        client.stream("POST", "/chat/completions", json=payload) as resp,
    ):
        resp.raise_for_status()
        async for line in resp.aiter_lines():
            if line.startswith("data: "):
                seen.append(line)  # noqa: PERF401  # as in the document
    assert seen == ["data: one", "data: two"]


async def test_async_http_connection_pool_backed_by_aiohttp(echo: EchoServer) -> None:
    pool = ConnectionPool(max_connections=100, timeout=60.0)
    await pool.start()
    response = await pool._session.get(echo.url("/json"))
    assert (await response.json())["name"] == "café"
    await pool.stop()
    assert not pool.is_started()


async def test_warm_up(echo: EchoServer, tls: TlsContexts) -> None:
    async with EchoServer(ssl_context=tls.trusted) as cdn:
        pool = ConnectionPool(ssl_context=tls.client)
        await pool.start()
        await pool.warm_up([echo.url(""), cdn.url("")])
        await pool.stop()


async def test_async_http_client_with_connection_pooling(echo: EchoServer) -> None:
    config = HTTPClientConfig()
    async with HTTPClient.session_context(config) as client:
        response = await client.get(echo.url("/json"))
    assert isinstance(response, Success)


async def test_the_failures_of_a_verb(echo: EchoServer) -> None:
    async with HTTPClient() as client:
        match await client.get(echo.url("/status/404")):
            case Failure(HTTPStatusError(status=status)):
                assert status == 404
            case other:
                raise AssertionError(other)
        match await client.get("http://127.0.0.1:1/"):
            case Failure(HTTPConnectionError(kind=kind)):
                assert kind == "connect"
            case other:
                raise AssertionError(other)


async def test_post_multipart(echo: EchoServer) -> None:
    pdf_bytes = b"%PDF-1.7"
    async with HTTPClient() as client:
        result = await client.post_multipart(
            echo.url("/upload"),
            fields={
                "description": "My file",
                "file": ("report.pdf", pdf_bytes, "application/pdf"),
            },
        )
    parts = result.unwrap().json()
    assert isinstance(parts, list)
    assert [(part["filename"], part["content_type"]) for part in parts if isinstance(part, dict)][
        1
    ] == ("report.pdf", "application/pdf")


class AsyncFile:
    """The document's file, whose `write` is awaited."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def write(self, chunk: bytes) -> None:
        with self._path.open("ab") as file:
            file.write(chunk)


async def test_http_client_stream(echo: EchoServer, tmp_path: Path) -> None:
    large_file_url = echo.url("/bytes/300000")
    file = AsyncFile(tmp_path / "large")
    async with HTTPClient() as client, client.stream("GET", large_file_url) as chunks:
        async for chunk in chunks:
            await file.write(chunk)
    assert (tmp_path / "large").stat().st_size == 300_000


async def test_sse(caplog: pytest.LogCaptureFixture) -> None:
    async with ScriptedServer(completions) as server, HTTPClient() as client:
        with caplog.at_level(logging.INFO, __name__):
            async with client.sse(server.url("/events")) as events:
                async for event in events:
                    logger.info("sse_event %s %s", event.event, event.data)
    assert caplog.messages == ["sse_event message one", "sse_event message two"]


async def test_session_context(echo: EchoServer) -> None:
    async with HTTPClient.session_context() as client:
        response = await client.get(echo.url())
    assert response.unwrap().ok


async def test_http_module_usage_defaults() -> None:
    @module(imports=[HTTPModule.configure()])
    class AppModule(Module):
        pass

    async with application(AppModule) as container:
        assert (await container.aget(HTTPClient)).config == HTTPClientConfig()


async def test_http_module_usage_configured(echo: EchoServer) -> None:
    @module(imports=[HTTPModule.configure(HTTPClientConfig(timeout=30))])
    class AppModule(Module):
        pass

    async with application(AppModule) as container:
        assert (await container.aget(HTTPClient)).config.timeout == 30
        client = await container.aget(HTTPClientProtocol)
        assert (await client.get(echo.url("/json"))).json() is not None


@pytest.fixture
async def stubbed() -> AsyncIterator[HTTPClient]:
    async with application(HTTPModule.stub()) as container:
        yield await container.aget(HTTPClient)


def test_http_module_stub(stubbed: HTTPClient) -> None:
    assert isinstance(stubbed, HTTPClient)


def test_build_url() -> None:
    url = build_url("https://api.example.com", "/users", {"page": 1})
    assert url == "https://api.example.com/users?page=1"


def test_extract_json_type() -> None:
    assert extract_json_type("application/json; charset=utf-8") == "application/json"
    assert extract_json_type("text/html") is None


def test_format_timeout() -> None:
    assert (format_timeout(30.0), format_timeout(None)) == ("30.0s", "no timeout")


def test_parse_headers() -> None:
    fields = parse_headers({"Content-Type": " application/json "})
    assert fields == {"content-type": "application/json"}
