"""Problem details of error responses (RFC 9457)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from returns.maybe import Maybe, Nothing, Some

from railhttp.model.errors import HTTPDecodeError, HTTPFailure, HTTPStatusError
from railhttp.model.response import JSON, HttpResponse

_MEMBERS: Final = frozenset({"type", "title", "status", "detail", "instance"})


@dataclass(frozen=True, slots=True)
class ProblemDetails:
    """The members of a problem document (RFC 9457, section 3.1).

    Attributes:
        type: A URI for the kind of problem; `about:blank` means just the status.
        title: A summary of the kind, the same for each occurrence.
        status: The status code set by the origin server.
        detail: An explanation of this occurrence.
        instance: A URI for this occurrence.
        extensions: All other members.

    Example:
        >>> ProblemDetails(title="not enough credit").type
        'about:blank'
    """

    type: str = "about:blank"
    title: str | None = None
    status: int | None = None
    detail: str | None = None
    instance: str | None = None
    extensions: Mapping[str, JSON] = field(default_factory=lambda: MappingProxyType({}))


def problem(failure: HTTPFailure) -> Maybe[ProblemDetails]:
    """Read the problem details of a failure.

    Members of the wrong type are ignored (section 3.1).

    Returns:
        `Some` for a response with an `application/problem+json` object, else `Nothing`.

    Example:
        >>> from railhttp.model.response import freeze_headers
        >>> fields = freeze_headers({"Content-Type": "application/problem+json"})
        >>> body = b'{"title": "You do not have enough credit.", "status": 403, "balance": 30}'
        >>> found = problem(HTTPStatusError(HttpResponse(403, fields, body))).unwrap()
        >>> found.title, found.status, dict(found.extensions)
        ('You do not have enough credit.', 403, {'balance': 30})
    """
    if not isinstance(failure, HTTPStatusError):
        return Nothing
    document = _problem_document(failure.response)
    return Nothing if document is None else Some(_details(document))


def _problem_document(response: HttpResponse) -> dict[str, JSON] | None:
    if response.content_type != "application/problem+json":
        return None
    try:
        document = response.json()
    except HTTPDecodeError:
        return None
    return document if isinstance(document, dict) else None


def _details(document: Mapping[str, JSON]) -> ProblemDetails:
    status = document.get("status")
    return ProblemDetails(
        type=_text(document, "type") or "about:blank",
        title=_text(document, "title"),
        status=status if type(status) is int else None,
        detail=_text(document, "detail"),
        instance=_text(document, "instance"),
        extensions=MappingProxyType(
            {name: value for name, value in document.items() if name not in _MEMBERS}
        ),
    )


def _text(document: Mapping[str, JSON], name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) else None
