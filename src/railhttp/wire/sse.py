"""Server-sent events, parsed by the rules of WHATWG HTML, section 9.2.6."""

import re
from typing import Final, NamedTuple

from railhttp.wire.lines import LineBuffer

# int() raises for very many digits, so a time of more than 30 000 years is ignored.
_RETRY: Final = re.compile("0*([0-9]{1,15})")


_USUAL: Final = re.compile(r"(?:event: ([^\n]*)\n)?(?:id: ([^\n\0]*)\n)?data: ([^\n]*)")
"""An event as most servers write it, which one match reads."""


class EventTooLarge(ValueError):
    """An event is larger than the caller allows."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"an event is larger than {limit} bytes")
        self.limit: Final = limit


class ServerSentEvent(NamedTuple):
    """One event of a stream; a tuple, because a stream creates many events.

    Attributes:
        data: The text; several `data` fields are joined by LF.
        event: The type of the event.
        event_id: The last id in the stream, from this event or an earlier one; empty without one.
        retry: The reconnection time in this event, in milliseconds; None without one.

    Example:
        >>> ServerSentEvent("hello")
        ServerSentEvent(data='hello', event='message', event_id='', retry=None)
    """

    data: str
    event: str = "message"
    event_id: str = ""
    retry: int | None = None


class EventStreamDecoder:
    """Parses the bytes of an event stream into events, as browsers do.

    A blank line completes an event. An incomplete event at the end of the stream is dropped, so
    that `last_event_id` is the point from which a reconnection resumes.

    Args:
        max_event_bytes: Largest size of the lines of one event, without line ends and complete
            comments; None means no limit.

    Attributes:
        last_event_id: The id to start with, and to send as `Last-Event-ID` when reconnecting.
        retry: The latest reconnection time, in milliseconds; None if the stream sent none.
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
        self.last_event_id: str = last_event_id
        self.retry: int | None = None
        self._max_event_bytes = max_event_bytes
        self._buffer = LineBuffer()
        self._at_start = True
        self._after_cr = False
        # The incomplete event.
        self._event_bytes = 0
        self._data: list[str] = []
        self._event = ""
        self._event_id = last_event_id
        self._event_retry: int | None = None

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Add a chunk, and return the events that it completes.

        After `EventTooLarge`, the decoder must not be used again.
        """
        text = self._whole_lines(chunk)
        events: list[ServerSentEvent] = []
        if not text:
            return events
        # Blank lines end events. Most events are a single line of data, which costs half as much
        # as any line that is looked at alone (benchmarks: decoding).
        first, *blocks = text.split("\n\n")
        if not blocks:
            self._lines(first.split("\n")[:-1], events)
            return events
        self._lines(first.split("\n"), events)  # it may continue an event
        self._end(events)
        rest = blocks.pop()
        # tuple.__new__ does what ServerSentEvent() does in half the time.
        new, append = tuple.__new__, events.append
        last_id = self._event_id
        for block in blocks:
            if block.startswith("data: ") and "\n" not in block:
                append(new(ServerSentEvent, (block[6:], "message", last_id, None)))
            elif usual := _USUAL.fullmatch(block):
                name, event_id, data = usual.groups()
                if event_id is not None:
                    self.last_event_id = self._event_id = last_id = event_id
                append(new(ServerSentEvent, (data, name or "message", last_id, None)))
            else:
                self._lines(block.split("\n"), events)
                self._end(events)
                last_id = self._event_id
        if rest:
            self._lines(rest.split("\n")[:-1], events)
        return events

    def _lines(self, lines: list[str], events: list[ServerSentEvent]) -> None:
        for line in lines:
            # The most frequent fields first, because this loop limits the speed of a stream.
            if line.startswith("data: "):
                self._data.append(line[6:])
            elif not line:
                self._end(events)
            elif line.startswith("event: "):
                self._event = line[7:]
            elif line.startswith("id: ") and "\0" not in line:
                self._event_id = line[4:]
            else:
                self._take(line)

    def _whole_lines(self, chunk: bytes) -> str:
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        whole = self._buffer.take(chunk)
        limit = self._max_event_bytes
        if limit is not None:
            size = self._event_bytes + len(whole)
            if size <= limit and whole.endswith(b"\n\n") and not self._buffer.held:
                self._event_bytes = 0  # usual: a chunk of whole events
            else:
                self._check(whole, limit)
        text = whole.decode("utf-8", "replace")
        if self._at_start and text:
            self._at_start = False
            return text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
        return text

    def _check(self, whole: bytes, limit: int) -> None:
        if self._event_bytes + len(whole) > limit:
            self._count(whole, limit)
        elif whole:
            # No event can be too large, so only the lines after the last blank line count.
            _, blank, last = whole.rpartition(b"\n\n")
            if blank or whole.startswith(b"\n"):
                self._event_bytes = 0
            self._count(last, limit)
        if self._event_bytes + self._buffer.held > limit:
            raise EventTooLarge(limit)

    def _count(self, whole: bytes, limit: int) -> None:
        for line in whole.split(b"\n")[:-1]:
            size = self._event_bytes + len(line)
            if size > limit:
                raise EventTooLarge(limit)
            if not line:
                self._event_bytes = 0
            elif not line.startswith(b":"):
                self._event_bytes = size

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
            events.append(tuple.__new__(ServerSentEvent, event))  # see `feed`
            data.clear()
        self._event = ""
        self._event_retry = None
