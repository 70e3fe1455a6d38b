"""Shows each retry while it happens, and sums the attempts up at the end."""

import time
from typing import Final

from railhttp.cli.terminal import Terminal
from railhttp.cli.units import milliseconds
from railhttp.events import RequestFinished, RequestStarted


class AttemptLog:
    """An instrument that follows the attempts of one call.

    Args:
        terminal: Where each retry is shown; None for nowhere.
    """

    asks_for_timings: Final = True

    def __init__(self, terminal: Terminal | None) -> None:
        self._terminal: Final = terminal
        self._failed: list[str] = []
        self._ended = 0.0
        self._outcome = ""

    def call_started(self, call: RequestStarted) -> None:
        """Forget the call before."""
        self._failed.clear()

    def attempt_started(self, attempt: RequestStarted) -> "AttemptLog":
        """Show why there is a second attempt, and how long it was put off."""
        if attempt.attempt:
            waited = f"waited {milliseconds(time.monotonic() - self._ended)}"
            self._failed.append(f"{self._outcome}, {waited}")
            if self._terminal:
                self._terminal.say(f"attempt {attempt.attempt}: {self._failed[-1]}", "yellow")
        return self

    def ended(self, ending: RequestFinished) -> None:
        """Keep how an attempt ended."""
        self._ended = time.monotonic()
        self._outcome = f"{ending.error_type or 'ended'} after {milliseconds(ending.seconds)}"

    def summary(self, attempts: int) -> str:
        """Sum the attempts up, as in `attempts 2 (503 after 12 ms, waited 31 ms)`."""
        return f"attempts {attempts}" + (f" ({'; '.join(self._failed)})" if self._failed else "")
