"""The part of a download that grows beside its target. Everything here blocks."""

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
from railhttp.policy.signed_url import without_signature

_NAME_MAX: Final = 255
"""The most bytes in the name of a file, on nearly all file systems."""

_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""The errors of systems and file systems without locks, such as some network ones."""


class PartFile:
    """The part `.name.part` beside the target, and a note about it, `.name.part.json`.

    If these names are too long for the system, a digest replaces the name.

    The part is locked while it is open, so that only one download writes to it. On systems
    (Windows) and file systems without locks, the caller has to see to that. The note holds a digest
    of the URL, which may be secret, the validator for `If-Range`, and the total length. Neither is
    written through a symbolic link, because anyone who can write to the folder can create one.
    """

    def __init__(self, target: Path, url: str) -> None:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        self._target = target
        stem = _stem(target.name)
        self._path = target.with_name(f".{stem}.part")
        self._note = target.with_name(f".{stem}.part.json")
        self._url = _digest(url)
        self._unsigned_url = _digest(without_signature(url))
        self._file = _open_locked(self._path)
        self.partial = self._noted(os.fstat(self._file.fileno()).st_size)

    def _noted(self, size: int) -> Partial:
        """Return what the note of an earlier run knows about the bytes, if the URL is the same."""
        try:
            note = json.loads(self._note.read_bytes())
            url, validator, total = note["url"], note["validator"], note.get("total")
            unsigned_url = note.get("unsigned_url")
        except (OSError, ValueError, TypeError, LookupError, RecursionError):
            return Partial(size)
        if not isinstance(validator, str):
            return Partial(size)
        # A new signature is another URL of the same file; only a strong ETag proves the version.
        is_strong = validator.startswith('"') and unsigned_url == self._unsigned_url
        if url != self._url and not is_strong:
            return Partial(size)
        return Partial(size, validator, total if isinstance(total, int) else None)

    def begin(self, partial: Partial) -> None:
        """Cut the file to the given part; the next bytes belong to the same version."""
        self._file.truncate(partial.size)
        if partial.size == 0:
            note = {
                "url": self._url,
                "unsigned_url": self._unsigned_url,
                "validator": partial.validator,
                "total": partial.total,
            }
            with open(self._note, "w", encoding="ascii", opener=_open_no_link) as file:
                json.dump(note, file)
        self.partial = partial

    def write(self, pieces: Iterable[bytes]) -> None:
        """Append bytes; the bytes before an error count."""
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                written = self._file.write(rest)
                rest = rest[written:]
                self.partial = replace(self.partial, size=self.partial.size + written)

    def digest(self, algorithm: str) -> str:
        """Return the digest of all bytes, in hexadecimal."""
        self._file.seek(0)
        return hashlib.file_digest(self._file, algorithm).hexdigest()

    def commit(self) -> None:
        """Rename the file to the target, in one step, and close it."""
        os.fsync(self._file.fileno())
        self._note.unlink(missing_ok=True)
        if _find_lock() is None:  # Windows cannot rename open files
            self._file.close()
        self._path.replace(self._target)
        self._file.close()

    def close(self, *, keep: bool) -> None:
        """Close the file, and remove it unless it is kept and can be resumed.

        Does nothing after `commit`. A file that cannot be removed stays; that is not a failure.
        """
        if self._file.closed:
            return
        if not (keep and self.partial.headers):
            with suppress(OSError):
                self._note.unlink(missing_ok=True)
                self._path.unlink(missing_ok=True)
        self._file.close()


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def _stem(name: str) -> str:
    """Return the stem of the names beside the target: its name, or a digest if that is too long.

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
            # Another download may have renamed or removed it before it released the lock.
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
        import fcntl  # noqa: PLC0415  # not on Windows
    except ImportError:
        return None

    def lock(file: FileIO) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise

    return lock
