"""Builds responses at the price of their attributes."""

from railhttp.model.response import Headers, HttpResponse, Timed
from railhttp.model.timings import NO_TIMINGS, Timings


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
    status: int,
    headers: Headers,
    body: bytes,
    url: str,
    method: str,
    elapsed: float,
    http_version: str,
    attempts: int,
    secret_headers: frozenset[str],
    timings: Timings,
) -> HttpResponse:
    """Build a response of parts that are known to be valid; see `HttpResponse`."""
    draft = _Draft()
    draft.status = status
    draft.headers = headers
    draft.body = body
    draft.url = url
    draft.method = method
    draft.elapsed = elapsed
    draft.http_version = http_version
    draft.attempts = attempts
    draft.secret_headers = secret_headers
    if timings is not NO_TIMINGS:
        draft._timings = timings
    draft.__class__ = HttpResponse  # type: ignore[assignment]
    return draft  # type: ignore[return-value]  # its class has just become that
