"""One call: its attempts, and what is known of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final, NamedTuple, NoReturn

from railhttp.model.body import StreamBody
from railhttp.model.errors import (
    FAILURES,
    CallInfo,
    Delivery,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPTimeoutError,
    HTTPValidationError,
    TimeoutPhase,
)
from railhttp.model.headers import require_headers
from railhttp.model.observation import RequestStarted
from railhttp.model.request import Request, require_framing
from railhttp.model.response import HttpResponse
from railhttp.model.stage import Stage, call_info
from railhttp.model.timeout import format_timeout
from railhttp.pipeline.clock import random_id
from railhttp.pipeline.interceptors.chain import InterceptionError, InterceptorChain
from railhttp.pipeline.interceptors.request_context import context_of, taken_over
from railhttp.pipeline.observation.instruments import Instruments, Listeners, observed
from railhttp.pipeline.policies.foreign import circuit_open, exhausted, is_defect, policy_failed
from railhttp.pipeline.scope import CutCall
from railhttp.pipeline.timeouts import Watch, Watchdog
from railhttp.policy.redirect import RedirectRefused, leads_on, redirected
from railhttp.protocols import CircuitBreakerProtocol, Clock, Exchange


class Layers(NamedTuple):
    """What every call of a client goes through; made once per client.

    Attributes:
        exchange: Sends one request.
        clock: Tells the time.
        watchdog: Ends an attempt that takes too long.
        interceptors: See every attempt.
        breaker_for: Finds what refuses attempts to an origin; None for nothing.
        secret_headers: Names of fields that stay with their origin.
        instruments: Are told of every call and attempt.
        read_body: Reads a streamed body, for interceptors that sign it.
        service_name: What the service that is called is known as; None where it has no name.
    """

    exchange: Exchange
    clock: Clock
    watchdog: Watchdog
    interceptors: InterceptorChain
    breaker_for: Callable[[str], CircuitBreakerProtocol] | None
    secret_headers: frozenset[str]
    instruments: Instruments
    read_body: Callable[[StreamBody], AsyncIterator[bytes]]
    service_name: str | None = None


class Call(CutCall):
    """A call on its way; calling it makes one attempt.

    Args:
        request: What to send.
        host: The request's origin as text.
        layers: What it goes through.
        timeout: Seconds for the whole call; None is no limit.
        attempt_timeout: Seconds for one attempt; None is no limit.
    """

    attempts = 0
    sends = 0
    stage = Stage.QUEUED
    failures: tuple[HTTPFailure, ...] = ()
    _reached = Delivery.NOT_SENT
    _answer: HttpResponse | None = None
    _cut: Watch | None = None
    _call_id = ""

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
        self.listeners = layers.instruments.listening
        self.method = request.method
        self.host = host
        self.replayable = request.replayable
        self.repeatable = request.repeatable
        self.started = layers.clock.monotonic()
        self.deadline = None if timeout is None else self.started + timeout

    @property
    def delivery(self) -> Delivery:
        """What is proven by the present attempt and those before it."""
        return self._reached.strongest(self.stage.delivery)

    def call_info(self) -> CallInfo:
        """Say what a failure of this call has to know."""
        request = self._request
        now = self._layers.clock.monotonic()
        return call_info(request.method, request.url_text, self, now)

    @property
    def phase(self) -> TimeoutPhase:
        """What the present attempt waits for."""
        return _PHASES[self.stage]

    def timed_out(self) -> HTTPTimeoutError:
        """Build the failure of a call whose time is over."""
        message = f"not done within {format_timeout(self.timeout)}"
        return HTTPTimeoutError(message, phase="total", limit=self.timeout, **self.call_info())

    async def __call__(self) -> HttpResponse:
        """Make one attempt, with its redirects.

        Returns:
            The response, whatever its status.

        Raises:
            HTTPClientError: There was none; always one of the union.
        """
        if self.attempts:
            self._reached = self.delivery
            self.stage = Stage.QUEUED
            self._answer = None
        self.attempts += 1
        limit = self._attempt_timeout
        try:
            if limit is None:
                self._answer = answer = await self._intercepted()
                return answer
            with self._layers.watchdog.watch(limit, self, self._attempt_timed_out):
                self._answer = answer = await self._intercepted()
                return answer
        except InterceptionError as error:
            failure: HTTPFailure = self._interceptor_failed(error)
            failure.__cause__ = error.__cause__
        except FAILURES as error:
            failure = error
        except asyncio.CancelledError as error:
            if (cut := self.cut_off(error)) is None:
                raise
            failure = cut
        self.failures = (*self.failures, failure)
        self.resume()
        raise failure

    # A layer that a client does not have must cost nothing: what only hands on is no coroutine
    # (benchmarks/README.md, "What was tried").

    def _intercepted(self) -> Awaitable[HttpResponse]:
        chain = self._layers.interceptors
        return self._through(chain) if chain else self._guarded(self._request)

    def _guarded(self, request: Request) -> Awaitable[HttpResponse]:
        find = self._layers.breaker_for
        return self._send(request) if find is None else self._protected(find(self.host), request)

    def _send(self, request: Request) -> Awaitable[HttpResponse]:
        self.sends += 1
        return self._told(request, self.listeners) if self.listeners else self._answered(request)

    def _exchange(self, request: Request) -> Awaitable[HttpResponse]:
        return self._layers.exchange.send(request, self)

    async def _through(self, chain: InterceptorChain) -> HttpResponse:
        request = self._request
        context = context_of(
            request,
            attempt=self.attempts - 1,
            wall=self._layers.clock.wall(),
            call_id=self._identity(),
            read_body=self._layers.read_body,
            service_name=self._layers.service_name,
        )
        steps = chain.steps  # what is added or taken out meanwhile counts from the next attempt on
        context = await steps.process_request(context)
        try:
            request = taken_over(request, context)
            # What is sent decides whether it may be sent again, not what the caller asked for.
            self.repeatable = request.repeatable
        except HTTPValidationError as error:
            message = f"an interceptor made it invalid: {error.message}"
            raise HTTPInvalidRequestError(message, field=error.field, **self.call_info()) from None
        if request.url is not self._request.url:
            self.host = str(request.url.origin())
        return await steps.process_response(await self._guarded(request))

    async def _protected(self, breaker: CircuitBreakerProtocol, request: Request) -> HttpResponse:
        sends = self.sends
        self.attempts -= 1  # what is refused is no attempt
        try:
            return await breaker.call(self._admitted, request)
        except HTTPCircuitOpenError as error:
            if error.method:
                raise
            raise circuit_open(error, self.call_info()) from error
        except FAILURES:
            raise
        except Exception as error:
            # A foreign breaker says in a language of its own that it is open; it is, if it did
            # not let the request through.
            if self.sends > sends or is_defect(error):
                raise policy_failed(error, self.call_info()) from error
            raise circuit_open(error, self.call_info()) from error

    def _admitted(self, request: Request) -> Awaitable[HttpResponse]:
        self.attempts += 1
        return self._send(request)

    async def _told(self, request: Request, listeners: Listeners) -> HttpResponse:
        # A coroutine, so that who hears of the beginning hears of the end, in the same task: a
        # breaker may run it in a task of its own, or never.
        attempt = self.dispatch(request)
        observations = listeners.attempt_started(attempt)
        if attempt.added:
            request = _with_added(request, attempt.added)
        send = self._answered(request)
        if not observations:
            return await send
        return await observed(send, observations, self, self._layers.clock)

    async def _answered(self, request: Request) -> HttpResponse:
        try:
            response = await self._exchange(request)
            if response.status >= 300 and leads_on(request, response.status, response.headers):
                return await self._follow(request, response)
        except asyncio.CancelledError as error:
            raise (self.cut_off(error) or error) from None
        return response

    async def _follow(self, request: Request, response: HttpResponse) -> HttpResponse:
        hops = 0
        while leads_on(request, response.status, response.headers):
            self._reached = Delivery.ANSWERED
            if hops == request.options.max_redirects:
                raise self._redirect_failed(f"there were more than {hops} redirects")
            location = response.headers["Location"]
            step = redirected(request, response.status, location, self._layers.secret_headers)
            if isinstance(step, RedirectRefused):
                raise self._redirect_failed(step.reason)
            hops += 1
            request = step
            response = await self._exchange(request)
        return response

    def _redirect_failed(self, reason: str) -> HTTPConnectionError:
        return HTTPConnectionError(reason, kind="redirect", **self.call_info())

    def _attempt_timed_out(self) -> HTTPTimeoutError:
        limit = self._attempt_timeout
        message = f"attempt not done within {format_timeout(limit)}"
        return HTTPTimeoutError(message, phase=self.phase, limit=limit, **self.call_info())

    def _interceptor_failed(self, error: InterceptionError) -> HTTPInterceptorError:
        return HTTPInterceptorError(
            error.message, interceptor=error.interceptor, **self.call_info()
        )

    def made_up(self, answer: object) -> NoReturn:
        """Refuse what a policy returned in place of an answer.

        Raises:
            HTTPInterceptorError: Always.
        """
        message = f"a policy answered with {type(answer).__name__}, which is no HttpResponse"
        raise HTTPInterceptorError(message, **self.call_info())

    def given_up(self, error: Exception) -> HttpResponse:
        """Find out what an exception means that a policy raised of its own.

        No attempt at all is an open circuit, unless the exception is that of a defect; several
        attempts that all failed are exhausted, whatever the policy calls that, and a single one is
        its own failure; giving up on an answer of 4xx or 5xx leaves that answer. Anything else is a
        defect of the policy.

        Returns:
            The last attempt's answer.

        Raises:
            HTTPClientError: There is none; always one of the union.
        """
        if self._answer is not None and not self._answer.ok:
            return self._answer
        if not self.attempts and not is_defect(error):
            raise circuit_open(error, self.call_info()) from error
        if self._answer is not None or not self.failures:
            raise policy_failed(error, self.call_info()) from error
        if len(self.failures) == 1:
            raise self.failures[0]
        raise exhausted(self.failures, self.call_info()) from error

    def _identity(self) -> str:
        if not self._call_id:
            self._call_id = random_id(self._layers.clock)
        return self._call_id

    def dispatch(self, request: Request | None = None) -> RequestStarted:
        """Say to instruments what begins: an attempt with its request, or else the call."""
        attempt = 0 if request is None else self.attempts - 1
        return RequestStarted(
            request or self._request, attempt, self.timeout, self._attempt_timeout
        )


def _with_added(request: Request, added: Mapping[str, str]) -> Request:
    """Send what instruments add too, unless it cannot be sent: they never harm a request."""
    try:
        headers = require_headers(added)
        require_framing(headers, request.body)
    except HTTPValidationError:
        return request
    return request.with_headers(headers)


_PHASES: Final[Mapping[Stage, TimeoutPhase]] = {
    Stage.QUEUED: "pool",
    Stage.CONNECTING: "connect",
    Stage.SENDING: "read",
    Stage.ANSWERED: "read",
}
