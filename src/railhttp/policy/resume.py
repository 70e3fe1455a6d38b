"""Whether a download can go on where it broke off: pure decisions about ranges (RFC 9110, 14)."""

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
    """What is there of a file.

    Attributes:
        size: The number of bytes, from the beginning.
        validator: What names the version that they are of: a strong `ETag`, or a date; empty
            where the server named none, so that nothing can be added to them.
        total: How long the whole is, None where that is not known.

    Example:
        >>> Partial(4, '"v1"').headers
        {'Range': 'bytes=4-', 'If-Range': '"v1"'}
        >>> Partial(4).headers
        {}
    """

    size: int = 0
    validator: str = ""
    total: int | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The header fields that ask for the rest; none where the whole is wanted."""
        if not (self.size and self.validator):
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": self.validator}


@dataclass(frozen=True, slots=True)
class Take:
    """The body is to be written.

    Attributes:
        start: Where in the file it begins.
        total: How long the file will be, None where that is not known.
        validator: As in `Partial`.
    """

    start: int
    total: int | None
    validator: str


@dataclass(frozen=True, slots=True)
class StartOver:
    """What is there is of no use: ask for the whole."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """There is nothing to write, and no use in asking again."""


ResumeDecision: TypeAlias = Take | StartOver | Unusable


def decide_resume(partial: Partial, head: HttpResponse) -> ResumeDecision:
    """Decide what to do with an answer.

    Args:
        partial: What was there when `partial.headers` were sent.
        head: The answer; its body is not looked at.

    Example:
        >>> decide_resume(Partial(4, '"v1"'), HttpResponse(200))
        Take(start=0, total=None, validator='')
        >>> decide_resume(Partial(4, '"v1"'), HttpResponse(416))
        StartOver()
    """
    asked = bool(partial.headers)
    if head.status == 206:
        return _rest(partial, head) if asked else Unusable()
    if head.status == 416 and asked:
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
    # Servers are to compare it themselves; some, above all for dates, do not.
    named = "ETag" if partial.validator.startswith('"') else "Last-Modified"
    if head.headers.get(named, partial.validator) != partial.validator:
        return StartOver()
    total = int(match[3]) if match[3] else partial.total
    if partial.total not in {None, total}:  # parts of two versions (RFC 9110, 15.3.7.3)
        return StartOver()
    return Take(partial.size, total, partial.validator)


def _is_encoded(head: HttpResponse) -> bool:
    """Whether the body is decoded on its way here, so that its bytes cannot be counted there."""
    return head.headers.get("Content-Encoding", "identity").lower() != "identity"


def strong_validator(head: HttpResponse) -> str:
    """Give what names this version of a file byte for byte, for `If-Range` (RFC 9110, 13.1.5).

    Returns:
        A strong `ETag`; else a `Last-Modified` that is at least a second older than `Date`
        (8.8.2.2), so that no later version can bear it too; else an empty string.

    Example:
        >>> from railhttp.model.response import freeze_headers
        >>> strong_validator(HttpResponse(200, freeze_headers({"ETag": '"v1"'})))
        '"v1"'
        >>> strong_validator(HttpResponse(200, freeze_headers({"ETag": 'W/"v1"'})))
        ''
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
