"""An endpoint: a request and its responses, declared once, with the types of both."""

from dataclasses import dataclass, replace
from typing import (
    TYPE_CHECKING,
    Final,
    Generic,
    NamedTuple,
    ParamSpec,
    TypeAlias,
    TypeVar,
    cast,
    overload,
)

from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.result import Failure, Result
from typing_extensions import TypeForm, Unpack

from railhttp.client.http_client import HTTPClient
from railhttp.endpoints.declaration import Binding, Declaration, caller, checked_options, merged
from railhttp.endpoints.events import EventsEndpoint
from railhttp.endpoints.paged import BoundPages, By, NextLink, PagedEndpoint, by_of
from railhttp.endpoints.responses import Statuses
from railhttp.endpoints.streamed import StreamedEndpoint
from railhttp.model.errors import FAILURES, HTTPFailure, HTTPInvalidRequestError
from railhttp.model.options import RequestOptions
from railhttp.model.response import HttpResponse
from railhttp.railway.paging import next_link

if TYPE_CHECKING:
    from railhttp.endpoints.service import Service

P = ParamSpec("P")
T_co = TypeVar("T_co", covariant=True)
E_co = TypeVar("E_co", covariant=True)
T = TypeVar("T")
E = TypeVar("E")
U = TypeVar("U")
F = TypeVar("F")


class Answered(NamedTuple, Generic[T_co]):
    """A value and the response that it was read from.

    Attributes:
        value: The value.
        response: The response, with its header fields (`ETag`, `Link`, `Location`).
    """

    value: T_co
    response: HttpResponse


EndpointReader: TypeAlias = RequiresContextFutureResult[T, E | HTTPFailure, HTTPClient]
"""The call of an endpoint that waits for its client."""


@dataclass(frozen=True, slots=True, repr=False, eq=True)
class Endpoint(Declaration, Generic[P, T_co, E_co]):
    """An endpoint of an API, as a frozen value; `get`, `post` and their like make one.

    Each method returns a new endpoint. In the body of a `Service` it is a method of the service;
    on the class itself, and outside a class, its call is a reader, as in `railhttp.railway.reader`.

    Example:
        >>> from railhttp.endpoints import get
        >>> find = get("/users").gives(list[str]).fails(404, int)
        >>> find
        <Endpoint GET /users>
    """

    answered: bool = False

    @overload
    def gives(self, model: type[U], /, *, status: Statuses = 200) -> "Endpoint[P, U, E_co]": ...
    @overload
    def gives(self, model: TypeForm[U], /, *, status: Statuses = 200) -> "Endpoint[P, U, E_co]": ...
    def gives(self, model: object, /, *, status: Statuses = 200) -> object:
        """Declare the value that the endpoint returns instead of the whole response.

        Args:
            model: The type, see `railhttp.railway.decode`; None for a response without a document,
                `HttpResponse` for the response itself.
            status: The status or statuses that have this value. Any other status below 400 is then
                an `HTTPStatusError`.

        Raises:
            TypeError: The type cannot be decoded, or a status is declared twice or is not one from
                200 to 599. Inside the body of a `Service` the class statement raises it.
        """
        return self._answering(lambda one: one.without_values().with_value(status, model), caller())

    @overload
    def or_gives(self, status: Statuses, model: type[U], /) -> "Endpoint[P, T_co | U, E_co]": ...
    @overload
    def or_gives(
        self, status: Statuses, model: TypeForm[U], /
    ) -> "Endpoint[P, T_co | U, E_co]": ...
    def or_gives(self, status: Statuses, model: object, /) -> object:
        """Declare one more value, of another status.

        Args:
            status: The status or statuses.
            model: The type; see `gives`.

        Raises:
            TypeError: See `gives`.
        """
        return self._answering(lambda one: one.with_value(status, model), caller())

    @overload
    def fails(self, status: Statuses, model: type[F], /) -> "Endpoint[P, T_co, E_co | F]": ...
    @overload
    def fails(self, status: Statuses, model: TypeForm[F], /) -> "Endpoint[P, T_co, E_co | F]": ...
    def fails(self, status: Statuses, model: object, /) -> object:
        """Declare a refusal: a failure of the endpoint's own, beside those of `HTTPFailure`.

        A response of this status whose body does not fit stays an `HTTPStatusError`.

        Args:
            status: The status, or a set or range of them.
            model: The type of the refusal; see `gives`.

        Raises:
            TypeError: See `gives`; or the type is that of a value too.
        """
        return self._answering(lambda one: one.with_refusal(status, model), caller())

    def keyed(self) -> "Endpoint[P, T_co, E_co]":
        """Send an `Idempotency-Key` with each call, which makes a POST safe to repeat."""
        return self._having({"idempotency_key": True})

    def harmless(self) -> "Endpoint[P, T_co, E_co]":
        """Declare that a repeated request does no harm, whatever its method: it may be retried."""
        return self._having({"idempotent": True})

    def with_options(self, **options: Unpack[RequestOptions]) -> "Endpoint[P, T_co, E_co]":
        """Set options of this endpoint's calls.

        Args:
            **options: See `RequestOptions`; they overrule those of the service.

        Raises:
            TypeError: An option is unknown.
        """
        return self._having(options)

    def with_response(self) -> "Endpoint[P, Answered[T_co], E_co]":
        """Return the response beside the value."""
        # The call wraps the value, so T_co becomes Answered[T_co].
        return cast("Endpoint[P, Answered[T_co], E_co]", replace(self, answered=True))

    @overload
    def events(
        self, model: type[U], /, *, reconnect: bool = False
    ) -> EventsEndpoint[P, U, E_co]: ...
    @overload
    def events(
        self, model: TypeForm[U], /, *, reconnect: bool = False
    ) -> EventsEndpoint[P, U, E_co]: ...
    def events(self, model: object, /, *, reconnect: bool = False) -> object:
        """Declare a stream of server-sent events.

        Args:
            model: The type of an event's data, which is JSON; `ServerSentEvent` for the event.
            reconnect: Whether the stream goes on if its connection does not; see `HTTPClient.sse`.

        Raises:
            TypeError: See `gives`.
        """
        return EventsEndpoint.of(self, model, caller(), reconnect=reconnect)

    def streamed(self) -> StreamedEndpoint[P, E_co]:
        """Declare a response that is read piece by piece."""
        return StreamedEndpoint.of(self)

    def paged(
        self, *, by: "By[T_co] | NextLink" = next_link, prefetch: int = 0
    ) -> PagedEndpoint[P, T_co, E_co]:
        """Declare that the value is a page which leads to the next one.

        Args:
            by: `next_link`, which follows the `Link` field; or a function from a page to the
                parameters that change for the next one, None after the last.
            prefetch: See `railhttp.railway.pages`.

        Returns:
            A function of the parameters of the first page; see `railhttp.railway.PageReader`.
        """
        options = self.options
        return PagedEndpoint(
            self, by_of(by), lambda client: Binding(client, "", "", options), options, prefetch
        )

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> EndpointReader[T_co, E_co]:
        """Describe a call, for a client that is given later.

        Raises:
            TypeError: An argument is missing, or unknown.
        """
        try:
            parameters = self.parameters(*args, **kwargs)
        except HTTPInvalidRequestError as failure:
            return RequiresContextFutureResult.from_failure(failure)
        return RequiresContextFutureResult(
            lambda client: FutureResult(
                self.send(Binding(client, "", "", self.options), self.options, parameters)
            )
        )

    async def send(
        self, binding: Binding, options: RequestOptions, parameters: object
    ) -> Result[T_co, E_co | HTTPFailure]:
        """Make a call.

        Args:
            binding: The client and the base.
            options: All options of the call.
            parameters: An object of the parameter class.
        """
        try:
            url, options = self.request(binding, options, parameters)
            if binding.client.is_observed:
                options = self.named(options)
            response = await binding.client.request(self.method, url, **options)
        except FAILURES as failure:
            return Failure(failure)
        return self.result(response)

    def result(self, response: HttpResponse) -> Result[T_co, E_co | HTTPFailure]:
        """Read a response as its status is declared."""
        result = self.answers.judge(response)
        if self.answered:
            result = result.map(lambda value: Answered(value, response))
        # The declared types are T_co and E_co; any other failure is one of HTTPFailure.
        return cast("Result[T_co, E_co | HTTPFailure]", result)

    @overload
    def __get__(self, instance: None, owner: type[object]) -> "Endpoint[P, T_co, E_co]": ...
    @overload
    def __get__(
        self, instance: "Service", owner: type[object]
    ) -> "BoundEndpoint[P, T_co, E_co]": ...
    def __get__(self, instance: "Service | None", owner: type[object]) -> object:
        return self if instance is None else self.bound(instance.binding)

    def bound(self, binding: Binding) -> "BoundEndpoint[P, T_co, E_co]":
        """Bind the endpoint to a service."""
        return BoundEndpoint(self, binding, merged(binding.options, self.options))


class BoundEndpoint(Generic[P, T_co, E_co]):
    """An endpoint of a service: call it, and await the result.

    Args:
        endpoint: The endpoint.
        binding: Its service.
        options: All options of a call.
    """

    __slots__ = ("_binding", "_make", "_options", "_prefix", "_target", "endpoint")

    def __init__(
        self, endpoint: Endpoint[P, T_co, E_co], binding: Binding, options: RequestOptions
    ) -> None:
        self.endpoint: Final = endpoint
        self._binding = binding
        self._options = options
        self._prefix = binding.prefix
        self._make = endpoint.make
        is_plain = endpoint.plan.is_bare and not binding.query
        self._target = endpoint.plan.target if is_plain else None

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Result[T_co, E_co | HTTPFailure]:
        """Call the endpoint.

        Args:
            *args: Those of the parameter class.
            **kwargs: Those of the parameter class.

        Returns:
            The declared value, a declared refusal, or one of `HTTPFailure`.

        Raises:
            TypeError: An argument is missing, or unknown.
        """
        endpoint = self.endpoint
        if self._target is None:
            try:
                parameters = endpoint.parameters(*args, **kwargs)
            except HTTPInvalidRequestError as failure:
                return Failure(failure)
            return await endpoint.send(self._binding, self._options, parameters)
        # The usual call in few steps (benchmarks: layers in memory).
        try:
            url = self._prefix + self._target(self._make(*args, **kwargs))
        except TypeError:
            raise
        except Exception as error:  # noqa: BLE001  # a parameter class may raise anything
            return Failure(endpoint.refusal(error))
        try:
            client, options = self._binding.client, self._options
            if client.is_observed:
                options = endpoint.named(options)
            response = await client.request(endpoint.method, url, **options)
        except FAILURES as failure:
            return Failure(failure)
        return endpoint.result(response)

    def future(self, *args: P.args, **kwargs: P.kwargs) -> FutureResult[T_co, E_co | HTTPFailure]:
        """Describe a call as a `FutureResult`, for `gather` and other combinators.

        Raises:
            TypeError: An argument is missing, or unknown.
        """
        try:
            parameters = self.endpoint.parameters(*args, **kwargs)
        except HTTPInvalidRequestError as failure:
            return FutureResult.from_failure(failure)
        return FutureResult(self.endpoint.send(self._binding, self._options, parameters))

    def with_options(self, **options: Unpack[RequestOptions]) -> "BoundEndpoint[P, T_co, E_co]":
        """Set options of the call; they overrule those of the endpoint and of its service.

        Raises:
            TypeError: An option is unknown.
        """
        both = merged(self._options, checked_options(options))
        return BoundEndpoint(self.endpoint, self._binding, both)

    def paged(
        self, *, by: "By[T_co] | NextLink" = next_link, prefetch: int = 0
    ) -> BoundPages[P, T_co, E_co]:
        """Read the values as pages; see `Endpoint.paged`."""
        binding = self._binding
        paged = PagedEndpoint(self.endpoint, by_of(by), lambda _: binding, self._options, prefetch)
        return BoundPages(paged, binding.client)

    def with_response(self) -> "BoundEndpoint[P, Answered[T_co], E_co]":
        """Return the response beside the value."""
        return BoundEndpoint(self.endpoint.with_response(), self._binding, self._options)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.endpoint}>"
