"""The scripts that a store sends for its decisions, and the decisions that wait for them."""

import asyncio
from typing import Final, Literal

import pytest

from railhttp.integrations.redis.breakers import SharedBreakers
from railhttp.integrations.redis.codec import BREAKERS, BUDGETS, RATES
from railhttp.integrations.redis.limits import SharedBudgets, SharedRates
from railhttp.integrations.redis.link import Link, Reply, StoreDown
from railhttp.integrations.redis.scripts import SWAP
from railhttp.policy.breaker_states import BreakerState, Closed, ForcedOpen, Report, Ticket
from railhttp.policy.budget import Tokens
from railhttp.resilience import BreakerRule
from railhttp.testing import ManualClock

NOW: Final = 1_700_000_000.0
VERSION: Final = b"1700000000000000 "


class Server:
    """Notes the scripts that run, and responds to each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, hangs: bool = False) -> None:
        self.clock = ManualClock(wall=NOW)
        self.link = Link(
            "redis://cache", prefix="shop", timeout=60.0, when_down="local", clock=self.clock
        )
        self.link.up = True
        self.scripts: list[tuple[object, ...]] = []
        self.lets_go = asyncio.Event()
        if not hangs:
            self.lets_go.set()

        async def run(_: Link, *arguments: object) -> Reply:
            self.scripts.append(arguments)
            await self.lets_go.wait()
            return Reply(done=True, value=b"")

        monkeypatch.setattr(Link, "run", run)


def put(
    state: BreakerState | None, event: BreakerState | None, now: float
) -> tuple[BreakerState | None, str]:
    return event, "put"


@pytest.mark.parametrize(("state", "lifetime"), [(Closed(1), "3600001"), (ForcedOpen(1), "0")])
async def test_a_new_state_is_set_with_its_lifetime_and_published(
    state: BreakerState, lifetime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(monkeypatch)
    breakers = SharedBreakers(server.link)
    assert await breakers.apply("o", put, state) == "put"
    data = VERSION + BREAKERS.encode(state)
    assert server.scripts == [
        (SWAP, ["shop:breaker:o"], b"", data, lifetime, "shop:changes", b"breaker:o\n" + data)
    ]
    assert breakers.peek("o") == state
    assert breakers.copies["o"].data == data


async def test_a_state_is_replaced_if_it_is_the_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch)
    breakers = SharedBreakers(server.link)
    for state in (Closed(1), Closed(2)):
        await breakers.apply("o", put, state)
    first = VERSION + BREAKERS.encode(Closed(1))
    assert server.scripts[1][2] == first
    assert server.scripts[1][3] == b"1700000000000001 " + BREAKERS.encode(Closed(2))


async def test_a_deletion_is_published_as_a_version_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch)
    breakers = SharedBreakers(server.link)
    await breakers.apply("o", put, Closed(1))
    await breakers.apply("o", put, None)
    _, _, before, after, lifetime, channel, message = server.scripts[1]
    assert before == VERSION + BREAKERS.encode(Closed(1))
    assert (after, lifetime, channel) == (b"", "0", "shop:changes")
    assert message == b"breaker:o\n1700000000000001 "
    assert breakers.copies["o"].data == b""


async def test_what_is_not_known_here_is_asked_for_without_a_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(monkeypatch)
    breakers = SharedBreakers(server.link)
    await breakers.apply("o", put, None)
    [(_, _, before, after, lifetime, channel, _)] = server.scripts
    assert (before, after, lifetime, channel) == (b"", b"", "0", "")
    await breakers.apply("o", put, None)
    assert len(server.scripts) == 1, "now it is known that there is none"


async def test_a_rate_is_not_published_and_a_budget_is(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch)

    def use(state: float | None, event: float, now: float) -> tuple[float, str]:
        return event, "used"

    def charge(state: Tokens | None, event: Tokens, now: float) -> tuple[Tokens, str]:
        return event, "charged"

    await SharedRates(server.link).apply("o", use, NOW + 5)
    await SharedBudgets(server.link).apply("o", charge, Tokens(4.0, NOW))
    (_, keys, *_, rate_lifetime, rate_channel, _), (_, others, *_, lifetime, channel, _) = (
        server.scripts
    )
    assert (keys, rate_lifetime, rate_channel) == (["shop:rate:o"], "6001", "")
    assert (others, lifetime, channel) == (["shop:budget:o"], "86400001", "shop:changes")
    assert server.scripts[0][3] == VERSION + RATES.encode(NOW + 5)
    assert server.scripts[1][3] == VERSION + BUDGETS.encode(Tokens(4.0, NOW))


@pytest.mark.parametrize(("waited", "decided"), [("late", 2), ("down", 1)])
async def test_a_decision_that_the_server_does_not_confirm_is_made_alone(
    waited: Literal["late", "down"], decided: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(monkeypatch)
    times: list[BreakerState | None] = []

    def decide(
        state: BreakerState | None, event: None, now: float
    ) -> tuple[BreakerState | None, str]:
        times.append(state)
        return Closed(len(times)), f"decision {len(times)}"

    async def wait(*_: object) -> str:
        return waited

    monkeypatch.setattr(Link, "wait", wait)
    breakers = SharedBreakers(server.link)
    assert await breakers.apply("o", decide, None) == "decision 1"
    assert breakers.peek("o") == Closed(1)
    await server.clock.settle()
    assert len(times) == decided


async def test_an_error_of_a_policy_is_raised_and_the_next_decision_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(monkeypatch)

    def fail(state: BreakerState | None, event: None, now: float) -> tuple[None, str]:
        raise LookupError

    breakers = SharedBreakers(server.link)
    with pytest.raises(LookupError):
        await breakers.apply("o", fail, None)
    assert await breakers.apply("o", put, Closed(1)) == "put"


async def test_a_call_that_waits_while_the_store_is_closed_decides_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(monkeypatch, hangs=True)
    breakers = SharedBreakers(server.link)
    first = asyncio.create_task(breakers.apply("o", put, Closed(1)))
    await server.clock.settle()
    second = asyncio.create_task(breakers.apply("o", put, Closed(2)))
    await server.clock.settle()
    assert len(server.scripts) == 1
    server.link.up = False
    async with asyncio.timeout(60):
        await server.link.stop()
        assert [await first, await second] == ["put", "put"]
    assert breakers.peek("o") in {Closed(1), Closed(2)}
    assert not vars(breakers)["_wake"]
    assert not vars(breakers)["_queues"]


async def test_a_server_that_goes_down_lets_the_calls_that_wait_decide_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(monkeypatch)

    async def run(link: Link, *_: object) -> Reply:
        raise link.fail("OSError")

    monkeypatch.setattr(Link, "run", run)
    breakers = SharedBreakers(server.link)
    assert await breakers.apply("o", put, Closed(1)) == "put"
    assert breakers.peek("o") == Closed(1)
    with pytest.raises(StoreDown):
        await server.link.run(SWAP, [])


async def test_an_event_that_waits_for_the_next_one_is_decided_as_of_its_own_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(monkeypatch)
    seen: list[float] = []

    def note(
        state: BreakerState | None, event: None, now: float
    ) -> tuple[BreakerState | None, str]:
        seen.append(now)
        return Closed(1, len(seen)), "noted"

    breakers = SharedBreakers(server.link)
    assert breakers.apply_with_next("o", note, None) == "noted"
    assert breakers.peek("o") == Closed(1, 1)
    await server.clock.advance(5)
    assert server.scripts == []
    breakers.send("other")
    breakers.send("o")
    breakers.send("o")
    await server.clock.settle()
    assert seen == [NOW, NOW]
    assert len(server.scripts) == 1


async def test_a_success_of_a_calm_circuit_waits_and_a_failure_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(monkeypatch)
    rule = BreakerRule(3)
    breakers = SharedBreakers(server.link)
    await breakers.apply("o", rule.admit, None)
    known = len(server.scripts)
    report = Report(Ticket(0, 0, NOW), "success", 0.5)
    for _ in range(3):
        await breakers.apply("o", rule.record, report)
    assert len(server.scripts) == known
    await breakers.apply("o", rule.record, report._replace(verdict="failure"))
    assert len(server.scripts) == known + 1
    state = breakers.peek("o")
    assert isinstance(state, Closed)
    assert state.window.sums() == (4, 1)
    await breakers.apply("o", rule.record, report)
    assert len(server.scripts) == known + 2, "a success after a failure is sent"


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        (VERSION + BREAKERS.encode(Closed(1)), VERSION + BREAKERS.encode(Closed(1))),
        (VERSION, b""),  # a deletion: the server has nothing
    ],
)
async def test_what_another_process_has_published_is_what_the_server_has(
    published: bytes, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(monkeypatch)
    breakers = SharedBreakers(server.link)
    breakers.receive("o", published)
    await breakers.apply("o", put, Closed(2))
    assert [script[2] for script in server.scripts] == [expected]
