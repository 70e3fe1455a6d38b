"""Loads one page after another, and holds them to one origin and to progress."""

from collections.abc import Awaitable, Callable
from typing import Final, Generic, NamedTuple, TypeVar

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import override

from railhttp.client.http_client import HTTPClient
from railhttp.model.body import BytesBody
from railhttp.model.errors import HTTPConnectionError, HTTPFailure
from railhttp.model.url import origin_of
from railhttp.pipeline.call_recorder import Recording, recorded_calls
from railhttp.pipeline.http_call import HTTPCall

A_co = TypeVar("A_co", covariant=True)
E_co = TypeVar("E_co", covariant=True)


class Key(NamedTuple):
    """The request of a page; its hash stands for the rest, which may be large."""

    origin: tuple[str, str, int]
    content: int


class Page(Generic[A_co, E_co]):
    """A page, and the step to the next one; None after the last."""

    __slots__ = ("following", "value")

    def __init__(self, value: A_co, following: "Step[A_co, E_co] | None") -> None:
        self.value: Final = value
        self.following: Final = following


class Step(Generic[A_co, E_co]):
    """A page that is not loaded yet."""

    __slots__ = ("load",)

    def __init__(
        self, load: Callable[[HTTPClient], Awaitable[Result[Page[A_co, E_co], E_co]]]
    ) -> None:
        self.load: Final = load


class Arrived(Generic[A_co, E_co]):
    """The outcome of a page, the step after it (of a failure, the step itself), and its request."""

    __slots__ = ("following", "result", "visited")

    def __init__(
        self,
        result: Result[A_co, E_co | HTTPFailure],
        following: Step[A_co, E_co] | None,
        visited: frozenset[Key],
    ) -> None:
        self.result: Final = result
        self.following: Final = following
        self.visited: Final = visited


async def load_page(
    step: Step[A_co, E_co], client: HTTPClient, visited: frozenset[Key]
) -> Arrived[A_co, E_co]:
    guard = _Guard(visited)
    with recorded_calls(guard):
        loaded = await step.load(client)
    if not is_successful(loaded):
        return Arrived(Failure(loaded.failure()), step, frozenset())
    page = loaded.unwrap()
    return Arrived(Success(page.value), page.following, frozenset(map(_key, guard[:1])))


class _Guard(Recording):
    """Ends the first call of a page that leads back, or to another origin."""

    def __init__(self, visited: frozenset[Key]) -> None:
        super().__init__()
        self._visited = visited

    @override
    def append(self, call: HTTPCall, /) -> None:
        if not self:
            self._check(call)
        super().append(call)

    def _check(self, call: HTTPCall) -> None:
        key = _key(call)
        if key in self._visited:
            message = "the page leads to a page that was read before"
            raise HTTPConnectionError(message, kind="protocol", **call.call_info())
        if any(key.origin != known.origin for known in self._visited):
            message = "the page leads to another origin than the first one"
            raise HTTPConnectionError(message, kind="redirect", **call.call_info())


def _key(call: HTTPCall) -> Key:
    request = call.original
    body = request.body.content if isinstance(request.body, BytesBody) else b""
    target = f"{request.method} {request.url.with_fragment(None)}"
    fields = tuple((request.headers or {}).items())
    return Key(origin_of(request.url), hash((target, fields, body)))
