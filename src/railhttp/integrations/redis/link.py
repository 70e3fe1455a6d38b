"""The connection to the server: its time, its changes, and whether it can be used."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias, TypeVar

from railhttp.extra import provided_by
from railhttp.integrations.redis.scripts import READ, SWAP
from railhttp.model.clock import Clock
from railhttp.model.events import StoreBackEvent, StoreDownEvent, StoreEvent, WhenDown
from railhttp.pipeline.clock import random_id
from railhttp.pipeline.observation.layer_log import log_event
from railhttp.pipeline.policies.store import STORE_WAIT, StoreListener, StoreWait

with provided_by("railhttp[redis]"):
    from redis import RedisError
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.client import PubSub
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.maint_notifications import MaintNotificationsConfig

T = TypeVar("T")

FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 5.0
"""Seconds between two tries to reach the server again; each try doubles them."""

STEADY: Final = 10.0
"""Seconds after which a connection counts as steady, and the next pause is short again. All local
copies are read again as often, because a publication is not guaranteed to arrive."""

SILENCE: Final = 1.0
"""Seconds without a message after which the server must respond to a ping."""

Waited: TypeAlias = Literal["done", "late", "down"]
"""The end of a wait. Work that is late will still be done; if the link is down, it may not."""

_FAILURES: Final = (RedisError, OSError, asyncio.TimeoutError)


class StoreDown(Exception):
    """The server of a `RedisStore` cannot be used, and `when_down` is `raise`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of a script: whether it did its work, and the value that it found."""

    done: bool
    value: bytes


class Replica(Protocol):
    """Local copies of keys on the server."""

    def begin_reading(self) -> tuple[Sequence[str], Callable[[Sequence[bytes]], None]]:
        """Return the keys to read, and the function that takes their values."""
        ...

    def receive(self, key: str, value: bytes) -> None:
        """Take a value that a process has published."""
        ...

    def hurry(self) -> None:
        """Send all changes now."""
        ...


class Link:
    """The connection of one process to the server.

    One failure closes the link. A task then tries to reach the server again, so that no call waits
    for it. The time is that of the server as of the latest reply, at most as late as its real time.
    """

    def __init__(
        self, url: str, *, prefix: str, timeout: float, when_down: WhenDown, clock: Clock
    ) -> None:
        self.prefix: Final = prefix
        self.timeout: Final = timeout
        self.when_down: Final = when_down
        self.clock: Final = clock
        self.process: Final = random_id(clock)
        self.replicas: Final[dict[str, Replica]] = {}
        self.waiting: Final[list[Callable[[], Coroutine[object, object, None]]]] = []
        self.up: bool = False
        self.problem: str = "not started"
        self.replied_at: float = 0.0  # on the local clock
        self._skew = clock.wall() - clock.monotonic()
        self._latest = 0.0
        self._client: Redis = _client(url, timeout)
        self._session: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._decided = asyncio.Event()
        self.outage: StoreDownEvent | None = None
        self.listeners: set[StoreListener] = set()
        self._lost_at = 0.0
        self._openings = 0
        self._pending: set[asyncio.Task[None]] = set()
        self._finishing: set[asyncio.Task[None]] = set()

    def now(self) -> float:
        """Return the time of the server; it never goes back, even after a failover."""
        self._latest = max(self._latest, self.clock.monotonic() + self._skew)
        return self._latest

    def to_local(self, time: float) -> float:
        """Convert a time of the server to the clock of this process."""
        return time - self._skew

    def key(self, kind: str, name: str) -> str:
        """Return the name of a key on the server."""
        return f"{self.prefix}:{kind}:{name}"

    @property
    def name(self) -> str:
        """The name of the store in events and metrics."""
        return self.prefix

    @property
    def channel(self) -> str:
        """The channel of all changes."""
        return f"{self.prefix}:changes"

    async def run(self, script: str, keys: Sequence[str], *arguments: str | bytes) -> Reply:
        """Run a script.

        Raises:
            StoreDown: It failed, or there was no response within the timeout; the link is closed.
        """
        if not self.up:
            raise StoreDown(self.problem)
        found = await self._script(script, keys, arguments)
        match found:
            case [int(done), bytes(value)]:
                return Reply(bool(done), value)
            case _:
                raise self.fail("an unexpected reply")

    async def ask(self, script: str, keys: Sequence[str], *arguments: str | bytes) -> Reply:
        """Do the same, but wait no longer than the timeout even for a new connection."""
        task = asyncio.get_running_loop().create_task(self.run(script, keys, *arguments))
        await asyncio.wait([task], timeout=self.timeout)  # which leaves the task alone
        if task.done():
            return task.result()
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        raise self.fail("TimeoutError")

    async def wait(self, work: asyncio.Future[T]) -> Waited:
        """Wait for some work that goes on anyway.

        The waits of a call, whatever its policies, are together no longer than the timeout. A
        server that is silent for a whole timeout closes the link.
        """
        of_call = STORE_WAIT.get() or StoreWait()
        began = self.clock.monotonic()
        left = self.timeout - of_call.seconds
        if left > 0:
            await asyncio.wait([work], timeout=left)
        of_call.seconds += self.clock.monotonic() - began
        if not work.done() and left >= self.timeout and self.replied_at <= began:
            self.fail("TimeoutError")
        return "done" if work.done() else "late" if self.up else "down"

    def fail(self, problem: str) -> StoreDown:
        """Close the link, and return the reason."""
        was_up, self.up = self.up, False
        if self.outage is None:
            self.problem = problem
            self._lost_at = self.clock.monotonic()
            self.outage = StoreDownEvent(
                store=self.prefix, problem=problem, when_down=self.when_down
            )
            self._report(self.outage)
        self._decided.set()
        session = self._session
        if was_up and session is not None and session is not asyncio.current_task():
            session.cancel()
        return StoreDown(problem)

    def _report(self, event: StoreEvent) -> None:
        log_event(event)
        for listener in tuple(self.listeners):
            listener(event)

    def begin(self, work: Coroutine[object, object, None], *, finishes: bool = False) -> None:
        """Run work that no call waits for; `stop` ends it, or waits a little if it finishes."""
        task = asyncio.get_running_loop().create_task(work)
        if finishes:
            self._finishing.add(task)
            task.add_done_callback(self._finishing.discard)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def start(self) -> None:
        """Connect; return when the server can be used, or when it is known that it cannot."""
        if self._watcher is not None:
            raise RuntimeError("the store is open already")
        self._watcher = asyncio.get_running_loop().create_task(self._watch())
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._decided.wait(), max(self.timeout, 1.0))
        if not self._decided.is_set():
            self.fail("it does not respond")

    async def stop(self) -> None:
        """Send what waits to be sent, and close all connections."""
        for replica in self.replicas.values():
            replica.hurry()
        if self.up and self._finishing:
            await asyncio.wait(self._finishing, timeout=self.timeout)
        self.up = False
        self.problem = "closed"
        tasks = [*self._pending, *([self._watcher] if self._watcher else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(*_FAILURES):
            await self._client.aclose(close_connection_pool=True)
        self._watcher = self.outage = None
        self._decided.clear()

    async def _watch(self) -> None:
        pause = FIRST_PAUSE
        while True:
            began = self.clock.monotonic()
            self._session = session = asyncio.ensure_future(self._connected())
            try:
                await asyncio.wait([session])
            finally:
                session.cancel()
            if not session.cancelled() and (error := session.exception()) is not None:
                self.fail(type(error).__name__)
            if self.clock.monotonic() - began > STEADY:
                pause = FIRST_PAUSE
            await self.clock.sleep(pause * (0.5 + self.clock.uniform() / 2))
            pause = min(2 * pause, LONGEST_PAUSE)
            with suppress(*_FAILURES):
                await self._client.connection_pool.disconnect()

    async def _connected(self) -> None:
        """Follow the changes until the connection or an operation fails."""
        pubsub = self._client.pubsub()
        try:
            async with asyncio.timeout(max(self.timeout, 1.0)):
                await pubsub.subscribe(self.channel)
                await pubsub.get_message(timeout=max(self.timeout, 1.0))
            await self._client.script_load(SWAP)  # else the first use of it costs two round trips
            await self._refresh()
            self._open()
            await self._follow(pubsub)
        finally:
            with suppress(*_FAILURES):
                await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _follow(self, pubsub: PubSub) -> None:
        refreshed = self.clock.monotonic()
        while True:
            message = await pubsub.get_message(timeout=SILENCE)
            if message is None:
                await pubsub.ping()
                message = await pubsub.get_message(timeout=max(self.timeout, SILENCE))
                if message is None:
                    raise TimeoutError
            if message["type"] == "message":
                self._hand_on(message["data"])
            if self.clock.monotonic() - refreshed > STEADY:
                await self._refresh()
                refreshed = self.clock.monotonic()

    def _hand_on(self, data: bytes) -> None:
        name, _, value = data.rpartition(b"\n")
        kind, _, key = name.decode(errors="replace").partition(":")
        if kind in self.replicas:
            self.replicas[kind].receive(key, value)

    async def _refresh(self) -> None:
        """Read all local copies again, and prove that the server takes writes."""
        readings = [replica.begin_reading() for replica in self.replicas.values()]
        keys = [key for names, _ in readings for key in names]
        found = await self._script(READ, [self.key("alive", ""), *keys], ())
        match found:
            case [list(values)]:
                values = [value if isinstance(value, bytes) else b"" for value in values]
            case _:
                raise self.fail("an unexpected reply")
        for names, take in readings:
            take(values[: len(names)])
            del values[: len(names)]

    def _open(self) -> None:
        self.up, self.problem = True, ""
        if self.outage is not None:
            self.outage = None
            away = self.clock.monotonic() - self._lost_at
            self._report(StoreBackEvent(store=self.prefix, seconds=away))
        self._openings += 1
        self._decided.set()
        for send in self.waiting:
            self.begin(_quietly(send))

    async def _script(
        self, script: str, keys: Sequence[str], arguments: Sequence[str | bytes]
    ) -> list[object]:
        """Run a script; return what it returned after the time."""
        opening = self._openings
        try:
            registered = self._client.register_script(script)
            found: object = await registered(keys=list(keys), args=list(arguments))
        except _FAILURES as error:  # the messages may show values
            problem = type(error).__name__
            is_current = opening == self._openings  # else the link is a new one
            raise (self.fail(problem) if is_current else StoreDown(problem)) from None
        match found:
            case [bytes(seconds), bytes(micros), *rest]:
                time = int(seconds) + int(micros) / 1e6
                self.replied_at = self.clock.monotonic()
                self._skew = time - self.replied_at
                return rest
            case _:
                raise self.fail("an unexpected reply")


async def _quietly(send: Callable[[], Coroutine[object, object, None]]) -> None:
    with suppress(StoreDown):
        await send()


def _client(url: str, timeout: float) -> Redis:
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=16,
        timeout=timeout,
        socket_timeout=timeout,
        socket_connect_timeout=max(timeout, 1.0),
        retry=Retry(NoBackoff(), 0),
        retry_on_error=[],
        driver_info=None,  # else it sends CLIENT SETINFO, which servers before 7.2 refuse
        protocol=2,
        # It would raise the timeouts to 10 s during maintenance of the server.
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    return Redis(connection_pool=pool)
