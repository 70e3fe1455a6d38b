"""Documents of declared types: read by `decode`, but for a few types with rules of their own."""

from collections.abc import Callable
from dataclasses import fields
from typing import Final, TypeAlias, cast

from returns.result import Failure, Result, Success

from railhttp.model.errors import HTTPDecodeError, HTTPStatusError
from railhttp.model.response import HttpResponse
from railhttp.railway import ProblemDetails, decode, encode, problem

Reader: TypeAlias = Callable[[HttpResponse], Result[object, HTTPDecodeError]]
"""Reads a value from a response."""

PROBLEM: Final = "application/problem+json"
"""The media type of problem details (RFC 9457, section 3)."""


def reader_of(model: object) -> Reader:
    """Compile the reader of a declared type.

    `None` reads nothing, `HttpResponse` is the response itself, `ProblemDetails` are read as RFC
    9457 demands; anything else is read by `decode`.

    Raises:
        TypeError: The type cannot be decoded.

    Example:
        >>> reader_of(int)(HttpResponse(200, body=b"7"))
        <Success: 7>
    """
    if model is None or model is type(None):
        return _nothing
    if model is HttpResponse:
        return Success
    if model is ProblemDetails:
        return _problem
    return decode(cast("type[object]", model))  # checked at run time


def _nothing(_: HttpResponse) -> Result[None, HTTPDecodeError]:
    return Success(None)


def _problem(response: HttpResponse) -> Result[ProblemDetails, HTTPDecodeError]:
    found = problem(HTTPStatusError(response)).value_or(None)
    if found is not None:
        return Success(found)
    failure = HTTPDecodeError(
        f"expected {PROBLEM}",
        content_type=response.content_type,
        **response.call_info(),
    )
    return Failure(failure)


def write_document(value: object) -> tuple[bytes, str]:
    """Write a value, and name its media type.

    Raises:
        HTTPValidationError: The value cannot be written as JSON.

    Example:
        >>> write_document(ProblemDetails(title="no", extensions={"balance": 30}))
        (b'{"title":"no","balance":30}', 'application/problem+json')
    """
    if not isinstance(value, ProblemDetails):
        return encode(value), "application/json"
    own = {one.name: getattr(value, one.name) for one in fields(value)}
    members = {name: part for name, part in own.items() if part != _DEFAULTS[name]}
    extensions = members.pop("extensions", {})
    return encode({**members, **extensions}), PROBLEM


_DEFAULTS: Final = {one.name: getattr(ProblemDetails(), one.name) for one in fields(ProblemDetails)}


def read_document(model: object, body: bytes, content_type: str) -> Result[object, HTTPDecodeError]:
    """Read a document that was sent.

    Example:
        >>> read_document(int, b"7", "application/json")
        <Success: 7>
    """
    headers = {"Content-Type": content_type} if content_type else {}
    return reader_of(model)(HttpResponse(200, headers, body))


def unknown_member(document: object, written: object, path: str = "$") -> str:
    """Find the first member of a document that is missing from the value as it was read.

    Args:
        document: The parsed document.
        written: The value read from it, written and parsed again.

    Returns:
        The member's JSON path; empty if there is none.

    Example:
        >>> unknown_member({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]})
        '$.a[0].c'
    """
    if isinstance(document, dict) and isinstance(written, dict):
        for name, part in document.items():
            if name not in written:
                return f"{path}.{name}"
            if found := unknown_member(part, written[name], f"{path}.{name}"):
                return found
    if isinstance(document, list) and isinstance(written, list):
        for index, (part, other) in enumerate(zip(document, written, strict=False)):
            if found := unknown_member(part, other, f"{path}[{index}]"):
                return found
    return ""
