"""A process reports its failures to its fleet, and its circuit follows that of the fleet."""

from typing import Final, Literal, TypeVar

import pytest

from railhttp.integrations.redis.breakers import FIRST, QuorumBreakers, SharedBreakers, _Failures
from railhttp.integrations.redis.codec import Fleet
from railhttp.integrations.redis.link import Link, StoreDown
from railhttp.pipeline.policies.store import Decide, StoreRefusal
from railhttp.policy.breaker_states import (
    BreakerState,
    Closed,
    ForcedOpen,
    Open,
    Rejection,
    Report,
    Ticket,
    force_open,
    reset,
)
from railhttp.resilience import BreakerRule
from railhttp.testing import ManualClock

E = TypeVar("E")
D = TypeVar("D")

RULE: Final = BreakerRule(5, failure_ratio=None, window=10)
NOW: Final = 1_700_000_000.0


class Fleets:
    """The circuits of the fleet as known here, and what is sent about them."""

    def __init__(self) -> None:
        self.known: Fleet | None = None
        self.sent: list[object] = []
        self.error: Exception | None = None

    def peek(self, key: str) -> Fleet | None:
        return self.known

    async def apply(self, key: str, decide: Decide[Fleet, E, D], event: E) -> D:
        if self.error is not None:
            raise self.error
        self.sent.append(event)
        self.known, decision = decide(self.known, event, NOW)
        return decision


class Process:
    """A process of a fleet of which two must see failures."""

    def __init__(self, quorum: int = 2) -> None:
        self.clock = ManualClock(wall=NOW, chances=[0.5] * 10)
        link = Link(
            "redis://cache", prefix="shop", timeout=1.0, when_down="local", clock=self.clock
        )
        link.up = True
        self.name = link.process
        self.breakers = QuorumBreakers(link, quorum)
        self.fleets = vars(self.breakers)["_fleets"] = Fleets()

    async def call(self, verdict: Literal["success", "failure"] = "failure") -> bool:
        """Make a call; return whether it was admitted."""
        ticket = await self.breakers.apply("o", RULE.admit, None)
        if isinstance(ticket, Rejection):
            return False
        await self.breakers.apply("o", RULE.record, Report(ticket, verdict, 0.5))
        return True

    @property
    def reported(self) -> list[int]:
        """The numbers of failures that were reported."""
        return [one.failures for one in self.fleets.sent if isinstance(one, _Failures)]


async def test_each_new_failure_is_reported_up_to_the_share_of_the_process() -> None:
    one = Process()
    for _ in range(5):
        assert await one.call()
    assert one.reported == [1, 2, 3]
    assert not await one.call(), "its own circuit is open"
    [first, *_] = one.fleets.sent
    assert first == _Failures(one.name, 1, RULE, 2, 0.5)


async def test_failures_that_go_on_are_reported_again_after_half_of_the_window() -> None:
    one = Process()
    for _ in range(3):
        await one.call()
    await one.clock.advance(4.9)
    await one.call()
    assert one.reported == [1, 2, 3]
    await one.clock.advance(0.1)
    await one.call()
    assert one.reported == [1, 2, 3, 3]


async def test_a_success_is_reported_once_and_only_after_a_failure() -> None:
    one = Process()
    await one.call("success")
    assert one.reported == []
    await one.call()
    await one.call("success")
    await one.clock.advance(60)
    await one.call("success")
    assert one.reported == [1, 0]
    await one.call()
    assert one.reported == [1, 0, 1]


@pytest.mark.parametrize(("quorum", "share"), [(2, 3), (3, 2), (5, 1), (9, 1)])
async def test_the_share_of_a_process_is_rounded_up(quorum: int, share: int) -> None:
    one = Process(quorum)
    for _ in range(5):
        await one.call()
    assert one.reported == list(range(1, share + 1))


async def test_a_report_of_a_call_that_the_fleet_admitted_is_one_about_the_fleet() -> None:
    one = Process()
    own = Report(Ticket(FIRST - 1, 0, NOW), "failure", 0.5)
    await one.breakers.apply("o", RULE.record, own)
    assert one.fleets.sent == []
    of_fleet = Report(Ticket(FIRST, 0, NOW), "failure", 0.5)
    await one.breakers.apply("o", RULE.record, of_fleet)
    assert one.fleets.sent == [of_fleet]


async def test_the_open_circuit_of_the_fleet_decides_in_the_time_of_the_process() -> None:
    one = Process()
    one.fleets.known = Fleet(Open(FIRST + 1, 1, NOW + 7))
    assert one.breakers.peek("o") == Open(FIRST + 1, 1, 7.0)
    assert not await one.call()
    one.fleets.known = Fleet(ForcedOpen(FIRST + 1))
    assert one.breakers.peek("o") == ForcedOpen(FIRST + 1)
    one.fleets.known = Fleet(Closed(FIRST + 1))
    assert one.breakers.peek("o") is None
    assert await one.call()


async def test_the_own_circuit_has_the_time_of_the_process_too() -> None:
    one = Process()
    for _ in range(5):
        await one.call()
    assert one.breakers.peek("o") == Open(1, 1, RULE.recovery_timeout)


@pytest.mark.parametrize(
    ("generation", "is_open"), [(FIRST, True), (FIRST + 2, False), (FIRST - 1, True)]
)
async def test_the_own_circuit_closes_after_that_of_the_fleet(
    generation: int, is_open: bool
) -> None:
    one = Process()
    for _ in range(5):
        await one.call()
    one.fleets.known = Fleet(Closed(generation))
    assert isinstance(one.breakers.peek("o"), Open) is is_open
    assert await one.call() is not is_open
    before = len(one.reported)
    if not is_open:
        assert one.reported[before - 1] == 1, "it counts anew"
        one.fleets.known = Fleet(Closed(FIRST))  # the server has lost its data
        assert one.breakers.peek("o") == Closed(2, 1)


async def test_by_hand_the_circuit_of_the_fleet_is_opened_and_closed() -> None:
    one = Process()
    await one.breakers.apply("o", force_open, None)
    assert one.fleets.known == Fleet(ForcedOpen(FIRST + 1))
    await one.breakers.apply("o", reset, None)
    assert one.fleets.known == Fleet(Closed(FIRST + 2))


async def test_a_circuit_that_cannot_be_changed_by_hand_is_an_outage_and_no_refusal() -> None:
    one = Process()
    one.fleets.known = Fleet(ForcedOpen(FIRST + 1))
    one.fleets.error = StoreRefusal("shop")
    with pytest.raises(StoreDown) as caught:
        await one.breakers.apply("o", reset, None)
    assert caught.value.__cause__ is None
    with pytest.raises(StoreRefusal):
        await one.breakers.apply("o", RULE.admit, None)


async def test_under_refuse_the_report_of_a_shared_circuit_is_dropped() -> None:
    def record(
        state: BreakerState | None, event: Report, now: float
    ) -> tuple[BreakerState | None, str]:
        assert (state, now) == (None, NOW)
        return Closed(1), "dropped"

    clock = ManualClock(wall=NOW)
    link = Link("redis://cache", prefix="shop", timeout=1.0, when_down="refuse", clock=clock)
    breakers = SharedBreakers(link)
    report = Report(Ticket(1, 0, 0.0), "failure", 0.5)
    assert await breakers.apply("o", record, report) == "dropped"
    assert breakers.copies == {}
