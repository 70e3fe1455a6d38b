"""Server-sent events from one connection, or from several in turn."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Final

from railhttp.client.limited_response import LimitedResponse, check_limit
from railhttp.client.stream_request import StreamRequest
from railhttp.client.turns import Turns, slices
from railhttp.model.errors import (
    FAILURES,
    CallInfo,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPResponseTooLargeError,
    HTTPValidationError,
)
from railhttp.model.headers import require_headers
from railhttp.policy.backoff import Backoff
from railhttp.policy.reconnect import may_pass
from railhttp.wire.sse import EventStreamDecoder, EventTooLarge, ServerSentEvent

EVENT_STREAM: Final = "text/event-stream"

EVENT_HEADERS: Final = {"Accept": EVENT_STREAM, "Cache-Control": "no-store"}

RECONNECTION_TIME: Final = 3.0
"""The default wait before a reconnection, in seconds; browsers wait 3 to 5."""

SHORTEST_BACKOFF: Final = 0.1
LONGEST_BACKOFF: Final = 30.0
"""The bounds of the back-off in seconds. It is added to the reconnection time, and doubles until
the server sends an event."""


class EventStream:
    """The events of a URL, and the connection that they come over."""

    def __init__(
        self,
        request: StreamRequest,
        *,
        reconnect: bool,
        last_event_id: str,
        max_event_bytes: int | None,
    ) -> None:
        check_limit(max_event_bytes, "max_event_bytes", request.call_info)
        self._request = request
        self._reconnect = reconnect
        self._max_event_bytes = max_event_bytes
        self._decoder = EventStreamDecoder(max_event_bytes, last_event_id=last_event_id)
        self._response: LimitedResponse | None = None
        self._time = RECONNECTION_TIME
        self._fruitless = 0
        self._closed = False

    async def connect(self) -> None:
        """Open the connection. A 204 means that the stream has ended, if it reconnects."""
        await self._connect(self._headers())

    def _headers(self) -> Mapping[str, str]:
        last_event_id = self._decoder.last_event_id
        return {"Last-Event-ID": last_event_id} if last_event_id else {}

    async def _connect(self, headers: Mapping[str, str]) -> None:
        response = await self._request.open(headers)
        try:
            await self._check(response)
        except BaseException:
            response.close()
            raise
        if self._closed:
            response.close()
        last_event_id = self._decoder.last_event_id
        self._decoder = EventStreamDecoder(self._max_event_bytes, last_event_id=last_event_id)
        self._response = response

    async def _check(self, response: LimitedResponse) -> None:
        head = response.answer()
        if head.status == 204 and self._reconnect:
            self._reconnect = False
            return
        if head.status != 200:
            raise await response.status_error()
        if head.content_type != EVENT_STREAM:
            raise HTTPDecodeError(
                f"expected {EVENT_STREAM}",
                where="Content-Type",
                content_type=head.content_type,
                response=await response.page(),  # often the document of an error
                **response.call_info(),
            )

    def call_info(self) -> CallInfo:
        """Return the details that a failure of this stream carries."""
        return self._request.call_info()

    def close(self) -> None:
        """Close the connection for good."""
        self._closed = True
        self._reconnect = False
        if self._response is not None:
            self._response.close()

    async def events(self) -> AsyncGenerator[ServerSentEvent, None]:
        """Yield the events as they arrive."""
        turns = Turns()
        while (response := self._response) is not None:
            for piece in slices(await self._receive(response)):
                for event in self._decode(piece, response):
                    self._fruitless = 0
                    yield event
                if turns.are_due(len(piece)):
                    await asyncio.sleep(0)

    async def _receive(self, response: LimitedResponse) -> bytes:
        """Read the next chunk; open the next connection if this one ended."""
        try:
            chunk = await response.chunk()
        except FAILURES as failure:
            if not (self._reconnect and may_pass(failure)):
                raise
            chunk = b""
        if not chunk:
            response.close()
            self._response = None
            if self._reconnect:
                await self._connect_again()
        return chunk

    async def _connect_again(self) -> None:
        # A server may send an id that no header field can hold; then the field is left out.
        headers: Mapping[str, str] = {}
        with suppress(HTTPValidationError):
            headers = require_headers(self._headers())
        while self._response is None and self._reconnect:
            self._fruitless += 1
            backoff = Backoff(max(self._time, SHORTEST_BACKOFF), LONGEST_BACKOFF)
            await self._request.pause(backoff, self._fruitless, at_least=self._time)
            await self._try_to_connect(headers)

    async def _try_to_connect(self, headers: Mapping[str, str]) -> None:
        if self._closed:  # by another task that has left the block meanwhile
            raise HTTPConnectionError("the stream is closed", kind="closed", **self.call_info())
        try:
            await self._connect(headers)
        except FAILURES as failure:
            if not may_pass(failure):
                raise

    def _decode(self, chunk: bytes, response: LimitedResponse) -> list[ServerSentEvent]:
        try:
            events = self._decoder.feed(chunk)
        except EventTooLarge as error:
            raise HTTPResponseTooLargeError(
                str(error), limit=error.limit, **response.call_info()
            ) from None
        if self._decoder.retry is not None:
            self._time = self._decoder.retry / 1000
        return events
