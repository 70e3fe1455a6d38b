"""The doctor names the step at fault, on real sockets, and the exit code is that of the failure."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import truststore
from tests.cli.processes import Forks
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.listener import refused_port, unanswered_port
from tests.servers.proxy import ProxyServer
from tests.servers.tls import TlsContexts

from railhttp import HTTPClientConfig, HTTPInvalidRequestError, HTTPValidationError
from railhttp.doctor import Diagnosis, context_of, diagnose

PLAIN = HTTPClientConfig(trust_env=False)


def trusting(tls: TlsContexts) -> HTTPClientConfig:
    return replace(PLAIN, pool=replace(PLAIN.pool, ssl_context=tls.client))


async def test_a_well_url_has_no_fault(echo: EchoServer) -> None:
    diagnosis = await diagnose(echo.url("/json"), config=PLAIN)
    assert (diagnosis.ok, diagnosis.at_fault, diagnosis.failure) == (True, None, None)
    assert [finding.step for finding in diagnosis.findings] == [
        "name",
        "proxy",
        "route",
        "http",
        "content",
    ]
    assert {finding.severity for finding in diagnosis.findings} == {"ok"}
    assert diagnosis.advice == ()


async def test_a_name_that_does_not_resolve() -> None:
    diagnosis = await diagnose("http://nobody.invalid/", config=PLAIN)
    assert diagnosis.at_fault == "name"
    assert "name" in " ".join(diagnosis.advice)


async def test_a_port_that_refuses() -> None:
    with refused_port() as port:
        diagnosis = await diagnose(f"http://127.0.0.1:{port}/", config=PLAIN)
    assert diagnosis.at_fault == "route"
    assert diagnosis.failure is not None
    assert (diagnosis.failure.label, diagnosis.failure.attempts) == ("connect", 1)


async def test_a_port_that_is_silent() -> None:
    with unanswered_port() as port:
        diagnosis = await diagnose(f"http://127.0.0.1:{port}/", config=PLAIN, timeout=0.1)
    assert diagnosis.at_fault == "route"
    assert diagnosis.advice[0].startswith("check the firewall and the route")


async def test_a_proxy_that_refuses_is_at_fault(echo: EchoServer) -> None:
    with refused_port() as port:
        config = replace(PLAIN, proxy=f"http://ann:s3cret@127.0.0.1:{port}")
        diagnosis = await diagnose(echo.url("/json"), config=config)
    assert diagnosis.at_fault == "proxy"
    assert "s3cret" not in repr(diagnosis)


async def test_a_proxy_that_wants_a_password_is_at_fault(tls: TlsContexts) -> None:
    async with (
        ProxyServer(username="ann", password="s3cret") as proxy,
        EchoServer(ssl_context=tls.trusted) as server,
    ):
        config = replace(trusting(tls), proxy=proxy.url())
        diagnosis = await diagnose(server.url("/json"), config=config)
    assert diagnosis.at_fault == "proxy"


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("expired", "certificate expired "),
        ("wrong_host", "certificate is for other.example, not for 127.0.0.1"),
        ("untrusted", "authority"),
        ("mutual_1_2", "broke off the handshake"),
        ("at_most_1_2", "broke off the handshake"),
    ],
)
async def test_tls_is_at_fault(tls: TlsContexts, server: str, words: str) -> None:
    config = trusting(tls)
    if server == "at_most_1_2":
        config = replace(config, pool=replace(config.pool, ssl_context=tls.client_at_least_1_3))
    async with EchoServer(ssl_context=getattr(tls, server)) as https:
        diagnosis = await diagnose(https.url("/json"), config=config)
    assert diagnosis.at_fault == "tls"
    assert diagnosis.fault is not None
    assert words in diagnosis.fault.what
    assert diagnosis.failure is not None
    assert diagnosis.failure.label == "tls"


async def test_an_expired_certificate_is_dated_and_the_clock_checked(tls: TlsContexts) -> None:
    async with EchoServer(ssl_context=tls.expired) as https:
        diagnosis = await diagnose(https.url("/json"), config=trusting(tls))
    assert diagnosis.fault is not None
    assert "days ago" in diagnosis.fault.what
    assert "the clock here is right (" in diagnosis.fault.what
    assert diagnosis.advice == ("renew the certificate; do not switch verification off",)


async def test_an_alert_names_its_reason(tls: TlsContexts) -> None:
    async with FaultServer(on_accept="alert") as server:
        diagnosis = await diagnose(server.url(scheme="https"), config=trusting(tls))
    assert diagnosis.fault is not None
    assert diagnosis.fault.what == "no version of TLS in common"


async def test_a_server_that_is_silent_in_the_handshake(tls: TlsContexts) -> None:
    async with FaultServer(on_accept="stall") as server:
        url = server.url(scheme="https")
        diagnosis = await diagnose(url, config=trusting(tls), timeout=0.2)
    assert diagnosis.fault is not None
    assert diagnosis.fault.what == "the server did not finish the handshake"


@pytest.mark.parametrize("server", ["expired", "wrong_host"])
async def test_a_certificate_of_a_trusted_authority_is_otherwise_trusted(
    command: Forks, tls: TlsContexts, tmp_path: Path, server: str
) -> None:
    (tmp_path / "ca.pem").write_bytes(tls.authority_pem)
    async with EchoServer(ssl_context=getattr(tls, server)) as https:
        ended = await command.railhttp(
            "doctor", https.url("/json"), SSL_CERT_FILE=str(tmp_path / "ca.pem")
        )
    assert "; the certificate is otherwise trusted" in ended.stdout
    assert ended.code == 23


async def test_the_handshake_shows_the_certificate_of_the_client(
    tls: TlsContexts, tmp_path: Path
) -> None:
    own = tmp_path / "own.pem"
    own.write_bytes(tls.certificate_pem + tls.key_pem)
    with_own = HTTPClientConfig(trust_env=False, verify=False, cert=str(own))
    async with EchoServer(ssl_context=tls.mutual_1_2) as https:
        url = https.url("/json")
        well = await diagnose(url, config=with_own)
        without = await diagnose(url, config=trusting(tls))
    assert well.ok, well
    assert without.at_fault == "tls"


def test_the_trust_store_of_the_system_is_that_of_the_handshake() -> None:
    of_the_system = HTTPClientConfig(verify="system")
    assert isinstance(context_of(of_the_system), truststore.SSLContext)
    assert context_of(PLAIN) is None


async def test_plain_http_at_the_port_of_https(faults: FaultServer, tls: TlsContexts) -> None:
    diagnosis = await diagnose(faults.url(scheme="https"), config=trusting(tls))
    assert diagnosis.fault is not None
    assert diagnosis.fault.what == "the server does not speak TLS at this port"


async def test_tls_that_is_well_shows_the_certificate(tls: TlsContexts) -> None:
    async with EchoServer(ssl_context=tls.trusted) as https:
        diagnosis = await diagnose(https.url("/json"), config=trusting(tls))
    (found,) = [finding for finding in diagnosis.findings if finding.step == "tls"]
    assert found.severity == "ok"
    assert found.what.startswith("TLSv1.3, certificate of ")


@pytest.mark.parametrize(
    ("path", "step"),
    [
        ("/reset-before-head", "http"),
        ("/garbage", "http"),
        ("/stall-before-head", "http"),
        ("/redirect-loop", "http"),
        ("/short-body", "content"),
        ("/gzip-corrupt", "content"),
        ("/stall-in-body", "content"),
        ("/bad-json", "content"),
    ],
)
async def test_http_or_content_is_at_fault(faults: FaultServer, path: str, step: str) -> None:
    diagnosis = await diagnose(faults.url(path), config=PLAIN, timeout=0.3)
    assert diagnosis.at_fault == step
    assert diagnosis.failure is not None
    assert diagnosis.advice


@pytest.mark.parametrize("status", [401, 404, 503])
async def test_a_bad_status_is_at_fault(echo: EchoServer, status: int) -> None:
    diagnosis = await diagnose(echo.url(f"/status/{status}"), config=PLAIN)
    assert diagnosis.at_fault == "http"


async def test_a_large_body_is_not_read_to_its_end(echo: EchoServer) -> None:
    assert (await diagnose(echo.url("/bytes/3000000"), config=PLAIN)).ok


async def test_what_is_no_url_cannot_be_diagnosed() -> None:
    with pytest.raises(HTTPInvalidRequestError):
        await diagnose("ftp://ann:s3cret@h/")
    with pytest.raises(HTTPValidationError):
        await diagnose("http://h/", timeout=0)


async def test_the_command_shows_each_step_and_what_to_do(command: Forks) -> None:
    with refused_port() as port:
        ended = await command.railhttp("doctor", f"http://127.0.0.1:{port}/?token=s3cret")
    first, *lines, advice = ended.stdout.splitlines()
    assert first == f"http://127.0.0.1:{port}/?token=***"
    assert [line.split()[0] for line in lines] == ["name", "proxy", "route"]
    assert lines[-1].endswith("connection refused  ✗ HTTPConnectionError connect, not sent")
    assert advice == "→ check that the server runs, and that the port is right"
    assert (ended.code, ended.stderr) == (21, "")


@pytest.mark.parametrize(
    ("path", "code"),
    [("/json", 0), ("/status/404", 4), ("/status/500", 5), ("/broken", 25), ("/reset", 88)],
)
async def test_the_command_ends_with_the_code_of_the_failure(
    command: Forks, echo: EchoServer, path: str, code: int
) -> None:
    ended = await command.railhttp("doctor", echo.url(path), "--json")
    document = json.loads(ended.stdout)
    assert (ended.code, document["ok"]) == (code, code == 0)
    assert (document["failure"] or {"exit_code": 0})["exit_code"] == code


def test_a_diagnosis_without_findings_is_well() -> None:
    assert Diagnosis("http://h/", ()).ok
