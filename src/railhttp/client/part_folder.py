"""The folder of a download, held open so that its files stay in it. Everything here blocks."""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

_HAS_DIR_FD: Final = os.open in os.supports_dir_fd  # not on Windows
_O_BINARY: Final = getattr(os, "O_BINARY", 0)  # only on Windows
_O_SAFE: Final = (
    getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
)
_O_FOLDER: Final = (
    getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
)


class NotOursError(OSError):
    """A file that other users own or that has another name too, or not a regular file."""


class PartFolder:
    """Opens and renames files in one folder, and never through a symbolic link.

    The folder is held by a descriptor, so renaming it or its parents has no effect.

    Attributes:
        is_trusted: Whether only we (or root) can rename and remove our files in it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, _O_FOLDER) if _HAS_DIR_FD else None
        self.is_trusted: Final = self._descriptor is None or _is_trusted(os.fstat(self._descriptor))

    def _at(self, name: str) -> str | Path:
        return name if self._descriptor is not None else self._path / name

    def open(self, name: str) -> int:
        """Open a file that exists, and that only we own and name.

        Raises:
            NotOursError: It is anything else.
            FileNotFoundError: It does not exist.
        """
        require_ours(self.stat(name))  # before, because opening a device may start something
        flags = os.O_RDWR | _O_BINARY | _O_SAFE
        try:
            descriptor = os.open(self._at(name), flags, dir_fd=self._descriptor)
        except OSError as error:
            if error.errno == errno.ELOOP:  # replaced by a link since
                raise NotOursError from None
            raise
        try:
            require_ours(os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def create(self, name: str, mode: int = 0o600) -> int:
        """Create a file that did not exist.

        Raises:
            FileExistsError: There is something with this name.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _O_BINARY | _O_SAFE
        return os.open(self._at(name), flags, mode, dir_fd=self._descriptor)

    def stat(self, name: str) -> os.stat_result:
        """Return what `lstat` does."""
        return os.stat(self._at(name), dir_fd=self._descriptor, follow_symlinks=False)

    def has(self, name: str, file: os.stat_result) -> bool:
        """Whether a name belongs to a file."""
        try:
            return os.path.samestat(file, self.stat(name))
        except FileNotFoundError:
            return False

    def remove(self, name: str) -> None:
        """Remove a name, if it exists."""
        with suppress(FileNotFoundError):
            os.unlink(self._at(name), dir_fd=self._descriptor)

    def rename(self, name: str, target: str, file: os.stat_result) -> None:
        """Rename a file, and make sure that it was this one.

        Raises:
            OSError: Another process exchanged the file for another one, before or after.
        """
        if not self.has(name, file):
            raise OSError(errno.ESTALE, "another process replaced the part")
        os.replace(
            self._at(name),
            self._at(target),
            src_dir_fd=self._descriptor,
            dst_dir_fd=self._descriptor,
        )
        if not self.has(target, file):
            raise OSError(errno.ESTALE, "another process replaced the file")

    def usual_mode(self, probe: str) -> int:
        """Return the mode of new files, which depends on the process and on the folder.

        The mask of the process cannot be read without changing it for all threads.
        """
        descriptor = self.create(probe, 0o666)
        try:
            return stat.S_IMODE(os.fstat(descriptor).st_mode)
        finally:
            os.close(descriptor)
            self.remove(probe)

    def close(self) -> None:
        """Close the folder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def require_ours(file: os.stat_result) -> None:
    """Refuse a file that is not regular, that another user owns, or that has several names.

    Raises:
        NotOursError: It is one of these.
    """
    # Windows knows no owner, and its `stat` may count no names.
    is_other = _HAS_DIR_FD and (file.st_uid != os.geteuid() or file.st_nlink != 1)
    if is_other or not stat.S_ISREG(file.st_mode):
        raise NotOursError


def is_open_to_others(file: os.stat_result) -> bool:
    """Whether other users may have the file open."""
    return _HAS_DIR_FD and bool(file.st_mode & 0o077)


def is_special(file: os.stat_result) -> bool:
    """Whether it is a pipe, a socket or a device."""
    return not (
        stat.S_ISREG(file.st_mode) or stat.S_ISDIR(file.st_mode) or stat.S_ISLNK(file.st_mode)
    )


def _is_trusted(folder: os.stat_result) -> bool:
    user = os.geteuid()
    if folder.st_uid not in {0, user}:
        return False
    if folder.st_mode & stat.S_ISVTX:  # others may add files, but not rename or remove ours
        return True
    # The private group of a user has the number of the user; so pam_umask recognizes it.
    is_private_group = folder.st_gid == os.getegid() == user
    return not folder.st_mode & (stat.S_IWOTH if is_private_group else stat.S_IWOTH | stat.S_IWGRP)
