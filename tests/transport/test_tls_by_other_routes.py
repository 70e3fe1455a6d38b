"""TLS over a Unix socket and through a SOCKS proxy is checked as on a direct connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from tests.patience import until
from tests.servers.faults import FaultServer
from tests.servers.proxy import ProxyServer
from tests.servers.socks import SocksServer
from tests.servers.tls import TlsContexts
from tests.servers.unix import UnixServer

from railhttp import (
    ConnectionPoolConfig,
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    RequestOptions,
    RetryPolicy,
)
from railhttp.transport.tls_transport import TLSTransport

ONCE: Final = RetryPolicy(max_attempts=1, reraise=True)
ROUTES: Final = ("direct", "unix", "socks", "tunnel")


@asynccontextmanager
async def server_by(
    route: str, tls: TlsContexts, server: str, folder: Path
) -> AsyncIterator[tuple[HTTPClient, str, RequestOptions]]:
    """Yield a client, the host of the URL with its port, and the options that take the route."""
    context = getattr(tls, server)
    pool = ConnectionPoolConfig(
        ssl_context=tls.client, unix_socket=str(folder / "s") if route == "unix" else None
    )
    config = HTTPClientConfig(pool, timeout=60.0, trust_env=False)
    async with (
        UnixServer(folder / "s", ssl_context=context),
        FaultServer(ssl_context=context) as faults,
        SocksServer({"localhost": "127.0.0.1", "localhost.": "127.0.0.1"}) as socks,
        ProxyServer() as proxy,
        HTTPClient(config, retry_policy=ONCE) as client,
    ):
        options: RequestOptions = {}
        if route == "socks":
            options = {"proxy": f"socks5h://127.0.0.1:{socks.port}"}
        elif route == "tunnel":
            options = {"proxy": proxy.url("")}
        yield client, str(faults.port), options


@pytest.mark.parametrize("route", ["unix", "socks"])  # others ask the system for such a name
async def test_the_certificate_is_compared_with_the_host_without_its_last_dot(
    route: str, tls: TlsContexts, tmp_path: Path
) -> None:
    async with server_by(route, tls, "trusted", tmp_path) as (client, port, options):
        for host in ("localhost", "localhost."):
            (await client.get(f"https://{host}:{port}/ok", **options)).unwrap()


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("server", ["untrusted", "wrong_host", "expired"])
async def test_a_certificate_that_is_not_trusted_is_refused(
    route: str, server: str, tls: TlsContexts, tmp_path: Path
) -> None:
    async with server_by(route, tls, server, tmp_path) as (client, port, options):
        failure = (await client.get(f"https://localhost:{port}/ok", **options)).failure()
        assert isinstance(failure, HTTPConnectionError)
        assert (failure.kind, failure.delivery) == ("tls", Delivery.NOT_SENT)
        assert client.pool.gauges.open == 0


@pytest.mark.parametrize("route", ROUTES)
async def test_a_direct_connection_has_our_tls_and_any_other_that_of_the_loop(
    route: str, tls: TlsContexts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[TLSTransport] = []
    shaken = TLSTransport.shaken

    async def noted(transport: TLSTransport) -> asyncio.Protocol:
        made.append(transport)
        return await shaken(transport)

    monkeypatch.setattr(TLSTransport, "shaken", noted)
    async with server_by(route, tls, "trusted", tmp_path) as (client, port, options):
        (await client.get(f"https://localhost:{port}/ok", **options)).unwrap()
    assert len(made) == (1 if route == "direct" else 0)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("right", [True, False])
async def test_a_pin_holds(route: str, right: bool, tls: TlsContexts, tmp_path: Path) -> None:
    pin = tls.fingerprint if right else bytes(32)
    async with server_by(route, tls, "trusted", tmp_path) as (client, port, options):
        given: RequestOptions = {**options, "fingerprint": pin}
        result = await client.get(f"https://localhost:{port}/ok", **given)
        if right:
            assert result.unwrap().ok
        else:
            assert result.failure().label == "tls"
            assert client.pool.gauges.open == 0


async def test_a_connection_whose_pin_does_not_hold_is_closed(tls: TlsContexts) -> None:
    config = HTTPClientConfig(timeout=60.0, trust_env=False)
    async with (
        FaultServer(ssl_context=tls.trusted) as server,
        SocksServer() as socks,
        HTTPClient(config, retry_policy=ONCE) as client,
    ):
        proxy = f"socks5h://127.0.0.1:{socks.port}"
        result = await client.get(server.url(), proxy=proxy, fingerprint=bytes(32))
        assert result.failure().label == "tls"
        await until(lambda: socks.connections == server.connections == 0)


@pytest.mark.parametrize("route", ROUTES)
async def test_another_name_may_be_compared_with_the_certificate(
    route: str, tls: TlsContexts, tmp_path: Path
) -> None:
    async with server_by(route, tls, "wrong_host", tmp_path) as (client, port, options):
        given: RequestOptions = {**options, "server_hostname": "other.example"}
        assert (await client.get(f"https://localhost:{port}/ok", **given)).unwrap().ok
