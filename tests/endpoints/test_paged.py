"""Endpoints whose values are pages."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from returns.result import Failure

from railhttp import HTTPClient, HTTPConnectionError, HTTPInvalidRequestError
from railhttp.endpoints import Service, get
from railhttp.railway import next_link, run
from railhttp.testing import ScriptedTransport


@dataclass(frozen=True)
class Page:
    items: list[int]
    cursor: str | None = None


@dataclass(frozen=True)
class Gone:
    reason: str


@dataclass(frozen=True)
class ListNumbers:
    size: int
    cursor: str | None = None

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(self.size)


class Numbers(Service):
    """An API of numbers."""

    list = get("/numbers", ListNumbers).gives(Page).fails(410, Gone)


def by_cursor(page: Page) -> dict[str, object] | None:
    return None if page.cursor is None else {"cursor": page.cursor}


@pytest.fixture
def script() -> ScriptedTransport:
    script = ScriptedTransport()
    link = {"Link": '<?size=2&cursor=b>; rel="next"'}
    script.on("GET", "/v1/numbers", params={"size": "2", "cursor": "b"}).reply(json={"items": [3]})
    script.on("GET", "/v1/numbers", params={"size": "2"}).reply(
        json={"items": [1, 2], "cursor": "b"}, headers=link
    )
    return script


@pytest.fixture
async def client(script: ScriptedTransport) -> AsyncIterator[HTTPClient]:
    async with HTTPClient(exchange=script) as client:
        yield client


@pytest.mark.parametrize("by", [by_cursor, next_link])
@pytest.mark.parametrize("prefetch", [0, 1])
async def test_the_pages_of_a_service(client: HTTPClient, by: object, prefetch: int) -> None:
    numbers = Numbers(client, base_url="https://api.example/v1")
    paged = numbers.list.paged(by=by, prefetch=prefetch)  # type: ignore[arg-type]  # one of two
    assert [page.unwrap().items async for page in paged(size=2)] == [[1, 2], [3]]


async def test_the_pages_of_an_endpoint_wait_for_their_client(script: ScriptedTransport) -> None:
    async with HTTPClient(exchange=script, base_url="https://api.example/v1") as client:
        found = Numbers.list.paged(by=by_cursor)(2)(client)
        collected = (await run(found.collect(limit=5))).unwrap()
    assert [page.items for page in collected] == [[1, 2], [3]]


async def test_a_declared_refusal_is_the_last_result(client: HTTPClient) -> None:
    script = ScriptedTransport()
    script.on("GET", "/numbers").reply(410, json={"reason": "moved"})
    async with HTTPClient(exchange=script, base_url="https://api.example") as other:
        results = [page async for page in Numbers.list.paged(by=by_cursor)(2)(other)]
    assert results == [Failure(Gone("moved"))]


async def test_a_page_that_leads_back_is_a_failure() -> None:
    script = ScriptedTransport()
    script.on("GET", "/numbers").reply(json={"items": [], "cursor": "a"})
    async with HTTPClient(exchange=script, base_url="https://api.example") as client:
        results = [page async for page in Numbers.list.paged(by=by_cursor)(2)(client)]
    assert len(results) == 3
    failure = results[-1].failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.kind == "protocol"


async def test_parameters_that_are_refused_are_the_only_result(client: HTTPClient) -> None:
    (only,) = [page async for page in Numbers.list.paged(by=by_cursor)(0)(client)]
    assert isinstance(only.failure(), HTTPInvalidRequestError)
