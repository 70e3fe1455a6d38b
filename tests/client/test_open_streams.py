"""The ends of open streams, and the details of their failures."""

import asyncio
import time
from typing import Final

import pytest
from returns.result import Failure, Result
from tests.client.hurried_clock import HurriedClock
from tests.patience import until
from tests.servers.faults import FaultServer

from railhttp import (
    ConnectionPool,
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPResponseTooLargeError,
    HTTPStatusError,
    HTTPTimeoutError,
    RetryPolicy,
    StreamContext,
)
from railhttp.events import StreamFailedEvent
from railhttp.testing import ManualClock, ScriptedTransport

URL: Final = "https://api.example/chat?token=s3cret"
SHOWN: Final = "https://api.example/chat?token=***"
EVENTS: Final = {"Content-Type": "text/event-stream"}
ONCE: Final = RetryPolicy(1)


async def test_a_block_that_is_left_while_a_connection_opens_has_no_further_event() -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    route = script.on("GET", "/chat").reply(body=b"retry: 100\ndata: a\n\n", headers=EVENTS)
    route.reply(body=b"data: b\n\n", headers=EVENTS, delay=20.0)
    async with HTTPClient(exchange=script, clock=clock, retry_policy=ONCE) as client:
        async with client.sse(URL, reconnect=True) as stream:
            assert (await anext(stream)).data == "a"
            going_on = asyncio.ensure_future(anext(stream))
            await clock.advance(10.0)
            assert (len(route.calls), going_on.done()) == (2, False)
        await clock.advance(20.0)
        with pytest.raises(HTTPConnectionError) as caught:
            await going_on
    assert caught.value.kind == "closed"


class SuspendedClock(HurriedClock):
    """The clock of a machine that is suspended for an hour in each sleep."""

    hours = 0

    def monotonic(self) -> float:
        return time.monotonic() + 3600 * self.hours

    async def sleep(self, seconds: float) -> None:
        self.hours += 1


async def test_a_stream_whose_time_passed_while_it_slept_is_not_opened_again() -> None:
    clock = SuspendedClock()
    script = ScriptedTransport()
    route = script.on("GET", "/chat").reply(body=b"data: a\n\n", headers=EVENTS)
    async with (
        HTTPClient(exchange=script, clock=clock, retry_policy=ONCE) as client,
        client.sse(URL, reconnect=True, timeout=60) as stream,
    ):
        assert (await anext(stream)).data == "a"
        with pytest.raises(HTTPTimeoutError) as caught:
            await anext(stream)
    failure = caught.value
    assert (failure.phase, failure.limit, failure.url) == ("total", 60, SHOWN)
    assert (failure.delivery, failure.attempts) == (Delivery.ANSWERED, 1)
    assert failure.message == "not done within 60.0s"
    assert len(route.calls) == 1


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001])
async def test_a_body_may_be_as_large_as_the_limit_and_no_larger(size: int) -> None:
    script = ScriptedTransport()
    script.on("GET", "/chat").reply(body=[b"x" * (size // 2), b"x" * (size - size // 2)])
    config = HTTPClientConfig(trust_env=False, max_response_bytes=1000)
    async with (
        HTTPClient(config, exchange=script) as client,
        client.stream("GET", URL) as answer,
    ):
        if size <= 1000:
            assert await answer.read() == b"x" * size
            return
        with pytest.raises(HTTPResponseTooLargeError) as caught:
            await answer.read()
        assert (caught.value.limit, caught.value.url) == (1000, SHOWN)
        assert (caught.value.method, caught.value.attempts) == ("GET", 1)
        with pytest.raises(HTTPConnectionError) as later:
            await anext(answer)
        assert later.value.kind == "closed"


@pytest.mark.parametrize(("status", "taken"), [(399, True), (400, False), (599, False)])
async def test_a_status_from_400_on_is_refused_by_a_stream(status: int, taken: bool) -> None:
    script = ScriptedTransport()
    script.on("GET", "/chat").reply(status, json={"text": "a"})
    async with HTTPClient(exchange=script) as client, client.stream("GET", URL) as answer:
        if taken:
            answer.raise_for_status()
        else:
            with pytest.raises(HTTPStatusError):
                answer.raise_for_status()
        (only,) = [one async for one in answer.decoded(dict[str, str])]
    if taken:
        assert only.unwrap() == {"text": "a"}
    else:
        assert isinstance(only.failure(), HTTPStatusError)


async def test_failures_of_a_stream_of_documents_name_their_request_and_their_place() -> None:
    script = ScriptedTransport()
    fields = {"Content-Type": "application/x-ndjson"}
    script.on("GET", "/chat").reply(body=b'{"a": 1}\n\n  \nno\n', headers=fields)
    problem = {"Content-Type": "application/problem+json"}
    script.on("GET", "/problem").reply(body=b"{}", headers=problem)
    async with HTTPClient(exchange=script) as client:
        async with client.stream("GET", URL) as answer:
            documents = answer.aiter_json()
            assert await anext(documents) == {"a": 1}
            with pytest.raises(HTTPDecodeError) as caught:
                await anext(documents)
        failure = caught.value
        assert (failure.where, failure.content_type) == ("line 4", "application/x-ndjson")
        assert (failure.url, failure.method, failure.attempts) == (SHOWN, "GET", 1)
        async with client.stream("GET", URL) as answer:
            *_, result = [one async for one in answer.decoded(dict[str, int])]
        refused = result.failure()
        assert isinstance(refused, HTTPDecodeError)
        assert (refused.where, refused.content_type) == (
            "line 4 line 1 column 1",
            "application/x-ndjson",
        )
        assert (refused.url, refused.method, refused.attempts) == (SHOWN, "GET", 1)
        assert refused.response is not None
        assert (refused.response.status, refused.response.body) == (200, b"no")
        async with client.stream("GET", "https://api.example/problem") as answer:
            (only,) = [one async for one in answer.decoded(dict[str, int])]
        shown = only.failure()
        assert isinstance(shown, HTTPDecodeError)
        assert (shown.where, shown.content_type) == ("Content-Type", "application/problem+json")
        assert (shown.url, shown.attempts) == ("https://api.example/problem", 1)
        assert shown.response is not None
        assert shown.response.body == b"{}"


async def test_a_refusal_that_was_read_before_is_not_read_again() -> None:
    script = ScriptedTransport()
    script.on("GET", "/chat").reply(422, json={"error": "x"})
    async with HTTPClient(exchange=script) as client, client.stream("GET", URL) as answer:
        body = await answer.read()
        (only,) = [one async for one in answer.decoded(dict[str, int])]
    failure = only.failure()
    assert isinstance(failure, HTTPStatusError)
    assert failure.response.body == body != b""


async def test_what_a_caller_does_wrong_with_a_stream_names_its_request() -> None:
    script = ScriptedTransport()
    script.on("GET", "/chat").reply(json={})
    async with HTTPClient(exchange=script) as client, client.stream("GET", URL) as answer:
        with pytest.raises(HTTPInvalidRequestError) as caught:
            answer.json()
        assert (caught.value.field, caught.value.url) == ("stream", SHOWN)
        for wrong in (0, -1, True, "1"):
            for method in (answer.aiter_lines, answer.aiter_json):
                with pytest.raises(HTTPInvalidRequestError) as caught:
                    method(max_line_bytes=wrong)  # type: ignore[arg-type]  # wrong on purpose
                assert (caught.value.field, caught.value.url) == ("max_line_bytes", SHOWN)
            with pytest.raises(HTTPInvalidRequestError) as caught:
                answer.decoded(dict, max_line_bytes=wrong)  # type: ignore[arg-type]  # the same
            assert (caught.value.field, caught.value.url) == ("max_line_bytes", SHOWN)


async def read_in(way: str, answer: StreamContext, limit: int | None) -> list[object]:
    if way == "aiter_lines":
        return [one async for one in answer.aiter_lines(max_line_bytes=limit)]
    if way == "aiter_json":
        return [one async for one in answer.aiter_json(max_line_bytes=limit)]
    return [raised(one) async for one in answer.decoded(int, max_line_bytes=limit)]


def raised(result: Result[int, HTTPFailure]) -> int:
    match result:
        case Failure(failure):
            raise failure
        case _:
            return result.unwrap()


@pytest.mark.parametrize("way", ["aiter_lines", "aiter_json", "decoded"])
@pytest.mark.parametrize("limit", [4, 5, None])
async def test_a_line_may_be_as_long_as_the_limit(way: str, limit: int | None) -> None:
    script = ScriptedTransport()
    script.on("GET", "/chat").reply(body=b"12345\n")
    async with HTTPClient(exchange=script) as client, client.stream("GET", URL) as answer:
        if limit != 4:
            assert [str(one) for one in await read_in(way, answer, limit)] == ["12345"]
            return
        with pytest.raises(HTTPResponseTooLargeError) as caught:
            await read_in(way, answer, limit)
    assert (caught.value.limit, caught.value.url) == (4, SHOWN)


async def test_the_pool_of_another_ends_the_reading_of_an_error_page(faults: FaultServer) -> None:
    """The page is not what matters then."""
    pool = ConnectionPool()
    async with HTTPClient(pool=pool, retry_policy=ONCE) as client:
        opening = asyncio.ensure_future(client.sse(faults.url("/stall-in-body")).__aenter__())
        await until(lambda: bool(faults.received))
        await asyncio.sleep(0.05)
        await pool.stop()
        with pytest.raises(HTTPConnectionError) as caught:
            async with asyncio.timeout(60.0):
                await opening
    assert caught.value.kind == "closed"


async def test_a_function_that_refuses_a_status_is_named_with_the_request() -> None:
    script = ScriptedTransport()
    script.on("GET", "/chat").reply(204)

    async def look(response: HttpResponse) -> None:
        raise KeyError("s3cret")

    async with HTTPClient(exchange=script) as client:
        failure = (await client.get(URL, raise_for_status=look)).failure()
    assert (failure.url, failure.method, failure.attempts) == (SHOWN, "GET", 1)
    assert failure.message == "the function raised KeyError"
    assert failure.delivery is Delivery.ANSWERED


async def test_the_end_of_a_body_is_reported_with_the_failure_that_ended_it() -> None:
    clock = ManualClock()
    events: list[object] = []
    script = ScriptedTransport(clock=clock)
    script.on("GET", "/chat").hang(at="body")
    config = HTTPClientConfig(trust_env=False, read_timeout=5.0)

    async def read() -> None:
        async with (
            HTTPClient(config, exchange=script, clock=clock, observers=[events.append]) as client,
            client.stream("GET", URL) as answer,
        ):
            await anext(answer)

    with pytest.raises(HTTPTimeoutError) as caught:
        await clock.run(read())
    assert (caught.value.phase, caught.value.limit) == ("read", 5.0)
    failed = [one for one in events if isinstance(one, StreamFailedEvent)]
    assert [(one.error_type, one.url) for one in failed] == [("HTTPTimeoutError.read", SHOWN)]


async def test_events_name_the_url_that_was_requested() -> None:
    script = ScriptedTransport()
    script.on("GET", "/chat").reply(headers=EVENTS)
    async with HTTPClient(exchange=script) as client, client.sse(URL) as events:
        assert events.url == SHOWN
