"""An endpoint whose response is read piece by piece."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Generic, ParamSpec, TypeVar, cast, overload

from returns.result import Failure, Result, Success
from typing_extensions import TypeForm, Unpack

from railhttp.client.http_client import HTTPClient
from railhttp.client.stream_context import StreamContext
from railhttp.endpoints.declaration import Binding, Declaration, caller, checked_options, merged
from railhttp.endpoints.responses import Statuses
from railhttp.model.errors import FAILURES, HTTPFailure, HTTPStatusError
from railhttp.model.options import RequestOptions

if TYPE_CHECKING:
    from railhttp.endpoints.service import Service

P = ParamSpec("P")
E_co = TypeVar("E_co", covariant=True)
F = TypeVar("F")

_LARGEST_REFUSAL: Final = 1024 * 1024
"""Bytes. A refusal is a small document; the rest of a larger body is not read."""


@dataclass(frozen=True, slots=True, repr=False)
class StreamedEndpoint(Declaration, Generic[P, E_co]):
    """An endpoint whose response is read piece by piece; `Endpoint.streamed` makes one."""

    @classmethod
    def of(cls, declared: Declaration) -> "StreamedEndpoint[P, E_co]":
        """Make one of an endpoint."""
        base = (declared.method, declared.path, declared.make, declared.answers, declared.options)
        return cls(*base, declared.problem, declared._plan)

    @overload
    def fails(self, status: Statuses, model: type[F], /) -> "StreamedEndpoint[P, E_co | F]": ...
    @overload
    def fails(self, status: Statuses, model: TypeForm[F], /) -> "StreamedEndpoint[P, E_co | F]": ...
    def fails(self, status: Statuses, model: object, /) -> object:
        """Declare a refusal; see `Endpoint.fails`."""
        return self._answering(lambda one: one.with_refusal(status, model), caller())

    def with_options(self, **options: Unpack[RequestOptions]) -> "StreamedEndpoint[P, E_co]":
        """Set options of this endpoint's calls; see `Endpoint.with_options`."""
        return self._having(options)

    def __call__(
        self, *args: P.args, **kwargs: P.kwargs
    ) -> Callable[
        [HTTPClient], AbstractAsyncContextManager[Result[StreamContext, E_co | HTTPFailure]]
    ]:
        """Describe a stream, for a client that is given later."""
        return lambda client: self.open(
            Binding(client, "", "", self.options), self.options, *args, **kwargs
        )

    @asynccontextmanager
    async def open(
        self, binding: Binding, options: RequestOptions, *args: P.args, **kwargs: P.kwargs
    ) -> AsyncGenerator[Result[StreamContext, E_co | HTTPFailure], None]:
        """Open the stream of a client for the length of a block.

        Raises:
            TypeError: An argument is missing, or unknown.
        """
        async with AsyncExitStack() as stack:
            try:
                parameters = self.parameters(*args, **kwargs)
                url, options = self.request(binding, options, parameters)
                opening = binding.client.stream(self.method, url, **self.named(options))
                opened = await self._judged(await stack.enter_async_context(opening))
            except FAILURES as failure:
                opened = Failure(failure)
            yield opened

    async def _judged(self, stream: StreamContext) -> Result[StreamContext, E_co | HTTPFailure]:
        expected = self.answers.expected
        if stream.status in expected if expected else stream.status < 400:
            return Success(stream)
        body = bytearray()
        async for chunk in stream:
            body += chunk
            if len(body) > _LARGEST_REFUSAL:
                break
        response = replace(stream.head, body=bytes(body))
        refused = HTTPStatusError(response, expected=expected if stream.status < 400 else ())
        # A declared refusal is an E_co, and anything else is the HTTPStatusError.
        return Failure(cast("E_co | HTTPFailure", self.answers.refusal(refused)))

    @overload
    def __get__(self, instance: None, owner: type[object]) -> "StreamedEndpoint[P, E_co]": ...
    @overload
    def __get__(self, instance: "Service", owner: type[object]) -> "BoundStream[P, E_co]": ...
    def __get__(self, instance: "Service | None", owner: type[object]) -> object:
        return self if instance is None else self.bound(instance.binding)

    def bound(self, binding: Binding) -> "BoundStream[P, E_co]":
        """Bind the endpoint to a service."""
        return BoundStream(self, binding, merged(binding.options, self.options))


class BoundStream(Generic[P, E_co]):
    """A streamed response of a service.

    Args:
        endpoint: The endpoint.
        binding: Its service.
        options: All options of a call.
    """

    __slots__ = ("_binding", "_options", "endpoint")

    def __init__(
        self, endpoint: StreamedEndpoint[P, E_co], binding: Binding, options: RequestOptions
    ) -> None:
        self.endpoint: Final = endpoint
        self._binding = binding
        self._options = options

    def __call__(
        self, *args: P.args, **kwargs: P.kwargs
    ) -> AbstractAsyncContextManager[Result[StreamContext, E_co | HTTPFailure]]:
        """Open the response for the length of an `async with` block.

        Returns:
            A context manager of the open response, a declared refusal, or one of `HTTPFailure`.
            While the body is read, failures are raised, as for `HTTPClient.stream`.

        Raises:
            TypeError: An argument is missing, or unknown.
        """
        return self.endpoint.open(self._binding, self._options, *args, **kwargs)

    def with_options(self, **options: Unpack[RequestOptions]) -> "BoundStream[P, E_co]":
        """Set options of the call; see `BoundEndpoint.with_options`."""
        both = merged(self._options, checked_options(options))
        return BoundStream(self.endpoint, self._binding, both)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.endpoint}>"
