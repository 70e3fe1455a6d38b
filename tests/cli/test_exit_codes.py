"""The exit code of every failure, as a table that must not change."""

from typing import Final, get_args

import pytest

from railhttp import (
    Delivery,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.cli.command import HELP
from railhttp.cli.exit_code import exit_code, exit_code_of_status
from railhttp.model.errors import FAILURES
from railhttp.policy.advice import advise
from railhttp.types import ConnectionKind, TimeoutPhase

NOT_SENT: Final = Delivery.NOT_SENT

KINDS: Final[dict[ConnectionKind, int]] = {
    "dns": 20,
    "connect": 21,
    "proxy": 22,
    "tls": 23,
    "disconnected": 24,
    "truncated": 25,
    "protocol": 26,
    "redirect": 27,
    "rejected": 28,
    "closed": 29,
}
PHASES: Final[dict[TimeoutPhase, int]] = {"pool": 30, "connect": 31, "read": 32, "total": 33}
OTHERS: Final[list[tuple[HTTPFailure, int]]] = [
    (HTTPStatusError(HttpResponse(404)), 4),
    (HTTPStatusError(HttpResponse(503)), 5),
    (HTTPStatusError(HttpResponse(599)), 5),
    (HTTPInvalidRequestError(), 10),
    (HTTPDecodeError(), 40),
    (HTTPResponseTooLargeError(limit=1), 41),
    (HTTPCircuitOpenError(), 50),
    (HTTPInterceptorError(delivery=NOT_SENT), 51),
    (HTTPRetryExhaustedError(delivery=NOT_SENT), 60),
]
TABLE: Final[list[tuple[HTTPFailure, int]]] = [
    *((HTTPConnectionError(kind=kind, delivery=NOT_SENT), code) for kind, code in KINDS.items()),
    *((HTTPTimeoutError(phase=phase, delivery=NOT_SENT), code) for phase, code in PHASES.items()),
    *OTHERS,
]


def test_the_table_has_every_failure() -> None:
    assert {type(failure) for failure, _ in TABLE} == set(FAILURES)
    assert KINDS.keys() == set(get_args(ConnectionKind))
    assert PHASES.keys() == set(get_args(TimeoutPhase))


@pytest.mark.parametrize(("failure", "code"), TABLE, ids=lambda value: type(value).__name__)
def test_each_failure_has_its_code(failure: HTTPFailure, code: int) -> None:
    assert exit_code(failure) == code


def test_codes_differ_by_what_went_wrong() -> None:
    codes = [code for failure, code in TABLE if not isinstance(failure, HTTPStatusError)]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("kind", get_args(ConnectionKind))
def test_a_request_that_may_have_been_sent_adds_64(kind: ConnectionKind) -> None:
    failure = HTTPConnectionError(kind=kind, delivery=Delivery.MAYBE_SENT)
    assert exit_code(failure) == KINDS[kind] + 64
    answered = HTTPConnectionError(kind=kind, delivery=Delivery.ANSWERED)
    assert exit_code(answered) == KINDS[kind]


@pytest.mark.parametrize(("status", "code"), [(200, 0), (304, 0), (399, 0), (400, 4), (500, 5)])
def test_a_status_has_its_class_as_code(status: int, code: int) -> None:
    assert exit_code_of_status(status) == code


def test_no_code_looks_like_a_signal() -> None:
    assert max(code for _, code in TABLE) + 64 < 126


def test_the_help_lists_every_code() -> None:
    words = HELP.split()
    for failure, code in TABLE:
        assert str(code) in words, failure


@pytest.mark.parametrize(("failure", "code"), TABLE, ids=lambda value: type(value).__name__)
def test_each_failure_has_advice(failure: HTTPFailure, code: int) -> None:
    assert advise(failure)
    assert "send it again" not in advise(failure)
