"""Streams of documents: events and lines as results, and what comes in place of a stream."""

import pickle
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import pytest
from returns.result import Failure, Result, Success

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPStatusError,
)
from railhttp.testing import ScriptedTransport

URL: Final = "https://api.example/chat"
EVENTS: Final = {"Content-Type": "text/event-stream"}
ERROR: Final = {"error": {"message": "the quota is used up"}}
CONFIG: Final = HTTPClientConfig(trust_env=False, max_response_bytes=1000)


@dataclass(frozen=True)
class Chunk:
    text: str


@pytest.fixture
def script() -> ScriptedTransport:
    return ScriptedTransport()


@pytest.fixture
async def client(script: ScriptedTransport) -> AsyncIterator[HTTPClient]:
    async with HTTPClient(CONFIG, exchange=script) as client:
        yield client


Results = list[Result[Chunk, HTTPFailure]]


async def inside(client: HTTPClient) -> Results:
    async with client.sse(URL) as events:
        return [result async for result in events.decoded(Chunk, done="[DONE]")]


async def block(client: HTTPClient) -> Results:
    async with client.sse(URL).decoded(Chunk, done="[DONE]") as chunks:
        return [result async for result in chunks]


async def alone(client: HTTPClient) -> Results:
    return [result async for result in client.sse(URL).decoded(Chunk, done="[DONE]")]


@pytest.mark.parametrize("way", [inside, block, alone])
async def test_the_data_of_each_event_is_decoded_until_the_stream_is_done(
    script: ScriptedTransport, client: HTTPClient, way: object
) -> None:
    script.on("GET", "/chat").reply(
        headers=EVENTS,
        body=[b'data: {"text": "a"}\n\nda', b'ta: {"text": 1}\n\n', b"data: [DONE]\n\ndata: x\n\n"],
    )
    assert callable(way)
    first, second = await way(client)
    assert first == Success(Chunk("a"))
    failure = second.failure()
    assert isinstance(failure, HTTPDecodeError)
    assert (failure.where, failure.url) == ("event 2 $.text", URL)
    assert failure.content_type == ""
    assert failure.response is not None
    assert (failure.response.status, failure.response.json()) == (200, {"text": 1})


@pytest.mark.parametrize("way", [block, alone])
async def test_a_failure_of_the_stream_is_the_last_result(
    script: ScriptedTransport, client: HTTPClient, way: object
) -> None:
    script.on("GET", "/chat").fail(
        ConnectionResetError(), at="body", headers=EVENTS, after=b'data: {"text": "a"}\n\n'
    )
    assert callable(way)
    first, second = await way(client)
    assert first == Success(Chunk("a"))
    assert isinstance(second.failure(), HTTPConnectionError)


@pytest.mark.parametrize("way", [block, alone])
async def test_a_failure_of_the_opening_is_the_only_result(
    script: ScriptedTransport, client: HTTPClient, way: object
) -> None:
    script.on("GET", "/chat").reply(422, json=ERROR)
    assert callable(way)
    (only,) = await way(client)
    failure = only.failure()
    assert isinstance(failure, HTTPStatusError)
    assert failure.response.json() == ERROR


async def test_an_error_document_in_place_of_a_stream_is_shown(
    script: ScriptedTransport, client: HTTPClient
) -> None:
    script.on("GET", "/chat").reply(200, json=ERROR)
    with pytest.raises(HTTPDecodeError) as caught:
        async with client.sse(URL):
            pytest.fail("it opened")
    failure = caught.value
    assert failure.response is not None
    assert (failure.where, failure.response.json()) == ("Content-Type", ERROR)
    assert "quota" not in str(failure)
    assert pickle.loads(pickle.dumps(failure)).response.json() == ERROR


async def lines(client: HTTPClient) -> Results:
    async with client.stream("GET", URL) as answer:
        return [result async for result in answer.decoded(Chunk)]


async def test_each_line_of_ndjson_is_decoded(
    script: ScriptedTransport, client: HTTPClient
) -> None:
    body = [b'{"text": "a"}\n\n{"te', b'xt": "b"}\n[1]\n{', b'"text": "c"}']
    script.on("GET", "/chat").reply(body=body)
    *good, bad, last = await lines(client)
    assert [*good, last] == [Success(Chunk(text)) for text in "abc"]
    failure = bad.failure()
    assert isinstance(failure, HTTPDecodeError)
    assert failure.where == "line 4 $"


@pytest.mark.parametrize(("status", "kind"), [(200, HTTPDecodeError), (422, HTTPStatusError)])
async def test_a_problem_document_in_place_of_lines_is_shown(
    script: ScriptedTransport, client: HTTPClient, status: int, kind: type[HTTPFailure]
) -> None:
    script.on("GET", "/chat").reply(
        status, json=ERROR, headers={"Content-Type": "application/problem+json"}
    )
    (only,) = await lines(client)
    failure = only.failure()
    assert isinstance(failure, HTTPDecodeError | HTTPStatusError)
    assert type(failure) is kind
    assert failure.response is not None
    assert failure.response.json() == ERROR


async def test_lines_that_break_off_end_with_the_failure(
    script: ScriptedTransport, client: HTTPClient
) -> None:
    script.on("GET", "/chat").fail(ConnectionResetError(), at="body", after=b'{"text": "a"}\n')
    first, second = await lines(client)
    assert (type(first), type(second)) == (Success, Failure)


async def test_an_error_response_is_read_within_the_block(
    script: ScriptedTransport, client: HTTPClient
) -> None:
    script.on("GET", "/chat").reply(422, json=ERROR)
    async with client.stream("GET", URL) as answer:
        with pytest.raises(HTTPInvalidRequestError, match="read"):
            answer.json()
        assert b"quota" in await answer.read()
        assert (answer.json(), await answer.read()) == (ERROR, answer.head.body)
        with pytest.raises(HTTPStatusError) as caught:
            answer.raise_for_status()
    assert caught.value.response.json() == ERROR


async def test_a_body_that_is_too_large_is_not_read_into_memory(
    script: ScriptedTransport, client: HTTPClient
) -> None:
    script.on("GET", "/chat").reply(500, body=[b"x" * 600] * 2)
    async with client.stream("GET", URL) as answer:
        with pytest.raises(HTTPResponseTooLargeError):
            await answer.read()


async def test_a_type_that_cannot_be_decoded_is_refused_at_once(client: HTTPClient) -> None:
    with pytest.raises(TypeError):
        client.sse(URL).decoded(ScriptedTransport)


async def test_results_end_with_their_block(script: ScriptedTransport, client: HTTPClient) -> None:
    body = [b'data: {"text": "a"}\n\n', b'data: {"text": "b"}\n\n']
    script.on("GET", "/chat").reply(headers=EVENTS, body=body)
    async with client.sse(URL).decoded(Chunk) as chunks:
        results = aiter(chunks)
        assert await anext(results) == Success(Chunk("a"))
    assert [result async for result in results] == []
