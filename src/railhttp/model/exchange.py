"""The transport seam: one request out, one response in."""

from typing import Protocol

from railhttp.model.errors import CallInfo
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.model.stage import AttemptState


class IncomingResponse(Protocol):
    """A response whose head has arrived and whose body has not been read.

    It holds a connection until it is closed.
    """

    def answer(self, body: bytes = b"") -> HttpResponse:
        """Return the response as a value, with the part of its body that was read."""
        ...

    def call_info(self) -> CallInfo:
        """Return the details that a failure of this response carries."""
        ...

    async def chunk(self) -> bytes:
        """Read the next piece of the body, with content codings undone; empty at its end.

        The caller bounds the wait.

        Raises:
            HTTPClientError: The body broke off or is corrupt; always one of `HTTPFailure`.
        """
        ...

    async def read(self) -> bytes:
        """Read the body to its end.

        Raises:
            HTTPClientError: It is too large, broke off or is corrupt; always one of `HTTPFailure`.
        """
        ...

    def close(self) -> None:
        """Release the connection; it is closed unless the body was read to its end."""
        ...


class Exchange(Protocol):
    """Sends one request and receives one response.

    Retries, redirects, interceptors and the time limits of a call are layers around it. A time
    limit that expires cancels the exchange.

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
        """Send a request and read its response to the end.

        Args:
            request: The request, checked and complete.
            attempt: The state of the attempt. The exchange keeps its `stage` up to date, because
                the stage decides what a failure proves about the delivery.

        Returns:
            The response, whatever its status.

        Raises:
            HTTPClientError: There was no complete response; always one of `HTTPFailure`.
        """
        ...

    async def open(self, request: Request, attempt: AttemptState, /) -> IncomingResponse:
        """Send a request and wait for the head of its response.

        Returns:
            The response with its body unread; the caller closes it.

        Raises:
            HTTPClientError: There was no response; always one of `HTTPFailure`.
        """
        ...
