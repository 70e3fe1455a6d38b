"""Dates of `Expires`: every spelling that RFC 6265, section 5.1.1, reads, and those it does not."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from railhttp.wire.cookie_date import parse_cookie_date

MOMENT = datetime(2037, 4, 5, 6, 7, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 05 Apr 2037 06:07:08 GMT",
        "Sunday, 05-Apr-37 06:07:08 GMT",
        "Sun Apr  5 06:07:08 2037",
        "Sun, 05-Apr-2037 06:07:08 GMT",
        "Sun Apr 05 2037 06:07:08 GMT-0500 (EST)",
        "5 apr 2037 6:7:8",
        "APRIL 5 2037 06:07:08",
        "2037 5 Apr 06:07:08",
        "06:07:08 05 Apr 37",
        "05 37 Apr 06:07:08",
        "Apr/5/2037/06:07:08",
        "Apr&5<2037>06:07:08",
        "\t05\tApr~2037\t06:07:08\t",
        "Sun, 05 Aprilis 2037 06:07:08 GMT",
        "05 Apr 2037 06:07:08 06:07:09 06 May 2038",
        "05th Apr 2037 06:07:08Z",
        "5x Apr 2037y 06:07:08.999",
        "Sun, 05 Apr 2037 06:07:08 +0200",
        "not-a-date 05 x Apr y 2037 z 06:07:08",
        "Sun,05-Apr-2037,06:07:08",
        "é 05 Apr 2037 06:07:08",
        "ja fe ma ap ju au se oc no de 05 Apr 2037 06:07:08",
    ],
)
def test_a_moment_has_many_spellings(text: str) -> None:
    assert parse_cookie_date(text) == MOMENT.timestamp()


def test_every_day_of_a_year_is_read_as_servers_write_it() -> None:
    for days in range(366):
        moment = MOMENT + timedelta(days=days)
        assert parse_cookie_date(format_datetime(moment, usegmt=True)) == moment.timestamp()
        assert parse_cookie_date(moment.ctime()) == moment.timestamp()


@pytest.mark.parametrize(
    ("year", "full"),
    [
        ("70", 1970),
        ("99", 1999),
        ("00", 2000),
        ("69", 2069),
        ("100", None),
        ("1600", None),
        ("1601", 1601),
        ("9999", 9999),
        ("070", 1970),
        ("0037", 2037),
    ],
)
def test_a_short_year_is_between_1970_and_2069(year: str, full: int | None) -> None:
    expected = None if full is None else datetime(full, 1, 1, tzinfo=UTC).timestamp()
    assert parse_cookie_date(f"1 Jan {year} 00:00:00") == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Wed",
        "05 Apr 2037",
        "05 Apr 06:07:08",
        "05 2037 06:07:08",
        "Apr 2037 06:07:08",
        "05 Ap 2037 06:07:08",
        "05 Apr 2037 06:07",
        "05 Apr 2037 06:07:",
        "05 Apr 2037 06: 07:08",
        "05 Apr 2037 06:07:008",
        "05 Apr 2037 006:07:08",
        "005 Apr 2037 06:07:08",
        "05 Apr 20370 06:07:08",
        "05 Apr 2 06:07:08",
        "00 Apr 2037 06:07:08",
        "31 Apr 2037 06:07:08",
        "32 Mar 2037 06:07:08",
        "29 Feb 2037 06:07:08",
        "37 Apr 05 06:07:08",  # the first number of one or two digits is the day
        "05 Apr 2037 24:00:00",
        "05 Apr 2037 06:60:08",
        "05 Apr 2037 06:07:60",
        "05 Apr 2037 x6:07:08",
        "2037-04-05T06:07:08Z",
        "05.April2037.06:07:08",
        "٠٥ Apr 2037 06:07:08",
    ],
)
def test_what_has_no_date_is_none(text: str) -> None:
    assert parse_cookie_date(text) is None


def test_a_leap_day_is_one() -> None:
    assert parse_cookie_date("29 Feb 2036 00:00:00") is not None


@pytest.mark.usefixtures("far_from_greenwich")
def test_a_date_is_in_utc_wherever_the_program_runs() -> None:
    assert parse_cookie_date("01 Jan 1970 00:00:00") == 0
