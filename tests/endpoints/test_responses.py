"""What each status means for the responses that are declared."""

from http import HTTPStatus
from typing import Annotated

import pytest
from returns.result import Failure, Success

from railhttp import HTTPDecodeError, HttpResponse, HTTPStatusError
from railhttp.endpoints.responses import Answers

INT, TEXT = HttpResponse(200, body=b"7"), HttpResponse(404, body=b'"nobody"')


@pytest.mark.parametrize("status", [200, 204, 302, 399])
def test_without_values_any_status_below_400_is_the_response(status: int) -> None:
    response = HttpResponse(status)
    assert Answers().judge(response).unwrap() is response
    failure = Answers().with_value(201, int).judge(response).failure()
    assert isinstance(failure, HTTPStatusError)
    assert failure.message == f"status {status}, expected 201"
    assert failure.response is response


@pytest.mark.parametrize("status", [400, 404, 599, 600])
def test_from_400_on_any_status_is_a_failure(status: int) -> None:
    for answers in (Answers(), Answers().with_value(200, int)):
        failure = answers.judge(HttpResponse(status)).failure()
        assert isinstance(failure, HTTPStatusError)
        assert failure.message == f"status {status}"


@pytest.mark.parametrize(
    ("statuses", "first", "last"),
    [
        (200, 200, 200),
        (599, 599, 599),
        (range(200, 600), 200, 599),
        ({418, 204}, 204, 418),
        (HTTPStatus.CREATED, 201, 201),
        ([HTTPStatus.NOT_FOUND, 403], 403, 404),
    ],
)
def test_a_status_or_several_in_ascending_order(statuses: object, first: int, last: int) -> None:
    answers = Answers().with_value(statuses, int)  # type: ignore[arg-type]  # a table
    expected = answers.expected
    assert (expected[0], expected[-1], {type(one) for one in expected}) == (first, last, {int})
    assert list(expected) == sorted(expected)


def test_a_value_is_dropped_and_a_refusal_is_kept() -> None:
    answers = Answers().with_value(200, int).with_refusal(404, str).without_values()
    assert answers.expected == ()
    assert answers.judge(TEXT) == Failure("nobody")
    assert answers.judge(INT).unwrap() is INT
    assert answers.with_value(200, int).judge(INT) == Success(7)


def test_a_refusal_that_does_not_fit_is_the_cause_of_the_status_error() -> None:
    answers = Answers().with_value(200, int).with_refusal(404, str)
    failure = answers.judge(HttpResponse(404, body=b"7")).failure()
    assert isinstance(failure, HTTPStatusError)
    assert isinstance(failure.__cause__, HTTPDecodeError)
    status_error = HTTPStatusError(HttpResponse(200, body=b"7"))
    assert answers.refusal(status_error) is status_error
    other = HTTPStatusError(HttpResponse(500))
    assert (answers.refusal(other), other.__cause__) == (other, None)


def test_answers_compare_by_what_is_declared() -> None:
    one, same = (Answers().with_value(200, int).with_refusal(404, str) for _ in range(2))
    assert (one, hash(one)) == (same, hash(same))
    assert one != Answers().with_value(200, int).with_refusal(404, bytes)
    assert one != one.without_values()
    assert repr(one) == (
        "Answers(values=(Answer(statuses=(200,), model=<class 'int'>),), "
        "refusals=(Answer(statuses=(404,), model=<class 'str'>),))"
    )


@pytest.mark.parametrize("value", [str, str | None, Annotated[str, "x"], int | Annotated[str, "x"]])
def test_no_part_of_a_value_may_be_a_refusal(value: object) -> None:
    for refusal in (str, bytes | str, Annotated[str, "y"]):
        with pytest.raises(TypeError, match=r"^status 404: str is the type of a value too"):
            Answers().with_refusal(404, refusal).with_value(200, value)
    Answers().with_value(200, value).with_refusal(404, bytes)


def test_none_is_a_type_of_a_value_too() -> None:
    with pytest.raises(TypeError, match="status 404: NoneType"):
        Answers().with_value(204, None).with_refusal(404, type(None))
