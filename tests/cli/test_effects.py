"""The options of each command change its requests, its document and its stderr."""

import asyncio
import io
import json
import re
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.cli.processes import PATIENCE, Forks, environment
from tests.cli.screens import Out, Screen
from tests.servers.echo import EchoServer
from tests.servers.listener import refused_port

from railhttp import HTTPClient
from railhttp.cli import diagnosing, sending
from railhttp.cli.arguments import body, header, trusted
from railhttp.cli.command import main
from railhttp.cli.curl_command import Piece, parse_curl
from railhttp.cli.downloading import _TextBar, progress_bar
from railhttp.cli.python_source import python_of
from railhttp.cli.terminal import Terminal
from railhttp.doctor import Diagnosis
from railhttp.testing import ManualClock, ScriptedTransport, serve


def scripted() -> ScriptedTransport:
    script = ScriptedTransport()
    script.on("GET", "/f").reply(text="content")
    return script


@pytest.mark.parametrize("name", ["get", "download", "tail", "doctor"])
async def test_each_command_sends_the_header_fields(
    command: Forks, tmp_path: Path, name: str
) -> None:
    script = scripted()
    async with serve(script) as server:
        url = f"{server.url}/f"
        await command.railhttp(name, url, "-H", "X-A: 1", "-H", "X-A: 2", cwd=tmp_path)
    assert script.calls
    for call in script.calls:
        assert call.headers.getall("X-A") == ["1", "2"]


@pytest.mark.parametrize("name", ["get", "download", "tail"])
async def test_each_command_warns_of_a_certificate_that_is_not_verified(
    command: Forks, tmp_path: Path, name: str
) -> None:
    with refused_port() as port:
        url = f"https://127.0.0.1:{port}/f"
        ended = await command.railhttp(name, url, "-k", "--retries", "0", cwd=tmp_path)
    assert ended.code == 21
    assert ended.stderr.startswith("warning: the certificate is not verified")


@pytest.mark.parametrize("name", ["get", "download", "tail"])
async def test_each_command_retries_as_often_as_it_is_told(
    command: Forks, tmp_path: Path, name: str
) -> None:
    script = ScriptedTransport()
    script.on("GET", "/f").reply(503)
    async with serve(script) as server:
        ended = await command.railhttp(name, f"{server.url}/f", "--retries", "3", cwd=tmp_path)
    assert (ended.code, len(script.calls)) == (5, 4)
    assert [line.split(":")[0] for line in ended.stderr.splitlines()[:3]] == [
        "attempt 1",
        "attempt 2",
        "attempt 3",
    ]


@pytest.mark.parametrize("name", ["get", "download", "tail", "doctor"])
async def test_each_command_reports_its_failure_as_a_document(
    command: Forks, tmp_path: Path, name: str
) -> None:
    with refused_port() as port:
        ended = await command.railhttp(name, f"http://127.0.0.1:{port}/f", "--json", cwd=tmp_path)
    document = json.loads(ended.stdout)
    failure = document["failure"] if name == "doctor" else document
    assert (failure["kind"], failure["exit_code"], ended.code) == ("connect", 21, 21)
    assert ended.stderr.count("delivery") == 0


# The body that is timed.


async def test_a_call_that_is_timed_has_the_same_document(command: Forks, echo: EchoServer) -> None:
    for path, options in (("/json", ()), ("/status/404", ()), ("/bytes/9", ("--max-bytes", "8"))):
        untimed = await command.railhttp("put", echo.url(path), *options, "--json")
        timed = await command.railhttp("put", echo.url(path), *options, "--json", "--timings")
        documents = [json.loads(ended.stdout) for ended in (untimed, timed)]
        for document in documents:
            document.pop("elapsed")
            document.pop("timings", None)
            fields = [field for field in document.get("headers", ()) if field[0] != "Date"]
            document["headers"] = fields
        assert documents[0] == documents[1]
        assert untimed.code == timed.code


@pytest.mark.parametrize(("limit", "code"), [("--timeout", 33), ("--read-timeout", 32)])
async def test_a_call_that_is_timed_has_its_limits(
    command: Forks, echo: EchoServer, limit: str, code: int
) -> None:
    ended = await command.railhttp("post", echo.url("/slow/60000"), "--timings", limit, "0.1")
    assert ended.code in {code, code + 64}  # a busy machine may not even have connected


async def test_the_time_of_a_call_that_is_timed_has_its_head_and_its_body(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.on("GET", "/").reply(text="content", delay=3)
    readings = iter([10.0, 15.0])  # at the head, and at the end of the body
    monkeypatch.setattr(sending, "time", SimpleNamespace(monotonic=lambda: next(readings)))
    call = sending.read("get", ["http://h/", "--timings"])
    async with HTTPClient(exchange=script, clock=clock) as client:
        exchanged = await clock.run(sending._timed(call, client))
    assert exchanged.phases is not None
    assert exchanged.phases.body == 5.0
    assert (exchanged.response.elapsed, exchanged.response.body) == (3.0 + 5.0, b"content")


async def test_a_file_that_cannot_be_written_is_a_failure_of_its_call(
    command: Forks, echo: EchoServer, tmp_path: Path
) -> None:
    url = echo.url("/json")
    ended = await command.railhttp("put", url, "--json", "-o", "no/such/f", cwd=tmp_path)
    document = json.loads(ended.stdout)
    shown = {name: document[name] for name in ("field", "method", "url", "attempts", "delivery")}
    assert shown == {
        "field": "output",
        "method": "PUT",
        "url": url,
        "attempts": 1,
        "delivery": "answered",
    }
    assert document["elapsed"] > 0


# Streams that are followed.


async def test_an_event_is_printed_when_it_comes_however_long_the_silence_is(
    command: Forks,
) -> None:
    seen = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"Last-Event-ID" in head:
            writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        else:
            start = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
            writer.write(start + b'\r\nid: 1\nretry: 1\ndata: "\xc3\xa9"\n\n')
            await writer.drain()
            await seen.wait()
            await asyncio.sleep(0.3)  # three times as long as the limit of a silence
            writer.write(b"id: 2\ndata: last\n\n")
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "railhttp", "tail", f":{port}/", "--json"),
            *("--read-timeout", "0.1"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment(),
        )
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            first = await process.stdout.readline()
            seen.set()
            rest = await process.stdout.read()
            await process.wait()
    assert first.decode() == '{"id": "1", "event": "message", "data": "\\"é\\""}\n'
    assert json.loads(rest) == {"id": "2", "event": "message", "data": "last"}
    assert process.returncode == 0


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize(
    ("kind", "content"),
    [("text/event-stream", "data: a\x1b[2J\n\n"), ("application/x-ndjson", '"a\x7f[2J"\n')],
)
def test_a_stream_cannot_command_the_terminal(
    kind: str, content: str, is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Out(is_terminal=is_terminal)
    monkeypatch.setattr(sys, "stdout", out)

    def follow(url: str) -> int:
        return main(["tail", url, "--no-reconnect"])

    async def run() -> int:
        script = ScriptedTransport()
        script.on("GET", "/").reply(text=content, headers={"Content-Type": kind})
        async with serve(script) as server:
            return await asyncio.to_thread(follow, server.url)

    assert asyncio.run(run()) == 0
    shown = out.written.getvalue().decode()
    assert ("\N{REPLACEMENT CHARACTER}[2J" in shown) is is_terminal
    assert ("\x1b" in shown or "\x7f" in shown) is not is_terminal


# Values.


def test_bytes_that_are_no_text_are_kept_in_a_body_and_shown_in_a_field(tmp_path: Path) -> None:
    assert body("a\udcff") == b"a\xff"
    path = tmp_path / "fields"
    path.write_bytes(b"X-A: \xff\n")
    assert header(f"@{path}") == [("X-A", "\N{REPLACEMENT CHARACTER}")]


def test_a_file_that_holds_no_certificate_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("no certificate")
    with pytest.raises(ArgumentTypeError, match="must be a file of certificates in PEM"):
        trusted(str(path))


# The doctor.


def test_a_diagnosis_cannot_command_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    async def diagnose(url: str, **_: object) -> Diagnosis:
        return Diagnosis("http://h/\x1b[2J", ())

    monkeypatch.setattr(diagnosing, "diagnose", diagnose)
    assert main(["doctor", "http://h/"]) == 0
    assert b"\x1b" not in capfdbinary.readouterr().out


async def test_the_doctor_requests_as_its_options_say(command: Forks) -> None:
    with refused_port() as port:
        url = "http://h.example/"
        ended = await command.railhttp("doctor", url, "--proxy", f"http://127.0.0.1:{port}")
    assert ended.code == 22
    assert f"http://127.0.0.1:{port}" in ended.stdout


# Other packages.


@pytest.mark.parametrize("is_screen", [True, False])
def test_the_openapi_command_names_the_extra_that_it_needs(
    is_screen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    err = Screen()
    err.is_terminal = is_screen
    monkeypatch.setattr(sys, "stderr", err)
    for name in ("NO_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setitem(sys.modules, "railhttp.integrations.openapi.command", None)
    assert main(["openapi", "spec.json"]) == 2
    assert "railhttp openapi: " in err.getvalue()
    assert ("\x1b[31m" in err.getvalue()) is is_screen


def test_the_openapi_command_gets_the_arguments_after_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "spec.json"
    path.write_text("[]")
    assert main(["openapi", str(path)]) == 1
    assert str(path) in capsys.readouterr().err


def test_a_bar_of_text_is_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BufferedWriter(raw)))
    _TextBar()(500, None)
    assert raw.getvalue() == b"\r\x1b[K500 B"


def screen_of(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Put a screen that shows bars in the place of stderr."""
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return screen


def test_a_bar_shows_the_share_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = screen_of(monkeypatch)
    with progress_bar(Terminal.of_process(), "big.iso") as progress:
        assert progress is not None
        progress(50, 200)
    assert "25%" in screen.getvalue()


def test_a_bar_of_an_unknown_length_shows_no_share(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = screen_of(monkeypatch)
    with progress_bar(Terminal.of_process(), "big.iso") as progress:
        assert progress is not None
        progress(30, None)
    assert "big.iso" in screen.getvalue()
    assert "30%" not in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[2K")  # it is wiped from the terminal at the end


async def test_the_options_may_follow_a_curl_command_in_one_word(
    command: Forks, echo: EchoServer
) -> None:
    ended = await command.railhttp("curl", f"curl {echo.url('/get')}", "--run", "--json")
    document = json.loads(ended.stdout)
    assert (ended.code, document["status"]) == (0, 200)
    assert document["json"]["path"] == "/get"


async def test_a_body_that_is_timed_and_too_large_names_all_its_attempts(command: Forks) -> None:
    script = ScriptedTransport()
    script.on("GET", "/f").reply(503).reply(text="content")
    async with serve(script) as server:
        url = f"{server.url}/f"
        ended = await command.railhttp(url, "--timings", "--json", "--max-bytes", "6")
    document = json.loads(ended.stdout)
    assert (ended.code, document["attempts"], document["url"]) == (41, 2, url)
    assert (document["method"], document["delivery"]) == ("GET", "answered")


async def test_a_retry_says_how_long_it_was_put_off(command: Forks, echo: EchoServer) -> None:
    ended = await command.railhttp(echo.url("/flaky/put-off/1"))
    waited = re.search(r"waited ([\d.]+) (ms|s)", ended.stderr)
    assert waited is not None
    assert float(waited[1]) / (1000 if waited[2] == "ms" else 1) < 60


@pytest.mark.parametrize("value", ["s3cret", "it's s3cret", 'a "s3cret"'])
def test_a_usage_error_masks_the_value(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get", "http://h/", f"--json={value}"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert ("s3cret" in last, "***" in last) == (False, True)


async def test_a_head_has_a_line_for_each_field(command: Forks, echo: EchoServer) -> None:
    ended = await command.railhttp("head", echo.url("/json"))
    names = [line.partition(": ")[0] for line in ended.stdout.splitlines()]
    assert {"Content-Type", "Content-Length", "Date", "Server"} <= set(names)
    assert len(names) == len(set(names))


async def test_a_stream_begins_at_its_start_unless_an_event_is_given(command: Forks) -> None:
    script = ScriptedTransport()
    fields = {"Content-Type": "text/event-stream"}
    script.on("GET", "/").reply(text="data: a\n\n", headers=fields)
    async with serve(script) as server:
        for words in ([], ["--last-event-id", "7"]):
            await command.railhttp("tail", server.url, "--no-reconnect", *words)
    assert [call.headers.get("Last-Event-ID") for call in script.calls] == [None, "7"]


async def test_a_proxy_of_a_curl_command_needs_no_mention(command: Forks) -> None:
    with refused_port() as port:
        proxy = f"http://127.0.0.1:{port}"
        ended = await command.railhttp("curl", "--run", "curl", "-x", proxy, "http://h.example/")
    assert ended.code == 22
    assert not any(line.startswith("proxy ") for line in ended.stderr.splitlines())


def test_a_flag_that_is_not_converted_is_shown_in_yellow(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    for name in ("NO_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert main(["curl", "curl --http3 http://h/"]) == 0
    assert screen.getvalue() == "\x1b[33m--http3 is not converted\x1b[0m\n"


@pytest.mark.parametrize("words", ["-sd a=1 h", "-sSd a=1 h", "h -ksd a=1", "-sda=1 h"])
def test_a_flag_with_a_value_may_stand_behind_others(words: str) -> None:
    parsed = parse_curl(f"curl {words}")
    assert (parsed.url, parsed.data, parsed.method) == ("http://h", [Piece("a=1")], "POST")


async def test_a_download_knows_its_time(command: Forks, echo: EchoServer, tmp_path: Path) -> None:
    ended = await command.railhttp("download", echo.url("/file/9"), "--json", cwd=tmp_path)
    assert 0 < json.loads(ended.stdout)["elapsed"] < PATIENCE


def test_a_text_that_looks_like_python_is_a_text() -> None:
    program = python_of(parse_curl("curl -d a=os.environ%20b 'http://h/?c=os.environ%20d'"))
    assert 'data="a=os.environ%20b"' in program
    assert '"http://h/?c=os.environ%20d"' in program
    assert "import os" not in program


def test_a_terminal_without_rich_has_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    terminal = Terminal.of_process()
    terminal.say("a line", "green")
    assert (terminal.console, screen.getvalue()) == (None, "a line\n")


@pytest.mark.parametrize(
    ("line", "url", "data"),
    [
        (r"curl -d 'a\tb' h", "http://h", [Piece(r"a\tb")]),
        (r"curl 'h/a\b'", r"http://h/a\b", []),
        ("curl 'h/a?b=c:/d'", "http://h/a?b=c:/d", []),
    ],
)
def test_a_quoted_word_is_taken_as_it_is(line: str, url: str, data: list[Piece]) -> None:
    parsed = parse_curl(line)
    assert (parsed.url, parsed.data) == (url, data)
