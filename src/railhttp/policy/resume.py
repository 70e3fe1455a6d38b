"""Whether an interrupted download can resume: pure decisions about ranges (RFC 9110, 14)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final, TypeAlias

from railhttp.model.response import HttpResponse

_STRONG_ETAG: Final = re.compile(r'"[!#-~]*"')
_CONTENT_RANGE: Final = re.compile(
    r"bytes (?:([0-9]{1,18})-([0-9]{1,18})|(\*))/(?:([0-9]{1,18})|\*)", re.IGNORECASE
)
_WHOLE: Final = frozenset({200, 203})
"""Statuses whose body is the file; the body of a 202, 204 or 226 is not."""


@dataclass(frozen=True, slots=True)
class Partial:
    """The stored beginning of a file.

    Attributes:
        size: The number of stored bytes.
        validator: The version of the file: a strong `ETag`, or a date. If it is empty, the download
            cannot resume.
        total: The length of the whole file; None if unknown.
    """

    size: int = 0
    validator: str = ""
    total: int | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The header fields that request the rest; empty to request the whole file."""
        if not (self.size and self.validator):
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": self.validator}


@dataclass(frozen=True, slots=True)
class ContentRange:
    """The place of a body in a file (RFC 9110, section 14.4).

    Attributes:
        first: The first byte; None if the server has none of the bytes that were requested.
        last: The last byte, which belongs to it; None like `first`.
        total: The length of the file; None if the server does not know it.
    """

    first: int | None
    last: int | None
    total: int | None


def content_range(head: HttpResponse) -> ContentRange | None:
    """Read the `Content-Range` field of a response.

    Returns:
        The range; None if the field is missing, repeated with another value, of another unit, or
        invalid: it ends before it begins, or past the end of the file.

    Example:
        >>> from railhttp.model.response import freeze_headers
        >>> content_range(HttpResponse(206, freeze_headers({"Content-Range": "bytes 4-6/7"})))
        ContentRange(first=4, last=6, total=7)
        >>> content_range(HttpResponse(206, freeze_headers({"Content-Range": "bytes 5-9/7"})))
    """
    fields = {field.strip(" \t") for field in head.headers.getall("Content-Range", ())}
    match = _CONTENT_RANGE.fullmatch(fields.pop()) if len(fields) == 1 else None
    if match is None:
        return None
    first, last, unsatisfied, total = match.groups()
    length = None if total is None else int(total)
    if unsatisfied:
        return None if length is None else ContentRange(None, None, length)
    place = ContentRange(int(first), int(last), length)
    if int(last) < int(first) or (length is not None and length <= int(last)):
        return None
    return place


@dataclass(frozen=True, slots=True)
class Take:
    """Write the body to the file.

    Attributes:
        start: The position in the file of the first byte of the body.
        total: The length of the whole file; None if unknown.
        validator: See `Partial`.
    """

    start: int
    total: int | None
    validator: str


@dataclass(frozen=True, slots=True)
class StartOver:
    """Discard the stored bytes and request the whole file."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Give up: the response is not the file, and another request would not help."""


ResumeDecision: TypeAlias = Take | StartOver | Unusable


def decide_resume(partial: Partial, head: HttpResponse) -> ResumeDecision:
    """Decide what to do with a response.

    Args:
        partial: The stored bytes when `partial.headers` were sent.
        head: The response; its body is ignored.
    """
    ranged = bool(partial.headers)
    if head.status == 206:
        return _rest(partial, head) if ranged else Unusable()
    if head.status == 416 and ranged:
        return StartOver()
    if not 200 <= head.status < 300 or (ranged and head.status not in _WHOLE):
        return Unusable()
    if _contradicts(partial, head):
        return StartOver() if ranged else Unusable()
    if is_encoded(head):
        return Take(0, None, "")
    validator = strong_validator(head)
    known = partial.total if validator and validator == partial.validator else None
    return Take(0, known if head.content_length is None else head.content_length, validator)


def is_complete(partial: Partial, head: HttpResponse) -> bool:
    """Whether a 416 means that nothing is missing because the part is the whole file.

    Args:
        partial: The part when `partial.headers` were sent.
        head: The response.

    Example:
        >>> from railhttp.model.response import freeze_headers
        >>> head = HttpResponse(416, freeze_headers({"Content-Range": "bytes */4"}))
        >>> is_complete(Partial(4, '"v1"'), head), is_complete(Partial(5, '"v1"'), head)
        (True, False)
    """
    if head.status != 416 or not partial.headers or not _is_same_version(partial, head):
        return False
    place = content_range(head)
    if place is None:
        return "Content-Range" not in head.headers and partial.total == partial.size
    return place.first is None and place.total == partial.size == (partial.total or place.total)


def _contradicts(partial: Partial, head: HttpResponse) -> bool:
    """Whether a response with the status of a whole file is something else."""
    if "Content-Range" in head.headers and (partial.headers or not _covers_all(head)):
        return True
    if not partial.validator or is_encoded(head) or strong_validator(head) != partial.validator:
        return False
    return len({head.content_length, partial.total} - {None}) > 1  # one version has one length


def _covers_all(head: HttpResponse) -> bool:
    """Whether a needless `Content-Range` agrees that the body is the whole file."""
    place = content_range(head)
    if place is None or place.first is None or place.last is None:
        return True
    lengths = {place.last + 1, place.total, head.content_length} - {None}
    return place.first == 0 and len(lengths) == 1


def _rest(partial: Partial, head: HttpResponse) -> ResumeDecision:
    place = content_range(head)
    if place is None or place.first is None or place.last is None or place.first != partial.size:
        return StartOver()
    if is_encoded(head) or not _is_same_version(partial, head):
        return StartOver()
    if head.content_length not in {None, place.last + 1 - place.first}:
        return StartOver()
    total = partial.total if place.total is None else place.total
    if partial.total not in {None, total}:  # parts of two versions (RFC 9110, 15.3.7.3)
        return StartOver()
    if total is not None and place.last >= total:
        return StartOver()
    return Take(partial.size, total, partial.validator)


def _is_same_version(partial: Partial, head: HttpResponse) -> bool:
    # Servers should compare the validator themselves; some do not, mostly for dates.
    named = "ETag" if partial.validator.startswith('"') else "Last-Modified"
    return head.headers.get(named, partial.validator) == partial.validator


def is_encoded(head: HttpResponse) -> bool:
    """Whether a content coding makes positions in the file differ from those on the wire."""
    return head.headers.get("Content-Encoding", "identity").lower() != "identity"


def strong_validator(head: HttpResponse) -> str:
    """Return the validator of exactly this version of a file, for `If-Range` (RFC 9110, 13.1.5).

    Returns:
        A strong `ETag`; otherwise a `Last-Modified` at least a second older than `Date` (RFC 9110,
        section 8.8.2.2), so that no later version can have the same; otherwise an empty string.
    """
    etag = head.headers.get("ETag")
    if etag is not None:
        return etag if _STRONG_ETAG.fullmatch(etag) else ""
    text, date = head.headers.get("Last-Modified", ""), head.headers.get("Date", "")
    if not text or not date:  # reading a date takes longer than the rest of a decision
        return ""
    modified, now = _date(text), _date(date)
    if modified is None or now is None:
        return ""
    return text if (now - modified).total_seconds() >= 1 else ""


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None
