"""One call: its attempts, and what is known of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, assert_never

from multidict import CIMultiDict

from railhttp.model.body import Body, BytesBody, StreamBody
from railhttp.model.context import RequestContext
from railhttp.model.errors import (
    FAILURES,
    CallFacts,
    Delivery,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPRetryExhaustedError,
    HTTPTimeoutError,
    HTTPValidationError,
    TimeoutPhase,
)
from railhttp.model.headers import check_headers
from railhttp.model.observation import Dispatch
from railhttp.model.request import IDEMPOTENT_METHODS, Request, check_framing
from railhttp.model.response import HttpResponse
from railhttp.model.stage import Stage, call_facts
from railhttp.model.timeout import format_timeout
from railhttp.model.url import request_url
from railhttp.model.validation import or_raise
from railhttp.pipeline.clock import random_id
from railhttp.pipeline.instruments import Instruments, observed
from railhttp.pipeline.interceptors import InterceptionError, InterceptorChain
from railhttp.pipeline.scope import CallScope
from railhttp.pipeline.watchdog import ExpiredError, Watchdog
from railhttp.policy.redirect import REDIRECT_STATUSES, Refusal, redirected
from railhttp.protocols import CircuitBreakerProtocol, Clock, Exchange


@dataclass(frozen=True, slots=True)
class Layers:
    """What every call of a client goes through; made once per client.

    Attributes:
        exchange: Sends one request.
        clock: Tells the time.
        watchdog: Ends an attempt that takes too long.
        interceptors: See every attempt.
        breaker: Refuses attempts; None for none.
        secret_headers: Names of fields that stay with their origin.
        instruments: Are told of every call and attempt.
    """

    exchange: Exchange
    clock: Clock
    watchdog: Watchdog
    interceptors: InterceptorChain
    breaker: CircuitBreakerProtocol | None
    secret_headers: frozenset[str]
    instruments: Instruments


class Call(CallScope):
    """A call on its way; calling it makes one attempt.

    Args:
        request: What to send.
        host: The request's origin as text.
        layers: What it goes through.
        timeout: Seconds for the whole call; None is no limit.
        attempt_timeout: Seconds for one attempt; None is no limit.
    """

    __slots__ = (
        "_answer",
        "_attempt_ends",
        "_attempt_timeout",
        "_call_id",
        "_layers",
        "_reached",
        "_request",
        "attempts",
        "deadline",
        "failures",
        "host",
        "instruments",
        "method",
        "repeatable",
        "replayable",
        "sends",
        "stage",
        "started",
        "timeout",
    )

    def __init__(
        self,
        request: Request,
        host: str,
        layers: Layers,
        timeout: float | None,
        attempt_timeout: float | None,
    ) -> None:
        self._request = request
        self._layers = layers
        self.timeout = timeout
        self._attempt_timeout = attempt_timeout
        self._answer: HttpResponse | None = None
        self._attempt_ends: float | None = None
        self._call_id = ""
        self.instruments = layers.instruments if layers.instruments.active else None
        self._reached = Delivery.NOT_SENT
        self.method = request.method
        self.host = host
        self.replayable = request.body is None or request.body.replayable
        self.repeatable = self.replayable and _is_repeatable(request)
        self.started = layers.clock.monotonic()
        self.deadline = None if timeout is None else self.started + timeout
        self.attempts = 0
        self.sends = 0
        self.stage = Stage.QUEUED
        self.failures: tuple[HTTPFailure, ...] = ()

    @property
    def delivery(self) -> Delivery:
        """What is proven by the present attempt and those before it."""
        return self._reached.strongest(self.stage.delivery)

    def facts(self) -> CallFacts:
        """Say what a failure of this call has to know."""
        request = self._request
        now = self._layers.clock.monotonic()
        return call_facts(request.method, str(request.url), self, now)

    def timed_out(self) -> HTTPTimeoutError:
        """Build the failure of a call whose time is over."""
        limit = format_timeout(self.timeout)
        return HTTPTimeoutError(f"not done within {limit}", phase="total", **self.facts())

    async def __call__(self) -> HttpResponse:
        """Make one attempt, with its redirects.

        Returns:
            The response, whatever its status.

        Raises:
            HTTPClientError: There was none; always one of the union.
        """
        self._reached = self.delivery
        self.stage = Stage.QUEUED
        self.attempts += 1
        self._answer = None
        try:
            if self._attempt_timeout is None:
                self._answer = await self._intercepted()
                return self._answer
            with self._layers.watchdog.watch(self._attempt_timeout) as watch:
                self._attempt_ends = watch.expires
                self._answer = await self._intercepted()
                return self._answer
        except ExpiredError:
            failure: HTTPFailure = self._attempt_timed_out()
        except InterceptionError as error:
            failure = self._interceptor_failed(error)
            failure.__cause__ = error.__cause__
        except FAILURES as error:
            failure = error
        self.failures = (*self.failures, failure)
        raise failure

    def _attempt_timed_out(self) -> HTTPTimeoutError:
        phase = _PHASES[self.stage]
        limit = format_timeout(self._attempt_timeout)
        return HTTPTimeoutError(f"attempt not done within {limit}", phase=phase, **self.facts())

    def _interceptor_failed(self, error: InterceptionError) -> HTTPInterceptorError:
        return HTTPInterceptorError(error.message, interceptor=error.interceptor, **self.facts())

    async def _intercepted(self) -> HttpResponse:
        chain = self._layers.interceptors
        if not chain:
            return await self._guarded(self._request)
        request = self._request
        context = RequestContext(
            request.method,
            str(request.url),
            dict(request.headers or {}),
            attempt=self.attempts - 1,
            start_time=datetime.fromtimestamp(self._layers.clock.wall(), UTC),
            body=_in_memory(request.body),
            call_id=self._identity(),
        )
        request = self._rewritten(await chain.process_request(context))
        return await chain.process_response(await self._guarded(request))

    def _rewritten(self, context: RequestContext) -> Request:
        """Take over what the interceptors made of the request, checked like the caller's own."""
        try:
            headers = or_raise(check_headers(context.headers))
            check_framing(headers, self._request.body)
            return replace(
                self._request,
                method=context.method,
                url=request_url(context.url),
                headers=headers,
            )
        except HTTPValidationError as error:
            raise HTTPInvalidRequestError(
                f"an interceptor made it invalid: {error.message}",
                field=error.field,
                **self.facts(),
            ) from None

    async def _guarded(self, request: Request) -> HttpResponse:
        breaker = self._layers.breaker
        if breaker is None:
            return await self._send(request)
        sends = self.sends
        try:
            return await breaker.call(self._send, request)
        except HTTPCircuitOpenError as error:
            if error.method:
                raise
            raise self._circuit_open(error) from error
        except FAILURES:
            raise
        except Exception as error:
            # A foreign breaker says in a language of its own that it is open; it is, if it did
            # not let the request through.
            failure = (
                self._policy_failed(error) if self.sends > sends else self._circuit_open(error)
            )
            raise failure from error

    def given_up(self, error: Exception) -> HttpResponse:
        """Find out what an exception means that a policy raised of its own.

        It follows from what the call has seen: no attempt at all is an open circuit; attempts that
        all failed are exhausted, whatever the policy calls that; and giving up on an answer of 4xx
        or 5xx leaves that answer. Anything else is a defect of the policy.

        Returns:
            The last attempt's answer.

        Raises:
            HTTPClientError: There is none; always one of the union.
        """
        if self._answer is not None and not self._answer.ok:
            return self._answer
        raise self._policy_gave_up(error) from error

    def _policy_gave_up(self, error: Exception) -> HTTPFailure:
        if not self.attempts:
            return self._circuit_open(error)
        if self._answer is not None or not self.failures:
            return self._policy_failed(error)
        return HTTPRetryExhaustedError(
            f"a policy gave up: {self.failures[-1].message}",
            failures=self.failures,
            **self.facts(),
        )

    def _circuit_open(self, error: Exception) -> HTTPCircuitOpenError:
        wait = getattr(error, "retry_after", None)
        seconds = wait if isinstance(wait, int | float) else None
        name = getattr(error, "name", "")
        return HTTPCircuitOpenError(
            retry_after=seconds, name=name if isinstance(name, str) else "", **self.facts()
        )

    def _policy_failed(self, error: Exception) -> HTTPInterceptorError:
        return HTTPInterceptorError(f"a policy raised {type(error).__name__}", **self.facts())

    def _identity(self) -> str:
        if not self._call_id:
            self._call_id = random_id(self._layers.clock)
        return self._call_id

    async def _send(self, request: Request) -> HttpResponse:
        self.sends += 1
        if self.instruments is None:
            return await self._answered(request)
        attempt = self.dispatch(request)
        observation = self.instruments.attempt_started(attempt)
        if attempt.added:
            headers = CIMultiDict(request.headers or {})
            headers.update(check_headers(attempt.added).value_or(CIMultiDict()))
            request = replace(request, headers=headers)
        return await observed(
            partial(self._answered, request), observation, self, self._layers.clock, self._cut_off
        )

    def dispatch(self, request: Request | None = None) -> Dispatch:
        """Say to instruments what begins: an attempt with its request, or else the call."""
        attempt = 0 if request is None else self.attempts - 1
        return Dispatch(request or self._request, attempt, self.timeout, self._attempt_timeout)

    def _cut_off(self) -> HTTPTimeoutError | None:
        """The failure that a cancellation means, if it comes from a time limit of the call."""
        now = self._layers.clock.monotonic()
        if self.deadline is not None and now >= self.deadline:
            return self.timed_out()
        if self._attempt_ends is not None and now >= self._attempt_ends:
            return self._attempt_timed_out()
        return None

    async def _answered(self, request: Request) -> HttpResponse:
        response = await self._exchange(request)
        if response.status in REDIRECT_STATUSES and request.route.allow_redirects:
            return await self._follow(request, response)
        return response

    async def _follow(self, request: Request, response: HttpResponse) -> HttpResponse:
        hops = 0
        while response.status in REDIRECT_STATUSES and "Location" in response.headers:
            self._reached = Delivery.ANSWERED
            if hops == request.route.max_redirects:
                raise self._redirect_failed(f"there were more than {hops} redirects")
            location = response.headers["Location"]
            step = redirected(request, response.status, location, self._layers.secret_headers)
            if isinstance(step, Refusal):
                raise self._redirect_failed(step.reason)
            hops += 1
            request = step
            response = await self._exchange(request)
        return response

    async def _exchange(self, request: Request) -> HttpResponse:
        return await self._layers.exchange.send(request, self)

    def _redirect_failed(self, reason: str) -> HTTPConnectionError:
        return HTTPConnectionError(reason, kind="redirect", **self.facts())


def _in_memory(body: Body | None) -> bytes | None:
    match body:
        case None:
            return b""
        case BytesBody():
            return body.content
        case StreamBody():
            return None
        case _:
            assert_never(body)


def _is_repeatable(request: Request) -> bool:
    if request.method in IDEMPOTENT_METHODS:
        return True
    return any(name.lower() == "idempotency-key" for name in request.headers or ())


_PHASES: Final[Mapping[Stage, TimeoutPhase]] = {
    Stage.QUEUED: "pool",
    Stage.CONNECTING: "connect",
    Stage.SENDING: "read",
    Stage.ANSWERED: "read",
}
