"""Request bodies, and whether each can be sent a second time."""

import io
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import AbstractContextManager, nullcontext
from inspect import iscoroutinefunction
from typing import BinaryIO, Final, NamedTuple, TypeAlias, cast
from urllib.parse import urlencode

from railhttp.model.document_encoder import encode
from railhttp.model.errors import HTTPValidationError
from railhttp.model.json_text import plain_json
from railhttp.model.redaction import redacted_repr
from railhttp.model.url import QueryParams, query_pairs

_BINARY: Final = "application/octet-stream"

BodyData: TypeAlias = (
    bytes
    | bytearray
    | memoryview
    | str
    | QueryParams
    | BinaryIO
    | Iterable[bytes]
    | AsyncIterable[bytes]
)
"""The types that `data=` accepts: bytes, text, a form, an open binary file, an incoming stream, or
an iterable of bytes."""


class FileSource(NamedTuple):
    """An open binary file, from its current position to its end.

    Attributes:
        file: The file. A thread reads it; railhttp never closes it.
        start: The position to read from; None if the file cannot seek and is read only once.
        size: The number of bytes from `start`; None if unknown.
        guard: Held while the file is read, because a cancelled attempt may still be reading it.
    """

    file: BinaryIO
    start: int | None
    size: int | None
    guard: AbstractContextManager[object] = nullcontext()


class ReaderSource(NamedTuple):
    """A source with an async `read`, such as an incoming stream; it is read only once.

    Attributes:
        read: Returns at most the given number of bytes, and `b""` at the end.
    """

    read: Callable[[int], Awaitable[bytes]]


class ChunkSource(NamedTuple):
    """A source that another library knows how to read.

    Attributes:
        chunks: Begins to read the source.
        size: The number of bytes; None if unknown.
        replayable: Whether it can be read a second time.
    """

    chunks: Callable[[], AsyncGenerator[bytes, None]]
    size: int | None
    replayable: bool


Segment: TypeAlias = (
    bytes | FileSource | ReaderSource | ChunkSource | Iterable[bytes] | AsyncIterable[bytes]
)


class BytesBody(NamedTuple):
    """A body in memory; it can always be sent again.

    Attributes:
        content_type: The media type, sent unless the caller's headers have a `Content-Type`.
    """

    content: bytes
    content_type: str

    def __repr__(self) -> str:
        return redacted_repr(self, content=f"{len(self.content)} bytes")

    @property
    def replayable(self) -> bool:
        """Always True."""
        return True

    @property
    def length(self) -> int:
        """The number of bytes."""
        return len(self.content)


class StreamBody(NamedTuple):
    """A body that is read piece by piece while it is sent.

    Attributes:
        segments: The parts of the body, in order.
        coding: The content coding that the body is given while it is sent: `gzip` or `deflate`.
        chunked: Whether the body is sent chunked even if its length is known.
        content_type: The media type, sent unless the caller's headers have a `Content-Type`.
    """

    segments: tuple[Segment, ...]
    content_type: str
    coding: str = ""
    chunked: bool = False

    def __repr__(self) -> str:
        return redacted_repr(self, segments=len(self.segments))

    @property
    def replayable(self) -> bool:
        """Whether every part can be read a second time; iterators and pipes cannot."""
        return all(map(_is_replayable, self.segments))

    @property
    def length(self) -> int | None:
        """The number of bytes to announce; None if the body is sent chunked."""
        if self.coding or self.chunked:
            return None
        lengths = [_length(segment) for segment in self.segments]
        known = [length for length in lengths if length is not None]
        return sum(known) if len(known) == len(lengths) else None


Body: TypeAlias = BytesBody | StreamBody


def _is_replayable(segment: Segment) -> bool:
    match segment:
        case FileSource(start=start):
            return start is not None
        case ChunkSource(replayable=replayable):
            return replayable
        case ReaderSource() | Iterator() | AsyncIterator():
            return False
        case _:
            return True


def _length(segment: Segment) -> int | None:
    match segment:
        case bytes():
            return len(segment)
        case FileSource(size=size) | ChunkSource(size=size):
            return size
        case _:
            return None


def json_body(document: object) -> BytesBody:
    """Encode a JSON document (RFC 8259): compact, in UTF-8, without `NaN`.

    Args:
        document: Plain data that `json.dumps` accepts, or what `railhttp.railway.encode` accepts.

    Raises:
        HTTPValidationError: The document cannot be written as JSON.

    Example:
        >>> json_body({"name": "né"}).content.decode()
        '{"name":"né"}'
    """
    try:
        text = plain_json(document)
        content = encode(document, field="json") if text is None else text.encode()
        return BytesBody(content, "application/json")
    except HTTPValidationError:
        raise
    except RecursionError:
        reason = "is nested too deeply or contains itself"
    except UnicodeEncodeError:
        reason = "contains a lone surrogate"
    except (TypeError, ValueError) as error:
        reason = f"cannot be written as JSON: {error}"
    raise HTTPValidationError(reason, field="json")


def data_body(data: object, measure: Callable[[BinaryIO], FileSource]) -> Body:
    """Build the body for the `data=` argument of a caller.

    Args:
        data: Bytes; text, sent as UTF-8; a mapping, sent as a form; an open binary file; an object
            with an async `read`, such as an `asyncio.StreamReader`; or an iterable or async
            iterable of bytes. Each attempt reads an iterable again if it returns a new iterator
            each time, as a list does, or a class whose `__aiter__` is a generator. An iterator or a
            stream allows only one attempt.
        measure: Finds the position and the size of a file.

    Returns:
        The body, with the matching media type.

    Raises:
        HTTPValidationError: The data is of another type.

    Example:
        >>> data_body({"a": [1, 2]}, measure=FileSource)
        BytesBody(content='7 bytes', content_type='application/x-www-form-urlencoded')
    """
    match data:
        case bytes():
            return BytesBody(data, _BINARY)
        case bytearray() | memoryview():
            return BytesBody(bytes(data), _BINARY)
        case str():
            return BytesBody(encode_text(data, "data"), "text/plain; charset=utf-8")
        case Mapping():
            return _form(cast("QueryParams", data))  # query_pairs refuses other keys and values
    return StreamBody((_segment(data, measure),), _BINARY)


def _segment(data: object, measure: Callable[[BinaryIO], FileSource]) -> Segment:
    match data:
        case io.TextIOBase():
            raise HTTPValidationError(
                "open the file in binary mode: open(path, 'rb')", field="data"
            )
        # Iterating over a stream would yield lines and raise for long ones.
        case _ if iscoroutinefunction(read := getattr(data, "read", None)):
            return ReaderSource(read)
        case AsyncIterable():
            items = aiter(data)  # an object that can be read only once returns itself
            return items if items is aiter(data) else data
        case _ if hasattr(data, "read"):
            # The upload checks that `read` returns bytes.
            return measure(cast("BinaryIO", data))
        case list() | tuple():
            return _checked(data)
        case Iterable():
            chunks = iter(data)  # see above
            return chunks if chunks is iter(data) else data
    raise HTTPValidationError(
        f"must be bytes, str, a mapping, an open binary file or an iterable of bytes, "
        f"not {type(data).__name__}",
        field="data",
    )


def _checked(chunks: list[bytes] | tuple[bytes, ...]) -> list[bytes] | tuple[bytes, ...]:
    for chunk in chunks:
        if not isinstance(chunk, bytes | bytearray | memoryview):
            raise HTTPValidationError(
                f"must be a list of bytes, not of {type(chunk).__name__}: pass a document as json=",
                field="data",
            )
    return chunks


def _form(fields: QueryParams) -> BytesBody:
    try:
        form = urlencode(query_pairs(fields))
    except HTTPValidationError as error:
        has_file = any(hasattr(value, "read") for value in fields.values())
        advice = ": use post_multipart for a form with files" if has_file else ""
        raise HTTPValidationError(f"{error.message}{advice}", field="data") from None
    return BytesBody(form.encode("ascii"), "application/x-www-form-urlencoded")


def encode_text(text: str, field: str) -> bytes:
    """Encode text as UTF-8, or raise `HTTPValidationError` for a lone surrogate."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise HTTPValidationError("contains a lone surrogate", field=field) from None
