"""Routes whose bodies are compressed, streamed, broken off or resumed."""

import asyncio
import gzip
import json
import re
import zlib
from collections.abc import Callable
from functools import partial
from typing import Final

from aiohttp import web

from railhttp.demo.requests import Json

JSON_SAMPLE: Final[dict[str, Json]] = {"name": "café", "numbers": [1, 2, 3], "none": None}
"""The body of /json, and of the compressed routes."""

BODIES: Final = web.RouteTableDef()

_EVENTS: Final = 4
_PACKERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": partial(gzip.compress, mtime=0),
    "deflate": zlib.compress,
}


@BODIES.route("*", "/json")
async def sample(_: web.Request) -> web.Response:
    """A JSON document."""
    return web.json_response(JSON_SAMPLE)


@BODIES.route("*", "/{coding:gzip|deflate}")
async def compressed(request: web.Request) -> web.Response:
    """The document in the coding of the path, accepted or not."""
    coding = request.match_info["coding"]
    return packed(coding, _PACKERS[coding])


def packed(coding: str, compress: Callable[[bytes], bytes]) -> web.Response:
    """Make the response of a compressed route."""
    return web.Response(
        body=compress(json.dumps(JSON_SAMPLE).encode()),
        content_type="application/json",
        headers={"Content-Encoding": coding},
    )


@BODIES.route("*", r"/stream/{chunks:\d+}")
async def stream(request: web.Request) -> web.StreamResponse:
    """A chunked body of numbered lines, one in each chunk."""
    response = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    for number in range(int(request.match_info["chunks"])):
        await response.write(b"line %d\n" % number)
    await response.write_eof()
    return response


@BODIES.get(r"/ndjson/{lines:\d+}")
async def ndjson(request: web.Request) -> web.StreamResponse:
    """Newline-delimited JSON, document by document."""
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    for number in range(int(request.match_info["lines"])):
        await response.write(b'{"n": %d}\n' % number)
    return response


@BODIES.get("/events")
async def events(request: web.Request) -> web.StreamResponse:
    """Four server-sent events; the connection is lost after each second one."""
    last = request.headers.get("Last-Event-ID", "0")
    first = int(last) + 1 if last.isdigit() else 1
    if first > _EVENTS:
        return web.Response(status=204)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for number in range(first, min(first + 2, _EVENTS + 1)):
        await response.write(b"retry: 1\nid: %d\ndata: event %d\n\n" % (number, number))
    return response


@BODIES.get("/broken")
async def broken(request: web.Request) -> web.StreamResponse:
    """A body that breaks off."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"only this")
    if request.transport is not None:
        request.transport.abort()
    return response


@BODIES.route("*", r"/bytes/{size:\d+}")
async def some_bytes(request: web.Request) -> web.Response:
    """A body of the size in the path: bytes 0 to 255, again and again."""
    return web.Response(body=pattern(int(request.match_info["size"])))


@BODIES.get(r"/file/{size:\d+}")
async def file(request: web.Request) -> web.StreamResponse:
    """The same bytes with a version and ranges.

    `?drop=` closes the connection after that many bytes, `?hold=` sends no more of them.
    """
    content = pattern(int(request.match_info["size"]))
    wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
    start = int(wanted[1]) if wanted else 0
    fields = {"ETag": '"1"', "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
    if start:
        fields["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
    response = web.StreamResponse(status=206 if start else 200, headers=fields)
    response.content_length = len(content) - start
    await response.prepare(request)
    drop, hold = (int(request.query.get(name, "0")) for name in ("drop", "hold"))
    if (drop or hold) and not start:
        await response.write(content[: drop or hold])
        await asyncio.sleep(30 if hold else 0)
        if request.transport is not None:
            request.transport.close()
        return response
    await response.write(content[start:])
    return response


def pattern(size: int) -> bytes:
    r"""Make the bytes of /bytes and /file.

    Example:
        >>> pattern(3)
        b'\x00\x01\x02'
    """
    return (bytes(range(256)) * (size // 256 + 1))[:size]
