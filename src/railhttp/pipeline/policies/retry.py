"""Calls again what failed for a moment: obeys `railhttp.policy.retry`."""

import logging
from collections.abc import Awaitable, Callable, Set
from typing import Final, ParamSpec, TypeVar

from railhttp.model.errors import (
    FAILURES,
    HTTPFailure,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.model.response import HttpResponse
from railhttp.model.validation import require_function
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.policies.shielded_store import ShieldedStore
from railhttp.pipeline.scope import CallScope, SparesBodies, deadline_of, host_of, scope_of
from railhttp.policy.backoff import Backoff
from railhttp.policy.budget import RetryBudget
from railhttp.policy.callbacks import call_info_of
from railhttp.policy.retry import RETRYABLE_STATUSES, RetryEvent, RetryRule, Trial
from railhttp.protocols import Clock, StateStore

T = TypeVar("T")
P = ParamSpec("P")

_LOG: Final = logging.getLogger("railhttp")


class RetryPolicy(SparesBodies):
    """Makes a call again where that is safe and may help.

    What may help: another attempt after a transient failure (`is_transient`) or one of `statuses`.
    What is safe: repeating an idempotent request, or one that provably never reached its server.
    A function that is no `CallScope` is taken to be safe. One policy may serve any number of calls
    at the same time; all that they share is the budget of each host.

    Args:
        max_attempts: How many attempts a call makes in all, the first one included.
        base_delay: The bound of the first wait, in seconds; it doubles with each attempt.
        max_delay: The bound of every wait but those that a server asks for, in seconds.
        jitter: Whether a wait is drawn evenly between 0 and its bound.
        throttle_delay: What `base_delay` is after a 429, in seconds.
        reraise: Whether giving up hands on the last failure itself.
        retry_after_cap: The longest `Retry-After` that is obeyed, in seconds.
        statuses: Answers that are worth another attempt.
        budget: What retries cost each host, None for no limit.
        retry_if: Decides which failures are worth another attempt, in place of `is_transient`; it
            is not asked about answers and what this client itself refused.
        retry_if_response: Decides which answers are, in place of `statuses`.
        on_retry: Told of each retry before its wait; what it raises is logged and goes no further.
        store: Where the hosts' budgets are kept, in this process where None.
        clock: What tells the time, draws lots and waits.

    Raises:
        HTTPValidationError: A number is out of its bounds, or what should be a function is none.

    Example:
        >>> import asyncio
        >>> from railhttp.model.errors import HTTPConnectionError
        >>> failures = [HTTPConnectionError("refused", kind="connect")]
        >>> async def flaky() -> str:
        ...     if failures:
        ...         raise failures.pop()
        ...     return "done"
        >>> asyncio.run(RetryPolicy(base_delay=0.001).execute(flaky))
        'done'
    """

    def __init__(
        self,
        max_attempts: int = 3,
        base_delay: float = 0.05,
        max_delay: float = 20.0,
        jitter: bool = True,
        *,
        throttle_delay: float = 1.0,
        reraise: bool = False,
        retry_after_cap: float = 60.0,
        statuses: Set[int] = RETRYABLE_STATUSES,
        budget: RetryBudget | None = RetryBudget(),  # noqa: B008  # frozen
        retry_if: Callable[[HTTPFailure], bool] | None = None,
        retry_if_response: Callable[[HttpResponse], bool] | None = None,
        on_retry: Callable[[RetryEvent], None] | None = None,
        store: StateStore[int] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._rule = RetryRule(
            max_attempts=max_attempts,
            backoff=Backoff(base_delay, max_delay, jitter),
            throttling=Backoff(throttle_delay, max_delay, jitter),
            retry_after_cap=retry_after_cap,
            statuses=frozenset(statuses),
            retry_if=retry_if,
            retry_if_response=retry_if_response,
        )
        require_function(on_retry, "on_retry")
        self._reraise = reraise
        self._budget = budget
        self._on_retry = on_retry
        self._store = ShieldedStore(store, clock)
        self._clock = clock

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._rule.max_attempts} attempts>"

    @property
    def rule(self) -> RetryRule:
        """When this policy tries again, and after how long."""
        return self._rule

    @property
    def is_waitless(self) -> bool:
        """Whether its store decides at once, so that no call waits for it."""
        return self._store.is_waitless

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `func` until it succeeds or another attempt is pointless, unsafe or too late.

        Args:
            func: What to call.
            *args: What to call it with.
            **kwargs: What to call it with.

        Returns:
            What the last attempt returned; an answer is returned as it is, whatever its status.

        Raises:
            HTTPRetryExhaustedError: Two attempts or more were made and the last one failed, without
                an answer, in a way that would be tried again; never with `reraise`.
            HTTPTimeoutError: The deadline had passed before the first attempt.
            HTTPInterceptorError: `retry_if` or `retry_if_response` raised, or the store when it was
                asked for a retry; what it raises afterwards is logged.
            HTTPClientError: What the last attempt raised, in all other cases.
        """
        scope = scope_of(func)
        if scope is not None:
            self._refuse_late(scope)
        failures: tuple[HTTPFailure, ...] = ()
        while True:
            try:
                result = await func(*args, **kwargs)
            except FAILURES as failure:
                failures = (*failures, failure)
                if not await self._again(scope, failures):
                    if self._is_exhausted(failures):
                        raise _exhausted(failures) from failure
                    raise
            else:
                if not isinstance(result, HttpResponse) or not self._rule.wants_response(result):
                    if self._store.peek(host_of(scope)) is not None:
                        await self._settle(scope, failures)
                    return result
                failures = (*failures, HTTPStatusError(result))
                if not await self._again(scope, failures):
                    return result

    def _refuse_late(self, scope: CallScope) -> None:
        if scope.deadline is not None and self._clock.monotonic() >= scope.deadline:
            raise HTTPTimeoutError(
                "no time is left for an attempt", phase="total", **scope.call_info()
            )

    async def _again(self, scope: CallScope | None, failures: tuple[HTTPFailure, ...]) -> bool:
        """Wait for the next attempt, if there is to be one."""
        clock = self._clock
        failure = failures[-1]
        trial = _trial(scope, failures)
        delay = self._rule.delay(
            trial, now=clock.monotonic(), wall=clock.wall(), chance=clock.uniform()
        )
        if delay is None or not await self._pay(scope, failure):
            return False
        goes_on = False
        try:
            self._announce(RetryEvent(trial.number, delay, failure))
            if scope is not None:
                scope.call.release()
            await clock.sleep(delay)
            goes_on = trial.deadline.allows(0.0, clock.monotonic())
        finally:
            if not goes_on:
                self._refund(scope, failure)
        return goes_on

    async def _pay(self, scope: CallScope | None, failure: HTTPFailure) -> bool:
        budget = self._budget
        if budget is None:
            return True
        return await self._store.decide(
            host_of(scope),
            budget.charge,
            budget.cost(failure),
            facts=lambda: call_info_of(failure),
            undo=lambda paid: self._refund(scope, failure) if paid else None,
        )

    def _refund(self, scope: CallScope | None, failure: HTTPFailure) -> None:
        """Give back what was paid for a retry that is not made."""
        if self._budget is not None:
            cost = self._budget.cost(failure)
            self._store.report_later(host_of(scope), self._budget.repay, cost)

    async def _settle(self, scope: CallScope | None, failures: tuple[HTTPFailure, ...]) -> None:
        budget = self._budget
        if budget is not None:
            amount = budget.cost(failures[-1]) if failures else budget.credit
            await self._store.report(host_of(scope), budget.repay, amount)

    def _announce(self, event: RetryEvent) -> None:
        if self._on_retry is not None:
            try:
                self._on_retry(event)
            except Exception as error:  # noqa: BLE001  # an observer never breaks a call
                _LOG.warning("on_retry raised %s", type(error).__name__)

    def _is_exhausted(self, failures: tuple[HTTPFailure, ...]) -> bool:
        last = failures[-1]
        answered = isinstance(last, HTTPStatusError)
        return not (self._reraise or answered) and len(failures) > 1 and self._rule.wants(last)


def _trial(scope: CallScope | None, failures: tuple[HTTPFailure, ...]) -> Trial:
    number, failure = len(failures), failures[-1]
    if scope is None:
        return Trial(number, failure)
    return Trial(number, failure, scope.call.repeatable, scope.replayable, deadline_of(scope))


def _exhausted(failures: tuple[HTTPFailure, ...]) -> HTTPRetryExhaustedError:
    last = failures[-1]
    return HTTPRetryExhaustedError(
        f"gave up after {len(failures)} attempts: {last.message}",
        failures=failures,
        method=last.method,
        url=last.url,
        delivery=last.delivery.strongest(*(failure.delivery for failure in failures)),
        attempts=len(failures),
        elapsed=last.elapsed,
    )
