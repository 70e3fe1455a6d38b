"""Requests in the standard log: silent until logging is configured, and never with a secret.

Calls are logged at INFO, attempts at DEBUG, on the logger `railhttp.request`. A failure is a value
that the caller judges, so none is a warning here. The words of a record are also attributes
(`method`, `url`, `host`, `attempt` or `attempts`, `status`, `error_type`, `seconds`), and so is
`call_id`, so structured formatters can use them. Header fields and bodies are never logged. If the
body of a stream breaks off after its head was logged, there is one more line.
"""

import logging
from functools import partial
from typing import Final

from railhttp.model.observation import RequestFinished, RequestStarted

_LOG: Final = logging.getLogger("railhttp.request")

logs_requests: Final = partial(_LOG.isEnabledFor, logging.INFO)
"""Return whether anything would be logged now."""


class RequestLog:
    """The instrument that writes the log."""

    __slots__ = ()

    def call_started(self, call: RequestStarted) -> "_CallLog | None":
        """Observe a call until it ends."""
        return _CallLog(call) if logs_requests() else None

    def attempt_started(self, attempt: RequestStarted) -> "_AttemptLog | None":
        """Log that an attempt is sent."""
        if not _LOG.isEnabledFor(logging.DEBUG):
            return None
        method, url, number = attempt.method, attempt.shown_url, attempt.attempt + 1
        extra = _common(attempt) | {"attempt": number}
        _LOG.debug("%s %s: attempt %d", method, url, number, extra=extra)
        return _AttemptLog(attempt)


class _CallLog:
    """Logs the end of a call."""

    __slots__ = ("_call",)

    def __init__(self, call: RequestStarted) -> None:
        self._call = call

    def ended(self, finished: RequestFinished) -> None:
        call, attempts = self._call, finished.attempts
        _LOG.info(
            "%s %s: %s after %d %s, %.3f s",
            call.method,
            call.shown_url,
            _outcome(finished),
            attempts,
            "attempt" if attempts == 1 else "attempts",
            finished.seconds,
            extra={**_attributes(call, finished), "attempts": attempts},
        )

    def body_ended(self, finished: RequestFinished) -> None:
        if finished.failure is not None:
            call = self._call
            _LOG.info(
                "%s %s: the body broke off with %s, %.3f s",
                call.method,
                call.shown_url,
                _outcome(finished),
                finished.seconds,
                extra={**_attributes(call, finished), "attempts": finished.attempts},
            )


class _AttemptLog:
    """Logs the end of an attempt."""

    __slots__ = ("_attempt",)

    def __init__(self, attempt: RequestStarted) -> None:
        self._attempt = attempt

    def ended(self, finished: RequestFinished) -> None:
        attempt = self._attempt
        number = attempt.attempt + 1
        _LOG.debug(
            "%s %s: attempt %d ended with %s, %.3f s",
            attempt.method,
            attempt.shown_url,
            number,
            _outcome(finished),
            finished.seconds,
            extra={**_attributes(attempt, finished), "attempt": number},
        )


def _outcome(finished: RequestFinished) -> str:
    return finished.error_type or str(finished.status)


def _common(started: RequestStarted) -> dict[str, object]:
    return {
        "method": started.method,
        "url": started.shown_url,
        "host": started.host,
        "call_id": started.call_id,
    }


def _attributes(started: RequestStarted, finished: RequestFinished) -> dict[str, object]:
    return {
        **_common(started),
        "status": finished.status,
        "error_type": finished.error_type,
        "seconds": finished.seconds,
    }


REQUEST_LOG: Final = RequestLog()
