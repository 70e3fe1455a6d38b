"""Resuming a download: nothing is taken that contradicts what is known (RFC 9110, 14, 15.3.7)."""

import pytest
from multidict import CIMultiDict

from railhttp.model.response import HttpResponse, freeze_headers
from railhttp.policy.resume import (
    ContentRange,
    Partial,
    ResumeDecision,
    StartOver,
    Take,
    Unusable,
    content_range,
    decide_resume,
    is_complete,
    strong_validator,
)

V1, V2, WEAK = ("ETag", '"v1"'), ("ETag", '"v2"'), ("ETag", 'W/"v1"')
PART = Partial(4, '"v1"')
KNOWN = Partial(4, '"v1"', 7)
NOTHING = Partial()


def response(status: int, *fields: tuple[str, str]) -> HttpResponse:
    return HttpResponse(status, freeze_headers(CIMultiDict(fields)))


def place(text: str) -> tuple[str, str]:
    return ("Content-Range", text)


def length(number: int) -> tuple[str, str]:
    return ("Content-Length", str(number))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["bytes 4-6/7"], ContentRange(4, 6, 7)),
        (["Bytes 4-6/7"], ContentRange(4, 6, 7)),
        (["bytes 4-6/*"], ContentRange(4, 6, None)),
        (["bytes 0-0/1"], ContentRange(0, 0, 1)),
        (["bytes 04-006/7"], ContentRange(4, 6, 7)),
        (["bytes */7"], ContentRange(None, None, 7)),
        (["\tbytes 4-6/7 "], ContentRange(4, 6, 7)),
        (["bytes 4-6/7", "bytes 4-6/7"], ContentRange(4, 6, 7)),
        (["bytes 4-6/7", "bytes 4-6/8"], None),
        ([], None),
        ([""], None),
        (["bytes 5-9/7"], None),
        (["bytes 5-7/7"], None),
        (["bytes 5-4/*"], None),
        (["bytes 5-4/7"], None),
        (["bytes */*"], None),
        (["bytes 4-/7"], None),
        (["bytes -4/7"], None),
        (["bytes 4-6"], None),
        (["bytes  4-6/7"], None),
        (["bytes=4-6/7"], None),
        (["bytes 4 - 6/7"], None),
        (["bytes 4-6/7\x0b"], None),
        (["bytes 4-6/7, bytes 4-6/7"], None),
        (["bytes +4-6/7"], None),
        (["bytes ٤-6/7"], None),
        (["items 4-6/7"], None),
        ([f"bytes 4-{'9' * 30}/*"], None),
    ],
)
def test_a_content_range_is_valid_or_none(fields: list[str], expected: ContentRange | None) -> None:
    assert content_range(response(206, *map(place, fields))) == expected


@pytest.mark.parametrize(
    ("partial", "head", "decision"),
    [
        # 206: only what goes on where the part ends, in the same version.
        (PART, response(206, place("bytes 4-6/7")), Take(4, 7, '"v1"')),
        (PART, response(206, place("bytes 4-6/7"), V1, length(3)), Take(4, 7, '"v1"')),
        (PART, response(206, place("bytes 4-5/7"), V1), Take(4, 7, '"v1"')),
        (PART, response(206, place("bytes 4-6/*"), V1), Take(4, None, '"v1"')),
        (KNOWN, response(206, place("bytes 4-6/*"), V1), Take(4, 7, '"v1"')),
        (PART, response(206), StartOver()),
        (PART, response(206, place("bytes 3-6/7")), StartOver()),
        (PART, response(206, place("bytes 5-6/7")), StartOver()),
        (PART, response(206, place("bytes 4-9/7")), StartOver()),
        (PART, response(206, place("bytes 4-3/*")), StartOver()),
        (PART, response(206, place("bytes */7")), StartOver()),
        (PART, response(206, place("bytes 4-6/7"), place("bytes 4-6/8")), StartOver()),
        (PART, response(206, place("bytes 4-6/7"), length(2)), StartOver()),
        (PART, response(206, place("bytes 4-6/7"), length(7)), StartOver()),
        (PART, response(206, place("bytes 4-6/7"), V2), StartOver()),
        (PART, response(206, place("bytes 4-6/7"), WEAK), StartOver()),
        (PART, response(206, place("bytes 4-6/7"), ("Content-Encoding", "br")), StartOver()),
        (KNOWN, response(206, place("bytes 4-7/8"), V1), StartOver()),
        (KNOWN, response(206, place("bytes 4-7/*"), V1), StartOver()),
        (NOTHING, response(206, place("bytes 0-6/7")), Unusable()),
        # 200: the whole, unless it says of itself that it is not.
        (NOTHING, response(200, length(7), V1), Take(0, 7, '"v1"')),
        (KNOWN, response(200, length(7), V1), Take(0, 7, '"v1"')),
        (KNOWN, response(200, length(9), V2), Take(0, 9, '"v2"')),
        (KNOWN, response(200, length(9)), Take(0, 9, "")),
        (KNOWN, response(200, length(9), WEAK), Take(0, 9, "")),
        (PART, response(200, length(9), V1), Take(0, 9, '"v1"')),
        (KNOWN, response(200, length(9), V1), StartOver()),
        (KNOWN, response(200, length(9), V1, ("Content-Encoding", "br")), Take(0, None, "")),
        (KNOWN, response(200, place("bytes 4-6/7"), V1), StartOver()),
        (KNOWN, response(200, place("bytes 0-6/7"), V1), StartOver()),
        (KNOWN, response(200, place("nonsense")), StartOver()),
        (NOTHING, response(200, place("bytes 0-6/7"), length(7)), Take(0, 7, "")),
        (NOTHING, response(200, place("bytes 0-6/*"), length(7)), Take(0, 7, "")),
        (NOTHING, response(200, place("bytes */7"), length(7)), Take(0, 7, "")),
        (NOTHING, response(200, place("nonsense"), length(7)), Take(0, 7, "")),
        (NOTHING, response(200, place("bytes 4-6/7"), length(3)), Unusable()),
        (NOTHING, response(200, place("bytes 0-3/7"), length(4)), Unusable()),
        (NOTHING, response(200, place("bytes 0-6/7"), length(4)), Unusable()),
        (PART, response(203, length(7)), Take(0, 7, "")),
        # Other statuses never take the place of a part.
        *((PART, response(status), Unusable()) for status in (201, 202, 204, 205, 207, 226)),
        *((PART, response(status), Unusable()) for status in (300, 304, 404, 412, 500, 503)),
        (NOTHING, response(300, length(7), V1), Unusable()),
        (PART, response(416), StartOver()),
        (NOTHING, response(416), Unusable()),
    ],
)
def test_what_is_done_with_a_response(
    partial: Partial, head: HttpResponse, decision: ResumeDecision
) -> None:
    assert decide_resume(partial, head) == decision


@pytest.mark.parametrize(
    ("partial", "head", "complete"),
    [
        (PART, response(416, place("bytes */4")), True),
        (PART, response(416, place("bytes */4"), V1), True),
        (Partial(4, '"v1"', 4), response(416, place("bytes */4")), True),
        (Partial(4, '"v1"', 4), response(416), True),
        (PART, response(416, place("bytes */3")), False),
        (PART, response(416, place("bytes */7")), False),
        (PART, response(416, place("bytes */4"), V2), False),
        (PART, response(416, place("bytes */4"), WEAK), False),
        (PART, response(416, place("bytes 0-3/4")), False),
        (PART, response(416), False),
        (KNOWN, response(416), False),
        (KNOWN, response(416, place("bytes */4")), False),
        (Partial(4, '"v1"', 4), response(416, place("bytes */x")), False),
        (PART, response(206, place("bytes */4")), False),
        (NOTHING, response(416, place("bytes */0")), False),
        (Partial(4), response(416, place("bytes */4")), False),
    ],
)
def test_a_part_that_is_whole_is_known_by_a_416(
    partial: Partial, head: HttpResponse, complete: bool
) -> None:
    assert is_complete(partial, head) is complete


NOON = "Mon, 01 Jan 2024 12:00:00 GMT"


@pytest.mark.parametrize(
    ("modified", "date", "validator"),
    [
        ("Mon, 01 Jan 2024 11:59:59 GMT", NOON, "Mon, 01 Jan 2024 11:59:59 GMT"),
        (NOON, NOON, ""),
        ("Mon, 01 Jan 2024 12:00:01 GMT", NOON, ""),
        ("Mon, 01 Jan 2024 11:59:59 GMT", "", ""),
        ("Mon, 01 Jan 2024 11:59:59 GMT", "yesterday", ""),
        ("Mon, 01 Jan 2024 11:59:59 -0000", NOON, ""),  # of no time zone
        ("Mon, 01 Jan 99999 00:00:00 GMT", NOON, ""),
        ("Mon, 32 Jan 2024 00:00:00 GMT", NOON, ""),
        (f"Mon, 01 Jan 2024 00:00:00 +{'9' * 20}", NOON, ""),  # an OverflowError of Python
    ],
)
def test_a_date_is_a_validator_if_it_is_older_than_the_response(
    modified: str, date: str, validator: str
) -> None:
    head = response(200, ("Last-Modified", modified), ("Date", date))
    assert strong_validator(head) == validator
