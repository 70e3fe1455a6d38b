"""An exchange that injects the faults of one schedule and passes all other calls to a world."""

import asyncio
import copy
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from typing_extensions import override

from railhttp.model.body import BytesBody
from railhttp.model.clock import Clock
from railhttp.model.errors import FAILURES, CallInfo, Delivery
from railhttp.model.exchange import Exchange, IncomingResponse
from railhttp.model.request import IDEMPOTENT_METHODS, Request
from railhttp.model.response import HttpResponse
from railhttp.model.stage import AttemptState
from railhttp.model.url import path_of
from railhttp.testing.explore.fault import Fault
from railhttp.testing.explore.schedule import Schedule, call_key
from railhttp.testing.scripted.transport import ScriptedTransport

MOST_SENDS: Final = 1_000
"""Limit of requests in one run: a program that reaches it is taken to be endless."""

_NOTHING_LOST: Final = HttpResponse(200)


class Sent(NamedTuple):
    """A request that reached the exchange, in a form that can be compared.

    Attributes:
        at: When, on the run's clock, in seconds.
        method: The method.
        url: The URL.
        headers: The header fields.
        body: The bytes, or the object that yields them.
    """

    at: float
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: object

    @property
    def keyed(self) -> bool:
        """Whether the request has an idempotency key."""
        return any(name.lower() == "idempotency-key" for name, _ in self.headers)

    @property
    def effect(self) -> Hashable:
        """The identity of the request's effect; equal requests would cause it twice."""
        body = self.body if isinstance(self.body, bytes) else id(self.body)
        return self.method, self.url, body


@dataclass(slots=True)
class InjectedCall:
    """A call of the program: all attempts of one request.

    Attributes:
        key: Its name in schedules.
        fault: The fault of the schedule.
        sends: How many attempts reached the exchange.
        position: How many requests the run had sent when the fault was played for the first time.
        state: The world's snapshot right after that.
    """

    key: str
    fault: Fault | None
    sends: int = 0
    position: int = -1
    state: object = None

    @property
    def due(self) -> Fault | None:
        """The fault of the current attempt, or None if it does not fail."""
        fault = self.fault
        return None if fault is not None and fault.once and self.sends > 1 else fault


@dataclass(slots=True)
class InjectingExchange:
    """An `Exchange` over a world that plays the faults of one schedule.

    Args:
        world: Replies to the calls that do not fail, and acts before an `acted` fault.
        schedule: The faults.
        clock: The clock of the run.
        usual: How often the program sends each request without a key if nothing fails.

    Attributes:
        calls: The calls of the program, in the order of their first attempts.
        log: Every request, in order.
        resent: The calls that repeat a request whose response was lost, without a key by which the
            server could recognise the repetition.
        open_responses: The names of the calls whose responses are still open.
        broken: The first exception that the world raised, if it is not a failure of HTTP.
        endless: Whether there were more than `MOST_SENDS` requests.
    """

    world: Exchange
    schedule: Schedule
    clock: Clock
    usual: Mapping[Hashable, int]
    calls: list[InjectedCall] = field(default_factory=list)
    log: list[Sent] = field(default_factory=list)
    resent: list[str] = field(default_factory=list)
    open_responses: dict[int, str] = field(default_factory=dict)
    broken: Exception | None = None
    endless: bool = False
    effects: Counter[Hashable] = field(default_factory=Counter)
    _lost: set[Hashable] = field(default_factory=set)
    # Keeps the attempts alive: their ids are the keys.
    _known: dict[tuple[int, str, str], tuple[AttemptState, InjectedCall]] = field(
        default_factory=dict
    )
    _names: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def send(self, request: Request, attempt: AttemptState) -> HttpResponse:
        """Play the fault of a call, or let the world reply; see `Exchange.send`."""
        call, sent = await self._arrived(request, attempt)
        try:
            if (fault := call.due) is None:
                return await self.world.send(request, attempt)
            lost = await self.world.send(request, attempt) if fault.acted else _NOTHING_LOST
            script, request = self._injected(call, fault, request, lost)
            return await script.send(request, attempt)
        except BaseException as error:
            self.failed(sent, attempt, error)
            raise

    async def open(self, request: Request, attempt: AttemptState) -> IncomingResponse:
        """Play the fault of a call, or let the world reply; see `Exchange.open`."""
        call, sent = await self._arrived(request, attempt)
        try:
            if (fault := call.due) is None:
                incoming: IncomingResponse = await self.world.open(request, attempt)
            else:
                lost = await self._read(request, attempt) if fault.acted else _NOTHING_LOST
                script, request = self._injected(call, fault, request, lost)
                incoming = await script.open(request, attempt)
        except BaseException as error:
            self.failed(sent, attempt, error)
            raise
        return WatchedResponse(incoming, self, call.key, sent, attempt)

    async def _arrived(self, request: Request, attempt: AttemptState) -> tuple[InjectedCall, Sent]:
        headers = tuple((request.headers or {}).items())
        body = request.body.content if isinstance(request.body, BytesBody) else request.body
        sent = Sent(self.clock.monotonic(), request.method, request.url_text, headers, body)
        self.log.append(sent)
        if len(self.log) > MOST_SENDS:
            self.endless = True
            await asyncio.get_running_loop().create_future()  # the driver ends the run
        call = self._call(request, attempt)
        call.sends += 1
        if sent.method not in IDEMPOTENT_METHODS and not sent.keyed:
            self.effects[sent.effect] += 1
            again = self.effects[sent.effect] > max(1, self.usual.get(sent.effect, 0))
            if again and sent.effect in self._lost and call.key not in self.resent:
                self.resent.append(call.key)
        return call, sent

    def _call(self, request: Request, attempt: AttemptState) -> InjectedCall:
        """Return the call of an attempt; every hop of a redirect is a separate call."""
        method, path = request.method, path_of(request.url)
        known = self._known.get((id(attempt), method, path))
        if known is not None:
            return known[1]
        self._names[method, path] += 1
        key = call_key(method, path, self._names[method, path])
        call = InjectedCall(key, self.schedule.get(key))
        self._known[id(attempt), method, path] = attempt, call
        self.calls.append(call)
        return call

    async def _read(self, request: Request, attempt: AttemptState) -> HttpResponse:
        """Let the world reply to a stream, and read it to the end."""
        incoming = await self.world.open(request, attempt)
        try:
            return incoming.answer(await incoming.read())
        finally:
            incoming.close()

    def _injected(
        self, call: InjectedCall, fault: Fault, request: Request, lost: HttpResponse
    ) -> tuple[ScriptedTransport, Request]:
        """Return a transport that plays a fault, and the request to send by it."""
        if call.position < 0:
            call.position = len(self.log)
            call.state = self.snapshot()
        script = ScriptedTransport(clock=self.clock)
        fault.kind.play(script.on(request.method, "**"), fault.stage, lost)
        # The world may have consumed a body that can be read only once.
        return script, replace(request, body=None) if fault.acted else request

    def snapshot(self) -> object:
        """Return a copy of the world's state, or None if the world has no method `snapshot`."""
        show: Callable[[], object] | None = getattr(self.world, "snapshot", None)
        return copy.deepcopy(show()) if show is not None else None

    def failed(self, sent: Sent, attempt: AttemptState, error: BaseException) -> None:
        """Record that the response to a request is missing or incomplete."""
        if isinstance(error, Exception) and not isinstance(error, FAILURES):
            self.broken = self.broken or error
        if attempt.stage.delivery is not Delivery.NOT_SENT:
            self._lost.add(sent.effect)


class WatchedResponse(IncomingResponse):
    """A response that counts as open until it is closed or read to the end.

    Args:
        incoming: The response.
        exchange: The exchange that counts open responses.
        key: The name of its call.
        sent: The request.
        attempt: The attempt that opened it.
    """

    __slots__ = ("_attempt", "_exchange", "_incoming", "_sent")

    def __init__(
        self,
        incoming: IncomingResponse,
        exchange: InjectingExchange,
        key: str,
        sent: Sent,
        attempt: AttemptState,
    ) -> None:
        self._incoming = incoming
        self._exchange = exchange
        self._sent = sent
        self._attempt = attempt
        exchange.open_responses[id(self)] = key

    @override
    def answer(self, body: bytes = b"") -> HttpResponse:
        return self._incoming.answer(body)

    @override
    def call_info(self) -> CallInfo:
        return self._incoming.call_info()

    @override
    async def chunk(self) -> bytes:
        return await self._watched(self._incoming.chunk(), is_last=False)

    @override
    async def read(self) -> bytes:
        return await self._watched(self._incoming.read(), is_last=True)

    @override
    def close(self) -> None:
        self._ended()
        self._incoming.close()

    async def _watched(self, read: Awaitable[bytes], *, is_last: bool) -> bytes:
        try:
            data = await read
        except BaseException as error:
            self._exchange.failed(self._sent, self._attempt, error)
            raise
        if is_last or not data:
            self._ended()
        return data

    def _ended(self) -> None:
        self._exchange.open_responses.pop(id(self), None)
