"""Server-sent events, by the parsing rules of WHATWG HTML, section 9.2.6."""

import re
from typing import Final, NamedTuple

from railhttp.wire.lines import LineBuffer

# Python's int() refuses endless digits; a time past 30 000 years is ignored instead.
_RETRY: Final = re.compile("0*([0-9]{1,15})")


class EventTooLarge(ValueError):
    """An event is larger than the caller allows.

    Attributes:
        limit: The limit, in bytes.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(f"an event is larger than {limit} bytes")
        self.limit: Final = limit


class ServerSentEvent(NamedTuple):
    """One event of a stream; a tuple, because streams make many of them.

    Attributes:
        data: Its text; several `data` fields are joined by LF.
        event: Its type.
        event_id: The last id that the stream gave, in this event or before; empty for none.
        retry: The reconnection time that came with this event, in milliseconds.

    Example:
        >>> ServerSentEvent("hello")
        ServerSentEvent(data='hello', event='message', event_id='', retry=None)
    """

    data: str
    event: str = "message"
    event_id: str = ""
    retry: int | None = None


class EventStreamDecoder:
    r"""Turns the bytes of an event stream into events, as browsers do.

    An event counts only when the blank line after it has come: what is left at the end of the
    stream is dropped, so that `last_event_id` names what a reconnection may start from.

    Args:
        max_event_bytes: The most bytes that the lines of one event may have, not counting line
            ends and finished comments; None for no limit.
        last_event_id: The id to begin with, after a reconnection.

    Attributes:
        last_event_id: The id to send as `Last-Event-ID` when reconnecting.
        retry: The latest reconnection time, in milliseconds; None where the stream gave none.

    Example:
        >>> decoder = EventStreamDecoder()
        >>> decoder.feed(b"id: 7\ndata: hel")
        []
        >>> decoder.feed(b"lo\n\n")
        [ServerSentEvent(data='hello', event='message', event_id='7', retry=None)]
        >>> decoder.last_event_id
        '7'
    """

    __slots__ = (
        "_after_cr",
        "_at_start",
        "_buffer",
        "_data",
        "_event",
        "_event_bytes",
        "_event_id",
        "_event_retry",
        "_max_event_bytes",
        "last_event_id",
        "retry",
    )

    def __init__(self, max_event_bytes: int | None = None, *, last_event_id: str = "") -> None:
        self.last_event_id = last_event_id
        self.retry: int | None = None
        self._max_event_bytes = max_event_bytes
        self._buffer = LineBuffer()
        self._at_start = True
        self._after_cr = False
        # The event that is not whole yet.
        self._event_bytes = 0
        self._data: list[str] = []
        self._event = ""
        self._event_id = last_event_id
        self._event_retry: int | None = None

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Take the next bytes.

        Args:
            chunk: Any number of bytes, cut anywhere.

        Returns:
            The events that are now whole.

        Raises:
            EventTooLarge: An event, whole or not, is beyond the limit; the decoder is of no more
                use.
        """
        text = self._whole_lines(chunk)
        events: list[ServerSentEvent] = []
        if not text:
            return events
        lines = text.split("\n")
        lines.pop()  # what follows the last LF: nothing
        data = self._data
        for line in lines:
            # The commonest first: this loop is the speed of a stream.
            if line.startswith("data: "):
                data.append(line[6:])
            elif not line:
                self._end(events)
            elif line.startswith("event: "):
                self._event = line[7:]
            else:
                self._take(line)
        return events

    def _whole_lines(self, chunk: bytes) -> str:
        """Give the lines that are now whole, each with LF for its end."""
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        whole = self._buffer.take(chunk)
        if self._max_event_bytes is not None:
            self._check(whole, self._max_event_bytes)
        text = whole.decode("utf-8", "replace")
        if self._at_start and text:
            self._at_start = False
            return text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
        return text

    def _check(self, whole: bytes, limit: int) -> None:
        for line in whole.split(b"\n")[:-1]:
            size = self._event_bytes + len(line)
            if size > limit:
                raise EventTooLarge(limit)
            if not line:
                self._event_bytes = 0
            elif not line.startswith(b":"):
                self._event_bytes = size
        if self._event_bytes + self._buffer.held > limit:
            raise EventTooLarge(limit)

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        if value.startswith(" "):
            value = value[1:]
        if name == "event":
            self._event = value
        elif name == "data":
            self._data.append(value)
        elif name == "id":
            if "\0" not in value:
                self._event_id = value
        elif name == "retry" and (digits := _RETRY.fullmatch(value)):
            self.retry = self._event_retry = int(digits[1])

    def _end(self, events: list[ServerSentEvent]) -> None:
        data = self._data
        self.last_event_id = event_id = self._event_id
        if data:
            text = data[0] if len(data) == 1 else "\n".join(data)
            event = (text, self._event or "message", event_id, self._event_retry)
            # tuple.__new__ does what ServerSentEvent() does in half the time.
            events.append(tuple.__new__(ServerSentEvent, event))
            data.clear()
        self._event = ""
        self._event_retry = None
