"""Two stores on one real server equal the reference model of the breaker (invariants 11 to 18)."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Final, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from properties.strategies import breaker_rules, chances
from properties.test_breaker import VERDICTS, Model
from tests.patience import until
from tests.servers.redis import RedisServer, redis_server

from railhttp.integrations.redis import RedisStore
from railhttp.integrations.redis.breakers import SharedBreakers
from railhttp.integrations.redis.shared import Copy
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.breaker_states import (
    BreakerState,
    Rejection,
    Report,
    Ticket,
    force_open,
    reset,
    state_name,
)
from railhttp.policy.health import Verdict

E = TypeVar("E")
D = TypeVar("D")

STORES: Final = st.integers(0, 1)


async def settle(store: SharedBreakers, other: SharedBreakers) -> None:
    """Let a store send what waits for the next change, and the other one receive it."""

    def is_settled() -> bool:
        here, there = (one.copies.get("h") or Copy[BreakerState]() for one in (store, other))
        return here.known == here.state and here.data == there.data

    store.send("h")
    await until(is_settled)


class TwoStores(RuleBasedStateMachine):
    """Plays arrivals, reports, time and lost data, on one of two stores each time."""

    server: ClassVar[RedisServer]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.now = 1000.0
        self.in_flight: list[Ticket] = []
        self.server.ask("FLUSHALL")

    @initialize(breaker_rule=breaker_rules)
    def begin(self, breaker_rule: BreakerRule) -> None:
        self.rule = breaker_rule
        self.model = Model(breaker_rule)
        self.fleets = [
            RedisStore.connect(self.server.url, prefix="test", timeout=60.0) for _ in range(2)
        ]
        for fleet in self.fleets:
            self.runner.run(fleet.__aenter__())

    def teardown(self) -> None:
        for fleet in getattr(self, "fleets", []):
            self.runner.run(fleet.__aexit__(None, None, None))
        self.runner.close()

    def apply(
        self,
        which: int,
        decide: Callable[[BreakerState | None, E, float], tuple[BreakerState | None, D]],
        event: E,
    ) -> D:
        """Let a store decide at the time of the model, and compare the state with the model's."""

        def at_this_time(
            state: BreakerState | None, event: E, _: float
        ) -> tuple[BreakerState | None, D]:
            return decide(state, event, self.now)

        store, other = (self.fleets[one].breakers() for one in (which, 1 - which))
        assert isinstance(store, SharedBreakers)
        assert isinstance(other, SharedBreakers)
        decision = self.runner.run(store.apply("h", at_this_time, event))
        self.runner.run(settle(store, other))
        state = store.peek("h")
        assert state_name(state) == self.model.state
        return decision

    @rule(seconds=st.sampled_from([0.25, 0.5, 1.0, 2.0, 5.0, 20.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(which=STORES)
    def a_call_arrives(self, which: int) -> None:
        expected = self.model.admits(self.now)
        admission = self.apply(which, self.rule.admit, None)
        if expected is None:
            assert isinstance(admission, Rejection)
        else:
            assert isinstance(admission, Ticket)
            assert (admission.generation, admission.probe) == expected
            self.in_flight.append(admission)

    @precondition(lambda self: self.in_flight)
    @rule(which=STORES, call=st.integers(0, 10**6), verdict=VERDICTS, chance=chances)
    def a_call_ends(self, which: int, call: int, verdict: Verdict, chance: float) -> None:
        ticket = self.in_flight.pop(call % len(self.in_flight))
        slow = self.rule.slow_call
        failed = None if verdict == "inconclusive" else verdict == "failure"
        if failed is False and slow is not None and self.now - ticket.since >= slow:
            failed = True
        self.model.report(ticket.generation, ticket.probe, failed, chance, self.now)
        self.apply(which, self.rule.record, Report(ticket, verdict, chance))

    @rule(which=STORES, opens=st.integers(0, 3).map(lambda number: number == 3))
    def somebody_resets_it_or_forces_it_open(self, which: int, opens: bool) -> None:
        if opens:
            self.model.enter("open", forced=True)
            self.apply(which, force_open, None)
        else:
            self.model.enter("closed")
            self.apply(which, reset, None)


def test_two_stores_on_one_server_equal_the_model_after_any_trace() -> None:
    with TemporaryDirectory() as directory, redis_server(Path(directory)) as server:
        TwoStores.server = server
        run_state_machine_as_test(
            TwoStores,
            settings=settings(max_examples=50, stateful_step_count=40, deadline=None),
        )
