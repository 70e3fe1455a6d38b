"""The text of a schedule."""

import re

import pytest

from railhttp.testing.explore import Fault, Schedule

PAIR = "POST /payments/o: disconnected, acted; DELETE /payments/o #2: html"


def test_a_schedule_is_a_mapping_from_calls_to_faults() -> None:
    schedule = Schedule.parse(PAIR)
    assert dict(schedule) == {
        "POST /payments/o": Fault("disconnected", acted=True),
        "DELETE /payments/o #2": Fault("html"),
    }
    assert str(schedule) == PAIR
    assert repr(schedule) == f"<Schedule {PAIR}>"
    assert {schedule: 1}[Schedule.parse(PAIR)] == 1


def test_a_schedule_without_a_fault_has_a_text_too() -> None:
    assert Schedule.parse(str(Schedule())) == Schedule()


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("get /x: dns", "GET /x: dns"),
        ("GET /x#2: dns", "GET /x #2: dns"),
        ("GET /x #1: dns", "GET /x: dns"),
        ("GET /a;b:c: 204", "GET /a;b:c: 204, acted"),
        ("  GET /: dns;\n  GET /b: tls\n", "GET /: dns; GET /b: tls"),
    ],
)
def test_what_people_write_is_read(text: str, canonical: str) -> None:
    assert str(Schedule.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "schedule: expected 'METHOD /path: fault', got ''"),
        ("nonsense", "schedule: expected 'METHOD /path: fault', got 'nonsense'"),
        ("GET /x", "schedule: expected"),
        ("GET /x: dns;", "fault: there is no 'dns;'"),
        ("GET /x: dns; ", "fault: there is no 'dns;'"),
        ("x: dns", "call: expected 'METHOD /path', got 'x'"),
        ("GET x: dns", "call: expected"),
        ("GET /x #0: dns", "call: calls are counted from 1"),
        ("GET /x: dns; GET /x: tls", "schedule: GET /x appears twice"),
        ("GET /x: nonsense", "fault: there is no 'nonsense'"),
        ("GET /x: dns, acted", "fault: 'dns' cannot happen to a server that acted"),
    ],
)
def test_what_is_no_schedule_is_a_value_error(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Schedule.parse(text)
