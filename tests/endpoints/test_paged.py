"""Endpoints whose values are pages."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from returns.result import Failure

from railhttp import HTTPClient, HTTPConnectionError, HTTPInvalidRequestError
from railhttp.endpoints import Service, get, openapi
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


class PagedNumbers(Service):
    """Pages declared in the body of a service."""

    by_cursor = get("/numbers", ListNumbers).gives(Page).fails(410, Gone).paged(by=by_cursor)
    by_link = get("/links", ListNumbers).gives(Page).paged(prefetch=1)


async def test_pages_in_the_body_of_a_service_are_its_methods(script: ScriptedTransport) -> None:
    async with HTTPClient(exchange=script, base_url="https://api.example") as client:
        numbers = PagedNumbers(client, base_url="/v1", headers={"X-A": "1"})
        found = [page.unwrap().items async for page in numbers.by_cursor(size=2)]
    assert found == [[1, 2], [3]]
    assert {sent.headers["X-A"] for sent in script.calls} == {"1"}
    assert repr(numbers.by_link(2).at) == "<PageReader with 1 ahead>"
    assert repr(numbers.by_cursor) == "<BoundPages of <PagedEndpoint GET /numbers>>"


async def test_on_the_class_they_wait_for_their_client(script: ScriptedTransport) -> None:
    async with HTTPClient(exchange=script, base_url="https://api.example/v1") as client:
        found = [page.unwrap().items async for page in PagedNumbers.by_cursor(2)(client)]
    assert found == [[1, 2], [3]]


async def test_the_options_of_the_endpoint_overrule_those_of_the_service() -> None:
    class Few(Service):
        declared = get("/n", ListNumbers).gives(Page).with_options(headers={"X-A": "2"})
        some = declared.paged(by=by_cursor)

    script = ScriptedTransport()
    script.serve(Few.some).replies(Page([1], "b")).replies(Page([2]))
    async with HTTPClient(exchange=script, base_url="https://h") as client:
        assert len([page async for page in Few(client, headers={"X-A": "1"}).some(1)]) == 2
    assert [sent.headers["X-A"] for sent in script.calls] == ["2", "2"]


def test_they_are_described_by_openapi() -> None:
    document = openapi(PagedNumbers, title="Numbers", version="1")
    assert [*document["paths"]] == ["/numbers", "/links"]  # type: ignore[misc]  # a JSON object


def test_a_contradiction_in_their_declaration_is_told_by_the_class_statement() -> None:
    with pytest.raises(TypeError, match=r"Wrong\.some \(GET /n\): "):

        class Wrong(Service):
            some = get("/n").gives(Page).gives(Page, status=700).paged()

    with pytest.raises((TypeError, RuntimeError)) as caught:

        class Plain:
            some = get("/n").gives(Page).gives(Page, status=700).paged()

    assert "Plain.some (GET /n): " in str(caught.value.__cause__ or caught.value)
