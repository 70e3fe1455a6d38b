"""How the parameters of an endpoint become a request, and are read back from one."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from returns.pipeline import is_successful

from railhttp.endpoints.codec import read_document, unknown_member
from railhttp.endpoints.parameters import (
    NO_DEFAULT,
    Document,
    Header,
    Parameter,
    Query,
    parameters_of,
)
from railhttp.endpoints.target import ParameterError, compile_target, parameter_text
from railhttp.endpoints.template import PathTemplate
from railhttp.endpoints.texts import TextShape, text_shape
from railhttp.model.response import JSON, HttpResponse
from railhttp.model.validation import TOKEN
from railhttp.railway import encode

_BODILESS: Final = frozenset({"GET", "HEAD", "TRACE"})


class Written(NamedTuple):
    """The parts of a request that its parameters determine.

    Attributes:
        target: The path and the query, percent-encoded.
        headers: The declared header fields.
        document: The document of the body, if the request has one.
        data: The bytes of the body, if they are sent unchanged.
    """

    target: str
    headers: dict[str, str]
    document: object = None
    data: bytes | None = None


class Received(NamedTuple):
    """A request to read back.

    Attributes:
        path: The path, percent-encoded.
        query: The parameters of the query, decoded.
        headers: The header fields.
        body: The body.
    """

    path: str
    query: Iterable[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes


class RequestPlan:
    """The plan of an endpoint's requests, compiled at its declaration.

    Args:
        method: The method.
        path: The template of the path.
        make: The parameter class.

    Raises:
        TypeError: The declaration contradicts itself; the message names the field.

    Example:
        >>> def find(user_id: int, expand: bool = False) -> dict[str, object]:
        ...     return {"user_id": user_id, "expand": expand}
        >>> plan = RequestPlan("GET", "/users/{user_id}", find)
        >>> plan.write(find(7, expand=True)).target
        '/users/7?expand=true'
    """

    def __init__(self, method: str, path: str, make: Callable[..., object]) -> None:
        self.template: Final = PathTemplate(path)
        self.parameters: Final = parameters_of(make)
        self._make = make
        self._shapes: dict[str, TextShape] = {}
        by_name = {one.name: one for one in self.parameters}
        for name in self.template.names:
            if name not in by_name:
                raise TypeError(f"{name}: the path names it, but the parameters have no such field")
        self.in_path: Final = tuple(by_name[name] for name in self.template.names)
        others = [one for one in self.parameters if one not in self.in_path]
        bodies = [one for one in others if isinstance(one.marker, Document)]
        self.in_headers: Final = tuple(one for one in others if isinstance(one.marker, Header))
        self.in_query: Final = tuple(
            one for one in others if one.marker is None or isinstance(one.marker, Query)
        )
        self.body: Final = bodies[0] if bodies else None
        self.is_bare: Final = self.body is None and not self.in_headers
        self._check_places(method, bodies)
        self._compile()

    def _check_places(self, method: str, bodies: list[Parameter]) -> None:
        for one in self.in_path:
            if one.marker is not None:
                raise TypeError(f"{one.name}: the path names it, so it cannot be sent elsewhere")
        if len(bodies) > 1:
            raise TypeError(f"{bodies[1].name}: a request has one body, and {bodies[0].name} is it")
        if bodies and method in _BODILESS:
            raise TypeError(f"{bodies[0].name}: a {method} has no body (RFC 9110, section 9.3)")
        for one in self.in_headers:
            if not TOKEN.fullmatch(one.wire):
                raise TypeError(f"{one.name}: {one.wire!r} is not the name of a header field")
        _check_distinct(self.in_headers, "header field", fold=True)
        _check_distinct(self.in_query, "query parameter", fold=False)

    def _compile(self) -> None:
        for one in (*self.in_path, *self.in_query, *self.in_headers):
            try:
                shape = text_shape(one.hint)
            except TypeError as error:
                raise TypeError(f"{one.name}: {error}") from None
            if shape.collect is not None and one not in self.in_query:
                raise TypeError(f"{one.name}: only a query parameter may hold several values")
            if shape.optional and one in self.in_path:
                raise TypeError(f"{one.name}: a segment of the path cannot be None")
            self._shapes[one.name] = shape
        if self.body is not None and self.body.hint is not bytes:
            try:
                read_document(self.body.hint, b"", "")
            except TypeError as error:
                raise TypeError(f"{self.body.name}: {error}") from None
        self._target = compile_target(self.template, self.in_path, self.in_query)

    def write(self, parameters: object) -> Written:
        """Write the request for some parameters.

        Args:
            parameters: An object of the parameter class.

        Raises:
            ParameterError: A value cannot be sent.
        """
        target = self._target(parameters)
        headers: dict[str, str] = {}
        for one in self.in_headers:
            if (value := one.get(parameters)) is not None:
                headers[one.wire] = parameter_text(one, value)
        if self.body is None:
            return Written(target, headers)
        body = self.body.get(parameters)
        if self.body.hint is bytes and isinstance(body, bytes):
            return Written(target, headers, data=body)
        return Written(target, headers, body)

    @property
    def target(self) -> Callable[[object], str]:
        """The function that writes the path and the query for a parameter object.

        It raises `ParameterError` if a value cannot be sent.
        """
        return self._target

    def read(self, received: Received) -> dict[str, object]:
        """Read the parameters back from a request.

        Query parameters and header fields that the plan does not know are ignored: interceptors
        and base URLs add such. A member of the body that the declared type lacks is refused.

        Returns:
            The arguments of the parameter class, by name.

        Raises:
            ParameterError: The request does not fit; it names the field.
        """
        texts = self.template.match(received.path)
        if texts is None:
            raise ParameterError("path", f"must be {self.template.text}")
        query: dict[str, list[str]] = {}
        for name, text in received.query:
            query.setdefault(name, []).append(text)
        found: dict[str, object] = {}
        for one in self.parameters:
            if one in self.in_path:
                values = [texts[one.name]]
            elif one in self.in_headers:
                field = received.headers.get(one.wire)
                values = [] if field is None else [field]
            elif one is self.body:
                found |= _read_body(one, received)
                continue
            else:
                values = query.get(one.wire, [])
            found |= self._read(one, values)
        return found

    def _read(self, one: Parameter, texts: list[str]) -> dict[str, object]:
        shape = self._shapes[one.name]
        try:
            if shape.collect is not None and (texts or (one.required and not shape.optional)):
                return {one.name: shape.collect(map(shape.read, texts))}
            if len(texts) == 1:
                return {one.name: shape.read(texts[0])}
        except ValueError as error:
            raise ParameterError(one.name, str(error)) from None
        if texts:
            raise ParameterError(one.name, f"must be sent once, was sent {len(texts)} times")
        return _absent(one, shape.optional)

    def arguments(self, values: Mapping[str, object]) -> tuple[list[object], dict[str, object]]:
        """Split values by name into the positional and the named arguments of the constructor."""
        complete = {
            one.name: values.get(one.name, one.default)
            for one in self.parameters
            if one.name in values or one.default not in {NO_DEFAULT}
        }
        positional = [complete[one.name] for one in self.parameters if one.positional]
        named = {
            one.name: values[one.name]
            for one in self.parameters
            if not one.positional and one.name in values
        }
        return positional, named


def _check_distinct(parameters: Iterable[Parameter], kind: str, *, fold: bool) -> None:
    seen: set[str] = set()
    for one in parameters:
        wire = one.wire.lower() if fold else one.wire
        if wire in seen:
            raise TypeError(f"{one.name}: another field is the {kind} {one.wire!r} already")
        seen.add(wire)


def _read_body(one: Parameter, received: Received) -> dict[str, object]:
    if one.hint is bytes:
        return {one.name: received.body}
    if not received.body and not one.required:
        return {}
    content_type = received.headers.get("Content-Type", "")
    result = read_document(one.hint, received.body, content_type)
    if not is_successful(result):
        failure = result.failure()
        raise ParameterError(one.name, f"{failure.where}: {failure.message}".removeprefix(": "))
    value = result.unwrap()
    if unknown := unknown_member(_parsed(received.body), _parsed(encode(value))):
        raise ParameterError(one.name, f"{unknown} is not a member of the declared type")
    return {one.name: value}


def _parsed(document: bytes) -> JSON:
    return HttpResponse(200, body=document).json()


def _absent(one: Parameter, optional: bool) -> dict[str, object]:
    if not one.required:
        return {}
    if optional:
        return {one.name: None}
    raise ParameterError(one.name, "is required, but absent")
