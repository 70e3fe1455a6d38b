"""The payloads that observers receive. Their URLs are redacted: they end up in logs."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class HTTPRequestSentHook:
    """An outbound request is dispatched; once per attempt.

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
    """An answer, of whatever status, is received; once per attempt that got one.

    Attributes:
        method: The method of the request.
        url: The URL that was requested, redacted.
        status_code: The status of the answer.

    Example:
        >>> HTTPResponseReceivedHook(method="GET", url="http://h/", status_code=200).status_code
        200
    """

    method: str
    url: str
    status_code: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestCompletedEvent:
    """A call came to an answer; once per call.

    Attributes:
        url: The URL that was requested, redacted.
        method: The method of the request.
        status_code: The status of the answer.

    Example:
        >>> RequestCompletedEvent(url="http://h/", method="GET", status_code=200).status_code
        200
    """

    url: str
    method: str
    status_code: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestRetryExhaustedEvent:
    """A call gave up after all its attempts; once per call.

    Attributes:
        url: The URL that was requested, redacted.
        method: The method of the request.
        attempt_count: How many attempts were made.

    Example:
        >>> RequestRetryExhaustedEvent(url="http://h/", method="GET", attempt_count=3).attempt_count
        3
    """

    url: str
    method: str
    attempt_count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestTimeoutEvent:
    """A call ran out of time; once per call.

    Attributes:
        url: The URL that was requested, redacted.
        method: The method of the request.
        timeout_seconds: The time that it was given, in seconds.

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
"""Everything that an observer may receive."""
