"""Builds responses at the price of their attributes."""

from typing import Protocol

from railhttp.model.request import Request
from railhttp.model.response import Headers, HttpResponse, Timed
from railhttp.model.stage import AttemptState
from railhttp.model.timings import NO_TIMINGS


class Head(Protocol):
    """The head of a response, as it was received."""

    status: int
    headers: Headers
    version: str


class _Draft(Timed):
    """A response whose attributes can still be set.

    In the frozen class each of them costs a call of `object.__setattr__`, together a twentieth of a
    small request (benchmarks/README.md).
    """

    __slots__ = HttpResponse.__slots__  # the same, or Python refuses to change the class

    status: int
    headers: Headers
    body: bytes
    url: str
    method: str
    elapsed: float
    http_version: str
    attempts: int
    secret_headers: frozenset[str]


def received_response(
    head: Head, body: bytes, request: Request, attempt: AttemptState, now: float
) -> HttpResponse:
    """Build the response to a request; its parts are known to be valid.

    Args:
        now: When its body ended, in seconds on the monotonic clock.
    """
    draft = _Draft()
    draft.status = head.status
    draft.headers = head.headers
    draft.body = body
    draft.url = request.url_text
    draft.method = request.method
    draft.elapsed = now - attempt.started
    draft.http_version = head.version
    draft.attempts = attempt.attempts
    draft.secret_headers = request.options.secret_headers
    if (timer := attempt.timer) is not None and (timings := timer.timings) is not NO_TIMINGS:
        draft._timings = timings
    draft.__class__ = HttpResponse  # type: ignore[assignment]
    return draft  # type: ignore[return-value]  # its class has just become that
