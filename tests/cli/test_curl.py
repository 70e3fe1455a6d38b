"""curl commands become programs that run, and that hold no secret."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from mypy import api
from tests.cli.processes import Forks, environment
from tests.servers.echo import EchoServer

from railhttp.cli.curl_command import CurlError, parse_curl
from railhttp.cli.python_source import python_of

COMMANDS = [
    "curl http://h/",
    "curl -X POST http://h/ -d a=1 -d b=2",
    "curl http://h/ -H 'Accept: a/b' -A agent -e http://r/ -b 'a=1' --compressed -sSL",
    "curl --json '{\"a\": [1, null, true]}' http://h/",
    "curl -F a=b -F f=@file http://h/",
    "curl -T http://h/ --data-binary @file http://h/",
    "curl -d @- http://h/",
    "curl -k -x http://proxy:1 -m 5 --connect-timeout 2 --retry 3 http://h/",
    "curl --cacert ca.pem http://h/ -o out",
    "curl -X PROPFIND http://h/",
    "curl -G -d q=1 --data-urlencode 'r=a b' http://h/",
    "curl -I http://h/",
    "curl --data-raw '@not-a-file' http://h/",
    "curl 'http://h/' \\\n  -X 'PATCH'",
]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_becomes_a_program(line: str) -> None:
    compile(python_of(parse_curl(line)), "program", "exec")


def test_the_programs_type_check_strictly(tmp_path: Path) -> None:
    for number, line in enumerate(COMMANDS):
        (tmp_path / f"program_{number}.py").write_text(python_of(parse_curl(line)))
    programs = [str(path) for path in sorted(tmp_path.iterdir())]
    output, _, status = api.run(["--strict", *programs])
    assert status == 0, output


async def test_a_program_runs(command: Forks, echo: EchoServer, tmp_path: Path) -> None:
    url = echo.url("/get")
    line = f"curl {url}?token=s3cret&page=2 -H 'Authorization: Bearer s3cret' -d a=1"
    ended = await command.railhttp("curl", line.replace("&", "\\&"))
    assert (ended.code, "s3cret" in ended.stdout) == (0, False)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ended.stdout),
        stdout=asyncio.subprocess.PIPE,
        env=environment() | {"TOKEN": "t", "AUTHORIZATION": "Bearer b"},
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    for part in ('["token", "t"], ["page", "2"]', '["Authorization", "Bearer b"]', '"body": "a=1"'):
        assert part in out.decode()


async def test_a_command_may_be_sent_at_once(command: Forks, echo: EchoServer) -> None:
    quoted = await command.railhttp("curl", "--run", f"curl {echo.url('/users/7')}")
    plain = await command.railhttp("curl", "--run", "curl", echo.url("/get"), "-d", "a=1")
    missing = await command.railhttp("curl", f"curl {echo.url('/users/404')}", "--run", "--json")
    assert quoted.stdout == '{"id": 7, "name": "Ann"}'
    assert '"body": "a=1"' in plain.stdout
    assert (quoted.code, plain.code, missing.code) == (0, 0, 4)


async def test_what_is_not_converted_is_named(command: Forks) -> None:
    ended = await command.railhttp("curl", "curl --http3 --ftp-pasv http://h/")
    assert ended.stderr.splitlines() == ["--http3 is not converted", "--ftp-pasv is not converted"]


SECRETS = [
    "curl -u ann:s3cret http://h/",
    "curl --oauth2-bearer s3cret http://h/",
    "curl -b session=s3cret http://h/",
    "curl -H 'X-Api-Key: s3cret' http://h/",
    "curl -H 'X-My-Token: s3cret' http://h/",
    "curl http://ann:s3cret@h/",
    "curl 'http://h/?api_key=s3cret&access_token=s3cret'",
    "curl -d password=s3cret http://h/",
    'curl --json \'{"user": {"password": "s3cret", "tokens": ["s3cret"]}}\' http://h/',
    "curl -F secret=s3cret http://h/",
    "curl -x http://ann:s3cret@proxy:1 http://h/",
]


@pytest.mark.parametrize("line", SECRETS)
def test_a_secret_is_read_from_the_environment(line: str) -> None:
    program = python_of(parse_curl(line))
    assert "s3cret" not in program
    assert "os.environ" in program


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("wget http://h/", "must begin with curl"),
        ("curl", "has no URL"),
        ("curl -H", "-H has no value"),
        ("curl -d @ h", "no name of a file behind @"),
        ("curl -G -d @f h", "a file behind -G"),
        ("curl --data-urlencode a@f h", "a file behind --data-urlencode"),
        ("curl 'http://h/", "cannot be split into words"),
    ],
)
def test_what_is_no_curl_command(line: str, reason: str) -> None:
    with pytest.raises(CurlError, match=reason):
        parse_curl(line)


def test_a_time_limit_that_is_no_number_is_refused() -> None:
    with pytest.raises(CurlError, match="no number behind --max-time"):
        python_of(parse_curl("curl -m soon http://h/"))


@pytest.mark.parametrize("query", ["b=1&a=2&b=3", "q=%20c&flag", "path=a/b", "a=x%2Fy", "x=é"])
def test_a_query_without_secrets_is_sent_as_curl_sends_it(query: str) -> None:
    source = python_of(parse_curl(f"curl 'http://h/x?{query}#top'"))
    assert f'client.get(\n            "http://h/x?{query}",\n' in source
    assert "params" not in source


def test_a_secret_of_a_query_is_read_from_the_environment() -> None:
    source = python_of(parse_curl("curl 'http://h/x?page=1&to%6ben=s3cret'"))
    assert "s3cret" not in source
    assert 'params={"page": "1", "token": os.environ["TOKEN"]}' in source


@pytest.mark.parametrize(
    ("flags", "sent"),
    [
        (["-d", "text"], "text"),
        (["-d", "a=1&b"], "a=1&b"),
        (["-d", "a=1", "-d", "b=x%20y"], "a=1&b=x%20y"),
        (["--data-binary", "text"], "text"),
        (["-d", "@file"], "line2"),
        (["--data-binary", "@file"], r"line\r\n2\n"),
        (["-d", "@file", "--data-binary", "@file"], r"line2&line\r\n2\n"),
        (["-d", "a=1"], "a=1"),
    ],
)
async def test_a_body_is_sent_as_curl_sends_it(
    command: Forks, echo: EchoServer, tmp_path: Path, flags: list[str], sent: str
) -> None:
    """Measured with curl 7.88: all of them have the type of a form."""
    (tmp_path / "file").write_bytes(b"line\r\n2\n")
    line = ("curl", *flags, echo.url("/get"))
    at_once = await command.railhttp("curl", "--run", *line, cwd=tmp_path)
    program = await command.railhttp("curl", *line, cwd=tmp_path)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program.stdout),
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
        cwd=tmp_path,
    )
    out, _ = await process.communicate()
    for response in (at_once.stdout, out.decode()):
        assert f'"body": "{sent}"' in response
        assert '["Content-Type", "application/x-www-form-urlencoded"]' in response


@pytest.mark.parametrize(
    ("flags", "kinds"),
    [
        ("", []),
        ("-d a=1", ["application/x-www-form-urlencoded"]),
        ("-d a -H 'content-type: x/y'", ["x/y"]),
        ("--json 1", ["application/json"]),
    ],
)
async def test_only_a_body_has_a_type_and_only_one(
    command: Forks, echo: EchoServer, flags: str, kinds: list[str]
) -> None:
    ended = await command.railhttp("curl", "--run", f"curl {flags} {echo.url('/get')}")
    fields = json.loads(ended.stdout)["headers"]
    assert [text for name, text in fields if name.lower() == "content-type"] == kinds
