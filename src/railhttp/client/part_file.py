"""The part of a download that grows beside its target. Everything here blocks."""

import errno
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple

from railhttp.client.part_folder import (
    NotOursError,
    PartFolder,
    is_open_to_others,
    is_special,
    require_ours,
)
from railhttp.policy.resume import Partial
from railhttp.policy.signed_url import without_signature

_NAME_MAX: Final = 255
"""The most bytes in the name of a file, on nearly all file systems."""

_NOTE_MAX: Final = 65536
"""The most bytes that are read of a note."""

_TRIES: Final = 16
"""How often the part is opened again if other downloads of the same target come and go."""

_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""The errors of systems and file systems without locks, such as some network ones."""


class _Opened(NamedTuple):
    file: FileIO
    name: str
    note: str | None


class PartFile:
    """The part `.name.part` beside the target, and a note about it, `.name.part.json`.

    If these names are too long for the system, a digest replaces the name.

    Part and note belong to us alone: regular files of our user, with mode 0600 and one name. If
    something else has one of the names, or if other users can rename files in the folder, the part
    has a random name, and a later run cannot resume it. The file gets the usual mode when it gets
    its own name.

    The part is locked while it is open, so that only one download writes to it. On systems
    (Windows) and file systems without locks, the caller has to see to that. The note holds a digest
    of the URL, which may be secret, the validator for `If-Range`, and the total length.
    """

    def __init__(self, target: Path, url: str) -> None:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        self._path = target
        self._target = target.name
        self._url = _digest(url)
        self._unsigned_url = _digest(without_signature(url))
        del url  # a traceback would show it
        self._has_note = True  # perhaps one of an earlier run
        self._folder = PartFolder(target.parent)
        try:
            self._file, self._name, self._note = _open(self._folder, self._target)
        except BaseException:
            self._folder.close()
            raise
        try:
            self.partial: Partial = self._noted(os.fstat(self._file.fileno()).st_size)
        except BaseException:
            self._file.close()
            self._folder.close()
            raise

    def _noted(self, size: int) -> Partial:
        """Return what the note of an earlier run knows about the bytes, if the URL is the same."""
        if self._note is None or not size:
            return Partial(size)
        try:
            note = json.loads(self._read_note(self._note))
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

    def _read_note(self, name: str) -> bytes:
        with FileIO(self._folder.open(name)) as file:
            if is_open_to_others(os.fstat(file.fileno())):
                raise NotOursError
            return file.read(_NOTE_MAX) or b""

    def begin(self, partial: Partial, *, keeps_note: bool = True) -> None:
        """Cut the file to the given part; the next bytes belong to the same version.

        Args:
            partial: The part.
            keeps_note: Whether a new part has its note at once, and not only when it is kept.
        """
        self._require_replaceable()
        self._file.truncate(partial.size)
        self._file.seek(partial.size)
        self.partial = partial
        if partial.size == 0 and self._note is not None:
            self._replace_note(self._note, is_written=keeps_note and bool(partial.validator))

    def _require_replaceable(self) -> None:
        """Refuse to replace a pipe, a socket, a device, or a link to one of them."""
        with suppress(FileNotFoundError):
            if is_special(self._folder.stat(self._target)) or is_special(self._path.stat()):
                raise OSError(errno.EINVAL, "it is a pipe, a socket or a device")

    def _replace_note(self, name: str, *, is_written: bool) -> None:
        note = {
            "url": self._url,
            "unsigned_url": self._unsigned_url,
            "validator": self.partial.validator,
            "total": self.partial.total,
        }
        # A new file, because another process may have the old one open.
        try:
            self._folder.remove(name)
            self._has_note = is_written
            if not is_written:
                return
            descriptor = self._folder.create(name)
        except (FileExistsError, IsADirectoryError, PermissionError):
            self._note = None  # another user took the name meanwhile: this part is not kept
            return
        with open(descriptor, "w", encoding="ascii") as file:
            json.dump(note, file)

    def write(self, pieces: Iterable[bytes]) -> None:
        """Append bytes; the bytes before an error count."""
        size = self.partial.size
        try:
            for piece in pieces:
                rest = memoryview(piece)
                while rest:
                    written = self._file.write(rest)
                    rest = rest[written:]
                    size += written
        finally:
            known = self.partial
            self.partial = Partial(size, known.validator, known.total)

    def digest(self, algorithm: str) -> str:
        """Return the digest of all bytes, in hexadecimal."""
        self._file.seek(0)
        return hashlib.file_digest(self._file, algorithm).hexdigest()

    def flush(self) -> None:
        """Wait until the disk has all bytes."""
        os.fsync(self._file.fileno())

    def commit(self) -> None:
        """Rename the file to the target, in one step, and close it."""
        self._require_replaceable()
        file = os.fstat(self._file.fileno())
        if file.st_size != self.partial.size:
            raise OSError(errno.ESTALE, "another process changed the part")
        if hasattr(os, "fchmod"):
            mode = self._folder.usual_mode(f".{secrets.token_hex(16)}.mode")
            os.fchmod(self._file.fileno(), mode)
        if _find_lock() is None:  # Windows cannot rename open files
            self._file.close()
        self._folder.rename(self._name, self._target, file)
        if self._note is not None and self._has_note:
            with suppress(OSError):
                self._folder.remove(self._note)
        self._file.close()
        self._folder.close()

    def close(self, *, keep: bool) -> None:
        """Close the file, and remove it unless it is kept and can be resumed.

        Does nothing after `commit`. A file that cannot be removed stays; that is not a failure.
        """
        if self._file.closed:
            return
        keep = keep and bool(self.partial.headers)
        if keep and self._note is not None and not self._has_note:
            with suppress(OSError):  # a full disk: without a note the next run starts over
                self._replace_note(self._note, is_written=True)
        if self._note is None or not keep:
            self._remove()
        self._file.close()
        self._folder.close()

    def _remove(self) -> None:
        with suppress(OSError):
            if self._note is not None:
                self._folder.remove(self._note)
            if self._folder.has(self._name, os.fstat(self._file.fileno())):
                self._folder.remove(self._name)


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


def _open(folder: PartFolder, target: str) -> _Opened:
    """Open the part of an earlier run, or create one."""
    stem = _stem(target)
    name, note = f".{stem}.part", f".{stem}.part.json"
    if folder.is_trusted:
        with suppress(NotOursError):
            _require_free_or_ours(folder, note)
            return _Opened(_open_locked(folder, name), name, note)
    name = f".{secrets.token_hex(16)}.part"
    return _Opened(FileIO(folder.create(name), "r+"), name, None)


def _require_free_or_ours(folder: PartFolder, name: str) -> None:
    with suppress(FileNotFoundError):
        require_ours(folder.stat(name))


def _open_locked(folder: PartFolder, name: str) -> FileIO:
    lock = _find_lock()
    for _ in range(_TRIES):
        file = _open_or_create(folder, name)
        if file is None:
            continue
        try:
            if lock is not None:
                lock(file)
            # Another download may have renamed or removed it before it released the lock.
            status = os.fstat(file.fileno())
            if folder.has(name, status):
                if not is_open_to_others(status):
                    return file
                folder.remove(name)
        except BaseException:
            file.close()
            raise
        file.close()
    raise NotOursError


def _open_or_create(folder: PartFolder, name: str) -> FileIO | None:
    with suppress(FileNotFoundError):
        return FileIO(folder.open(name), "r+")
    with suppress(FileExistsError):
        return FileIO(folder.create(name), "r+")
    return None


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
