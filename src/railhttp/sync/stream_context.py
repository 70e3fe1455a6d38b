"""The response of a stream, for code that does not await."""

from collections.abc import AsyncIterator, Iterator
from typing import TypeVar

from returns.result import Result
from typing_extensions import TypeForm

from railhttp.client.stream_context import StreamContext as AsyncStreamContext
from railhttp.model.config import DEFAULT_MAX_LINE_BYTES
from railhttp.model.errors import HTTPFailure
from railhttp.model.redaction import redact_url
from railhttp.model.response import JSON, Headers, HttpResponse
from railhttp.sync.loop_thread import LoopThread, ThreadClosedError, closed_failure

T = TypeVar("T")


class StreamContext:
    """An open response: an iterator of the chunks of its body, and more.

    It belongs to its block and must not be used after it. A body can be read once, in one of these
    ways. Reading raises one of `HTTPFailure` if the body breaks off, is corrupt, or the server is
    silent for too long.

    Args:
        response: The open response.
        thread: The thread of its client.
    """

    __slots__ = ("_response", "_thread")

    def __init__(self, response: AsyncStreamContext, thread: LoopThread) -> None:
        self._response = response
        self._thread = thread

    def __repr__(self) -> str:
        head = self.head
        return f"<sync.StreamContext {head.status} {head.method} {redact_url(head.url)}>"

    @property
    def status(self) -> int:
        """The HTTP status code."""
        return self._response.status

    @property
    def headers(self) -> Headers:
        """The header fields."""
        return self._response.headers

    @property
    def head(self) -> HttpResponse:
        """The response as a value; its body is empty until `read` has read it."""
        return self._response.head

    def raise_for_status(self) -> None:
        """Raise if the status is 400 or higher; the body stays unread.

        Raises:
            HTTPStatusError: The response is a 4xx or 5xx.
        """
        self._response.raise_for_status()

    def read(self) -> bytes:
        """Read the body, or what is left of it; see `read` of `railhttp.StreamContext`."""
        try:
            return self._thread.run(self._response.read())
        except ThreadClosedError:
            raise closed_failure(self.head.method, self.head.url) from None

    def json(self) -> JSON:
        """Parse the body as JSON, after `read()`; see `json` of `railhttp.StreamContext`."""
        return self._response.json()

    def __iter__(self) -> Iterator[bytes]:
        return self.iter_bytes()

    def _iterate(self, source: AsyncIterator[T]) -> Iterator[T]:
        return self._thread.iterate(source, self.head.method, self.head.url)

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield the chunks of the body as they arrive, with content codings undone."""
        return self._iterate(self._response.aiter_bytes())

    def iter_lines(self, *, max_line_bytes: int | None = DEFAULT_MAX_LINE_BYTES) -> Iterator[str]:
        """Yield the lines of the body; see `aiter_lines` of `railhttp.StreamContext`."""
        return self._iterate(self._response.aiter_lines(max_line_bytes=max_line_bytes))

    def iter_json(self, *, max_line_bytes: int | None = DEFAULT_MAX_LINE_BYTES) -> Iterator[JSON]:
        """Yield the documents of an NDJSON body; see `aiter_json` of `railhttp.StreamContext`."""
        return self._iterate(self._response.aiter_json(max_line_bytes=max_line_bytes))

    def decoded(
        self, model: TypeForm[T], *, max_line_bytes: int | None = DEFAULT_MAX_LINE_BYTES
    ) -> Iterator[Result[T, HTTPFailure]]:
        """Yield the documents of an NDJSON body, each decoded; see `railhttp.StreamContext`."""
        return self._iterate(self._response.decoded(model, max_line_bytes=max_line_bytes))
