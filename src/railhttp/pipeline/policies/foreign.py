"""Runs the policies of other libraries, and finds out what their exceptions mean.

The meaning follows from what the call has seen, not from the class of the exception, so every
library's policies work (tests/client/test_policies.py).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn, TypeVar

from railhttp.model.errors import (
    FAILURES,
    CallInfo,
    HTTPCircuitOpenError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPRetryExhaustedError,
)
from railhttp.model.response import HttpResponse
from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.pipeline.attempt import Attempt, ReplayAware
from railhttp.pipeline.call import Call
from railhttp.pipeline.http_call import HTTPCall
from railhttp.pipeline.policies.breaker import CircuitBreaker
from railhttp.pipeline.policies.breaker_registry import OriginBreakers
from railhttp.pipeline.stack import CircuitBreakerProtocol
from railhttp.pipeline.timeouts import Timeout

C = TypeVar("C", bound=Call)
T = TypeVar("T")

_OVER: Final = HttpResponse(200)  # ends a policy that goes on after the end of its call


class ForeignRetry:
    """A retry policy, or a whole pipeline, of another library as a layer."""

    __slots__ = ("_execute", "_replay_aware")

    def __init__(self, policy: RetryPolicyProtocol) -> None:
        self._execute = policy.execute
        self._replay_aware = isinstance(policy, ReplayAware)

    async def run(
        self, send: Callable[[HTTPCall], Awaitable[HttpResponse]], call: HTTPCall
    ) -> HttpResponse:
        """Let the policy make attempts; a body that can be read once is sent once."""
        if not (call.replayable or self._replay_aware):
            return await send(call)
        attempt = _RecordedAttempt(call, send)
        try:
            answer: object = await self._execute(attempt)
        except FAILURES:
            attempt.check_time()
            raise
        except Exception as error:  # noqa: BLE001  # whatever a policy raises
            attempt.check_time()
            return attempt.meaning_of(error)
        attempt.check_time()
        return answer if isinstance(answer, HttpResponse) else made_up(answer, call)


class _RecordedAttempt(Attempt[HttpResponse]):
    """The function that a foreign policy calls, with the outcome of each attempt."""

    __slots__ = ("_answer", "_ended_by", "_failures", "_is_over", "_of", "_through")

    def __init__(self, call: HTTPCall, send: Callable[[HTTPCall], Awaitable[HttpResponse]]) -> None:
        super().__init__(call, self._make)
        self._of = call
        self._through = send
        self._answer: HttpResponse | None = None
        self._failures: tuple[HTTPFailure, ...] = ()
        self._ended_by: Timeout | None = None
        self._is_over = False

    async def _make(self) -> HttpResponse:
        call = self._of
        if self._ended_by is not None or call.remaining() <= 0:
            self._is_over = True
            return _OVER
        self._answer = None
        try:
            self._answer = answer = await self._through(call)
        except FAILURES as failure:
            self._failures = (*self._failures, failure)
            raise
        except asyncio.CancelledError as error:
            match error.args:
                case (Timeout(owner=owner) as timeout,) if owner is call:
                    # A policy may swallow this. Its next wait is cancelled then, and it makes no
                    # attempt after the end (tests/client/test_cut_off.py).
                    self._ended_by = timeout
                    asyncio.get_running_loop().call_soon(timeout.insist)
            raise
        return answer

    def check_time(self) -> None:
        """Raise if the policy went on after the end of the call."""
        if self._ended_by is not None:
            raise asyncio.CancelledError(self._ended_by)
        if self._is_over:
            raise self._of.timed_out()

    def meaning_of(self, error: Exception) -> HttpResponse:
        """Find out what an exception of the policy means.

        Without any attempt it is an open circuit, unless the exception is that of a defect. If all
        attempts failed, they are exhausted; a single one is the failure itself. A policy that gives
        up on a 4xx or 5xx leaves that response. Anything else is a defect of the policy.
        """
        call = self._of
        if self._answer is not None and not self._answer.ok:
            return self._answer
        if not call.attempts and not self._failures and not is_defect(error):
            raise circuit_open(error, call.call_info()) from error
        if self._answer is not None or not self._failures:
            raise policy_failed(error, call.call_info()) from error
        if len(self._failures) == 1:
            raise self._failures[0]
        message = f"a policy gave up: {self._failures[-1].message}"
        raise HTTPRetryExhaustedError(
            message, failures=self._failures, **call.call_info()
        ) from error


class ForeignBreaker:
    """A circuit breaker of another library as a layer."""

    __slots__ = ("_breaker",)

    def __init__(self, breaker: CircuitBreakerProtocol) -> None:
        self._breaker = breaker

    async def run(
        self, send: Callable[[HTTPCall], Awaitable[HttpResponse]], call: HTTPCall
    ) -> HttpResponse:
        """Make an attempt, unless the breaker refuses it."""
        attempts = call.attempts
        try:
            answer: object = await guarded(self._breaker, send, call)
        except HTTPCircuitOpenError as error:
            if error.method:
                raise
            raise circuit_open(error, call.call_info()) from error
        except FAILURES:
            raise
        except Exception as error:
            # Each library has its own exception for an open circuit. It is open if the breaker did
            # not let the request through.
            if call.attempts > attempts or is_defect(error):
                raise policy_failed(error, call.call_info()) from error
            raise circuit_open(error, call.call_info()) from error
        return answer if isinstance(answer, HttpResponse) else made_up(answer, call)


def own_breaker(breaker: CircuitBreakerProtocol) -> CircuitBreaker | OriginBreakers | None:
    """Return the breaker if it is one of ours, which know calls; None for any other."""
    # A subclass may do more in its `call`.
    if isinstance(breaker, CircuitBreaker) and type(breaker).call is CircuitBreaker.call:
        return breaker
    if isinstance(breaker, OriginBreakers) and type(breaker).call is OriginBreakers.call:
        return breaker
    return None


async def guarded(breaker: CircuitBreakerProtocol, send: Callable[[C], Awaitable[T]], call: C) -> T:
    """Make an attempt through a breaker that does not know calls.

    The deadline of a call cancels it. A breaker would learn nothing from a cancellation, so inside
    it becomes the timeout that it means; outside the cancellation goes on, because no retry policy
    may continue a call whose time is over.
    """
    cut: asyncio.CancelledError | None = None

    async def attempt() -> T:
        nonlocal cut
        try:
            return await send(call)
        except asyncio.CancelledError as error:
            failure = call.cut_off(error)
            if failure is None:
                raise
            cut = error
            raise failure from None

    try:
        return await breaker.call(Attempt(call, attempt))
    finally:
        if cut is not None:
            raise asyncio.CancelledError(*cut.args)


def made_up(answer: object, call: Call) -> NoReturn:
    """Refuse what a policy returned instead of a response."""
    message = f"a policy returned {type(answer).__name__}, which is not an HttpResponse"
    raise HTTPInterceptorError(message, **call.call_info())


def is_defect(error: Exception) -> bool:
    """Whether an exception comes from a wrong call or a lost connection to a store.

    No policy reports an open circuit by one of these.
    """
    defects = TypeError | AttributeError | OSError
    return isinstance(error, defects) and not isinstance(error, TimeoutError)


def circuit_open(error: Exception, info: CallInfo) -> HTTPCircuitOpenError:
    """Build the failure for a policy that did not let the call through."""
    wait = getattr(error, "retry_after", None)
    name = getattr(error, "name", "")
    return HTTPCircuitOpenError(
        retry_after=wait if isinstance(wait, int | float) else None,
        name=name if isinstance(name, str) else "",
        **info,
    )


def policy_failed(error: Exception, info: CallInfo) -> HTTPInterceptorError:
    """Build the failure for a policy that has a defect."""
    return HTTPInterceptorError(f"a policy raised {type(error).__name__}", **info)
