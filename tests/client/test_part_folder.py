"""The files of a folder, as a download uses them."""

import errno
import os
import runpy
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from railhttp.client import part_folder
from railhttp.client.part_folder import (
    NotOursError,
    PartFolder,
    _is_trusted,
    is_open_to_others,
    is_special,
    require_ours,
)

fcntl = pytest.importorskip("fcntl")
pytestmark = pytest.mark.skipif(os.open not in os.supports_dir_fd, reason="needs POSIX")


def status(mode: int, *, links: int = 1, user: int | None = None, group: int = 0) -> os.stat_result:
    owner = os.geteuid() if user is None else user
    return os.stat_result((mode, 1, 1, links, owner, group, 0, 0, 0, 0))


def test_a_file_is_created_for_its_owner_alone(tmp_path: Path) -> None:
    folder = PartFolder(tmp_path)
    descriptor = folder.create("a")
    assert stat.S_IMODE(os.fstat(descriptor).st_mode) == 0o600
    assert os.write(descriptor, b"x") == 1
    with pytest.raises(FileExistsError):
        folder.create("a")
    again = folder.open("a")
    assert os.read(again, 9) == b"x"
    assert os.write(again, b"y") == 1
    for one in (descriptor, again):
        assert not os.get_inheritable(one)
        os.close(one)
    folder.close()
    folder.close()


def test_only_a_regular_file_with_one_name_is_opened(tmp_path: Path) -> None:
    folder = PartFolder(tmp_path)
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "folder", "pipe"):
        with pytest.raises(NotOursError):
            folder.open(name)
    with pytest.raises(FileNotFoundError):
        folder.open("missing")
    os.link(tmp_path / "file", tmp_path / "second")
    with pytest.raises(NotOursError):
        folder.open("file")
    folder.close()


def test_a_name_belongs_to_one_file(tmp_path: Path) -> None:
    folder = PartFolder(tmp_path)
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    a, b = folder.stat("a"), folder.stat("b")
    assert (folder.has("a", a), folder.has("a", b), folder.has("c", a)) == (True, False, False)
    with pytest.raises(OSError, match="replaced the part"):
        folder.rename("a", "c", b)
    folder.rename("a", "c", a)
    assert sorted(os.listdir(tmp_path)) == ["b", "c"]
    folder.rename("c", "b", a)
    assert (tmp_path / "b").read_bytes() == b"a"
    folder.remove("b")
    folder.remove("b")
    assert os.listdir(tmp_path) == []
    folder.close()


def test_the_mode_of_new_files_is_that_of_the_process(tmp_path: Path) -> None:
    folder = PartFolder(tmp_path)
    (tmp_path / "usual").touch()
    usual = stat.S_IMODE((tmp_path / "usual").stat().st_mode)
    assert folder.usual_mode("probe") == usual
    assert os.listdir(tmp_path) == ["usual"]
    folder.close()


@pytest.mark.parametrize(
    ("file", "ours"),
    [
        (status(stat.S_IFREG), True),
        (status(stat.S_IFREG, links=2), False),
        (status(stat.S_IFREG, links=0), False),
        (status(stat.S_IFREG, user=os.geteuid() + 1), False),
        (status(stat.S_IFLNK), False),
        (status(stat.S_IFDIR), False),
    ],
)
def test_a_file_is_ours_if_we_own_it_and_it_has_one_name(file: os.stat_result, ours: bool) -> None:
    if ours:
        require_ours(file)
    else:
        with pytest.raises(NotOursError):
            require_ours(file)


@pytest.mark.parametrize("bit", range(9))
def test_any_bit_for_others_opens_a_file_to_them(bit: int) -> None:
    assert is_open_to_others(status(stat.S_IFREG | 1 << bit)) is (bit < 6)


@pytest.mark.parametrize(
    ("kind", "special"),
    [
        *((kind, False) for kind in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)),
        *((kind, True) for kind in (stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK)),
    ],
)
def test_pipes_sockets_and_devices_are_special(kind: int, special: bool) -> None:
    assert is_special(status(kind)) is special


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize(
    ("mode", "user", "trusted"),
    [
        (0o755, None, True),
        (0o755, 0, True),
        (0o755, 12345, False),
        (0o1755, 12345, False),
        (0o757, None, False),
        (0o1777, None, True),
        (0o1777, 0, True),
        (0o775, None, "private"),
        (0o770, 0, "private"),
    ],
)
def test_a_folder_is_trusted_if_no_other_user_can_rename_in_it(
    monkeypatch: pytest.MonkeyPatch, mode: int, user: int | None, trusted: object, private: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getegid", lambda: 1000)
    folder = status(stat.S_IFDIR | mode, user=user, group=1000 if private else 50)
    assert _is_trusted(folder) is (private if trusted == "private" else trusted)


def test_a_folder_is_held_until_it_is_closed(tmp_path: Path) -> None:
    """A program that downloads for a year must not run out of descriptors."""
    folder = PartFolder(tmp_path)
    descriptor = folder._descriptor
    assert descriptor is not None
    assert os.path.samestat(os.fstat(descriptor), tmp_path.stat())
    folder.close()
    with pytest.raises(OSError) as caught:  # noqa: PT011  # its number is compared
        os.fstat(descriptor)
    assert caught.value.errno == errno.EBADF


def test_a_file_never_waits_for_a_device_that_took_its_name(tmp_path: Path) -> None:
    """Between the look at a name and its opening, others can exchange the file for a device."""
    folder = PartFolder(tmp_path)
    created = folder.create("a")
    opened = folder.open("a")
    for one in (created, opened):
        assert not os.get_blocking(one)
        os.close(one)
    folder.close()


def test_a_system_without_flags_for_opening_has_folders_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_PATH", "O_DIRECTORY", "O_CLOEXEC"):
        monkeypatch.delattr(os, flag, raising=False)
    folder = runpy.run_path(str(part_folder.__file__))["PartFolder"](tmp_path)
    created = folder.create("a")
    opened = folder.open("a")
    assert os.write(created, b"xy") == 2
    assert os.read(opened, 9) == b"xy"
    os.close(created)
    os.close(opened)
    folder.close()


@pytest.mark.parametrize(
    ("replaced", "raised"),
    [
        ("by a link", NotOursError),
        ("by a file of two names", NotOursError),
        ("by nothing", FileNotFoundError),
    ],
)
def test_a_file_that_is_replaced_between_the_look_and_the_opening_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replaced: str, raised: type[OSError]
) -> None:
    folder = PartFolder(tmp_path)
    os.close(folder.create("ours"))
    seen = folder.stat("ours")
    if replaced == "by a link":
        (tmp_path / "part").symlink_to("ours")
    elif replaced == "by a file of two names":
        os.close(folder.create("part"))
        os.link(tmp_path / "part", tmp_path / "other")
    monkeypatch.setattr(PartFolder, "stat", lambda *_: seen)
    with pytest.raises(raised):
        folder.open("part")
    if replaced == "by a file of two names":
        for name in os.listdir("/dev/fd"):
            with suppress(OSError):  # the one that listed the descriptors
                assert not os.path.samestat(os.fstat(int(name)), os.stat(tmp_path / "part"))
    folder.close()


@pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="needs Linux")
def test_a_folder_is_opened_as_a_place_so_that_it_need_not_be_readable(tmp_path: Path) -> None:
    folder = PartFolder(tmp_path)
    flags = []
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):  # the one that listed the descriptors
            if os.path.samestat(os.fstat(int(name)), tmp_path.stat()):
                flags.append(fcntl.fcntl(int(name), fcntl.F_GETFL))
    folder.close()
    assert [bool(flag & os.O_PATH) for flag in flags] == [True]
