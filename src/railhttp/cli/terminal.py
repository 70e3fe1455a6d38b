"""Writes the result to stdout and everything about it to stderr."""

import os
import sys
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from rich.console import Console


class Terminal:
    """The command's output.

    Colours and bars need rich and a terminal; without them every line is plain text.

    Args:
        console: Writes in colour; None for plain lines.
    """

    def __init__(self, console: "Console | None" = None) -> None:
        self.console: Final = console

    @classmethod
    def of_process(cls) -> Self:
        """Choose by what is installed and where stderr leads."""
        if not sys.stderr.isatty():
            return cls()
        try:
            from rich.console import Console  # noqa: PLC0415  # 100 ms, and optional
        except ModuleNotFoundError:
            return cls()
        return cls(Console(stderr=True, highlight=False, markup=False, emoji=False))

    @property
    def shows_body(self) -> bool:
        """Whether stdout is a terminal, which must get no binary data."""
        return sys.stdout.isatty()

    def say(self, text: str, style: str = "") -> None:
        """Write lines about the call to stderr.

        Args:
            text: Any text; control characters in it are replaced, as a terminal would obey them.
            style: The style of rich, such as `green`.
        """
        shown = printable(text)
        if self.console is None:
            sys.stderr.write(_encodable(shown, sys.stderr.encoding) + "\n")
            sys.stderr.flush()
        else:
            self.console.print(shown, style=style or None, soft_wrap=True)

    def write(self, data: bytes) -> None:
        """Write bytes to stdout unchanged."""
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def print(self, text: str) -> None:
        """Write a line of text to stdout."""
        self.write(text.encode() + b"\n")


def printable(text: str) -> str:
    r"""Replace what a terminal would obey instead of show.

    Example:
        >>> printable("red: \x1b[31m!")
        'red: �[31m!'
    """
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for letter in text
    )


def discard_stdout() -> None:
    """Keep the interpreter from flushing into a closed pipe when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _encodable(text: str, encoding: str) -> str:
    return text.encode(encoding, "replace").decode(encoding)
