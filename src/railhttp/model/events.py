"""The events that observers receive.

`method` is in upper case, such as `GET`. `url` is redacted, because events end up in logs. Both are
empty for a plain function.
`call_id` is the same in all events, log records and spans of a call; comparison ignores it.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

from railhttp.model.gauges import CircuitState

if TYPE_CHECKING:
    from railhttp.model.request import Request

Queue: TypeAlias = Literal["pool", "rate_limit", "bulkhead"]
"""A place where calls wait."""


WhenDown: TypeAlias = Literal["local", "refuse", "raise"]
"""The effect of a shared store that cannot be used; see `RedisStore.connect`."""


class EventIdentity(TypedDict):
    """The fields by which an event names its call."""

    method: str
    url: str
    call_id: str


class LateURL:
    """An event whose `url` is redacted when it is first read, see `model/event_drafts.py`."""

    __slots__ = ("_request",)

    _request: "Request | None"

    if not TYPE_CHECKING:  # for checkers, an event has its own attributes only

        def __getattr__(self, name: str) -> str:
            """Return the URL that is not there yet."""
            if name != "url":
                message = f"{type(self).__name__!r} object has no attribute {name!r}"
                raise AttributeError(message, name=name, obj=self)
            request = self._request
            if request is not None:  # or another thread has just been here
                object.__setattr__(self, "url", request.shown_url)
                object.__setattr__(self, "_request", None)
            return self.url


@dataclass(frozen=True, kw_only=True, slots=True)
class HTTPRequestSentHook(LateURL):
    """An attempt sends its request; fired once per attempt.

    Example:
        >>> HTTPRequestSentHook(method="GET", url="https://api.example/").method
        'GET'
    """

    method: str
    url: str
    call_id: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class HTTPResponseReceivedHook(LateURL):
    """A response of any status arrived; fired once per attempt that received one.

    Example:
        >>> HTTPResponseReceivedHook(method="GET", url="http://h/", status_code=200).status_code
        200
    """

    method: str
    url: str
    status_code: int
    call_id: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestCompletedEvent(LateURL):
    """A call ended with a response; fired once per call.

    Example:
        >>> RequestCompletedEvent(url="http://h/", method="GET", status_code=200).status_code
        200
    """

    url: str
    method: str
    status_code: int
    call_id: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestRetryExhaustedEvent:
    """Every attempt of a call failed; fired once per call.

    Example:
        >>> RequestRetryExhaustedEvent(url="http://h/", method="GET", attempt_count=3).attempt_count
        3
    """

    url: str
    method: str
    attempt_count: int
    call_id: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestTimeoutEvent:
    """A call ran out of time, the limit of `timeout_seconds`; fired once per call.

    Example:
        >>> RequestTimeoutEvent(url="http://h/", method="GET", timeout_seconds=2.5).timeout_seconds
        2.5
    """

    url: str
    method: str
    timeout_seconds: float
    call_id: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamFailedEvent:
    """The body of a stream broke off after its head; fired once per opening.

    `error_type` is that of `RequestFinished`.

    Example:
        >>> StreamFailedEvent(
        ...     url="http://h/", method="GET", error_type="HTTPConnectionError.truncated"
        ... ).error_type
        'HTTPConnectionError.truncated'
    """

    url: str
    method: str
    error_type: str
    call_id: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class CircuitChangedEvent:
    """A circuit breaker changed its state, seen by the call that noticed it first.

    `name` is the name of the breaker; for a breaker of one origin, that origin.

    Example:
        >>> CircuitChangedEvent(name="stock", before="closed", after="open").after
        'open'
    """

    name: str
    before: CircuitState
    after: CircuitState
    method: str = ""
    url: str = ""
    call_id: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryBudgetExhaustedEvent:
    """The retry budget of an origin is used up; fired once until a retry is paid for again.

    `origin` is empty for plain functions.

    Example:
        >>> RetryBudgetExhaustedEvent(origin="https://api.example").origin
        'https://api.example'
    """

    origin: str
    method: str = ""
    url: str = ""
    call_id: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitEvent:
    """A call waited for a place in the pool, for its rate limit, or for its bulkhead.

    It is fired when the wait is over; `admitted` is False if the call was refused, ran out of time
    or was cancelled.

    Example:
        >>> event = WaitEvent(queue="pool", seconds=0.2, admitted=True, method="GET", url="/")
        >>> event.queue, event.seconds
        ('pool', 0.2)
    """

    queue: Queue
    seconds: float
    admitted: bool
    method: str
    url: str
    call_id: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class RedirectEvent:
    """A redirect is followed; fired once per redirect, before the next request is sent.

    `url` and `method` are those of the redirected request; `target` is the next URL, redacted.

    Example:
        >>> event = RedirectEvent(
        ...     url="http://h/", method="GET", status_code=302, target="https://h/"
        ... )
        >>> event.target
        'https://h/'
    """

    url: str
    method: str
    status_code: int
    target: str
    call_id: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreDownEvent:
    """A store that processes share cannot be used; fired once per outage, to each started client.

    It belongs to no call, so `method`, `url` and `call_id` are empty.

    Attributes:
        store: The prefix of the store's keys.
        problem: The class of the failure.
        when_down: The effect on calls.

    Example:
        >>> StoreDownEvent(store="shop", problem="TimeoutError", when_down="local").store
        'shop'
    """

    store: str
    problem: str
    when_down: WhenDown
    method: str = ""
    url: str = ""
    call_id: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreBackEvent:
    """A shared store that was down can be used again.

    Attributes:
        store: The prefix of the store's keys.
        seconds: The duration of the outage.

    Example:
        >>> StoreBackEvent(store="shop", seconds=2.5).seconds
        2.5
    """

    store: str
    seconds: float
    method: str = ""
    url: str = ""
    call_id: str = field(default="", compare=False)


StoreEvent: TypeAlias = StoreDownEvent | StoreBackEvent
"""An event of a store that processes share."""

LayerEvent: TypeAlias = (
    CircuitChangedEvent | RetryBudgetExhaustedEvent | WaitEvent | RedirectEvent | StoreEvent
)
"""An event that a layer reports while a call is under way, or one of a shared store."""

HTTPEvent = (
    HTTPRequestSentHook
    | HTTPResponseReceivedHook
    | RequestCompletedEvent
    | RequestRetryExhaustedEvent
    | RequestTimeoutEvent
    | StreamFailedEvent
    | LayerEvent
)
"""Every event that an observer can receive."""
