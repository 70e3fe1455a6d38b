"""Runs httpx2, and every SDK on top of it, over a railhttp client; needs the extra `httpx2`.

    http_client = httpx2.AsyncClient(transport=RailTransport(client))
    openai = AsyncOpenAI(http_client=http_client, max_retries=0)

Connections, deadlines, retries, breakers, interceptors and telemetry are then those of the client.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, assert_never

from multidict import CIMultiDict
from typing_extensions import override

from railhttp.extra import provided_by
from railhttp.model.errors import (
    FAILURES,
    ConnectionKind,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
    TimeoutPhase,
)
from railhttp.model.options import RequestOptions
from railhttp.model.response import Headers
from railhttp.model.validation import OWS
from railhttp.wire.content import ACCEPT_ENCODING

with provided_by("railhttp[httpx2]"):
    import httpx2

if TYPE_CHECKING:
    from railhttp.client.http_client import HTTPClient
    from railhttp.client.stream_context import StreamContext

__all__ = ["RailTransport", "to_httpx2"]

_CODINGS: Final = frozenset(ACCEPT_ENCODING.split(", "))
_ACCEPTABLE: Final = _CODINGS | {"identity"}
_CONNECTION_FIELDS: Final = frozenset({"connection", "transfer-encoding"})
"""Fields that the client writes itself: they belong to its connection."""


class RailTransport(httpx2.AsyncBaseTransport):
    """A transport of httpx2 that sends requests with a railhttp client.

    The client must be started, and is not stopped with the `AsyncClient`: several may share it.
    httpx2 keeps what is its own: redirects, cookies, authentication, event hooks. Of its limits,
    `connect` and `read` hold if they are shorter than the client's; `write` and `pool` have no
    counterpart. Responses of any status are returned, so that `raise_for_status` works; give the
    client a retry policy if they are to be retried, and set `max_retries=0` in an SDK.

    Args:
        client: The client.

    Example:
        >>> import asyncio
        >>> from railhttp import HTTPClient
        >>> from railhttp.testing import ScriptedTransport
        >>> script = ScriptedTransport()
        >>> _ = script.on("GET", "/users/7").reply(json={"name": "Ann"})
        >>> async def main() -> object:
        ...     async with HTTPClient(exchange=script) as client:
        ...         async with httpx2.AsyncClient(transport=RailTransport(client)) as sdk:
        ...             return (await sdk.get("http://api.example/users/7")).json()
        >>> asyncio.run(main())
        {'name': 'Ann'}
    """

    def __init__(self, client: "HTTPClient") -> None:
        self._client: Final = client

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, and return its response with the body unread.

        Raises:
            httpx2.TransportError: No response arrived; the failure is its `__cause__`.
            httpx2.DecodingError: The body cannot be decoded; the failure is its `__cause__`.
        """
        stack = AsyncExitStack()
        try:
            stream = await stack.enter_async_context(
                self._client.stream(request.method, str(request.url), **self._options(request))
            )
        except FAILURES as failure:
            raise to_httpx2(failure, request) from failure
        head = stream.head
        return httpx2.Response(
            stream.status,
            headers=_decoded(head.headers),
            stream=_Body(stream, stack, request),
            extensions={"http_version": f"HTTP/{head.http_version}".encode("ascii")},
        )

    def _options(self, request: httpx2.Request) -> RequestOptions:
        options = RequestOptions(headers=_sent(request), allow_redirects=False)
        limits = request.extensions.get("timeout") or {}
        config = self._client.config
        connect = _shorter(limits.get("connect"), config.connect_timeout)
        if connect is not None:
            options["connect_timeout"] = connect
        # A stream without a limit has that of the client's whole call.
        read = _shorter(limits.get("read"), config.read_timeout or config.timeout)
        if read is not None:
            options["read_timeout"] = read
        try:
            content: bytes | None = request.content
        except httpx2.RequestNotRead:
            content = None
        if content is None:
            if not isinstance(request.stream, httpx2.AsyncByteStream):
                raise httpx2.LocalProtocolError("an AsyncClient sends only async streams")
            options["data"] = request.stream
        elif content or "Content-Length" in request.headers:
            options["data"] = content
        return options


class _Body(httpx2.AsyncByteStream):
    """The body of a response: it holds a connection until it is closed."""

    def __init__(
        self, stream: "StreamContext", stack: AsyncExitStack, request: httpx2.Request
    ) -> None:
        self._stream = stream
        self._stack = stack
        self._request = request

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                yield chunk
        except FAILURES as failure:
            raise to_httpx2(failure, self._request) from failure

    @override
    async def aclose(self) -> None:
        await self._stack.aclose()


def _sent(request: httpx2.Request) -> CIMultiDict[str]:
    """The header fields to send, with only such content codings as the client can undo."""
    fields = CIMultiDict[str]()
    for name, value in request.headers.multi_items():
        folded = name.lower()
        if folded == "accept-encoding":
            known = [one for one in value.split(",") if one.split(";")[0].strip(OWS) in _ACCEPTABLE]
            fields.add(name, ",".join(known).strip(OWS) or "identity")
        elif folded == "host" and value == request.url.netloc.decode("ascii"):
            continue  # the client writes it too
        elif folded not in _CONNECTION_FIELDS:
            fields.add(name, value)
    return fields


def _decoded(headers: Headers) -> list[tuple[str, str]]:
    """The header fields of a response whose content codings are undone: httpx2 must not do so."""
    codings = headers.get("Content-Encoding", "").lower().split(",")
    undone = {coding.strip(OWS) for coding in codings} <= _CODINGS
    gone = {"content-encoding", "content-length"} if undone else set()
    return [(name, value) for name, value in headers.items() if name.lower() not in gone]


def _shorter(first: float | None, second: float | None) -> float | None:
    return min((limit for limit in (first, second) if limit is not None), default=None)


_CONNECTION: Final[dict[ConnectionKind, type[httpx2.RequestError]]] = {
    "dns": httpx2.ConnectError,
    "connect": httpx2.ConnectError,
    "proxy": httpx2.ProxyError,
    "tls": httpx2.ConnectError,
    "disconnected": httpx2.ReadError,
    "truncated": httpx2.RemoteProtocolError,
    "protocol": httpx2.RemoteProtocolError,
    "redirect": httpx2.TooManyRedirects,
    "closed": httpx2.ConnectError,
    "rejected": httpx2.PoolTimeout,
}

_TIMEOUT: Final[dict[TimeoutPhase, type[httpx2.RequestError]]] = {
    "pool": httpx2.PoolTimeout,
    "connect": httpx2.ConnectTimeout,
    "read": httpx2.ReadTimeout,
    "total": httpx2.TimeoutException,
}


def to_httpx2(failure: HTTPFailure, request: httpx2.Request) -> httpx2.RequestError:
    """Translate a failure into the exception that httpx2 would raise.

    Args:
        failure: The failure; raise the exception from it.
        request: The request that it is about.
    """
    return _class_of(failure)(str(failure), request=request)


def _class_of(failure: HTTPFailure) -> type[httpx2.RequestError]:
    match failure:
        case HTTPInvalidRequestError():
            return httpx2.LocalProtocolError
        case HTTPConnectionError(kind):
            return _CONNECTION[kind]
        case HTTPTimeoutError(phase):
            return _TIMEOUT[phase]
        case HTTPDecodeError():
            return httpx2.DecodingError
        case HTTPResponseTooLargeError() | HTTPStatusError():
            return httpx2.ReadError
        case HTTPInterceptorError():
            return httpx2.TransportError
        case HTTPCircuitOpenError():
            return httpx2.ConnectError
        case HTTPRetryExhaustedError():
            return httpx2.TransportError if failure.last is None else _class_of(failure.last)
        case _:
            assert_never(failure)
