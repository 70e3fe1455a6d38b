"""The chain that every call goes through, composed once when a client is built.

Outermost first:

    telemetry of the call → deadline → bulkhead → retry → for each attempt: interceptors →
    rate limit → breaker → attempt timeout → telemetry of the attempt → exchange, with redirects

Rate limit and breaker come after the interceptors, so they see the request that will be sent. A
layer that a client does not have is not composed and costs nothing. A layer that only passes a call
on is a plain function: each coroutine would cost 80 ns (benchmarks/README.md).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from railhttp.model.body import StreamBody
from railhttp.model.context import SideClient
from railhttp.model.errors import HTTPConnectionError
from railhttp.model.exchange import IncomingResponse
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.pipeline.call import Call
from railhttp.pipeline.call_recorder import RECORDED_CALLS
from railhttp.pipeline.http_call import HTTPCall, Send
from railhttp.pipeline.interceptors.chain import InterceptorChain
from railhttp.pipeline.interceptors.interception import interception, seen_redirect
from railhttp.pipeline.interceptors.request_context import Contexts
from railhttp.pipeline.observation.observed import observed, observed_attempt, observed_redirect
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.pipeline.stack import Stack
from railhttp.pipeline.timeouts import ClosedError, Timeouts
from railhttp.policy.redirect import RedirectRefused, leads_on, redirected

if TYPE_CHECKING:
    from railhttp.model.events import RedirectEvent
    from railhttp.model.retrying import RetryPolicyProtocol
    from railhttp.pipeline.stack import CircuitBreakerProtocol

C = TypeVar("C", bound=Call)
T = TypeVar("T")

Run: TypeAlias = Callable[[Send, HTTPCall], Awaitable[HttpResponse]]
"""A layer: it is passed the chain inside it, and the call."""

Exchanged: TypeAlias = Callable[[Request, HTTPCall], Awaitable[HttpResponse]]
"""Sends one request and returns its response; for a stream, with the body unread."""


class Settings(NamedTuple):
    """The parts that the layers of a client are built from.

    Attributes:
        stack: The policies.
        timeouts: The time limits of the client.
        interceptors: See every attempt.
        secret_headers: Names of fields that stay with their origin.
        read_body: Reads a streamed body, for interceptors that sign it.
        service_name: The logical name of the service that is called, if any.
        base_origin: Where credentials of interceptors belong, see `RequestContext`.
        side_client: Makes requests of interceptors.
    """

    stack: Stack
    timeouts: Timeouts
    interceptors: InterceptorChain
    secret_headers: frozenset[str]
    read_body: Callable[[StreamBody], AsyncIterator[bytes]]
    service_name: str | None = None
    base_origin: str = ""
    side_client: SideClient | None = None


def build(exchanged: Exchanged, settings: Settings) -> Send:
    """Compose the chain of a client around an exchange. This is the order of the layers."""
    stack, timeouts = settings.stack, settings.timeouts
    contexts = Contexts(
        settings.read_body, settings.service_name, settings.base_origin, settings.side_client
    )
    send: Send = redirects(exchanged, settings.secret_headers, contexts)
    send = attempt(send, timeouts)
    if stack.breaker is not None:
        send = partial(breaker_run(stack.breaker), send)
    if stack.rate_limit is not None:
        send = partial(stack.rate_limit.run, send)
    send = interception(send, settings.interceptors, contexts)
    send = retries(send, stack.retry)
    if stack.bulkhead is not None:
        send = partial(stack.bulkhead.run, send)
    send = deadline(send, timeouts)
    return telemetry(send)


def retries(send: Send, policy: "RetryPolicyProtocol | None") -> Send:
    """Repeat the attempts inside by the policy of the call, or else by that of the client."""
    usual = send if policy is None else partial(retry_run(policy), send)

    def choose(call: HTTPCall) -> Awaitable[HttpResponse]:
        if call.retry is None:
            return usual(call)
        return retry_run(call.retry)(send, call)

    return choose


def retry_run(policy: "RetryPolicyProtocol") -> Run:
    """Return the layer of a retry policy, ours or another library's."""
    # A subclass may do more in its `execute`.
    if isinstance(policy, RetryPolicy) and type(policy).execute is RetryPolicy.execute:
        return policy.run
    from railhttp.pipeline.policies.foreign import ForeignRetry  # noqa: PLC0415  # few have one

    return ForeignRetry(policy).run


def breaker_run(breaker: "CircuitBreakerProtocol") -> Run:
    """Return the layer of a circuit breaker, ours or another library's."""
    from railhttp.pipeline.policies.foreign import (  # noqa: PLC0415  # few clients have breakers
        ForeignBreaker,
        own_breaker,
    )

    own = own_breaker(breaker)
    return ForeignBreaker(breaker).run if own is None else own.run


def telemetry(send: Send) -> Send:
    """Report each call to the instruments that listen, and to the call recorder."""
    recorded = RECORDED_CALLS.get

    def report(call: HTTPCall) -> Awaitable[HttpResponse]:
        if (calls := recorded()) is not None:
            calls.append(call)
        if call.listeners is None:
            return send(call)
        return observed(send, call, call.listeners)

    return report


def deadline(send: Send, timeouts: Timeouts) -> Send:
    """End each call when its time is over, or when the client is stopped."""
    fail = Call.timed_out  # one function for all calls, not a bound method for each

    async def within(call: HTTPCall) -> HttpResponse:
        try:
            with timeouts.limit(call.timeout, call, fail):
                return await send(call)
        except ClosedError as error:
            raise HTTPConnectionError(str(error), kind="closed", **call.call_info()) from None

    return within


def attempt(send: Send, timeouts: Timeouts) -> Send:
    """Count an attempt, bound its time, and report it to the instruments that listen."""

    def report(call: HTTPCall) -> Awaitable[HttpResponse]:
        assert call.listeners is not None  # noqa: S101  # narrows; `count` checked it
        return observed_attempt(send, call, call.listeners)

    def count(call: HTTPCall) -> Awaitable[HttpResponse]:
        if call.is_resend:
            call.is_resend = False
        else:
            call.attempts += 1
        listeners = call.listeners
        inner = send if listeners is None or not listeners.see_attempts else report
        if call.attempt_timeout is None:
            return inner(call)
        return time_limit(timeouts, inner, call)

    return count


def while_started(exchanged: Exchanged, is_started: Callable[[], bool], message: str) -> Exchanged:
    """Keep an injected exchange to the life of its client."""

    def send(request: Request, call: HTTPCall) -> Awaitable[HttpResponse]:
        if not is_started():
            raise HTTPConnectionError(message, kind="closed", **call.call_info())
        return exchanged(request, call)

    return send


def opened(open_: Callable[[Request, HTTPCall], Awaitable[IncomingResponse]]) -> Exchanged:
    """Return an exchange for streams: it leaves the body unread, and the response open."""

    async def head(request: Request, call: HTTPCall) -> HttpResponse:
        call.discard()
        call.incoming = incoming = await open_(request, call)
        return incoming.answer()

    return head


async def time_limit(timeouts: Timeouts, send: Callable[[C], Awaitable[T]], call: C) -> T:
    """Bound the time of an attempt."""
    with timeouts.limit(call.attempt_timeout, call, Call.attempt_timed_out):
        return await send(call)


def redirects(exchanged: Exchanged, secret: frozenset[str], contexts: Contexts) -> Send:
    """Send the request, and follow its redirects: they belong to their attempt."""

    async def follow(call: HTTPCall) -> HttpResponse:
        request = call.request
        response = await exchanged(request, call)
        hops = 0
        while response.status >= 300 and leads_on(request, response.status, response.headers):
            call.answered()
            if hops == request.options.max_redirects:
                raise _redirect_failed(call, f"there were more than {hops} redirects")
            decided = redirected(
                request, response.status, response.headers["Location"], secret, call.request
            )
            if isinstance(decided, RedirectRefused):
                raise _redirect_failed(call, decided.reason)
            if call.passage is not None:
                decided = await seen_redirect(call, decided, response, contexts)
            hops += 1
            if call.listeners is not None:
                call.report(_redirect_event(call, request, response, decided))
                decided = observed_redirect(call, response, decided)
            request = decided
            response = await exchanged(request, call)
        return response

    return follow


def _redirect_event(
    call: HTTPCall, request: Request, response: HttpResponse, target: Request
) -> "RedirectEvent":
    from railhttp.model.events import RedirectEvent  # noqa: PLC0415  # see `Call.report`

    return RedirectEvent(
        url=request.shown_url,
        method=request.method,
        status_code=response.status,
        target=target.shown_url,
        call_id=call.call_id,
    )


def _redirect_failed(call: HTTPCall, reason: str) -> HTTPConnectionError:
    return HTTPConnectionError(reason, kind="redirect", **call.call_info())
