"""The layer that passes an attempt through the interceptors of a client."""

from collections.abc import Awaitable
from typing import Final, NoReturn

from railhttp.model.errors import (
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPValidationError,
)
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.pipeline.http_call import HTTPCall, Send
from railhttp.pipeline.interceptors.again import MOST_RESENDS
from railhttp.pipeline.interceptors.chain import (
    Chained,
    InterceptionError,
    InterceptorChain,
    NestedFailure,
)
from railhttp.pipeline.interceptors.passage import Asked, Passage
from railhttp.pipeline.interceptors.request_context import Contexts, taken_over

_INTERCEPTION: Final = (HTTPValidationError, InterceptionError, NestedFailure)


def interception(send: Send, chain: InterceptorChain, contexts: Contexts) -> Send:
    """Begin an attempt: pass the request through the interceptors, and the response back."""

    async def intercept(call: HTTPCall, chained: Chained) -> HttpResponse:
        attempts = call.attempts
        passage = Passage(call, chained)
        call.passage = passage if chained.redirects else None
        try:
            seen = await passage.once(send, contexts.of(call, call.original))
            if isinstance(seen, Asked):
                seen = await _sent_again(send, call, passage, seen)
        except _INTERCEPTION as error:
            call.attempts += call.attempts == attempts  # it failed before it was sent
            _interception_failed(call, error)
        return seen

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


async def _sent_again(send: Send, call: HTTPCall, passage: Passage, asked: Asked) -> HttpResponse:
    """Send a request once more, as often as the interceptors ask for it."""
    for _ in range(MOST_RESENDS):
        call.resend()
        seen = await passage.again(send, asked)
        if not isinstance(seen, Asked):
            return seen
        asked = seen
    message = f"{asked.name} asked for more than {MOST_RESENDS} further sends of one attempt"
    raise HTTPInterceptorError(message, interceptor=asked.name, **call.call_info())


async def seen_redirect(
    call: HTTPCall, request: Request, response: HttpResponse, contexts: Contexts
) -> Request:
    """Pass the next request of a redirect through the interceptors that see redirects."""
    assert call.passage is not None  # noqa: S101  # narrows; the caller checked it
    context = contexts.of(call, request)
    try:
        return taken_over(request, await call.passage.redirected(context, response))
    except _INTERCEPTION as error:
        _interception_failed(call, error)
