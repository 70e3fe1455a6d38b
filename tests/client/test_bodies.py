"""Bodies of every kind: what the server gets, how often, and what becomes of the source."""

import asyncio
import hashlib
import io
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import aiohttp
import pytest
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer

from railhttp import Delivery, HTTPClient, HTTPClientConfig, HTTPInvalidRequestError, RetryPolicy
from railhttp.types import BodyData
from railhttp.wire.multipart import FormValue

LARGE: Final = bytes(range(256)) * 6000  # 1.5 MiB: sent in pieces
FORM: Final = "application/x-www-form-urlencoded"
BINARY: Final = "application/octet-stream"


def pieces() -> Iterator[bytes]:
    yield b"ab"
    yield b""
    yield b"c"


async def async_pieces() -> AsyncIterator[bytes]:
    for piece in pieces():
        yield piece


@dataclass
class NewUser:
    name: str


class Again:
    """An iterable that can be read more than once."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return async_pieces()


def stream() -> asyncio.StreamReader:
    """What comes in from elsewhere and is passed on; without a line end, it has no lines."""
    reader = asyncio.StreamReader(limit=1024)
    reader.feed_data(b"a" * 5000)
    reader.feed_eof()
    return reader


class AsyncFile:
    """A file whose methods are coroutines, as those of aiofiles and anyio are."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    async def read(self, size: int) -> bytes:
        return self._file.read(size)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for line in self._file:
            yield line


class LinesWithRead:
    """An async iterable with a `read` that is none of a file's."""

    def read(self) -> None:
        raise NotImplementedError

    def __aiter__(self) -> AsyncIterator[bytes]:
        return async_pieces()


@pytest.mark.parametrize(
    ("make", "body", "content_type", "length"),
    [
        (lambda: b"abc", b"abc", BINARY, "3"),
        (lambda: b"", b"", BINARY, "0"),
        (lambda: bytearray(b"abc"), b"abc", BINARY, "3"),
        (lambda: memoryview(b"abc"), b"abc", BINARY, "3"),
        (lambda: "né", b"n\xc3\xa9", "text/plain; charset=utf-8", "3"),
        (lambda: {"a": [1, None, 2], "b": "x y"}, b"a=1&a=2&b=x+y", FORM, "13"),
        (dict, b"", FORM, "0"),
        (lambda: LARGE, LARGE, BINARY, str(len(LARGE))),
        (lambda: io.BytesIO(b"abc"), b"abc", BINARY, "3"),
        (lambda: io.BytesIO(LARGE), LARGE, BINARY, str(len(LARGE))),
        (pieces, b"abc", BINARY, ""),
        (async_pieces, b"abc", BINARY, ""),
        (Again, b"abc", BINARY, ""),
        (lambda: [b"ab", b"c"], b"abc", BINARY, ""),
        (lambda: iter([bytearray(b"ab"), memoryview(b"c")]), b"abc", BINARY, ""),
        (list, b"", BINARY, ""),
        (stream, b"a" * 5000, BINARY, ""),
        (lambda: AsyncFile(LARGE), LARGE, BINARY, ""),
        (LinesWithRead, b"abc", BINARY, ""),
    ],
)
async def test_data_of_every_kind(
    client: HTTPClient,
    faults: FaultServer,
    make: Callable[[], BodyData],
    body: bytes,
    content_type: str,
    length: str,
) -> None:
    assert (await client.post(faults.url(), data=make())).unwrap().body == b"ok"
    (seen,) = faults.received
    assert (seen.body, seen.complete) == (body, True)
    assert (seen.header("content-type"), seen.header("content-length")) == (content_type, length)
    assert seen.header("transfer-encoding") == ("" if length else "chunked")


@pytest.mark.parametrize(
    ("document", "body"),
    [
        *(({"a": "né"}, b'{"a":"n\xc3\xa9"}'), ([], b"[]"), (False, b"false"), (0, b"0")),
        *(("", b'""'), ({1: (True, None)}, b'{"1":[true,null]}')),
        *((NewUser("x"), b'{"name":"x"}'), ({"a": [NewUser("x")]}, b'{"a":[{"name":"x"}]}')),
    ],
)
async def test_json(client: HTTPClient, faults: FaultServer, document: object, body: bytes) -> None:
    await client.post(faults.url(), json=document)
    (seen,) = faults.received
    assert (seen.body, seen.header("content-type")) == (body, "application/json")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "GET", "DELETE", "OPTIONS"])
async def test_without_a_body_none_is_announced(
    client: HTTPClient, faults: FaultServer, method: str
) -> None:
    await client.request(method, faults.url(), json=None)
    (seen,) = faults.received
    assert (seen.all("content-type"), seen.all("transfer-encoding")) == ([], [])
    wants_length = method in {"POST", "PUT", "PATCH"}  # RFC 9110, section 8.6
    assert seen.header("content-length") == "0" or not wants_length


@pytest.mark.parametrize(
    "options", [{"json": {}}, {"data": b"{}"}, {"data": "{}"}, {"data": [b"{}"]}]
)
async def test_a_content_type_of_ones_own_wins(
    client: HTTPClient, faults: FaultServer, options: dict[str, BodyData]
) -> None:
    own = {"content-type": "application/vnd.mine+json"}
    await client.request("POST", faults.url(), headers=own, **options)  # type: ignore[arg-type]  # by the table above
    (seen,) = faults.received
    assert (seen.all("content-type"), seen.body) == (["application/vnd.mine+json"], b"{}")


# --- files


@pytest.mark.parametrize("start", [0, 1000])
async def test_a_file_is_sent_from_where_it_stands_each_time(
    client: HTTPClient, echo: EchoServer, tmp_path: Path, start: int
) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(LARGE)
    hashes = []
    with path.open("rb") as file:
        file.seek(start)
        for _ in range(2):
            result = await client.post_multipart(echo.url("/upload"), {"file": file})
            (part,) = _parts(result.unwrap().json())
            hashes.append((part["sha256"], part["filename"]))
            file.seek(start)
        assert not file.closed
    assert hashes == [(hashlib.sha256(LARGE[start:]).hexdigest(), "large.bin")] * 2


@pytest.mark.parametrize("make", [lambda: io.BytesIO(b"xabc"), lambda: [b"ab", b"c"], Again])
async def test_a_body_that_can_be_read_again_is_sent_again(
    echo: EchoServer, make: Callable[[], BodyData]
) -> None:
    data = make()
    if isinstance(data, io.BytesIO):
        data.seek(1)
    policy = RetryPolicy(base_delay=0.001, reraise=True)
    async with (
        FaultServer() as faults,
        HTTPClient(HTTPClientConfig(trust_env=False), retry_policy=policy) as client,
    ):
        url = faults.url("/close-before-head")
        failure = (await client.put(url, data=data)).failure()
        assert failure.attempts == 3
        assert [seen.body for seen in faults.received] == [b"abc"] * 3
        assert (await client.put(echo.url("/flaky/x/2"), data=data)).unwrap().attempts == 3


class Once:
    """An iterable that is no iterator, and can still be read only once."""

    def __init__(self) -> None:
        self._pieces = pieces()

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces


class AsyncOnce:
    """The same, async."""

    def __init__(self) -> None:
        self._pieces = async_pieces()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces


@pytest.mark.parametrize(
    "make", [pieces, async_pieces, Once, AsyncOnce, stream, lambda: _pipe(b"abc")]
)
async def test_a_body_that_can_be_read_only_once_is_sent_once(
    client: HTTPClient, echo: EchoServer, make: Callable[[], BodyData]
) -> None:
    data = make()
    failure = (await client.put(echo.url("/flaky/once/1"), data=data)).failure()
    assert (failure.attempts, echo.seen["once"]) == (1, 1)
    if isinstance(data, io.IOBase):
        data.close()


async def test_an_answer_is_passed_on_while_it_comes(
    client: HTTPClient, faults: FaultServer, echo: EchoServer
) -> None:
    async with aiohttp.ClientSession() as session, session.get(echo.url("/bytes/300000")) as answer:
        await client.post(faults.url(), data=answer.content)
    assert faults.received[0].body == (bytes(range(256)) * 1200)[:300000]


async def test_a_pipe_is_sent(client: HTTPClient, faults: FaultServer) -> None:
    with _pipe(b"abc") as pipe:
        await client.post(faults.url(), data=pipe)
        assert not pipe.closed
    assert [seen.body for seen in faults.received] == [b"abc"]


# --- sources that fail


class BrokenFile(io.BytesIO):
    """A file on a disk that fails."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError(5, "Input/output error")


def broken_pieces() -> Iterator[bytes]:
    yield b"ab"
    raise KeyError("mine")


async def broken_async_pieces() -> AsyncIterator[bytes]:
    yield b"ab"
    raise KeyError("mine")


def text_pieces() -> Iterator[bytes]:
    yield "ab"  # type: ignore[misc]  # wrong on purpose


@pytest.mark.parametrize(
    ("make", "message", "cause"),
    [
        (broken_pieces, "the body raised KeyError", KeyError),
        (broken_async_pieces, "the body raised KeyError", KeyError),
        (lambda: BrokenFile(b"abc"), "the body raised OSError", OSError),
        (text_pieces, "the body must yield bytes, not str", type(None)),
    ],
)
async def test_a_source_that_fails_is_the_callers_fault(
    client: HTTPClient,
    faults: FaultServer,
    make: Callable[[], BodyData],
    message: str,
    cause: type[BaseException],
) -> None:
    failure = (await client.put(faults.url(), data=make())).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, failure.message, failure.attempts) == ("data", message, 1)
    assert failure.delivery is Delivery.MAYBE_SENT
    assert isinstance(failure.__cause__, cause)
    assert [seen for seen in faults.received if seen.complete] == []
    assert (await client.get(faults.url())).unwrap().body == b"ok"


@pytest.mark.parametrize(
    ("announced", "message"),
    [("5", "the body ended after 3 of 5 bytes"), ("2", "longer than the 2 bytes announced")],
)
async def test_a_body_has_the_length_that_was_announced(
    client: HTTPClient, faults: FaultServer, announced: str, message: str
) -> None:
    headers = {"Content-Length": announced}
    failure = (await client.post(faults.url(), data=pieces(), headers=headers)).failure()
    assert failure.label == "data"
    assert message in failure.message
    true = await client.post(faults.url(), data=pieces(), headers={"Content-Length": "3"})
    assert true.unwrap().body == b"ok"
    assert faults.received[-1].header("content-length") == "3"


@pytest.mark.parametrize("announced", ["x", "-1", "1" * 20, ""])
async def test_an_announcement_is_a_number(client: HTTPClient, announced: str) -> None:
    headers = {"Content-Length": announced}
    failure = (await client.post("http://h/", data=pieces(), headers=headers)).failure()
    assert (failure.label, failure.attempts) == ("headers", 0)


class ShrinkingFile(io.BytesIO):
    """A file that is cut while it is read."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size)[:2]


async def test_a_file_that_shrinks_meanwhile_is_noticed(
    client: HTTPClient, faults: FaultServer
) -> None:
    failure = (await client.post(faults.url(), data=ShrinkingFile(b"abc"))).failure()
    assert failure.message == "the body ended after 2 of 3 bytes"


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        ([1, 2], "must be a list of bytes, not of int: pass a document as json="),
        ((b"a", "b"), "must be a list of bytes, not of str: pass a document as json="),
        ([{"a": 1}], "must be a list of bytes, not of dict: pass a document as json="),
        ({"a": io.BytesIO()}, "got BytesIO: use post_multipart for a form with files"),
    ],
)
async def test_what_belongs_elsewhere_is_refused_before_anything_is_sent(
    client: HTTPClient, data: BodyData, advice: str
) -> None:
    failure = (await client.post("http://127.0.0.1:1/", data=data)).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, failure.attempts) == ("data", 0)
    assert failure.message.endswith(advice)


async def test_a_text_file_is_refused(client: HTTPClient, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("text")
    with path.open() as file:
        failure = (await client.post("http://h/", data=file)).failure()  # type: ignore[arg-type]  # wrong on purpose
    assert (failure.label, failure.attempts) == ("data", 0)
    assert "binary" in failure.message


# --- forms


async def test_a_form_with_every_kind_of_value(
    client: HTTPClient, echo: EchoServer, tmp_path: Path
) -> None:
    path = tmp_path / "é.csv"
    path.write_bytes(b"1;2")
    with path.open("rb") as file:
        fields: dict[str, FormValue] = {
            "text": "né",
            "bytes": b"\xff",
            "file": ("a.html", b"<p>", "text/html"),
            "open": file,
        }
        result = await client.post_multipart(echo.url("/upload"), fields)
    parts = _parts(result.unwrap().json())
    seen = [(part["name"], part["filename"], part["content_type"]) for part in parts]
    assert seen == [
        ("text", None, None),
        ("bytes", "bytes", BINARY),
        ("file", "a.html", "text/html"),
        ("open", "é.csv", "text/csv"),
    ]
    assert [part["size"] for part in parts] == [3, 1, 3, 3]


async def test_a_form_of_texts_is_multipart_too(client: HTTPClient, faults: FaultServer) -> None:
    await client.post_multipart(faults.url(), {"a": "1"})
    (seen,) = faults.received
    assert seen.header("content-type").startswith("multipart/form-data; boundary=")
    assert seen.header("content-length") == str(len(seen.body))


async def test_a_form_that_cannot_be_laid_out(client: HTTPClient, faults: FaultServer) -> None:
    fields = {"a": ("name", b"", "text/plain\r\n")}
    failure = (await client.post_multipart(faults.url(), fields)).failure()
    assert (failure.label, failure.attempts) == ("fields['a']", 0)
    assert faults.received == []


def _parts(document: object) -> list[dict[str, object]]:
    assert isinstance(document, list)
    return document


def _pipe(content: bytes) -> BinaryIO:
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return os.fdopen(reading, "rb")
