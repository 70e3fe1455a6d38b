"""The start and the end of a call or an attempt, as instruments receive them."""

from typing import Final, get_args

import pytest
from yarl import URL

from railhttp import (
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HttpResponse,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.model.errors import TimeoutPhase
from railhttp.model.observation import RequestFinished, RequestStarted
from railhttp.model.request import Request, SendOptions
from railhttp.model.timings import NO_TIMINGS, Timings

URL_TEXT: Final = "http://h:8080/users/7?k=s3cret"


def started(
    options: SendOptions,
    timeout: float | None = None,
    attempt_timeout: float | None = None,
) -> RequestStarted:
    request = Request("PUT", URL(URL_TEXT), None, None, None, options)
    return RequestStarted(request, 3, timeout, attempt_timeout, resends=5, call_id=lambda: "id-1")


def test_a_start_tells_the_request_and_its_numbers() -> None:
    start = started(SendOptions(url_template="/users/{user_id}"))
    assert (start.method, start.url, start.host) == ("PUT", URL(URL_TEXT), "h:8080")
    assert start.shown_url == "http://h:8080/users/7?k=***"
    assert start.url_template == "/users/{user_id}"
    assert (start.attempt, start.resends, start.call_id) == (3, 5, "id-1")


def test_a_start_is_that_of_a_first_attempt_and_adds_no_fields_of_another() -> None:
    request = Request("GET", URL("https://h/"), None, None, None, SendOptions())
    start, other = RequestStarted(request), RequestStarted(request)
    assert (start.attempt, start.resends, start.call_id, start.url_template) == (0, 0, "", "")
    assert start.host == "h"
    start.added["traceparent"] = "00"
    assert other.added == {}


PHASES: Final[tuple[TimeoutPhase, ...]] = ("pool", "connect", "read", "total")
LIMITS: Final = [
    # connect, read, attempt and call; then what limits pool, connect, read and total
    ((None, None, None, None), (None, None, None, None)),
    ((1.0, None, None, None), (1.0, 1.0, None, None)),
    ((None, 2.0, None, None), (None, None, 2.0, None)),
    ((None, None, 3.0, None), (3.0, 3.0, 3.0, None)),
    ((None, None, None, 4.0), (None, None, None, 4.0)),
    ((1.0, 5.0, 3.0, 4.0), (1.0, 1.0, 3.0, 4.0)),
    ((5.0, 2.0, 3.0, 4.0), (3.0, 3.0, 2.0, 4.0)),
]


@pytest.mark.parametrize(("given", "limits"), LIMITS)
def test_the_limit_of_a_phase_is_the_shortest_of_its_own_and_that_of_the_attempt(
    given: tuple[float | None, ...], limits: tuple[float | None, ...]
) -> None:
    connect, read, attempt, call = given
    start = started(SendOptions(connect_timeout=connect, read_timeout=read), call, attempt)
    assert get_args(TimeoutPhase) == PHASES
    assert tuple(start.limit(phase) for phase in PHASES) == limits


ENDS: Final[list[tuple[HttpResponse | None, HTTPFailure | None, int | None, str | None]]] = [
    # The response and the failure; the status and the error type.
    (HttpResponse(200), None, 200, None),
    (HttpResponse(399), None, 399, None),
    (HttpResponse(400), None, 400, "400"),
    (HttpResponse(503), None, 503, "503"),
    (None, None, None, "cancelled"),
    (None, HTTPTimeoutError(phase="pool"), None, "HTTPTimeoutError.pool"),
    (None, HTTPConnectionError(kind="tls"), None, "HTTPConnectionError.tls"),
    (
        HttpResponse(200),
        HTTPConnectionError(kind="truncated"),
        200,
        "HTTPConnectionError.truncated",
    ),
    (HttpResponse(200), HTTPDecodeError("no list", where="$.id"), 200, "HTTPDecodeError"),
    (None, HTTPStatusError(HttpResponse(404)), None, "HTTPStatusError"),
]


@pytest.mark.parametrize(("answer", "failure", "status", "error_type"), ENDS)
def test_an_end_has_a_status_and_an_error_type(
    answer: HttpResponse | None,
    failure: HTTPFailure | None,
    status: int | None,
    error_type: str | None,
) -> None:
    end = RequestFinished(0.5, 2, answer, failure)
    assert (end.status, end.error_type) == (status, error_type)
    assert (end.seconds, end.attempts, end.answer, end.failure) == (0.5, 2, answer, failure)


def test_an_end_is_without_timings_and_a_stream_unless_it_says_so() -> None:
    end = RequestFinished(0.5, 2)
    assert (end.answer, end.failure, end.timings, end.streams) == (None, None, NO_TIMINGS, False)
    timings = Timings(wait=0.25)
    end = RequestFinished(0.5, 2, HttpResponse(200), timings=timings, streams=True)
    assert (end.timings, end.streams) == (timings, True)
