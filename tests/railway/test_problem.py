"""Problem details (RFC 9457)."""

import pytest
from returns.maybe import Nothing, Some

from railhttp import HTTPFailure, HttpResponse, HTTPStatusError, HTTPTimeoutError
from railhttp.headers import freeze_headers
from railhttp.model.response import JSON
from railhttp.railway import ProblemDetails, problem

OUT_OF_CREDIT = b"""{
 "type": "https://example.com/probs/out-of-credit",
 "title": "You do not have enough credit.",
 "detail": "Your current balance is 30, but that costs 50.",
 "instance": "/account/12345/msgs/abc",
 "status": 403,
 "balance": 30
}"""


def failed(body: bytes, content_type: str = "application/problem+json") -> HTTPStatusError:
    return HTTPStatusError(HttpResponse(403, freeze_headers({"Content-Type": content_type}), body))


def test_the_example_of_the_rfc() -> None:
    extensions: dict[str, JSON] = {"balance": 30}
    assert problem(failed(OUT_OF_CREDIT)) == Some(
        ProblemDetails(
            "https://example.com/probs/out-of-credit",
            "You do not have enough credit.",
            403,
            "Your current balance is 30, but that costs 50.",
            "/account/12345/msgs/abc",
            extensions,
        )
    )


def test_members_of_a_wrong_type_are_left_out() -> None:
    body = b'{"type": 1, "title": null, "status": true, "detail": [], "instance": {}}'
    assert problem(failed(body)) == Some(ProblemDetails())


@pytest.mark.parametrize(
    "failure",
    [
        HTTPTimeoutError(phase="read"),
        failed(OUT_OF_CREDIT, "application/json"),
        failed(OUT_OF_CREDIT, ""),
        failed(b"[]"),
        failed(b"{"),
    ],
)
def test_everything_else_has_no_problem_details(failure: HTTPFailure) -> None:
    assert problem(failure) == Nothing
