"""The server's side of ASGI 3.0: one run of an application, and its lifespan."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, MutableMapping
from contextlib import aclosing
from typing import Final, NamedTuple, TypeAlias, cast
from urllib.parse import unquote

from multidict import CIMultiDict

from railhttp.model.body import BytesBody
from railhttp.model.request import Request
from railhttp.model.url import path_of
from railhttp.transport.connector import USER_AGENT
from railhttp.transport.request_body import RequestBodyError, read_stream
from railhttp.wire.content import ACCEPT_ENCODING
from railhttp.wire.request_head import DefaultFields, content_length, request_head

Message: TypeAlias = MutableMapping[str, object]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]
"""An ASGI application, such as one of FastAPI or Starlette."""

GRACE: Final = 0.1
"""Seconds that an application has to end after `http.disconnect`."""

ASGI: Final = {"version": "3.0", "spec_version": "2.4"}
_AHEAD: Final = 16
"""How many messages an application may send before one is read."""

_DEFAULTS: Final = DefaultFields(
    {"Accept": "*/*", "Accept-Encoding": ACCEPT_ENCODING, "User-Agent": USER_AGENT}
)


class Head(NamedTuple):
    """The head of a response."""

    status: int
    headers: CIMultiDict[str]


def http_scope(
    request: Request,
    root_path: str,
    client: tuple[str, int],
    state: dict[str, object] | None = None,
) -> dict[str, object]:
    """Make the scope of a request, as a server would."""
    url = request.url
    cookies = "; ".join(f"{name}={value}" for name, value in (request.cookies or {}).items())
    _, *lines = request_head(request, _DEFAULTS, cookies=cookies)[0].split(b"\r\n")[:-2]
    fields = [line.partition(b": ") for line in lines]
    return {
        "type": "http",
        "asgi": dict(ASGI),
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": unquote(path_of(url)),
        "raw_path": path_of(url).encode("ascii"),
        "query_string": url.raw_query_string.encode("ascii"),
        "root_path": root_path,
        "headers": [(name.lower(), value) for name, _, value in fields],
        "client": client,
        "server": (url.host, url.port),
        **({} if state is None else {"state": state.copy()}),
    }


class AppRun:
    """One run of an application for one request.

    Args:
        app: The application.
        scope: The scope of the request.
        request: The request.
        answers_500: Whether an exception before the head is a 500 to the client, as with servers.

    Attributes:
        started: Whether the head of the response was sent.
        complete: Whether the end of its body was sent.
        error: The exception of the application.
        body_error: Why the body of the request could not be read.
    """

    def __init__(
        self, app: ASGIApp, scope: Message, request: Request, *, answers_500: bool
    ) -> None:
        self.started: bool = False
        self.complete: bool = False
        self.error: Exception | None = None
        self.body_error: RequestBodyError | None = None
        self._answers_500 = answers_500
        self._sent: asyncio.Queue[Head | bytes | None] = asyncio.Queue()
        self._gone = False
        self._over = asyncio.Event()
        self._room = asyncio.Event()
        self._chunks = _chunks(request)
        self._has_body = True
        self._task = asyncio.create_task(self._run(app, scope))

    async def next(self) -> Head | bytes | None:
        """Take what the application sent next; None at the end."""
        sent = await self._sent.get()
        self._room.set()
        return sent

    async def ended(self) -> None:
        """Wait until the application has returned."""
        await asyncio.wait([self._task])

    def disconnect(self) -> None:
        """Tell the application that the client is gone, and end it soon."""
        if self._task.done():
            return
        self._gone = True
        self._over.set()
        self._room.set()
        self._task.get_loop().call_later(GRACE, self._task.cancel)

    async def _run(self, app: ASGIApp, scope: Message) -> None:
        try:
            await app(scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001  # the application's own
            self.error = error
            if self._answers_500 and not self.started:
                self.started = self.complete = True
                self._sent.put_nowait(Head(500, CIMultiDict()))
        finally:
            self._sent.put_nowait(None)
            await self._chunks.aclose()

    async def _receive(self) -> Message:
        if self._has_body and not self._gone:
            try:
                chunk = await anext(self._chunks, None)
            except RequestBodyError as error:
                self.body_error = error
                self._gone = True
                self._sent.put_nowait(None)
            else:
                self._has_body = chunk is not None
                return {"type": "http.request", "body": chunk or b"", "more_body": self._has_body}
        if not self._gone:
            await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if self._gone:
            raise ConnectionResetError("the client is gone")  # an OSError, as ASGI 2.4 has it
        match message:
            case {"type": "http.response.start", "status": int(status)} if not self.started:
                self.started = True
                self._sent.put_nowait(Head(status, _fields(message.get("headers", ()))))
            case {"type": "http.response.body"} if self.started and not self.complete:
                body = message.get("body", b"")
                self._sent.put_nowait(bytes(body) if isinstance(body, bytes | bytearray) else b"")
                if not message.get("more_body", False):
                    self.complete = True
                    self._sent.put_nowait(None)
                    self._over.set()
            case {"type": "http.response.start" | "http.response.body" as kind}:
                raise RuntimeError(f"{kind} is out of order")
            case _:
                pass  # an extension that was not offered
        while self._sent.qsize() >= _AHEAD and not self._gone:
            self._room.clear()
            await self._room.wait()


def _fields(headers: object) -> CIMultiDict[str]:
    fields = CIMultiDict[str]()
    for name, value in cast("Iterable[tuple[bytes, bytes]]", headers):  # as ASGI has it
        fields.add(bytes(name).decode("latin-1"), bytes(value).decode("latin-1"))
    return fields


async def _chunks(request: Request) -> AsyncGenerator[bytes, None]:
    """Read the body of a request; a body that is in memory is one piece."""
    match request.body:
        case None:
            return
        case BytesBody(content):
            chunks = _once(content)
        case stream:
            chunks = read_stream(stream)
    done = 0
    total = content_length(request)
    async with aclosing(chunks):
        async for chunk in chunks:
            done += len(chunk)
            yield chunk
            if request.options.upload_progress is not None:
                request.options.upload_progress(done, total)


async def _once(content: bytes) -> AsyncGenerator[bytes, None]:
    if content:
        yield content
