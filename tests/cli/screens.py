"""Streams of a process that are a terminal, or are not."""

import io


class Screen(io.StringIO):
    """A stderr that is a terminal unless `is_terminal` is False."""

    encoding = "utf-8"
    is_terminal = True

    def isatty(self) -> bool:
        return self.is_terminal


class Out(io.TextIOWrapper):
    """A stdout that is a terminal, or is not."""

    def __init__(self, *, is_terminal: bool) -> None:
        self.written = io.BytesIO()
        self._is_terminal = is_terminal
        super().__init__(self.written, encoding="utf-8")

    def isatty(self) -> bool:
        return self._is_terminal
