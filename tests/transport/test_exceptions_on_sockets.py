"""Which exceptions real sockets raise, on aiohttp's own session, and what each one means."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import aiohttp
import pytest
from aiohttp.client_exceptions import UnixClientConnectorError
from tests.servers.faults import FaultServer
from tests.servers.listener import refused_port, unanswered_port
from tests.servers.proxy import ProxyServer
from tests.servers.registry import answer, head
from tests.servers.scripted import ScriptedServer, sends
from tests.servers.tls import TlsContexts

from railhttp.model.stage import Stage
from railhttp.transport.exception_map import to_failure


@dataclass
class Scene:
    """The servers and files of a request."""

    session: aiohttp.ClientSession
    faults: FaultServer
    tls: TlsContexts
    folder: Path


Play: TypeAlias = Callable[[Scene], Awaitable[object]]


@pytest.fixture
async def scene(faults: FaultServer, tls: TlsContexts, tmp_path: Path) -> AsyncIterator[Scene]:
    async with aiohttp.ClientSession() as session:
        yield Scene(session, faults, tls, tmp_path)


async def read(scene: Scene, url: str, **options: object) -> bytes:
    async with scene.session.get(url, **options) as response:  # type: ignore[arg-type]  # aiohttp's
        return await response.read()


def at(path: str, **options: object) -> Play:
    return lambda scene: read(scene, scene.faults.url(path), **options)


def sent(content: bytes, **options: object) -> Play:
    async def play(scene: Scene) -> object:
        async with ScriptedServer(sends(content)) as server:
            return await read(scene, server.url(), **options)

    return play


def redirected(location: str) -> Play:
    return sent(answer(b"", f"Location: {location}", status="302 Found"))


def over_tls(name: str, **options: object) -> Play:
    async def play(scene: Scene) -> object:
        context: ssl.SSLContext = getattr(scene.tls, name)
        async with FaultServer(ssl_context=context) as server:
            given = {"ssl": scene.tls.client} | options
            return await read(scene, server.url(), **given)

    return play


async def refused(scene: Scene) -> object:
    with refused_port() as port:
        return await read(scene, f"http://127.0.0.1:{port}/")


async def unanswered(scene: Scene) -> object:
    with unanswered_port() as port:
        limit = aiohttp.ClientTimeout(sock_connect=0.05)
        return await read(scene, f"http://127.0.0.1:{port}/", timeout=limit)


async def refused_by_proxy(scene: Scene) -> object:
    with refused_port() as port:
        return await read(scene, scene.faults.url(), proxy=f"http://127.0.0.1:{port}/")


async def without_password(scene: Scene) -> object:
    server = FaultServer(ssl_context=scene.tls.trusted)
    async with server, ProxyServer(username="ann", password="s3cret") as proxy:
        return await read(scene, server.url(), proxy=proxy.url(), ssl=scene.tls.client)


async def no_such_socket(scene: Scene) -> object:
    connector = aiohttp.UnixConnector(str(scene.folder / "nothing"))
    async with aiohttp.ClientSession(connector=connector) as session:
        return await session.get("http://h/")


async def not_json(scene: Scene) -> object:
    async with scene.session.get(scene.faults.url()) as response:
        return await response.json()


async def no_web_socket(scene: Scene) -> object:
    return await scene.session.ws_connect(scene.faults.url())


def asyncios(content: bytes, use: Callable[[asyncio.StreamReader], Awaitable[object]]) -> Play:
    async def play(scene: Scene) -> object:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(content)
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                return await use(reader)
            finally:
                writer.close()

    return play


async def asyncio_is_refused(scene: Scene) -> object:
    with refused_port() as port:
        return await asyncio.open_connection("127.0.0.1", port)


async def asyncio_distrusts(scene: Scene) -> object:
    async with FaultServer(ssl_context=scene.tls.untrusted) as server:
        return await asyncio.open_connection("127.0.0.1", server.port, ssl=scene.tls.client)


async def no_tls(scene: Scene) -> object:
    return await asyncio.open_connection("127.0.0.1", scene.faults.port, ssl=scene.tls.client)


async def tls_to_a_plain_port(scene: Scene) -> object:
    return await read(scene, scene.faults.url(scheme="https"))


def url(text: str) -> Play:
    return lambda scene: read(scene, text)


SILENT: Final = aiohttp.ClientTimeout(total=None, sock_read=0.05)
LATE: Final = aiohttp.ClientTimeout(total=0.05)
PINNED: Final = aiohttp.Fingerprint(bytes(32))

RAISED: Final[dict[tuple[Stage, str], list[tuple[Play, type[Exception]]]]] = {
    (Stage.QUEUED, "HTTPInvalidRequestError url"): [
        (url("http://["), aiohttp.InvalidUrlClientError),
        (url("ftp://h/"), aiohttp.NonHttpUrlClientError),
    ],
    (Stage.CONNECTING, "HTTPConnectionError connect"): [
        (refused, aiohttp.ClientConnectorError),
        (no_such_socket, UnixClientConnectorError),
        (asyncio_is_refused, ConnectionRefusedError),
    ],
    (Stage.CONNECTING, "HTTPTimeoutError connect"): [
        (unanswered, aiohttp.ConnectionTimeoutError),
    ],
    (Stage.CONNECTING, "HTTPConnectionError proxy"): [
        (refused_by_proxy, aiohttp.ClientProxyConnectionError),
        (without_password, aiohttp.ClientHttpProxyError),
    ],
    (Stage.CONNECTING, "HTTPConnectionError tls"): [
        (over_tls("untrusted"), aiohttp.ClientConnectorCertificateError),
        (over_tls("wrong_host"), aiohttp.ClientConnectorCertificateError),
        (over_tls("expired"), aiohttp.ClientConnectorCertificateError),
        (over_tls("trusted", ssl=PINNED), aiohttp.ServerFingerprintMismatch),
        (tls_to_a_plain_port, aiohttp.ClientConnectorSSLError),
        (asyncio_distrusts, ssl.SSLCertVerificationError),
        (no_tls, ssl.SSLError),
    ],
    (Stage.SENDING, "HTTPConnectionError disconnected"): [
        (at("/close-before-head"), aiohttp.ServerDisconnectedError),
        (at("/reset-before-head"), aiohttp.ClientOSError),
    ],
    (Stage.SENDING, "HTTPTimeoutError read"): [
        (at("/stall-before-head", timeout=SILENT), aiohttp.SocketTimeoutError),
        (at("/stall-before-head", timeout=LATE), TimeoutError),
    ],
    (Stage.SENDING, "HTTPConnectionError protocol"): [
        (sent(b"nonsense\r\n\r\n"), aiohttp.ClientResponseError),
    ],
    (Stage.SENDING, "HTTPResponseTooLargeError response too large"): [
        (asyncios(b"a" * 200_000, lambda one: one.readuntil(b"b")), asyncio.LimitOverrunError),
    ],
    (Stage.ANSWERED, "HTTPConnectionError truncated"): [
        (sent(head("Content-Length: 9") + b"part"), aiohttp.ClientPayloadError),
        (asyncios(b"part", lambda one: one.readexactly(5)), asyncio.IncompleteReadError),
    ],
    (Stage.ANSWERED, "HTTPConnectionError redirect"): [
        (at("/redirect-forever"), aiohttp.TooManyRedirects),
        (redirected("http://["), aiohttp.InvalidUrlRedirectClientError),
        (redirected("ftp://h/"), aiohttp.NonHttpUrlRedirectClientError),
    ],
    (Stage.ANSWERED, "HTTPConnectionError protocol"): [
        (no_web_socket, aiohttp.WSServerHandshakeError),
    ],
    (Stage.ANSWERED, "HTTPDecodeError decode"): [(not_json, aiohttp.ContentTypeError)],
}


@pytest.mark.parametrize(
    ("play", "error", "stage", "meaning"),
    [(*row, *key) for key, rows in RAISED.items() for row in rows],
    ids=[error.__name__ for rows in RAISED.values() for _, error in rows],
)
async def test_what_sockets_raise_means_what_they_did(
    scene: Scene, play: Play, error: type[Exception], stage: Stage, meaning: str
) -> None:
    with pytest.raises(error) as caught:
        await play(scene)
    assert caught.type is error
    failure = to_failure(caught.value, stage, {})
    assert f"{type(failure).__name__} {failure.label}" == meaning
