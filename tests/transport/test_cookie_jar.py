"""The jar of a pool: its life, its files, its public suffixes, and aiohttp's view of it."""

import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from tests.servers.echo import EchoServer
from tests.servers.registry import head
from tests.servers.scripted import ScriptedServer, sends
from yarl import URL

from railhttp import ConnectionPool, HTTPClient, HTTPClientConfig, HTTPValidationError
from railhttp.cookies import Cookie, CookieFormat, CookieJar

NOW = 1_700_000_000.0
URL_ = URL("https://www.shop.test/")


def jar_with(*fields: str, public_suffixes: bool = False) -> CookieJar:
    jar = CookieJar(public_suffixes=public_suffixes, wall=lambda: NOW)
    jar.receive([field.encode() for field in fields], URL_)
    return jar


def names(jar: CookieJar) -> list[str]:
    return [cookie.name for cookie in jar]


# Of the pool


async def cookies_seen(client: HTTPClient, echo: EchoServer) -> object:
    return (await client.get(echo.url("/cookies"))).unwrap().json()


async def test_a_pool_keeps_its_cookies_when_it_is_stopped(echo: EchoServer) -> None:
    client = HTTPClient(HTTPClientConfig(trust_env=False))
    jar = client.pool.cookie_jar
    assert jar is not None
    async with client:
        await client.get(echo.url("/cookies/set", a="1"))
    assert names(jar) == ["a"]
    async with client:
        assert await cookies_seen(client, echo) == {"a": "1"}


async def test_pools_may_share_a_jar_of_ones_own(echo: EchoServer) -> None:
    jar = CookieJar()
    jar.add(Cookie("mine", "1", "127.0.0.1"))
    pools = [ConnectionPool(trust_env=False, cookie_jar=jar) for _ in range(2)]
    async with HTTPClient(pool=pools[0]) as one, HTTPClient(pool=pools[1]) as other:
        await one.get(echo.url("/cookies/set", a="2"))
        assert await cookies_seen(other, echo) == {"mine": "1", "a": "2"}
    assert pools[0].cookie_jar is jar


def test_a_pool_without_cookies_has_no_jar() -> None:
    assert ConnectionPool(cookie_jar=False).cookie_jar is None


@pytest.mark.parametrize("jar", ["no", 0, None, object(), CookieJar])
def test_anything_else_is_no_jar(jar: object) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        ConnectionPool(cookie_jar=jar)  # type: ignore[arg-type]
    assert caught.value.field == "cookie_jar"


def test_a_jar_shows_no_values() -> None:
    assert repr(jar_with("a=s3cret", "b=s3cret")) == "<CookieJar of 2>"


def test_a_jar_is_cleared_whole_or_in_part() -> None:
    jar = jar_with("a=1", "b=2", "c=3")
    jar.clear(lambda cookie: cookie.name == "b")
    assert names(jar) == ["a", "c"]
    jar.clear()
    assert len(jar) == 0


# Files


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("kind", ["json", "netscape"])
def test_a_saved_jar_is_loaded_again(tmp_path: Path, kind: CookieFormat, as_text: bool) -> None:
    jar = jar_with("a=1; Max-Age=60; HttpOnly", "b=caf\xe9; Secure; Domain=shop.test", "c=3")
    path = str(tmp_path / "jar") if as_text else tmp_path / "jar"
    jar.save(path, format=kind, session_cookies=True)
    loaded = jar_with()
    loaded.load(path)
    assert list(loaded) == list(jar)
    jar.save(path, format=kind)
    loaded = jar_with("d=4")
    loaded.load(path)
    assert names(loaded) == ["d", "a"]


def test_what_has_expired_is_neither_saved_nor_loaded(tmp_path: Path) -> None:
    jar = jar_with("a=1; Max-Age=60", "b=2; Max-Age=90")
    jar.save(tmp_path / "jar")
    later = CookieJar(wall=lambda: NOW + 60)
    later.load(tmp_path / "jar")
    assert names(later) == ["b"]


@pytest.mark.skipif(os.name == "nt", reason="there are no modes")
def test_only_the_owner_may_read_a_file_also_where_there_was_one(tmp_path: Path) -> None:
    target = tmp_path / "others.txt"
    target.write_text("theirs")
    path = tmp_path / "jar"
    path.symlink_to(target)
    jar_with("a=1; Max-Age=60").save(path)
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    assert not path.is_symlink()
    assert target.read_text() == "theirs"
    path.chmod(0o644)
    jar_with("a=1; Max-Age=60").save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_replaced_stays_and_nothing_is_left_beside_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "jar").mkdir()
    with pytest.raises(OSError, match="jar"):
        jar_with("a=1").save(tmp_path / "jar")
    assert [one.name for one in tmp_path.iterdir()] == ["jar"]
    with pytest.raises(FileNotFoundError):
        jar_with("a=1").save(tmp_path / "none" / "jar")


def test_a_file_that_cannot_be_read_adds_nothing(tmp_path: Path) -> None:
    jar = jar_with("a=1")
    (tmp_path / "jar").write_text("shop.test\tFALSE\t/\tFALSE\t0\tb\t2\nnonsense\n")
    with pytest.raises(HTTPValidationError, match="path: must be a file of cookies: line 2"):
        jar.load(tmp_path / "jar")
    with pytest.raises(FileNotFoundError):
        jar.load(tmp_path / "none")
    assert names(jar) == ["a"]


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        CookieJar().save(tmp_path / "jar", format="yaml")  # type: ignore[arg-type]
    assert caught.value.field == "format"


async def test_a_client_goes_on_with_the_cookies_of_a_file(
    tmp_path: Path, echo: EchoServer
) -> None:
    async with HTTPClient(HTTPClientConfig(trust_env=False)) as client:
        await client.get(echo.url("/cookies/set", a="1"))
        assert client.pool.cookie_jar is not None
        client.pool.cookie_jar.save(tmp_path / "jar", session_cookies=True)
    client = HTTPClient(HTTPClientConfig(trust_env=False))
    assert client.pool.cookie_jar is not None
    client.pool.cookie_jar.load(tmp_path / "jar")
    async with client:
        assert await cookies_seen(client, echo) == {"a": "1"}


# Public suffixes


@pytest.mark.parametrize(
    ("url", "domain", "taken"),
    [
        ("http://evil.co.uk/", "co.uk", False),
        ("http://evil.co.uk/", "CO.UK", False),
        ("http://evil.co.uk/", "evil.co.uk", True),
        ("http://a.evil.co.uk/", "evil.co.uk", True),
        ("http://evil.github.io/", "github.io", False),
        ("http://github.io/", "github.io", True),  # for itself alone
        ("http://www.ck/", "www.ck", True),
        ("http://a.any.ck/", "any.ck", False),
        ("http://bücher.xn--p1ai/", "xn--p1ai", False),
        ("http://a.xn--55qx5d.cn/", "xn--55qx5d.cn", False),
        ("http://evil.com/", "com", False),
        ("http://a.shop.test/", "shop.test", True),
        ("http://10.0.0.1/", "10.0.0.1", True),
        ("http://localhost/", "localhost", True),
    ],
)
def test_a_list_of_public_suffixes_is_heeded(url: str, domain: str, taken: bool) -> None:
    jar = CookieJar(public_suffixes=True)
    jar.receive([f"a=1; Domain={domain}".encode()], URL(url))
    assert len(jar) == taken


def test_without_the_list_a_suffix_with_a_dot_is_a_domain() -> None:
    jar = CookieJar()
    jar.receive([b"a=1; Domain=co.uk"], URL("http://evil.co.uk/"))
    assert len(jar) == 1


@pytest.mark.parametrize("setting", ["yes", 1, None])
def test_the_list_is_on_or_off(setting: object) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        CookieJar(public_suffixes=setting)  # type: ignore[arg-type]
    assert caught.value.field == "public_suffixes"


def test_the_list_is_an_extra() -> None:
    program = """
import sys
sys.modules["publicsuffixlist"] = None
from railhttp.cookies import CookieJar
CookieJar()
try:
    CookieJar(public_suffixes=True)
except ModuleNotFoundError as error:
    print(error)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "pip install 'railhttp[publicsuffix]'" in done.stdout


# aiohttp's view


@pytest.fixture
async def client() -> AsyncIterator[HTTPClient]:
    async with HTTPClient(HTTPClientConfig(trust_env=False)) as client:
        yield client


async def test_requests_of_the_session_share_the_cookies(
    client: HTTPClient, echo: EchoServer
) -> None:
    session = client.pool.session
    async with session.get(echo.url("/cookies/set", a="1", b="2")) as response:
        assert response.status == 200
    assert await cookies_seen(client, echo) == {"a": "1", "b": "2"}
    async with session.get(echo.url("/cookies"), cookies={"c": "3"}) as response:
        assert await response.json() == {"a": "1", "b": "2", "c": "3"}


async def test_the_session_sends_the_first_of_two_with_one_name_and_no_latin_1(
    client: HTTPClient,
) -> None:
    fields = [b"a=1; Path=/", b"a=2; Path=/x", "b=é".encode(), b"c=\xe9", b'd="1 2"']
    head_ = b"\r\n".join([b"HTTP/1.1 200 OK", *(b"Set-Cookie: " + one for one in fields)])
    async with ScriptedServer(sends(head_ + b"\r\nContent-Length: 0\r\n\r\n")) as server:
        await client.get(server.url("/x"))
        async with client.pool.session.get(server.url("/x")):
            pass
        sent = server.received[1].header("cookie").encode("latin-1")
        assert sorted(sent.split(b"; ")) == [b"a=2", "b=é".encode(), b'd="1 2"']


async def test_the_session_has_a_jar_as_aiohttp_knows_it(client: HTTPClient) -> None:
    jar = client.pool.session.cookie_jar
    fields = ["a=1; Path=/x; Max-Age=60; HttpOnly; SameSite=Lax", "b=2; Secure; Domain=shop.test"]
    jar.update_cookies_from_headers([*fields, "path=3"], URL_)
    assert (len(jar), jar.unsafe, jar.quote_cookie) == (3, True, False)
    assert {morsel.key: morsel["domain"] for morsel in jar} == {
        "a": "www.shop.test",
        "b": "shop.test",
        "path": "www.shop.test",
    }
    first = next(iter(jar))
    assert (first["path"], first["httponly"], first["samesite"]) == ("/x", True, "Lax")
    assert first["expires"].endswith("GMT")
    assert jar.cookies["shop.test", "/"]["b"].value == "2"
    assert ("www.shop.test", "/x", "a") in jar.host_only_cookies
    assert len(jar.host_only_cookies) == 2
    jar.clear(lambda morsel: morsel.key == "path")
    assert list(jar.filter_cookies(URL_)) == ["b"]
    jar.clear_domain("shop.test")
    assert len(jar) == 0
    jar.update_cookies({"a": "1"}, URL_)
    jar.clear()
    assert len(jar) == 0


async def test_a_program_may_set_cookies_by_the_session(client: HTTPClient) -> None:
    jar = client.pool.session.cookie_jar
    jar.update_cookies({"a": "1", "b": "x; y"})  # for every host
    jar.update_cookies([("c", "3")], URL("http://127.0.0.1/x/y"))
    simple = SimpleCookie("d=4; Domain=127.0.0.1; Path=/z")
    jar.update_cookies(simple)
    jar.update_cookies(simple, URL("http://other.test/"))
    async with ScriptedServer(sends(head("Content-Length: 0"))) as server:
        for path in ("/", "/x", "/z"):
            await client.get(server.url(path))
        seen = [request.header("cookie") for request in server.received]
    shared = 'a=1; b="x\\073 y"'
    assert seen == [shared, f"c=3; {shared}", f"d=4; {shared}"]
