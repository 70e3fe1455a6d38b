"""The scenes as an ASGI application, with the paths of the real servers."""

import asyncio
import gzip
import json
import re
import zlib
from collections.abc import Callable
from typing import Final

import brotli
import zstandard

from railhttp.demo.bodies import JSON_SAMPLE, pattern
from railhttp.testing.asgi_app import Message, Receive, Send

_PACKERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "/gzip": gzip.compress,
    "/deflate": zlib.compress,
    "/br": brotli.compress,
    "/zstd": zstandard.ZstdCompressor().compress,
    "/gzip-corrupt": lambda data: b"not gzip",
    "/gzip-truncated": lambda data: gzip.compress(data)[:-12],
}


async def scenes(scope: Message, receive: Receive, send: Send) -> None:
    """Play the scene of a path."""
    while (await receive()).get("more_body"):
        pass
    path = str(scope["path"])
    status, fields, body = 200, dict[str, str](), b""
    match re.split(r"/", path)[1:]:
        case ["bytes", count]:
            body = pattern(int(count))
        case ["status", code]:
            status = int(code)
        case ["json"]:
            fields, body = {"content-type": "application/json"}, json.dumps(JSON_SAMPLE).encode()
        case ["redirect", left]:
            target = f"/redirect/{int(left) - 1}" if left != "1" else "/get"
            status, fields = 302, {"location": target}
        case ["cookies"]:
            sent = dict(scope["headers"]).get(b"cookie", b"")  # type: ignore[call-overload]
            name, _, value = sent.decode().partition("=")
            body = json.dumps({name: value}).encode()
        case ["stall-before-head"]:
            await asyncio.Event().wait()
        case ["reset-before-head"]:
            return
        case [name] if path in _PACKERS:
            coding = name.partition("-")[0]
            fields = {"content-encoding": coding, "content-type": "application/json"}
            body = _PACKERS[path](json.dumps(JSON_SAMPLE).encode())
    headers = [(name.encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    match re.split(r"/", path)[1:]:
        case ["stall-in-body"]:
            await send({"type": "http.response.body", "body": b"part", "more_body": True})
            await asyncio.Event().wait()
        case ["short-body"]:
            await send({"type": "http.response.body", "body": b"part", "more_body": True})
            return
        case ["stream", chunks]:
            for number in range(int(chunks)):
                chunk = b"line %d\n" % number
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": body})
