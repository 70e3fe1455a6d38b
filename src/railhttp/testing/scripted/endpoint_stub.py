"""Routes of a script for declared endpoints: the declaration is the server."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Final, Generic, ParamSpec, Self, TypeVar, cast, overload
from urllib.parse import parse_qsl

from returns.pipeline import is_successful
from returns.result import Result
from yarl import URL

from railhttp.endpoints.declaration import Declaration
from railhttp.endpoints.endpoint import Endpoint
from railhttp.endpoints.events import EventsEndpoint
from railhttp.endpoints.paged import PagedEndpoint
from railhttp.endpoints.plan import Received
from railhttp.endpoints.responses import Answer
from railhttp.endpoints.streamed import StreamedEndpoint
from railhttp.endpoints.target import ParameterError
from railhttp.model.response import HttpResponse, freeze_headers
from railhttp.railway import encode
from railhttp.testing.contract import ContractBroken, checked_response
from railhttp.testing.scripted.requests import RequestPattern, SentRequest
from railhttp.testing.scripted.route import FailurePoint, ScriptedReply, ScriptedRoute
from railhttp.wire.sse import ServerSentEvent

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E")

_EVENT_STREAM: Final = freeze_headers({"Content-Type": "text/event-stream"})


@dataclass(frozen=True, slots=True)
class HandledReply(ScriptedReply):
    """A reply that is made from its request.

    Attributes:
        handle: Makes the reply from the parameter object of the request.
    """

    handle: Callable[[object], ScriptedReply] | None = None


class EndpointPattern(RequestPattern):
    """The requests of an endpoint, under any base path.

    Args:
        declared: The endpoint.
    """

    def __init__(self, declared: Declaration) -> None:
        segments = declared.plan.template.segments
        path = "".join([f"/{'*'.join(segment.texts)}" for segment in segments])
        super().__init__(declared.method, f"**{path}")
        self._endpoint = declared

    def __str__(self) -> str:
        return str(self._endpoint)


class Stub(ScriptedRoute, Generic[P, E]):
    """A route of a script that serves a declared endpoint; the last step is repeated.

    Each request is read back by the plan of the endpoint. `reply`, `fail` and `hang` of
    `ScriptedRoute` play what the endpoint does not declare.

    Args:
        endpoint: The endpoint.
    """

    def __init__(self, endpoint: Declaration) -> None:
        super().__init__(EndpointPattern(endpoint))
        self._endpoint = endpoint

    def refuses(
        self,
        refusal: E,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
    ) -> Self:
        """Add a declared refusal to the script.

        Args:
            refusal: The refusal. If it does not come back equal from the endpoint's own decoder,
                the call of the endpoint raises `ContractBroken`.
            status: The status; None for the first one that is declared for such a refusal.
            headers: More header fields of the response.
            delay: Seconds until the response.
        """
        return self._add_handler(lambda _: self._refusal(refusal, status, headers, delay))

    def fails(self, error: Exception, at: FailurePoint = "head") -> Self:
        """Add a failure of the network to the script; see `ScriptedRoute.fail`."""
        return self.fail(error, at)

    def hangs(self, at: FailurePoint = "head") -> Self:
        """Add silence to the script; see `ScriptedRoute.hang`."""
        return self.hang(at)

    def _add_handler(self, handle: Callable[[object], ScriptedReply]) -> Self:
        return self._add(HandledReply(handle=handle))

    def reply_to(self, sent: SentRequest) -> ScriptedReply:
        """Return the reply to a request.

        Raises:
            ParameterError: The request does not fit the endpoint; it names the field.
            ContractBroken: The reply is not one that the endpoint declares.
        """
        parameters = self._read(sent)
        reply = self.next_reply
        if not self._replies:
            raise ContractBroken(f"{self}: has no step yet: add replies(…), refuses(…) or does(…)")
        if not isinstance(reply, HandledReply) or reply.handle is None:
            return reply
        return reply.handle(parameters)

    def _read(self, sent: SentRequest) -> object:
        url = URL(sent.url, encoded=True)
        query = parse_qsl(url.raw_query_string, keep_blank_values=True)
        plan = self._endpoint.plan
        values = plan.read(Received(url.raw_path, query, sent.headers, sent.body))
        positional, named = plan.arguments(values)
        try:
            return self._endpoint.make(*positional, **named)
        except Exception as error:  # a parameter class may raise anything
            message = f"the parameter class refuses it: {type(error).__name__}"
            raise ParameterError("parameters", message) from error

    def _refusal(
        self,
        refusal: object,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
    ) -> ScriptedReply:
        answers = self._endpoint.answers.refusals
        return self._checked(answers, refusal, status, headers, delay)

    def _checked(
        self,
        answers: tuple[Answer, ...],
        value: object,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
    ) -> ScriptedReply:
        try:
            response = checked_response(answers, value, status, headers)
        except ContractBroken as error:
            raise ContractBroken(f"{self}: {error}") from error.__cause__
        return _reply(response, delay)


class EndpointStub(Stub[P, E], Generic[P, T, E]):
    """The server of a declared endpoint; `ScriptedTransport.serve` makes one.

    Example:
        >>> from railhttp.endpoints import get
        >>> from railhttp.testing import ScriptedTransport
        >>> stub = ScriptedTransport().serve(get("/names").gives(list[str])).replies(["Ann"])
        >>> print(stub, stub.called)
        GET /names 0
    """

    def replies(
        self,
        value: T,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
    ) -> Self:
        """Add a declared value to the script.

        Args:
            value: The value. If it does not come back equal from the endpoint's own decoder, the
                call of the endpoint raises `ContractBroken`.
            status: The status; None for the first one that is declared for such a value.
            headers: More header fields of the response.
            delay: Seconds until the response.
        """
        return self._add_handler(lambda _: self._value(value, status, headers, delay))

    # A handler of an endpoint has its parameters, not a `SentRequest`.
    def does(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, handler: Callable[P, Result[T, E]]
    ) -> Self:
        """Add a function to the script; it gets the parameters under their own names.

        Args:
            handler: Returns the value or the refusal. If it raises, so does the call of the
                endpoint: a `ContractBroken` with that cause.
        """

        def handle(parameters: object) -> ScriptedReply:
            result = self._handled(handler, parameters)
            if is_successful(result):
                return self._value(result.unwrap())
            return self._refusal(result.failure())

        return self._add_handler(handle)

    def _handled(
        self, handler: Callable[P, Result[T, E]], parameters: object
    ) -> Result[object, object]:
        plan = self._endpoint.plan
        arguments = {one.name: one.get(parameters) for one in plan.parameters}
        positional, named = plan.arguments(arguments)
        try:
            # The names and types are those of the parameter class, from which P was taken.
            result: object = cast("Callable[..., object]", handler)(*positional, **named)
        except Exception as error:
            kind = type(error).__name__
            raise ContractBroken(f"{self}: the handler raised {kind}") from error
        if isinstance(result, Result):
            return result
        if isinstance(result, Coroutine):
            result.close()  # or Python would warn of it as well
        kind = type(result).__name__
        raise ContractBroken(f"{self}: the handler returned {kind}, expected a Result")

    def _value(
        self,
        value: object,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
    ) -> ScriptedReply:
        answers = self._endpoint.answers.values
        if not answers:
            if not isinstance(value, HttpResponse) or not value.ok:
                raise ContractBroken(f"{self}: expected an HttpResponse below 400")
            return _reply(value, delay)
        return self._checked(answers, value, status, headers, delay)


class EventsStub(Stub[P, E], Generic[P, T, E]):
    """The server of a stream of events; `ScriptedTransport.serve` makes one."""

    def replies(self, *values: T) -> Self:
        """Add a stream of these events to the script; it ends after the last one."""
        return self._add_handler(lambda _: self._events(values))

    def _events(self, values: tuple[T, ...]) -> ScriptedReply:
        pieces = tuple([self._event(value).encode() for value in values])
        return ScriptedReply(headers=_EVENT_STREAM, chunks=pieces)

    def _event(self, value: T) -> str:
        event = value if isinstance(value, ServerSentEvent) else _document(value)
        # Only endpoints of events make such a stub.
        read = cast("EventsEndpoint[P, T, E]", self._endpoint).read_event(event)
        if not is_successful(read) or read.unwrap() != value:
            kind = type(value).__name__
            raise ContractBroken(f"{self}: an event of {kind} does not come back equal")
        lines = [f"data: {line}" for line in event.data.split("\n")]
        if event.event != "message":
            lines.insert(0, f"event: {event.event}")
        if event.event_id:
            lines.insert(0, f"id: {event.event_id}")
        return "\n".join([*lines, "", ""])


class StreamStub(Stub[P, E], Generic[P, E]):
    """The server of a streamed response; `ScriptedTransport.serve` makes one."""

    def replies(self, *chunks: bytes, headers: Mapping[str, str] | None = None) -> Self:
        """Add a body to the script, in the pieces in which it arrives."""
        expected = self._endpoint.answers.expected
        return self.reply(expected[0] if expected else 200, body=chunks, headers=headers)


@overload
def stub_for(endpoint: Endpoint[P, T, E]) -> EndpointStub[P, T, E]: ...
@overload
def stub_for(endpoint: PagedEndpoint[P, T, E]) -> EndpointStub[P, T, E]: ...
@overload
def stub_for(endpoint: EventsEndpoint[P, T, E]) -> EventsStub[P, T, E]: ...
@overload
def stub_for(endpoint: StreamedEndpoint[P, E]) -> StreamStub[P, E]: ...
def stub_for(endpoint: object) -> object:
    """Make the stub of an endpoint."""
    match endpoint:
        case Endpoint():
            return EndpointStub(endpoint)
        case PagedEndpoint():
            return EndpointStub(endpoint.endpoint)
        case EventsEndpoint():
            return EventsStub(endpoint)
        case StreamedEndpoint():
            return StreamStub(endpoint)
    raise TypeError(f"endpoint: must be a declared endpoint, got {type(endpoint).__name__}")


def place(route: Stub[..., object], routes: list[ScriptedRoute]) -> None:
    """Insert a stub before those with less specific paths: `/users/me` before `/users/{name}`."""
    for index, other in enumerate(routes):
        if isinstance(other, Stub) and specificity(route) < specificity(other):
            routes.insert(index, route)
            return
    routes.append(route)


def specificity(route: Stub[..., object]) -> tuple[int, tuple[bool, ...]]:
    """Return the sort key of a stub."""
    return route._endpoint.plan.template.specificity


def _document(value: object) -> ServerSentEvent:
    return ServerSentEvent(data=encode(value).decode())


def _reply(response: HttpResponse, delay: float) -> ScriptedReply:
    chunks = (response.body,) if response.body else ()
    return ScriptedReply(response.status, response.headers, chunks, delay)
