"""The head of a response (RFC 9112, sections 4 to 6; RFC 9110, section 5).

Where RFC 9112 lets a recipient choose, one choice is made here, for every loop, parser and mode:

- A line may end with a bare LF (section 2.2); a bare CR, or a NUL, is refused.
- An obsolete line folding becomes one space (section 5.2).
- A blank between the name of a field and its colon is refused: proxies disagree on such fields.
- `Content-Length` together with `Transfer-Encoding`, and lengths that differ, are refused: they
  are a sign of response splitting (section 6.3). Equal lengths count once.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from multidict import CIMultiDict, CIMultiDictProxy, istr

from railhttp.model.memo import Memo
from railhttp.model.response import Headers

_LINE: Final = r"[^\r\n\x00]*\r?\n"
_HEAD: Final = re.compile(
    rf"HTTP/(1\.[0-9]) ([1-9][0-9]{{2}})(?: {_LINE}|\r?\n)"
    rf"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:{_LINE}(?:[ \t]{_LINE})*)*)\r?\n".encode()
)
_FIELD: Final = re.compile(rb"([^:]+):([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)\r?\n")
_STATUS_LINE: Final = re.compile(r"HTTP/(1\.[0-9]) ([1-9][0-9]{2})(?: .*)?")
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LONGEST_KEPT: Final = 128
_MOST_KEPT: Final = 1024
TRAILER: Final = re.compile(rf"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:|[ \t]){_LINE}".encode())
"""A line of a trailer section; its fields are not kept."""

LENGTH: Final = istr("Content-Length")
CODING: Final = istr("Transfer-Encoding")
_CONNECTION: Final = istr("Connection")
_USUAL_CONNECTION: Final = ["keep-alive"]
_DIGITS: Final = 20
_STATUS_LINE_START: Final = b"HTTP/1."


class ResponseError(Exception):
    """The bytes of a server are not HTTP/1.1; the text names the rule, and shows no byte."""


class ResponseHead:
    """A status and its header fields.

    Attributes:
        status: The status code.
        version: `1.1` or `1.0`.
        headers: The fields. A value that is not UTF-8 is read as Latin-1, so that it can be
            encoded again; such bytes in a `Location` are percent-encoded.
    """

    __slots__ = ("_head", "headers", "status", "version")

    status: int
    version: str

    def __init__(self, head: bytes) -> None:
        """Parse a head, with its blank line.

        Raises:
            ResponseError: The head breaks a rule of the module.
        """
        self._head = head
        try:
            status_line, *lines, _, _ = head.decode("ascii").split("\r\n")
            self.version, self.status = _STATUSES[status_line]
            fields = CIMultiDict([*map(_field, lines)])
        except ValueError:  # also for characters beyond ASCII
            self.version, self.status, fields = _tolerant(head)
        self.headers: Headers = CIMultiDictProxy(fields)

    def set_cookies(self) -> list[bytes]:
        """Return the `Set-Cookie` fields as bytes: cookies go back in the bytes they came in."""
        return [value for name, value in _raw_fields(self._head) if name.lower() == b"set-cookie"]

    @property
    def is_interim(self) -> bool:
        """Whether another head follows; a 101 is final, because what follows is not HTTP."""
        return self.status < 200 and self.status != 101

    @property
    def length(self) -> int | None:
        """The `Content-Length`, or None.

        Raises:
            ResponseError: It is malformed, or its values differ.
        """
        fields = self.headers.getall(LENGTH, None)
        if fields is None:
            return None
        if (
            len(fields) == 1
            and len(fields[0]) < _DIGITS
            and fields[0].isdigit()
            and fields[0].isascii()
        ):
            return int(fields[0])
        lengths = {part.strip(" \t") for field in fields for part in field.split(",")}
        length = lengths.pop()
        if lengths or not (length.isascii() and length.isdigit() and len(length) < _DIGITS):
            raise ResponseError("Content-Length is malformed")
        return int(length)

    @property
    def is_chunked(self) -> bool:
        """Whether the last transfer coding is `chunked`.

        Raises:
            ResponseError: There is a `Content-Length` too.
        """
        codings = self.headers.getall(CODING, None)
        if codings is None:
            return False
        if LENGTH in self.headers:
            raise ResponseError("Content-Length and Transfer-Encoding exclude each other")
        last = ",".join(codings).rstrip(", \t")  # empty elements do not count (RFC 9110, 5.6.1.2)
        return last.rpartition(",")[2].strip(" \t").lower() == "chunked"

    def closes(self) -> bool:
        """Whether the connection ends with the response (RFC 9112, sections 6.1 and 9.6)."""
        if self.version == "1.0" and CODING in self.headers:  # HTTP/1.0 has no transfer codings
            return True
        fields = self.headers.getall(_CONNECTION, None)
        if fields is None:
            return self.version == "1.0"
        if fields == _USUAL_CONNECTION:
            return False
        options = _options(",".join(fields))
        return "close" in options or (self.version == "1.0" and "keep-alive" not in options)


@lru_cache(maxsize=64)
def _options(field: str) -> frozenset[str]:
    """Return the connection options of a `Connection` field; servers use few of them."""
    return frozenset(part.strip(" \t").lower() for part in field.split(","))


def _name(name: str) -> istr:
    if not _NAME.fullmatch(name):
        raise ValueError("not the name of a field")
    return istr(name)


_NAMES: Final = Memo(_name, size=1024)


def _parsed(line: str) -> tuple[istr, str]:
    name, colon, text = line.partition(":")
    if not (colon and line.isprintable()):
        raise ValueError("not a field in its usual spelling")
    return _NAMES[name], text.strip(" ")


class _Fields(dict[str, tuple[istr, str]]):
    """Fields by their lines.

    Those of a server come again: most of them with each response, its date for a second. A known
    line costs a twentieth of one that is parsed (benchmarks/README.md).
    """

    def __missing__(self, line: str) -> tuple[istr, str]:
        field = _parsed(line)
        if len(line) <= _LONGEST_KEPT:
            if len(self) >= _MOST_KEPT:
                self.clear()
            self[line] = field
        return field


_FIELDS: Final = _Fields()
_field: Final = _FIELDS.__getitem__


def _status(line: str) -> tuple[str, int]:
    parts = _STATUS_LINE.fullmatch(line)
    if parts is None or not line.isprintable() or len(line) > _LONGEST_KEPT:
        raise ValueError("not a status line in its usual spelling")
    return parts[1], int(parts[2])


_STATUSES: Final = Memo(_status, size=256)


def _tolerant(head: bytes) -> tuple[str, int, CIMultiDict[str]]:
    parts = _HEAD.fullmatch(head)
    if parts is None:
        raise ResponseError("the head is malformed")
    fields = CIMultiDict([(name.decode(), _text(name, value)) for name, value in _raw_fields(head)])
    return parts[1].decode(), int(parts[2]), fields


def _raw_fields(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    for name, value in _FIELD.findall(head, head.index(b"\n") + 1):
        yield name, b" ".join(line.strip(b" \t") for line in value.splitlines()).strip(b" ")


def _text(name: bytes, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        if name.lower() == b"location":
            return "".join(chr(octet) if octet < 128 else f"%{octet:02X}" for octet in value)
        return value.decode("latin-1")


def starts_like_http(start: bytes) -> bool:
    """Whether a response may start with these bytes, of which more may follow."""
    return start.startswith(_STATUS_LINE_START[: len(start)])
