"""A call: one request and its attempts, as the layers know them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, ParamSpec, TypeVar

from typing_extensions import override

from railhttp.model.clock import Clock
from railhttp.model.errors import (
    CallInfo,
    Delivery,
    HTTPInterceptorError,
    HTTPTimeoutError,
    TimeoutPhase,
)
from railhttp.model.exchange import IncomingResponse
from railhttp.model.observation import RequestStarted
from railhttp.model.request import Request
from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.model.stage import Stage, call_info
from railhttp.model.timeout import format_timeout
from railhttp.pipeline.clock import random_id
from railhttp.pipeline.timeouts import timeout_behind
from railhttp.policy.deadline import Deadline, nearer

if TYPE_CHECKING:
    from railhttp.pipeline.observation.instruments import Listeners

T = TypeVar("T")
P = ParamSpec("P")

_PHASES: Final[Mapping[Stage, TimeoutPhase]] = {
    Stage.QUEUED: "pool",
    Stage.CONNECTING: "connect",
    Stage.SENDING: "read",
    Stage.ANSWERED: "read",
}


class Call:
    """One call on its way through the layers; each layer is passed it by name.

    A plain function, run by `ResiliencePipeline.execute` and the like, is a call too: it has no
    request, its origin is empty, and it may always be repeated.

    Args:
        clock: The source of time; every layer uses the clock of the call.
        timeout: Seconds for the whole call; None is no limit.
        attempt_timeout: Seconds for one attempt; None is no limit.

    Attributes:
        method: The request's method, in upper case.
        origin: The origin that the request goes to, such as `https://api.example`; a default port
            is left out.
        deadline: When the call has to be over, on the clock's `monotonic()`; None for never.
        started: When the call began, on the same clock.
        attempts: How many attempts were made. A request that a rate limit or a breaker refused was
            never sent and is not an attempt.
        stage: How far the present attempt has come.
    """

    method = ""
    origin = ""
    attempts = 0
    stage = Stage.QUEUED

    def __init__(
        self, clock: Clock, timeout: float | None = None, attempt_timeout: float | None = None
    ) -> None:
        self.clock: Final = clock
        self.timeout = timeout
        self.attempt_timeout = attempt_timeout
        self.started = clock.monotonic()
        self.deadline = None if timeout is None else self.started + timeout

    @property
    def repeatable(self) -> bool:
        """Whether a second send does no harm and is possible; see `Request.repeatable`."""
        return True

    @property
    def replayable(self) -> bool:
        """Whether the body can be sent again."""
        return True

    @property
    def delivery(self) -> Delivery:
        """The delivery that all attempts together prove."""
        return Delivery.MAYBE_SENT if self.attempts else Delivery.NOT_SENT

    @property
    def phase(self) -> TimeoutPhase:
        """The phase that the present attempt is in."""
        return "read"

    def call_info(self) -> CallInfo:
        """Return the details that a failure of this call carries."""
        return {"delivery": self.delivery, "attempts": self.attempts}

    def remaining(self) -> float:
        """Return the seconds until the deadline; infinity if there is none."""
        return Deadline(self.deadline).remaining(self.clock.monotonic())

    def tighten(self, timeout: float | None) -> None:
        """Bring the deadline nearer: at most `timeout` seconds from now."""
        if timeout is not None:
            now = self.clock.monotonic()
            if self.deadline is None or now + timeout < self.deadline:
                self.timeout = timeout
            self.deadline = nearer(self.deadline, now + timeout)

    def timed_out(self) -> HTTPTimeoutError:
        """Build the failure of a call whose time is over."""
        return self._not_done("total", self.timeout)

    def attempt_timed_out(self) -> HTTPTimeoutError:
        """Build the failure of an attempt whose time is over."""
        return self._not_done(self.phase, self.attempt_timeout)

    def _not_done(self, phase: TimeoutPhase, limit: float | None) -> HTTPTimeoutError:
        message = f"not done within {format_timeout(limit)}"
        return HTTPTimeoutError(message, phase=phase, limit=limit, **self.call_info())

    def cut_off(self, error: asyncio.CancelledError) -> HTTPTimeoutError | None:
        """Return the failure that a cancellation means, if it comes from a limit of this call.

        A limit ends a call by cancelling it. Breakers and instruments inside the limit must know
        that it is a timeout: a host that hangs opens its circuit (tests/client/test_cut_off.py).
        """
        timeout = timeout_behind(error, self)
        if timeout is None or not timeout.is_expired:
            return None
        failure = timeout.failure
        return failure if isinstance(failure, HTTPTimeoutError) else None

    def release(self) -> None:
        """Close the response of an attempt that is about to be repeated."""


class HTTPCall(Call):
    """The call of a client.

    Attributes:
        original: The caller's request.
        request: The request that the present attempt sends, as the interceptors left it.
        incoming: The open response, if the call is a stream. Of all its responses (redirects,
            attempts) only the last one is open.
        retry: The retry policy of this call; None for that of the client.
        resends: How often interceptors asked for one more send.
        is_resend: Whether the next send belongs to the attempt that was sent last.
    """

    incoming: IncomingResponse | None = None
    retry: RetryPolicyProtocol | None = None
    resends = 0
    is_resend = False
    _reached = Delivery.NOT_SENT
    _call_id = ""

    def __init__(
        self,
        request: Request,
        origin: str,
        clock: Clock,
        timeout: float | None,
        attempt_timeout: float | None,
        listeners: "Listeners | None" = None,
    ) -> None:
        self.original = self.request = request
        self.method = request.method
        self.origin = self._first_origin = origin
        self.listeners = listeners
        super().__init__(clock, timeout, attempt_timeout)

    @property
    @override
    def repeatable(self) -> bool:
        """Whether a second send of the request as it was sent does no harm and is possible."""
        return self.request.repeatable

    @property
    @override
    def replayable(self) -> bool:
        """Whether the body can be sent again."""
        return self.original.replayable

    @property
    @override
    def delivery(self) -> Delivery:
        """The delivery that all attempts together prove."""
        return self._reached.strongest(self.stage.delivery)

    @property
    @override
    def phase(self) -> TimeoutPhase:
        """The phase that the present attempt is in."""
        return _PHASES[self.stage]

    @property
    def call_id(self) -> str:
        """An id that all attempts of the call share."""
        if not self._call_id:
            self._call_id = random_id(self.clock)
        return self._call_id

    @override
    def call_info(self) -> CallInfo:
        """Return the details that a failure of this call carries."""
        original = self.original
        return call_info(original.method, original.url_text, self, self.clock.monotonic())

    def begin_again(self) -> None:
        """Prepare another attempt: it starts from the caller's request."""
        self._reached = self.delivery
        self.stage = Stage.QUEUED
        self.is_resend = False
        self.request = self.original
        self.origin = self._first_origin

    def resend(self) -> None:
        """Prepare one more send of the present attempt: what was proven before stays proven."""
        self._reached = self.delivery
        self.stage = Stage.QUEUED
        self.resends += 1
        self.is_resend = True

    def continue_from(self, earlier: "HTTPCall") -> None:
        """Speak of an earlier call too: a stream that is opened again is one piece of work."""
        self.started = earlier.started
        self.attempts = earlier.attempts
        self._reached = earlier.delivery

    def answered(self) -> None:
        """Note that a server has responded; a redirect proves it whatever the next hop does."""
        self._reached = Delivery.ANSWERED

    def started_event(self, attempt: int = 0, request: Request | None = None) -> RequestStarted:
        """Return what instruments are passed when the call or one of its attempts begins."""
        sent = self.original if request is None else request
        return RequestStarted(
            sent, attempt, self.timeout, self.attempt_timeout, resends=self.resends
        )

    @override
    def release(self) -> None:
        """Close the open response, if any; its head stays."""
        if self.incoming is not None:
            self.incoming.close()

    def discard(self) -> None:
        """Close the open response, if any, and forget it."""
        self.release()
        self.incoming = None

    def opened(self) -> IncomingResponse:
        """Return the open response."""
        if self.incoming is None:
            raise HTTPInterceptorError(
                "a policy answered in place of the server", **self.call_info()
            )
        return self.incoming


class ReplayAware:
    """A policy that repeats only calls whose body can be sent again."""

    __slots__ = ()


class Attempt(Generic[T]):
    """One attempt of a call as a function, for the `execute` or `call` of a policy.

    A policy of another library calls it like any function. One of ours finds the call in it, also
    if it was wrapped by another policy, so that it knows the deadline and what may be repeated.
    """

    __slots__ = ("_send", "call")

    def __init__(self, call: Call, send: Callable[[], Awaitable[T]]) -> None:
        self.call: Final = call
        self._send: Final = send

    # A coroutine function, because tenacity calls any other function without awaiting it.
    async def __call__(self) -> T:
        """Make the attempt."""
        return await self.send(self.call)

    def send(self, call: Call) -> Awaitable[T]:
        """Make the attempt, as the innermost layer."""
        return self._send()


class FunctionAttempt(Attempt[T]):
    """An attempt of a plain function, with a new call."""

    __slots__ = ()

    @override
    def send(self, call: Call) -> Awaitable[T]:
        """Count and make the attempt."""
        call.attempts += 1
        return self._send()


def attempt_of(
    func: Callable[P, Awaitable[T]], clock: Clock, *args: P.args, **kwargs: P.kwargs
) -> Attempt[T]:
    """Return the attempt that a client passed; a plain function gets a new call."""
    if isinstance(func, Attempt):
        return func
    return FunctionAttempt(Call(clock), partial(func, *args, **kwargs))
