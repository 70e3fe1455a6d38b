"""Lines and server-sent events, decoded as each client's users would.

They come from chunks in memory, where nothing but the decoding counts, and lines also over a
socket, as users get them.

`python -m benchmarks.decoding [rounds]` prints them alone.
"""

import asyncio
import json
import multiprocessing
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from time import process_time
from typing import Any, Final, TypeAlias, TypeVar

from aiohttp import ClientSession, StreamReader
from aiohttp.base_protocol import BaseProtocol

from benchmarks import models
from benchmarks.models import Decode
from benchmarks.report import Measurement, Topic
from railhttp import HTTPClient, HttpResponse
from railhttp.headers import freeze_headers
from railhttp.model.errors import CallInfo
from railhttp.model.request import Request
from railhttp.model.stage import AttemptState

FromSocket: TypeAlias = Callable[[str], Awaitable[int]]
"""Asks for a URL, and counts what the body holds."""

T = TypeVar("T")

_CHUNK: Final = 16 * 1024
_TOKEN: Final = {"id": "chatcmpl-4711", "choices": [{"index": 0, "delta": {"content": " word"}}]}
_RECORD: Final = {"id": 4711, "name": "Ann", "email": "ann@example.com", "tags": ["a", "b", "c"]}
_COUNT: Final = 100_000  # so many that a client's start does not matter


def _chunked(body: bytes) -> list[bytes]:
    return [body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK)]


TOKENS: Final = _chunked(f"data: {json.dumps(_TOKEN)}\n\n".encode() * _COUNT)
"""Events as language models send them."""

UPDATES: Final = _chunked(
    f"event: update\nid: 4711\ndata: {json.dumps(_TOKEN)}\n\n".encode() * _COUNT
)
"""Events with all their fields."""

RECORDS: Final = _chunked(f"{json.dumps(_RECORD)}\n".encode() * _COUNT)
"""NDJSON."""

RECORD_PAGES: Final = [json.dumps([_RECORD] * models.PAGE).encode()] * (_COUNT // models.PAGE)
"""JSON documents with a page of records each."""

SINGLE_RECORDS: Final = [f"{json.dumps(_RECORD)}\n".encode()] * _COUNT
"""NDJSON that comes a line at a time, as from a language model."""


# -- railhttp -------------------------------------------------------------------------------


class Canned:
    """An open response whose chunks are there already."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = iter(chunks)

    def answer(self, body: bytes = b"") -> HttpResponse:
        return HttpResponse(200, freeze_headers({"Content-Type": "text/event-stream"}), body)

    def call_info(self) -> CallInfo:
        return {}

    async def chunk(self) -> bytes:
        return next(self._chunks, b"")

    async def read(self) -> bytes:
        return b"".join(self._chunks)

    def close(self) -> None:
        """Nothing is open."""


class CannedExchange:
    """Gives the same chunks for every request."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = chunks

    async def open(self, request: Request, progress: AttemptState) -> Canned:
        return Canned(self._chunks)

    async def send(self, request: Request, progress: AttemptState) -> HttpResponse:
        return Canned(self._chunks).answer()


async def railhttp_events(chunks: Sequence[bytes]) -> int:
    """`client.sse`, through the whole client."""
    async with (
        HTTPClient(exchange=CannedExchange(chunks)) as client,
        client.sse("http://h/") as events,
    ):
        return await _count(events)


async def railhttp_lines(chunks: Sequence[bytes]) -> int:
    """`aiter_lines`, through the whole client."""
    async with (
        HTTPClient(exchange=CannedExchange(chunks)) as client,
        client.stream("GET", "http://h/") as response,
    ):
        return await _count(response.aiter_lines())


# -- others ---------------------------------------------------------------------------------


async def _body(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def _httpx_response(chunks: Sequence[bytes]) -> Any:
    headers = {"Content-Type": "text/event-stream"}
    return import_module("httpx").Response(200, headers=headers, content=_body(chunks))


async def httpx_sse_events(chunks: Sequence[bytes]) -> int:
    """`EventSource.aiter_sse`."""
    return await _count(import_module("httpx_sse").EventSource(_httpx_response(chunks)).aiter_sse())


async def openai_events(chunks: Sequence[bytes]) -> int:
    """The decoder of the OpenAI SDK."""
    decoder = import_module("openai._streaming").SSEDecoder()
    return await _count(decoder.aiter_bytes(_body(chunks)))


async def httpx_lines(chunks: Sequence[bytes]) -> int:
    """`Response.aiter_lines`."""
    return await _count(_httpx_response(chunks).aiter_lines())


class _Unpaused(BaseProtocol):
    """The protocol of a reader that is filled beforehand: nothing comes any more."""

    def pause_reading(self) -> None:
        pass

    def resume_reading(self, resume_parser: bool = True) -> None:
        pass


def _aiohttp_reader(chunks: Sequence[bytes]) -> StreamReader:
    loop = asyncio.get_running_loop()
    reader = StreamReader(_Unpaused(loop), 2**16, loop=loop)
    for chunk in chunks:
        reader.feed_data(chunk)
    reader.feed_eof()
    return reader


async def aiohttp_lines(chunks: Sequence[bytes]) -> int:
    """`content.readline`, decoded."""
    count = 0
    async for line in _aiohttp_reader(chunks):
        line.decode("utf-8").rstrip("\r\n")
        count += 1
    return count


class _Answer:
    def __init__(self, chunks: Sequence[bytes]) -> None:
        self.content = _aiohttp_reader(chunks)


class _Session:
    """As much of an aiohttp session as lexigram-http's `sse` asks for."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = chunks

    @asynccontextmanager
    async def request(self, *_: object, **__: object) -> AsyncIterator[_Answer]:
        yield _Answer(self._chunks)


async def lexigram_events(chunks: Sequence[bytes]) -> int:
    """`client.sse`, above the socket."""
    http = import_module("lexigram.http")
    client = http.HTTPClient(http.HTTPClientConfig(enforce_url_safety=False))
    client._pool._session = _Session(chunks)
    async with client.sse("http://h/") as events:
        return await _count(events)


# -- over a socket --------------------------------------------------------------------------


@contextmanager
def served(chunks: Sequence[bytes]) -> Iterator[str]:
    """Serve a body from a process of its own, and give its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        context = multiprocessing.get_context("fork")  # the body is there already
        server = context.Process(target=_serve, args=(listener, chunks), daemon=True)
        server.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            server.terminate()
            server.join()


def _serve(listener: socket.socket, chunks: Sequence[bytes]) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    while True:
        with suppress(OSError), listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall((head % sum(map(len, chunks))).encode())
            for chunk in chunks:
                connection.sendall(chunk)


async def railhttp_socket_lines(url: str) -> int:
    """`client.stream` and `aiter_lines`."""
    async with HTTPClient() as client, client.stream("GET", url) as response:
        return await _count(response.aiter_lines())


async def httpx_socket_lines(url: str) -> int:
    """`client.stream` and `aiter_lines`."""
    httpx = import_module("httpx")
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("GET", url) as response,
    ):
        return await _count(response.aiter_lines())


async def aiohttp_socket_lines(url: str) -> int:
    """`content.readline`, decoded."""
    count = 0
    async with ClientSession() as session, session.get(url) as response:
        async for line in response.content:
            line.decode("utf-8").rstrip("\r\n")
            count += 1
    return count


async def _count(items: AsyncIterator[object]) -> int:
    count = 0
    async for _ in items:
        count += 1
    return count


_EVENTS: Final[Mapping[str, tuple[str, Decode]]] = {
    "railhttp": ("railhttp", railhttp_events),
    "httpx-sse": ("httpx_sse", httpx_sse_events),
    "lexigram-http": ("lexigram", lexigram_events),
    "openai SDK": ("openai", openai_events),
}
_LINES: Final[Mapping[str, tuple[str, Decode]]] = {
    "railhttp": ("railhttp", railhttp_lines),
    "httpx aiter_lines": ("httpx", httpx_lines),
    "aiohttp readline": ("aiohttp", aiohttp_lines),
}
_SOCKET_LINES: Final[Mapping[str, tuple[str, FromSocket]]] = {
    "railhttp": ("railhttp", railhttp_socket_lines),
    "httpx aiter_lines": ("httpx", httpx_socket_lines),
    "aiohttp readline": ("aiohttp", aiohttp_socket_lines),
}
SETTINGS: Final = {
    "events of one field": (TOKENS, _EVENTS),
    "events of three fields": (UPDATES, _EVENTS),
    **{setting: (SINGLE_RECORDS, cases) for setting, cases in models.SETTINGS.items()},
    **{setting: (RECORD_PAGES, cases) for setting, cases in models.PAGES.items()},
    "lines in memory": (RECORDS, _LINES),
    "lines in memory, one in a chunk": (SINGLE_RECORDS, _LINES),
}


def measure(rounds: int) -> Iterator[Measurement]:
    """Decode each body in each way, all of them in turn."""
    for setting, (chunks, cases) in SETTINGS.items():
        yield from _compared(setting, cases, chunks, rounds)
    with served(RECORDS) as url:
        yield from _compared("lines over a socket", _SOCKET_LINES, url, rounds)


def _compared(
    setting: str,
    cases: Mapping[str, tuple[str, Callable[[T], Awaitable[int]]]],
    source: T,
    rounds: int,
) -> Iterator[Measurement]:
    present = {name: decode for name, (module, decode) in cases.items() if find_spec(module)}
    taken: dict[str, list[float]] = {name: [] for name in present}
    for _ in range(rounds):
        for name, decode in present.items():
            taken[name].append(1e6 * asyncio.run(_seconds(decode, source)) / _COUNT)
    topic = Topic("decoding", setting, "CPU per item", "µs")
    for name in present:
        yield topic.compared(taken, name, "railhttp")


async def _seconds(decode: Callable[[T], Awaitable[int]], source: T) -> float:
    start = process_time()
    found = await decode(source)
    assert found == _COUNT, f"{decode} found {found} items"
    return process_time() - start


def main(rounds: int) -> None:
    """Print the measurements."""
    for one in measure(rounds):
        assert one.ratio is not None
        print(
            f"{one.setting:32} {one.case:20} {one.value.median:7.3f} µs {one.ratio.median:6.2f} ×"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
