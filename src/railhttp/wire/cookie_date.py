"""Dates in `Expires` attributes of cookies (RFC 6265, section 5.1.1)."""

import re
from datetime import UTC, datetime
from typing import Final

_DELIMITERS: Final = re.compile(r"[\t -/;-@\[-`{-~]")

_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)

# Each production may be followed by a character that is not a digit, and then by anything.
_TIME: Final = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY: Final = re.compile(r"([0-9]{1,2})(?![0-9])")
_MONTH: Final = re.compile(f"({'|'.join(_MONTHS)})", re.IGNORECASE)
_YEAR: Final = re.compile(r"([0-9]{2,4})(?![0-9])")
_ORDER: Final = (_TIME, _DAY, _MONTH, _YEAR)


def parse_cookie_date(text: str) -> int | None:
    """Read a date the way user agents read `Expires`.

    The tokens may come in any order and with nearly any delimiter. Weekdays, time zones and
    other words are ignored; the date is always in UTC.

    Args:
        text: The attribute's value.

    Returns:
        Seconds since 1970-01-01 UTC; None if the text has no date, or one that does not exist.

    Example:
        >>> parse_cookie_date("Wed, 09 Jun 2021 10:18:14 GMT")
        1623233894
        >>> parse_cookie_date("1 jan 70 0:0:0")
        0
        >>> parse_cookie_date("30 Feb 2021 10:18:14") is None
        True
    """
    found: dict[re.Pattern[str], re.Match[str]] = {}
    for token in _DELIMITERS.split(text):
        for production in _ORDER:
            if production not in found and (match := production.match(token)):
                found[production] = match
                break
    if len(found) < len(_ORDER):
        return None
    hour, minute, second = (int(field) for field in found[_TIME].groups())
    month = _MONTHS.index(found[_MONTH][1].lower()) + 1
    year = _full_year(int(found[_YEAR][1]))
    try:
        date = datetime(year, month, int(found[_DAY][1]), hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int(date.timestamp()) if year >= 1601 else None


def _full_year(year: int) -> int:
    if year <= 69:
        return year + 2000
    return year + 1900 if year <= 99 else year
