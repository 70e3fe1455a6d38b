"""A server that behaves well, and tells its client what it saw."""

import asyncio
import gzip
import hashlib
import json
import ssl
import zlib
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, TypeAlias
from urllib.parse import urlencode

import brotli
import zstandard
from aiohttp import BodyPartReader, web
from tests.servers.listener import LOOPBACK, listening_sockets

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"

JSON_SAMPLE: Final[dict[str, Json]] = {"name": "café", "numbers": [1, 2, 3], "none": None}
"""What /json answers, and what the compressed routes compress."""

_PACKERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
_LARGEST_BODY: Final = 64 * 1024 * 1024


class EchoServer:
    """The well-behaved server, on 127.0.0.1 and, where there is one, ::1.

    Every route takes every method.

    Args:
        ssl_context: Makes it a TLS server.

    Attributes:
        seen: How often each key of /count and /flaky was asked for.
    """

    def __init__(self, *, ssl_context: ssl.SSLContext | None = None) -> None:
        self.seen: Final[Counter[str]] = Counter()
        self._ssl_context: Final = ssl_context
        self._port = 0
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.add_routes(
            [
                web.route("*", "/get", self._get),
                web.route("*", "/get/{tail:.*}", self._get),
                web.route("*", r"/status/{status:\d{3}}", self._status),
                web.route("*", "/json", self._json),
                web.route("*", r"/redirect/{left:\d+}", self._redirect),
                web.route("*", "/redirect-to", self._redirect_to),
                web.route("*", "/cookies", self._cookies),
                web.route("*", "/cookies/set", self._set_cookies),
                web.route("*", "/{coding:gzip|deflate|br|zstd}", self._compressed),
                web.route("*", r"/stream/{chunks:\d+}", self._stream),
                web.route("*", r"/bytes/{size:\d+}", self._bytes),
                web.route("*", r"/slow/{milliseconds:\d+}", self._slow),
                web.route("*", r"/flaky/{key}/{failures:\d+}", self._flaky),
                web.route("*", "/count/{key}", self._count),
                web.route("*", "/upload", self._upload),
            ]
        )
        self._runner: Final = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.05, handler_cancellation=True
        )

    def url(self, path: str = "/get", *, host: str = LOOPBACK, **query: str | float) -> str:
        scheme = "https" if self._ssl_context else "http"
        authority = f"[{host}]" if ":" in host else host
        tail = f"?{urlencode(query)}" if query else ""
        return f"{scheme}://{authority}:{self._port}{path}{tail}"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        for sock in listening_sockets():
            self._port = sock.getsockname()[1]
            await web.SockSite(self._runner, sock, ssl_context=self._ssl_context).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def _get(self, request: web.Request) -> web.Response:
        """What came: method, path, query, headers and body, with repeats and in order."""
        body = await request.read()
        return web.json_response(
            {
                "method": request.method,
                "path": request.path,
                "target": request.raw_path,
                "query": [[name, value] for name, value in request.query.items()],
                "headers": [[name, value] for name, value in request.headers.items()],
                "body": body.decode("utf-8", "surrogateescape"),
            }
        )

    async def _status(self, request: web.Request) -> web.Response:
        """The status of the path; what came is thrown away."""
        await request.read()
        return web.Response(status=int(request.match_info["status"]))

    async def _json(self, _: web.Request) -> web.Response:
        return web.json_response(JSON_SAMPLE)

    async def _redirect(self, request: web.Request) -> web.Response:
        """As many redirects as the path says, with `?status=` (302), and then /get."""
        left = int(request.match_info["left"])
        location = f"/redirect/{left - 1}" if left > 1 else "/get"
        if left > 1 and request.query_string:
            location += f"?{request.query_string}"
        return _moved(request, location)

    async def _redirect_to(self, request: web.Request) -> web.Response:
        """To `?url=`, with `?status=` (302)."""
        return _moved(request, request.query["url"])

    async def _cookies(self, request: web.Request) -> web.Response:
        """The cookies that came, as a JSON object."""
        return web.json_response(dict(request.cookies))

    async def _set_cookies(self, request: web.Request) -> web.Response:
        """One Set-Cookie for each pair of the query."""
        response = web.json_response(dict(request.query))
        for name, value in request.query.items():
            response.set_cookie(name, value)
        return response

    async def _compressed(self, request: web.Request) -> web.Response:
        """The JSON sample in the coding of the path, asked for or not."""
        coding = request.match_info["coding"]
        return web.Response(
            body=_PACKERS[coding](json.dumps(JSON_SAMPLE).encode()),
            content_type="application/json",
            headers={"Content-Encoding": coding},
        )

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """A chunked body of numbered lines, one in each chunk."""
        response = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for number in range(int(request.match_info["chunks"])):
            await response.write(b"line %d\n" % number)
        await response.write_eof()
        return response

    async def _bytes(self, request: web.Request) -> web.Response:
        """As many bytes as the path says, 0 to 255 and again from 0."""
        size = int(request.match_info["size"])
        return web.Response(body=(bytes(range(256)) * (size // 256 + 1))[:size])

    async def _slow(self, request: web.Request) -> web.Response:
        """An answer after so many milliseconds."""
        await asyncio.sleep(int(request.match_info["milliseconds"]) / 1000)
        return web.Response(text="late")

    async def _flaky(self, request: web.Request) -> web.Response:
        """503 (with `?retry_after=`) for a key's first requests, then 200."""
        await request.read()
        key = request.match_info["key"]
        self.seen[key] += 1
        if self.seen[key] > int(request.match_info["failures"]):
            return web.json_response({"count": self.seen[key]})
        wait = request.query.get("retry_after")
        return web.Response(status=503, headers={"Retry-After": wait} if wait else None)

    async def _count(self, request: web.Request) -> web.Response:
        """How many requests this key has seen, with this one."""
        await request.read()
        key = request.match_info["key"]
        self.seen[key] += 1
        return web.json_response({"count": self.seen[key]})

    async def _upload(self, request: web.Request) -> web.Response:
        """The parts of a multipart body, each with its size, hash and, if it is one, text."""
        parts: list[dict[str, Json]] = []
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise web.HTTPBadRequest(text="a multipart inside a multipart")
            content = bytes(await part.read())
            parts.append(
                {
                    "name": part.name,
                    "filename": part.filename,
                    "content_type": part.headers.get("Content-Type"),
                    "size": len(content),
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "text": _text(content),
                }
            )
        return web.json_response(parts)


def _moved(request: web.Request, location: str) -> web.Response:
    status = int(request.query.get("status", "302"))
    return web.Response(status=status, headers={"Location": location})


def _text(content: bytes) -> str | None:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
