"""Passwords from a netrc file that the program names."""

from pathlib import Path

import pytest

from railhttp import HTTPClient, HTTPClientConfig, HTTPValidationError
from railhttp.auth import NetrcAuth, basic_auth
from railhttp.testing import ScriptedTransport

FILE = """
machine api.example login ann password s3cret
machine other.example login bob password pw
default login guest password any
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "netrc"
    file.write_text(FILE)
    return file


@pytest.mark.parametrize(
    ("base_url", "url", "user"),
    [
        ("", "https://api.example/", ("ann", "s3cret")),
        ("", "https://other.example/", ("bob", "pw")),
        ("", "https://third.example/", None),
        ("https://third.example", "/", ("guest", "any")),
        ("https://third.example", "https://api.example/", None),
        ("https://api.example", "/", ("ann", "s3cret")),
    ],
)
async def test_the_entry_of_the_host_is_used(
    path: Path, base_url: str, url: str, user: tuple[str, str] | None
) -> None:
    script = ScriptedTransport()
    script.on("GET", "/").reply(200)
    async with HTTPClient(
        HTTPClientConfig(), exchange=script, base_url=base_url, interceptors=[NetrcAuth(path)]
    ) as client:
        await client.get(url)
    sent = script.calls[0].headers.get("Authorization")
    assert sent == (None if user is None else basic_auth(*user)["Authorization"])


def test_a_file_that_cannot_be_read_is_refused_without_its_content(tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_text("machine h login ann passwort s3cret")
    for path, message in ((bad, "is not a netrc file"), (tmp_path / "no", "cannot be read")):
        with pytest.raises(HTTPValidationError, match=message) as caught:
            NetrcAuth(path)
        assert "s3cret" not in f"{caught.value!r}"
        assert caught.value.field == "path"


async def test_the_environment_is_never_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", str(path))
    script = ScriptedTransport()
    script.on("GET", "/").reply(200)
    async with HTTPClient(exchange=script) as client:
        await client.get("https://api.example/")
    assert "Authorization" not in script.calls[0].headers


async def sent_with(auth: NetrcAuth, url: str, headers: dict[str, str] | None = None) -> str | None:
    script = ScriptedTransport()
    script.on("GET", "/").reply(200)
    async with HTTPClient(HTTPClientConfig(), exchange=script, interceptors=[auth]) as client:
        (await client.get(url, headers=headers)).unwrap()
    return script.calls[0].headers.get("Authorization")


@pytest.mark.parametrize(
    ("line", "user"),
    [
        ("machine api.example login ann", ("ann", "")),
        ("machine api.example password pw", ("", "pw")),
        ("machine api.example login ann account 7 password pw", ("ann", "pw")),
    ],
)
async def test_an_entry_may_lack_a_part(tmp_path: Path, line: str, user: tuple[str, str]) -> None:
    (tmp_path / "netrc").write_text(line)
    sent = await sent_with(NetrcAuth(tmp_path / "netrc"), "https://api.example/")
    assert sent == basic_auth(*user)["Authorization"]


@pytest.mark.parametrize("url", ["https://third.example/", "https://api.example/"])
async def test_a_named_origin_gets_the_entry_of_its_host_or_the_default_and_no_other_gets_any(
    path: Path, url: str
) -> None:
    expected = {
        "https://third.example/": basic_auth("guest", "any")["Authorization"],
        "https://api.example/": None,
    }
    auth = NetrcAuth(str(path), origin="https://third.example")
    assert await sent_with(auth, url) == expected[url]


async def test_an_authorization_of_the_caller_is_kept(path: Path) -> None:
    headers = {"authorization": "Bearer t"}
    assert await sent_with(NetrcAuth(path), "https://api.example/", headers) == "Bearer t"


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "netrc").write_bytes(b"machine \xff login ann")
    with pytest.raises(HTTPValidationError, match="UnicodeDecodeError") as caught:
        NetrcAuth(tmp_path / "netrc")
    assert caught.value.field == "path"
    assert caught.value.__cause__ is None
