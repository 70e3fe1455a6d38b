"""The events that observers receive. Their URLs are redacted, because events end up in logs."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class HTTPRequestSentHook:
    """An attempt sends its request; fired once per attempt.

    Attributes:
        method: The method in upper case, such as `GET`.
        url: The URL of the request, redacted.

    Example:
        >>> HTTPRequestSentHook(method="GET", url="https://api.example/").method
        'GET'
    """

    method: str
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HTTPResponseReceivedHook:
    """A response of any status arrived; fired once per attempt that received one.

    Attributes:
        url: The URL of the request, redacted.

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

    Attributes:
        url: The URL of the request, redacted.

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

    Attributes:
        url: The URL of the request, redacted.
        attempt_count: The number of attempts.

    Example:
        >>> RequestRetryExhaustedEvent(url="http://h/", method="GET", attempt_count=3).attempt_count
        3
    """

    url: str
    method: str
    attempt_count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestTimeoutEvent:
    """A call ran out of time; fired once per call.

    Attributes:
        url: The URL of the request, redacted.
        timeout_seconds: The limit that ran out, in seconds.

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
