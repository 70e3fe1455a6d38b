"""Everyday settings of connections, on real sockets: certificates, resolver, Unix socket, SOCKS."""

import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from tests.servers.faults import FaultServer
from tests.servers.listener import refused_port
from tests.servers.socks import SocksServer
from tests.servers.tls import TlsContexts
from tests.servers.unix import UnixServer

from railhttp import (
    ConnectionPoolConfig,
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPFailure,
    HTTPInvalidRequestError,
    HTTPValidationError,
)

CONFIG: Final = HTTPClientConfig(timeout=5.0, trust_env=False)


def assert_kind(failure: HTTPFailure, kind: str) -> None:
    assert isinstance(failure, HTTPConnectionError)
    assert (failure.kind, failure.delivery) == (kind, Delivery.NOT_SENT)


# Certificates


@pytest.fixture
def files(tls: TlsContexts, tmp_path: Path) -> dict[str, Path]:
    contents = {
        "ca.pem": tls.authority_pem,
        "client.pem": tls.certificate_pem,
        "client.key": tls.key_pem,
        "both.pem": tls.certificate_pem + tls.key_pem,
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: tmp_path / name for name in contents}


@pytest.fixture
def _trusting(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let OpenSSL, and so the trust store of the system, trust the authority of the tests."""
    monkeypatch.setenv("SSL_CERT_FILE", str(files["ca.pem"]))


@pytest.mark.usefixtures("_trusting")
async def test_certificates_are_verified_with_the_store_of_the_system(tls: TlsContexts) -> None:
    async with (
        FaultServer(ssl_context=tls.trusted) as trusted,
        FaultServer(ssl_context=tls.untrusted) as untrusted,
        HTTPClient(CONFIG, verify="system") as client,
    ):
        assert (await client.get(trusted.url())).unwrap().ok
        assert_kind((await client.get(untrusted.url())).failure(), "tls")


@pytest.mark.usefixtures("_trusting")
@pytest.mark.parametrize("mutual", ["mutual_1_2", "mutual_1_3"])
@pytest.mark.parametrize("pair", [True, False])
async def test_a_client_certificate_is_sent(
    tls: TlsContexts, files: dict[str, Path], mutual: str, *, pair: bool
) -> None:
    cert = (str(files["client.pem"]), files["client.key"]) if pair else str(files["both.pem"])
    context = getattr(tls, mutual)
    async with FaultServer(ssl_context=context) as server:
        for verify in (None, "system"):
            config = HTTPClientConfig(timeout=5.0, trust_env=False, cert=cert)
            async with HTTPClient(config, verify="system" if verify else None) as client:
                assert (await client.get(server.url())).unwrap().ok
        async with HTTPClient(CONFIG, verify="system") as client:
            failure = (await client.get(server.url())).failure()
            assert isinstance(failure, HTTPConnectionError)


async def test_a_certificate_does_not_turn_verification_off(
    tls: TlsContexts, files: dict[str, Path]
) -> None:
    async with FaultServer(ssl_context=tls.mutual_1_3) as server:
        async with HTTPClient(CONFIG, cert=files["both.pem"]) as client:
            assert_kind((await client.get(server.url())).failure(), "tls")
        async with HTTPClient(CONFIG, cert=files["both.pem"], verify=False) as client:
            assert (await client.get(server.url())).unwrap().ok


async def test_a_certificate_is_read_when_the_client_is_built(
    tls: TlsContexts, files: dict[str, Path]
) -> None:
    client = HTTPClient(CONFIG, cert=files["both.pem"], verify=False)
    files["both.pem"].unlink()
    async with FaultServer(ssl_context=tls.mutual_1_3) as server, client:
        assert (await client.get(server.url())).unwrap().ok


ENCRYPTED: Final = b"""-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBDKcLpYC0xW9WMPTnPX
-----END ENCRYPTED PRIVATE KEY-----
"""


@pytest.mark.parametrize("content", [None, b"", b"not a certificate", ENCRYPTED])
def test_a_certificate_that_cannot_be_loaded_is_refused_when_the_client_is_built(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "client.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(HTTPValidationError, match=r"^cert: cannot be loaded: ") as caught:
        HTTPClient(CONFIG, cert=path)
    assert caught.value.field == "cert"
    assert str(path) not in str(caught.value)


LOADS: Final = """
import sys
from railhttp import HTTPClient, HTTPValidationError
try:
    HTTPClient(cert=sys.argv[1])
except HTTPValidationError as error:
    print(error.field)
"""


def test_nobody_is_asked_for_the_password_of_a_key(files: dict[str, Path]) -> None:
    key = load_pem_private_key(files["client.key"].read_bytes(), None)
    locked = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    path = files["both.pem"]
    path.write_bytes(files["client.pem"].read_bytes() + locked)
    # Without a terminal OpenSSL would ask on the standard streams.
    ended = subprocess.run(
        [sys.executable, "-c", LOADS, str(path)],
        input=b"secret\n",
        capture_output=True,
        check=True,
        timeout=100,
        start_new_session=True,
    )
    assert ended.stdout == b"cert\n"
    assert ended.stderr == b""


@pytest.mark.parametrize(
    ("package", "requirement", "settings"),
    [
        ("truststore", "railhttp[truststore]", HTTPClientConfig(verify="system")),
        ("python_socks.async_.asyncio", "railhttp[socks]", HTTPClientConfig(proxy="socks5h://h")),
    ],
)
def test_a_missing_extra_is_named_when_the_client_is_built(
    monkeypatch: pytest.MonkeyPatch, package: str, requirement: str, settings: HTTPClientConfig
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError) as caught:
        HTTPClient(settings)
    assert f"pip install '{requirement}'" in str(caught.value)


async def test_a_missing_extra_is_named_when_a_call_needs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "python_socks.async_.asyncio", None)
    async with HTTPClient(CONFIG) as client:
        failure = (await client.get("http://h.example/", proxy="socks5h://h")).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, failure.delivery) == ("proxy", Delivery.NOT_SENT)
    assert "railhttp[socks]" in str(failure)


# Resolver


async def test_a_resolver_finds_the_addresses_of_names(faults: FaultServer) -> None:
    seen = []

    async def resolve(host: str, port: int) -> list[str]:
        seen.append((host, port))
        return ["127.0.0.1"]

    async with HTTPClient(CONFIG, resolver=resolve) as client:
        for _ in range(2):
            assert (await client.get(f"http://here.test:{faults.port}/ok")).unwrap().ok
        assert (await client.get(faults.url())).unwrap().ok  # an address has nothing to resolve
    assert seen == [("here.test", faults.port)]
    assert faults.received[0].header("host") == f"here.test:{faults.port}"


async def test_a_resolver_is_asked_for_each_connection(faults: FaultServer) -> None:
    seen = []

    async def resolve(host: str, port: int) -> list[str]:
        seen.append(host)
        return ["127.0.0.1"]

    pool = ConnectionPoolConfig(force_close=True, resolver=resolve)
    async with HTTPClient(HTTPClientConfig(pool, trust_env=False)) as client:
        for _ in range(3):
            assert (await client.get(f"http://here.test:{faults.port}/ok")).unwrap().ok
    assert len(seen) == 3


@pytest.mark.parametrize("addresses", [[], ["here.test"], [5], None, "127.0.0.1"])
async def test_a_resolver_that_returns_no_addresses_is_a_failure_of_dns(addresses: object) -> None:
    async def resolve(host: str, port: int) -> object:
        return addresses

    async with HTTPClient(CONFIG, resolver=resolve) as client:  # type: ignore[arg-type]
        assert_kind((await client.get("http://here.test/")).failure(), "dns")


@pytest.mark.parametrize("error", [OSError("no such host"), KeyError("here.test"), ValueError()])
async def test_a_resolver_that_raises_is_a_failure_of_dns(error: Exception) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise error

    async with HTTPClient(CONFIG, resolver=resolve) as client:
        assert_kind((await client.get("http://here.test/")).failure(), "dns")


async def test_the_systems_reason_of_a_resolver_is_told() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise unknown

    unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    async with HTTPClient(CONFIG, resolver=resolve) as client:
        failure = (await client.get("http://here.test/")).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.message.endswith(": Name or service not known")


# Unix sockets


@pytest.fixture
async def unix(tmp_path: Path) -> AsyncIterator[UnixServer]:
    async with UnixServer(tmp_path / "api.sock") as server:
        yield server


async def test_all_requests_go_to_the_unix_socket(
    unix: UnixServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # it could not reach the socket
    async with HTTPClient(HTTPClientConfig(unix_socket=str(unix.path))) as client:
        for url, host in {
            "http://docker/v1?a=1": "docker",
            "http://other:81/v1?a=1": "other:81",
        }.items():
            seen = (await client.get(url)).unwrap().json()
            assert seen == {"line": "GET /v1?a=1 HTTP/1.1", "host": host}
        assert (await client.get("http://docker/v1")).unwrap().ok
    assert unix.accepted == 2  # one for each host


async def test_a_unix_socket_speaks_tls(tls: TlsContexts, tmp_path: Path) -> None:
    path = tmp_path / "tls.sock"
    config = HTTPClientConfig(ConnectionPoolConfig(ssl_context=tls.client), unix_socket=path)
    async with UnixServer(path, ssl_context=tls.trusted), HTTPClient(config) as client:
        assert (await client.get("https://localhost/")).unwrap().ok
        assert_kind((await client.get("https://other.example/")).failure(), "tls")


async def test_a_unix_socket_that_is_not_there_is_a_failure_to_connect(tmp_path: Path) -> None:
    async with HTTPClient(HTTPClientConfig(unix_socket=tmp_path / "none.sock")) as client:
        assert_kind((await client.get("http://docker/")).failure(), "connect")


async def test_a_proxy_of_a_call_cannot_reach_the_unix_socket(unix: UnixServer) -> None:
    async with HTTPClient(HTTPClientConfig(unix_socket=unix.path)) as client:
        failure = (await client.get("http://docker/", proxy="http://127.0.0.1:1")).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert failure.field == "proxy"
    assert unix.accepted == 0


# SOCKS


def socks_url(server: SocksServer, user: str = "") -> str:
    return f"socks5h://{user}127.0.0.1:{server.port}"


async def test_a_socks_proxy_resolves_the_names(faults: FaultServer) -> None:
    async with SocksServer({"name.test": "127.0.0.1"}) as socks:
        config = HTTPClientConfig(timeout=5.0, proxy=socks_url(socks))
        async with HTTPClient(config) as client:
            for _ in range(2):
                response = await client.get(f"http://name.test:{faults.port}/ok")
                assert response.unwrap().body == b"ok"
            assert (await client.get(faults.url())).unwrap().ok
    assert socks.received == [("name.test", faults.port), ("127.0.0.1", faults.port)]
    assert faults.received[0].target == "/ok"
    assert faults.received[0].header("host") == f"name.test:{faults.port}"
    assert faults.received[0].header("proxy-authorization") == ""


async def test_tls_goes_through_a_socks_proxy(tls: TlsContexts) -> None:
    config = HTTPClientConfig(
        ConnectionPoolConfig(ssl_context=tls.client), trust_env=False, timeout=5.0
    )
    names = {"localhost": "127.0.0.1", "other.example": "127.0.0.1"}
    async with (
        FaultServer(ssl_context=tls.trusted) as server,
        SocksServer(names) as socks,
        HTTPClient(config) as client,
    ):
        proxy = socks_url(socks)
        good, bad = (f"https://{name}:{server.port}/ok" for name in names)
        assert (await client.get(good, proxy=proxy)).unwrap().ok
        assert_kind((await client.get(bad, proxy=proxy)).failure(), "tls")


async def test_a_socks_proxy_of_the_environment_with_a_password(
    faults: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with SocksServer(username="ann", password="p:w") as socks:
        monkeypatch.setenv("ALL_PROXY", socks_url(socks, "ann:p%3Aw@"))
        async with HTTPClient() as client:
            assert (await client.get(faults.url())).unwrap().ok
        monkeypatch.setenv("ALL_PROXY", socks_url(socks, "ann:s3cret@"))
        async with HTTPClient() as client:
            failure = (await client.get(faults.url())).failure()
    assert_kind(failure, "proxy")
    assert "s3cret" not in f"{failure} {failure.__cause__}"


@pytest.mark.parametrize("reply", [1, 2, 4, 5])
async def test_a_socks_proxy_that_refuses_is_a_failure_of_the_proxy(reply: int) -> None:
    async with SocksServer(reply=reply) as socks, HTTPClient(CONFIG) as client:
        result = await client.get("http://name.test/", proxy=socks_url(socks))
    assert_kind(result.failure(), "proxy")


async def test_a_socks_proxy_that_is_not_there_is_a_failure_of_the_proxy() -> None:
    with refused_port() as port:
        async with HTTPClient(CONFIG) as client:
            result = await client.get("http://name.test/", proxy=f"socks5h://127.0.0.1:{port}")
    assert_kind(result.failure(), "proxy")
    assert isinstance(result.failure().__cause__, ConnectionRefusedError)


async def test_a_server_that_speaks_no_socks_is_a_failure_of_the_proxy(faults: FaultServer) -> None:
    config = HTTPClientConfig(timeout=5.0, connect_timeout=1.0, trust_env=False)
    async with FaultServer(on_accept="close") as server, HTTPClient(config) as client:
        proxy = f"socks5h://127.0.0.1:{server.port}"
        assert_kind((await client.get("http://name.test/", proxy=proxy)).failure(), "proxy")


async def test_a_socks_proxy_that_breaks_the_connection_off_is_a_failure_of_the_proxy() -> None:
    async with FaultServer(on_accept="reset") as server, HTTPClient(CONFIG) as client:
        proxy = f"socks5h://127.0.0.1:{server.port}"
        failure = (await client.get("http://name.test/", proxy=proxy)).failure()
    assert_kind(failure, "proxy")
    assert isinstance(failure.__cause__, OSError)
