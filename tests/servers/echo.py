"""The demo server with the codings that need a package."""

import ssl
from collections.abc import Callable
from typing import Final

import brotli
import zstandard
from aiohttp import web

from railhttp.demo import DemoServer
from railhttp.demo.bodies import JSON_SAMPLE, packed

__all__ = ["JSON_SAMPLE", "EchoServer"]

_PACKERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


class EchoServer(DemoServer):
    """The well-behaved server, on 127.0.0.1 and, where there is one, ::1.

    Args:
        ssl_context: Makes it a TLS server.
    """

    def __init__(self, *, ssl_context: ssl.SSLContext | None = None) -> None:
        route = web.route("*", "/{coding:br|zstd}", _compressed)
        super().__init__(ssl_context=ssl_context, routes=[route])


async def _compressed(request: web.Request) -> web.Response:
    """The JSON sample in the coding of the path, asked for or not."""
    coding = request.match_info["coding"]
    return packed(coding, _PACKERS[coding])
