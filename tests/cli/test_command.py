"""The command as scripts and people use it: a process, its output, its exit code."""

import asyncio
import hashlib
import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest
from tests.cli.processes import PATIENCE, Forks, environment
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.listener import refused_port, unanswered_port
from tests.servers.proxy import ProxyServer
from tests.servers.tls import TlsContexts

from railhttp.demo.bodies import pattern

SECRET = "s3cret"


async def test_a_body_goes_to_stdout_and_the_rest_to_stderr(
    command: Forks, echo: EchoServer
) -> None:
    ended = await command.railhttp(echo.url("/users/7"), "-H", "Accept: application/json")
    assert (ended.code, json.loads(ended.stdout)) == (0, {"id": 7, "name": "Ann"})
    assert re.fullmatch(r"200 OK  HTTP/1\.1  24 B  [\d.]+ m?s   attempts 1\n", ended.stderr)


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch", "options"])
async def test_each_method_is_sent(command: Forks, echo: EchoServer, method: str) -> None:
    ended = await command.railhttp(method, echo.url("/get"))
    assert json.loads(ended.stdout)["method"] == method.upper()


async def test_head_prints_the_header_fields(command: Forks, echo: EchoServer) -> None:
    ended = await command.railhttp("head", echo.url("/json"))
    assert "Content-Type: application/json" in ended.stdout


@pytest.mark.parametrize(
    ("options", "stdin", "body", "kind"),
    [
        (["-d", "a=1"], "", "a=1", "application/x-www-form-urlencoded"),
        (["-d", "@-"], "from stdin", "from stdin", "application/x-www-form-urlencoded"),
        (["-j", '{"a": 1}'], "", '{"a": 1}', "application/json"),
        (["-j", "@-", "-H", "Content-Type: a/b"], "[]", "[]", "a/b"),
    ],
)
async def test_a_body_is_sent(
    command: Forks, echo: EchoServer, options: list[str], stdin: str, body: str, kind: str
) -> None:
    ended = await command.railhttp(echo.url("/get"), *options, stdin=stdin)
    seen = json.loads(ended.stdout)
    assert (seen["method"], seen["body"]) == ("POST", body)
    assert dict(seen["headers"])["Content-Type"] == kind


async def test_header_fields_may_come_from_a_file(
    command: Forks, echo: EchoServer, tmp_path: Path
) -> None:
    (tmp_path / "fields").write_text("X-A: 1\n\nX-B: 2\n")
    ended = await command.railhttp(echo.url("/get"), "-H", "@fields", cwd=tmp_path)
    fields = dict(json.loads(ended.stdout)["headers"])
    assert (fields["X-A"], fields["X-B"]) == ("1", "2")


async def test_a_body_may_go_to_a_file(command: Forks, echo: EchoServer, tmp_path: Path) -> None:
    ended = await command.railhttp(echo.url("/bytes/1000"), "-o", "body", cwd=tmp_path)
    assert (ended.code, ended.stdout) == (0, "")
    assert (tmp_path / "body").read_bytes() == pattern(1000)


async def test_a_file_that_cannot_be_written_is_an_invalid_request(
    command: Forks, echo: EchoServer, tmp_path: Path
) -> None:
    ended = await command.railhttp(echo.url("/json"), "-o", "no/such/folder", cwd=tmp_path)
    assert ended.code == 10
    assert "cannot be written: No such file or directory" in ended.stderr


async def test_timings_are_a_waterfall(command: Forks, echo: EchoServer) -> None:
    ended = await command.railhttp(echo.url("/slow/50"), "--timings")
    assert [line.split()[0] for line in ended.stderr.splitlines()[1:]] == [
        "tcp",
        "send",
        "wait",
        "body",
    ]
    assert ended.stdout == "late"


async def test_timings_of_tls_are_in_the_document(
    command: Forks, tls: TlsContexts, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_bytes(tls.authority_pem)
    async with EchoServer(ssl_context=tls.trusted) as server:
        ended = await command.railhttp(
            server.url("/json"), "--timings", "--json", "--cacert", "ca.pem", cwd=tmp_path
        )
    document = json.loads(ended.stdout)
    assert document["timings"].keys() == {"tcp", "tls", "send", "wait", "body"}
    assert all(seconds >= 0 for seconds in document["timings"].values())


async def test_retries_are_shown(command: Forks, echo: EchoServer) -> None:
    ended = await command.railhttp(echo.url("/flaky/command/2"))
    first, second, last = ended.stderr.splitlines()
    assert re.fullmatch(r"attempt 1: 503 after [\d.]+ m?s, waited [\d.]+ m?s", first)
    assert second.startswith("attempt 2: 503 after ")
    assert re.search(r"attempts 3 \(503 after .*; 503 after .*\)$", last)
    assert (ended.code, ended.stdout) == (0, '{"count": 3}')


async def test_asked_for_retries_end_in_60(command: Forks, echo: EchoServer) -> None:
    with refused_port() as port:
        given_up = await command.railhttp(f"http://127.0.0.1:{port}/", "--retries", "1", "--json")
        single = await command.railhttp(f"http://127.0.0.1:{port}/", "--retries", "0")
    reset = await command.railhttp("get", echo.url("/reset"), "--retries", "1")
    document = json.loads(given_up.stdout)
    assert (given_up.code, single.code, reset.code) == (60, 21, 60 + 64)
    assert [one["kind"] for one in document["failures"]] == ["connect", "connect"]


async def test_a_failure_names_delivery_and_advice(command: Forks, echo: EchoServer) -> None:
    ended = await command.railhttp("post", echo.url("/reset"))
    first, delivery, advice = ended.stderr.splitlines()
    assert first.startswith("HTTPConnectionError disconnected: POST http://127.0.0.1:")
    assert delivery.split()[:4] == ["delivery", "maybe", "sent", "attempts"]
    assert advice.startswith("  → ")
    assert "ask the server before you send it again" in advice
    assert (ended.code, ended.stdout) == (88, "")


async def test_a_failure_may_be_a_document(command: Forks, echo: EchoServer) -> None:
    ended = await command.railhttp("post", echo.url("/reset"), "--json")
    document = json.loads(ended.stdout)
    assert {name: document[name] for name in ("class", "kind", "delivery", "attempts")} == {
        "class": "HTTPConnectionError",
        "kind": "disconnected",
        "delivery": "maybe sent",
        "attempts": 1,
    }
    assert (document["elapsed"] > 0, document["exit_code"]) == (True, 88)
    assert ended.stderr == ""


async def test_a_status_has_its_body_and_its_code(command: Forks, echo: EchoServer) -> None:
    missing = await command.railhttp(echo.url("/users/404"))
    broken = await command.railhttp("post", echo.url("/status/500"), "--json")
    assert (missing.code, missing.stdout) == (4, '{"title": "no such user"}')
    assert "→ check the path" in missing.stderr
    assert (broken.code, json.loads(broken.stdout)["status"]) == (5, 500)


async def test_a_document_has_the_response(command: Forks, echo: EchoServer) -> None:
    document = json.loads((await command.railhttp(echo.url("/json"), "--json")).stdout)
    assert (document["status"], document["reason"], document["attempts"]) == (200, "OK", 1)
    assert document["json"]["name"] == "café"
    text = json.loads((await command.railhttp(echo.url("/stream/1"), "--json")).stdout)
    binary = json.loads((await command.railhttp(echo.url("/bytes/255"), "--json")).stdout)
    assert (text["text"], len(binary["base64"])) == ("line 0\n", 340)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ftp://h/"], 10),
        (["http://"], 10),
        (["http://h/", "--proxy", "socks5://h"], 10),
        (["http://h/", "--timeout", "1", "--read-timeout", "2"], 10),
        (["http://nobody.invalid/"], 20),
    ],
)
async def test_what_cannot_be_sent(command: Forks, arguments: list[str], code: int) -> None:
    assert (await command.railhttp(*arguments)).code == code


async def test_limits_have_codes_of_their_own(command: Forks, faults: FaultServer) -> None:
    stalled = faults.url("/stall-before-head")
    with unanswered_port() as port:
        silent = f"http://127.0.0.1:{port}/"
        codes = [
            (await command.railhttp(silent, "--connect-timeout", "0.1", "--retries", "0")).code,
            (await command.railhttp("post", stalled, "--read-timeout", "0.1")).code,
            (await command.railhttp("post", stalled, "--timeout", "0.2")).code,
        ]
    assert codes == [31, 32 + 64, 33 + 64]


async def test_certificates_are_verified(command: Forks, tls: TlsContexts) -> None:
    async with EchoServer(ssl_context=tls.untrusted) as server:
        refused = await command.railhttp(server.url("/json"))
        taken = await command.railhttp(server.url("/json"), "-k")
    assert (refused.code, taken.code) == (23, 0)
    assert taken.stderr.startswith("warning: the certificate is not verified")


async def test_a_proxy_of_the_environment_is_shown(command: Forks, echo: EchoServer) -> None:
    async with ProxyServer() as proxy:
        url = proxy.url().replace("//", f"//ann:{SECRET}@").rstrip("/")
        through = await command.railhttp(echo.url("/json"), http_proxy=url)
        direct = await command.railhttp(echo.url("/json"), "--proxy", "", http_proxy=url)
    assert through.code == direct.code == 0
    assert through.stderr.startswith("proxy http://127.0.0.1:")
    assert "(http_proxy)" in through.stderr
    assert (SECRET in through.stderr, "proxy" in direct.stderr) == (False, False)


async def test_a_proxy_that_refuses(command: Forks) -> None:
    with refused_port() as port:
        proxy = f"http://127.0.0.1:{port}"
        assert (await command.railhttp("http://h.example/", "--proxy", proxy)).code == 22


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["bogus"],
        ["get"],
        ["get", "http://h/", "http://h/"],
        ["get", "http://h/", "--no-such-option"],
        ["get", "http://h/", "-H", "no colon"],
        ["get", "http://h/", "--timeout", "soon"],
        ["get", "http://h/", "-d", "a", "-j", "b"],
        ["get", "http://h/", "-d", "@/no/such/file"],
        ["get", "http://h/", "-j", '{"a": 1'],
        ["get", "http://h/", "--cacert", "/no/such/file"],
        ["download", "http://h/"],
        ["curl", "wget http://h/"],
        ["tail", "http://h/", "-n", "-1"],
    ],
)
async def test_a_usage_error_is_2(command: Forks, arguments: list[str]) -> None:
    ended = await command.railhttp(*arguments)
    assert (ended.code, "Traceback" in ended.stderr) == (2, False)


async def test_help_and_version_are_0(command: Forks) -> None:
    for arguments in (["--help"], ["get", "--help"], ["doctor", "-h"], ["--version"]):
        ended = await command.railhttp(*arguments)
        assert (ended.code, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["-v", "-H", f"Authorization: Bearer {SECRET}", "-H", f"X-Api-Key: {SECRET}"],
        ["--json", "-H", f"Cookie: a={SECRET}"],
        ["-H", f"Authorization {SECRET}"],
        ["--header-field", f"Authorization: {SECRET}"],
        [f"--token={SECRET}"],
        [f"--json={SECRET}"],
        ["--timeout", SECRET],
        ["-v", "--proxy", f"http://ann:{SECRET}@127.0.0.1:1"],
        ["--proxy", f"socks5://ann:{SECRET}@h"],
    ],
)
async def test_no_secret_is_printed(command: Forks, echo: EchoServer, arguments: list[str]) -> None:
    url = echo.url("/status/418").replace("//", f"//ann:{SECRET}@") + f"?token={SECRET}"
    for name in ("get", "doctor", "tail", "download"):
        ended = await command.railhttp(name, url, *arguments)
        assert SECRET not in ended.stdout + ended.stderr


async def interrupted(faults: FaultServer, *arguments: str, cwd: Path) -> tuple[int | None, bytes]:
    """Press Ctrl-C when the server has the request, and return the exit code and stderr."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "railhttp", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env=environment(),
    )
    try:
        async with asyncio.timeout(PATIENCE):
            while not faults.received:  # noqa: ASYNC110  # a server tells nobody
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.2)  # the first bytes of a body are on their way
            process.send_signal(signal.SIGINT)
            _, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    return process.returncode, err


@pytest.mark.parametrize("name", ["get", "tail", "doctor"])
async def test_ctrl_c_is_130(faults: FaultServer, tmp_path: Path, name: str) -> None:
    url = faults.url("/stall-before-head")
    assert await interrupted(faults, name, url, cwd=tmp_path) == (130, b"")


async def test_a_download_is_resumed_and_checked(
    command: Forks, echo: EchoServer, tmp_path: Path
) -> None:
    digest = hashlib.sha256(pattern(300_000)).hexdigest()
    ended = await command.railhttp(
        *("download", echo.url("/file/300000", drop=100_000), "-o", "big", "--json"),
        *("--checksum", f"sha256:{digest}"),
        cwd=tmp_path,
    )
    document = json.loads(ended.stdout)
    assert (ended.code, document["size"], document["path"]) == (0, 300_000, "big")
    assert (tmp_path / "big").read_bytes() == pattern(300_000)


async def test_a_download_is_named_like_its_url(
    command: Forks, echo: EchoServer, tmp_path: Path
) -> None:
    ended = await command.railhttp("download", echo.url("/file/1000"), cwd=tmp_path)
    assert (ended.code, (tmp_path / "1000").stat().st_size) == (0, 1000)
    assert re.fullmatch(r"1000  1\.0 kB  [\d.]+ m?s\n", ended.stderr)


async def test_a_wrong_checksum_leaves_nothing(
    command: Forks, echo: EchoServer, tmp_path: Path
) -> None:
    ended = await command.railhttp(
        *("download", echo.url("/file/1000"), "-o", "f", "--checksum", f"sha256:{'0' * 64}"),
        cwd=tmp_path,
    )
    assert (ended.code, os.listdir(tmp_path)) == (40, [])


async def test_ctrl_c_in_a_download_leaves_no_file_of_its_name(
    faults: FaultServer, tmp_path: Path
) -> None:
    url = faults.url("/stall-in-body")
    assert await interrupted(faults, "download", url, "-o", "f", cwd=tmp_path) == (130, b"")
    assert not (tmp_path / "f").exists()


async def test_ctrl_c_leaves_the_part_of_a_download_for_the_next_one(
    command: Forks, echo: EchoServer, tmp_path: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "railhttp", "download", echo.url("/file/3000000", hold=2_000_000)),
        cwd=tmp_path,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
    )
    part = tmp_path / ".3000000.part"
    try:
        async with asyncio.timeout(PATIENCE):
            # Of 2 MB the last MiB may be held in memory; the server sends more after half a minute.
            while not part.exists() or part.stat().st_size < 900_000:  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.02)
            process.send_signal(signal.SIGINT)
            await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert (process.returncode, part.exists()) == (130, True)
    ended = await command.railhttp(
        "download", echo.url("/file/3000000", hold=2_000_000), cwd=tmp_path
    )
    assert (ended.code, part.exists()) == (0, False)
    assert re.search(r"resumed from (1\.\d|2\.0) MB", ended.stderr)
    assert (tmp_path / "3000000").read_bytes() == pattern(3_000_000)


async def test_events_are_followed_over_connections(command: Forks, echo: EchoServer) -> None:
    plain = await command.railhttp("tail", echo.url("/events"))
    later = await command.railhttp("tail", echo.url("/events"), "--last-event-id", "3", "--json")
    first = await command.railhttp("tail", echo.url("/events"), "-n", "1")
    assert plain.stdout == "event 1\nevent 2\nevent 3\nevent 4\n"
    assert json.loads(later.stdout) == {"id": "4", "event": "message", "data": "event 4"}
    assert (plain.code, later.code, first.code, first.stdout) == (0, 0, 0, "event 1\n")
    assert re.match(r"attempt 1: ended after [\d.]+ m?s, waited ", plain.stderr)


async def test_ndjson_is_followed(command: Forks, echo: EchoServer) -> None:
    ended = await command.railhttp("tail", echo.url("/ndjson/2"))
    assert (ended.code, ended.stdout) == (0, '{"n": 0}\n{"n": 1}\n')


async def test_what_is_no_stream_is_a_decode_error(command: Forks, echo: EchoServer) -> None:
    assert (await command.railhttp("tail", echo.url("/json"))).code == 40


@pytest.mark.parametrize("path", ["/bytes/5000000", "/json"], ids=["large", "small"])
async def test_a_reader_that_leaves_ends_the_command_quietly(echo: EchoServer, path: str) -> None:
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "railhttp", echo.url(path)),
        stdout=writing,
        stderr=asyncio.subprocess.PIPE,
        env=environment() | {"PYTHONUNBUFFERED": ""},  # as in a shell
    )
    os.close(writing)
    os.close(reading)
    _, err = await process.communicate()
    assert (process.returncode, b"Traceback" in err, b"BrokenPipe" in err) == (141, False, False)


async def test_the_openapi_command_says_what_it_needs(command: Forks) -> None:
    ended = await command.railhttp("openapi")
    assert (ended.code, "Traceback" in ended.stderr) == (2, False)
