"""A server of the API on loopback, with the faults that a real one has."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from railhttp.demo.server import LOOPBACK, listening_sockets


class ChatServer:
    """Answers with what it was asked; knows one token at a time.

    Attributes:
        tokens: How many tokens it has issued.
        faults: Statuses of the next responses of /completions.
        quota: Whether the next stream gets the document of an error in place of events.
    """

    def __init__(self) -> None:
        self.tokens = 0
        self.faults: list[int] = []
        self.quota = False
        self.keys: list[str | None] = []
        self.files: dict[str, bytes] = {}
        self.port = 0

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://{LOOPBACK}:{self.port}"

    def expire(self) -> None:
        """Make the token that is in use invalid."""
        self.tokens += 1

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ChatServer"]:
        """Serve inside the block."""
        app = web.Application(client_max_size=2**24)
        app.add_routes(
            [
                web.post("/token", self._token),
                web.post("/completions", self._complete),
                web.get("/files", self._list),
                web.post("/files", self._upload),
                web.get("/files/{id}", self._download),
            ]
        )
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
        await runner.setup()
        for sock in listening_sockets():
            self.port = sock.getsockname()[1]
            await web.SockSite(runner, sock).start()
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _token(self, _: web.Request) -> web.Response:
        self.tokens += 1
        return web.json_response({"access_token": f"t{self.tokens}", "expires_in": 3600})

    def _check(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer t{self.tokens}":
            raise web.HTTPUnauthorized

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        self._check(request)
        self.keys.append(request.headers.get("Idempotency-Key"))
        if self.faults:
            return web.Response(status=self.faults.pop(0))
        document = await request.json()
        words = document["messages"][-1]["content"].split()
        if not words:
            return web.json_response(
                {"title": "nothing to say", "at": "messages"},
                status=422,
                content_type="application/problem+json",
            )
        if not document.get("stream"):
            message = {"role": "assistant", "content": " ".join(words)}
            return web.json_response({"id": "c1", "message": message})
        return await self._stream(request, words)

    async def _stream(self, request: web.Request, words: list[str]) -> web.StreamResponse:
        if self.quota:
            return web.json_response({"error": "the quota is used up"})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for word in words:
            await response.write(f"data: {json.dumps({'delta': word})}\n\n".encode())
            await asyncio.sleep(0)
        await response.write(b"data: [DONE]\n\n")
        return response

    async def _list(self, request: web.Request) -> web.Response:
        self._check(request)
        start = int(request.query.get("after", "0"))
        names = [*self.files]
        listed = [{"id": name, "size": len(self.files[name])} for name in names[start : start + 2]]
        response = web.json_response(listed)
        if start + 2 < len(names):
            response.headers["Link"] = f'<?after={start + 2}>; rel="next"'
        return response

    async def _upload(self, request: web.Request) -> web.Response:
        self._check(request)
        data = await request.read()
        name = f"f{len(self.files) + 1}"
        self.files[name] = data
        return web.json_response({"id": name, "size": len(data)}, status=201)

    async def _download(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.Response(body=self.files[request.match_info["id"]])
