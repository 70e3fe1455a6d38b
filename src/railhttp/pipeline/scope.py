"""What the layers around an attempt may know of the call that they carry."""

from railhttp.model.errors import CallFacts, Delivery
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

    def facts(self) -> CallFacts:
        """What a failure that ends the call now shall say of it."""
        raise NotImplementedError


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


def facts_of(scope: CallScope | None) -> CallFacts:
    """What a failure shall say of a call that ends here, before it is sent."""
    return {"delivery": Delivery.NOT_SENT, "attempts": 0} if scope is None else scope.facts()


def host_of(scope: CallScope | None) -> str:
    """The origin that a call goes to; the empty one where that is not known."""
    return "" if scope is None else scope.host
