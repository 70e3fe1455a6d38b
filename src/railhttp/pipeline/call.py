"""A call on its way through the layers: of a request, or of a plain function."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from railhttp.model.clock import Clock
from railhttp.model.errors import (
    CallInfo,
    Delivery,
    HTTPTimeoutError,
    TimeoutPhase,
)
from railhttp.model.stage import Stage
from railhttp.model.timeout import format_timeout
from railhttp.pipeline.clock import random_id
from railhttp.pipeline.timeouts import timeout_behind
from railhttp.policy.deadline import Deadline, nearer

if TYPE_CHECKING:
    from railhttp.model.events import EventIdentity, LayerEvent, Queue
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
        self.attempts: int = 0
        self.stage: Stage = Stage.QUEUED

    @property
    def call_id(self) -> str:
        """An id that all attempts of the call share."""
        return self.identified()

    def identified(self) -> str:
        """Return `call_id`; a method costs less than a property (benchmarks/README.md)."""
        if not self._call_id:
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
