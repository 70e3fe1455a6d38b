"""Documents of declared types: how each is read and written, and which member is unknown."""

from dataclasses import dataclass

import pytest
from returns.result import Success

from railhttp import HTTPDecodeError, HttpResponse
from railhttp.endpoints.codec import read_document, reader_of, unknown_member, write_document
from railhttp.model.response import JSON
from railhttp.railway import ProblemDetails

PROBLEM = "application/problem+json"


@dataclass
class User:
    name: str


@pytest.mark.parametrize("model", [None, type(None)])
def test_none_reads_nothing(model: object) -> None:
    assert reader_of(model)(HttpResponse(200, body=b"{")) == Success(None)


def test_the_response_is_itself() -> None:
    response = HttpResponse(200, body=b"{")
    assert reader_of(HttpResponse)(response).unwrap() is response


@pytest.mark.parametrize(
    ("model", "body", "value"), [(int, b"7", 7), (User, b'{"name":"Ann"}', User("Ann"))]
)
def test_any_other_type_is_decoded(model: object, body: bytes, value: object) -> None:
    for content_type in ("application/json", "application/problem+json", ""):
        assert read_document(model, body, content_type) == Success(value)


def test_a_problem_is_read_from_its_own_media_type_only() -> None:
    body = b'{"type":"/t","title":"No","status":403,"detail":"d","instance":"/i","balance":30}'
    whole = ProblemDetails("/t", "No", 403, "d", "/i", {"balance": 30})
    assert read_document(ProblemDetails, body, PROBLEM) == Success(whole)
    response = HttpResponse(403, {"Content-Type": "text/html"}, body, url="http://h/", method="PUT")
    failure = reader_of(ProblemDetails)(response).failure()
    assert isinstance(failure, HTTPDecodeError)
    assert failure.message == f"expected {PROBLEM}"
    assert (failure.content_type, failure.url, failure.method) == ("text/html", "http://h/", "PUT")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (7, b"7"),
        (User("Ann"), b'{"name":"Ann"}'),
        (None, b"null"),
    ],
)
def test_a_value_is_written_as_json(value: object, written: bytes) -> None:
    assert write_document(value) == (written, "application/json")


@pytest.mark.parametrize(
    ("problem", "written"),
    [
        (ProblemDetails(), b"{}"),
        (ProblemDetails(type="/t"), b'{"type":"/t"}'),
        (ProblemDetails(title="No"), b'{"title":"No"}'),
        (ProblemDetails(status=403), b'{"status":403}'),
        (ProblemDetails(detail="d"), b'{"detail":"d"}'),
        (ProblemDetails(instance="/i"), b'{"instance":"/i"}'),
        (ProblemDetails(extensions={"a": 1, "b": None}), b'{"a":1,"b":null}'),
    ],
)
def test_a_problem_is_written_without_its_defaults(problem: ProblemDetails, written: bytes) -> None:
    assert write_document(problem) == (written, PROBLEM)
    assert read_document(ProblemDetails, written, PROBLEM) == Success(problem)


@pytest.mark.parametrize(
    ("document", "written", "path"),
    [
        ({}, {}, ""),
        ({"a": 1}, {"a": 2, "b": 3}, ""),
        ({"a": 1}, {}, "$.a"),
        ({"a": 1, "b": 2}, {"a": 1}, "$.b"),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {}}}, "$.a.b.c"),
        ({"a": [1, {"b": 1}]}, {"a": [1, {}]}, "$.a[1].b"),
        ([[{"a": 1}]], [[{}]], "$[0][0].a"),
        ([{"a": 1}, {"b": 1}], [{"a": 1}], ""),
        ({"a": {"b": 1}}, {"a": 7}, ""),
        ([{"a": 1}], {"a": 1}, ""),
        (7, 8, ""),
    ],
)
def test_the_first_member_that_is_missing(document: JSON, written: JSON, path: str) -> None:
    assert unknown_member(document, written) == path
