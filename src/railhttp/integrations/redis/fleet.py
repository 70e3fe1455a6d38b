"""`RedisStore`: the stores of a fleet, on one server."""

from types import TracebackType
from typing import Self, get_args

from railhttp.di.health import HealthCheckResult
from railhttp.integrations.redis.breakers import QuorumBreakers, SharedBreakers
from railhttp.integrations.redis.limits import LeasedRates, SharedBudgets, SharedRates
from railhttp.integrations.redis.link import Link
from railhttp.integrations.redis.tokens import SharedTokens
from railhttp.model.clock import Clock
from railhttp.model.errors import HTTPValidationError
from railhttp.model.events import WhenDown
from railhttp.model.validation import (
    mismatch,
    require,
    require_number,
    require_positive_int,
    require_text,
    require_timeout,
)
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.policies.store import StateStore
from railhttp.policy.breaker_states import BreakerState
from railhttp.policy.budget import Tokens


class RedisStore:
    """Shares breakers, rate limits, retry budgets and tokens between processes, on Redis.

    `async with` connects it; create and enter it in each process, after a fork. A server that is
    slow or gone delays a call by at most `timeout`, whatever its policies. After the first delay no
    call asks until the store has reached the server again, which it tries by itself.

    Example:
        >>> import asyncio
        >>> from railhttp.resilience import CircuitBreaker
        >>> fleet = RedisStore.connect("redis://cache:6379/0", prefix="shop")
        >>> breaker = CircuitBreaker(name="stock", store=fleet.breakers())
        >>> fleet
        <RedisStore 'shop'>
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._breakers: dict[int, StateStore[BreakerState]] = {}
        self._rates: dict[float, StateStore[float]] = {}
        self._budgets: SharedBudgets | None = None

    @classmethod
    def connect(
        cls,
        url: str,
        *,
        prefix: str = "railhttp",
        timeout: float = 0.05,
        when_down: WhenDown = "local",
        clock: Clock = SYSTEM_CLOCK,
    ) -> Self:
        """Return the store of a server; nothing is sent before `async with`.

        Args:
            url: `redis://`, `rediss://` (TLS) or `unix://`, with user, password and database.
            prefix: The start of all keys. Programs with the same prefix share their states.
            timeout: Seconds that a call waits for the server at most, all its policies together.
            when_down: The effect of a server that cannot be used. `local`: each process goes on
                alone from the last states. `refuse`: calls fail with an `HTTPCircuitOpenError`, and
                no retry is made. `raise`: calls fail with an `HTTPInterceptorError`.
            clock: The source of time; decisions use the time of the server.

        Raises:
            HTTPValidationError: An argument is not valid.
        """
        require_text(prefix, "prefix")
        require(bool(prefix), "must not be empty", "prefix")
        seconds = require_timeout(timeout)
        if seconds is None:
            raise mismatch("a positive number of seconds", timeout, "timeout")
        require(when_down in get_args(WhenDown), "must be local, refuse or raise", "when_down")
        try:
            link = Link(url, prefix=prefix, timeout=seconds, when_down=when_down, clock=clock)
        except (ValueError, AttributeError, TypeError):  # their messages may show the URL
            message = "must be a URL such as redis://host:6379/0"
            raise HTTPValidationError(message, field="url") from None
        return cls(link)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._link.prefix!r}>"

    async def __aenter__(self) -> Self:
        await self._link.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._link.stop()

    def breakers(self, quorum: int = 1) -> StateStore[BreakerState]:
        """Return the store for circuit breakers.

        With a quorum of 1 all processes have one circuit. A larger quorum protects the fleet from a
        process whose own network is broken. Each process then has its own circuit, too. The fleet's
        circuit opens when that many processes see failures, in sum `failure_threshold` in a row, of
        which each process counts for at most `1 / quorum`, rounded up.

        Args:
            quorum: Number of processes that must see failures; use the same in every process.

        Raises:
            HTTPValidationError: `quorum` is below 1.
        """
        require_positive_int(quorum, "quorum")
        if quorum not in self._breakers:
            self._breakers[quorum] = (
                SharedBreakers(self._link) if quorum == 1 else QuorumBreakers(self._link, quorum)
            )
        return self._breakers[quorum]

    def rates(self, lease: float = 0.1) -> StateStore[float]:
        """Return the store for rate limiters.

        A process takes the turns of `lease` seconds at once, so that most calls do not ask the
        server. In any `w` seconds all processes together start at most `burst + rate · w` calls,
        and `rate · lease` more for each process, rounded up.

        Args:
            lease: Seconds; 0 is exact, and asks for each call.

        Raises:
            HTTPValidationError: `lease` is negative.
        """
        require_number(lease, "lease")
        if lease not in self._rates:
            self._rates[lease] = (
                LeasedRates(self._link, lease) if lease else SharedRates(self._link)
            )
        return self._rates[lease]

    def budgets(self) -> StateStore[Tokens]:
        """Return the store for the budgets of retry policies."""
        if self._budgets is None:
            self._budgets = SharedBudgets(self._link)
        return self._budgets

    def tokens(
        self, *, key: str | bytes, name: str = "default", lease: float = 5.0
    ) -> SharedTokens:
        """Return the store for the tokens of a user.

        Args:
            key: The secret that encrypts them, at best 32 random bytes, for all processes.
            name: Whose tokens they are.
            lease: Seconds after which another process may refresh, if the one that did was killed.

        Raises:
            HTTPValidationError: `key` is empty, or `lease` is not positive.
        """
        require(bool(key), "must not be empty", "key")
        require(require_number(lease, "lease") > 0, "must be more than 0", "lease")
        return SharedTokens(self._link, key, require_text(name, "name"), lease)

    async def health(self) -> HealthCheckResult:
        """Return whether the server can be used, as of the latest operation or ping."""
        if self._link.up:
            return HealthCheckResult("redis", "healthy")
        return HealthCheckResult("redis", "unhealthy", f"the store is down: {self._link.problem}")
