"""The part of a download and its note: what the next run takes from them."""

import errno
import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from tests.servers.leaks import nothing_left

from railhttp.client.part_file import PartFile, _stem
from railhttp.client.part_folder import PartFolder
from railhttp.policy.resume import Partial

fcntl = pytest.importorskip("fcntl")

URL = "https://h.test/file?X-Amz-Signature=1&v=2"
OTHER_SIGNATURE = "https://h.test/file?X-Amz-Signature=2&v=2"
STRONG, WEAK = '"v1"', 'W/"v1"'
KNOWN = Partial(4, STRONG, 9)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path / "file"


def leave_part(target: Path, validator: str = STRONG, total: int | None = 9) -> None:
    part = PartFile(target, URL)
    part.begin(Partial(0, validator, total))
    part.write([b"ab", b"cd"])
    part.close(keep=True)


def next_run(target: Path, url: str = URL) -> Partial:
    part = PartFile(target, url)
    partial = part.partial
    part.close(keep=False)
    assert os.listdir(target.parent) == []
    return partial


def holds(folder: Path) -> bool:
    """Whether this process has a folder open."""
    status = folder.stat()
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):  # the one that listed the descriptors
            if os.path.samestat(os.fstat(int(name)), status):
                return True
    return False


def names(target: Path) -> list[str]:
    return sorted(os.listdir(target.parent))


def test_the_next_run_knows_what_the_note_says(target: Path) -> None:
    leave_part(target)
    assert names(target) == [".file.part", ".file.part.json"]
    note = json.loads((target.parent / ".file.part.json").read_text())
    assert note["url"] == hashlib.sha256(URL.encode()).hexdigest()
    assert set(note) == {"url", "unsigned_url", "validator", "total"}
    assert next_run(target) == KNOWN


@pytest.mark.parametrize(
    ("validator", "url", "known"),
    [
        (STRONG, OTHER_SIGNATURE, KNOWN),
        (WEAK, OTHER_SIGNATURE, Partial(4)),
        ("Mon, 01 Jan 2024 00:00:00 GMT", OTHER_SIGNATURE, Partial(4)),
        (STRONG, "https://h.test/file?X-Amz-Signature=1&v=3", Partial(4)),
        (STRONG, "https://h.test/other", Partial(4)),
    ],
)
def test_a_part_of_another_url_counts_only_with_a_strong_etag_and_a_new_signature(
    target: Path, validator: str, url: str, known: Partial
) -> None:
    leave_part(target)
    path = target.parent / ".file.part.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"validator": validator}))
    assert next_run(target, url) == known


@pytest.mark.parametrize(
    "change",
    [
        {"url": None},
        {"url": 7},
        {"validator": None},
        {"validator": 7},
        {"total": "9"},
        {"total": None},
    ],
)
def test_a_note_with_a_field_of_another_type(target: Path, change: dict[str, object]) -> None:
    leave_part(target)
    path = target.parent / ".file.part.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    known = KNOWN if "url" in change else Partial(4, STRONG) if "total" in change else Partial(4)
    assert next_run(target) == known


@pytest.mark.parametrize("missing", ["url", "validator", "total", "unsigned_url"])
def test_a_note_without_one_of_its_fields(target: Path, missing: str) -> None:
    leave_part(target)
    path = target.parent / ".file.part.json"
    note = json.loads(path.read_text())
    del note[missing]
    path.write_text(json.dumps(note))
    known = {"url": Partial(4), "validator": Partial(4), "total": Partial(4, STRONG)}
    assert next_run(target) == known.get(missing, KNOWN)


@pytest.mark.parametrize(
    "note", [b"", b"{", b"[]", b"7", b"null", b"\xff", b"[" * 60_000, b" " * 65_536 + b"{}"]
)
def test_a_note_that_is_none_is_ignored(target: Path, note: bytes) -> None:
    leave_part(target)
    (target.parent / ".file.part.json").write_bytes(note)
    assert next_run(target) == Partial(4)


def test_a_note_that_others_may_have_open_is_ignored(target: Path) -> None:
    leave_part(target)
    (target.parent / ".file.part.json").chmod(0o640)
    assert next_run(target) == Partial(4)


def test_a_part_without_a_byte_knows_nothing(target: Path) -> None:
    leave_part(target)
    (target.parent / ".file.part").write_bytes(b"")
    assert next_run(target) == Partial(0)


@pytest.mark.parametrize(
    ("validator", "keep", "kept"),
    [(STRONG, True, True), ("", True, False), (STRONG, False, False)],
)
@pytest.mark.parametrize("keeps_note", [True, False])
def test_a_part_is_kept_if_it_can_be_resumed(
    target: Path, validator: str, keep: bool, kept: bool, keeps_note: bool
) -> None:
    part = PartFile(target, URL)
    part.begin(Partial(0, validator), keeps_note=keeps_note)
    assert (".file.part.json" in names(target)) is (keeps_note and validator != "")
    part.write([b"abcd"])
    part.close(keep=keep)
    part.close(keep=False)  # does nothing any more
    assert names(target) == ([".file.part", ".file.part.json"] if kept else [])


def test_a_whole_file_leaves_neither_part_nor_note(target: Path) -> None:
    part = PartFile(target, URL)
    part.begin(Partial(0, STRONG))
    part.write([b"ab", b"cd"])
    assert part.partial == Partial(4, STRONG)
    assert part.digest("sha256") == hashlib.sha256(b"abcd").hexdigest()
    part.flush()
    part.commit()
    part.close(keep=True)
    assert (names(target), target.read_bytes()) == (["file"], b"abcd")


def test_the_next_bytes_follow_those_that_are_kept(target: Path) -> None:
    leave_part(target)
    part = PartFile(target, URL)
    part.begin(Partial(3, STRONG, 9))
    part.write([b"xyz"])
    assert part.partial == Partial(6, STRONG, 9)
    part.commit()
    assert target.read_bytes() == b"abcxyz"


@pytest.mark.parametrize(
    ("length", "is_replaced"), [(1, False), (244, False), (245, True), (255, True), (256, False)]
)
def test_a_name_whose_note_would_be_too_long_is_replaced(length: int, is_replaced: bool) -> None:
    name = "x" * length
    assert _stem(name) == (hashlib.sha256(name.encode()).hexdigest() if is_replaced else name)
    assert len(_stem("é" * 122)) == 122
    assert len(_stem("é" * 123)) == 64


@pytest.mark.parametrize("name", ["ENOLCK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"])
def test_a_file_system_without_locks_is_used_without_them(
    target: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(getattr(errno, name), "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    leave_part(target)
    assert next_run(target) == KNOWN


def test_any_other_failure_of_a_lock_is_raised(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="broken"):
        PartFile(target, URL)


def test_a_folder_is_no_target(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        PartFile(tmp_path, URL)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("end", ["commit", "keep", "remove", "refused lock"])
async def test_a_part_that_was_closed_keeps_no_descriptor(
    target: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "broken")

    async with nothing_left():
        if end == "refused lock":
            monkeypatch.setattr(fcntl, "flock", refuse)
            with pytest.raises(OSError, match="broken"):
                PartFile(target, URL)
            assert not holds(target.parent)
            return
        part = PartFile(target, URL)
        part.begin(Partial(0, STRONG))
        part.write([b"ab"])
        if end == "commit":
            part.commit()
        else:
            part.close(keep=end == "keep")
    assert not holds(target.parent)


async def test_a_part_whose_note_cannot_be_read_for_an_interruption_keeps_no_descriptor(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    leave_part(target)
    monkeypatch.setattr(PartFile, "_read_note", interrupt)
    async with nothing_left():
        with pytest.raises(KeyboardInterrupt):
            PartFile(target, URL)
    assert not holds(target.parent)


def test_a_part_that_appears_between_two_looks_is_opened(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another download of the same target has just created it."""
    leave_part(target)
    real, looks = PartFolder.open, 0

    def open_later(folder: PartFolder, name: str) -> int:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise FileNotFoundError
        return real(folder, name)

    monkeypatch.setattr(PartFolder, "open", open_later)
    assert next_run(target) == KNOWN


def test_a_part_that_vanishes_whenever_it_is_opened_gets_another_name(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_part(target)

    def vanish(*_: object) -> int:
        raise FileNotFoundError

    monkeypatch.setattr(PartFolder, "open", vanish)
    part = PartFile(target, URL)
    assert part.partial == Partial(0)
    assert len(names(target)) == 3
    part.close(keep=True)
    assert names(target) == [".file.part", ".file.part.json"]


def test_a_part_whose_note_another_user_took_meanwhile_is_not_kept(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = PartFile(target, URL)

    def taken(*_: object) -> int:
        raise FileExistsError

    monkeypatch.setattr(PartFolder, "create", taken)
    part.begin(Partial(0, STRONG))
    part.write([b"ab"])
    part.close(keep=True)
    assert names(target) == []


def test_a_part_that_others_may_have_open_is_replaced_under_its_name(target: Path) -> None:
    leave_part(target)
    beside = target.with_name(".file.part")
    beside.chmod(0o644)
    before = beside.stat().st_ino
    with beside.open("rb") as theirs:
        part = PartFile(target, URL)
        assert part.partial == Partial(0)
        assert beside.stat().st_mode & 0o777 == 0o600
        assert beside.stat().st_ino != before
        part.begin(Partial(0, STRONG, 2))
        part.write([b"xy"])
        assert theirs.read() == b"abcd"
        part.close(keep=True)
    assert names(target) == [".file.part", ".file.part.json"]
