"""Downloads into folders that other users can write to, and onto pipes and devices."""

import errno
import os
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import pytest
from tests.client.hurried_clock import HurriedClock
from tests.client.test_download import (
    CONTENT,
    SHA256,
    V1,
    leave_part,
    left_beside,
    part_of,
    read,
    serves,
    write,
)
from tests.servers.leaks import nothing_left
from tests.servers.registry import answer
from tests.servers.scripted import ScriptedServer, sends

from railhttp import HTTPClient, HTTPClientConfig, HTTPInvalidRequestError, HTTPStatusError
from railhttp.client.part_file import PartFile
from railhttp.client.part_folder import PartFolder
from railhttp.policy.resume import Partial

NOBODY: Final = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


@pytest.fixture
async def client() -> AsyncIterator[HTTPClient]:
    config = HTTPClientConfig(timeout=60.0, trust_env=False)
    async with HTTPClient(config, clock=HurriedClock()) as client:
        yield client


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file.bin"


pytestmark = pytest.mark.usefixtures("patient_disk")


def look(path: Path) -> os.stat_result:
    return path.lstat()


def identity(path: Path) -> tuple[int, ...]:
    """Which file it is; not when somebody looked at it last, which looking changes."""
    status = look(path)
    return status.st_dev, status.st_ino, status.st_mode, status.st_nlink, status.st_mtime_ns


def note_of(target: Path) -> Path:
    return target.with_name(".file.bin.part.json")


def shared(target: Path, mode: int, owner: int = 0) -> None:
    """Let others write to the folder."""
    target.parent.chmod(mode)
    if owner:
        os.chown(target.parent, owner, owner)


def give_away(path: Path) -> None:
    os.chown(path, NOBODY, NOBODY)


def link_to_victim(target: Path, place: Path) -> None:
    os.link(victim_of(target), place)


def symlink_to_victim(target: Path, place: Path) -> None:
    place.symlink_to(victim_of(target))


def symlink_to_nothing(target: Path, place: Path) -> None:
    place.symlink_to(target.with_name("nothing"))


def pipe(_: Path, place: Path) -> None:
    os.mkfifo(place)


def folder(_: Path, place: Path) -> None:
    place.mkdir()


def file_of_another_user(_: Path, place: Path) -> None:
    write(place, b"planted")
    give_away(place)


def victim_of(target: Path) -> Path:
    victim = target.with_name("victim")
    if not victim.exists():
        write(victim, b"precious")
        victim.chmod(0o600)
    return victim


PLANTS: Final = [link_to_victim, symlink_to_victim, symlink_to_nothing, pipe, folder]
if os.geteuid() == 0:
    PLANTS.append(file_of_another_user)


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("place", [part_of, note_of])
@pytest.mark.parametrize("mode", [0o700, 0o1777, 0o777])
async def test_what_was_planted_is_neither_used_nor_changed(
    client: HTTPClient,
    target: Path,
    plant: Callable[[Path, Path], None],
    place: Callable[[Path], Path],
    mode: int,
) -> None:
    shared(target, mode)
    planted = place(target)
    plant(target, planted)
    before = planted.lstat()
    async with ScriptedServer(serves(CONTENT, V1)) as server, nothing_left():
        result = await client.download(server.url(), target, checksum=SHA256)
    assert result.unwrap().resumed_from == 0
    assert read(target) == CONTENT
    assert read(victim_of(target)) == b"precious"
    after = planted.lstat()
    assert (after.st_ino, after.st_mode, after.st_size) == (
        before.st_ino,
        before.st_mode,
        before.st_size,
    )
    assert left_beside(target) == {planted.name, "victim"}


async def test_a_note_is_not_read_through_a_symbolic_link(client: HTTPClient, target: Path) -> None:
    async with ScriptedServer(serves(CONTENT, V1)) as server:
        leave_part(target, server.url(), b"other bytes")
        elsewhere = target.with_name("elsewhere")
        note_of(target).rename(elsewhere)
        note_of(target).symlink_to(elsewhere)
        result = await client.download(server.url(), target)
    assert (result.unwrap().resumed_from, read(target)) == (0, CONTENT)


@pytest.mark.parametrize("place", [part_of, note_of])
@pytest.mark.parametrize("mode", [0o666, 0o620, 0o604])
async def test_a_part_that_others_may_have_open_is_not_used(
    client: HTTPClient, target: Path, place: Callable[[Path], Path], mode: int
) -> None:
    async with ScriptedServer(serves(CONTENT, V1)) as server:
        leave_part(target, server.url(), CONTENT[:4])
        place(target).chmod(mode)
        with place(target).open("r+b") as planter:
            result = await client.download(server.url(), target, checksum=SHA256)
            planter.write(b"evil")
    assert (result.unwrap().resumed_from, read(target)) == (0, CONTENT)


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o1777])
async def test_a_part_of_ours_alone_is_resumed(client: HTTPClient, target: Path, mode: int) -> None:
    shared(target, mode)
    async with ScriptedServer(serves(CONTENT, V1)) as server:
        leave_part(target, server.url(), CONTENT[:4])
        result = await client.download(server.url(), target, checksum=SHA256)
    assert result.unwrap().resumed_from == 4


@pytest.mark.parametrize(
    ("mode", "owner"),
    [(0o777, 0), pytest.param(0o1777, NOBODY, marks=as_root), (0o702, 0)],
)
async def test_where_others_can_rename_files_the_name_of_the_part_is_random_and_it_is_not_kept(
    client: HTTPClient, target: Path, mode: int, owner: int
) -> None:
    shared(target, mode, owner)
    names: list[set[str]] = []

    def progress(size: int, total: int | None) -> None:
        names.append(left_beside(target))

    async with ScriptedServer(serves(CONTENT, V1)) as server:
        for _ in range(2):
            await client.download(server.url(), target, progress=progress)
        await client.download(server.url(), target, max_download_bytes=1)
    first, second = names[0], names[-1]
    assert (len(first), len(second), first & second) == (1, 1, set())
    assert not any("file.bin" in name for name in first | second)
    assert left_beside(target) == set()


def test_a_part_is_ours_alone_and_the_file_has_the_usual_mode(target: Path) -> None:
    part = PartFile(target, "http://h/")
    part.begin(Partial(0, '"v1"'))
    part.write([b"content"])
    for path in (part_of(target), note_of(target)):
        status = path.stat()
        assert (stat.S_IMODE(status.st_mode), status.st_nlink) == (0o600, 1)
    part.commit()
    usual = target.with_name("usual")
    write(usual, b"")
    assert target.stat().st_mode == usual.stat().st_mode
    assert left_beside(target) == {"usual"}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_part_that_another_process_exchanged_does_not_pass_for_the_file(
    target: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exchange() -> None:
        evil = target.with_name("evil")
        write(evil, b"evil")
        evil.replace(part_of(target))

    part = PartFile(target, "http://h/")
    part.begin(Partial())
    part.write([b"content"])
    if moment == "before":
        exchange()
    else:
        replace = os.replace

        def late(name: str, to: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
            monkeypatch.undo()
            exchange()
            replace(name, to, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

        monkeypatch.setattr(os, "replace", late)
    with pytest.raises(OSError, match="another process replaced") as caught:
        part.commit()
    assert caught.value.errno == errno.ESTALE
    part.close(keep=False)


def test_a_part_that_grew_by_another_hand_is_no_file(target: Path) -> None:
    part = PartFile(target, "http://h/")
    part.begin(Partial())
    part.write([b"content"])
    with part_of(target).open("ab") as file:
        file.write(b"!")
    with pytest.raises(OSError, match="another process changed"):
        part.commit()
    part.close(keep=False)
    assert left_beside(target) == set()


def pipe_at(target: Path) -> None:
    os.mkfifo(target)


def link_to_a_device(target: Path) -> None:
    target.symlink_to("/dev/null")


def link_to_a_pipe(target: Path) -> None:
    os.mkfifo(target.with_name("pipe"))
    target.symlink_to(target.with_name("pipe"))


@pytest.mark.parametrize("plant", [pipe_at, link_to_a_device, link_to_a_pipe])
async def test_a_pipe_or_a_device_is_not_replaced(
    client: HTTPClient, target: Path, plant: Callable[[Path], None]
) -> None:
    plant(target)
    before = identity(target)
    async with ScriptedServer(sends(answer(b"content"))) as server:
        failure = (await client.download(server.url(), target)).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert failure.message == "cannot be written: it is a pipe, a socket or a device"
    assert identity(target) == before
    assert left_beside(target) <= {"pipe"}


async def test_a_refusal_matters_more_than_the_device(client: HTTPClient) -> None:
    async with ScriptedServer(sends(answer(b"", status="404 Not Found"))) as server:
        failure = (await client.download(server.url(), os.devnull)).failure()
    assert isinstance(failure, HTTPStatusError)


async def test_a_pipe_that_appears_meanwhile_is_not_replaced(
    client: HTTPClient, target: Path
) -> None:
    def progress(size: int, total: int | None) -> None:
        os.mkfifo(target)

    async with ScriptedServer(sends(answer(b"content"))) as server:
        failure = (await client.download(server.url(), target, progress=progress)).failure()
    assert (failure.label, stat.S_ISFIFO(look(target).st_mode)) == ("path", True)


async def test_a_folder_that_is_renamed_meanwhile_keeps_its_download(
    client: HTTPClient, tmp_path: Path
) -> None:
    """Another user who can rename the folder cannot lead the download elsewhere."""
    ours, theirs, moved = tmp_path / "ours", tmp_path / "theirs", tmp_path / "moved"
    ours.mkdir()
    theirs.mkdir()

    def progress(size: int, total: int | None) -> None:
        if not moved.exists():
            ours.rename(moved)
            ours.symlink_to(theirs)

    async with ScriptedServer(sends(answer(b"content"))) as server:
        await client.download(server.url(), ours / "file", progress=progress)
    assert read(moved / "file") == b"content"
    assert list(theirs.iterdir()) == []


ATTACK: Final = """
import os, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
os.chdir(sys.argv[1])
print("ready", flush=True)
while True:
    for name in os.listdir("."):
        try:
            with open(name, "r+b") as file:
                file.write(b"evil")
        except OSError:
            pass
        for place in (".file.bin.part", ".file.bin.part.json"):
            try:
                with open(place, "xb") as file:
                    file.write(b"evil")
                os.chmod(place, 0o666)
            except OSError:
                pass
"""


@as_root
async def test_another_user_who_attacks_all_the_time_changes_no_byte(
    client: HTTPClient, target: Path
) -> None:
    shared(target, 0o1777)
    for parent in target.parent.parents:
        if parent.name.startswith("pytest-of-"):
            parent.chmod(0o755)
            break
        parent.chmod(0o755)
    attacker = subprocess.Popen(  # noqa: ASYNC220  # it starts at once
        [sys.executable, "-c", ATTACK, str(target.parent)], stdout=subprocess.PIPE, text=True
    )
    assert attacker.stdout is not None
    try:
        assert attacker.stdout.readline() == "ready\n"
        async with ScriptedServer(serves(CONTENT, V1)) as server:
            for _ in range(20):
                result = await client.download(server.url(), target, checksum=SHA256)
                result.unwrap()
                assert read(target) == CONTENT
                assert look(target).st_uid == 0
    finally:
        attacker.kill()
        attacker.communicate()


def test_downloads_that_come_and_go_do_not_keep_a_part_from_opening(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some tries, the part gets a random name."""
    monkeypatch.setattr(PartFolder, "has", lambda *_: False)
    part = PartFile(target, "http://h/")
    assert part.partial == Partial()
    monkeypatch.undo()
    part.close(keep=True)
    assert left_beside(target) == {part_of(target).name}


def test_threads_in_one_process_share_no_part(target: Path) -> None:
    first = PartFile(target, "http://h/")
    errors: list[BaseException] = []

    def second() -> None:
        try:
            PartFile(target, "http://h/")
        except BlockingIOError as error:
            errors.append(error)

    thread = threading.Thread(target=second)
    thread.start()
    thread.join()
    assert len(errors) == 1
    first.close(keep=False)
