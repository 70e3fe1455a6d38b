"""Reads the response to one request from the bytes of a connection (RFC 9112, section 6.3).

The parts of a response never depend on how its bytes were cut
(properties/test_response_reader.py::test_any_cut_of_the_bytes_gives_one_verdict).
"""

import re
from collections.abc import Callable
from enum import Enum, auto
from typing import Final, NamedTuple, TypeAlias

from railhttp.wire.response_head import (
    CODING,
    LENGTH,
    TRAILER,
    ResponseError,
    ResponseHead,
    starts_like_http,
)

_MOST_IN_HEAD: Final = 1024 * 1024
_MOST_IN_CHUNK_LINE: Final = 256 * 1024
_MOST_INTERIM: Final = 32
_MOST_BLANK: Final = 8190
_WITHOUT_BODY: Final = frozenset({101, 204, 304})
_HEAD_END: Final = re.compile(rb"\n\r?\n")
_CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n\x00]*)?\r?\n")


class HeadLimits(NamedTuple):
    """The largest head that is read.

    aiohttp allows 128 fields of 8190 bytes: too little for large tokens, security policies and many
    cookies.

    Attributes:
        line: Bytes of the status line.
        field: Bytes of one field.
        fields: The number of fields.
    """

    line: int = 8190
    field: int = 64 * 1024
    fields: int = 256


USUAL_LIMITS: Final = HeadLimits()
# Each response looks at these, and attributes of a named tuple are dear (benchmarks/README.md).
_USUAL_SIZE: Final = USUAL_LIMITS.line
_USUAL_FIELDS: Final = USUAL_LIMITS.fields


def whole_response(data: bytes) -> tuple[ResponseHead, bytes] | None:
    r"""Read a response with a body that came in one piece, as small ones do.

    Returns:
        The head and the body, or None for anything else, which needs a `ResponseReader`.

    Example:
        >>> response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        >>> head, body = whole_response(response)
        >>> head.status, body
        (200, b'ok')
    """
    end = data.find(b"\r\n\r\n") + 4
    if not 4 < end <= _USUAL_SIZE:
        return None
    try:
        head = ResponseHead(data[:end])
    except ResponseError:  # the reader finds it again
        return None
    headers, status = head.headers, head.status
    if (
        headers.getall(LENGTH, None) != [str(len(data) - end)]
        or CODING in headers
        or status < 200
        or status in _WITHOUT_BODY
        or len(headers) > _USUAL_FIELDS
    ):
        return None
    return head, data[end:]


class End(Enum):
    """The end of a body."""

    COMPLETE = auto()


Part: TypeAlias = ResponseHead | bytes | End | ResponseError
"""A head, a piece of a body, the end of the body, or the error that ends the response."""


class ResponseReader:
    r"""Splits received bytes into the parts of one response, and of interim ones before it.

    Bytes after the response are dropped: the response counts, the connection does not.

    Args:
        with_body: Whether a body may follow: False for HEAD, and for a CONNECT that succeeds.
        read_until_eof: Whether a body without a length goes on to the end of the connection;
            otherwise it is empty.

    Attributes:
        is_done: Whether the response is complete, or broken.
        ends_with_connection: Whether the end of the connection is the end of the body, too.
        has_body: Whether the head that was read last is followed by a body.
        has_surplus: Whether more bytes came than the response has.

    Example:
        >>> reader = ResponseReader()
        >>> parts = reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more")
        >>> [type(part).__name__ for part in parts], parts[1], reader.has_surplus
        (['ResponseHead', 'bytes', 'End'], b'ok', True)
    """

    __slots__ = (
        "_blank",
        "_held",
        "_interim",
        "_left",
        "_limits",
        "_step",
        "_until_eof",
        "_with_body",
        "ends_with_connection",
        "has_body",
        "has_surplus",
        "is_done",
    )

    def __init__(
        self,
        limits: HeadLimits = USUAL_LIMITS,
        *,
        with_body: bool = True,
        read_until_eof: bool = True,
    ) -> None:
        self._limits = limits
        self._with_body = with_body
        self._until_eof = read_until_eof
        self._interim = 0
        self._held = b""
        self._left = 0
        self._blank = 0
        self.is_done: bool = False
        self.ends_with_connection: bool = False
        self.has_body: bool = False
        self.has_surplus: bool = False
        self._step: Callable[[bytes, list[Part]], bytes] = self._head

    def feed(self, data: bytes) -> list[Part]:
        """Return the parts that are complete with these bytes."""
        parts: list[Part] = []
        try:
            while data:
                data = self._step(data, parts)
        except ResponseError as error:
            parts.append(error)
            self.is_done, self._step = True, self._surplus
        return parts

    def _head(self, data: bytes, parts: list[Part]) -> bytes:
        searched = len(self._held)
        data = self._held + data if searched else self._without_blank_lines(data)
        end = _HEAD_END.search(data, max(0, searched - 2))
        if end is None:
            self._hold_head(data)
            return b""
        head = ResponseHead(_in_bounds(data[: end.end()], self._limits))
        self._held = b""
        self._begin(head, parts)
        return data[end.end() :]

    def _without_blank_lines(self, data: bytes) -> bytes:
        rest = data.lstrip(b"\r\n")
        self._blank += len(data) - len(rest)
        if self._blank > _MOST_BLANK:
            raise ResponseError("there are too many blank lines before the head")
        return rest

    def _hold_head(self, data: bytes) -> None:
        _in_bounds(data, self._limits)
        if not starts_like_http(data):
            raise ResponseError("the head is malformed")
        line, found, _ = data.partition(b"\n")
        if found:
            ResponseHead(line + b"\n\n")  # another protocol sends no blank line
        self._held = data

    def _begin(self, head: ResponseHead, parts: list[Part]) -> None:
        length, chunked = head.length, head.is_chunked
        parts.append(head)
        if head.is_interim:
            self._interim += 1
            if self._interim > _MOST_INTERIM:
                raise ResponseError(f"there are more than {_MOST_INTERIM} interim responses")
            return
        bodiless = head.status in _WITHOUT_BODY or length == 0
        endless = length is None and not chunked
        if not self._with_body or bodiless or (endless and not self._until_eof):
            self._complete(parts)
        else:
            self.has_body = True
            if chunked:
                self._step = self._chunk_line
            elif length is not None:
                self._left, self._step = length, self._sized
            else:
                self.ends_with_connection, self._step = True, self._rest

    def _complete(self, parts: list[Part]) -> None:
        parts.append(End.COMPLETE)
        self.is_done, self._step = True, self._surplus

    def _sized(self, data: bytes, parts: list[Part]) -> bytes:
        rest = self._take(data, parts)
        if not self._left:
            self._complete(parts)
        return rest

    def _take(self, data: bytes, parts: list[Part]) -> bytes:
        piece = data[: self._left]
        self._left -= len(piece)
        parts.append(piece)
        return data[len(piece) :]

    def _chunk_line(self, data: bytes, parts: list[Part]) -> bytes:
        if not self._held and not (data := _whole_chunks(data, parts)):
            return b""
        found = self._line(data, _MOST_IN_CHUNK_LINE)
        if found is None:
            return b""
        line, rest = found
        size = _CHUNK_LINE.fullmatch(line)
        if size is None:
            raise ResponseError("the size of a chunk is malformed")
        self._left = int(size[1], 16)
        self._step = self._chunk if self._left else self._trailer
        return rest

    def _chunk(self, data: bytes, parts: list[Part]) -> bytes:
        rest = self._take(data, parts)
        if not self._left:
            self._step = self._chunk_end
        return rest

    def _chunk_end(self, data: bytes, parts: list[Part]) -> bytes:
        data = self._held + data
        if not data.startswith((b"\r\n", b"\n")):
            if data != b"\r":
                raise ResponseError("a chunk is longer than its size")
            self._held = data
            return b""
        self._held, self._step = b"", self._chunk_line
        return data[data.index(b"\n") + 1 :]

    def _trailer(self, data: bytes, parts: list[Part]) -> bytes:
        found = self._line(data, self._limits.field)
        if found is None:
            return b""
        line, rest = found
        self._left += 1
        if line in {b"\r\n", b"\n"}:
            self._complete(parts)
        elif self._left > self._limits.fields or not TRAILER.fullmatch(line):
            raise ResponseError("the trailer is malformed")
        return rest

    def _line(self, data: bytes, most: int) -> tuple[bytes, bytes] | None:
        start = len(self._held)
        data = self._held + data if start else data
        end = data.find(b"\n", start) + 1
        if (end or len(data)) > most:
            raise ResponseError("a line is too long")
        self._held = b"" if end else data
        return (data[:end], data[end:]) if end else None

    def _rest(self, data: bytes, parts: list[Part]) -> bytes:
        parts.append(data)
        return b""

    def _surplus(self, data: bytes, parts: list[Part]) -> bytes:
        self.has_surplus = True
        return b""


def _whole_chunks(data: bytes, parts: list[Part]) -> bytes:
    """Read the chunks that are complete in these bytes as one piece, and return the rest.

    One by one, each of very many tiny chunks would copy all bytes that follow it
    (test_response_bytes.py::test_very_many_chunks_that_came_together_are_one_piece).
    """
    pieces: list[bytes] = []
    at = 0
    while size := _CHUNK_LINE.match(data, at):
        start = size.end()
        end = start + int(size[1], 16)
        if end == start or start - at > _MOST_IN_CHUNK_LINE:
            break
        if data.startswith(b"\r\n", end):
            pieces.append(data[start:end])
            at = end + 2
        elif data.startswith(b"\n", end):
            pieces.append(data[start:end])
            at = end + 1
        else:
            break
    if pieces:
        parts.append(b"".join(pieces))
    return data[at:] if at else data


def _in_bounds(head: bytes, limits: HeadLimits) -> bytes:
    """Require a whole head, or the start of one, within the limits, however it is cut."""
    size = len(head)
    if size > limits.line or size > limits.field or head.count(b"\n") > limits.fields + 2:
        _check_lines(head, limits)
    return head


def _check_lines(head: bytes, limits: HeadLimits) -> None:
    status_line, *lines = head.split(b"\n")
    if (
        len(head) > _MOST_IN_HEAD
        or len(status_line) > limits.line
        or any(len(line) > limits.field for line in lines)
        or head.count(b"\n") > limits.fields + 2
    ):
        raise ResponseError("the head has too many or too long lines")
