"""The call of a request: its attempts, as the layers know them."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from typing_extensions import override

from railhttp.model.clock import Clock
from railhttp.model.errors import (
    CallInfo,
    Delivery,
    HTTPFailure,
    HTTPInterceptorError,
    TimeoutPhase,
)
from railhttp.model.exchange import IncomingResponse
from railhttp.model.observation import RequestStarted
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.model.stage import QUEUED, Stage, call_info
from railhttp.model.timings import NO_TIMINGS, PhaseTimer, Timings
from railhttp.pipeline.call import Call

if TYPE_CHECKING:
    from railhttp.model.events import LayerEvent
    from railhttp.pipeline.interceptors.passage import Passage
    from railhttp.pipeline.observation.listeners import Listeners, Observations, OpenBody


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
        self.attempts = 0
        self.stage = QUEUED
        # What every call looks at costs less here than as an attribute of the class.
        self.retry: RetryPolicyProtocol | None = None
        self.is_resend: bool = False
        self.timer: PhaseTimer | None = None
        self.incoming: IncomingResponse | None = None

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
        if self.listeners is not None:  # an event takes a call id; the log is a listener, too
            self.waited("pool", self.clock.monotonic() - seconds, admitted=admitted)

    @override
    def call_info(self) -> CallInfo:
        """Return the details that a failure of this call carries."""
        original = self.original
        return call_info(original.method, original.url_text, self, self.clock.monotonic())

    def begin_again(self) -> None:
        """Prepare another attempt: it starts from the caller's request."""
        self._reached = self.delivery
        self.stage = QUEUED
        self.starvation = None
        self.is_resend = False
        self.request = self.original
        self.origin = self._first_origin

    def resend(self) -> None:
        """Prepare one more send of the present attempt: what was proven before stays proven."""
        self._reached = self.delivery
        self.stage = QUEUED
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
