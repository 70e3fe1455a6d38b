"""The chain: order, membership, and who is named when one fails."""

import asyncio

import pytest

from railhttp import (
    HTTPClient,
    HTTPInterceptorError,
    HttpResponse,
    HTTPValidationError,
    InterceptorChain,
    InterceptorChainProtocol,
    RequestContext,
)
from railhttp.auth import Again
from railhttp.pipeline.interceptors.chain import InterceptionError
from railhttp.pipeline.interceptors.standard import UserAgent
from railhttp.testing import ScriptedTransport


class Marking:
    """Leaves its mark on what passes."""

    def __init__(self, mark: str) -> None:
        self._mark = mark

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        context.headers["marks"] = context.headers.get("marks", "") + self._mark
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        return HttpResponse(response.status, body=response.body + self._mark.encode())


class Failing(Marking):
    """Raises what it is given, both ways."""

    def __init__(self, error: BaseException) -> None:
        super().__init__("")
        self._error = error

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        raise self._error

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        raise self._error


async def marks(chain: InterceptorChain) -> tuple[str, bytes]:
    context = await chain.process_request(RequestContext("GET", "http://h/"))
    response = await chain.process_response(HttpResponse(200))
    return context.headers.get("marks", ""), response.body


async def test_requests_pass_in_order_and_responses_in_reverse() -> None:
    assert await marks(InterceptorChain([Marking("a"), Marking("b")])) == ("ab", b"ba")


async def test_interceptors_come_and_go() -> None:
    chain, a, b = InterceptorChain(), Marking("a"), Marking("b")
    assert (len(chain), await marks(chain)) == (0, ("", b""))
    chain.add_interceptor(a)
    chain.add_interceptor(b)
    chain.add_interceptor(a)
    assert (len(chain), await marks(chain)) == (3, ("aba", b"aba"))
    chain.remove_interceptor(a)
    chain.remove_interceptor(a)
    assert await marks(chain) == ("b", b"b")
    assert isinstance(chain, InterceptorChainProtocol)


async def test_the_one_that_fails_is_named() -> None:
    chain = InterceptorChain([Failing(KeyError("theirs"))])
    with pytest.raises(InterceptionError) as caught:
        await chain.process_request(RequestContext("GET", "http://h/"))
    assert caught.value.interceptor == "Failing"
    assert isinstance(caught.value, HTTPInterceptorError)
    assert (caught.value.method, caught.value.url) == ("GET", "http://h/")
    assert isinstance(caught.value.__cause__, KeyError)


async def test_the_end_of_the_program_is_no_failure() -> None:
    with pytest.raises(KeyboardInterrupt):
        await InterceptorChain([Failing(KeyboardInterrupt())]).process_response(HttpResponse(200))


class Waiting(Marking):
    """Waits for something that it shares with others."""

    def __init__(self, shared: asyncio.Future[None]) -> None:
        super().__init__("")
        self._shared = shared

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        await self._shared
        return response


async def test_the_cancellation_of_what_an_interceptor_waits_for_is_its_failure() -> None:
    shared: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    chain = InterceptorChain([Waiting(shared)])
    waiting = asyncio.create_task(chain.process_response(HttpResponse(200)))
    await asyncio.sleep(0)
    shared.cancel()
    with pytest.raises(InterceptionError, match="Waiting raised CancelledError"):
        await waiting


async def test_the_cancellation_of_the_call_is_none() -> None:
    shared: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    chain = InterceptorChain([Waiting(shared)])
    waiting = asyncio.create_task(chain.process_response(HttpResponse(200)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


class Forgetful(Marking):
    """Forgets to return what passes."""

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        return None  # type: ignore[return-value]  # the mistake

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        return None  # type: ignore[return-value]  # the mistake


async def test_an_interceptor_that_returns_something_else_is_named() -> None:
    chain = InterceptorChain([Forgetful("a"), Marking("b")])
    with pytest.raises(HTTPInterceptorError, match="Forgetful returned NoneType, not Request"):
        await chain.process_request(RequestContext("GET", "http://h/"))
    with pytest.raises(HTTPInterceptorError, match="Forgetful returned NoneType, not HttpResp"):
        await chain.process_response(HttpResponse(200))


async def test_a_client_takes_a_chain_as_it_is_and_it_may_change_meanwhile() -> None:
    chain = InterceptorChain()
    script = ScriptedTransport()
    route = script.on("GET", "/").reply()
    async with HTTPClient(interceptors=chain, exchange=script) as client:
        assert client.interceptors is chain
        chain.add_interceptor(Marking("a"))
        (await client.get("http://h/")).unwrap()
        client.interceptors.remove_interceptor(next(iter(chain)))
        (await client.get("http://h/")).unwrap()
    assert [sent.headers.get("marks") for sent in route.calls] == ["a", None]


@pytest.mark.parametrize("context", [[1], None, "GET", HttpResponse(200)])
async def test_what_is_no_context_is_refused_as_such(context: object) -> None:
    for chain in (InterceptorChain(), InterceptorChain([UserAgent("a/1")])):
        with pytest.raises(HTTPValidationError, match=r"^context: must be a RequestContext, got "):
            await chain.process_request(context)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("response", [[1], None, RequestContext("GET", "http://h/")])
async def test_what_is_no_response_is_refused_as_such(response: object) -> None:
    with pytest.raises(HTTPValidationError, match=r"^response: must be an HttpResponse, got "):
        await InterceptorChain().process_response(response)  # type: ignore[arg-type]


@pytest.mark.parametrize("broken", ["intercept_request", "intercept_response"])
async def test_a_client_names_an_interceptor_that_returns_something_else(broken: str) -> None:
    class Half(Marking):
        pass

    async def forget(*_: object) -> None:
        return None

    setattr(Half, broken, forget)
    script = ScriptedTransport()
    script.on("GET", "/").reply()
    async with HTTPClient(exchange=script, interceptors=[Half("a")]) as client:
        failure = (await client.get("http://h/")).failure()
    assert isinstance(failure, HTTPInterceptorError)
    assert failure.interceptor == "Half"
    assert "returned NoneType" in failure.message
    assert len(script.calls) == (broken == "intercept_response")


def test_a_further_send_needs_a_context() -> None:
    with pytest.raises(HTTPValidationError) as caught:
        Again(HttpResponse(200))  # type: ignore[arg-type]  # the mistake
    assert caught.value.field == "context"
