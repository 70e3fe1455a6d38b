"""The response of a stream: its head, and its body as it arrives."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from railhttp.client.limited_response import LimitedResponse, check_limit
from railhttp.model.errors import HTTPDecodeError, HTTPResponseTooLargeError, HTTPStatusError
from railhttp.model.response import JSON, Headers, HttpResponse
from railhttp.wire.lines import LineDecoder, LineSplitter, LineTooLong

if TYPE_CHECKING:
    from railhttp.transport.client_response import AiohttpResponse, SessionResponse

T = TypeVar("T")


class _Lines(Protocol[T]):
    """Splits chunks into lines."""

    def feed(self, chunk: bytes) -> list[T]: ...

    def flush(self) -> list[T]: ...


def _of_session(resp: object) -> "SessionResponse":
    from railhttp.transport.client_response import session_response  # noqa: PLC0415  # few use it

    return session_response(resp)


class StreamContext:
    """An open response: an async iterator of the chunks of its body, and more.

    It belongs to its block and must not be used after it. A body can be read once, in one of these
    ways.

    Args:
        resp: The open response of a client, or one of `pool.session`: an `aiohttp.ClientResponse`.

    Raises:
        HTTPValidationError: `resp` is neither.

    Example:
        >>> from railhttp import HTTPClient
        >>> async def save(client: HTTPClient, url: str) -> int:
        ...     size = 0
        ...     async with client.stream("GET", url) as chunks:
        ...         chunks.raise_for_status()
        ...         async for chunk in chunks:
        ...             size += len(chunk)
        ...     return size
    """

    __slots__ = ("_head", "_resp")

    def __init__(self, resp: "LimitedResponse | AiohttpResponse") -> None:
        self._resp = resp if isinstance(resp, LimitedResponse) else _of_session(resp)
        self._head = self._resp.answer()

    @property
    def status(self) -> int:
        """The HTTP status code."""
        return self._head.status

    @property
    def headers(self) -> Headers:
        """The header fields."""
        return self._head.headers

    @property
    def head(self) -> HttpResponse:
        """The response as a value, with an empty body."""
        return self._head

    def raise_for_status(self) -> None:
        """Raise if the status is 400 or higher; the body stays unread.

        Raises:
            HTTPStatusError: The response is a 4xx or 5xx.
        """
        if self.status >= 400:
            raise HTTPStatusError(self._head)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._resp.chunk()
        if not chunk:
            raise StopAsyncIteration
        return chunk

    def aiter_bytes(self) -> Self:
        """Return the chunks of the body as they arrive, with content codings undone.

        Returns:
            An async iterator: this object itself. It raises one of `HTTPFailure` if the body breaks
            off, is corrupt, or the server is silent for too long.
        """
        return self

    def aiter_lines(self, *, max_line_bytes: int | None = None) -> AsyncGenerator[str, None]:
        """Yield the lines of the body, decoded from UTF-8, without the LF or CRLF that ends them.

        A bare CR is content; invalid UTF-8 becomes U+FFFD; the last line may lack its end.

        Args:
            max_line_bytes: The most bytes that a line may have; None for no limit.

        Yields:
            Line after line.

        Raises:
            HTTPInvalidRequestError: `max_line_bytes` is neither positive nor None; raised at once.
            HTTPResponseTooLargeError: A line is longer than allowed.
            HTTPClientError: See `aiter_bytes`.
        """
        check_limit(max_line_bytes, "max_line_bytes", self._resp.call_info())
        return self._lines(LineDecoder(max_line_bytes))

    def aiter_json(self, *, max_line_bytes: int | None = None) -> AsyncGenerator[JSON, None]:
        """Yield the documents of an NDJSON body: one in each line, without empty lines.

        Args:
            max_line_bytes: The most bytes that a line may have; None for no limit.

        Yields:
            Document after document.

        Raises:
            HTTPDecodeError: A line is not a JSON document, see `HttpResponse.json`; `where` is its
                number (`line 3`), counted from 1.
            HTTPInvalidRequestError: `max_line_bytes` is neither positive nor None; raised at once.
            HTTPResponseTooLargeError: A line is longer than allowed.
            HTTPClientError: See `aiter_bytes`.
        """
        check_limit(max_line_bytes, "max_line_bytes", self._resp.call_info())
        return self._documents(LineSplitter(max_line_bytes))

    async def _documents(self, splitter: LineSplitter) -> AsyncGenerator[JSON, None]:
        number = 0
        async for line in self._lines(splitter):
            number += 1
            if line and not line.isspace():
                yield self._parse(line, number)

    async def _lines(self, decoder: _Lines[T]) -> AsyncGenerator[T, None]:
        while chunk := await self._resp.chunk():
            try:
                lines = decoder.feed(chunk)
            except LineTooLong as error:
                raise HTTPResponseTooLargeError(
                    str(error), limit=error.limit, **self._resp.call_info()
                ) from None
            for line in lines:
                yield line
        for line in decoder.flush():
            yield line

    def _parse(self, line: bytes, number: int) -> JSON:
        try:
            return HttpResponse(self.status, body=line).json()
        except HTTPDecodeError as error:
            raise HTTPDecodeError(
                error.message,
                where=f"line {number}",
                content_type=self._head.content_type,
                **self._resp.call_info(),
            ) from None
