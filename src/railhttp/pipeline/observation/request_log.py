"""Requests in the standard log: silent until somebody asks for it, and never with a secret.

Calls are logged at INFO, attempts at DEBUG, on the logger `railhttp.request`. A failure is a value
that its caller judges, so none is a warning here. What a record says in words it also has as
attributes (`method`, `url`, `attempt` or `attempts`, `status`, `error_type`, `seconds`), so that
structured formatters need not parse it. Header fields and bodies are never logged.
"""

import logging
from typing import Final

from railhttp.model.observation import RequestFinished, RequestStarted

logging.getLogger("railhttp").addHandler(logging.NullHandler())

_LOG: Final = logging.getLogger("railhttp.request")


class RequestLog:
    """The instrument that writes the log.

    Example:
        >>> logging.getLogger("railhttp.request").setLevel(logging.INFO)
        >>> RequestLog().is_enabled
        True
        >>> logging.getLogger("railhttp.request").setLevel(logging.NOTSET)
    """

    __slots__ = ()

    @property
    def is_enabled(self) -> bool:
        """Whether anything would be logged now."""
        return _LOG.isEnabledFor(logging.INFO)

    def call_started(self, call: RequestStarted) -> "CallLog | None":
        """Remember a call until it ends."""
        return CallLog(call) if self.is_enabled else None

    def attempt_started(self, attempt: RequestStarted) -> "AttemptLog | None":
        """Log that an attempt is sent."""
        if not _LOG.isEnabledFor(logging.DEBUG):
            return None
        number = attempt.attempt + 1
        _LOG.debug(
            "%s %s: attempt %d",
            attempt.method,
            attempt.shown_url,
            number,
            extra={"method": attempt.method, "url": attempt.shown_url, "attempt": number},
        )
        return AttemptLog(attempt)


class CallLog:
    """Logs how a call ended.

    Args:
        call: The call.
    """

    __slots__ = ("_call",)

    def __init__(self, call: RequestStarted) -> None:
        self._call = call

    def ended(self, ending: RequestFinished) -> None:
        """Log it."""
        call = self._call
        _LOG.info(
            "%s %s: %s after %d attempts, %.3f s",
            call.method,
            call.shown_url,
            _outcome(ending),
            ending.attempts,
            ending.seconds,
            extra={**_facts(call, ending), "attempts": ending.attempts},
        )


class AttemptLog:
    """Logs how an attempt ended.

    Args:
        attempt: The attempt.
    """

    __slots__ = ("_attempt",)

    def __init__(self, attempt: RequestStarted) -> None:
        self._attempt = attempt

    def ended(self, ending: RequestFinished) -> None:
        """Log it."""
        attempt = self._attempt
        number = attempt.attempt + 1
        _LOG.debug(
            "%s %s: attempt %d got %s, %.3f s",
            attempt.method,
            attempt.shown_url,
            number,
            _outcome(ending),
            ending.seconds,
            extra={**_facts(attempt, ending), "attempt": number},
        )


def _outcome(ending: RequestFinished) -> str:
    return ending.error_type or str(ending.status)


def _facts(dispatch: RequestStarted, ending: RequestFinished) -> dict[str, object]:
    return {
        "method": dispatch.method,
        "url": dispatch.shown_url,
        "status": ending.status,
        "error_type": ending.error_type,
        "seconds": ending.seconds,
    }


REQUEST_LOG: Final = RequestLog()
