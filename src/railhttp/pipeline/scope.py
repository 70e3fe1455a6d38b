"""What the layers around an attempt may know of the call that they carry."""

import asyncio

from railhttp.model.errors import CallInfo, Delivery, HTTPTimeoutError, TimeoutPhase
from railhttp.pipeline.timeouts import Watch, watch_behind
from railhttp.policy.deadline import NEVER, Deadline


class CallScope:
    """The facts of one call, read by retry, bulkhead, rate limit and breaker.

    The function that a client hands to its layers is a `CallScope` too. A plain function works as
    well: it has no deadline, its host is the empty one, and it may always be called again.

    Attributes:
        method: The request's method, in upper case.
        host: The origin as text, such as `https://api.example`; a default port is left out.
        repeatable: Whether a second send does no harm: the method is idempotent (RFC 9110,
            section 9.2.2) or an `Idempotency-Key` is sent, and the body can be sent again.
        replayable: Whether the body can be sent again.
        deadline: When the call has to be over, on the clock's `monotonic()`; None for never.
        started: When the call began, on the same clock.
        attempts: How many attempts have begun.
    """

    __slots__ = ()

    method: str
    host: str
    repeatable: bool
    replayable: bool
    deadline: float | None
    started: float
    attempts: int

    @property
    def call(self) -> "CallScope":
        """The call itself, where this is what a layer knows of it.

        An interceptor may change what is sent, and so what is `repeatable`: the call knows.
        """
        return self

    @property
    def phase(self) -> TimeoutPhase:
        """What the present attempt waits for."""
        return "read"

    def call_info(self) -> CallInfo:
        """What a failure that ends the call now shall say of it."""
        raise NotImplementedError

    def release(self) -> None:
        """Give back the connection of an answer that is thrown away for another attempt."""


class SparesBodies:
    """A policy that by itself calls again only what is replayable."""

    __slots__ = ()


class CutCall(CallScope):
    """A call that tells those inside it by which of its time limits it is cut off.

    A limit ends a call by cancelling it. To a breaker, or to an instrument, a cancellation says
    nothing; a timeout does. So it is turned into one for them, and back behind them: what is
    outside, a retry policy above all, must not go on with a call whose time is over
    (tests/client/test_cut_off.py).
    """

    __slots__ = ("_cut",)

    _cut: Watch | None

    def cut_off(self, error: asyncio.CancelledError) -> HTTPTimeoutError | None:
        """Find out what a cancellation means.

        Returns:
            The failure, if it comes from a limit of this call.
        """
        watch = watch_behind(error)
        if watch is None or watch.owner is not self.call:
            return None
        self._cut = watch
        return watch.failure if isinstance(watch.failure, HTTPTimeoutError) else None

    def resume(self) -> None:
        """Go on with the cancellation, where the limit that it comes from is further outside.

        Raises:
            CancelledError: It is.
        """
        if self._cut is not None and self._cut.is_open:
            raise asyncio.CancelledError(self._cut) from None


def scope_of(func: object) -> CallScope | None:
    """The facts of the call that `func` makes, be it the call itself or a method of it.

    Returns:
        None where it is a plain function.

    Example:
        >>> print(scope_of(len))
        None
    """
    if isinstance(func, CallScope):
        return func
    owner = getattr(func, "__self__", func)
    return owner if isinstance(owner, CallScope) else None


def deadline_of(scope: CallScope | None) -> Deadline:
    """When a call has to be over; never, where that is not known."""
    return NEVER if scope is None else Deadline(scope.deadline)


def facts_of(scope: CallScope | None) -> CallInfo:
    """What a failure shall say of a call that ends here, before it is sent."""
    return {"delivery": Delivery.NOT_SENT, "attempts": 0} if scope is None else scope.call_info()


def phase_of(scope: CallScope | None) -> TimeoutPhase:
    """What an attempt waits for; for an answer, where that is not known."""
    return "read" if scope is None else scope.phase


def host_of(scope: CallScope | None) -> str:
    """The origin that a call goes to; the empty one where that is not known."""
    return "" if scope is None else scope.host
