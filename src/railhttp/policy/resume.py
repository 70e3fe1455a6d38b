"""Whether an interrupted download can resume: pure decisions about ranges (RFC 9110, 14)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final, TypeAlias

from railhttp.model.response import HttpResponse

_STRONG_ETAG: Final = re.compile(r'"[!#-~]*"')
_CONTENT_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/(?:([0-9]{1,18})|\*)")


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
    if not 200 <= head.status < 300:
        return Unusable()
    if _is_encoded(head):
        return Take(0, None, "")
    return Take(0, head.content_length, strong_validator(head))


def _rest(partial: Partial, head: HttpResponse) -> ResumeDecision:
    match = _CONTENT_RANGE.fullmatch(head.headers.get("Content-Range", "").strip())
    if match is None or int(match[1]) != partial.size:
        return StartOver()
    if _is_encoded(head):
        return StartOver()
    # Servers should compare the validator themselves; some do not, mostly for dates.
    named = "ETag" if partial.validator.startswith('"') else "Last-Modified"
    if head.headers.get(named, partial.validator) != partial.validator:
        return StartOver()
    total = int(match[3]) if match[3] else partial.total
    if partial.total not in {None, total}:  # parts of two versions (RFC 9110, 15.3.7.3)
        return StartOver()
    return Take(partial.size, total, partial.validator)


def _is_encoded(head: HttpResponse) -> bool:
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
    text = head.headers.get("Last-Modified", "")
    modified, now = _date(text), _date(head.headers.get("Date", ""))
    if modified is None or now is None:
        return ""
    return text if (now - modified).total_seconds() >= 1 else ""


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None
