"""A call: one request and its attempts, as the layers know them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from typing_extensions import override

from railhttp.model.clock import Clock
from railhttp.model.errors import (
    CallInfo,
    Delivery,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPTimeoutError,
    TimeoutPhase,
)
from railhttp.model.exchange import IncomingResponse
from railhttp.model.observation import RequestStarted
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.model.stage import Stage, call_info
from railhttp.model.timeout import format_timeout
from railhttp.model.timings import NO_TIMINGS, PhaseTimer, Timings
from railhttp.pipeline.clock import random_id
from railhttp.pipeline.observation.request_log import logs_requests
from railhttp.pipeline.timeouts import timeout_behind
from railhttp.policy.deadline import Deadline, nearer

if TYPE_CHECKING:
    from railhttp.model.events import EventIdentity, LayerEvent, Queue
    from railhttp.pipeline.interceptors.passage import Passage
    from railhttp.pipeline.observation.listeners import Listeners, Observations, OpenBody
    from railhttp.pipeline.policies.store import StoreWait


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
        starvation: Returns why no connection is free, while the call waits for one.
        store_wait: How long the call has waited for stores; None before the first wait.
    """

    method: str = ""
    origin: str = ""
    attempts: int = 0
    stage: Stage = Stage.QUEUED
    starvation: Callable[[], str] | None = None
    store_wait: "StoreWait | None" = None
    _call_id = ""

    def __init__(
        self, clock: Clock, timeout: float | None = None, attempt_timeout: float | None = None
    ) -> None:
        self.clock: Clock = clock
        self.timeout = timeout
        self.attempt_timeout = attempt_timeout
        self.started: float = clock.monotonic()
        self.deadline = None if timeout is None else self.started + timeout

    @property
    def call_id(self) -> str:
        """An id that all attempts of the call share."""
        return self._call_id or self._identified()

    def _identified(self) -> str:
        self._call_id = random_id(self.clock)
        return self._call_id

    @property
    def shown_url(self) -> str:
        """The URL of the request, redacted."""
        return ""

    def identity(self) -> "EventIdentity":
        """Return the fields by which an event names the call."""
        return {"method": self.method, "url": self.shown_url, "call_id": self.call_id}

    def report(self, event: "LayerEvent") -> None:
        """Report an event of a layer: here to the log, in a client to its instruments too."""
        # Most programs have no events; their module takes 5 % of `import aiohttp` (decision 233).
        from railhttp.pipeline.observation.layer_log import log_event  # noqa: PLC0415

        log_event(event)

    def waited(self, queue: "Queue", since: float, *, admitted: bool) -> None:
        """Report a wait that has ended."""
        from railhttp.model.events import WaitEvent  # noqa: PLC0415  # see `report`

        event = WaitEvent(
            queue=queue,
            seconds=self.clock.monotonic() - since,
            admitted=admitted,
            **self.identity(),
        )
        self.report(event)

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
        if self.starvation is not None:
            message = f"{message}: {self.starvation()}"
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
        is_resend: Whether the next send belongs to the attempt that was sent last.
        timer: Times the phases of the present exchange, if an instrument asks for them.
        sends: How many requests instruments were told of so far.
        observations: Those of the present attempt; they are told of its redirects.
        bodies: The observations that wait for the end of a body.
        passage: The interceptors of the present attempt, if one of them sees redirects.
    """

    # Attributes of `Call` that this class assigns too; checkers need not agree on their types.
    clock: Clock
    timeout: float | None
    attempt_timeout: float | None
    deadline: float | None
    method: str
    origin: str
    attempts: int
    stage: Stage
    started: float
    request: Request
    incoming: IncomingResponse | None = None
    retry: RetryPolicyProtocol | None = None
    is_resend: bool = False
    timer: PhaseTimer | None = None
    starvation: Callable[[], str] | None = None
    sends: int = 0
    observations: "Observations" = ()
    bodies: "tuple[OpenBody, ...]" = ()
    passage: "Passage | None" = None
    _reached = Delivery.NOT_SENT

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
        # As in `Call`, whose `__init__` would cost every request a frame and `super()`.
        self.clock = clock
        self.timeout = timeout
        self.attempt_timeout = attempt_timeout
        self.started = started = clock.monotonic()
        self.deadline = None if timeout is None else started + timeout

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
        return self.stage.phase

    @property
    @override
    def shown_url(self) -> str:
        """The URL of the present attempt, redacted."""
        return self.request.shown_url

    @property
    def timings(self) -> Timings:
        """The phases of the present exchange so far."""
        return NO_TIMINGS if self.timer is None else self.timer.timings

    @override
    def report(self, event: "LayerEvent") -> None:
        """Report an event of a layer to the log and the instruments."""
        super().report(event)
        if self.listeners is not None:
            self.listeners.event_occurred(event)

    def pool_waited(self, seconds: float, *, admitted: bool) -> None:
        """Report a wait for a place in the pool; see `AttemptState`."""
        if self.listeners is not None or logs_requests():  # an event takes a call id
            self.waited("pool", self.clock.monotonic() - seconds, admitted=admitted)

    @override
    def call_info(self) -> CallInfo:
        """Return the details that a failure of this call carries."""
        original = self.original
        return call_info(original.method, original.url_text, self, self.clock.monotonic())

    def begin_again(self) -> None:
        """Prepare another attempt: it starts from the caller's request."""
        self._reached = self.delivery
        self.stage = Stage.QUEUED
        self.starvation = None
        self.is_resend = False
        self.request = self.original
        self.origin = self._first_origin

    def resend(self) -> None:
        """Prepare one more send of the present attempt: what was proven before stays proven."""
        self._reached = self.delivery
        self.stage = Stage.QUEUED
        self.is_resend = True

    def continue_from(self, earlier: "HTTPCall") -> None:
        """Speak of an earlier call too: a stream that is opened again is one piece of work."""
        self.started = earlier.started
        self.attempts = earlier.attempts
        self._reached = earlier.delivery
        self._call_id = earlier._call_id

    def answered(self) -> None:
        """Note that a server has responded; a redirect proves it whatever the next hop does."""
        self._reached = Delivery.ANSWERED

    def started_event(self, attempt: int = 0, request: Request | None = None) -> RequestStarted:
        """Return what instruments are passed when the call or one of its attempts begins."""
        sent = self.original if request is None else request
        return RequestStarted(
            sent,
            attempt,
            self.timeout,
            self.attempt_timeout,
            call_id=lambda: self.call_id,
            resends=max(self.sends - 1, 0),
        )

    @override
    def release(self) -> None:
        """Close the open response, if any; its head stays."""
        if self.incoming is not None:
            self.incoming.close()
        if self.bodies:
            self.body_ended()

    def body_ended(self, failure: HTTPFailure | None = None) -> None:
        """Report the end of a body, and the failure if it broke off."""
        bodies, self.bodies = self.bodies, ()
        if bodies and self.timer is not None:
            self.timer.ended("body", bodies[0].since)
        for body in bodies:
            body.ended(self, failure)

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


Send: TypeAlias = Callable[[HTTPCall], Awaitable[HttpResponse]]
"""The chain from some layer on inwards."""
