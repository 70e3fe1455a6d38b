"""A jar is written safely: beside its file, in full, and only then in its place."""

import os
import tempfile
from pathlib import Path

import pytest
from yarl import URL

from railhttp.cookies import Cookie, CookieJar

NOW = 1_700_000_000.0


def jar_of(*cookies: Cookie) -> CookieJar:
    jar = CookieJar(wall=lambda: NOW)
    jar.add(*cookies)
    return jar


LASTING = Cookie("a", "1", "shop.test", expires=NOW + 60)
SESSION = Cookie("b", "2", "shop.test")


def test_the_content_is_on_the_disk_before_the_old_file_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "jar"
    path.write_text("old")
    synced: list[tuple[bytes, str]] = []
    monkeypatch.setattr(
        os, "fsync", lambda fd: synced.append((os.pread(fd, 10_000, 0), path.read_text()))
    )
    jar_of(LASTING).save(path)
    assert synced == [(path.read_bytes(), "old")]


def test_the_file_is_written_in_the_folder_of_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of another file system could not replace it in one step."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    seen: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.extend(os.listdir(tmp_path)))
    jar_of(LASTING).save(tmp_path / "jar")
    assert len(seen) == 1
    assert seen[0].startswith(".cookies-")
    assert os.listdir(tmp_path) == ["jar"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "jar"
    path.write_text("old")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            jar_of(LASTING).save(path)
    assert (os.listdir(tmp_path), path.read_text()) == (["jar"], "old")


@pytest.mark.parametrize(("session_cookies", "saved"), [(None, 1), (False, 1), (True, 2)])
def test_cookies_of_the_session_are_saved_only_if_that_is_asked_for(
    tmp_path: Path, session_cookies: bool | None, saved: int
) -> None:
    jar, path = jar_of(LASTING, SESSION), tmp_path / "jar"
    if session_cookies is None:
        jar.save(path)
    else:
        jar.save(path, session_cookies=session_cookies)
    loaded = jar_of()
    loaded.load(path)
    assert list(loaded) == [LASTING, SESSION][:saved]


def test_the_usual_format_has_every_attribute(tmp_path: Path) -> None:
    cookie = Cookie("é".encode().decode("latin-1"), "\xff", "", "/x", NOW + 0.5, host_only=False)
    jar_of(cookie).save(tmp_path / "jar")
    assert (tmp_path / "jar").read_text().startswith("{")
    loaded = jar_of()
    loaded.load(tmp_path / "jar")
    assert list(loaded) == [cookie]
    jar_of(LASTING).save(tmp_path / "jar", format="netscape")
    assert (tmp_path / "jar").read_text().startswith("# Netscape")


def test_each_use_of_a_jar_may_have_its_own_time() -> None:
    url = URL("http://shop.test/")
    jar = jar_of()
    jar.receive([b"a=1; Max-Age=5"], url, NOW + 100)
    assert [cookie.expires for cookie in jar] == [NOW + 105]
    assert jar.header_for(url, NOW + 104) == "a=1"
    assert jar.header_for(url, NOW + 104, without={"a"}) == ""
    assert jar.cookies_for(url, NOW + 105) == ()
    jar.receive([b"b=1; Max-Age=5"], url)
    assert [cookie.expires for cookie in jar.cookies_for(url)] == [NOW + 5]


def test_a_jar_without_cookies_has_none() -> None:
    jar = CookieJar()
    assert (len(jar), repr(jar), list(jar)) == (0, "<CookieJar of 0>", [])
