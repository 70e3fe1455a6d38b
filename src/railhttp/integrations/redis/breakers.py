"""Circuits that all processes share."""

from math import ceil
from typing import Final, NamedTuple, TypeVar

from typing_extensions import override

from railhttp.integrations.redis.codec import BREAKERS, FLEETS, Fleet, Streak
from railhttp.integrations.redis.link import Link, StoreDown
from railhttp.integrations.redis.shared import SharedState
from railhttp.pipeline.policies.store import Decide, MemoryStore, StoreRefusal
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.breaker_states import (
    BreakerState,
    Closed,
    Open,
    Report,
    force_open,
    reset,
)

E = TypeVar("E")
D = TypeVar("D")

FIRST: Final = 2**40
"""The first generation of the fleet's circuit. Those of each process's own circuit are smaller, so
a ticket belongs to one of the two."""


class SharedBreakers(SharedState[BreakerState]):
    """Circuits on the server: every process counts, and every process obeys.

    While no process has seen a failure in the window, successes wait for the first failure.
    """

    def __init__(self, link: Link) -> None:
        super().__init__("breaker", link, BREAKERS)

    @override
    def peek(self, key: str) -> BreakerState | None:
        """Return the state as known here, with times on the clock of this process."""
        copy = self.copies.get(key)
        if copy is not None and (self.link.up or self.readable):
            state = copy.state
            return state if isinstance(state, Closed) else _local_times(state, self.link)
        return None

    @override
    async def apply(self, key: str, decide: Decide[BreakerState, E, D], event: E) -> D:
        """Let a breaker decide; see `SharedState.apply`."""
        copy = self.copies.get(key)
        if copy is not None and isinstance(event, Report) and _is_calm(copy.state):
            state, _ = decide(copy.state, event, self.link.now())
            if _is_calm(state):
                return self.apply_with_next(key, decide, event)
        return await super().apply(key, decide, event)

    @override
    def receive(self, key: str, value: bytes) -> None:
        """Take a value that a process has published, and report successes after a failure."""
        super().receive(key, value)
        copy = self.copies.get(key)
        if copy is not None and not _is_calm(copy.state):
            self.send(key)

    @override
    def refuse(self, key: str, decide: Decide[BreakerState, E, D], event: E) -> D:
        """Refuse a call, and drop a report."""
        if isinstance(event, Report):
            return decide(None, event, self.link.now())[1]
        if decide is reset or decide is force_open:
            raise StoreDown(self.link.problem)
        return super().refuse(key, decide, event)


class _Fleets(SharedState[Fleet]):
    """The circuits of all processes, of which each has its own, too."""

    def __init__(self, link: Link) -> None:
        super().__init__("fleet", link, FLEETS)

    @override
    def refuse(self, key: str, decide: Decide[Fleet, E, D], event: E) -> D:
        """Refuse a call, and drop a report."""
        if isinstance(event, Report | _Failures):
            return decide(None, event, self.link.now())[1]
        return super().refuse(key, decide, event)


class _Failures(NamedTuple):
    """The consecutive failures that a process sees, at most its share of the threshold."""

    process: str
    failures: int
    rule: BreakerRule
    quorum: int
    chance: float


class QuorumBreakers:
    """A circuit for each process, and one for the fleet that opens if a quorum sees failures.

    While the fleet's circuit is closed, the own circuit of the process admits and counts. The
    fleet's circuit opens when the processes together have seen as many failures in a row as the
    rule allows. Each process counts for at most `1 / quorum` of them, rounded up, and for that much
    while its own circuit is not closed. So a process whose network is broken refuses its own calls
    and no others.

    Args:
        link: The connection.
        quorum: How many processes must see failures.
    """

    def __init__(self, link: Link, quorum: int) -> None:
        self.server: Link = link
        self._link = link
        self._quorum = quorum
        self._fleets = _Fleets(link)
        self._own = MemoryStore[BreakerState]()
        self._sent: dict[str, tuple[int, float]] = {}
        self._generations: dict[str, int] = {}

    def peek(self, key: str) -> BreakerState | None:
        """Return the state that decides about the next call, as known here."""
        fleet = self._fleets.peek(key)
        if fleet is not None and not isinstance(fleet.circuit, Closed):
            return _local_times(fleet.circuit, self._link)
        if not self._link.up and self._link.when_down != "local":
            return None
        self._follow(key, fleet)
        return _local_times(self._own.peek(key), self._link)

    async def apply(self, key: str, decide: Decide[BreakerState, E, D], event: E) -> D:
        """Let a breaker decide about an event; see `StateStore.apply`."""
        fleet = self._fleets.peek(key)
        if isinstance(event, Report):
            if event.ticket.generation >= FIRST:
                return await self._fleets.apply(key, _of_fleet(decide), event)
            decision = self._apply_own(key, decide, event)
            await self._report_failures(key, decide)
            return decision
        by_hand = decide is reset or decide is force_open
        is_closed = fleet is None or isinstance(fleet.circuit, Closed)
        if is_closed and not by_hand:
            if not self._link.up and self._link.when_down != "local":
                return self._fleets.without_server(key, _of_fleet(decide), event)
            self._follow(key, fleet)
            return self._apply_own(key, decide, event)
        try:
            return await self._fleets.apply(key, _of_fleet(decide), event)
        except StoreRefusal:
            if by_hand:  # no call is refused, but the circuit was not changed
                raise StoreDown(self._link.problem) from None
            raise

    def _apply_own(self, key: str, decide: Decide[BreakerState, E, D], event: E) -> D:
        return self._own.apply_now(key, decide, event, self._link.now())

    def _follow(self, key: str, fleet: Fleet | None) -> None:
        """Close the own circuit after that of the fleet has closed."""
        generation = FIRST if fleet is None else fleet.circuit.generation
        known = self._generations.get(key, generation)
        self._generations[key] = generation
        if generation > known:  # it is smaller after the server has lost its data
            self._sent.pop(key, None)
            self._apply_own(key, reset, None)

    async def _report_failures(self, key: str, decide: object) -> None:
        """Report the failures that this process sees, if they have changed."""
        rule = getattr(decide, "__self__", None)  # `decide` is `BreakerRule.record`
        state = self._own.peek(key)
        if not isinstance(rule, BreakerRule) or state is None:
            return
        share = ceil(rule.failure_threshold / self._quorum)
        failures = min(state.in_a_row, share) if isinstance(state, Closed) else share
        now = self._link.now()
        sent, until = self._sent.get(key, (0, 0.0))
        if failures == sent and (not failures or now < until):
            return
        self._sent[key] = failures, now + rule.window / 2
        chance = self._link.clock.uniform()
        event = _Failures(self._link.process, failures, rule, self._quorum, chance)
        await self._fleets.apply(key, _count, event)


def _is_calm(state: BreakerState | None) -> bool:
    """Return whether a circuit is closed and counts no failure."""
    return isinstance(state, Closed) and not state.in_a_row and not state.window.sums()[1]


def _count(fleet: Fleet | None, seen: _Failures, now: float) -> tuple[Fleet | None, None]:
    """Count the failures of a process, and open the circuit if a quorum sees enough."""
    circuit = Closed(FIRST) if fleet is None else fleet.circuit
    if not isinstance(circuit, Closed):
        return fleet, None
    streaks = tuple(
        streak
        for streak in (() if fleet is None else fleet.streaks)
        if streak.until > now and streak.process != seen.process
    )
    rule = seen.rule
    if seen.failures:
        streaks = (*streaks, Streak(seen.process, seen.failures, now + rule.window))
    total = sum(streak.failures for streak in streaks)
    if len(streaks) >= seen.quorum and total >= rule.failure_threshold:
        until = now + rule.open_time(1, seen.chance)
        return Fleet(Open(circuit.generation + 1, 1, until)), None
    return Fleet(circuit, streaks), None


def _of_fleet(decide: Decide[BreakerState, E, D]) -> Decide[Fleet, E, D]:
    """Let a decision about a circuit decide about that of the fleet."""

    def decide_fleet(fleet: Fleet | None, event: E, now: float) -> tuple[Fleet | None, D]:
        before = Closed(FIRST) if fleet is None else fleet.circuit
        after, decision = decide(before, event, now)
        if after is None or after == before:
            return fleet, decision
        return Fleet(after), decision

    return decide_fleet


def _local_times(state: BreakerState | None, link: Link) -> BreakerState | None:
    if isinstance(state, Open):
        return state._replace(until=link.to_local(state.until))
    return state
