"""Server-sent events, rule by rule (WHATWG HTML, section 9.2.6)."""

from itertools import permutations

import pytest

from railhttp.wire.sse import EventStreamDecoder, EventTooLarge, ServerSentEvent


def decode(*chunks: bytes) -> list[ServerSentEvent]:
    decoder = EventStreamDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)]


def message(data: str, event_id: str = "", retry: int | None = None) -> ServerSentEvent:
    return ServerSentEvent(data, event_id=event_id, retry=retry)


RULES: dict[str, tuple[bytes, list[ServerSentEvent]]] = {
    "data fields are joined": (b"data: YHOO\ndata: +2\ndata: 10\n\n", [message("YHOO\n+2\n10")]),
    "a comment is nothing": (b": test stream\n\n:\n\ndata: 1\n:in it\n\n", [message("1")]),
    "one leading space goes": (b"data:a\n\ndata: a\n\ndata:  a\n\n", [*2 * [message("a")],
                                                                    message(" a")]),
    "a field without a colon is empty": (b"data\n\ndata\ndata\n\ndata:\n\n",
                                         [message(""), message("\n"), message("")]),
    "an event without data is none": (b"event: x\n\nevent: y\nid: 1\n\n\n", []),
    "a type holds for one event": (b"event: add\ndata: 1\n\ndata: 2\n\n",
                                   [ServerSentEvent("1", "add"), message("2")]),
    "the last type counts, an empty one is message": (b"event: a\nevent\ndata: 1\n\n",
                                                      [message("1")]),
    "the type of an event without data is forgotten": (b"event: x\n\ndata: 1\n\n", [message("1")]),
    "an id sticks": (b"id: 1\ndata: a\n\ndata: b\n\n", [message("a", "1"), message("b", "1")]),
    "an empty id resets": (b"id: 1\ndata: a\n\nid\ndata: b\n\n", [message("a", "1"), message("b")]),
    "an id with NUL is ignored": (b"id: 1\nid: 2\x003\ndata: a\n\n", [message("a", "1")]),
    "an id without data counts for the next": (b"id: 9\n\ndata: a\n\n", [message("a", "9")]),
    "retry goes with its event": (b"retry: 50\ndata: a\n\ndata: b\n\n",
                                  [message("a", retry=50), message("b")]),
    "retry without data goes with none": (b"retry: 50\n\ndata: a\n\n", [message("a")]),
    "unknown fields are ignored": (b"Data: x\n data: y\nfoo: z\ndata: a\n\n", [message("a")]),
    "a colon belongs to the value": (b"data: a: b\n\n", [message("a: b")]),
    "CR and CRLF end lines too": (b"data: a\r\rdata: b\r\n\r\ndata: c\r\n\ndata: d\n\r\n",
                                  [message(text) for text in "abcd"]),
    "a byte-order mark goes once": (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n",
                                    [message("b")]),
    "a mark at the start": (b"\xef\xbb\xbfdata: a\n\n", [message("a")]),
    "a mark further on is content": (b"\n\xef\xbb\xbfdata: a\n\n", []),
    "what is not UTF-8 is replaced": (b"data: \xff\xc3\n\n", [message("\ufffd\ufffd")]),
    "blank lines are nothing": (b"\n\n\n\ndata: a\n\n\n\n\ndata: b\n\n",
                                [message("a"), message("b")]),
    "the end of the stream ends no event": (b"data: a\n\ndata: b\n", [message("a")]),
    "only LF, CR and CRLF end lines": ("data: a\u2028b\x0b\x85c\n\n".encode(),
                                       [message("a\u2028b\x0b\x85c")]),
}  # fmt: skip


@pytest.mark.parametrize(("stream", "events"), RULES.values(), ids=RULES)
def test_a_rule_holds_for_the_whole_and_byte_by_byte(
    stream: bytes, events: list[ServerSentEvent]
) -> None:
    assert decode(stream) == events
    assert decode(*(bytes([byte]) for byte in stream)) == events


def test_an_event_comes_at_once_where_a_cr_ends_it() -> None:
    decoder = EventStreamDecoder()
    assert decoder.feed(b"data: a\r\r") == [message("a")]
    assert decoder.feed(b"") == []
    assert decoder.feed(b"\ndata: b\n\n") == [message("b")]


@pytest.mark.parametrize(
    ("value", "retry"),
    [
        (b"3000", 3000),
        (b"0", 0),
        (b"0" * 5000 + b"7", 7),
        (b"", None),
        (b"-1", None),
        (b"1.5", None),
        (b"1s", None),
        (b" 1", None),
        ("٣".encode(), None),
        (b"9" * 5000, None),
    ],
)
def test_retry_takes_ascii_digits_only(value: bytes, retry: int | None) -> None:
    decoder = EventStreamDecoder()
    decoder.feed(b"retry: " + value + b"\n")
    assert decoder.retry == retry


def test_the_id_to_reconnect_with_is_that_of_the_last_whole_event() -> None:
    decoder = EventStreamDecoder(last_event_id="6")
    assert decoder.feed(b"data: a\n\nid: 7\ndata: b\n\nid: 8\ndata: lost") == [
        message("a", "6"),
        message("b", "7"),
    ]
    assert decoder.last_event_id == "7"


@pytest.mark.parametrize(
    "chunks",
    [
        [b"data: 12345"],
        [b"data: 1234", b"5"],
        [b"data: 1\n\ndata: 12345\n\n"],
        [b"data: 1\n\ndata: 12345"],
        [b"data: 1\n", b"data: 2"],
        [b":2345678901"],
    ],
)
def test_an_event_beyond_the_limit_is_refused_before_its_end_has_come(chunks: list[bytes]) -> None:
    decoder = EventStreamDecoder(max_event_bytes=10)
    with pytest.raises(EventTooLarge, match="larger than 10 bytes") as caught:
        list(map(decoder.feed, chunks))
    assert caught.value.limit == 10


def test_comments_between_events_do_not_add_up_to_the_limit() -> None:
    decoder = EventStreamDecoder(max_event_bytes=10)
    for _ in range(10):
        assert decoder.feed(b": ping\n") == []
    assert decoder.feed(b"data: 1234\n\ndata: 5678\n\n") == [message("1234"), message("5678")]


def test_a_line_end_of_cr_and_lf_may_be_split() -> None:
    decoder = EventStreamDecoder()
    assert decoder.feed(b"data: a\r") == []
    assert decoder.feed(b"") == []
    assert decoder.feed(b"\ndata: b\r") == []
    assert decoder.feed(b"\n\r\n") == [message("a\nb")]


@pytest.mark.parametrize("first", [b"data: a\rdata: b", b"data: a\r\ndata: b", b"data: a\ndata: b"])
def test_an_lf_after_other_characters_than_a_cr_ends_a_line(first: bytes) -> None:
    decoder = EventStreamDecoder()
    assert decoder.feed(first) == []
    assert decoder.feed(b"\n\n") == [message("a\nb")]


@pytest.mark.parametrize("end", [[b"\n"], [b"\n\n"], [b"\n\n:\n\n"], [b"\r\n"], [b"\n", b"\n"]])
def test_the_bytes_of_an_event_do_not_count_for_the_next(end: list[bytes]) -> None:
    decoder = EventStreamDecoder(max_event_bytes=10)
    chunks = [b"data: 1\n", *end, b"data: 1234\n\n", b"data: 5678\n", *end]
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    assert events == [message("1"), message("1234"), message("5678")]


@pytest.mark.parametrize(("size", "fits"), [(7, True), (8, False)])
@pytest.mark.parametrize(
    "start",
    [
        *(b"data: a\n\ndata: b\n", b"\ndata: b\n", b":a\n\n:\ndata: b\n"),
        *(b"\n\ndata: b\n", b"x\n\ndata: b\n", b"\n\n\ndata: b\n", b"data: b\n"),
    ],
)
def test_of_the_lines_that_come_together_those_of_the_last_event_count(
    start: bytes, size: int, fits: bool
) -> None:
    decoder = EventStreamDecoder(max_event_bytes=20)
    decoder.feed(start)
    rest = b"data: " + b"x" * size + b"\n\n"
    if fits:
        assert decoder.feed(rest) == [message("b\n" + "x" * size)]
    else:
        with pytest.raises(EventTooLarge):
            decoder.feed(rest)


BLOCKS = [
    b"data: a\n\n",
    b"data:b\n\n",
    b"id: 1\ndata: c\n\n",
    b"event: x\ndata: d\n\n",
    b"event: y\nid: 2\ndata: e\n\n",
    b"event:\nid\ndata: f\n\n",
    b"data: g\ndata: h\n\n",
    b"data: i\nevent: z\n\n",
    b"retry: 7\n\n",
    b"id: 3\n\n",
]


@pytest.mark.parametrize("first", BLOCKS, ids=repr)
def test_an_event_is_the_same_wherever_it_stands_in_what_comes_at_once(first: bytes) -> None:
    for rest in permutations(BLOCKS, 2):
        stream = first + b"".join(rest) + BLOCKS[0]
        line_by_line = [line + b"\n" for line in stream.split(b"\n")[:-1]]
        at_once, in_lines = EventStreamDecoder(), EventStreamDecoder()
        events = [event for line in line_by_line for event in in_lines.feed(line)]
        assert at_once.feed(stream) == events
        assert at_once.last_event_id == in_lines.last_event_id
        assert at_once.retry == in_lines.retry
