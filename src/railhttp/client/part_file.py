"""The file that grows beside the target of a download. Everything here blocks."""

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import Final

from railhttp.policy.resume import Partial

_NAME_MAX: Final = 255
"""The most bytes in the name of a file, on nearly all file systems."""

_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""What a system or a file system says that has no locks, as some network ones have none."""


class PartFile:
    """`.name.part` beside the target, and a note of what it is a part of, `.name.part.json`.

    Where these names would be too long for the system, a digest stands in the place of the name.

    It is locked while it is open, so that no two downloads of one target write to it; where the
    system (Windows) or the file system has no such locks, that is left to the caller. The note
    holds a digest of the URL, which may be secret, the validator that `If-Range` needs, and the
    length of the whole. Neither is written through a symbolic link, which anyone who may write to
    the folder could have laid there.

    Args:
        target: The file that it becomes.
        url: Where its bytes come from.

    Raises:
        OSError: It cannot be opened, or another download has it open.
    """

    def __init__(self, target: Path, url: str) -> None:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        self._target = target
        stem = _stem(target.name)
        self._path = target.with_name(f".{stem}.part")
        self._note = target.with_name(f".{stem}.part.json")
        self._url = hashlib.sha256(url.encode()).hexdigest()
        self._file = _open_locked(self._path)
        self.partial = self._noted(os.fstat(self._file.fileno()).st_size)

    def _noted(self, size: int) -> Partial:
        """Say what the bytes are by the note of an earlier run, if it was for the same URL."""
        try:
            note = json.loads(self._note.read_bytes())
            url, validator, total = note["url"], note["validator"], note.get("total")
        except (OSError, ValueError, TypeError, LookupError, RecursionError):
            return Partial(size)
        if url != self._url or not isinstance(validator, str):
            return Partial(size)
        return Partial(size, validator, total if isinstance(total, int) else None)

    def begin(self, partial: Partial) -> None:
        """Throw away what is behind the part given; what is written next is of its version."""
        self._file.truncate(partial.size)
        if partial.size == 0:
            note = {"url": self._url, "validator": partial.validator, "total": partial.total}
            with open(self._note, "w", encoding="ascii", opener=_open_no_link) as file:
                json.dump(note, file)
        self.partial = partial

    def write(self, pieces: Iterable[bytes]) -> None:
        """Write at the end; what was written before an error counts."""
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                written = self._file.write(rest)
                rest = rest[written:]
                self.partial = replace(self.partial, size=self.partial.size + written)

    def digest(self, algorithm: str) -> str:
        """Give the checksum of all bytes, in hexadecimal."""
        self._file.seek(0)
        return hashlib.file_digest(self._file, algorithm).hexdigest()

    def commit(self) -> None:
        """Put the file in the target's place, in one step, and close it."""
        os.fsync(self._file.fileno())
        self._note.unlink(missing_ok=True)
        if _find_lock() is None:  # Windows moves no open files
            self._file.close()
        self._path.replace(self._target)
        self._file.close()

    def close(self, *, keep: bool) -> None:
        """Close the file, and remove it where it is not to be kept or nothing can be added to it.

        Does nothing after `commit`. What cannot be removed stays, and is no failure.
        """
        if self._file.closed:
            return
        if not (keep and self.partial.headers):
            with suppress(OSError):
                self._note.unlink(missing_ok=True)
                self._path.unlink(missing_ok=True)
        self._file.close()


def _stem(name: str) -> str:
    """Give what the names beside the target hold: its own, or a digest where that is too long.

    Beyond what the target itself may have nothing helps, and opening the file fails at once.
    """
    encoded = os.fsencode(name)
    if _NAME_MAX - len("..part.json") < len(encoded) <= _NAME_MAX:
        return hashlib.sha256(encoded).hexdigest()
    return name


def _open_locked(path: Path) -> FileIO:
    lock = _find_lock()
    while True:
        file = FileIO(path, "a+", opener=_open_no_link)
        try:
            if lock is not None:
                lock(file)
            # Another download may have moved or removed it before it let go of the lock.
            if _is_at(file, path):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _is_at(file: FileIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _find_lock() -> Callable[[FileIO], None] | None:
    try:
        import fcntl  # noqa: PLC0415  # not everywhere
    except ImportError:
        return None

    def lock(file: FileIO) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise

    return lock
