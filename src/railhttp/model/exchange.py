"""The transport interface: one request out, one response in."""

from typing import Protocol

from railhttp.model.errors import CallInfo
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.model.stage import AttemptState


class IncomingResponse(Protocol):
    """A response whose body is unread; it holds a connection until it is closed."""

    def answer(self, body: bytes = b"") -> HttpResponse:
        """Return the response as a value that holds `body`."""
        ...

    def call_info(self) -> CallInfo:
        """Return the details that a failure of this response must carry."""
        ...

    async def chunk(self) -> bytes:
        """Read the next piece of the body, with content codings undone; empty at the end.

        The caller limits how long this may take.

        Raises:
            HTTPClientError: The body is truncated or corrupt; always a member of `HTTPFailure`.
        """
        ...

    async def read(self) -> bytes:
        """Read the body to its end; raises as `chunk` does, and if the body is too large."""
        ...

    def close(self) -> None:
        """Release the connection, which is reused only if the body was read to its end."""
        ...


class Exchange(Protocol):
    """Sends one request and receives one response.

    Retries, redirects, interceptors and the time limits of a call are layers around the exchange.
    When a time limit runs out, its layer cancels the exchange.

    Example:
        >>> import asyncio
        >>> from railhttp import HTTPClient
        >>> class Teapot:
        ...     async def send(self, request: Request, attempt: AttemptState) -> HttpResponse:
        ...         return HttpResponse(418, url=request.url_text, method=request.method)
        ...     async def open(self, request: Request, attempt: AttemptState) -> IncomingResponse:
        ...         raise NotImplementedError("a teapot does not stream")
        >>> async def main() -> int:
        ...     async with HTTPClient(exchange=Teapot()) as client:
        ...         return (await client.request("BREW", "http://pot/")).status
        >>> asyncio.run(main())
        418
    """

    async def send(self, request: Request, attempt: AttemptState, /) -> HttpResponse:
        """Send a request and read its response, whatever its status, to the end.

        Args:
            request: The request, validated and complete.
            attempt: Set its `stage` at each new stage: a failure derives its `delivery` from it.

        Raises:
            HTTPClientError: No whole response arrived; always a member of `HTTPFailure`.
        """
        ...

    async def open(self, request: Request, attempt: AttemptState, /) -> IncomingResponse:
        """Send a request, as `send` does, but only wait for the head of its response.

        The caller closes the response.
        """
        ...
