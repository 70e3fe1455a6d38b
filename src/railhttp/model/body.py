"""What a request carries, and whether it can be sent a second time."""

import io
import json as json_module
from collections.abc import (
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

from railhttp.model.errors import HTTPValidationError
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
"""What `data=` takes: bytes, text, a form, an open binary file, an incoming stream, or an iterable
of bytes."""


class FileSource(NamedTuple):
    """An open binary file, from where it stands to its end.

    Attributes:
        file: The file; it is read in a thread, and never closed here.
        start: The position to read from; None where the file cannot seek, so is read only once.
        size: The number of bytes from there on; None where unknown.
        guard: Held while the file is read: an attempt that was cut off may still do so.
    """

    file: BinaryIO
    start: int | None
    size: int | None
    guard: AbstractContextManager[object] = nullcontext()


class ReaderSource(NamedTuple):
    """A source whose `read` is a coroutine, such as a stream that comes in; it is read only once.

    Attributes:
        read: Gives at most so many bytes, and none at the end.
    """

    read: Callable[[int], Awaitable[bytes]]


Segment: TypeAlias = bytes | FileSource | ReaderSource | Iterable[bytes] | AsyncIterable[bytes]


class BytesBody(NamedTuple):
    """A body that is in memory: it can always be sent again.

    Attributes:
        content: The bytes.
        content_type: The media type, sent where the caller's headers name none.
    """

    content: bytes
    content_type: str

    def __repr__(self) -> str:
        return redacted_repr(self, content=f"{len(self.content)} bytes")

    @property
    def replayable(self) -> bool:
        """It can."""
        return True


class StreamBody(NamedTuple):
    """A body that is read piece by piece while it is sent.

    Attributes:
        segments: Its parts, in order.
        content_type: The media type, sent where the caller's headers name none.
    """

    segments: tuple[Segment, ...]
    content_type: str

    def __repr__(self) -> str:
        return redacted_repr(self, segments=len(self.segments))

    @property
    def replayable(self) -> bool:
        """Whether every part can be read a second time: iterators and pipes cannot."""
        return all(map(_is_replayable, self.segments))

    @property
    def length(self) -> int | None:
        """The number of bytes, None where a part does not know its own."""
        lengths = [_length(segment) for segment in self.segments]
        known = [length for length in lengths if length is not None]
        return sum(known) if len(known) == len(lengths) else None


Body: TypeAlias = BytesBody | StreamBody


def _is_replayable(segment: Segment) -> bool:
    match segment:
        case FileSource(start=start):
            return start is not None
        case ReaderSource() | Iterator() | AsyncIterator():
            return False
        case _:
            return True


def _length(segment: Segment) -> int | None:
    match segment:
        case bytes():
            return len(segment)
        case FileSource(size=size):
            return size
        case _:
            return None


def json_body(document: object) -> BytesBody:
    """Encode a JSON document (RFC 8259): compact, in UTF-8, without `NaN`.

    Args:
        document: What `json.dumps` takes.

    Returns:
        The body, as `application/json`.

    Raises:
        HTTPValidationError: It cannot be written as JSON.

    Example:
        >>> json_body({"name": "né"}).content.decode()
        '{"name":"né"}'
    """
    try:
        text = _JSON.encode(document)
        return BytesBody(text.encode(), "application/json")
    except RecursionError:
        reason = "is nested too deep or contains itself"
    except UnicodeEncodeError:
        reason = "contains a lone surrogate"
    except (TypeError, ValueError) as error:
        reason = f"cannot be written as JSON: {error}"
    raise HTTPValidationError(reason, field="json")


_JSON: Final = json_module.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def data_body(data: BodyData, measure: Callable[[BinaryIO], FileSource]) -> Body:
    """Make a body of what a caller gave as `data=`.

    Args:
        data: Bytes; text, sent as UTF-8; a mapping, sent as a form; an open binary file; what has
            a coroutine `read`, such as an `asyncio.StreamReader`; or an iterable or async iterable
            of bytes. An iterable that gives a new iterator each time (a list, a class whose
            `__aiter__` is a generator) is read anew for each attempt; an iterator allows only one,
            and so does a stream.
        measure: Finds out where a file stands and how long it is.

    Returns:
        The body, with the media type that fits.

    Raises:
        HTTPValidationError: It is none of these.

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
            return BytesBody(_encode(data), "text/plain; charset=utf-8")
        case Mapping():
            return _form(cast("QueryParams", data))  # what else is a mapping is refused there
    return StreamBody((_segment(data, measure),), _BINARY)


def _segment(data: object, measure: Callable[[BinaryIO], FileSource]) -> Segment:
    match data:
        case io.TextIOBase():
            raise HTTPValidationError(
                "open the file in binary mode: open(path, 'rb')", field="data"
            )
        # Not by iteration, which gives lines and refuses long ones.
        case _ if iscoroutinefunction(read := getattr(data, "read", None)):
            return ReaderSource(read)
        case AsyncIterable():
            items = aiter(data)  # the same one each time where it can be read only once
            return items if items is aiter(data) else data
        case _ if hasattr(data, "read"):
            # What else has `read` is refused when it gives no bytes.
            return measure(cast("BinaryIO", data))
        case list() | tuple():
            return _checked(data)
        case Iterable():
            chunks = iter(data)  # as above
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
                f"must be a list of bytes, not of {type(chunk).__name__}: a document goes to json=",
                field="data",
            )
    return chunks


def _form(fields: QueryParams) -> BytesBody:
    try:
        form = urlencode(query_pairs(fields))
    except HTTPValidationError as error:
        has_file = any(hasattr(value, "read") for value in fields.values())
        advice = ": a form with files goes to post_multipart" if has_file else ""
        raise HTTPValidationError(f"{error.message}{advice}", field="data") from None
    return BytesBody(form.encode("ascii"), "application/x-www-form-urlencoded")


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise HTTPValidationError("contains a lone surrogate", field="data") from None
