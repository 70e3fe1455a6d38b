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
