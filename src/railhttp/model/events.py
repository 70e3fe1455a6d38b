"""The events that observers receive.

`method` is in upper case, such as `GET`. `url` is redacted, because events end up in logs.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class HTTPRequestSentHook:
    """An attempt sends its request; fired once per attempt.

    Example:
        >>> HTTPRequestSentHook(method="GET", url="https://api.example/").method
        'GET'
    """

    method: str
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HTTPResponseReceivedHook:
    """A response of any status arrived; fired once per attempt that received one.

    Example:
        >>> HTTPResponseReceivedHook(method="GET", url="http://h/", status_code=200).status_code
        200
    """

    method: str
    url: str
    status_code: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestCompletedEvent:
    """A call ended with a response; fired once per call.

    Example:
        >>> RequestCompletedEvent(url="http://h/", method="GET", status_code=200).status_code
        200
    """

    url: str
    method: str
    status_code: int


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


HTTPEvent = (
    HTTPRequestSentHook
    | HTTPResponseReceivedHook
    | RequestCompletedEvent
    | RequestRetryExhaustedEvent
    | RequestTimeoutEvent
)
"""Every event that an observer can receive."""
