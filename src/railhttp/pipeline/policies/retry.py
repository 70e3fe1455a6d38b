"""Repeats calls that failed for a moment, as `railhttp.policy.retry` decides."""

import logging
from collections.abc import Awaitable, Callable, Set
from copy import copy
from dataclasses import replace
from typing import Final, Self, TypeVar

from typing_extensions import override

from railhttp.model.clock import Clock
from railhttp.model.errors import FAILURES, HTTPFailure, HTTPStatusError
from railhttp.model.response import HttpResponse
from railhttp.model.validation import close_awaitable, require_function
from railhttp.pipeline.attempt import ReplayAware
from railhttp.pipeline.call import Call
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.policies.policy import Policy
from railhttp.pipeline.policies.shielded_store import ShieldedStore
from railhttp.pipeline.policies.store import StateStore, StoreServerProtocol
from railhttp.policy.backoff import Backoff
from railhttp.policy.budget import RetryBudget, Tokens
from railhttp.policy.callbacks import call_info_of
from railhttp.policy.deadline import Deadline
from railhttp.policy.retry import RETRYABLE_STATUSES, RetryEvent, RetryRule, Trial, exhausted

_MOST_COUNTED: Final = 16
"""Policies kept for calls with `retries`: a new one costs a tenth of a call."""

T = TypeVar("T")
C = TypeVar("C", bound=Call)

_LOG: Final = logging.getLogger("railhttp")


class RetryPolicy(Policy, ReplayAware):
    """Repeats a call where that is safe and may help.

    Another attempt may help after a transient failure (`is_transient`) or one of `statuses`. It is
    safe if the request is idempotent or provably never reached its server. A plain function is
    taken to be safe. One policy may serve any number of calls at the same time; they share only the
    budget of each origin.

    The first four arguments and `retry_after_cap` to `retry_if_response` are those of `RetryRule`.

    Args:
        max_attempts: The number of attempts, the first one included.
        base_delay: The bound of the first wait in seconds; it doubles with each attempt.
        max_delay: The bound of every wait in seconds, except those that a server asks for.
        jitter: Whether a wait is drawn evenly between 0 and its bound.
        throttle_delay: Replaces `base_delay` after a 429, in seconds.
        reraise: Whether giving up raises the last failure itself.
        budget: What retries cost each origin; None for no limit.
        on_retry: Called before the wait of each retry; an exception from it is only logged.
        store: Keeps the budgets; in this process if None.
        clock: The source of time for plain functions; the calls of a client use its clock.

    Raises:
        HTTPValidationError: A number is out of bounds, or an argument is not a function.

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
        store: StateStore[Tokens] | None = None,
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
        self._exhausted: set[str] = set()  # origins whose budget is used up
        self._store = ShieldedStore(store)
        self._counted: dict[int, Self] = {}
        super().__init__(clock)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._rule.max_attempts} attempts>"

    @property
    def rule(self) -> RetryRule:
        """When this policy repeats a call, and after how long."""
        return self._rule

    @property
    def server(self) -> StoreServerProtocol | None:
        """The server of a shared store, if it has one."""
        return self._store.server

    def with_attempts(self, max_attempts: int) -> Self:
        """Return a policy with another number of attempts, which shares the budgets of this one.

        Raises:
            HTTPValidationError: The number is not positive.
        """
        if max_attempts in self._counted:
            return self._counted[max_attempts]
        other = copy(self)
        other._rule = replace(self._rule, max_attempts=max_attempts)
        if len(self._counted) < _MOST_COUNTED:
            self._counted[max_attempts] = other
        return other

    @override
    async def run(self, send: Callable[[C], Awaitable[T]], call: C) -> T:
        """Make attempts until one succeeds, or another is pointless, unsafe or too late.

        Returns:
            The result of the last attempt; a response is returned as it is, whatever its status.

        Raises:
            HTTPRetryExhaustedError: Two or more attempts were made, and the last one failed without
                a response in a way that would be repeated; never with `reraise`.
            HTTPInterceptorError: `retry_if`, `retry_if_response` or the store raised; exceptions of
                the store after the last attempt are only logged.
            HTTPClientError: Otherwise the failure of the last attempt.
        """
        failures: tuple[HTTPFailure, ...] = ()
        while True:
            try:
                result = await send(call)
            except FAILURES as failure:
                failures = (*failures, failure)
                if not await self._again(call, failures):
                    if self._is_exhausted(failures):
                        reason = f"gave up after {len(failures)} attempts"
                        raise exhausted(reason, failures) from failure
                    raise
            else:
                if not isinstance(result, HttpResponse) or not self._rule.wants_response(result):
                    peek = self._store.peek  # see `CircuitBreaker.run`
                    if peek(call.origin) is not None:
                        await self._settle(call, failures)
                    return result
                failures = (*failures, HTTPStatusError(result))
                if not await self._again(call, failures):
                    return result

    async def _again(self, call: Call, failures: tuple[HTTPFailure, ...]) -> bool:
        """Wait for the next attempt, if there is to be one."""
        clock = call.clock
        failure = failures[-1]
        deadline = Deadline(call.deadline)
        trial = Trial(len(failures), failure, call.repeatable, call.replayable, deadline)
        delay = self._rule.delay(
            trial, now=clock.monotonic(), wall=clock.wall(), chance=clock.uniform()
        )
        if delay is None or not await self._pay(call, failure):
            return False
        goes_on = False
        try:
            self._announce(RetryEvent(trial.number, delay, failure), call)
            call.release()
            await clock.sleep(delay)
            goes_on = deadline.allows(0.0, clock.monotonic())
        finally:
            if not goes_on:
                self._refund(call, failure)
        return goes_on

    async def _pay(self, call: Call, failure: HTTPFailure) -> bool:
        budget = self._budget
        if budget is None:
            return True
        paid = await self._store.decide(
            call.origin,
            budget.charge,
            budget.cost(failure),
            call,
            info=lambda: call_info_of(failure),
            undo=lambda paid: self._refund(call, failure) if paid else None,
        )
        if paid:
            self._exhausted.discard(call.origin)
        elif call.origin not in self._exhausted:  # once for each time that it runs out
            self._exhausted.add(call.origin)
            _report_exhausted(call)
        return paid

    def _refund(self, call: Call, failure: HTTPFailure) -> None:
        """Return the cost of a retry that is not made."""
        if self._budget is not None:
            cost = self._budget.cost(failure)
            self._store.report_later(call.origin, self._budget.repay, cost, clock=call.clock)

    async def _settle(self, call: Call, failures: tuple[HTTPFailure, ...]) -> None:
        budget = self._budget
        if budget is not None:
            amount = budget.cost(failures[-1]) if failures else budget.credit
            await self._store.report(call.origin, budget.repay, amount, call=call)

    def _announce(self, event: RetryEvent, call: Call) -> None:
        if self._on_retry is not None:
            try:
                result: object = self._on_retry(event)
            except Exception as error:  # noqa: BLE001  # an observer never breaks a call
                extra = {"call_id": call.call_id}
                _LOG.warning("on_retry raised %s", type(error).__name__, extra=extra)
            else:
                if close_awaitable(result):
                    _LOG.warning("on_retry returned an awaitable: it must be a plain function")

    def _is_exhausted(self, failures: tuple[HTTPFailure, ...]) -> bool:
        last = failures[-1]
        answered = isinstance(last, HTTPStatusError)
        return not (self._reraise or answered) and len(failures) > 1 and self._rule.wants(last)


def _report_exhausted(call: Call) -> None:
    from railhttp.model.events import RetryBudgetExhaustedEvent  # noqa: PLC0415  # see `report`

    call.report(RetryBudgetExhaustedEvent(origin=call.origin, **call.identity()))
