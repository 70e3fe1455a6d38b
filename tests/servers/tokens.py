"""A token server that rotates refresh tokens and detects their reuse, and the API behind it."""

import asyncio
import base64
import itertools
from collections import Counter
from types import TracebackType
from typing import Final, Self
from urllib.parse import unquote_plus

from aiohttp import web

from railhttp.demo.server import LOOPBACK, listening_sockets


class TokenServer:
    """Issues tokens at /token, and takes the newest of them at /api.

    Attributes:
        client: The id and the secret of the one client.
        lifetime: Seconds that new tokens are valid for, as the server tells.
        refusals: Statuses of the next responses of /token, each with the code of an error.
        delay: Seconds that /token takes.
        seen: How often each path and grant was asked for, and each status of /api was sent.
        reused: Whether a refresh token came twice; then no token of the user is valid any more.
    """

    def __init__(self) -> None:
        self.client: Final = ("shop", "s3cr et:&")
        self.lifetime: int | None = 3600
        self.refusals: list[tuple[int, str]] = []
        self.delay = 0.0
        self.seen: Final[Counter[str]] = Counter()
        self.reused = False
        self.access = ""
        self.refresh = "refresh-0"
        self._used: set[str] = set()
        self._numbers = itertools.count(1)
        self._port = 0
        app = web.Application()
        app.add_routes([web.post("/token", self._token), web.route("*", "/api", self._api)])
        self._runner: Final = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)

    def url(self, path: str = "/api") -> str:
        return f"http://{LOOPBACK}:{self._port}{path}"

    def revoke(self) -> None:
        """Make the newest access token invalid."""
        self.access = ""

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        for sock in listening_sockets():
            self._port = sock.getsockname()[1]
            await web.SockSite(self._runner, sock).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        grant = str(form.get("grant_type"))
        self.seen[grant] += 1
        await asyncio.sleep(self.delay)
        if self.refusals:
            status, code = self.refusals.pop(0)
            body = {"error": code, "error_description": "hush"} if code else {}
            return web.json_response(body, status=status)
        if _credentials(request) != self.client:
            return web.json_response({"error": "invalid_client"}, status=401)
        if grant == "refresh_token" and not self._may_refresh(str(form["refresh_token"])):
            return web.json_response({"error": "invalid_grant"}, status=400)
        number = next(self._numbers)
        self.access = f"access-{number}"
        issued: dict[str, str | int] = {"access_token": self.access, "token_type": "Bearer"}
        if self.lifetime is not None:
            issued["expires_in"] = self.lifetime
        if grant == "refresh_token":
            self.refresh = issued["refresh_token"] = f"refresh-{number}"
        return web.json_response(issued)

    def _may_refresh(self, token: str) -> bool:
        if token in self._used:
            self.reused = True
            self.access = self.refresh = ""
        if self.reused or token != self.refresh:
            return False
        self._used.add(token)
        return True

    async def _api(self, request: web.Request) -> web.Response:
        await request.read()
        good = request.headers.get("Authorization") == f"Bearer {self.access}"
        status = 200 if self.access and good else 401
        self.seen[f"{request.method} {status}"] += 1
        return web.json_response({"token": self.access if good else None}, status=status)


def _credentials(request: web.Request) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Basic":
        return "", ""
    user, _, password = base64.b64decode(encoded).decode().partition(":")
    return unquote_plus(user), unquote_plus(password)
