"""Laws of the event stream decoder, and the standard's rules as a model beside it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import strategies as some

from railhttp.wire.sse import EventStreamDecoder, EventTooLarge, ServerSentEvent


class Model:
    """WHATWG HTML, section 9.2.6, word by word, on a whole stream."""

    def __init__(self, stream: bytes) -> None:
        self.events: list[ServerSentEvent] = []
        self.data = self.event_type = self.id_buffer = self.last_event_id = ""
        self.retry: int | None = None
        self.block_retry: int | None = None
        text = stream.decode("utf-8", "replace")
        if text[:1] == "\ufeff":
            text = text[1:]
        for line in self.lines(text):
            self.process(line)

    @staticmethod
    def lines(text: str) -> list[str]:
        lines, line, position = [], "", 0
        while position < len(text):
            character = text[position]
            if character in "\r\n":
                lines.append(line)
                line = ""
                position += text[position : position + 2] == "\r\n"
            else:
                line += character
            position += 1
        return lines

    def process(self, line: str) -> None:
        if line == "":
            self.dispatch()
        elif line[0] == ":":
            pass
        elif ":" in line:
            colon = line.index(":")
            value = line[colon + 1 :]
            self.field(line[:colon], value[1:] if value[:1] == " " else value)
        else:
            self.field(line, "")

    def field(self, name: str, value: str) -> None:
        if name == "event":
            self.event_type = value
        elif name == "data":
            self.data += value + "\n"
        elif name == "id" and "\0" not in value:
            self.id_buffer = value
        elif name == "retry" and value and all(digit in "0123456789" for digit in value):
            self.retry = self.block_retry = int(value)

    def dispatch(self) -> None:
        self.last_event_id = self.id_buffer
        if self.data:
            event_type = self.event_type or "message"
            event = ServerSentEvent(self.data[:-1], event_type, self.id_buffer, self.block_retry)
            self.events.append(event)
        self.data = self.event_type = ""
        self.block_retry = None


def decode(decoder: EventStreamDecoder, chunks: list[bytes]) -> list[ServerSentEvent]:
    return [event for chunk in chunks for event in decoder.feed(chunk)]


@given(st.data(), some.event_streams | st.binary())
def test_any_cut_of_any_bytes_agrees_with_the_standard(data: st.DataObject, stream: bytes) -> None:
    decoder = EventStreamDecoder()
    model = Model(stream)
    assert decode(decoder, data.draw(some.cut(stream))) == model.events
    assert decoder.last_event_id == model.last_event_id
    assert decoder.retry == model.retry


@given(st.data(), some.event_streams, st.integers(0, 30))
def test_a_limit_is_the_same_for_any_cut_and_changes_nothing_else(
    data: st.DataObject, stream: bytes, limit: int
) -> None:
    chunks = data.draw(some.cut(stream))
    if largest(stream) <= limit:
        events = decode(EventStreamDecoder(limit), chunks)
        assert events == Model(stream).events
    else:
        with pytest.raises(EventTooLarge):
            decode(EventStreamDecoder(limit), chunks)


def largest(stream: bytes) -> int:
    sizes = [0]
    size = 0
    for line in re.split(rb"\r\n|\r|\n", stream):
        sizes.append(size + len(line))
        size = size + len(line) * (not line.startswith(b":")) if line else 0
    return max(sizes)


def written(event: ServerSentEvent, end: str) -> str:
    fields = [f"event: {event.event}", f"id: {event.event_id}"]
    fields += [] if event.retry is None else [f"retry: {event.retry}"]
    fields += [f"data: {line}" for line in event.data.split("\n")]
    return "".join(field + end for field in [*fields, ""])


@given(st.data(), st.lists(some.server_sent_events), st.sampled_from(["\n", "\r\n", "\r"]))
def test_events_written_are_events_read(
    data: st.DataObject, events: list[ServerSentEvent], end: str
) -> None:
    stream = "".join(written(event, end) for event in events).encode()
    assert decode(EventStreamDecoder(), data.draw(some.cut(stream))) == events
