"""The connection of a store: its first scripts, its end, and its reaction to a silent server."""

import asyncio
import gc
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import pytest
from redis import RedisError
from redis.asyncio import Redis
from tests.integrations.redis.turns import link_of
from tests.patience import until
from tests.servers.redis import RedisServer

from railhttp import HTTPValidationError
from railhttp.events import StoreBackEvent, StoreDownEvent
from railhttp.integrations.redis import RedisStore
from railhttp.integrations.redis.breakers import SharedBreakers
from railhttp.integrations.redis.codec import BREAKERS
from railhttp.integrations.redis.link import STEADY, Link, StoreDown
from railhttp.integrations.redis.shared import MAX_KEYS
from railhttp.model.events import StoreEvent, WhenDown
from railhttp.policy.breaker_states import Closed
from railhttp.policy.budget import RetryBudget, Tokens
from railhttp.testing import ManualClock

PATIENCE: Final = 60.0
BUDGET: Final = RetryBudget(refill=0.0)


def connect(url: str, timeout: float = PATIENCE) -> RedisStore:
    return RedisStore.connect(url, prefix="test", timeout=timeout)


def link(clock: ManualClock, timeout: float = 0.05) -> Link:
    return Link("redis://cache", prefix="shop", timeout=timeout, when_down="local", clock=clock)


def test_a_store_has_a_short_timeout_and_decides_alone_unless_told_otherwise() -> None:
    fleet = RedisStore.connect("redis://cache")
    one = link_of(fleet)
    assert (one.prefix, one.timeout, one.when_down) == ("railhttp", 0.05, "local")
    assert repr(fleet) == "<RedisStore 'railhttp'>"


async def test_tokens_without_a_name_are_those_of_the_default_name(redis: RedisServer) -> None:
    async with connect(redis.url) as fleet:
        for name in ("default", "ann"):
            await fleet.tokens(key="k", name=name).load()
        before = redis.keys("test:lease:default:*")
        await fleet.tokens(key="k2").load()
        after = redis.keys("test:lease:default:*")
    assert (len(before), len(after)) == (1, 2)


async def test_the_first_decision_finds_its_script_on_the_server(redis: RedisServer) -> None:
    redis.ask("SCRIPT", "FLUSH")

    def unknown() -> bytes:
        return redis.ask("INFO", "errorstats").partition(b"errorstat_NOSCRIPT:")[2]

    async with connect(redis.url) as fleet:
        before = unknown()
        await fleet.budgets().apply("o", BUDGET.charge, 5)
        assert unknown() == before


async def test_a_store_leaves_no_connection_and_no_task(redis: RedisServer) -> None:
    def connections() -> int:
        return redis.ask("CLIENT", "LIST").count(b"id=")

    tasks, alone = asyncio.all_tasks(), connections()
    async with connect(redis.url) as fleet:
        await fleet.budgets().apply("o", BUDGET.charge, 5)
        assert connections() > alone
        assert asyncio.all_tasks() != tasks
    assert asyncio.all_tasks() == tasks
    await until(lambda: connections() == alone)


async def test_a_store_that_is_entered_again_knows_nothing_of_its_last_outage(
    mortal_redis: RedisServer,
) -> None:
    events: list[StoreEvent] = []
    fleet = connect(mortal_redis.url)
    link_of(fleet).listeners.add(events.append)
    async with fleet:
        mortal_redis.kill()
        await until(lambda: events)
    assert link_of(fleet).outage is None
    async with fleet:  # which waits until it knows that the server is still away
        assert [type(event) for event in events] == [StoreDownEvent] * 2
    mortal_redis.start()
    async with fleet:
        assert (await fleet.health()).is_healthy
    assert len(events) == 2


async def test_a_server_that_never_responds_is_waited_for_a_second() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read(-1)
        writer.close()

    loop = asyncio.get_running_loop()
    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        began = loop.time()
        async with connect(f"redis://127.0.0.1:{port}/0", timeout=0.01) as fleet:
            health = await fleet.health()
            assert loop.time() - began < 10
    assert not health.is_healthy


async def test_messages_of_other_programs_are_passed_over(redis: RedisServer) -> None:
    async with connect(redis.url) as fleet:
        breakers = fleet.breakers()
        calm = BREAKERS.encode(Closed(7)).decode()
        for message in ("", "breaker:o", "other:o\n1 {}", "\n", "breaker\n1 {}", "é:o\n1 "):
            redis.ask("PUBLISH", "test:changes", message)
        redis.ask("PUBLISH", "test:changes", f"breaker:http://o:80\n1 {calm}")
        await until(lambda: breakers.peek("http://o:80") == Closed(7))
        assert (await fleet.health()).is_healthy


async def test_the_end_of_an_outage_has_its_length() -> None:
    events: list[StoreEvent] = []
    clock = ManualClock(now=10.0)
    one = link(clock)
    one.listeners.add(events.append)
    one._open()
    assert (one.up, one.problem, events) == (True, "", [])
    one.fail("TimeoutError")
    await clock.advance(3)
    one.fail("OSError")
    await clock.advance(4)
    one._open()
    assert events[1:] == [StoreBackEvent(store="shop", seconds=7.0)]
    assert (one.up, one.problem, one.outage) == (True, "", None)


@pytest.mark.parametrize(("again", "up"), [(False, False), (True, True)])
async def test_a_script_of_an_earlier_connection_does_not_close_the_new_one(
    again: bool, up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = link(ManualClock())
    one._open()

    async def lose(**_: object) -> object:
        if again:
            one.fail("OSError")
            one._open()
        raise RedisError("secret")

    monkeypatch.setattr(Redis, "register_script", lambda *_: lose)
    with pytest.raises(StoreDown, match=r"^RedisError$"):
        await one.run("script", ["key"])
    assert one.up is up


async def test_a_script_that_takes_too_long_closes_the_connection_and_ends_unnoticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noted: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: noted.append(context))
    late = asyncio.Event()

    async def lose(**_: object) -> object:
        await late.wait()
        raise RedisError

    monkeypatch.setattr(Redis, "register_script", lambda *_: lose)
    one = link(ManualClock(), timeout=0.01)
    one.up = True
    with pytest.raises(StoreDown, match="TimeoutError"):
        await one.ask("script", ["key"])
    assert not one.up
    late.set()
    for _ in range(5):
        await asyncio.sleep(0)
    gc.collect()
    assert noted == []


async def test_the_pauses_are_short_again_after_a_connection_that_was_steady(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ManualClock()
    lasting = [0.0, 0.0, 10.0, 10.5, 0.0]

    async def connected(_: Link) -> None:
        await asyncio.sleep(0)
        clock._move(clock.monotonic() + (lasting.pop(0) if lasting else 0.0))
        raise OSError

    monkeypatch.setattr(Link, "_connected", connected)
    monkeypatch.setattr("railhttp.integrations.redis.link.STEADY", STEADY)
    monkeypatch.setattr(clock, "uniform", lambda: 1.0)
    watching = asyncio.create_task(link(clock)._watch())
    while len(clock.slept) < 5:
        await clock.advance(1)
    watching.cancel()
    assert clock.slept[:5] == pytest.approx([0.05, 0.1, 0.2, 0.05, 0.1])


class Silent:
    """A subscription on which each wait takes a second; it plays a script of messages."""

    def __init__(self, clock: ManualClock, script: list[dict[str, object] | None]) -> None:
        self._clock = clock
        self._script = script
        self.pings = 0
        self.waits: list[float] = []

    async def get_message(self, timeout: float) -> dict[str, object] | None:
        if not self._script:
            raise asyncio.CancelledError
        self.waits.append(timeout)
        await self._clock.advance(1)
        return self._script.pop(0)

    async def ping(self) -> None:
        self.pings += 1


PONG: Final[dict[str, object]] = {"type": "pong", "data": b""}


async def follow(
    script: list[dict[str, object] | None], monkeypatch: pytest.MonkeyPatch, timeout: float = 0.05
) -> tuple[Silent, list[float], BaseException]:
    """Follow a subscription to its end; return it, the times of readings, and the end."""
    clock = ManualClock()
    readings: list[float] = []

    async def refresh(_: Link) -> None:
        readings.append(clock.monotonic())

    monkeypatch.setattr(Link, "_refresh", refresh)
    monkeypatch.setattr("railhttp.integrations.redis.link.STEADY", STEADY)
    pubsub = Silent(clock, script)
    try:
        await link(clock, timeout)._follow(pubsub)  # type: ignore[arg-type]  # what it uses of one
    except (TimeoutError, asyncio.CancelledError) as end:
        return pubsub, readings, end
    raise AssertionError("it ends by an exception only")


async def test_a_server_that_says_nothing_must_respond_to_a_ping(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pubsub, _, end = await follow([None, PONG, None, PONG, None, None, PONG], monkeypatch)
    assert (type(end), pubsub.pings) == (TimeoutError, 3)
    assert pubsub.waits == [1.0] * 6
    patient, _, _ = await follow([None, PONG], monkeypatch, timeout=7.0)
    assert patient.waits == [1.0, 7.0]


async def test_copies_are_read_again_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    script: list[dict[str, object] | None] = [dict(PONG) for _ in range(24)]
    _, readings, _ = await follow(script, monkeypatch)
    assert readings == [11.0, 22.0]


async def test_what_a_process_publishes_is_handed_on_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[bytes] = []
    monkeypatch.setattr(Link, "_hand_on", lambda _, data: seen.append(data))
    subscribed: dict[str, object] = {"type": "subscribe", "data": 1}
    await follow([subscribed, {"type": "message", "data": b"a"}, PONG], monkeypatch)
    assert seen == [b"a"]


async def test_work_in_the_background_is_forgotten_when_it_is_done() -> None:
    async def work() -> None:
        await asyncio.sleep(0)

    one = link(ManualClock())
    for finishes in (False, True):
        one.begin(work(), finishes=finishes)
    assert (len(one._pending), len(one._finishing)) == (2, 1)
    await until(lambda: not one._pending)
    assert not one._finishing


async def test_a_store_that_is_closed_waits_no_longer_than_its_timeout_for_what_it_sends() -> None:
    one = link(ManualClock(), timeout=0.01)
    one.begin(asyncio.Event().wait(), finishes=True)  # type: ignore[arg-type]  # of any result
    one.up = True
    async with asyncio.timeout(60):
        await one.stop()
    assert not one._pending


def reading(
    one: SharedBreakers, before: bytes, meanwhile: Callable[[], object], found: bytes
) -> object:
    """Read the copy of a circuit again while something happens; return what is known then."""
    one.receive("o", before)
    keys, take = one.begin_reading()
    assert keys == ["shop:breaker:o"]
    meanwhile()
    take([found])
    return one.peek("o")


def test_what_is_read_again_replaces_a_copy_unless_a_newer_one_has_come() -> None:
    first, second, third = (b"%d " % n + BREAKERS.encode(Closed(n)) for n in (1, 2, 3))
    one = SharedBreakers(link(ManualClock()))
    assert reading(one, first, lambda: None, second) == Closed(2)
    assert reading(one, first, lambda: one.receive("o", third), second) == Closed(3)
    one = SharedBreakers(link(ManualClock()))
    assert reading(one, first, lambda: None, b"") is None


def test_of_the_local_copies_the_least_recently_used_is_dropped() -> None:
    one = SharedBreakers(link(ManualClock()))
    value = b" " + BREAKERS.encode(Closed(1))
    for number in range(MAX_KEYS):
        one.receive(str(number), b"1" + value)
    one.receive("0", b"2" + value)
    assert (MAX_KEYS, len(one.copies)) == (1024, 1024)
    one.receive("new", b"1" + value)
    assert len(one.copies) == MAX_KEYS
    assert [one.peek(key) is None for key in ("0", "1", "2", "new")] == [False, True, False, False]


async def test_what_waits_for_others_is_sent_at_once_when_the_store_is_closed(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("railhttp.integrations.redis.shared.LINGER", 1000.0)
    async with asyncio.timeout(60):
        async with connect(redis.url, timeout=1000.0) as fleet:
            await fleet.budgets().apply("a", BUDGET.charge, 50)
            await fleet.budgets().apply("a", BUDGET.repay, 10)
    assert b"[460" in redis.ask("GET", "test:budget:a")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("url", value) for value in (7, None, "", "cache", "redis://cache:port", "ftp://cache")),
        *(("prefix", value) for value in ("", 7, None, "a\n")),
        *(("timeout", value) for value in (0, -1, "1", None)),
        *(("when_down", value) for value in ("", "wait", None)),
    ],
)
def test_an_argument_of_a_store_that_cannot_be_is_named(field: str, value: object) -> None:
    connect: Callable[..., RedisStore] = RedisStore.connect
    with pytest.raises(HTTPValidationError) as caught:
        connect(**{"url": "redis://cache", field: value})
    assert caught.value.field == field


@pytest.mark.parametrize("url", ["redis://cache", "rediss://ann:s3cret@cache:6380/1", "unix:///a"])
@pytest.mark.parametrize("when_down", ["local", "refuse", "raise"])
def test_a_store_is_on_a_server_of_any_kind(url: str, when_down: WhenDown) -> None:
    fleet = RedisStore.connect(url, prefix="shop", timeout=0.5, when_down=when_down)
    one = link_of(fleet)
    assert (one.prefix, one.timeout, one.when_down) == ("shop", 0.5, when_down)


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("quorum", lambda fleet: fleet.breakers("2")),
        ("quorum", lambda fleet: fleet.breakers(1.5)),
        ("lease", lambda fleet: fleet.rates("1")),
        ("lease", lambda fleet: fleet.tokens(key="k", lease="1")),
        ("name", lambda fleet: fleet.tokens(key="k", name="a\n")),
    ],
)
def test_an_argument_of_a_part_that_cannot_be_is_named(
    field: str, make: Callable[[RedisStore], object]
) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        make(RedisStore.connect("redis://cache"))
    assert caught.value.field == field


async def test_a_store_reads_what_it_knows_again_after_an_outage(redis: RedisServer) -> None:
    async with connect(redis.url) as fleet, connect(redis.url) as other:
        await other.budgets().apply("a", BUDGET.charge, 50)
        await fleet.budgets().apply("a", BUDGET.charge, 50)
        one = link_of(fleet)
        one.fail("OSError")
        assert not (await fleet.health()).is_healthy
        redis.ask("SET", "test:budget:a", '9999999999999999 {"type":"budget","state":[7.0,0.0]}')
        await until(lambda: one.up)
        assert (fleet.budgets().peek("a") or Tokens(0, 0)).held == 7.0
        assert (await fleet.health()).status == "healthy"


async def test_a_store_comes_back_after_any_number_of_outages(redis: RedisServer) -> None:
    clock = ManualClock()
    store = RedisStore.connect(redis.url, prefix="test", timeout=PATIENCE, clock=clock)
    async with store as fleet:
        one = link_of(fleet)
        for _ in range(20):  # more than a store has connections
            one.fail("OSError")
            await until(lambda: clock.next_timer is not None)
            await clock.advance(5)
            await until(lambda: one.up)
        assert await fleet.budgets().apply("o", BUDGET.charge, 5)
