"""What each flag of a curl command becomes, in the parsed command and in the program."""

import pytest

from railhttp.cli.curl_command import CurlCommand, Piece, parse_curl
from railhttp.cli.python_source import python_of

ANN = ("Authorization", "Basic YW5uOnA=")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("curl h", CurlCommand("GET", "http://h")),
        ("/usr/bin/curl https://h/", CurlCommand("GET", "https://h/")),
        ("curl.exe h other", CurlCommand("GET", "http://h")),
        ("curl h\\\n-X put", CurlCommand("PUT", "http://h")),
        ("curl h\\\r\n-X put", CurlCommand("PUT", "http://h")),
        ("curl --url h", CurlCommand("GET", "http://h")),
        ("curl \\\n -X \\\r\n put h", CurlCommand("PUT", "http://h")),
        *(
            (f"curl {flag} put h", CurlCommand("PUT", "http://h"))
            for flag in ("-X", "--request")
        ),
        ("curl -Xput h", CurlCommand("PUT", "http://h")),
        ("curl --request=put h", CurlCommand("PUT", "http://h")),
        *(
            (
                f"curl {flag} 'A:  1 ' {flag} b:2:3 {flag} C h",
                CurlCommand("GET", "http://h", [("A", "1"), ("b", "2:3"), ("C", "")]),
            )
            for flag in ("-H", "--header")
        ),
        *(
            (
                f"curl {flag} a=1 {flag} @f h",
                CurlCommand("POST", "http://h", data=[Piece("a=1"), Piece(file="f")]),
            )
            for flag in ("-d", "--data", "--data-ascii")
        ),
        (
            "curl --data-raw a --data-raw @f h",
            CurlCommand("POST", "http://h", data=[Piece("a"), Piece("@f")]),
        ),
        (
            "curl --data-binary @f h",
            CurlCommand("POST", "http://h", data=[Piece(file="f", is_binary=True)]),
        ),
        ("curl -G -d a=1 --data-raw @f h", CurlCommand("GET", "http://h?a=1&@f", flags={"get"})),
        (
            "curl --data-urlencode 'a=b =c' --data-urlencode 'd e' h",
            CurlCommand("POST", "http://h", data=[Piece("a=b%20%3Dc"), Piece("d%20e")]),
        ),
        (
            "curl --json 5 h",
            CurlCommand(
                "POST",
                "http://h",
                [("Content-Type", "application/json"), ("Accept", "application/json")],
                [Piece("5")],
                is_form=False,
            ),
        ),
        *(
            (
                f"curl {flag} a=1=2 {flag} b h",
                CurlCommand("POST", "http://h", form=[("a", "1=2"), ("b", "")]),
            )
            for flag in ("-F", "--form")
        ),
        *(
            (f"curl {flag} ann:p h", CurlCommand("GET", "http://h", [ANN]))
            for flag in ("-u", "--user")
        ),
        (
            "curl --oauth2-bearer t h",
            CurlCommand("GET", "http://h", [("Authorization", "Bearer t")]),
        ),
        *(
            (f"curl {flag} me h", CurlCommand("GET", "http://h", [("User-Agent", "me")]))
            for flag in ("-A", "--user-agent")
        ),
        *(
            (f"curl {flag} r h", CurlCommand("GET", "http://h", [("Referer", "r")]))
            for flag in ("-e", "--referer")
        ),
        *(
            (f"curl {flag} a=1 h", CurlCommand("GET", "http://h", [("Cookie", "a=1")]))
            for flag in ("-b", "--cookie")
        ),
        *(
            (f"curl {flag} 7 h", CurlCommand("GET", "http://h", options={name: "7"}))
            for flag, name in (
                ("-o", "output"), ("--output", "output"), ("-x", "proxy"), ("--proxy", "proxy"),
                ("-m", "max-time"), ("--max-time", "max-time"), ("--retry", "retry"),
                ("--connect-timeout", "connect-timeout"), ("--cacert", "cacert"),
            )
        ),
        *(
            (f"curl {flag} -d a -d b h", CurlCommand("GET", "http://h?a&b", flags={"get"}))
            for flag in ("-G", "--get")
        ),
        ("curl -G -d a 'h?b'", CurlCommand("GET", "http://h?b&a", flags={"get"})),
        ("curl -G h", CurlCommand("GET", "http://h", flags={"get"})),
        *(
            (f"curl {flag} h", CurlCommand(method, "http://h", flags={name}))
            for flag, name, method in (
                ("-I", "head", "HEAD"), ("--head", "head", "HEAD"),
                ("-L", "location", "GET"), ("--location", "location", "GET"),
                ("-k", "insecure", "GET"), ("--insecure", "insecure", "GET"),
            )
        ),
        *(
            (f"curl {flag} h", CurlCommand("GET", "http://h", flags={""}))
            for flag in (
                "--compressed", "-s", "--silent", "-S", "--show-error", "-f", "--fail", "-v",
                "--verbose", "-i", "--include", "-#", "--progress-bar", "--http1.1", "-N",
                "--no-buffer",
            )
        ),
        ("curl -sSkL h", CurlCommand("GET", "http://h", flags={"", "insecure", "location"})),
        ("curl -sXput h", CurlCommand("PUT", "http://h", flags={""})),
        ("curl -y -Z --http3 h", CurlCommand("GET", "http://h", ignored=["-y", "-Z", "--http3"])),
        ("curl -", CurlCommand("GET", "http://-")),
    ],
)  # fmt: skip
def test_a_flag_is_read(line: str, expected: CurlCommand) -> None:
    assert parse_curl(line) == expected


def arguments(line: str) -> list[str]:
    """The arguments of the call in the program of a command."""
    program = python_of(parse_curl(line)).splitlines()
    start = next(at for at, text in enumerate(program) if "await client." in text)
    end = next(at for at, text in enumerate(program) if at > start and text.startswith("        )"))
    verb = program[start].partition("await client.")[2].rstrip("(")
    return [verb, *(text.strip().rstrip(",") for text in program[start + 1 : end])]


STAYS = "allow_redirects=False"
FORM_TYPE = 'headers={"Content-Type": "application/x-www-form-urlencoded"}'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("curl h", ["get", '"http://h"', STAYS]),
        ("curl -L h", ["get", '"http://h"']),
        *(
            (f"curl -X {verb} h", [verb, '"http://h"', STAYS])
            for verb in ("get", "post", "put", "delete", "patch", "head", "options")
        ),
        ("curl -X PURGE h", ["request", '"PURGE"', '"http://h"', STAYS]),
        ("curl -o f h", ["download", '"http://h"', '"f"', STAYS]),
        ("curl -o f -X post h", ["post", '"http://h"', STAYS]),
        ("curl 'http://h/?a=1&a=2#x'", ["get", '"http://h/?a=1&a=2"', STAYS]),
        (
            "curl 'http://ann:p@h/?a=1&a=2&token=x#y'",
            [
                "get",
                '"http://h/"',
                'params={"a": ["1", "2"], "token": os.environ["TOKEN"]}',
                'headers={"Authorization": os.environ["AUTHORIZATION"]}',
                STAYS,
            ],
        ),
        ("curl -d a=1 -d b= h", ["post", '"http://h"', 'data={"a": "1", "b": ""}', STAYS]),
        (
            "curl -d a=1 -d token=2 h",
            ["post", '"http://h"', 'data={"a": "1", "token": os.environ["TOKEN"]}', STAYS],
        ),
        (
            "curl -H 'content-type: text/plain' -d a=1 h",
            ["post", '"http://h"', 'data="a=1"', 'headers={"content-type": "text/plain"}', STAYS],
        ),
        ("curl --data-binary a=1 h", ["post", '"http://h"', 'data={"a": "1"}', STAYS]),
        (
            "curl --data-raw @x --data-binary y h",
            ["post", '"http://h"', 'data="@x&y"', FORM_TYPE, STAYS],
        ),
        *(
            (f"curl -d '{text}' h", ["post", '"http://h"', f'data="{text}"', FORM_TYPE, STAYS])
            for text in ("text", "a=1&b", "a=b%20c", "a=1&b=2&a=3", "a=é", "5", "")
        ),
        (
            "curl -H 'Content-Type: application/x-www-form-urlencoded' -d pwd=x%20y h",
            ["post", '"http://h"', 'data={"pwd": os.environ["PWD"]}', FORM_TYPE, STAYS],
        ),
        (
            "curl -d @- --data-binary @/dev/stdin -d @f -d x h",
            [
                "post",
                '"http://h"',
                r"data=sys.stdin.buffer.read().translate(None, b'\r\n\x00') + b'&' + "
                "sys.stdin.buffer.read() + b'&' + "
                r"""Path("f").read_bytes().translate(None, b'\r\n\x00') + b'&' + """
                '"x".encode()',
                FORM_TYPE,
                STAYS,
            ],
        ),
        (
            'curl --json \'{"a": [1, true, null, "x", 1.5], "b": {}, "pwd": 5}\' h',
            [
                "post",
                '"http://h"',
                'json={"a": [1, True, None, "x", 1.5], "b": {}, "pwd": os.environ["PWD"]}',
                'headers={"Accept": "application/json"}',
                STAYS,
            ],
        ),
        ("curl -d '[1]' h", ["post", '"http://h"', "json=[1]", STAYS]),
        (
            "curl --json 5 h",
            [
                "post",
                '"http://h"',
                'data="5"',
                'headers={"Content-Type": "application/json", "Accept": "application/json"}',
                STAYS,
            ],
        ),
        (
            "curl -F 'f=@a.txt;type=x' -F n=1 -F api-key=2 h",
            [
                "post_multipart",
                '"http://h"',
                '{"f": Path("a.txt").open("rb"), "n": "1", "api-key": os.environ["API_KEY"]}',
                STAYS,
            ],
        ),
        (
            "curl -H 'A: 1' -H 'A: 2' -H 'X--Token-: 3' -H 'cookie: a=1' h",
            [
                "get",
                '"http://h"',
                'headers={"A": "2", "X--Token-": os.environ["X_TOKEN"], '
                '"cookie": os.environ["COOKIE"]}',
                STAYS,
            ],
        ),
    ],
)
def test_a_call_has_arguments(line: str, expected: list[str]) -> None:
    assert arguments(line) == expected


@pytest.mark.parametrize(
    ("flags", "settings"),
    [
        ("", ""),
        ("-k", "HTTPClientConfig(ConnectionPoolConfig(verify_ssl=False))"),
        (
            "-k --cacert c.pem",
            "HTTPClientConfig(ConnectionPoolConfig(verify_ssl=False, "
            'ssl_context=ssl.create_default_context(cafile="c.pem")))',
        ),
        ("-x http://p:1", 'HTTPClientConfig(proxy="http://p:1")'),
        ("-x http://u:p@p:1", 'HTTPClientConfig(proxy=os.environ["PROXY"])'),
        ("-m 3", "HTTPClientConfig(timeout=3)"),
        (
            "-m 3.5 --connect-timeout 1",
            "HTTPClientConfig(timeout=3.5, connect_timeout=1)",
        ),
        ("--retry 2", "retry_policy=RetryPolicy(3)"),
        ("--retry x", ""),
        ("-m 3 --retry 0", "HTTPClientConfig(timeout=3), retry_policy=RetryPolicy(1)"),
    ],
)
def test_a_client_has_settings(flags: str, settings: str) -> None:
    program = python_of(parse_curl(f"curl {flags} h"))
    assert f"async with HTTPClient({settings}) as client:" in program
    for name in ("HTTPClientConfig", "ConnectionPoolConfig", "RetryPolicy"):
        assert (name in program.partition("async def")[0]) is (name in settings)


@pytest.mark.parametrize(
    ("line", "imports"),
    [
        ("curl h", ["asyncio", "railhttp", "returns.result"]),
        ("curl -X PURGE h", ["asyncio", "railhttp"]),
        (
            "curl --cacert c -F f=@a -F token=b h",
            ["asyncio", "os", "ssl", "pathlib", "railhttp", "returns.result"],
        ),
        ("curl -d @- h", ["asyncio", "sys", "railhttp", "returns.result"]),
    ],
)
def test_a_program_imports_what_it_uses_in_order(line: str, imports: list[str]) -> None:
    program = python_of(parse_curl(line)).splitlines()
    found = [text.split()[1] for text in program if text.startswith(("import ", "from "))]
    assert found == imports


@pytest.mark.parametrize(
    "name",
    [
        "token", "client_secret", "passwd", "Password", "pwd", "userpass", "api_key", "apikey",
        "access-key", "key", "auth", "credential", "session", "signature", "sig", "code",
        "private", "bearer", "jwt",
    ],
)  # fmt: skip
def test_a_name_of_a_secret_is_known(name: str) -> None:
    assert "s3cret" not in python_of(parse_curl(f"curl -d {name}=s3cret h"))


@pytest.mark.parametrize("name", ["page", "passage", "monkey", "design", "codes", "keys"])
def test_other_names_are_no_secrets(name: str) -> None:
    assert f'{{"{name}": "1"}}' in python_of(parse_curl(f"curl -d {name}=1 h"))


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("curl h", ["case Success(response):", "print(response.status, response.text)"]),
        ("curl -o f h", ["case Success(download):", "print(download.path, download.size)"]),
        ("curl -X PURGE h", ["print(response.status, response.text)"]),
    ],
)
def test_a_program_shows_what_came(line: str, shown: list[str]) -> None:
    program = [text.strip() for text in python_of(parse_curl(line)).splitlines()]
    assert all(text in program for text in shown)
