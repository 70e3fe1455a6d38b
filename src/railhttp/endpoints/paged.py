"""Endpoints whose values are pages: one call leads to the next."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Generic, ParamSpec, TypeAlias, TypeVar, cast, overload

from returns.result import Failure, Result

from railhttp.client.http_client import HTTPClient
from railhttp.endpoints.declaration import Binding, merged
from railhttp.model.errors import FAILURES, HTTPFailure
from railhttp.model.options import RequestOptions
from railhttp.model.response import HttpResponse
from railhttp.railway._loading import Page, Step
from railhttp.railway.paging import PageReader, PageRequest, Pages, next_link, next_url

if TYPE_CHECKING:
    from railhttp.endpoints.endpoint import Endpoint
    from railhttp.endpoints.service import Service

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E")

NextLink: TypeAlias = Callable[[HttpResponse], PageRequest[HttpResponse, HTTPFailure] | None]
"""The type of `next_link`."""

By: TypeAlias = Callable[[T], Mapping[str, object] | None]
"""A function from a page to the parameters that change for the next one; None after the last."""


def by_of(by: By[T] | NextLink) -> By[T] | None:
    """Return the function of a page; None for `next_link`, which needs the response instead."""
    # The only function of a response that is accepted is `next_link` itself.
    return None if by is next_link else cast("By[T]", by)


class PagedEndpoint(Generic[P, T, E]):
    """An endpoint that is called with the parameters of its first page.

    In the body of a `Service` it is a method of the service.

    Args:
        endpoint: The endpoint.
        by: How a page leads to the next one; None for its `Link` field.
        binding: Returns the binding of a client.
        options: All options of a call.
        prefetch: See `railhttp.railway.pages`.
    """

    __slots__ = ("_binding", "_by", "_options", "_prefetch", "endpoint")

    def __init__(
        self,
        endpoint: "Endpoint[P, T, E]",
        by: By[T] | None,
        binding: Callable[[HTTPClient], Binding],
        options: RequestOptions,
        prefetch: int,
    ) -> None:
        self.endpoint: Final = endpoint
        self._by: Final = by
        self._binding: Final = binding
        self._options: Final = options
        self._prefetch: Final = prefetch

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.endpoint}>"

    def __set_name__(self, owner: type, name: str) -> None:
        self.endpoint.__set_name__(owner, name)

    @overload
    def __get__(self, instance: None, owner: type[object]) -> "PagedEndpoint[P, T, E]": ...
    @overload
    def __get__(self, instance: "Service", owner: type[object]) -> "BoundPages[P, T, E]": ...
    def __get__(self, instance: "Service | None", owner: type[object]) -> object:
        return self if instance is None else self.bound(instance.binding)

    def bound(self, binding: Binding) -> "BoundPages[P, T, E]":
        """Bind the endpoint to a service."""
        options = merged(binding.options, self._options)
        paged = PagedEndpoint(self.endpoint, self._by, lambda _: binding, options, self._prefetch)
        return BoundPages(paged, binding.client)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> PageReader[T, E | HTTPFailure]:
        """Describe the pages, for a client that is given later.

        Raises:
            TypeError: An argument is missing, or unknown; raised by the iteration.
        """
        return PageReader(self._first(args, kwargs), self._prefetch)

    def _first(
        self, args: tuple[object, ...], kwargs: Mapping[str, object]
    ) -> Step[T, E | HTTPFailure]:
        """Return the page with these parameters."""

        async def load(
            client: HTTPClient,
        ) -> Result[Page[T, E | HTTPFailure], E | HTTPFailure]:
            try:
                parameters = self.endpoint.parameters(*args, **kwargs)
                binding = self._binding(client)
                url, options = self.endpoint.request(binding, self._options, parameters)
            except FAILURES as failure:
                return Failure(failure)
            return await self._send(client, url, options, args, kwargs)

        return Step(load)

    def _linked(
        self,
        url: str,
        options: RequestOptions,
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> Step[T, E | HTTPFailure]:
        """Return the page of a link, which has all parameters."""

        async def load(
            client: HTTPClient,
        ) -> Result[Page[T, E | HTTPFailure], E | HTTPFailure]:
            return await self._send(client, url, {**options, "params": None}, args, kwargs)

        return Step(load)

    async def _send(
        self,
        client: HTTPClient,
        url: str,
        options: RequestOptions,
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> Result[Page[T, E | HTTPFailure], E | HTTPFailure]:
        try:
            named = self.endpoint.named(options) if client.is_observed else options
            response = await client.request(self.endpoint.method, url, **named)
        except FAILURES as failure:
            return Failure(failure)

        def page(value: T) -> Page[T, E | HTTPFailure]:
            if self._by is None:
                target = next_url(response)
                if target is None:
                    return Page(value, None)
                return Page(value, self._linked(target, options, args, kwargs))
            changed = self._by(value)
            if changed is None:
                return Page(value, None)
            return Page(value, self._first(args, {**kwargs, **changed}))

        return self.endpoint.result(response).map(page)


class BoundPages(Generic[P, T, E]):
    """A paged endpoint of a service: call it, and iterate over the results."""

    __slots__ = ("_client", "_paged")

    def __init__(self, paged: PagedEndpoint[P, T, E], client: HTTPClient) -> None:
        self._paged = paged
        self._client = client

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._paged}>"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Pages[T, E | HTTPFailure]:
        """Return the pages; the first is requested when the iteration begins.

        Raises:
            TypeError: An argument is missing, or unknown; raised by the iteration.
        """
        return self._paged(*args, **kwargs)(self._client)
