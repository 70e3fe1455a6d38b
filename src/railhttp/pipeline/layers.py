"""The chain that every call goes through, composed once when a client is built.

Outermost first:

    telemetry of the call → deadline → bulkhead → retry → for each attempt: interceptors →
    rate limit → breaker → attempt timeout → telemetry of the attempt → exchange, with redirects

Rate limit and breaker come after the interceptors, so they see the request that will be sent. A
layer that a client does not have is not composed and costs nothing. A layer that only passes a call
on is a plain function: each coroutine would cost 80 ns (benchmarks/README.md).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias, TypeVar

from railhttp.model.body import StreamBody
from railhttp.model.context import RequestContext, SideClient
from railhttp.model.errors import (
    HTTPConnectionError,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPValidationError,
)
from railhttp.model.events import RedirectEvent
from railhttp.model.exchange import IncomingResponse
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.pipeline.call import Call, HTTPCall
from railhttp.pipeline.call_recorder import RECORDED_CALLS
from railhttp.pipeline.interceptors.again import MOST_RESENDS
from railhttp.pipeline.interceptors.chain import (
    Asked,
    Chained,
    InterceptionError,
    InterceptorChain,
    NestedFailure,
    Passage,
)
from railhttp.pipeline.interceptors.request_context import context_of, same_fields, taken_over
from railhttp.pipeline.observation.listeners import observed, observed_attempt, observed_redirect
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.pipeline.stack import Stack
from railhttp.pipeline.timeouts import ClosedError, Timeouts
from railhttp.policy.redirect import RedirectRefused, leads_on, redirected

if TYPE_CHECKING:
    from railhttp.model.retrying import RetryPolicyProtocol
    from railhttp.pipeline.stack import CircuitBreakerProtocol

_INTERCEPTION: Final = (HTTPValidationError, InterceptionError, NestedFailure)

C = TypeVar("C", bound=Call)
T = TypeVar("T")

Send: TypeAlias = Callable[[HTTPCall], Awaitable[HttpResponse]]
"""The chain from some layer on inwards."""

Run: TypeAlias = Callable[[Send, HTTPCall], Awaitable[HttpResponse]]
"""A layer: it is passed the chain inside it, and the call."""

Exchanged: TypeAlias = Callable[[Request, HTTPCall], Awaitable[HttpResponse]]
"""Sends one request and returns its response; for a stream, with the body unread."""


@dataclass(frozen=True, slots=True)
class Settings:
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
    send: Send = redirects(exchanged, settings)
    send = attempt(send, timeouts)
    if stack.breaker is not None:
        send = partial(breaker_run(stack.breaker), send)
    if stack.rate_limit is not None:
        send = partial(stack.rate_limit.run, send)
    send = interception(send, settings)
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

    def report(call: HTTPCall) -> Awaitable[HttpResponse]:
        if (calls := RECORDED_CALLS.get()) is not None:
            calls.append(call)
        if call.listeners is None:
            return send(call)
        return observed(send, call, call.listeners)

    return report


def deadline(send: Send, timeouts: Timeouts) -> Send:
    """End each call when its time is over, or when the client is stopped."""

    async def within(call: HTTPCall) -> HttpResponse:
        try:
            with timeouts.limit(call.timeout, call, call.timed_out):
                return await send(call)
        except ClosedError as error:
            raise HTTPConnectionError(str(error), kind="closed", **call.call_info()) from None

    return within


def interception(send: Send, settings: Settings) -> Send:
    """Begin an attempt: pass the request through the interceptors, and the response back."""
    chain = settings.interceptors

    async def intercept(call: HTTPCall, chained: Chained) -> HttpResponse:
        attempts = call.attempts
        passage = Passage(chained)
        call.passage = passage if passage.sees_redirects else None
        try:
            return await _passed(send, call, passage, _context(call, settings))
        except _INTERCEPTION as error:
            call.attempts += call.attempts == attempts  # it failed before it was sent
            _interception_failed(call, error)

    def begin(call: HTTPCall) -> Awaitable[HttpResponse]:
        if call.attempts:
            call.begin_again()
        chained = chain.chained  # a change of the chain counts from the next attempt on
        return intercept(call, chained) if chained.interceptors else send(call)

    return begin


def _interception_failed(
    call: HTTPCall, error: HTTPValidationError | InterceptionError | NestedFailure
) -> NoReturn:
    """Raise the failure of a call whose interceptors failed."""
    info = call.call_info()
    match error:
        case HTTPValidationError():
            message = f"an interceptor made it invalid: {error.message}"
            raise HTTPInvalidRequestError(message, field=error.field, **info) from None
        case InterceptionError():
            failure = HTTPInterceptorError(error.message, interceptor=error.interceptor, **info)
            raise failure from error.__cause__
        case NestedFailure(failure=inner):
            # The delivery is that of this call: a token server that was not reached proves nothing
            # about a request that was (tests/client/test_again.py).
            raise inner.of_call(f"{error.interceptor}: {inner.message}", info) from inner


async def _passed(
    send: Send, call: HTTPCall, passage: Passage, context: RequestContext
) -> HttpResponse:
    """Send the request that the interceptors return, again as often as they ask for it."""
    context = await passage.inward(context)
    resends = 0
    while True:
        call.request = sent = taken_over(call.original, context)
        if sent.url is not call.original.url:
            call.origin = str(sent.url.origin())
        seen = await passage.outward(await send(call))
        while isinstance(seen, Asked) and not call.original.replayable:
            seen = await passage.outward(seen.response, seen.place)
        if not isinstance(seen, Asked):
            return seen
        call.resend()
        if (resends := resends + 1) > MOST_RESENDS:
            message = f"{seen.name} asked for more than {MOST_RESENDS} further sends of one attempt"
            raise HTTPInterceptorError(message, interceptor=seen.name, **call.call_info())
        changed = not same_fields(sent, taken_over(call.original, seen.context))
        context = await passage.again(seen, changed=changed)


def _context(call: HTTPCall, settings: Settings, request: Request | None = None) -> RequestContext:
    return context_of(
        request or call.original,
        attempt=call.attempts,
        wall=call.clock.wall(),
        call_id=call.call_id,
        read_body=settings.read_body,
        service_name=settings.service_name,
        base_origin=settings.base_origin,
        client=settings.side_client,
    )


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
        inner = send if call.listeners is None else report
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
    with timeouts.limit(call.attempt_timeout, call, call.attempt_timed_out):
        return await send(call)


def redirects(exchanged: Exchanged, settings: Settings) -> Send:
    """Send the request, and follow its redirects: they belong to their attempt."""
    secret = settings.secret_headers

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
                decided = await _seen(call, decided, response, settings)
            hops += 1
            if call.listeners is not None:
                call.report(_redirect_event(call, request, response, decided))
                decided = observed_redirect(call, response, decided)
            request = decided
            response = await exchanged(request, call)
        return response

    return follow


async def _seen(
    call: HTTPCall, request: Request, response: HttpResponse, settings: Settings
) -> Request:
    """Pass the next request of a redirect through the interceptors that see redirects."""
    assert call.passage is not None  # noqa: S101  # narrows; `follow` checked it
    context = _context(call, settings, request)
    try:
        return taken_over(request, await call.passage.redirected(context, response))
    except _INTERCEPTION as error:
        _interception_failed(call, error)


def _redirect_event(
    call: HTTPCall, request: Request, response: HttpResponse, target: Request
) -> RedirectEvent:
    return RedirectEvent(
        url=request.shown_url,
        method=request.method,
        status_code=response.status,
        target=target.shown_url,
        call_id=call.call_id,
    )


def _redirect_failed(call: HTTPCall, reason: str) -> HTTPConnectionError:
    return HTTPConnectionError(reason, kind="redirect", **call.call_info())
