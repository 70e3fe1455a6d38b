"""Each shared option changes one setting; sizes and times are written for people."""

import io
import json
import os
import ssl
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.cli.processes import Forks
from tests.cli.screens import Out
from tests.servers.echo import EchoServer
from tests.servers.tls import TlsContexts

from railhttp import Delivery, HTTPConnectionError, HttpResponse
from railhttp.cli import diagnosing, downloading
from railhttp.cli.arguments import body, count, document, header, seconds, size
from railhttp.cli.diagnosing import document_of, lines_of
from railhttp.cli.probe import _reason
from railhttp.cli.report import failure_document, phrase, print_document, show_body
from railhttp.cli.sending import read
from railhttp.cli.terminal import Terminal
from railhttp.cli.timings import waterfall
from railhttp.cli.units import milliseconds
from railhttp.cli.units import size as size_in_words
from railhttp.doctor import Diagnosis, Finding
from railhttp.events import Timings
from railhttp.testing import ScriptedTransport, serve

MIB = 1024**2


def settings(*argv: str) -> dict[str, object]:
    setup = read("get", ["http://h/", *argv]).setup
    config, pool = setup.config, setup.config.pool
    return {
        "headers": list(setup.headers),
        "timeout": config.timeout,
        "connect": config.connect_timeout,
        "read": config.read_timeout,
        "max_bytes": config.max_response_bytes,
        "proxy": config.proxy and str(config.proxy),
        "trust_env": config.trust_env,
        "verify": pool.verify_ssl,
        "context": pool.ssl_context,
        "retries": setup.retries,
        "json": setup.as_json,
    }


@pytest.mark.parametrize(
    ("argv", "changed"),
    [
        (["-H", "A: 1", "--header", "a:2"], {"headers": [("A", "1"), ("a", "2")]}),
        (["--timeout", "1.5"], {"timeout": 1.5}),
        (["--timeout", "0"], {"timeout": None}),
        (["--connect-timeout", "2"], {"connect": 2.0}),
        (["--connect-timeout", "0"], {"connect": None}),
        (["--read-timeout", "3"], {"read": 3.0}),
        (["--read-timeout", "0"], {"read": None}),
        (["--max-bytes", "1"], {"max_bytes": 1}),
        (["--proxy", "http://p:1"], {"proxy": "http://p:1", "trust_env": False}),
        (["--proxy", ""], {"trust_env": False}),
        (["-k"], {"verify": False}),
        (["--insecure"], {"verify": False}),
        (["--retries", "0"], {"retries": 0}),
        (["--retries", "7"], {"retries": 7}),
        (["--json"], {"json": True}),
    ],
)
def test_an_option_changes_one_setting(argv: list[str], changed: dict[str, object]) -> None:
    usual = settings()
    assert usual == {
        "headers": [],
        "timeout": 30.0,
        "connect": None,
        "read": None,
        "max_bytes": 100 * MIB,
        "proxy": None,
        "trust_env": True,
        "verify": True,
        "context": None,
        "retries": None,
        "json": False,
    }
    assert settings(*argv) == usual | changed


def test_a_file_of_certificates_replaces_those_of_the_system(
    tls: TlsContexts, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(tls.authority_pem)
    context = settings("--cacert", str(path))["context"]
    assert isinstance(context, ssl.SSLContext)
    assert len(context.get_ca_certs()) == 1
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("argv", [["-k", "--cacert", "ca.pem"], ["-d", "a", "-j", "1"]])
def test_options_that_exclude_each_other_are_a_usage_error(
    argv: list[str], tls: TlsContexts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.pem").write_bytes(tls.authority_pem)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        read("get", ["http://h/", *argv])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("argv", "named", "hidden"),
    [
        (["--tim", "s3cret"], "--tim", "s3cret"),
        (["--token=s3cret", "-x"], "--token, -x", "s3cret"),
        (["s3cret"], "an argument too many", "s3cret"),
        (["--Token"], "an argument too many", "--Token"),
        (["--retries", "s3cret"], "--retries", "s3cret"),
    ],
)
def test_a_usage_error_names_the_option_but_no_value(
    argv: list[str], named: str, hidden: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        read("get", ["http://h/", *argv])
    last = capsys.readouterr().err.splitlines()[-1]
    assert (ended.value.code, last.startswith("railhttp get: ")) == (2, True)
    assert (named in last, hidden in last) == (True, False)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (header, "A: 1", [("A", "1")]),
        (header, " A :  b:c ", [("A", "b:c")]),
        (header, "A:", [("A", "")]),
        (body, "é", "é".encode()),
        (body, "", b""),
        (document, " [1]", b" [1]"),
        (seconds, "0", 0.0),
        (seconds, "0.5", 0.5),
        (count, "0", 0),
        (count, "999999999", 999_999_999),
        (size, "1", 1),
    ],
)
def test_a_value_is_read(parse: Callable[[str], object], text: str, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (header, "A"),
        (header, " : 1"),
        (document, "{"),
        (seconds, "-1"),
        (seconds, "nan"),
        (seconds, "inf"),
        (count, ""),
        (count, "-1"),
        (count, "1.5"),
        (count, "²"),
        (count, "1000000000"),
        (size, "0"),
    ],
)
def test_a_value_that_means_nothing_is_refused(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        parse(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_900, "999.9 kB"),
        (1_000_000, "1.0 MB"),
        (2_500_000_000, "2.5 GB"),
        (10**12, "1.0 TB"),
        (10**15, "1000.0 TB"),
    ],
)
def test_a_size_has_the_largest_unit_that_fits(number: int, text: str) -> None:
    assert size_in_words(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0004, "0.4 ms"),
        (0.001, "1 ms"),
        (0.25, "250 ms"),
        (9.9, "9900 ms"),
        (10.0, "10.0 s"),
        (61.26, "61.3 s"),
    ],
)
def test_a_time_is_in_milliseconds_below_ten_seconds(number: float, text: str) -> None:
    assert milliseconds(number) == text


@pytest.mark.parametrize(
    ("phases", "bars"),
    [
        ({"dns": 1.0, "wait": 3.0}, [(0, 10), (10, 30)]),
        ({"dns": 0.0, "wait": 0.0}, [(0, 1), (0, 1)]),
        ({"wait": 1.0, "body": 0.0}, [(0, 40), (39, 1)]),
        ({"tcp": 0.5, "tls": 0.25, "wait": 0.25}, [(0, 20), (20, 10), (30, 10)]),
    ],
)
def test_a_bar_begins_where_the_one_above_ends(
    phases: dict[str, float], bars: list[tuple[int, int]]
) -> None:
    lines = waterfall(Timings(**phases))
    found = [line[6:46] for line in lines]
    assert [(bar.index("▇"), bar.count("▇")) for bar in found] == bars
    assert [line[:5].rstrip() for line in lines] == list(phases)
    assert {len(line) for line in lines} == {54}


@pytest.mark.parametrize(("status", "words"), [(200, "OK"), (404, "Not Found"), (299, "")])
def test_only_a_registered_status_has_a_phrase(status: int, words: str) -> None:
    assert phrase(status) == words


# On a terminal.


@pytest.mark.parametrize(
    ("is_terminal", "written"), [(True, '{\n  "é": 1\n}\n'), (False, '{"é": 1}\n')]
)
def test_a_document_is_indented_only_for_people(
    is_terminal: bool, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Out(is_terminal=is_terminal)
    monkeypatch.setattr(sys, "stdout", out)
    print_document(Terminal(), {"é": 1})
    assert out.written.getvalue().decode() == written


@pytest.mark.parametrize(
    ("is_terminal", "content", "written", "said"),
    [
        (True, b"a\n", b"a\n", ""),
        (True, b"a\n\n", b"a\n\n", ""),
        (True, b"", b"", ""),
        (True, b"a\0", b"", "2 B of binary data; -o FILE saves it\n"),
        (False, b"a\0", b"a\0", ""),
        (False, b"a", b"a", ""),
    ],
)
def test_a_body_is_text_on_a_terminal_and_itself_elsewhere(
    is_terminal: bool,
    content: bytes,
    written: bytes,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = Out(is_terminal=is_terminal)
    monkeypatch.setattr(sys, "stdout", out)
    show_body(Terminal(), HttpResponse(200, body=content))
    assert (out.written.getvalue(), capsys.readouterr().err) == (written, said)


class Err(io.StringIO):
    """A stderr that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_bar_of_text_is_drawn_ten_times_a_second_and_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    err, now = Err(), [100.0]
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr(downloading, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with downloading.progress_bar(Terminal(), "f") as progress:
        assert progress is not None
        for seconds_later, done, total in [
            (0.0, 500, 2000),
            (0.0625, 900, 2000),
            (0.0625, 1999, 2000),
            (0.125, 3, None),
        ]:
            now[0] += seconds_later
            progress(done, total)
    drawn = err.getvalue().split("\r\x1b[K")
    assert drawn == ["", "500 B of 2.0 kB, 25 %", "2.0 kB of 2.0 kB, 99 %", "3 B", ""]


def test_a_letter_that_the_encoding_of_stderr_lacks_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    err = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stderr", err)
    Terminal().say("café\x07")
    assert err.buffer.getvalue() == b"caf??\n"


# Streams, downloads, and the doctor.


@pytest.mark.parametrize("kind", ["x-ndjson", "ndjson", "jsonl", "json-lines"])
async def test_lines_of_json_have_four_media_types(command: Forks, kind: str) -> None:
    script = ScriptedTransport()
    fields = {"Content-Type": f"application/{kind}; charset=utf-8"}
    script.on("GET", "/").reply(body=b'{"n": "\xc3\xa9"}\n[1]\n', headers=fields)
    async with serve(script) as server:
        ended = await command.railhttp("tail", server.url)
    assert (ended.code, ended.stdout) == (0, '{"n": "é"}\n[1]\n')


async def test_lines_of_an_error_are_its_status(command: Forks) -> None:
    script = ScriptedTransport()
    fields = {"Content-Type": "application/x-ndjson"}
    script.on("GET", "/").reply(200, body=b"{}", headers=fields).reply(
        404, body=b"{}", headers=fields
    )
    async with serve(script) as server:
        ended = await command.railhttp("tail", server.url)
    assert (ended.code, ended.stdout) == (4, "")


FAILURE = HTTPConnectionError("m", kind="dns", delivery=Delivery.NOT_SENT, method="GET", url="u")
FINDINGS = (
    Finding("name", "slow", "warning", "use a nearer one", 1.5),
    Finding("route", "no proxy"),
    Finding("route", "refused", "fault", "start it"),
    Finding("http", "unknown", "fault", "start it"),
)


def test_a_diagnosis_is_shown_step_by_step() -> None:
    assert lines_of(Diagnosis("u", FINDINGS, FAILURE)) == [
        "u",
        "  name     slow  1500 ms  !",
        "  route    no proxy  ok",
        "  route    refused  ✗ HTTPConnectionError dns, not sent",
        "  http     unknown  ✗",
        "→ use a nearer one",
        "→ start it",
    ]
    assert lines_of(Diagnosis("u", FINDINGS))[3] == "  route    refused  ✗"


def test_a_diagnosis_has_a_document() -> None:
    document = document_of(Diagnosis("u", FINDINGS[:1]))
    assert document == {
        "url": "u",
        "ok": True,
        "at_fault": None,
        "findings": [
            {
                "step": "name",
                "severity": "warning",
                "what": "slow",
                "advice": "use a nearer one",
                "seconds": 1.5,
            }
        ],
        "failure": None,
    }
    document = document_of(Diagnosis("u", FINDINGS, FAILURE))
    assert (document["ok"], document["at_fault"]) == (False, "route")
    assert document["failure"] == failure_document(FAILURE)


@pytest.mark.parametrize(
    ("argv", "limit"), [([], 10.0), (["--timeout", "0"], 10.0), (["--timeout", "3"], 3.0)]
)
def test_a_diagnosis_has_ten_seconds_unless_others_are_given(
    argv: list[str], limit: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[float] = []

    async def diagnose(url: str, *, timeout: float, **_: object) -> Diagnosis:
        limits.append(timeout)
        return Diagnosis(url, ())

    monkeypatch.setattr(diagnosing, "diagnose", diagnose)
    assert diagnosing.run(["http://h/", *argv], Terminal()) == 0
    assert limits == [limit]


async def test_a_download_starts_anew_if_nobody_wants_a_part(
    command: Forks, echo: EchoServer, tmp_path: Path
) -> None:
    url = echo.url("/file/3000", drop=1000)
    anew = await command.railhttp("download", url, "-o", "a", "--no-resume", cwd=tmp_path)
    resumed = await command.railhttp("download", url, "-o", "b", cwd=tmp_path)
    assert (anew.code, resumed.code) == (25, 0)
    assert os.listdir(tmp_path) == ["b"]


async def test_a_download_has_a_document(command: Forks, echo: EchoServer, tmp_path: Path) -> None:
    ended = await command.railhttp("download", echo.url("/file/1000"), "--json", cwd=tmp_path)
    document = json.loads(ended.stdout)
    assert document.pop("elapsed") > 0
    assert document == {"path": "1000", "size": 1000, "resumed_from": 0, "attempts": 1}
    assert ended.stderr == ""


def verification(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = code, "why"
    return error


def handshake(reason: str) -> ssl.SSLError:
    error = ssl.SSLError()
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "reason", "detail"),
    [
        (verification(9), "not yet valid", "why"),
        (verification(10), "expired", "why"),
        (verification(18), "self-signed", "why"),
        (verification(19), "self-signed", "why"),
        (verification(20), "unknown authority", "why"),
        (verification(21), "unknown authority", "why"),
        (verification(62), "wrong host", "why"),
        (verification(64), "wrong host", "why"),
        (verification(23), "other", "why"),
        (handshake("WRONG_VERSION_NUMBER"), "not TLS", "wrong version number"),
        (handshake("RECORD_LAYER_FAILURE"), "not TLS", "record layer failure"),
        (handshake("HTTP_REQUEST"), "not TLS", "http request"),
        (handshake("UNSUPPORTED_PROTOCOL"), "no common version", "unsupported protocol"),
        (handshake("NO_PROTOCOLS_AVAILABLE"), "no common version", "no protocols available"),
        (
            handshake("TLSV1_ALERT_PROTOCOL_VERSION"),
            "no common version",
            "tlsv1 alert protocol version",
        ),
        (
            handshake("TLSV13_ALERT_CERTIFICATE_REQUIRED"),
            "client certificate",
            "tlsv13 alert certificate required",
        ),
        (
            handshake("SSLV3_ALERT_HANDSHAKE_FAILURE"),
            "client certificate",
            "sslv3 alert handshake failure",
        ),
        (handshake("BAD_SIGNATURE"), "other", "bad signature"),
        (TimeoutError(), "timed out", ""),
        (ConnectionResetError(), "broken off", ""),
        (EOFError(), "broken off", ""),
    ],
)
def test_an_error_of_a_handshake_has_a_reason(error: Exception, reason: str, detail: str) -> None:
    assert _reason(error) == (reason, detail)
