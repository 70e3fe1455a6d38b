"""Pages: requests that lead to further requests, each outcome a `Result`."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import Generic, TypeAlias, TypeVar

from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from railhttp.client.http_client import HTTPClient
from railhttp.model.errors import HTTPDecodeError, HTTPFailure, HTTPValidationError
from railhttp.model.location import resolve_reference
from railhttp.model.response import HttpResponse
from railhttp.model.url import request_url
from railhttp.model.validation import require_count, require_positive_int
from railhttp.railway._loading import Arrived, Key, Page, Step, load_page
from railhttp.railway.decoders import Decoder
from railhttp.railway.outcome import run
from railhttp.railway.reader import get
from railhttp.wire.links import next_target

A = TypeVar("A")
E = TypeVar("E")
T = TypeVar("T")
A_co = TypeVar("A_co", covariant=True)
E_co = TypeVar("E_co", covariant=True)

PageRequest: TypeAlias = RequiresContextFutureResult[A, E, HTTPClient]
"""A reader of one page."""

Follow: TypeAlias = Callable[[A], PageRequest[A, E] | None]
"""A function from a page to the reader of the next one; None after the last."""


def next_link(response: HttpResponse) -> PageRequest[HttpResponse, HTTPFailure] | None:
    """Return the request of the next page by the `Link` field with `rel="next"` (RFC 8288).

    Pass it as `follow` to `pages`. A relative URL is resolved against that of the response.

    Example:
        >>> print(next_link(HttpResponse(200, {"Link": '</?page=1>; rel="prev"'})))
        None
    """
    url = next_url(response)
    return None if url is None else get(url)


def next_url(response: HttpResponse) -> str | None:
    """Return the URL of the next page, which the server may have written in any form."""
    target = next_target(response.headers.getall("Link", []))
    if target is None:
        return None
    try:
        return str(resolve_reference(request_url(response.url), target))
    except HTTPValidationError:
        return target  # a verb refuses it by name


def pages(
    first: "PageRequest[A, E] | PageReader[A, E]", follow: Follow[A, E], *, prefetch: int = 0
) -> "PageReader[A, E]":
    """Describe a series of pages.

    A page whose first request was already made for an earlier page, or which goes to another origin
    than the first page, is not sent: the failure is an `HTTPConnectionError` of the kind
    `protocol`, or `redirect`.

    Args:
        first: The reader of the first page, or the `at` of other pages, which goes on there.
        follow: Returns the reader of the page after a page: `next_link`, or a function that reads a
            cursor or a number from the page.
        prefetch: The number of pages that are requested ahead, while the caller handles one.

    Returns:
        A function from a client to the pages.

    Raises:
        HTTPValidationError: `prefetch` is negative.

    Example:
        >>> import asyncio
        >>> from railhttp.railway import decode_json
        >>> from railhttp.testing import ScriptedTransport
        >>> script = ScriptedTransport()
        >>> link = {"Link": '<?page=2>; rel="next"'}
        >>> users = script.on("GET", "/users").reply(json=["ann"], headers=link).reply(json=["bob"])
        >>> by_link = pages(get("http://h/users"), next_link).decoded(decode_json)
        >>> async def main() -> None:
        ...     async with HTTPClient(exchange=script) as client:
        ...         async for page in by_link(client):
        ...             print(page)
        >>> asyncio.run(main())
        <Success: ['ann']>
        <Success: ['bob']>
    """
    require_count(prefetch, "prefetch")
    if isinstance(first, PageReader):
        return PageReader(first._first, prefetch)

    def step(request: PageRequest[A, E]) -> Step[A, E]:
        async def load(client: HTTPClient) -> _Loaded[A, E]:
            return (await run(request(client))).map(after)

        def after(page: A) -> Page[A, E]:
            following = follow(page)
            return Page(page, None if following is None else step(following))

        return Step(load)

    return PageReader(step(first), prefetch)


def numbered(
    request: Callable[[int], PageRequest[A, E]],
    has_more: Callable[[A], bool],
    *,
    start: int = 1,
    prefetch: int = 0,
) -> "PageReader[A, E]":
    """Describe pages that are requested by their numbers.

    Args:
        request: Returns the reader of the page with a number.
        has_more: Whether another page comes after a page.
        start: The number of the first page.
        prefetch: See `pages`.

    Returns:
        A function from a client to the pages.

    Raises:
        HTTPValidationError: `prefetch` is negative.
    """
    require_count(prefetch, "prefetch")

    def step(number: int) -> Step[A, E]:
        async def load(client: HTTPClient) -> _Loaded[A, E]:
            return (await run(request(number)(client))).map(after)

        def after(page: A) -> Page[A, E]:
            return Page(page, step(number + 1) if has_more(page) else None)

        return Step(load)

    return PageReader(step(start), prefetch)


_Loaded: TypeAlias = Result[Page[A, E], E]


class PageReader(Generic[A_co, E_co]):
    """A series of pages as a value, which is called with a client; see `pages`."""

    __slots__ = ("_first", "_prefetch")

    def __init__(self, first: Step[A_co, E_co], prefetch: int = 0) -> None:
        self._first = first
        self._prefetch = prefetch

    def __repr__(self) -> str:
        ahead = f" with {self._prefetch} ahead" if self._prefetch else ""
        return f"<{type(self).__name__}{ahead}>"

    def __call__(self, client: HTTPClient) -> "Pages[A_co, E_co]":
        """Return the pages; the first is requested when the iteration begins."""
        return Pages(client, self._first, self._prefetch)

    def decoded(
        self: "PageReader[HttpResponse, E]", decoder: Decoder[T]
    ) -> "PageReader[T, E | HTTPDecodeError]":
        """Describe the same pages with each response decoded.

        `follow` still receives the response. A page that does not decode is the last.
        """
        return PageReader(_decoded(self._first, decoder), self._prefetch)


def _decoded(step: Step[HttpResponse, E], decoder: Decoder[T]) -> Step[T, E | HTTPDecodeError]:
    async def load(client: HTTPClient) -> _Loaded[T, E | HTTPDecodeError]:
        loaded = await step.load(client)
        if not is_successful(loaded):
            return Failure(loaded.failure())
        page = loaded.unwrap()
        following = None if page.following is None else _decoded(page.following, decoder)
        return decoder(page.value).map(lambda value: Page(value, following))

    return Step(load)


class Pages(Generic[A_co, E_co]):
    """The pages of a client: an async iterable of results, a failure is the last one.

    An iteration goes on where the last one ended. If it ended with a failure, the next one requests
    that page again.

    Attributes:
        at: The pages that are left, as a value that resumes them with any client; None if there are
            none.
    """

    def __init__(self, client: HTTPClient, first: Step[A_co, E_co], prefetch: int) -> None:
        self._client = client
        self._next: Step[A_co, E_co] | None = first
        self._prefetch = prefetch
        self._visited: frozenset[Key] = frozenset()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, {len(self._visited)} so far>"

    @property
    def at(self) -> PageReader[A_co, E_co] | None:
        """The pages that are left, as a value; None after the last page."""
        return None if self._next is None else PageReader(self._next, self._prefetch)

    def __aiter__(self) -> AsyncGenerator[Result[A_co, E_co | HTTPFailure], None]:
        return self._iterate(None)

    async def items(
        self, of: Callable[[A_co], Iterable[T]]
    ) -> AsyncGenerator[Result[T, E_co | HTTPFailure], None]:
        """Yield the items of the pages one by one; a failure is the last result.

        Args:
            of: Returns the items of a page.
        """
        async with aclosing(self._iterate(None)) as results:
            async for result in results:
                if not is_successful(result):
                    yield Failure(result.failure())
                    return
                for item in of(result.unwrap()):
                    yield Success(item)

    def collect(self, *, limit: int) -> FutureResult[tuple[A_co, ...], E_co | HTTPFailure]:
        """Return the next pages together, or the first failure.

        Args:
            limit: The largest number of pages; those that are left are in `at`.

        Raises:
            HTTPValidationError: `limit` is not positive.
        """
        require_positive_int(limit, "limit")
        return FutureResult(self._collected(limit))

    async def _collected(self, limit: int) -> Result[tuple[A_co, ...], E_co | HTTPFailure]:
        collected: list[A_co] = []
        async with aclosing(self._iterate(limit)) as results:
            async for result in results:
                if not is_successful(result):
                    return Failure(result.failure())
                collected.append(result.unwrap())
        return Success(tuple(collected))

    async def _iterate(
        self, limit: int | None
    ) -> AsyncGenerator[Result[A_co, E_co | HTTPFailure], None]:
        arrivals = self._ahead(limit) if self._prefetch else self._in_turn(limit)
        async with aclosing(arrivals):
            async for arrived in arrivals:
                self._next = arrived.following
                self._visited |= arrived.visited
                yield arrived.result

    async def _in_turn(self, limit: int | None) -> AsyncGenerator["Arrived[A_co, E_co]", None]:
        step, visited = self._next, self._visited
        while step is not None and limit != 0:
            limit = None if limit is None else limit - 1
            arrived = await load_page(step, self._client, visited)
            yield arrived
            visited |= arrived.visited
            step = arrived.following if is_successful(arrived.result) else None

    async def _ahead(self, limit: int | None) -> AsyncGenerator["Arrived[A_co, E_co]", None]:
        room = asyncio.Semaphore(self._prefetch)
        queue: asyncio.Queue[Arrived[A_co, E_co] | Exception | None] = asyncio.Queue()
        task = asyncio.get_running_loop().create_task(
            self._produce(limit, room, queue), name="railhttp pages ahead"
        )
        try:
            while (arrived := await queue.get()) is not None:
                if isinstance(arrived, Exception):
                    raise arrived
                room.release()
                yield arrived
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _produce(
        self,
        limit: int | None,
        room: asyncio.Semaphore,
        queue: "asyncio.Queue[Arrived[A_co, E_co] | Exception | None]",
    ) -> None:
        try:
            async with aclosing(self._in_turn(limit)) as arrivals:
                await room.acquire()
                async for arrived in arrivals:
                    queue.put_nowait(arrived)
                    await room.acquire()
        except Exception as error:  # noqa: BLE001  # `follow` raised: raised where it is awaited
            queue.put_nowait(error)
        queue.put_nowait(None)
