"""Limits of queues, budgets, deadlines and waits: exactly at each, and on both sides."""

from math import inf
from typing import Final

import pytest

from railhttp import Delivery, HTTPConnectionError, HttpResponse, HTTPStatusError, HTTPTimeoutError
from railhttp.headers import freeze_headers
from railhttp.policy.backoff import Backoff
from railhttp.policy.budget import RetryBudget, Tokens, is_throttled
from railhttp.policy.bulkhead import BulkheadRule
from railhttp.policy.deadline import NEVER, Deadline, nearer
from railhttp.policy.health import judge_status
from railhttp.policy.rate_limit import RateRule
from railhttp.policy.retry import RetryRule, Trial, is_harmless, retry_after
from railhttp.policy.window import Bucket, Window, bucket_end


@pytest.mark.parametrize(
    ("running", "waiting", "place"),
    [
        (0, 0, "inside"),
        (1, 0, "inside"),
        (2, 0, "queue"),
        (1, 1, "queue"),  # others were first
        (2, 2, "queue"),
        (2, 3, "none"),
        (0, 3, "none"),
    ],
)
def test_a_call_runs_waits_or_is_rejected(running: int, waiting: int, place: str) -> None:
    assert BulkheadRule(2, max_queue=3).place(running, waiting) == place


def test_without_a_queue_a_call_runs_or_is_rejected() -> None:
    rule = BulkheadRule(1, max_queue=0)
    assert [rule.place(running, 0) for running in (0, 1)] == ["inside", "none"]


RATE: Final = RateRule(10, burst=3)


@pytest.mark.parametrize(
    ("full_at", "ahead", "after", "wait"),
    [
        (None, 0, 100.1, None),
        (100.2, 0, 100.3, None),
        (100.2 + 5e-10, 0, 100.3, None),  # a rounding error delays no call
        (100.3, 0, 100.3, 0.1),
        (100.3, 2, 100.3, 0.3),
        (None, 1, None, 0.0),
        (None, 3, None, 0.1),
        (90.0, 0, 100.1, None),
    ],
)
def test_a_call_starts_or_waits_for_its_turn(
    full_at: float | None, ahead: int, after: float | None, wait: float | None
) -> None:
    found = RATE.take(full_at, ahead, 100.0)
    assert found == (
        None if after is None else pytest.approx(after),
        None if wait is None else pytest.approx(wait),
    )


BUDGET: Final = RetryBudget(capacity=30, refill=2.0)


@pytest.mark.parametrize(
    ("tokens", "cost", "held", "paid"),
    [
        (None, 14, 16, True),
        (None, 30, 0, True),
        (None, 31, None, False),
        (Tokens(14, 100.0), 14, 0, True),
        (Tokens(13, 100.0), 14, 13, False),
        (Tokens(10, 98.0), 14, 0, True),
        (Tokens(10, 101.0), 14, 10, False),  # the clock of another process is ahead
        (Tokens(10, 0.0), 14, 16, True),
    ],
)
def test_a_retry_is_paid_if_there_are_enough_tokens(
    tokens: Tokens | None, cost: int, held: float | None, paid: bool
) -> None:
    expected = None if held is None else Tokens(held, 100.0)
    assert BUDGET.charge(tokens, cost, 100.0) == (expected, paid)


@pytest.mark.parametrize(
    ("tokens", "amount", "after"),
    [
        (Tokens(10, 100.0), 5, Tokens(15, 100.0)),
        (Tokens(10, 100.0), 19, Tokens(29, 100.0)),
        (Tokens(10, 100.0), 20, None),
        (None, 1, None),
    ],
)
def test_a_full_budget_has_no_state(
    tokens: Tokens | None, amount: int, after: Tokens | None
) -> None:
    assert BUDGET.repay(tokens, amount, 100.0) == (after, None)


def test_a_retry_after_a_429_costs_less() -> None:
    busy, down = (HTTPStatusError(HttpResponse(status)) for status in (429, 503))
    assert (is_throttled(busy), is_throttled(down)) == (True, False)
    assert not is_throttled(HTTPTimeoutError(phase="read"))
    assert (BUDGET.cost(busy), BUDGET.cost(down)) == (5, 14)


@pytest.mark.parametrize(
    ("at", "left", "allows"),
    [(None, inf, True), (105.0, 5.0, False), (105.1, 5.1, True), (99.0, 0.0, False)],
)
def test_a_deadline_allows_what_begins_before_it(
    at: float | None, left: float, allows: bool
) -> None:
    deadline = Deadline(at)
    assert deadline.remaining(100.0) == pytest.approx(left)
    assert deadline.allows(5.0, 100.0) is allows
    assert Deadline() == NEVER


def test_of_two_moments_the_nearer_one_counts() -> None:
    assert [nearer(at, 5.0) for at in (None, 4.0, 5.0, 6.0)] == [5.0, 4.0, 5.0, 5.0]


@pytest.mark.parametrize(
    ("number", "bound"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 3.0), (5, 3.0), (5000, 3.0)]
)
def test_a_wait_doubles_up_to_the_maximum(number: int, bound: float) -> None:
    backoff = Backoff(0.5, 3.0)
    assert backoff.bound(number) == bound
    assert backoff.delay(number, 0.5) == bound / 2
    assert Backoff(0.5, 3.0, jitter=False).delay(number, 0.5) == bound


@pytest.mark.parametrize(
    ("retries", "seconds"), [(0, 0.0), (1, 0.5), (3, 3.5), (4, 6.5), (10_000, 29_994.5)]
)
def test_the_longest_waits_are_added_up(retries: int, seconds: float) -> None:
    assert Backoff(0.5, 3.0).longest(retries) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, "success"), (404, "success"), (428, "success"), (429, "failure"), (430, "success"),
     (499, "success"), (500, "failure"), (599, "failure")],
)  # fmt: skip
def test_a_status_is_for_or_against_its_host(status: int, verdict: str) -> None:
    assert judge_status(status) == verdict


def test_calls_are_forgotten_with_their_tenth_of_the_window() -> None:
    window = Window()
    for now, failed, calls in ((100.0, False, 2), (100.9, True, 3), (101.0, True, 1)):
        window = window.record(failed, now=now, span=10.0, calls=calls)
    assert window == Window((Bucket(100, 5, 3), Bucket(101, 1, 1)))
    assert window.sums() == (6, 4)
    assert window.record(False, now=109.9, span=10.0).sums() == (7, 4)
    assert window.record(False, now=110.0, span=10.0).sums() == (2, 1)
    late = window.record(True, now=50.0, span=10.0)
    assert late == Window((Bucket(100, 5, 3), Bucket(101, 2, 2)))


@pytest.mark.parametrize(
    ("now", "span", "end"), [(100.0, 10.0, 101.0), (100.9, 10.0, 101.0), (0.0, 30.0, 3.0)]
)
def test_the_end_of_a_bucket_is_a_tenth_of_the_window_away(
    now: float, span: float, end: float
) -> None:
    assert bucket_end(now, span) == end


def fields(**names: str) -> HTTPStatusError:
    given = {name.replace("_", "-"): text for name, text in names.items()}
    return HTTPStatusError(HttpResponse(503, freeze_headers(given)))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": " 7\t"}, 7.0),
        ({"Retry_After": "1.5"}, 1.5),
        ({"Retry_After": "-3"}, 0.0),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "7 s"}, None),
        ({"retry_after_ms": "1500"}, 1.5),
        ({"retry_after_ms": "-1", "Retry_After": "7"}, 0.0),
        ({"retry_after_ms": "x", "Retry_After": "7"}, 7.0),
        ({"Retry_After": "Sun, 06 Nov 1994 08:49:37 GMT"}, 7.0),
        ({"Retry_After": "Sun, 06 Nov 1994 08:49:29 GMT"}, 0.0),
        ({"Retry_After": "Sun, 06 Nov 1994 09:49:37 +0100"}, 7.0),
        ({"Retry_After": "Sun, 06 Nov 99999 08:49:37 GMT"}, None),
    ],
)
def test_a_server_names_the_time_in_several_forms(
    headers: dict[str, str], seconds: float | None
) -> None:
    found = retry_after(fields(**headers).response.headers, wall=784_111_770.0)
    assert found == seconds


@pytest.mark.parametrize(
    ("delivery", "repeatable", "replayable", "harmless"),
    [
        (Delivery.MAYBE_SENT, True, False, True),
        (Delivery.MAYBE_SENT, False, True, False),
        (Delivery.NOT_SENT, False, True, True),
        (Delivery.NOT_SENT, False, False, False),
        (Delivery.ANSWERED, False, True, False),
    ],
)
def test_a_second_send_does_no_harm_if_it_has_no_effect_or_the_first_had_none(
    delivery: Delivery, repeatable: bool, replayable: bool, harmless: bool
) -> None:
    assert is_harmless(delivery, repeatable=repeatable, replayable=replayable) is harmless


RETRY: Final = RetryRule(3, Backoff(2.0, 8.0), retry_after_cap=40.0)
LOST: Final = HTTPConnectionError(kind="disconnected")


@pytest.mark.parametrize(
    ("trial", "chance", "delay"),
    [
        (Trial(1, LOST), 1.0, 2.0),
        (Trial(1, LOST), 0.5, 1.0),
        (Trial(2, LOST), 1.0, 4.0),
        (Trial(3, LOST), 1.0, None),
        (Trial(1, LOST, repeatable=False), 1.0, None),
        (Trial(1, LOST, deadline=Deadline(102.0)), 1.0, None),
        (Trial(1, LOST, deadline=Deadline(102.1)), 1.0, 2.0),
        (Trial(1, fields(Retry_After="20")), 0.0, 20.0),
        (Trial(1, fields(Retry_After="20")), 1.0, 25.0),
        (Trial(1, fields(Retry_After="20")), 0.4, 22.0),
        (Trial(1, fields(Retry_After="4")), 1.0, 6.0),  # the backoff is longer than a quarter
        (Trial(1, fields(Retry_After="0")), 1.0, 2.0),
        (Trial(1, fields(Retry_After="60")), 1.0, 50.0),
        (Trial(1, HTTPStatusError(HttpResponse(429))), 1.0, 1.0),
        (Trial(1, HTTPStatusError(HttpResponse(404))), 1.0, None),
    ],
)
def test_the_wait_before_the_next_attempt(trial: Trial, chance: float, delay: float | None) -> None:
    found = RETRY.delay(trial, now=100.0, wall=0.0, chance=chance)
    assert found == (None if delay is None else pytest.approx(delay))


def test_without_jitter_a_client_returns_when_it_is_told_to() -> None:
    rule = RetryRule(3, Backoff(2.0, 8.0, jitter=False))
    found = rule.delay(Trial(1, fields(Retry_After="20")), now=0.0, wall=0.0, chance=1.0)
    assert found == 20.0
    assert RETRY.longest_waits == 6.0
