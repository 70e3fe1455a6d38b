"""The response of a stream: its head, and its body as it arrives."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Final, Protocol, Self, TypeVar

from returns.result import Failure, Result
from typing_extensions import TypeForm

from railhttp.client.limited_response import LimitedResponse, check_limit
from railhttp.client.turns import Turns, slices
from railhttp.model.config import DEFAULT_MAX_LINE_BYTES
from railhttp.model.errors import (
    FAILURES,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPStatusError,
)
from railhttp.model.redaction import redact_url
from railhttp.model.response import JSON, Headers, HttpResponse
from railhttp.wire.lines import LineDecoder, LineSplitter, LineTooLong

if TYPE_CHECKING:
    from railhttp.transport.client_response import AiohttpResponse, SessionResponse

T = TypeVar("T")

PROBLEM: Final = "application/problem+json"


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

    __slots__ = ("_body", "_head", "_resp")

    def __init__(self, resp: "LimitedResponse | AiohttpResponse") -> None:
        self._resp = resp if isinstance(resp, LimitedResponse) else _of_session(resp)
        self._head = self._resp.answer()
        self._body: bytes | None = None

    def __repr__(self) -> str:
        url = redact_url(self._head.url)
        return f"<{type(self).__name__} {self.status} {self._head.method} {url}>"

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
        """The response as a value; its body is empty until `read` has read it."""
        return self._head

    async def read(self) -> bytes:
        """Read the body, or what is left of it, into memory.

        After that `head` has it, and so has the failure of `raise_for_status`.

        Raises:
            HTTPResponseTooLargeError: It is larger than the client's `max_response_bytes`.
            HTTPClientError: See `aiter_bytes`.
        """
        if self._body is None:
            self._body = await self._resp.read()
            self._head = self._resp.answer(self._body)
        return self._body

    def json(self) -> JSON:
        """Parse the body as JSON, after `await answer.read()`.

        Raises:
            HTTPDecodeError: See `HttpResponse.json`.
            HTTPInvalidRequestError: The body was not read.
        """
        if self._body is None:
            message = "has an unread body: `await answer.read()` first"
            raise HTTPInvalidRequestError(message, field="stream", **self._resp.call_info())
        return self._head.json()

    def decoded(
        self, model: TypeForm[T], *, max_line_bytes: int | None = DEFAULT_MAX_LINE_BYTES
    ) -> AsyncGenerator[Result[T, HTTPFailure], None]:
        """Yield the documents of an NDJSON body, each decoded.

        A line that does not fit is a failure, whose `response` has it; the stream goes on. A 4xx or
        5xx, with its body, and a failure of the stream itself are the last result.

        Args:
            model: The type of a document, see `railhttp.railway.decode`.
            max_line_bytes: The most bytes that a line may have; None for no limit.

        Raises:
            TypeError: The type cannot be decoded; raised at once.
            HTTPInvalidRequestError: `max_line_bytes` is neither positive nor None; raised at once.
        """
        from railhttp.client.documents import reader_of  # noqa: PLC0415  # few streams are decoded

        check_limit(max_line_bytes, "max_line_bytes", self._resp.call_info)
        read = reader_of(model, self._resp.call_info, self._head)
        return self._results(read, LineSplitter(max_line_bytes))

    async def _results(
        self, read: Callable[[bytes, str], Result[T, HTTPFailure]], splitter: LineSplitter
    ) -> AsyncGenerator[Result[T, HTTPFailure], None]:
        number = 0
        try:
            if self.status >= 400 or self._head.content_type == PROBLEM:
                yield Failure(await self._refusal())
                return
            async for line in self._lines(splitter):
                number += 1
                if line and not line.isspace():
                    yield read(line, f"line {number}")
        except FAILURES as failure:
            yield Failure(failure)

    async def _refusal(self) -> HTTPFailure:
        """Return the failure of a response that is the document of an error, and no stream."""
        page = await self._resp.page() if self._body is None else self._head
        if self.status >= 400:
            return HTTPStatusError(page)
        return HTTPDecodeError(
            "expected a stream of documents",
            where="Content-Type",
            content_type=PROBLEM,
            response=page,
            **self._resp.call_info(),
        )

    def raise_for_status(self) -> None:
        """Raise if the status is 400 or higher; a body that was not read stays unread.

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

    def aiter_lines(
        self, *, max_line_bytes: int | None = DEFAULT_MAX_LINE_BYTES
    ) -> AsyncGenerator[str, None]:
        """Yield the lines of the body, decoded from UTF-8, without the LF or CRLF that ends them.

        A bare CR is content; invalid UTF-8 becomes U+FFFD; the last line may lack its end.

        Args:
            max_line_bytes: The most bytes that a line may have, 8 MiB by default; None for no
                limit.

        Yields:
            Line after line.

        Raises:
            HTTPInvalidRequestError: `max_line_bytes` is neither positive nor None; raised at once.
            HTTPResponseTooLargeError: A line is longer than allowed.
            HTTPClientError: See `aiter_bytes`.
        """
        check_limit(max_line_bytes, "max_line_bytes", self._resp.call_info)
        return self._lines(LineDecoder(max_line_bytes))

    def aiter_json(
        self, *, max_line_bytes: int | None = DEFAULT_MAX_LINE_BYTES
    ) -> AsyncGenerator[JSON, None]:
        """Yield the documents of an NDJSON body: one in each line, without empty lines.

        Args:
            max_line_bytes: The most bytes that a line may have, 8 MiB by default; None for no
                limit.

        Yields:
            Document after document.

        Raises:
            HTTPDecodeError: A line is not a JSON document, see `HttpResponse.json`; `where` is its
                number (`line 3`), counted from 1.
            HTTPInvalidRequestError: `max_line_bytes` is neither positive nor None; raised at once.
            HTTPResponseTooLargeError: A line is longer than allowed.
            HTTPClientError: See `aiter_bytes`.
        """
        check_limit(max_line_bytes, "max_line_bytes", self._resp.call_info)
        return self._documents(LineSplitter(max_line_bytes))

    async def _documents(self, splitter: LineSplitter) -> AsyncGenerator[JSON, None]:
        number = 0
        async for line in self._lines(splitter):
            number += 1
            if line and not line.isspace():
                yield self._parse(line, number)

    async def _lines(self, decoder: _Lines[T]) -> AsyncGenerator[T, None]:
        turns = Turns()
        while chunk := await self._resp.chunk():
            for piece in slices(chunk):
                try:
                    lines = decoder.feed(piece)
                except LineTooLong as error:
                    raise self._too_long(error) from None
                for line in lines:
                    yield line
                if turns.are_due(len(piece)):
                    await asyncio.sleep(0)
        for line in decoder.flush():
            yield line

    def _too_long(self, error: LineTooLong) -> HTTPResponseTooLargeError:
        info = self._resp.call_info()
        return HTTPResponseTooLargeError(str(error), limit=error.limit, **info)

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
