"""Whether and when to retry: pure decisions about a failed attempt."""

import re
from collections.abc import Callable, Sequence
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
from railhttp.model.validation import OWS, require_function, require_number, require_positive_int
from railhttp.policy.backoff import Backoff
from railhttp.policy.budget import is_throttled
from railhttp.policy.callbacks import call_predicate
from railhttp.policy.deadline import NEVER, Deadline
from railhttp.policy.health import OWN_KINDS

RETRYABLE_STATUSES: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that a later attempt may avoid; for 501 and 505, no attempt can succeed."""

_TRANSIENT_PROXY_STATUSES: Final = frozenset({None, 502, 503, 504})
_TRANSIENT_KINDS: Final = frozenset({"dns", "connect", "proxy", "disconnected", "truncated"})
_SECONDS: Final = r"-?[0-9]+(?:\.[0-9]*)?"


class RetryEvent(NamedTuple):
    """The argument of `on_retry`: a retry that is about to wait.

    Attributes:
        attempt: The number of the failed attempt, counted from 1.
        delay: Seconds until the next attempt.
        failure: The failure of the attempt; an `HTTPStatusError` for a response.

    Example:
        >>> print(RetryEvent(1, 0.05, HTTPTimeoutError(phase="read")).failure.label)
        read
    """

    attempt: int
    delay: float
    failure: HTTPFailure


class Trial(NamedTuple):
    """A failed attempt, numbered from 1, and the limits of its call; see `is_harmless`."""

    number: int
    failure: HTTPFailure
    repeatable: bool = True
    replayable: bool = True
    deadline: Deadline = NEVER


@dataclass(frozen=True, slots=True)
class RetryRule:
    """Whether an attempt is repeated, and after which wait.

    The defaults for attempts and waits are those of botocore's standard mode.

    Args:
        max_attempts: Largest number of attempts of a call, including the first.
        backoff: The waits after failures. They start short, at 0.05 s, because most connection
            failures are over at once.
        throttling: The waits after a 429. They start at 1 s, because the server asked for fewer
            requests.
        retry_after_cap: Upper bound of a `Retry-After` wait, in seconds, so that a server cannot
            make a client wait for hours. The wait is never shorter than the backoff, and with
            jitter up to a quarter longer than requested.
        statuses: Statuses to retry; 501 and 505 are not among the defaults, because no attempt can
            avoid them.
        retry_if: Decides whether to retry a failure, instead of `is_transient`. It is not called
            for responses, nor for failures that no attempt can avoid, such as an open circuit.
        retry_if_response: Decides whether to retry a response, instead of `statuses`.
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
        """Upper bound of the waits of one call in seconds; a server can ask for longer ones."""
        return self.backoff.longest(self.max_attempts - 1)

    def wants_response(self, response: HttpResponse) -> bool:
        """Whether a response is worth another attempt."""
        if self.retry_if_response is None:
            return response.status in self.statuses
        return call_predicate("retry_if_response", self.retry_if_response, response)

    def wants(self, failure: HTTPFailure) -> bool:
        """Whether a failure is worth another attempt, if another attempt is safe."""
        if isinstance(failure, HTTPStatusError):
            return self.wants_response(failure.response)
        if is_final(failure):
            return False
        if self.retry_if is None:
            return is_transient(failure)
        return call_predicate("retry_if", self.retry_if, failure)

    def delay(self, trial: Trial, *, now: float, wall: float, chance: float) -> float | None:
        """Return the seconds until the next attempt; `chance` is a random number from 0 to 1.

        None if there must not be one: all attempts are used, another one is useless or unsafe, or
        it would start at or after the deadline.
        """
        delivery, repeatable = trial.failure.delivery, trial.repeatable
        safe = is_harmless(delivery, repeatable=repeatable, replayable=trial.replayable)
        if trial.number >= self.max_attempts or not safe or not self.wants(trial.failure):
            return None
        delay = self._wait(trial, wall, chance)
        return delay if trial.deadline.allows(delay, now) else None

    def _wait(self, trial: Trial, wall: float, chance: float) -> float:
        backoff = self.throttling if is_throttled(trial.failure) else self.backoff
        delay = backoff.delay(trial.number, chance)
        if not isinstance(trial.failure, HTTPStatusError):
            return delay
        requested = retry_after(trial.failure.response.headers, wall)
        if requested is None:
            return delay
        wait = min(requested, self.retry_after_cap)
        # All clients are told the same time, and must not return in the same instant.
        spread = max(delay, chance * wait / 4) if backoff.jitter else 0.0
        return max(delay, wait + spread)


def is_harmless(delivery: Delivery, *, repeatable: bool, replayable: bool) -> bool:
    """Whether a second send does no harm: it has no further effect, or the first never arrived.

    A request is `repeatable` if it is idempotent and its body `replayable`: readable again.
    """
    return repeatable or (delivery is Delivery.NOT_SENT and replayable)


def is_transient(failure: HTTPFailure) -> bool:
    """Whether the same request may succeed a little later."""
    match failure:
        case HTTPConnectionError():
            return (
                failure.kind in _TRANSIENT_KINDS
                and failure.proxy_status in _TRANSIENT_PROXY_STATUSES
            )
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
    """Whether no attempt can help: this client itself refused, or the time of the call is over."""
    match failure:
        case HTTPConnectionError():
            return failure.kind in OWN_KINDS
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


def exhausted(reason: str, failures: Sequence[HTTPFailure]) -> HTTPRetryExhaustedError:
    """Build the failure that stands for attempts that all failed.

    Its details are those of the last one, with the strongest delivery of all.
    """
    last = failures[-1]
    return HTTPRetryExhaustedError(
        f"{reason}: {last.message}",
        failures=failures,
        method=last.method,
        url=last.url,
        delivery=last.delivery.strongest(*(failure.delivery for failure in failures)),
        attempts=len(failures),
        elapsed=last.elapsed,
    )


def retry_after(headers: Headers, wall: float) -> float | None:
    """Return how many seconds a server wants its clients to wait; None without a valid field.

    `retry-after-ms`, which some services send, overrides `Retry-After` (RFC 9110, section 10.2.3),
    which holds seconds or a date. A time in the past is 0; `wall` is in seconds since 1970-01-01.
    """
    milliseconds = headers.get("retry-after-ms", "").strip(OWS)
    if re.fullmatch(_SECONDS, milliseconds):
        return max(0.0, float(milliseconds) / 1000)
    text = headers.get("Retry-After", "").strip(OWS)
    if re.fullmatch(_SECONDS, text):
        return max(0.0, float(text))
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    # A date without a zone, as asctime writes it, is UTC too (RFC 9110, section 5.6.7).
    utc = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return max(0.0, utc.timestamp() - wall)
