"""One token for many calls: fetched once, replaced once, and never fetched in a rush."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from railhttp.model.clock import Clock
from railhttp.model.context import SideClient
from railhttp.model.errors import HTTPTimeoutError
from railhttp.model.redaction import MASK, redacted_repr
from railhttp.model.validation import require_number, require_timeout
from railhttp.pipeline.call_recorder import unrecorded
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.policy.backoff import Backoff

_BACKOFF: Final = Backoff(base=1.0, maximum=60.0, jitter=False)


class Issued(NamedTuple):
    """A token, and how long it is valid.

    Attributes:
        token: The access token.
        lifetime: Seconds from now; None if unknown.
    """

    token: str
    lifetime: float | None = None

    def __repr__(self) -> str:
        return redacted_repr(self, token=MASK)


Fetch = Callable[[SideClient | None, str | None], Awaitable[Issued]]
"""Fetches a token. It is passed the client of a call, and the token that a server refused, if any.
"""


class _Current(NamedTuple):
    token: str
    renew_at: float
    expires: float

    def __repr__(self) -> str:
        return redacted_repr(self, token=MASK)


class TokenFlight:
    """The current token. All who need another one wait for the same fetch.

    The fetch runs in a task of its own, so no caller that is cancelled takes it along. If it fails,
    callers get the same failure without another fetch, for 1 s, then for twice as long each time,
    at most for 60 s.

    Args:
        fetch: Fetches a token.
        early: Seconds before the expiry from which on the token is replaced; the caller that
            notices waits, all others go on with the old one. A token that does not live that long
            is replaced after half of its life.
        timeout: Seconds for one fetch; None is no limit.

    Raises:
        HTTPValidationError: A number is out of bounds.
    """

    def __init__(self, fetch: Fetch, *, early: float = 0.0, timeout: float | None = None) -> None:
        require_number(early, "early")
        require_timeout(timeout, "timeout")
        self._fetch = fetch
        self._early = early
        self._timeout = timeout
        self._current: _Current | None = None
        self._refused: str | None = None
        # A task shows its result in its `repr`: not the bare token.
        self._task: asyncio.Task[_Current] | None = None
        self._failure: Exception | None = None
        self._failures = 0
        self._quiet_until = 0.0

    async def token(self, client: SideClient | None) -> str:
        """Return a valid token.

        Raises:
            Exception: What the fetch raised, now or a moment ago.
        """
        now = _clock(client).monotonic()
        current = self._current
        if current is None or now >= current.expires:
            return await self._fetched(client)
        if now < current.renew_at or self._is_busy() or self._is_quiet(now):
            return current.token
        try:
            return await self._fetched(client)
        except Exception:
            if self._current is not current:
                raise
            return current.token  # it is valid for a while

    async def replace(self, refused: str, client: SideClient | None) -> tuple[str, bool]:
        """Return another token than the one that a server refused.

        Returns:
            The token, and whether it was fetched meanwhile.
        """
        current = self._current
        if current is not None and current.token != refused:
            return current.token, False
        self._current, self._refused = None, refused
        del refused  # a traceback would show it
        return await self._fetched(client), True

    def refuse(self, token: str) -> None:
        """Forget a token that a server refused, if it is the current one."""
        if self._current is not None and self._current.token == token:
            self._current, self._refused = None, token

    def _is_busy(self) -> bool:
        task = self._task
        # A task of a loop that was closed never ends.
        return task is not None and not task.done() and task.get_loop() is _loop()

    def _is_quiet(self, now: float) -> bool:
        return self._failure is not None and now < self._quiet_until

    async def _fetched(self, client: SideClient | None) -> str:
        if self._task is None or not self._is_busy():
            if self._failure is not None and self._is_quiet(_clock(client).monotonic()):
                raise self._failure.with_traceback(None)
            self._task = _loop().create_task(self._run(client))
            self._task.add_done_callback(_look_at)
        return (await asyncio.shield(self._task)).token

    async def _run(self, client: SideClient | None) -> _Current:
        clock = _clock(client)
        began = clock.monotonic()
        try:
            with unrecorded():
                token, lifetime = await self._within(self._fetch(client, self._refused))
        except Exception as error:
            self._failures += 1
            self._failure = error
            self._quiet_until = clock.monotonic() + _BACKOFF.delay(self._failures, 0.0)
            raise
        self._failure, self._failures, self._refused = None, 0, None
        expires = float("inf") if lifetime is None else began + lifetime
        self._current = current = _Current(token, expires - self._ahead(lifetime), expires)
        return current

    async def _within(self, fetching: Awaitable[Issued]) -> Issued:
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                return await fetching
        except TimeoutError:
            if not limit.expired():
                raise
            message = "the token took too long"
            raise HTTPTimeoutError(message, phase="read", limit=self._timeout) from None

    def _ahead(self, lifetime: float | None) -> float:
        if lifetime is None or lifetime > self._early:
            return self._early
        return lifetime / 2


def _clock(client: SideClient | None) -> Clock:
    return SYSTEM_CLOCK if client is None else client.clock


def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def _look_at(task: "asyncio.Task[_Current]") -> None:
    if not task.cancelled():
        task.exception()  # or asyncio would warn, if all callers were cancelled
