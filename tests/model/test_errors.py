"""The failures: their tree and their attributes; they can be copied, pickled and raised."""

import copy
import inspect
import pickle
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, assert_never, get_args

import pytest

from railhttp.model import errors
from railhttp.model.errors import (
    FAILURES,
    CallInfo,
    ConnectionKind,
    Delivery,
    HTTPCircuitOpenError,
    HTTPClientError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
    HTTPValidationError,
    TimeoutPhase,
)
from railhttp.model.response import HttpResponse, freeze_headers

TREE: Final[dict[type[HTTPError], tuple[type[Exception], ...]]] = {
    HTTPError: (Exception,),
    HTTPValidationError: (HTTPError, ValueError),
    HTTPClientError: (HTTPError,),
    HTTPInvalidRequestError: (HTTPClientError,),
    HTTPConnectionError: (HTTPClientError,),
    HTTPTimeoutError: (HTTPClientError,),
    HTTPStatusError: (HTTPClientError,),
    HTTPDecodeError: (HTTPClientError,),
    HTTPResponseTooLargeError: (HTTPClientError,),
    HTTPInterceptorError: (HTTPClientError,),
    HTTPCircuitOpenError: (HTTPClientError,),
    HTTPRetryExhaustedError: (HTTPClientError,),
}

URL: Final = "http://ann:pw@h/x?k=v"
REFUSED: Final = HTTPConnectionError(
    "refused", kind="connect", method="GET", url=URL, delivery=Delivery.NOT_SENT
)
TIMED_OUT: Final = HTTPTimeoutError("no answer", phase="read", method="GET", url=URL, elapsed=2.5)
ANSWER: Final = HttpResponse(503, freeze_headers({"X-Id": "7"}), b"busy", "http://h/x", attempts=3)

EXAMPLES: Final[list[tuple[HTTPFailure, str, Delivery, str]]] = [
    (
        HTTPInvalidRequestError("has no host", field="url", method="GET", url="http://"),
        "url",
        Delivery.NOT_SENT,
        "GET http://***: has no host [url, not sent, attempts 1, 0.000 s]",
    ),
    (
        REFUSED,
        "connect",
        Delivery.NOT_SENT,
        "GET http://h/x?k=***: refused [connect, not sent, attempts 1, 0.000 s]",
    ),
    (
        TIMED_OUT,
        "read",
        Delivery.MAYBE_SENT,
        "GET http://h/x?k=***: no answer [read, maybe sent, attempts 1, 2.500 s]",
    ),
    (
        HTTPStatusError(ANSWER),
        "503",
        Delivery.ANSWERED,
        "GET http://h/x: status 503 [answered, attempts 3, 0.000 s]",
    ),
    (
        HTTPDecodeError("expected an integer", where="$.id", content_type="application/json"),
        "decode",
        Delivery.ANSWERED,
        "expected an integer [$.id, answered, attempts 1, 0.000 s]",
    ),
    (
        HTTPResponseTooLargeError("larger than 9 bytes", limit=9, url="http://h/"),
        "response too large",
        Delivery.ANSWERED,
        "http://h/: larger than 9 bytes [answered, attempts 1, 0.000 s]",
    ),
    (
        HTTPInterceptorError("raised KeyError", interceptor="SignRequest"),
        "SignRequest",
        Delivery.MAYBE_SENT,
        "raised KeyError [SignRequest, maybe sent, attempts 1, 0.000 s]",
    ),
    (
        HTTPCircuitOpenError(retry_after=4.5, name="stock", attempts=0),
        "stock",
        Delivery.NOT_SENT,
        "circuit open [stock, not sent, attempts 0, 0.000 s]",
    ),
    (
        HTTPRetryExhaustedError(failures=[REFUSED, TIMED_OUT], attempts=2),
        "retry exhausted",
        Delivery.MAYBE_SENT,
        "retries exhausted [maybe sent, attempts 2, 0.000 s]",
    ),
]
REQUIRED: Final[dict[type[HTTPError], dict[str, object]]] = {
    HTTPConnectionError: {"kind": "connect"},
    HTTPTimeoutError: {"phase": "read"},
    HTTPResponseTooLargeError: {"limit": 9},
}
ALL: Final[list[HTTPError]] = [
    HTTPError("root"),
    HTTPValidationError("must be positive", field="limit"),
    HTTPClientError("base", method="GET", url=URL),
    *(failure for failure, *_ in EXAMPLES),
]

COPIES: Final[list[Callable[[HTTPError], HTTPError]]] = [
    copy.copy,
    copy.deepcopy,
    *(
        lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ),
]


def details(value: object) -> object:
    """Comparable details: failures themselves compare by identity."""
    if isinstance(value, HTTPError):
        return type(value), value.args, details(vars(value))
    if isinstance(value, dict):
        return {name: details(item) for name, item in value.items()}
    return tuple(map(details, value)) if isinstance(value, tuple) else value


def test_the_tree_is_the_one_in_the_picture() -> None:
    classes = dict(inspect.getmembers(errors, inspect.isclass))
    found = {
        cls: cls.__bases__ for cls in set(classes.values()) if issubclass(cls, errors.HTTPError)
    }
    assert found == TREE
    assert errors.__doc__ is not None
    assert all(cls.__name__ in errors.__doc__ for cls in TREE)


def test_the_picture_names_every_kind_and_phase() -> None:
    words = (errors.__doc__ or "").split()
    assert set(get_args(ConnectionKind) + get_args(TimeoutPhase)) <= set(words)


def test_the_union_has_every_leaf_and_an_example() -> None:
    leaves = {cls for cls, bases in TREE.items() if bases == (HTTPClientError,)}
    assert set(get_args(HTTPFailure)) == leaves == set(FAILURES)
    assert {type(failure) for failure, *_ in EXAMPLES} == leaves


def test_a_match_over_the_union_is_exhaustive() -> None:
    assert {_name(failure) for failure, *_ in EXAMPLES} == {
        *("invalid", "connection", "timeout", "status", "decode"),
        *("too large", "interceptor", "circuit", "exhausted"),
    }


def _name(failure: HTTPFailure) -> str:
    match failure:
        case HTTPInvalidRequestError():
            return "invalid"
        case HTTPConnectionError():
            return "connection"
        case HTTPTimeoutError():
            return "timeout"
        case HTTPStatusError():
            return "status"
        case HTTPDecodeError():
            return "decode"
        case HTTPResponseTooLargeError():
            return "too large"
        case HTTPInterceptorError():
            return "interceptor"
        case HTTPCircuitOpenError():
            return "circuit"
        case HTTPRetryExhaustedError():
            return "exhausted"
        case _:
            assert_never(failure)


@pytest.mark.parametrize(("failure", "label", "delivery", "text"), EXAMPLES)
def test_a_failure_says_what_it_knows(
    failure: HTTPFailure, label: str, delivery: Delivery, text: str
) -> None:
    assert (failure.label, failure.delivery, str(failure)) == (label, delivery, text)
    assert repr(failure) == f"{type(failure).__name__}({text!r})"


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_failures_survive_copying(
    error: HTTPError, copied: Callable[[HTTPError], HTTPError]
) -> None:
    other = copied(error)
    assert other is not error
    assert details(other) == details(error)
    assert (str(other), repr(other)) == (str(error), repr(error))


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_failures_hash_and_compare_by_identity(error: HTTPError) -> None:
    twin = copy.copy(error)
    assert error == error  # identity is the point
    assert error != twin
    assert len({error, twin, error}) == 2


@contextmanager
def translating(error: HTTPError) -> Iterator[None]:
    try:
        yield
    except KeyError as cause:
        raise error from cause


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_failures_are_raised_from_a_cause_in_a_context_manager(error: HTTPError) -> None:
    error = copy.copy(error)
    cause = KeyError("inner")
    with pytest.raises(type(error)) as caught, translating(error):
        raise cause
    assert caught.value is error
    assert error.__cause__ is cause
    assert error.__traceback__ is not None


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
async def test_failures_pass_through_context_managers_and_take_notes(error: HTTPError) -> None:
    @asynccontextmanager
    async def passing() -> AsyncIterator[None]:
        yield

    error = copy.copy(error)
    error.add_note("while testing")
    with pytest.raises(type(error)) as caught:
        async with passing():
            raise error
    assert caught.value is error
    assert copy.deepcopy(error).__notes__ == ["while testing"]


@pytest.mark.parametrize("cls", [cls for cls in TREE if cls is not HTTPError])
def test_an_unknown_keyword_is_a_type_error(cls: type[HTTPError]) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        cls("message", **REQUIRED.get(cls, {}), unknown=1)  # type: ignore[call-arg]  # on purpose


def test_kind_phase_and_limit_must_be_named() -> None:
    for cls in REQUIRED:
        with pytest.raises(TypeError, match="required keyword-only"):
            cls("message")


def advice(failure: HTTPFailure) -> str:
    match failure:
        case HTTPStatusError(404):
            return "nothing there"
        case HTTPConnectionError("dns" | "connect"):
            return "nobody there"
        case HTTPTimeoutError("read"):
            return "asleep"
        case _:
            return "ask somebody"


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (HTTPStatusError(HttpResponse(404)), "nothing there"),
        (HTTPStatusError(HttpResponse(403)), "ask somebody"),
        (HTTPConnectionError(kind="connect"), "nobody there"),
        (HTTPTimeoutError(phase="read"), "asleep"),
    ],
)
def test_a_case_may_name_status_kind_or_phase_alone(failure: HTTPFailure, told: str) -> None:
    assert advice(failure) == told


def test_a_validation_error_without_a_field_is_its_message() -> None:
    error = HTTPValidationError("is empty")
    assert (str(error), error.message, error.field) == ("is empty", "is empty", "")


def test_a_status_error_takes_its_details_from_the_response() -> None:
    error = HTTPStatusError(ANSWER)
    assert (error.status, error.attempts, error.method, error.response) == (503, 3, "GET", ANSWER)


def test_what_leaves_the_process_takes_no_cookie_along() -> None:
    answer = HttpResponse(
        401, freeze_headers({"Set-Cookie": "id=s3cret"}), url="http://h/?t=s3cret"
    )
    assert b"s3cret" not in pickle.dumps(HTTPStatusError(answer))


def test_an_exhausted_retry_knows_every_failure() -> None:
    error = HTTPRetryExhaustedError(failures=[REFUSED, TIMED_OUT])
    assert error.failures == (REFUSED, TIMED_OUT)
    assert error.last is TIMED_OUT
    assert HTTPRetryExhaustedError().last is None


def test_the_strongest_delivery_is_the_most_that_is_proven() -> None:
    not_sent, maybe, answered = Delivery.NOT_SENT, Delivery.MAYBE_SENT, Delivery.ANSWERED
    assert not_sent.strongest() is not_sent
    assert not_sent.strongest(maybe) is maybe
    assert answered.strongest(not_sent, maybe) is answered


def test_the_other_spelling_is_the_same_class() -> None:
    assert errors.HttpStatusError is HTTPStatusError


DEFAULTS: Final[dict[type[HTTPError], dict[str, object]]] = {
    HTTPValidationError: {"field": ""},
    HTTPClientError: {"message": "", "delivery": Delivery.MAYBE_SENT},
    HTTPInvalidRequestError: {"message": "", "delivery": Delivery.NOT_SENT, "field": ""},
    HTTPConnectionError: {"message": "", "delivery": Delivery.MAYBE_SENT, "proxy_status": None},
    HTTPTimeoutError: {"message": "", "delivery": Delivery.MAYBE_SENT, "limit": None},
    HTTPDecodeError: {
        "message": "",
        "delivery": Delivery.ANSWERED,
        "where": "",
        "content_type": "",
        "response": None,
    },
    HTTPResponseTooLargeError: {"message": "", "delivery": Delivery.ANSWERED},
    HTTPInterceptorError: {"message": "", "delivery": Delivery.MAYBE_SENT, "interceptor": ""},
    HTTPCircuitOpenError: {
        "message": "circuit open",
        "delivery": Delivery.NOT_SENT,
        "retry_after": None,
        "name": "",
    },
    HTTPRetryExhaustedError: {
        "message": "retries exhausted",
        "delivery": Delivery.MAYBE_SENT,
        "failures": (),
    },
}
CALL: Final[CallInfo] = {
    "method": "PUT",
    "url": "http://h/x?k=***",
    "delivery": Delivery.ANSWERED,
    "attempts": 4,
    "elapsed": 1.5,
}


def made(cls: type[HTTPError], **details: object) -> HTTPError:
    build: Callable[..., HTTPError] = cls
    if cls is HTTPValidationError:
        details["message"] = "is bad"
    return build(**{**REQUIRED.get(cls, {}), **details})


@pytest.mark.parametrize(("cls", "defaults"), DEFAULTS.items())
def test_a_failure_has_the_documented_defaults(
    cls: type[HTTPError], defaults: dict[str, object]
) -> None:
    error = made(cls)
    assert {name: getattr(error, name) for name in defaults} == defaults
    if isinstance(error, HTTPClientError):
        call = (error.method, error.url, error.attempts, error.elapsed)
        assert call == ("", "", 1, 0.0)
        assert error.label


@pytest.mark.parametrize("cls", [cls for cls in DEFAULTS if issubclass(cls, HTTPClientError)])
def test_every_failure_takes_the_details_of_its_call(cls: type[HTTPClientError]) -> None:
    error = made(cls, message="is bad", **CALL)
    assert {name: getattr(error, name) for name in CALL} == CALL
    assert error.args == ("is bad",)


def test_no_detail_of_a_call_is_required() -> None:
    assert CallInfo.__required_keys__ == frozenset()
    assert CallInfo.__optional_keys__ == frozenset(CALL)


@pytest.mark.parametrize("error", ALL[2:], ids=lambda error: type(error).__name__)
def test_the_only_argument_of_a_failure_is_its_message(error: HTTPClientError) -> None:
    """`Exception.args`, however the message was given: error trackers send them."""
    assert error.args == (error.message,)
    cls: type[HTTPClientError] = type(error)
    if cls is not HTTPStatusError:
        again = made(cls, message="is bad")
        assert (again.args, copy.copy(again).args) == (("is bad",), ("is bad",))
    assert HTTPCircuitOpenError().args == ("circuit open",)


@pytest.mark.parametrize("failure", [failure for failure, *_ in EXAMPLES])
def test_a_failure_can_speak_of_the_call_that_it_ended(failure: HTTPFailure) -> None:
    before = details(failure)
    other = failure.of_call("the token was refused", {**CALL, "url": "http://ann:pw@h/x?k=v"})
    assert type(other) is type(failure)
    assert (other.message, other.args) == ("the token was refused", ("the token was refused",))
    assert {name: getattr(other, name) for name in CALL} == CALL
    own = vars(failure).keys() - CALL.keys() - {"message"}
    assert {name: vars(other)[name] for name in own} == {name: vars(failure)[name] for name in own}
    assert details(failure) == before


def test_a_failure_of_another_call_without_a_url_has_none() -> None:
    other = REFUSED.of_call("no token", {"method": "POST"})
    assert (other.method, other.url, other.attempts) == ("POST", "", 1)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ((), "status 503"),
        ([200], "status 503, expected 200"),
        (iter((200, 204, 304)), "status 503, expected 200 or 204 or 304"),
    ],
)
def test_a_status_error_names_the_expected_statuses(expected: Iterable[int], text: str) -> None:
    error = HTTPStatusError(ANSWER, expected=expected)
    assert (error.message, error.response) == (text, ANSWER)
    for copied in COPIES:
        assert str(copied(error)) == str(error)


def test_a_copy_within_the_process_keeps_the_response_and_a_pickle_redacts_it() -> None:
    answer = HttpResponse(404, {"X-Mine": "s3cret", "X-Id": "7"}, b"{}", "http://h/?t=s3cret")
    mine = frozenset({"x-mine"})
    error = HTTPStatusError(answer, secret_headers=mine)
    for copied in (copy.copy, copy.deepcopy):
        assert copied(error).response is answer
    for again in (error, copy.copy(error), copy.deepcopy(error)):
        sent: HTTPStatusError = pickle.loads(pickle.dumps(again))
        assert sent.response == answer.redacted(mine)
        assert sent.response.headers == {"X-Mine": "***", "X-Id": "7"}


def test_a_pickled_decode_error_redacts_its_response() -> None:
    answer = HttpResponse(200, {"Set-Cookie": "s3cret"}, b"{}", "http://h/?t=s3cret")
    error = HTTPDecodeError("no list", response=answer, **answer.call_info())
    again: HTTPDecodeError = pickle.loads(pickle.dumps(error))
    assert again.response == answer.redacted()
    assert (again.message, again.url) == ("no list", "http://h/?t=***")
    assert error.response is answer
    assert b"s3cret" not in pickle.dumps(error)
