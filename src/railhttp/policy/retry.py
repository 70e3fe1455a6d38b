"""Whether to try again, and when: pure decisions about a failed attempt."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple, assert_never

from railhttp.model.errors import (
    Delivery,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.model.response import Headers, HttpResponse
from railhttp.model.validation import require_function, require_number, require_positive_int
from railhttp.policy.backoff import Backoff
from railhttp.policy.budget import is_throttled
from railhttp.policy.callbacks import asked
from railhttp.policy.deadline import NEVER, Deadline

RETRYABLE_STATUSES: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that a later attempt may well not get; 501 and 505 say that none will help."""

_TRANSIENT_KINDS: Final = frozenset({"dns", "connect", "proxy", "disconnected", "truncated"})
_OWN_KINDS: Final = frozenset({"closed", "rejected", "redirect"})
_SECONDS: Final = re.compile(r"-?[0-9]+(?:\.[0-9]*)?")


class RetryEvent(NamedTuple):
    """A retry that is about to be made; what `on_retry` is told.

    Attributes:
        attempt: The attempt that failed, counted from 1.
        delay: Seconds until the next one.
        failure: What went wrong; for an answer that is tried again, its `HTTPStatusError`.

    Example:
        >>> print(RetryEvent(1, 0.05, HTTPTimeoutError(phase="read")).failure.label)
        read
    """

    attempt: int
    delay: float
    failure: HTTPFailure


class Trial(NamedTuple):
    """A failed attempt, and what its call allows.

    Attributes:
        number: Which attempt it was, counted from 1.
        failure: What went wrong; for an answer, its `HTTPStatusError`.
        repeatable: Whether a second send does no harm.
        replayable: Whether the body can be sent again.
        deadline: When the call has to be over.
    """

    number: int
    failure: HTTPFailure
    repeatable: bool = True
    replayable: bool = True
    deadline: Deadline = NEVER


@dataclass(frozen=True, slots=True)
class RetryRule:
    """When an attempt is made again, and after how long.

    Args:
        max_attempts: How many attempts a call may make in all, the first one included.
        backoff: The waits after failures.
        throttling: The waits after the server asked for fewer requests (429).
        retry_after_cap: The longest `Retry-After` that is obeyed, in seconds.
        statuses: Answers that are worth another attempt.
        retry_if: Takes the place of `is_transient`.
        retry_if_response: Takes the place of `statuses`.

    Raises:
        HTTPValidationError: A number is out of its bounds, or what should be a function is none.

    Example:
        >>> rule = RetryRule(backoff=Backoff(base=1.0, jitter=False))
        >>> refused = HTTPConnectionError("refused", kind="connect", delivery=Delivery.NOT_SENT)
        >>> rule.delay(Trial(2, refused), now=0.0, wall=0.0, chance=0.5)
        2.0
        >>> print(rule.delay(Trial(3, refused), now=0.0, wall=0.0, chance=0.5))
        None
    """

    max_attempts: int = 3
    backoff: Backoff = field(default_factory=Backoff)
    throttling: Backoff = field(default_factory=lambda: Backoff(base=1.0))
    retry_after_cap: float = 60.0
    statuses: frozenset[int] = RETRYABLE_STATUSES
    retry_if: Callable[[HTTPFailure], bool] | None = None
    retry_if_response: Callable[[HttpResponse], bool] | None = None

    def __post_init__(self) -> None:
        require_positive_int(self.max_attempts, "max_attempts")
        require_number(self.retry_after_cap, "retry_after_cap")
        require_function(self.retry_if, "retry_if")
        require_function(self.retry_if_response, "retry_if_response")

    @property
    def longest_waits(self) -> float:
        """The longest that the waits of one call may take together, in seconds.

        What a server asks for, by 429 or `Retry-After`, may make them longer.
        """
        return self.backoff.longest(self.max_attempts - 1)

    def wants_response(self, response: HttpResponse) -> bool:
        """Whether an answer is worth another attempt.

        Raises:
            HTTPInterceptorError: `retry_if_response` raised.
        """
        if self.retry_if_response is None:
            return response.status in self.statuses
        return asked("retry_if_response", self.retry_if_response, response)

    def wants(self, failure: HTTPFailure) -> bool:
        """Whether a failure is worth another attempt, were it safe to make one.

        Raises:
            HTTPInterceptorError: `retry_if` or `retry_if_response` raised.
        """
        if isinstance(failure, HTTPStatusError):
            return self.wants_response(failure.response)
        if is_final(failure):
            return False
        if self.retry_if is None:
            return is_transient(failure)
        return asked("retry_if", self.retry_if, failure)

    def delay(self, trial: Trial, *, now: float, wall: float, chance: float) -> float | None:
        """Decide about the next attempt.

        Args:
            trial: The attempt that failed.
            now: The time, on the clock of `trial.deadline`.
            wall: The time in seconds since 1970-01-01 UTC, for dates in `Retry-After`.
            chance: A random number, at least 0 and less than 1.

        Returns:
            Seconds until the next attempt; None where there is to be none: the attempts are used
            up, another one is pointless or not safe, or would start at or after the deadline.

        Raises:
            HTTPInterceptorError: `retry_if` or `retry_if_response` raised.
        """
        if trial.number >= self.max_attempts or not is_safe(trial) or not self.wants(trial.failure):
            return None
        delay = self._wait(trial, wall, chance)
        return delay if trial.deadline.allows(delay, now) else None

    def _wait(self, trial: Trial, wall: float, chance: float) -> float:
        backoff = self.throttling if is_throttled(trial.failure) else self.backoff
        delay = backoff.delay(trial.number, chance)
        if not isinstance(trial.failure, HTTPStatusError):
            return delay
        asked = retry_after(trial.failure.response.headers, wall)
        return delay if asked is None else max(delay, min(asked, self.retry_after_cap))


def is_safe(trial: Trial) -> bool:
    """Whether another send can do no harm: a second one is harmless, or the first never arrived.

    Example:
        >>> lost = HTTPConnectionError(kind="disconnected")
        >>> is_safe(Trial(1, lost, repeatable=False))
        False
    """
    delivery = trial.failure.delivery
    return is_harmless(delivery, repeatable=trial.repeatable, replayable=trial.replayable)


def is_harmless(delivery: Delivery, *, repeatable: bool, replayable: bool) -> bool:
    """Whether a request may be sent once more, by what is known of it and of its first sending.

    Args:
        delivery: What is proven about the first sending.
        repeatable: Whether a second send does no harm.
        replayable: Whether the body can be sent again.

    Example:
        >>> is_harmless(Delivery.NOT_SENT, repeatable=False, replayable=True)
        True
    """
    return repeatable or (delivery is Delivery.NOT_SENT and replayable)


def is_transient(failure: HTTPFailure) -> bool:
    """Whether the same request may well succeed a little later.

    Example:
        >>> is_transient(HTTPConnectionError(kind="dns")), is_transient(HTTPDecodeError())
        (True, False)
    """
    match failure:
        case HTTPConnectionError():
            return failure.kind in _TRANSIENT_KINDS
        case HTTPTimeoutError():
            return failure.phase != "total"
        case HTTPStatusError():
            return failure.status in RETRYABLE_STATUSES
        case (
            HTTPInvalidRequestError()
            | HTTPDecodeError()
            | HTTPResponseTooLargeError()
            | HTTPInterceptorError()
            | HTTPCircuitOpenError()
            | HTTPRetryExhaustedError()
        ):
            return False
        case _:
            assert_never(failure)


def is_final(failure: HTTPFailure) -> bool:
    """Whether no attempt can help: this client itself refused, or the call's time is up.

    Example:
        >>> is_final(HTTPCircuitOpenError()), is_final(HTTPConnectionError(kind="connect"))
        (True, False)
    """
    match failure:
        case HTTPConnectionError():
            return failure.kind in _OWN_KINDS
        case HTTPTimeoutError():
            return failure.phase == "total"
        case (
            HTTPInvalidRequestError()
            | HTTPInterceptorError()
            | HTTPCircuitOpenError()
            | HTTPRetryExhaustedError()
        ):
            return True
        case HTTPStatusError() | HTTPDecodeError() | HTTPResponseTooLargeError():
            return False
        case _:
            assert_never(failure)


def retry_after(headers: Headers, wall: float) -> float | None:
    """How long a server asks its clients to wait.

    Args:
        headers: The answer's header fields: `retry-after-ms`, which some services send, goes
            before `Retry-After` (RFC 9110, section 10.2.3) in seconds or as a date.
        wall: The time in seconds since 1970-01-01 UTC.

    Returns:
        Seconds, 0 where the time has passed; None where nothing is asked or it cannot be read.

    Example:
        >>> from railhttp.model.response import freeze_headers
        >>> retry_after(freeze_headers({"Retry-After": "2"}), 0.0)
        2.0
        >>> retry_after(freeze_headers({"Retry-After": "Thu, 01 Jan 1970 00:00:09 GMT"}), 5.0)
        4.0
    """
    milliseconds = headers.get("retry-after-ms", "").strip()
    if _SECONDS.fullmatch(milliseconds):
        return max(0.0, float(milliseconds) / 1000)
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return max(0.0, float(text))
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    # A date without a zone, as asctime writes it, is UTC too (RFC 9110, section 5.6.7).
    utc = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return max(0.0, utc.timestamp() - wall)
