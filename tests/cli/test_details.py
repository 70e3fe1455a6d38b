"""What each option changes: in the request, in the output, in the document."""

import asyncio
import io
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from multidict import CIMultiDict
from tests.cli.processes import Forks
from tests.servers.echo import EchoServer
from tests.servers.tls import TlsContexts
from yarl import URL

from railhttp import (
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.cli.arguments import web_url
from railhttp.cli.attempts import AttemptLog
from railhttp.cli.downloading import progress_bar
from railhttp.cli.downloading import run as run_download
from railhttp.cli.probe import _explain
from railhttp.cli.report import (
    failure_document,
    name_of,
    readable,
    response_document,
    say_failure,
    style_of,
)
from railhttp.cli.sending import Exchanged, _show, _show_request, read, say_setup
from railhttp.cli.terminal import Terminal
from railhttp.events import RequestFinished, RequestStarted
from railhttp.model.request import Request, SendOptions
from railhttp.types import JSON


async def test_redirects_are_followed_unless_nobody_wants_that(
    command: Forks, echo: EchoServer
) -> None:
    followed = await command.railhttp(echo.url("/redirect/1"))
    stayed = await command.railhttp(echo.url("/redirect/1"), "--no-redirects")
    assert followed.stderr.startswith("200 OK")
    assert stayed.stderr.startswith("302 Found")


@pytest.mark.parametrize(
    ("argv", "method", "options", "kind"),
    [
        (["http://h/"], "GET", {}, None),
        (["http://h/", "-d", ""], "POST", {"data": b""}, "application/x-www-form-urlencoded"),
        (["http://h/", "-d", "a"], "POST", {"data": b"a"}, "application/x-www-form-urlencoded"),
        (["http://h/", "--json-body", "[]"], "POST", {"data": b"[]"}, "application/json"),
        (["http://h/", "-j", "[]", "-H", "content-type: x/y"], "POST", {"data": b"[]"}, "x/y"),
    ],
)
def test_a_body_makes_a_post(
    argv: list[str], method: str, options: dict[str, object], kind: str | None
) -> None:
    sending = read("", argv)
    found = dict(sending.options)
    headers = found.pop("headers")
    assert isinstance(headers, CIMultiDict)
    assert (sending.method, found) == (method, options | {"allow_redirects": True})
    assert headers.getall("Content-Type", [None]) == [kind]
    assert (sending.output, sending.timings, sending.verbose) == ("", False, False)


def test_a_method_is_kept_and_its_flags_are_read() -> None:
    sending = read("put", ["http://h/", "-d", "a", "-o", "f", "--timings", "-v", "--no-redirects"])
    assert (sending.method, sending.output) == ("PUT", "f")
    assert (sending.timings, sending.verbose) == (True, True)
    assert sending.options["allow_redirects"] is False


async def test_verbose_shows_both_heads(command: Forks, echo: EchoServer) -> None:
    ended = await command.railhttp(
        echo.url("/status/404"), "-v", "-H", "X-A: 1", "-H", "Cookie: a=b"
    )
    lines = ended.stderr.splitlines()
    assert lines[:3] == [f"> GET {echo.url('/status/404')}", "> X-A: 1", "> Cookie: ***"]
    assert lines[3] == "< 404 Not Found"
    assert any(line.startswith("< Content-Length: ") for line in lines)
    quiet = await command.railhttp(echo.url("/json"))
    assert "<" not in quiet.stderr


async def test_the_output_of_a_head_is_its_fields(command: Forks, echo: EchoServer) -> None:
    ended = await command.railhttp("head", echo.url("/json"), "-o", "-")
    assert ended.stdout.endswith("\n")
    assert all(": " in line for line in ended.stdout.splitlines())


async def test_a_dash_is_stdout(command: Forks, echo: EchoServer, tmp_path: Path) -> None:
    ended = await command.railhttp(echo.url("/json"), "-o", "-", cwd=tmp_path)
    assert json.loads(ended.stdout)["name"] == "café"
    assert os.listdir(tmp_path) == []


async def test_a_document_may_be_saved_too(
    command: Forks, echo: EchoServer, tmp_path: Path
) -> None:
    ended = await command.railhttp(echo.url("/json"), "--json", "-o", "f", cwd=tmp_path)
    assert json.loads(ended.stdout)["status"] == 200
    assert json.loads((tmp_path / "f").read_bytes())["name"] == "café"


@pytest.mark.parametrize(("limit", "code"), [("1000", 0), ("999", 42)])
async def test_a_body_that_is_timed_has_a_limit_too(
    command: Forks, echo: EchoServer, limit: str, code: int
) -> None:
    timed = await command.railhttp(echo.url("/bytes/1000"), "--timings", "--max-bytes", limit)
    untimed = await command.railhttp(echo.url("/bytes/1000"), "--max-bytes", limit)
    assert timed.code == untimed.code
    assert (timed.code == 0) is (code == 0)


async def test_only_a_status_of_an_error_is_a_failure(command: Forks, echo: EchoServer) -> None:
    fine = await command.railhttp(echo.url("/status/399"))
    wrong = await command.railhttp("post", echo.url("/status/400"))
    assert (fine.code, wrong.code) == (0, 4)
    assert ("delivery" in fine.stderr, "delivery" in wrong.stderr) == (False, True)
    document = json.loads((await command.railhttp(echo.url("/status/399"), "--json")).stdout)
    assert "advice" not in document
    document = json.loads((await command.railhttp(echo.url("/status/400"), "--json")).stdout)
    assert (document["class"], document["status"]) == ("HTTPStatusError", 400)


# Colours.


class Screen(io.StringIO):
    """A stderr that is a terminal."""

    def isatty(self) -> bool:
        return True


def on_screen(monkeypatch: pytest.MonkeyPatch) -> tuple[Terminal, Screen]:
    """Make stderr a screen: in the test, since pytest replaces it after the fixtures."""
    for name in ("NO_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    found = Screen()
    monkeypatch.setattr(sys, "stderr", found)
    return Terminal.of_process(), found


def colours(shown: str) -> list[str]:
    """The codes in front of each line: 2 is dim, 31 red, 32 green, 33 yellow."""
    return [
        line.partition("m")[0].removeprefix("\x1b[") if line.startswith("\x1b[") else ""
        for line in shown.splitlines()
    ]


@pytest.mark.parametrize(
    ("status", "style"),
    [(200, "green"), (299, "green"), (300, "yellow"), (399, "yellow"), (400, "red"), (599, "red")],
)
def test_a_status_has_a_colour(status: int, style: str) -> None:
    assert style_of(status) == style


def test_a_call_is_shown_in_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://proxy.example:1")
    sending = read("get", ["http://h/", "-k", "-v", "-H", "A: 1"])
    terminal, screen = on_screen(monkeypatch)
    _show_request(sending, terminal)
    assert colours(screen.getvalue()) == ["33", "2", "2", "2"]
    response = HttpResponse(404, {"X": "1"}, b"", "http://h/", "GET")
    _show(sending, Exchanged(response), AttemptLog(None), terminal)
    assert colours(screen.getvalue())[4:] == ["2", "2", "31", "31", "", ""]


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        ([], True),
        (["--proxy", "http://other.example:1"], False),
        (["--proxy", ""], False),
    ],
)
def test_only_a_proxy_of_the_environment_is_said(
    argv: list[str], shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:1")
    monkeypatch.delenv("no_proxy", raising=False)
    terminal, screen = on_screen(monkeypatch)
    say_setup(read("get", ["http://h/", *argv]).setup, terminal)
    assert ("http://proxy.example:1 (http_proxy)" in screen.getvalue()) is shown


def test_what_is_shown_on_a_console_is_text_and_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, screen = on_screen(monkeypatch)
    terminal.say("[red]a[/red] :smile: 7 \x1b[2J" + "x" * 400)
    assert (
        screen.getvalue()
        == "[red]a[/red] :smile: 7 \N{REPLACEMENT CHARACTER}[2J" + "x" * 400 + "\n"
    )


def test_a_retry_is_shown_in_yellow(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, screen = on_screen(monkeypatch)
    log = AttemptLog(terminal)
    request = Request("GET", URL("http://h/"), None, None, None, SendOptions())
    log.attempt_started(RequestStarted(request))
    log.ended(RequestFinished(0.5, 1, HttpResponse(503)))
    assert screen.getvalue() == ""
    log.attempt_started(RequestStarted(request, 1))
    log.ended(RequestFinished(0.5, 2, HttpResponse(200)))
    log.attempt_started(RequestStarted(request, 2))
    first, second = screen.getvalue().splitlines()
    assert "attempt 1: 503 after 500 ms, waited " in first
    assert "attempt 2: ended after 500 ms, waited " in second
    assert colours(screen.getvalue()) == ["33", "33"]
    assert log.summary(3).startswith("attempts 3 (503 after 500 ms, waited ")
    assert log.summary(3).count(";") == 1
    log.call_started(RequestStarted(request))
    assert log.summary(1) == "attempts 1"


def test_a_download_of_a_console_has_a_bar_that_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, screen = on_screen(monkeypatch)
    with progress_bar(terminal, "big.iso") as progress:
        assert progress is not None
        progress(50, 100)
    assert "big.iso" in screen.getvalue()
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bar(Terminal.of_process(), "big.iso") as progress:
        assert progress is None


# Documents.


FAILURES: tuple[tuple[HTTPFailure, dict[str, JSON]], ...] = (
    (HTTPTimeoutError("m", phase="read", method="GET", url="/"), {"kind": "read", "phase": "read"}),
    (HTTPDecodeError("m", where="$.id"), {"where": "$.id"}),
    (HTTPInvalidRequestError("m", field="url"), {"field": "url"}),
    (HTTPConnectionError("m", kind="dns"), {"kind": "dns", "delivery": "maybe sent"}),
)


@pytest.mark.parametrize(("failure", "expected"), FAILURES)
def test_a_failure_has_a_document(failure: HTTPFailure, expected: dict[str, JSON]) -> None:
    document = failure_document(failure)
    assert document | expected == document
    assert (
        document
        | {
            "class": type(failure).__name__,
            "kind": failure.label,
            "delivery": failure.delivery.value,
            "attempts": failure.attempts,
            "elapsed": failure.elapsed,
            "method": failure.method,
            "url": failure.url,
            "message": "m",
        }
        == document
    )
    assert {"advice", "exit_code"} <= document.keys()
    whole = HTTPRetryExhaustedError("gave up", failures=[failure])
    assert failure_document(whole)["failures"] == [document]


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"Content-Type": "application/json"}, b"[1]", {"json": [1]}),
        ({"Content-Type": "application/problem+json"}, b"[1]", {"json": [1]}),
        ({"Content-Type": "application/json"}, b"[", {"text": "["}),
        ({}, "é".encode(), {"text": "é"}),
        ({}, b"\xff", {"base64": "/w=="}),
    ],
)
def test_a_response_has_a_document(
    headers: dict[str, str], body: bytes, expected: dict[str, JSON]
) -> None:
    response = HttpResponse(
        200,
        {**headers, "Set-Cookie": "a=s3cret"},
        body,
        "http://h/?token=s3cret",
        "PUT",
        1.5,
        "1.0",
        2,
    )
    assert response_document(response) == {
        "status": 200,
        "reason": "OK",
        "http_version": "1.0",
        "method": "PUT",
        "url": "http://h/?token=***",
        "attempts": 2,
        "elapsed": 1.5,
        "headers": [*([name, text] for name, text in headers.items()), ["Set-Cookie", "***"]],
        **expected,
    }


@pytest.mark.parametrize(
    ("kind", "body", "shown"),
    [
        ("application/json", b'{"a":"\xc3\xa9"}', '{\n  "a": "é"\n}'),
        ("application/json", b"[", "["),
        ("text/plain", b"a\x1b[2Jb", "a\N{REPLACEMENT CHARACTER}[2Jb"),
        ("text/plain", b"a\0b", None),
        ("application/x-ndjson", b"{}\n{}\n", "{}\n{}\n"),
    ],
)
def test_a_terminal_shows_text(kind: str, body: bytes, shown: str | None) -> None:
    assert readable(HttpResponse(200, {"Content-Type": kind}, body)) == shown


def test_a_failure_is_named_by_what_distinguishes_it() -> None:
    assert name_of(HTTPDecodeError("m", where="$.id")) == "HTTPDecodeError $.id"
    assert name_of(HTTPStatusError(HttpResponse(404))) == "HTTPStatusError 404"


def test_a_failure_without_a_request_has_no_target(capsys: pytest.CaptureFixture[str]) -> None:
    say_failure(Terminal(), HTTPTimeoutError("m", phase="read", method="GET", url="http://h/"))
    say_failure(Terminal(), HTTPDecodeError("m"))
    first, delivery, advice, second, *_ = capsys.readouterr().err.splitlines()
    assert (first, second) == ("HTTPTimeoutError read: GET http://h/: m", "HTTPDecodeError: m")
    assert delivery.startswith("  delivery maybe sent   attempts 1   elapsed ")
    assert advice.startswith("  → ")


# Other commands.


async def test_a_stream_is_followed_as_far_as_it_is_wanted(
    command: Forks, echo: EchoServer
) -> None:
    for path in ("/ndjson/3", "/events"):
        for number in (0, 1, 2):
            ended = await command.railhttp("tail", echo.url(path), "-n", str(number))
            assert (ended.code, len(ended.stdout.splitlines())) == (0, number)


def test_a_download_needs_a_name() -> None:
    with pytest.raises(SystemExit) as ended:
        run_download(["http://h/"], Terminal())
    assert ended.value.code == 2


@pytest.fixture
async def silent_server() -> AsyncIterator[tuple[int, list[str]]]:
    """A server that counts its connections, and says nothing."""
    connections: list[str] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append("connection")
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], connections


@pytest.mark.parametrize(
    ("reason", "asks"),
    [
        ("not TLS", 0),
        ("no common version", 0),
        ("broken off", 0),
        ("timed out", 0),
        ("self-signed", 1),
        ("expired", 3),
        ("not yet valid", 3),
        ("wrong host", 2),
    ],
)
async def test_a_server_is_asked_again_only_if_that_can_explain_anything(
    silent_server: tuple[int, list[str]], reason: str, asks: int
) -> None:
    port, connections = silent_server
    facts = await _explain(reason, "d", "h", "127.0.0.1", port, None, 30)  # type: ignore[arg-type]  # a literal
    assert (facts.reason, facts.detail, len(connections)) == (reason, "d", asks)
    assert facts.otherwise_trusted is (False if asks > 1 else None)


async def test_a_curl_command_is_sent_with_its_options(
    command: Forks, echo: EchoServer, tls: TlsContexts, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_bytes(tls.authority_pem)

    async def curl(*words: str, **options: str) -> tuple[int, str, str]:
        ended = await command.railhttp("curl", "--run", "curl", *words, cwd=tmp_path, **options)
        return ended.code, ended.stdout, ended.stderr

    async with EchoServer(ssl_context=tls.trusted) as server:
        trusted, *_ = await curl("--cacert", "ca.pem", server.url("/json"))
        unverified, *_ = await curl("-k", server.url("/json"))
        refused, *_ = await curl(server.url("/json"))
    assert (trusted, unverified, refused) == (0, 0, 23)
    assert (await curl("-m", "0.2", echo.url("/slow/60000")))[0] in {33, 33 + 64}
    assert (await curl("-x", "http://127.0.0.1:1", echo.url("/json")))[0] == 22
    assert (await curl("--retry", "0", echo.url("/flaky/curl-once/1")))[0] == 5
    assert (await curl("--retry", "2", echo.url("/flaky/curl-often/2")))[0] == 0
    assert (await curl("-o", "body", echo.url("/json")))[1] == ""
    assert json.loads((tmp_path / "body").read_text())["name"] == "café"
    assert (await curl(echo.url("/redirect/1")))[2].startswith("302 ")
    assert (await curl("-L", echo.url("/redirect/1")))[2].startswith("200 ")
    seen = json.loads((await curl("-d", "@-", "-d", "b", echo.url("/get"), stdin="a"))[1])
    assert (seen["method"], seen["body"]) == ("POST", "a&b")
    assert dict(seen["headers"])["Content-Type"] == "application/x-www-form-urlencoded"
    seen = json.loads((await curl("--data-raw", "@a", "-X", "PUT", echo.url("/get")))[1])
    assert (seen["method"], seen["body"]) == ("PUT", "@a")
    seen = json.loads((await curl("-H", "A: 1", "--json", "5", echo.url("/get")))[1])
    fields = dict(seen["headers"])
    assert (fields["Content-Type"], fields["A"]) == ("application/json", "1")


@pytest.mark.parametrize(
    "words", [["-F", "a=1"], ["-m", "soon"], ["--cacert", "no-such"], ["-d", "@no"]]
)
async def test_a_curl_command_that_cannot_be_sent_is_a_usage_error(
    command: Forks, words: list[str]
) -> None:
    ended = await command.railhttp("curl", "--run", "curl", *words, "http://127.0.0.1:1/")
    assert (ended.code, "Traceback" in ended.stderr) == (2, False)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://h/", "https://h/"),
        ("h/a?b=c://d", "h/a?b=c://d"),
        ("h/a", "http://h/a"),
        ("h:/a", "http://h:/a"),
        (":8000/a", "http://localhost:8000/a"),
        ("/a", "http://localhost/a"),
    ],
)
def test_a_url_is_completed_as_browsers_do(text: str, url: str) -> None:
    assert web_url(text) == url


async def test_events_and_lines_are_asked_for_unless_a_field_says_otherwise(
    command: Forks,
) -> None:
    accepted: list[str] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = [line.partition(": ") for line in head.split("\r\n")]
        accepted.extend(value for name, _, value in lines if name.lower() == "accept")
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for words in ([], ["-H", "accept: text/x"]):
            await command.railhttp("tail", f":{port}/", "--no-reconnect", *words)
    assert accepted == ["text/event-stream, application/x-ndjson;q=0.9", "text/x"]
