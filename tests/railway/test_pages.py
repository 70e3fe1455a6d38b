"""Pages over real `Link` fields, by cursors and by numbers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import pytest
from aiohttp import web
from returns.result import Failure, Result, Success
from tests.patience import until

from railhttp import (
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPStatusError,
    RetryPolicy,
)
from railhttp.demo.server import LOOPBACK, listening_sockets
from railhttp.railway import decode, next_link, numbered, pages, reader, retry, run
from railhttp.railway.paging import PageRequest
from railhttp.testing import ScriptedTransport
from railhttp.wire.links import next_target

CONFIG: Final = HTTPClientConfig(trust_env=False)


@dataclass(frozen=True)
class Page:
    items: list[int]
    cursor: str | None = None


class Catalogue:
    """Five pages of two numbers each, linked relatively; it counts what it sends."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.broken: set[int] = set()
        self.port = 0

    def url(self, path: str = "/api/numbers?size=2") -> str:
        return f"http://{LOOPBACK}:{self.port}{path}"

    async def send(self, request: web.Request) -> web.Response:
        number = int(request.query.get("page", "1"))
        self.sent.append(number)
        if number in self.broken:
            return web.Response(status=410)
        more = number < 5
        body = {"items": [2 * number - 1, 2 * number], "cursor": str(number + 1) if more else None}
        response = web.json_response(body)
        response.headers.add("Link", '<?page=1&size=2>; rel="first"')
        if more:
            response.headers.add(
                "Link", f'<?page={number + 1}&size=2>; title="a,b"; rel="last next"'
            )
        return response


@pytest.fixture
async def catalogue() -> AsyncIterator[Catalogue]:
    served = Catalogue()
    app = web.Application()
    app.add_routes([web.get("/api/numbers", served.send)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    for sock in listening_sockets():
        served.port = sock.getsockname()[1]
        await web.SockSite(runner, sock).start()
    yield served
    await runner.cleanup()


@pytest.fixture
async def client() -> AsyncIterator[HTTPClient]:
    async with HTTPClient(CONFIG) as client:
        yield client


def numbers(page: Page) -> list[int]:
    return page.items


async def test_links_are_followed_to_the_last_page(
    catalogue: Catalogue, client: HTTPClient
) -> None:
    by_link = pages(reader.get(catalogue.url()), next_link).decoded(decode(Page))
    seen = [result.unwrap().items async for result in by_link(client)]
    assert seen == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]
    assert catalogue.sent == [1, 2, 3, 4, 5]


def cursors(catalogue: Catalogue, page: str = "1") -> PageRequest[Page, HTTPFailure]:
    return reader.get(catalogue.url("/api/numbers"), params={"page": page}).bind_result(
        decode(Page)
    )


async def test_a_function_follows_a_cursor(catalogue: Catalogue, client: HTTPClient) -> None:
    def follow(page: Page) -> PageRequest[Page, HTTPFailure] | None:
        return None if page.cursor is None else cursors(catalogue, page.cursor)

    by_cursor = pages(cursors(catalogue), follow)
    items = [item.unwrap() async for item in by_cursor(client).items(numbers)]
    assert items == [*range(1, 11)]


async def test_pages_are_requested_by_number(catalogue: Catalogue, client: HTTPClient) -> None:
    by_number = numbered(
        lambda number: cursors(catalogue, str(number)),
        lambda page: page.cursor is not None,
        start=3,
    )
    collected = await run(by_number(client).collect(limit=10))
    assert [page.items for page in collected.unwrap()] == [[5, 6], [7, 8], [9, 10]]


async def test_a_failure_is_the_last_result_and_the_page_is_requested_again(
    catalogue: Catalogue, client: HTTPClient
) -> None:
    catalogue.broken = {3}
    found = pages(reader.get(catalogue.url()), next_link)(client)
    seen = [result async for result in found]
    assert [type(result) for result in seen] == [Success, Success, Failure]
    assert isinstance(seen[-1].failure(), HTTPStatusError)
    catalogue.broken = set()
    assert len([result async for result in found]) == 3
    assert (catalogue.sent, found.at) == ([1, 2, 3, 3, 4, 5], None)


async def test_a_limit_bounds_the_pages_and_the_rest_is_resumed(
    catalogue: Catalogue, client: HTTPClient
) -> None:
    found = pages(reader.get(catalogue.url()), next_link, prefetch=2).decoded(decode(Page))(client)
    first = (await run(found.collect(limit=2))).unwrap()
    assert ([page.items for page in first], catalogue.sent) == ([[1, 2], [3, 4]], [1, 2])
    assert found.at is not None
    async with HTTPClient(CONFIG) as other:
        rest = (await run(found.at(other).collect(limit=9))).unwrap()
    assert [page.items for page in rest] == [[5, 6], [7, 8], [9, 10]]


async def test_the_rest_may_be_followed_in_another_way(
    catalogue: Catalogue, client: HTTPClient
) -> None:
    found = pages(reader.get(catalogue.url()), next_link)(client)
    await run(found.collect(limit=4))
    assert found.at is not None
    rest = pages(found.at, next_link)
    assert len((await run(rest(client).collect(limit=9))).unwrap()) == 1


@pytest.mark.parametrize("prefetch", [0, 1, 3])
async def test_so_many_pages_are_requested_ahead(
    catalogue: Catalogue, client: HTTPClient, prefetch: int
) -> None:
    found = pages(reader.get(catalogue.url()), next_link, prefetch=prefetch)(client)
    iteration = aiter(found)
    await anext(iteration)
    await until(lambda: len(catalogue.sent) == 1 + prefetch)
    await asyncio.sleep(0.02)
    assert len(catalogue.sent) == 1 + prefetch
    await iteration.aclose()
    assert "railhttp pages ahead" not in {task.get_name() for task in asyncio.all_tasks()}
    assert len([result async for result in found]) == 4


async def test_what_follow_raises_is_raised(catalogue: Catalogue, client: HTTPClient) -> None:
    def follow(page: HttpResponse) -> PageRequest[HttpResponse, HTTPFailure] | None:
        raise KeyError(page.status)

    for prefetch in (0, 1):
        with pytest.raises(KeyError):
            async for _ in pages(reader.get(catalogue.url()), follow, prefetch=prefetch)(client):
                pass


async def results(script: ScriptedTransport, **options: int) -> list[Result[HttpResponse, object]]:
    first = retry(RetryPolicy(2, base_delay=0))(reader.get("https://h.example/a"))
    async with HTTPClient(CONFIG, exchange=script) as client:
        return [one async for one in pages(first, next_link, **options)(client)]


@pytest.mark.parametrize("prefetch", [0, 1])
@pytest.mark.parametrize(
    ("links", "kind"),
    [
        ({"/a": "/a"}, "protocol"),
        ({"/a": "/b", "/b": "/b#top"}, "protocol"),
        ({"/a": "/b", "/b": "/c", "/c": "/a"}, "protocol"),
        ({"/a": "https://evil.example/b"}, "redirect"),
        ({"/a": "//evil.example/b"}, "redirect"),
        ({"/a": "http://h.example/b"}, "redirect"),
        ({"/a": "https://h.example:8443/b"}, "redirect"),
    ],
)
async def test_a_page_that_leads_back_or_away_is_a_failure_and_not_requested(
    links: dict[str, str], kind: str, prefetch: int
) -> None:
    script = ScriptedTransport()
    for path, target in links.items():
        script.on("GET", path).reply(headers={"Link": f'<{target}>; rel="next"'})
    found = await results(script, prefetch=prefetch)
    failure = found[-1].failure()
    assert isinstance(failure, HTTPConnectionError)
    assert (failure.kind, failure.delivery) == (kind, Delivery.NOT_SENT)
    assert len(script.calls) == len(found) - 1 == len(links)


async def test_a_page_that_does_not_decode_is_the_last(client: HTTPClient) -> None:
    script = ScriptedTransport()
    script.on("GET", "/a").reply(json=[], headers={"Link": "</b>; rel=next"})
    async with HTTPClient(CONFIG, exchange=script) as scripted:
        by_link = pages(reader.get("https://h.example/a"), next_link).decoded(decode(Page))
        seen = [result async for result in by_link(scripted)]
    (only,) = seen
    assert isinstance(only.failure(), HTTPDecodeError)


@pytest.mark.parametrize(
    ("fields", "target"),
    [
        ([], None),
        (['</b>; rel="next"'], "/b"),
        (["</b>;rel=next"], "/b"),
        (['</b> ; title="x; rel=prev, y" ; REL = "prev NEXT"'], "/b"),
        (['</a>; rel="prev", </b>; rel="next"'], "/b"),
        (['</a>; rel="prev"', '</b>; rel="next"'], "/b"),
        (['</a>; rel="nextish"'], None),
        (['</a>; rel="prev"; rel="next"'], None),
        (['</a>; rel="next"; anchor="#x"', "</c>; rel=next"], "/c"),
        (["/a; rel=next"], None),
        (["<>; rel=next"], ""),
        (["</a,b>; rel=next"], "/a,b"),
    ],
)
def test_links_are_read_by_the_rfc(fields: list[str], target: str | None) -> None:
    """RFC 8288, section 3."""
    assert next_target(fields) == target


@pytest.mark.parametrize("target", ["ftp://h.example/2", "http://[::1/2", "http://h:0/"])
async def test_a_next_page_that_cannot_be_requested_is_a_failure_and_not_the_end(
    target: str,
) -> None:
    """A listing that ends too early would look complete."""
    script = ScriptedTransport()
    script.on("GET", "/1").reply(200, headers={"Link": f'<{target}>; rel="next"'})
    async with HTTPClient(CONFIG, exchange=script) as client:
        first = (await client.get("https://h.example/1")).unwrap()
        following = next_link(first)
        assert following is not None
        failure = (await run(following(client))).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
