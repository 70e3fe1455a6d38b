"""A store of one kind of states on the server, with local copies."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

from railhttp.integrations.redis.codec import Codec
from railhttp.integrations.redis.link import Link, StoreDown
from railhttp.integrations.redis.scripts import SWAP
from railhttp.pipeline.policies.store import Decide, StoreRefusal
from railhttp.policy.window import BUCKETS

S = TypeVar("S")
E = TypeVar("E")
D = TypeVar("D")

MAX_KEYS: Final = 1024
"""Local copies of each kind; beyond that the least recently used one is dropped."""

MAX_KEPT: Final = 2 * BUCKETS
"""Changes of a key that wait for the next one. A breaker reports at most two for each tenth of its
window, so older ones no longer count."""

LINGER: Final = 0.25
"""Seconds that a change which no call waits for may wait for others."""

BACKOFF: Final = 0.004
"""Seconds for which a process that has lost a race waits at most, longer with each one that it
loses. Ten processes that all write one key then need a third fewer scripts than with 0.001."""


class Copy(NamedTuple, Generic[S]):
    """A local copy: the bytes on the server, their state, and the state with unsent changes.

    The bytes begin with the version, a number that grows with each change of a key.
    """

    data: bytes = b""
    version: int = 0
    known: S | None = None
    state: S | None = None


@dataclass(slots=True, eq=False)
class _Change(Generic[S]):
    """An event that waits for its decision; `done` is false if the server is down."""

    decide: Callable[[S | None, float], S | None]
    done: asyncio.Future[bool]
    error: Exception | None = None


class SharedState(Generic[S]):
    """A `StateStore` on the server.

    The policy decides here, on the local copy, and a script replaces the value on the server if
    it is still the known one. Otherwise the policy decides again on the value that the script
    found. Events that arrive meanwhile for the same key are decided together in the next script. A
    decision that changes nothing needs no script.

    Args:
        kind: The kind of state, in the names of the keys.
        link: The connection.
        codec: Reads and writes states.
        publish: Whether other processes are sent each change.

    Attributes:
        copies: The local copies, by the keys of the policies.
    """

    def __init__(self, kind: str, link: Link, codec: Codec[S], *, publish: bool = True) -> None:
        self.kind: Final = kind
        self.link: Final = link
        self._codec = codec
        self._publish = publish
        self.copies: Final[OrderedDict[str, Copy[S]]] = OrderedDict()
        self._queues: dict[str, list[_Change[S]]] = {}
        self._wake: dict[str, asyncio.Event] = {}
        self.server: Final[Link] = link
        link.replicas[kind] = self

    def peek(self, key: str) -> S | None:
        """Return the state as known here; None while the server is down and calls must ask."""
        copy = self.copies.get(key)
        return copy.state if copy is not None and self.readable else None

    @property
    def readable(self) -> bool:
        """Whether the local copies may be used without asking."""
        return self.link.up or self.link.when_down == "local"

    async def apply(self, key: str, decide: Decide[S, E, D], event: E) -> D:
        """Let a policy decide about an event; see `StateStore.apply`.

        Raises:
            StoreDown: The server cannot be used, and `when_down` is `raise`.
            StoreRefusal: The same for `refuse`, if the event asks for the admission of a call.
        """
        if not self.link.up:
            return self.without_server(key, decide, event)
        decisions: list[D] = []
        change = self._enqueue(key, decide, event, decisions, urgent=True)
        waited = await self.link.wait(change.done)
        if waited == "late":
            return self.without_server(key, decide, event)
        if waited == "down":
            change.done.set_result(False)
        if change.error is not None:
            raise change.error
        if change.done.result():
            return decisions[-1]
        return self.without_server(key, decide, event)

    def apply_later(self, key: str, decide: Decide[S, E, D], event: E) -> D:
        """Change the local copy now and the server soon; return the decision on the copy."""
        if not self.link.up:
            return self.without_server(key, decide, event)
        decision = self._change_copy(key, decide, event)
        self._enqueue(key, decide, event, [], urgent=False)
        return decision

    def apply_with_next(self, key: str, decide: Decide[S, E, D], event: E) -> D:
        """Change the local copy now, and the server with the next change that is sent.

        The policy then decides as of now. Only the latest events are kept.
        """
        if not self.link.up:
            return self.without_server(key, decide, event)
        now = self.link.now()
        decision = self._change_copy(key, decide, event)
        queue = self._queues.setdefault(key, [])
        queue.append(self._change(lambda state, event, _: decide(state, event, now), event, []))
        if len(queue) > MAX_KEPT and key not in self._wake:
            del queue[0]
        return decision

    def send(self, key: str) -> None:
        """Send the changes of a key now, if there are any."""
        if key not in self._queues:
            return
        if key not in self._wake:
            self._wake[key] = asyncio.Event()
            self.link.begin(self._drain(key), finishes=True)
        self._wake[key].set()

    def without_server(self, key: str, decide: Decide[S, E, D], event: E) -> D:
        """Decide alone, refuse or raise, as `when_down` requires."""
        if self.link.when_down == "local":
            return self._change_copy(key, decide, event)
        if self.link.when_down == "raise":
            raise StoreDown(self.link.problem)
        return self.refuse(key, decide, event)

    def refuse(self, key: str, decide: Decide[S, E, D], event: E) -> D:
        """Refuse a call."""
        raise StoreRefusal(self.link.prefix)

    def begin_reading(self) -> tuple[Sequence[str], Callable[[Sequence[bytes]], None]]:
        """Return the keys to read, and the function that takes their values."""
        before = dict(self.copies)

        def take(values: Sequence[bytes]) -> None:
            for (key, copy), data in zip(before.items(), values, strict=True):
                if self.copies.get(key) is copy:  # else it is newer than what was read
                    self._keep(key, self._copy_of(data))

        return [self.link.key(self.kind, key) for key in before], take

    def receive(self, key: str, value: bytes) -> None:
        """Take a value that a process has published."""
        before = self.copies.get(key)
        copy = self._copy_of(value)
        if value.endswith(b" "):  # a version without a document is a deletion
            copy = copy._replace(data=b"")
        if before is None or copy.version > before.version:
            self._keep(key, copy)

    def hurry(self) -> None:
        """Send all changes now."""
        for wake in self._wake.values():
            wake.set()

    def _enqueue(
        self, key: str, decide: Decide[S, E, D], event: E, decisions: list[D], *, urgent: bool
    ) -> _Change[S]:
        queued = self._change(decide, event, decisions)
        self._queues.setdefault(key, []).append(queued)
        if key not in self._wake:
            self._wake[key] = asyncio.Event()
            self.link.begin(self._drain(key), finishes=True)
        if urgent:
            self._wake[key].set()
        return queued

    def _change(self, decide: Decide[S, E, D], event: E, decisions: list[D]) -> _Change[S]:
        def change(state: S | None, now: float) -> S | None:
            state, decision = decide(state, event, now)
            decisions.append(decision)
            return state

        return _Change(change, asyncio.get_running_loop().create_future())

    async def _drain(self, key: str) -> None:
        """Send all changes of a key, each script with those that arrived during the last one."""
        wake = self._wake[key]
        try:
            while key in self._queues:
                if not wake.is_set():
                    with suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(wake.wait(), LINGER)
                wake.clear()
                await self._send(key, self._queues.pop(key))
        finally:
            del self._wake[key]
            _finish(self._queues.pop(key, []), sent=False)

    async def _send(self, key: str, changes: list[_Change[S]]) -> None:
        try:
            copy = await self._swap(key, self.copies.get(key), changes)
        except StoreDown:
            _finish(changes, sent=False)
        except BaseException:
            _finish(changes, sent=False)
            raise
        else:
            self._keep(key, copy)
            _finish(changes, sent=True)

    async def _swap(self, key: str, copy: Copy[S] | None, changes: list[_Change[S]]) -> Copy[S]:
        link, lost = self.link, 0
        while True:
            before = copy or Copy[S]()
            now = link.now()
            state = _decide(before.known, changes, now)
            unchanged = state == before.known
            if copy is not None and unchanged:
                return copy
            after = before if unchanged else self._copy_with(state, before, now)
            channel = link.channel if self._publish and not unchanged else ""
            lifetime = None if state is None else self._codec.lifetime(state, now)
            reply = await link.run(
                SWAP,
                [link.key(self.kind, key)],
                before.data,
                b"" if after.known is None else after.data,
                str(0 if lifetime is None else 1 + int(lifetime * 1000)),
                channel,
                f"{self.kind}:{key}\n".encode() + after.data,
            )
            if reply.done:
                return after if after.known is not None else after._replace(data=b"")
            copy = self._copy_of(reply.value)
            lost += 1
            longest = min(lost * BACKOFF, link.timeout / 4)
            await link.clock.sleep(link.clock.uniform() * longest)

    def _copy_with(self, state: S | None, before: Copy[S], now: float) -> Copy[S]:
        version = max(before.version + 1, int(now * 1e6))
        document = b"" if state is None else self._codec.encode(state)
        return Copy(b"%d %b" % (version, document), version, state, state)

    def _copy_of(self, data: bytes) -> Copy[S]:
        number, _, document = data.partition(b" ")
        version = int(number) if number.isdigit() and len(number) < 20 else 0
        state = self._codec.decode(document) if document else None
        return Copy(data, version, state, state)

    def _change_copy(self, key: str, decide: Decide[S, E, D], event: E) -> D:
        copy = self.copies.get(key) or Copy[S]()
        state, decision = decide(copy.state, event, self.link.now())
        self._keep(key, copy._replace(state=state))
        return decision

    def _keep(self, key: str, copy: Copy[S]) -> None:
        self.copies[key] = copy
        self.copies.move_to_end(key)
        if len(self.copies) > MAX_KEYS:
            self.copies.popitem(last=False)


def _decide(state: S | None, changes: list[_Change[S]], now: float) -> S | None:
    """Let the policies decide in order; one that raises changes nothing."""
    for change in changes:
        if change.error is None and not change.done.done():
            try:
                state = change.decide(state, now)
            except Exception as error:  # noqa: BLE001  # it belongs to the caller of `apply`
                change.error = error
    return state


def _finish(changes: list[_Change[S]], *, sent: bool) -> None:
    for change in changes:
        if not change.done.done():
            change.done.set_result(sent)
