"""Bodies that cannot be sent whole: found out before the head, or a failure; never shorter."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, cast

import pytest
from tests.servers.registry import answer
from tests.servers.scripted import ScriptedServer, sends

from railhttp import HTTPClient, HTTPClientConfig, HTTPInvalidRequestError

CONFIG: Final = HTTPClientConfig(trust_env=False, timeout=5.0)


class Reading:
    """A source whose `read` returns what it was given, one value after the other."""

    def __init__(self, *values: object) -> None:
        self._values = iter(values)

    def read(self, size: int = -1) -> object:
        return next(self._values, b"")


class ReadingAsync(Reading):
    async def read(self, size: int = -1) -> object:
        return next(self._values, b"")


async def yields(*values: object) -> AsyncIterator[object]:
    for value in values:
        yield value


def gives(*values: object) -> Iterator[object]:
    yield from values


SHORTER: Final[dict[str, Callable[[], object]]] = {
    "read() gives None": lambda: Reading(b"a", None, b"b"),
    "read() gives None at once": lambda: Reading(None),
    "read() gives empty text": lambda: Reading(b"a", ""),
    "read() gives text": lambda: Reading("a"),
    "read() gives 0": lambda: Reading(b"a", 0),
    "an async read() gives None": lambda: ReadingAsync(b"a", None, b"b"),
    "an async read() gives empty text": lambda: ReadingAsync(b"a", ""),
    "an async iterator gives None": lambda: yields(b"a", None, b"b"),
    "an iterator gives None": lambda: gives(b"a", None, b"b"),
}


@pytest.mark.parametrize("case", SHORTER)
async def test_a_source_that_gives_no_bytes_is_a_failure(case: str) -> None:
    async with ScriptedServer(sends(answer(b"ok"))) as server, HTTPClient(CONFIG) as client:
        data = cast("Any", SHORTER[case]())  # the type is the mistake that is tested
        failure = (await client.post(server.url(), data=data)).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert failure.label == "data"


def closed_file(path: Path) -> io.IOBase:
    path.write_bytes(b"text")
    file = path.open("rb")
    file.close()
    return file


def closed_memory(_: Path) -> io.IOBase:
    memory = io.BytesIO(b"text")
    memory.close()
    return memory


FILES: Final[dict[str, Callable[[Path], io.IOBase]]] = {
    "a closed file": closed_file,
    "closed memory": closed_memory,
    "a file for writing": lambda path: path.open("wb"),
    "a file for appending": lambda path: path.open("ab"),
    "an unbuffered file for writing": lambda path: path.open("wb", buffering=0),
}


@pytest.mark.parametrize("kind", ["data", "fields", "tuple"])
@pytest.mark.parametrize("case", FILES)
async def test_a_file_that_cannot_be_read_is_refused_before_the_head(
    tmp_path: Path, case: str, kind: str
) -> None:
    with closing(FILES[case](tmp_path / "file")) as file:
        given = cast("Any", file)  # a file of any kind, as callers pass them
        async with ScriptedServer(sends(answer(b"ok"))) as server, HTTPClient(CONFIG) as client:
            match kind:
                case "data":
                    result = await client.post(server.url(), data=given)
                case "fields":
                    result = await client.post_multipart(server.url(), {"f": given})
                case _:
                    fields = {"f": ("a.txt", given, "text/plain")}
                    result = await client.post_multipart(server.url(), fields)
        assert isinstance(result.failure(), HTTPInvalidRequestError)
        assert server.received == []


async def test_a_closed_file_of_another_kind_is_refused_before_the_head() -> None:
    """Temporary files of libraries have `read` and `closed`, and not always `readable`."""

    class Spooled:
        closed = True

        def read(self, size: int = -1) -> bytes:
            return b""

    async with ScriptedServer(sends(answer(b"ok"))) as server, HTTPClient(CONFIG) as client:
        failure = (await client.post(server.url(), data=cast("Any", Spooled()))).failure()
    assert (failure.label, server.received) == ("data", [])


async def test_a_stream_reader_is_sent_as_data_and_refused_in_a_form() -> None:
    def reader() -> asyncio.StreamReader:
        stream = asyncio.StreamReader()
        stream.feed_data(b"text")
        stream.feed_eof()
        return stream

    async with ScriptedServer(sends(answer(b"ok"))) as server, HTTPClient(CONFIG) as client:
        (await client.post(server.url(), data=cast("Any", reader()))).unwrap()
        fields = {"f": cast("Any", reader())}
        failure = (await client.post_multipart(server.url(), fields)).failure()
    assert failure.label == "fields['f']"


async def test_a_stream_reader_that_breaks_is_a_failure() -> None:
    stream = asyncio.StreamReader()
    stream.feed_data(b"text")
    asyncio.get_running_loop().call_later(0.01, stream.set_exception, OSError("gone"))
    async with ScriptedServer(sends(answer(b"ok"))) as server, HTTPClient(CONFIG) as client:
        failure = (await client.post(server.url(), data=cast("Any", stream))).failure()
    assert failure.label == "data"


@pytest.mark.parametrize("own", ["multipart/form-data", "Multipart/Form-Data;", "multipart/mixed"])
async def test_an_own_content_type_without_boundary_receives_it(own: str) -> None:
    async with ScriptedServer(sends(answer(b"ok"))) as server, HTTPClient(CONFIG) as client:
        headers = {"content-type": own}
        (await client.post_multipart(server.url(), {"a": "b"}, headers=headers)).unwrap()
    [request] = server.received
    boundary = request.body.split(b"\r\n")[0].removeprefix(b"--").decode()
    assert request.all("content-type") == [f"{own.rstrip(';')}; boundary={boundary}"]


@pytest.mark.parametrize(
    ("own", "data"),
    [
        ("multipart/form-data", {"a": "b"}),
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; charset=utf-8", "text"),
    ],
)
async def test_a_multipart_type_without_any_boundary_is_refused(own: str, data: object) -> None:
    async with ScriptedServer(sends(answer(b"ok"))) as server, HTTPClient(CONFIG) as client:
        headers = {"Content-Type": own}
        call = client.post(server.url(), data=cast("Any", data), headers=headers)
        assert "boundary" in (await call).failure().message
    assert server.received == []


async def test_another_boundary_than_that_of_the_form_is_refused() -> None:
    async with ScriptedServer(sends(answer(b"ok"))) as server, HTTPClient(CONFIG) as client:
        headers = {"Content-Type": "multipart/form-data; boundary=mine"}
        call = client.post_multipart(server.url(), {"a": "b"}, headers=headers)
        assert (await call).failure().label == "headers"
    assert server.received == []


async def test_bytes_of_a_callers_own_form_keep_its_boundary() -> None:
    own = "multipart/form-data; boundary=mine"
    async with ScriptedServer(sends(answer(b"ok"))) as server, HTTPClient(CONFIG) as client:
        options = {"Content-Type": own}
        (await client.post(server.url(), data=b"--mine--\r\n", headers=options)).unwrap()
    assert server.received[0].header("content-type") == own
