"""Strategies for hypothesis: every way in which HTTP can succeed or fail.

@given(outcomes())
def test_a_page_comes_whatever_happens(outcome):
    assert render(outcome)
"""

from collections.abc import Mapping
from typing import Final, get_args

from returns.result import Failure, Result, Success

from railhttp.extra import provided_by
from railhttp.model import errors
from railhttp.model.errors import CallInfo, ConnectionKind, Delivery, HTTPFailure, TimeoutPhase
from railhttp.model.response import HttpResponse, freeze_headers

with provided_by("hypothesis"):
    from hypothesis import strategies as st

DEFAULT_URL: Final = "https://api.example/"

_MEDIA_TYPES: Final = ("application/json", "application/json; charset=utf-8", "text/html", "")
_BODIES: Final = st.one_of(
    st.sampled_from([b"", b"null", b"[]", b"{}", b'{"error": "no"}', b"<html>", b"{"]),
    st.binary(max_size=64),
)
_SECONDS: Final = st.floats(0.0, 60.0)
_ATTEMPTS: Final = st.integers(1, 3)

_DELIVERIES: Final[Mapping[ConnectionKind | TimeoutPhase, tuple[Delivery, ...]]] = {
    "dns": (Delivery.NOT_SENT,),
    "connect": (Delivery.NOT_SENT,),
    "proxy": (Delivery.NOT_SENT,),
    "tls": (Delivery.NOT_SENT,),
    "closed": (Delivery.NOT_SENT, Delivery.MAYBE_SENT),
    "rejected": (Delivery.NOT_SENT,),
    "disconnected": (Delivery.MAYBE_SENT,),
    "protocol": (Delivery.MAYBE_SENT, Delivery.ANSWERED),
    "truncated": (Delivery.ANSWERED,),
    "redirect": (Delivery.ANSWERED,),
    "pool": (Delivery.NOT_SENT,),
    "read": (Delivery.MAYBE_SENT, Delivery.ANSWERED),
    "total": tuple(Delivery),
}
"""The deliveries that a failure of each kind or phase may have."""


@st.composite
def responses(
    draw: st.DrawFn,
    *,
    status: st.SearchStrategy[int] | None = None,
    body: st.SearchStrategy[bytes] | None = None,
    method: str = "GET",
    url: str = DEFAULT_URL,
) -> HttpResponse:
    """Responses of a server, odd ones included: empty bodies, or bodies of another media type.

    Args:
        status: The statuses; 200 to 599 by default.
        body: The bodies; JSON, HTML and random bytes by default.
    """
    content = draw(_BODIES if body is None else body)
    fields = {"Content-Length": str(len(content))}
    if media_type := draw(st.sampled_from(_MEDIA_TYPES)):
        fields["Content-Type"] = media_type
    code = draw(st.integers(200, 599) if status is None else status)
    headers, elapsed = freeze_headers(fields), draw(_SECONDS)
    return HttpResponse(code, headers, content, url, method, elapsed, attempts=draw(_ATTEMPTS))


@st.composite
def failures(draw: st.DrawFn, *, method: str = "GET", url: str = DEFAULT_URL) -> HTTPFailure:
    """Failures of every class, kind and phase, with details that are consistent."""
    call = CallInfo(method=method, url=url, attempts=draw(_ATTEMPTS), elapsed=draw(_SECONDS))
    make = draw(st.sampled_from([_connection, _timeout, _status, _own, _exhausted]))
    return make(draw, call)


def _connection(draw: st.DrawFn, call: CallInfo) -> HTTPFailure:
    kind: ConnectionKind = draw(st.sampled_from(get_args(ConnectionKind)))
    proven: CallInfo = {**call, "delivery": draw(st.sampled_from(_DELIVERIES[kind]))}
    return errors.HTTPConnectionError("the connection failed", kind=kind, **proven)


def _timeout(draw: st.DrawFn, call: CallInfo) -> HTTPFailure:
    phase: TimeoutPhase = draw(st.sampled_from(get_args(TimeoutPhase)))
    proven: CallInfo = {**call, "delivery": draw(st.sampled_from(_DELIVERIES[phase]))}
    return errors.HTTPTimeoutError("not done in time", phase=phase, **proven)


def _status(draw: st.DrawFn, call: CallInfo) -> HTTPFailure:
    statuses = st.integers(400, 599)
    response = draw(responses(status=statuses, method=call["method"], url=call["url"]))
    return errors.HTTPStatusError(response)


def _own(draw: st.DrawFn, call: CallInfo) -> HTTPFailure:
    """Draw a failure of a request or a response that the client itself refuses."""
    wait = draw(st.none() | _SECONDS)
    unsent: CallInfo = {**call, "attempts": 0}
    refusals: list[HTTPFailure] = [
        errors.HTTPInvalidRequestError("cannot be sent", field="headers", **unsent),
        errors.HTTPCircuitOpenError(retry_after=wait, name="api.example", **call),
        errors.HTTPInterceptorError("raised KeyError", interceptor="Signing", **call),
        errors.HTTPDecodeError("expected an integer", where="$.id", **call),
        errors.HTTPResponseTooLargeError("the body is larger than 10 bytes", limit=10, **call),
    ]
    return draw(st.sampled_from(refusals))


def _exhausted(draw: st.DrawFn, call: CallInfo) -> HTTPFailure:
    count = draw(st.integers(2, 3))
    tried = [
        draw(st.sampled_from([_connection, _timeout]))(draw, {**call, "attempts": number})
        for number in range(1, count + 1)
    ]
    delivery = tried[0].delivery.strongest(*(failure.delivery for failure in tried))
    details: CallInfo = {**call, "attempts": count, "delivery": delivery}
    return errors.HTTPRetryExhaustedError("gave up", failures=tried, **details)


def outcomes(
    *, method: str = "GET", url: str = DEFAULT_URL
) -> st.SearchStrategy[Result[HttpResponse, HTTPFailure]]:
    """Results of a verb: a `Success` with a status below 400, or any `Failure`."""
    good = responses(status=st.integers(200, 399), method=method, url=url)
    bad = failures(method=method, url=url)
    return st.one_of(good.map(Success), bad.map(Failure))
