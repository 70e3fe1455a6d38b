"""The strategies draw every delivery that a real failure of a kind or phase can have."""

from typing import get_args

import pytest
from hypothesis import find, given

from railhttp import Delivery, HTTPConnectionError, HTTPFailure, HttpResponse, HTTPTimeoutError
from railhttp.model.errors import (
    ConnectionKind,
    HTTPDecodeError,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    TimeoutPhase,
)
from railhttp.testing.explore import Fault, Schedule, faults, schedules
from railhttp.testing.strategies import failures, responses

NOT_SENT, MAYBE, ANSWERED = Delivery.NOT_SENT, Delivery.MAYBE_SENT, Delivery.ANSWERED
KINDS: dict[str, tuple[Delivery, ...]] = {
    "dns": (NOT_SENT,),
    "connect": (NOT_SENT,),
    "proxy": (NOT_SENT,),
    "tls": (NOT_SENT,),
    "rejected": (NOT_SENT,),
    "closed": (NOT_SENT, MAYBE),
    "disconnected": (MAYBE,),
    "protocol": (MAYBE, ANSWERED),
    "truncated": (ANSWERED,),
    "redirect": (ANSWERED,),
}
"""The deliveries of each kind of connection failure."""
PHASES: dict[str, tuple[Delivery, ...]] = {
    "pool": (NOT_SENT,),
    "connect": (NOT_SENT,),
    "read": (MAYBE, ANSWERED),
    "total": (NOT_SENT, MAYBE, ANSWERED),
}
"""The deliveries of each phase of a time limit."""


def test_the_tables_are_complete() -> None:
    assert KINDS.keys() == set(get_args(ConnectionKind))
    assert PHASES.keys() == set(get_args(TimeoutPhase))


@pytest.mark.parametrize(
    ("kind", "delivery"), [(kind, one) for kind, each in KINDS.items() for one in each]
)
def test_each_kind_is_drawn_with_each_delivery(kind: str, delivery: Delivery) -> None:
    find(
        failures(),
        lambda one: (
            isinstance(one, HTTPConnectionError) and (one.kind, one.delivery) == (kind, delivery)
        ),
    )


@pytest.mark.parametrize(
    ("phase", "delivery"), [(phase, one) for phase, each in PHASES.items() for one in each]
)
def test_each_phase_is_drawn_with_each_delivery(phase: str, delivery: Delivery) -> None:
    find(
        failures(),
        lambda one: (
            isinstance(one, HTTPTimeoutError) and (one.phase, one.delivery) == (phase, delivery)
        ),
    )


@given(failures())
def test_no_failure_has_another_delivery(failure: HTTPFailure) -> None:
    match failure:
        case HTTPConnectionError(kind):
            assert failure.delivery in KINDS[kind]
        case HTTPTimeoutError(phase):
            assert failure.delivery in PHASES[phase]
        case HTTPRetryExhaustedError():
            proven = [one.delivery for one in failure.failures]
            assert [one.attempts for one in failure.failures] == [*range(1, len(proven) + 1)]
            assert 2 <= len(proven) <= 3
            assert failure.delivery is proven[0].strongest(*proven)
        case HTTPInvalidRequestError():
            assert failure.field == "headers"
        case HTTPInterceptorError():
            assert failure.interceptor == "Signing"
        case HTTPDecodeError():
            assert failure.where == "$.id"
        case HTTPResponseTooLargeError():
            assert failure.limit == 10
    assert 0 <= failure.elapsed <= 60
    assert 0 <= failure.attempts <= 3


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b'{"error": "no"}', b"<html>", b"{"])
def test_a_body_may_be_json_or_not(body: bytes) -> None:
    assert find(responses(), lambda response: response.body == body).body == body


@given(responses(), failures())
def test_everything_comes_from_the_root_of_one_server(
    response: HttpResponse, failure: HTTPFailure
) -> None:
    assert (response.method, response.url) == ("GET", "https://api.example/")
    assert (failure.method, failure.url) == ("GET", "https://api.example/")


def test_a_body_may_be_no_text() -> None:
    find(responses(), lambda response: not response.body.isascii())


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_schedule_has_up_to_three_faults(count: int) -> None:
    calls = ["GET /a", "GET /b", "GET /c", "GET /d"]
    some = schedules(calls, faults=faults.named("dns", "tls"))
    found = find(some, lambda schedule: len(schedule) >= count)
    assert found == Schedule(dict.fromkeys(calls[:count], Fault("dns")))


@given(schedules(["GET /a", "GET /b", "GET /c", "GET /d"]))
def test_a_schedule_has_no_more_than_three_faults(schedule: Schedule) -> None:
    assert len(schedule) <= 3


@given(schedules(["GET /a"], at_least=1))
def test_a_call_fails_once_in_a_schedule(schedule: Schedule) -> None:
    assert list(schedule) == ["GET /a"]
