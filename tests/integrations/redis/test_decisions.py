"""What a store decides without its server: turns, quorums, lifetimes, times and refusals."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import pytest
from redis.asyncio import Redis

from railhttp import HTTPValidationError
from railhttp.integrations.redis import RedisStore
from railhttp.integrations.redis.breakers import (
    FIRST,
    QuorumBreakers,
    SharedBreakers,
    _count,
    _Failures,
    _is_calm,
    _of_fleet,
)
from railhttp.integrations.redis.codec import BREAKERS, BUDGETS, FLEETS, RATES, Fleet, Streak
from railhttp.integrations.redis.limits import _give_back, _Take, _take
from railhttp.integrations.redis.link import Link, Reply, StoreDown
from railhttp.integrations.redis.shared import Copy, _Change, _decide, _finish
from railhttp.model.events import StoreDownEvent, StoreEvent, WhenDown
from railhttp.pipeline.policies.store import STORE_WAIT, StoreRefusal, StoreWait
from railhttp.policy.breaker_states import (
    BreakerState,
    Closed,
    ForcedOpen,
    HalfOpen,
    Open,
    ProbeSlot,
    Rejection,
    Report,
    Ticket,
)
from railhttp.policy.budget import RetryBudget, Tokens
from railhttp.policy.rate_limit import RateRule
from railhttp.policy.window import Bucket, Window
from railhttp.resilience import BreakerRule, CircuitBreaker, RateLimiter
from railhttp.testing import ManualClock

TEN: Final = RateRule(10, burst=3)
"""Ten turns per second, so that each one lasts 0.1 s."""


@pytest.mark.parametrize(
    ("full_at", "wanted", "taken", "then"),
    [
        (None, 1, 1, 100.1),
        (None, 3, 3, 100.3),
        (None, 9, 3, 100.3),
        (99.0, 9, 3, 100.3),
        (100.1, 9, 2, 100.3),
        (100.2, 1, 1, 100.3),
        (100.3, 9, 0, 100.3),
        (109.0, 9, 0, 109.0),
        (100.25, 9, 0, 100.25),
        (100.2 + 5e-10, 9, 1, 100.3),  # a rounding error costs no turn
    ],
)
def test_a_process_takes_the_turns_that_there_are(
    full_at: float | None, wanted: int, taken: int, then: float
) -> None:
    after, found = _take(full_at, _Take(TEN, wanted), 100.0)
    assert found == taken
    assert after == pytest.approx(then)


@pytest.mark.parametrize(
    ("full_at", "unused", "then"),
    [(100.5, 3, 100.2), (100.5, 5, None), (100.5, 9, None), (None, 1, None), (100.5, 4, 100.1)],
)
def test_turns_come_back(full_at: float | None, unused: int, then: float | None) -> None:
    after, _ = _give_back(full_at, _Take(TEN, unused), 100.0)
    assert after == (None if then is None else pytest.approx(then))


RULE: Final = BreakerRule(failure_threshold=6, recovery_timeout=30, window=10)


def seen(process: str, failures: int, quorum: int = 2) -> _Failures:
    return _Failures(process, failures, RULE, quorum, chance=0.5)


@pytest.mark.parametrize(
    ("before", "event", "after"),
    [
        (None, seen("a", 3), Fleet(Closed(FIRST), (Streak("a", 3, 110.0),))),
        (None, seen("a", 0), Fleet(Closed(FIRST))),
        (
            Fleet(Closed(FIRST), (Streak("a", 2, 105.0), Streak("b", 1, 105.0))),
            seen("a", 3),
            Fleet(Closed(FIRST), (Streak("b", 1, 105.0), Streak("a", 3, 110.0))),
        ),
        (
            Fleet(Closed(FIRST), (Streak("a", 3, 105.0), Streak("b", 1, 105.0))),
            seen("a", 0),
            Fleet(Closed(FIRST), (Streak("b", 1, 105.0),)),
        ),
        (  # a streak ends with its window
            Fleet(Closed(FIRST), (Streak("b", 3, 100.0), Streak("c", 1, 100.1))),
            seen("a", 3),
            Fleet(Closed(FIRST), (Streak("c", 1, 100.1), Streak("a", 3, 110.0))),
        ),
        (  # one process is no quorum
            None,
            seen("a", 9),
            Fleet(Closed(FIRST), (Streak("a", 9, 110.0),)),
        ),
        (  # a quorum that sees too few failures
            Fleet(Closed(FIRST), (Streak("b", 2, 105.0),)),
            seen("a", 3),
            Fleet(Closed(FIRST), (Streak("b", 2, 105.0), Streak("a", 3, 110.0))),
        ),
        (
            Fleet(Closed(FIRST + 4), (Streak("b", 3, 105.0),)),
            seen("a", 3),
            Fleet(Open(FIRST + 5, 1, 100.0 + RULE.open_time(1, 0.5))),
        ),
        (
            Fleet(Closed(FIRST), (Streak("b", 2, 105.0), Streak("c", 2, 105.0))),
            seen("a", 2, quorum=3),
            Fleet(Open(FIRST + 1, 1, 100.0 + RULE.open_time(1, 0.5))),
        ),
        (Fleet(Open(FIRST + 1, 1, 120.0)), seen("a", 3), Fleet(Open(FIRST + 1, 1, 120.0))),
    ],
)
def test_a_quorum_that_sees_enough_failures_opens_the_circuit(
    before: Fleet | None, event: _Failures, after: Fleet
) -> None:
    assert _count(before, event, 100.0) == (after, None)


def test_a_decision_about_a_circuit_is_one_about_that_of_the_fleet() -> None:
    given: list[object] = []

    def decide(
        state: BreakerState | None, event: BreakerState | None, now: float
    ) -> tuple[BreakerState | None, str]:
        given.append((state, event, now))
        return event, "decided"

    fleet = Fleet(Closed(FIRST + 1), (Streak("a", 1, 105.0),))
    opened = Open(FIRST + 2, 1, 120.0)
    assert _of_fleet(decide)(fleet, opened, 100.0) == (Fleet(opened), "decided")
    assert given == [(fleet.circuit, opened, 100.0)]
    assert _of_fleet(decide)(fleet, fleet.circuit, 100.0) == (fleet, "decided")
    assert _of_fleet(decide)(fleet, None, 100.0) == (fleet, "decided")
    assert _of_fleet(decide)(None, Closed(FIRST), 100.0) == (None, "decided")


@pytest.mark.parametrize(
    ("state", "calm"),
    [
        (Closed(3), True),
        (Closed(3, 1), False),
        (Closed(3, 0, Window((Bucket(100, 5, 0),))), True),
        (Closed(3, 0, Window((Bucket(100, 5, 1),))), False),
        (Open(1, 1, 100.0), False),
        (None, False),
    ],
)
def test_a_circuit_without_failures_is_calm(state: BreakerState | None, calm: bool) -> None:
    assert _is_calm(state) is calm


HOUR: Final = 3600.0


@pytest.mark.parametrize(
    ("circuit", "lifetime"),
    [
        (Closed(), HOUR),
        (Open(1, 1, 130.0), HOUR + 30),
        (Open(1, 1, 90.0), HOUR),
        (HalfOpen(1, 1), HOUR),
        (HalfOpen(1, 1, 2, (ProbeSlot(0, 120.0), ProbeSlot(1, 150.0))), HOUR + 50),
        (HalfOpen(1, 1, 2, (ProbeSlot(0, 20.0),)), HOUR),
        (ForcedOpen(1), None),
    ],
)
def test_a_circuit_is_kept_for_an_hour_after_its_last_use(
    circuit: BreakerState, lifetime: float | None
) -> None:
    assert BREAKERS.lifetime(circuit, 100.0) == lifetime
    assert FLEETS.lifetime(Fleet(circuit), 100.0) == lifetime


def test_a_rate_is_kept_until_it_is_full_and_a_budget_for_a_day() -> None:
    assert (RATES.lifetime(105.0, 100.0), RATES.lifetime(95.0, 100.0)) == (6.0, 1.0)
    assert BUDGETS.lifetime(Tokens(1.0, 0.0), 100.0) == 24 * HOUR


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"type": "rate"}',
        b'{"type": "closed", "state": [1, "2", [[]]]}',
        b'{"type": "\xff"}',
        b"gASV",
    ],
)
def test_bytes_of_another_program_are_no_state(data: bytes) -> None:
    found = [codec.decode(data) for codec in (BREAKERS, FLEETS, RATES, BUDGETS)]
    assert found == [None] * 4


def link(clock: ManualClock, when_down: WhenDown = "local", timeout: float = 0.05) -> Link:
    return Link("redis://cache", prefix="shop", timeout=timeout, when_down=when_down, clock=clock)


async def test_times_of_the_server_are_converted_to_the_clock_of_the_process() -> None:
    clock = ManualClock(now=50.0, wall=1000.0)
    one = link(clock)
    assert one.now() == 1000.0
    assert one.to_local(1007.0) == 57.0
    await clock.advance(2)
    assert one.now() == 1002.0
    assert (one.name, one.channel, one.key("kind", "name")) == (
        "shop",
        "shop:changes",
        "shop:kind:name",
    )


async def test_an_outage_is_reported_once_with_its_first_problem() -> None:
    events: list[StoreEvent] = []
    one = link(ManualClock(), "refuse")
    one.listeners.add(events.append)
    one.up = True
    assert [str(one.fail(problem)) for problem in ("TimeoutError", "OSError")] == [
        "TimeoutError",
        "OSError",
    ]
    outage = StoreDownEvent(store="shop", problem="TimeoutError", when_down="refuse")
    assert (events, one.outage, one.up, one.problem) == ([outage], outage, False, "TimeoutError")


async def test_nothing_is_asked_of_a_server_that_is_down() -> None:
    one = link(ManualClock())
    with pytest.raises(StoreDown, match="not started"):
        await one.run("script", ["key"])


async def test_the_pauses_between_two_tries_double_up_to_five_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def connected(_: Link) -> None:
        raise OSError

    clock = ManualClock()
    one = link(clock)
    monkeypatch.setattr(Link, "_connected", connected)
    monkeypatch.setattr(clock, "uniform", lambda: 0.0)  # the shortest pause is half of the longest
    watching = asyncio.create_task(one._watch())
    await clock.advance(12)
    monkeypatch.setattr(clock, "uniform", lambda: 0.5)
    await clock.advance(5)
    watching.cancel()
    assert clock.slept == pytest.approx(
        [0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.5, 2.5, 2.5, 2.5, 3.75, 3.75]
    )
    assert (one.up, one.problem) == (False, "OSError")


TIME: Final = (b"1000", b"500000")
"""The time with which each reply begins."""


@pytest.mark.parametrize(
    ("of_script", "of_reading", "reply"),
    [
        (False, False, None),
        (False, False, b"1"),
        (False, False, []),
        (False, False, [b"1000"]),
        (False, False, [1000, 5, 1, b"v"]),
        (False, False, [*TIME]),
        (False, False, [*TIME, 1]),
        (True, False, [*TIME, 1, b"v"]),
        (False, False, [*TIME, 1, "v"]),
        (False, False, [*TIME, 1, b"v", b"v"]),
        (False, True, [*TIME, []]),
        (False, False, [*TIME, [], []]),
        (False, False, [*TIME, b"v"]),
    ],
)
async def test_a_reply_of_another_form_is_an_outage(
    of_script: bool, of_reading: bool, reply: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(**_: object) -> object:
        return reply

    monkeypatch.setattr(Redis, "register_script", lambda *_: script)

    async def read(use: Callable[[Link], Awaitable[object]], *, understood: bool) -> None:
        one = link(ManualClock())
        one.up = True
        if understood:
            await use(one)
            assert one.now() == 1000.5
        else:
            with pytest.raises(StoreDown, match="an unexpected reply"):
                await use(one)
        assert one.up is understood

    await read(lambda one: one.run("script", ["key"]), understood=of_script)
    await read(lambda one: one._refresh(), understood=of_reading)


@pytest.mark.parametrize(
    ("earlier", "done", "replied", "up", "expected", "closes"),
    [
        (0.0, True, 0.0, True, "done", False),
        (0.0, False, -1.0, True, "down", True),  # silent for a whole timeout
        (0.0, False, 50.0, True, "late", False),  # it has replied to others meanwhile
        (0.02, False, -1.0, True, "late", False),  # not for a whole timeout of its own
        (0.05, False, -1.0, True, "late", False),
        (0.05, True, -1.0, True, "done", False),
        (0.0, False, 50.0, False, "down", False),
    ],
)
async def test_a_call_waits_no_longer_than_the_timeout_for_all_its_policies(
    earlier: float, done: bool, replied: float, up: bool, expected: str, closes: bool
) -> None:
    one = link(ManualClock(now=10.0))
    one.up, one.replied_at = up, replied
    waits = StoreWait()
    waits.seconds = earlier
    token = STORE_WAIT.set(waits)
    work: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    if done:
        work.set_result(None)
    assert await one.wait(work) == expected
    STORE_WAIT.reset(token)
    assert (one.outage is not None) is closes
    work.cancel()


async def test_work_in_the_background_ends_with_the_store() -> None:
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("endless")

    async def short() -> None:
        await asyncio.sleep(0)
        ended.append("short")

    one = link(ManualClock(), timeout=60)
    one.begin(endless())
    one.begin(short(), finishes=True)
    await asyncio.sleep(0)
    one.up = True
    await one.stop()
    assert ended == ["short", "endless"]
    assert (one.up, one.problem) == (False, "closed")


def store(when_down: WhenDown) -> RedisStore:
    return RedisStore.connect(
        "redis://127.0.0.1:1", prefix="shop", when_down=when_down, clock=ManualClock()
    )


ALONE: Final = ("local", "refuse", "raise")


async def test_a_store_that_is_down_decides_alone_refuses_or_raises() -> None:
    budget = RetryBudget(capacity=20, refill=0.0)
    alone, refusing, raising = map(store, ALONE)  # type: ignore[arg-type]  # literals
    assert await alone.budgets().apply("o", budget.charge, 5)
    assert (alone.budgets().peek("o") or Tokens(0.0, 0.0)).held == 15.0
    assert not await refusing.budgets().apply("o", budget.charge, 5)
    assert refusing.budgets().peek("o") is None
    with pytest.raises(StoreDown):
        await raising.budgets().apply("o", budget.charge, 5)


@pytest.mark.parametrize("quorum", [1, 2])
async def test_a_breaker_of_a_store_that_is_down(quorum: int) -> None:
    alone, refusing, raising = (one.breakers(quorum) for one in map(store, ALONE))  # type: ignore[arg-type]  # literals
    rule = BreakerRule(3)
    assert not isinstance(await alone.apply("o", rule.admit, None), Rejection)
    with pytest.raises(StoreRefusal) as refused:
        await refusing.apply("o", rule.admit, None)
    assert refused.value.name == "shop"
    with pytest.raises(StoreDown):
        await raising.apply("o", rule.admit, None)
    assert [one.peek("o") for one in (refusing, raising)] == [None, None]
    for one in (refusing, raising):
        with pytest.raises(StoreDown):
            await CircuitBreaker(name="o", store=one).force_open()


@pytest.mark.parametrize("lease", [0.0, 0.1])
async def test_a_rate_of_a_store_that_is_down(lease: float) -> None:
    async def succeed() -> str:
        return "fine"

    alone, refusing, raising = (one.rates(lease) for one in map(store, ALONE))  # type: ignore[arg-type]  # literals
    assert await RateLimiter(10, store=alone).execute(succeed) == "fine"
    rule = RateRule(10)
    with pytest.raises(StoreRefusal):
        await refusing.apply("o", rule.take, 0)
    with pytest.raises(StoreDown):
        await raising.apply("o", rule.take, 0)


def test_a_store_makes_one_store_of_each_kind() -> None:
    fleet = store("local")
    assert fleet.breakers() is fleet.breakers(1)
    assert fleet.breakers(2) is fleet.breakers(2)
    assert fleet.breakers(2) is not fleet.breakers(1)
    assert fleet.rates() is fleet.rates(0.1)
    assert fleet.rates(0) is fleet.rates(0.0)
    assert fleet.rates(0) is not fleet.rates()
    assert fleet.budgets() is fleet.budgets()


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("quorum", lambda fleet: fleet.breakers(0)),
        ("quorum", lambda fleet: fleet.breakers(-1)),
        ("lease", lambda fleet: fleet.rates(-0.1)),
        ("key", lambda fleet: fleet.tokens(key="")),
        ("key", lambda fleet: fleet.tokens(key=b"")),
        ("lease", lambda fleet: fleet.tokens(key="k", lease=0)),
        ("lease", lambda fleet: fleet.tokens(key="k", lease=-1)),
        ("name", lambda fleet: fleet.tokens(key="k", name=7)),
    ],
)
def test_an_argument_that_cannot_be_is_named(field: str, make: object) -> None:
    assert callable(make)
    with pytest.raises(HTTPValidationError) as caught:
        make(store("local"))
    assert caught.value.field == field


async def test_the_health_of_a_store_has_the_problem() -> None:
    fleet = store("local")
    health = await fleet.health()
    assert (health.component, health.status) == ("redis", "unhealthy")
    assert "not started" in health.message
    assert repr(fleet) == "<RedisStore 'shop'>"
    assert repr(fleet.tokens(key="s3cret")) == "<SharedTokens of 'shop'>"


async def test_successes_that_wait_are_sent_with_a_failure_and_not_with_another_success() -> None:
    one = link(ManualClock())
    one.up = True
    breakers = SharedBreakers(one)
    rule = BreakerRule(3)
    calm = BREAKERS.encode(Closed(1))
    breakers.receive("o", b"1 " + calm)
    report = Report(Ticket(1, 0, 0.0), "success", 0.5)
    await breakers.apply("o", rule.record, report)
    breakers.receive("o", b"2 " + calm)
    assert not one._pending
    breakers.receive("o", b"3 " + BREAKERS.encode(Closed(1, 1)))
    assert len(one._pending) == 1
    await one.stop()


def test_a_published_state_counts_if_it_is_newer() -> None:
    one = SharedBreakers(link(ManualClock()))
    first, second = (BREAKERS.encode(Closed(1, number)) for number in (1, 2))
    for data, known in (
        (b"5 " + first, Closed(1, 1)),
        (b"5 " + second, Closed(1, 1)),
        (b"4 " + second, Closed(1, 1)),
        (b"6 " + second, Closed(1, 2)),
        (b"7 ", None),
        (b"x " + second, None),
        (b"7 " + second, None),
        (b"12345678901234567890 " + second, None),  # no version that fits a number
        (b"1234567890123456789 " + second, Closed(1, 2)),
    ):
        one.receive("o", data)
        assert one.peek("o") == known, data


def test_the_version_of_a_state_is_the_time_in_microseconds_and_always_grows() -> None:
    # So that a state written after a flush is newer than the copies of other processes.
    one = SharedBreakers(link(ManualClock()))
    fresh = one._copy_with(Closed(1), Copy(), 1_700_000_000.5)
    assert (fresh.version, fresh.known, fresh.state) == (
        1_700_000_000_500_000,
        Closed(1),
        Closed(1),
    )
    assert fresh.data == b"1700000000500000 " + BREAKERS.encode(Closed(1))
    later = one._copy_with(None, fresh, 1_700_000_000.5)
    assert (later.version, later.data, later.known) == (
        1_700_000_000_500_001,
        b"1700000000500001 ",
        None,
    )
    back = one._copy_with(Closed(1), fresh, 5.0)  # the clock of another server is behind
    assert back.version == 1_700_000_000_500_001


async def test_policies_decide_in_order_and_one_that_raises_changes_nothing() -> None:
    loop = asyncio.get_running_loop()

    def add(number: int) -> Callable[[int | None, float], int | None]:
        return lambda state, now: (state or 0) * 10 + number

    def fail(state: int | None, now: float) -> int | None:
        raise LookupError(now)

    changes = [_Change(decide, loop.create_future()) for decide in (add(1), fail, add(2), add(3))]
    changes[3].done.set_result(False)  # its caller has given up
    assert _decide(None, changes, 7.0) == 12
    assert [type(change.error) for change in changes] == [
        type(None),
        LookupError,
        *[type(None)] * 2,
    ]
    changes[1].decide = add(9)
    assert _decide(5, changes, 7.0) == 512  # an error is final
    _finish(changes, sent=True)
    assert [change.done.result() for change in changes] == [True, True, True, False]


async def test_a_report_that_no_rule_counts_is_one_of_the_own_circuit_only() -> None:
    def record(
        state: BreakerState | None, event: Report, now: float
    ) -> tuple[BreakerState | None, str]:
        return Closed(7, 5), "recorded"

    one = link(ManualClock())
    one.up = True
    breakers = QuorumBreakers(one, 2)
    report = Report(Ticket(1, 0, 0.0), "failure", 0.5)
    assert await breakers.apply("o", record, report) == "recorded"
    assert breakers.peek("o") == Closed(7, 5)
    assert not one._pending


@pytest.mark.parametrize(
    ("lost", "pauses"),
    [
        (0, []),
        (1, [0.002]),
        (5, [0.002, 0.004, 0.006, 0.00625, 0.00625]),  # at most a quarter of the timeout
    ],
)
async def test_a_process_waits_longer_with_each_race_that_it_loses(
    lost: int, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = [b"%d " % number + BREAKERS.encode(Closed(1, number)) for number in range(lost)]
    replies = [*(Reply(done=False, value=value) for value in values), Reply(done=True, value=b"")]
    seen: list[BreakerState | None] = []

    async def run(*_: object) -> Reply:
        return replies.pop(0)

    def decide(state: BreakerState | None, now: float) -> BreakerState:
        seen.append(state)
        return Closed(2)

    clock = ManualClock()
    one = SharedBreakers(link(clock))
    monkeypatch.setattr(Link, "run", run)
    change: _Change[BreakerState] = _Change(decide, asyncio.get_running_loop().create_future())
    copy = await clock.run(one._swap("o", None, [change]))
    assert clock.slept == pytest.approx(pauses)
    assert seen == [None, *(Closed(1, number) for number in range(lost))]
    assert (copy.known, replies) == (Closed(2), [])


async def test_under_refuse_the_report_of_a_call_of_the_fleet_is_dropped() -> None:
    def record(
        state: BreakerState | None, event: Report, now: float
    ) -> tuple[BreakerState | None, str]:
        return state, "dropped"

    breakers = QuorumBreakers(link(ManualClock(), "refuse"), 2)
    report = Report(Ticket(FIRST, 0, 0.0), "failure", 0.5)
    assert await breakers.apply("o", record, report) == "dropped"
