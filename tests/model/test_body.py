"""Bodies: the form of each kind of data, the length, and whether a body can be sent again."""

from array import array
from asyncio import StreamReader
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import nullcontext
from io import BytesIO, StringIO
from typing import BinaryIO, Final, NamedTuple

import pytest

from railhttp.model.body import (
    BytesBody,
    ChunkSource,
    FileSource,
    ReaderSource,
    Segment,
    StreamBody,
    data_body,
    encode_text,
    json_body,
)
from railhttp.model.errors import HTTPValidationError
from railhttp.model.url import QueryParams, query_pairs

BINARY: Final = "application/octet-stream"
FORM: Final = "application/x-www-form-urlencoded"


def measure(file: BinaryIO) -> FileSource:
    return FileSource(file, 1, 2)


class Parcel(NamedTuple):
    sender: str


class Parts:
    """Bytes that can be iterated over again and again."""

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"a"])


class AsyncParts:
    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        yield b"a"


@pytest.mark.parametrize(
    ("data", "content", "content_type"),
    [
        (b"a", b"a", BINARY),
        (bytearray(b"a"), b"a", BINARY),
        (memoryview(b"abc")[1:], b"bc", BINARY),
        (memoryview(array("H", [1])), array("H", [1]).tobytes(), BINARY),
        ("né", "né".encode(), "text/plain; charset=utf-8"),
        ("", b"", "text/plain; charset=utf-8"),
        ({"a": [1, "é &"], "b": None, "c": True}, b"a=1&a=%C3%A9+%26&c=true", FORM),
        ({}, b"", FORM),
    ],
)
def test_data_in_memory_is_sent_as_bytes(data: object, content: bytes, content_type: str) -> None:
    body = data_body(data, measure)
    assert body == BytesBody(content, content_type)
    assert (body.replayable, body.length) == (True, len(content))
    assert isinstance(body, BytesBody)
    assert type(body.content) is bytes


def test_a_source_is_read_while_it_is_sent() -> None:
    file, chunks, parts = BytesIO(b"abc"), iter([b"a"]), [b"a", bytearray(b"b"), memoryview(b"c")]
    for data in (chunks, parts, (b"a",), Parts(), AsyncParts()):
        assert data_body(data, measure) == StreamBody((data,), BINARY)  # type: ignore[arg-type]
    assert data_body(file, measure) == StreamBody((FileSource(file, 1, 2),), BINARY)


async def test_an_object_with_an_async_read_is_read_by_it() -> None:
    stream = StreamReader()
    stream.feed_data(b"abc")
    body = data_body(stream, measure)
    assert isinstance(body, StreamBody)
    [source] = body.segments
    assert isinstance(source, ReaderSource)
    assert await source.read(2) == b"ab"


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        (StringIO("a"), "binary mode"),
        ([1], "pass a document as json="),
        ([b"a", "s3cret"], "pass a document as json="),
        ((None,), "pass a document as json="),
        (5, "an iterable of bytes, not int"),
        (None, "not NoneType"),
        ("\ud800", "surrogate"),
        ({1: "a"}, "names of type str"),
        ({"a": b"b"}, "'a' must be text"),
        ({"a": "b", "file": BytesIO()}, "use post_multipart"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_advice(data: object, advice: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        data_body(data, measure)
    assert caught.value.field == "data"
    assert advice in caught.value.message
    assert "s3cret" not in str(caught.value)
    assert ("post_multipart" in advice) is ("post_multipart" in caught.value.message)


async def _chunks() -> AsyncGenerator[bytes, None]:
    yield b"abc"


def _async_iterator() -> AsyncIterator[bytes]:
    return _chunks()


async def _read(size: int) -> bytes:
    return b"a" * size


SEGMENTS: Final[list[tuple[Segment, bool, int | None]]] = [
    # A part of a body, whether it can be read again, and its length.
    (b"abc", True, 3),
    (b"", True, 0),
    (FileSource(BytesIO(), 0, 7), True, 7),
    (FileSource(BytesIO(), 0, None), True, None),
    (FileSource(BytesIO(), None, 7), False, 7),
    (ChunkSource(_chunks, 7, replayable=True), True, 7),
    (ChunkSource(_chunks, None, replayable=False), False, None),
    (ReaderSource(_read), False, None),
    (iter([b"abc"]), False, None),
    (_async_iterator(), False, None),
    ([b"abc"], True, None),
    (Parts(), True, None),
    (AsyncParts(), True, None),
]


@pytest.mark.parametrize(("segment", "replayable", "length"), SEGMENTS)
def test_a_body_is_as_long_and_as_replayable_as_its_parts(
    segment: Segment, replayable: bool, length: int | None
) -> None:
    for segments in ((segment,), (b"12", segment), (segment, b"12")):
        body = StreamBody(segments, "a/b")
        rest = 2 * (len(segments) - 1)
        assert body.replayable is replayable
        assert body.length == (None if length is None else length + rest)


def test_a_body_without_parts_is_empty() -> None:
    assert (StreamBody((), "a/b").length, StreamBody((), "a/b").replayable) == (0, True)


@pytest.mark.parametrize(
    ("body", "length"),
    [
        (StreamBody((b"abc",), "a/b"), 3),
        (StreamBody((b"abc",), "a/b", coding="gzip"), None),
        (StreamBody((b"abc",), "a/b", chunked=True), None),
        (StreamBody((b"abc",), "a/b", "gzip", chunked=True), None),
    ],
)
def test_a_body_that_is_encoded_or_chunked_announces_no_length(
    body: StreamBody, length: int | None
) -> None:
    assert body.length == length


def test_a_body_is_sent_plain_and_a_file_without_a_guard_unless_they_are_told_otherwise() -> None:
    assert StreamBody((), "a/b")[1:] == ("a/b", "", False)
    assert isinstance(FileSource(BytesIO(), 0, 1).guard, nullcontext)


def test_a_body_is_shown_by_its_size() -> None:
    assert repr(BytesBody(b"s3cret", "a/b")) == "BytesBody(content='6 bytes', content_type='a/b')"
    shown = repr(StreamBody((b"s3cret", b"x"), "a/b"))
    assert shown == "StreamBody(segments=2, content_type='a/b', coding='', chunked=False)"


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"né": [1, None]}, '{"né":[1,null]}'),
        (None, "null"),
        ("", '""'),
        ((), "[]"),
        ({7}, "[7]"),
        ([Parcel("né")], '[{"sender":"né"}]'),
    ],
)
def test_a_document_is_sent_as_json(document: object, text: str) -> None:
    assert json_body(document) == BytesBody(text.encode(), "application/json")


LOOP: Final[list[object]] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (LOOP, "nested too deeply or contains itself"),
        ("\ud800", "lone surrogate"),
        ({"a": {"\udfff"}}, "lone surrogate"),
        (float("nan"), "cannot be written as JSON"),
        (object(), "a value of type object"),
    ],
)
def test_a_document_that_is_no_json_is_refused_by_name(document: object, reason: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        json_body(document)
    assert caught.value.field == "json"
    assert reason in caught.value.message


def test_text_is_utf_8_and_a_surrogate_is_refused_by_the_name_of_its_argument() -> None:
    assert encode_text("né", "name") == b"n\xc3\xa9"
    with pytest.raises(HTTPValidationError) as caught:
        encode_text("a\ud800", "name")
    assert caught.value.field == "name"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("fields", [{1: "a"}, {"a": b"b"}, {"a": [[]]}])
def test_a_form_without_a_file_is_refused_in_the_words_of_a_query(fields: QueryParams) -> None:
    with pytest.raises(HTTPValidationError) as query:
        query_pairs(fields)
    with pytest.raises(HTTPValidationError) as form:
        data_body(fields, measure)
    assert form.value.message == query.value.message
    assert form.value.__suppress_context__
