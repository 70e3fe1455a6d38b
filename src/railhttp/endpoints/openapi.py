"""A declared service as an OpenAPI document (OpenAPI 3.1)."""

import inspect
from collections.abc import Iterator, Sequence
from functools import reduce
from http import HTTPStatus
from operator import or_
from types import NoneType, UnionType
from typing import Final, Union, get_args, get_origin

from railhttp.endpoints.codec import PROBLEM
from railhttp.endpoints.declaration import Declaration
from railhttp.endpoints.endpoint import Endpoint
from railhttp.endpoints.events import EventsEndpoint
from railhttp.endpoints.parameters import COMPUTED, NO_DEFAULT, Parameter
from railhttp.endpoints.responses import Answer
from railhttp.endpoints.schemas import JSONObject, Schemas
from railhttp.endpoints.service import AnyEndpoint, Service, endpoints_of, services_of
from railhttp.model.response import JSON, HttpResponse
from railhttp.railway import ProblemDetails
from railhttp.wire.sse import ServerSentEvent


def openapi(
    service: type[Service],
    *,
    title: str,
    version: str,
    description: str | None = None,
    servers: Sequence[str] = (),
) -> JSONObject:
    """Describe a service as an OpenAPI 3.1 document.

    Args:
        service: The service; the services that it is composed of are described too.
        title: The title of the API.
        version: The version of the API.
        description: A text about the API; None for the docstring of the service.
        servers: The URLs of the servers.

    Returns:
        The document, ready for `json.dumps`. The id of an operation is the name of its endpoint;
        that of a composed service has the service's name before it.

    Raises:
        TypeError: A type has no JSON Schema.
        ValueError: Two endpoints have the same method and path.

    Example:
        >>> from railhttp.endpoints import Service, get
        >>> class Clock(Service):
        ...     now = get("/now").gives(str)
        >>> document = openapi(Clock, title="Clock", version="1.0")
        >>> document["openapi"], list(document["paths"])
        ('3.1.0', ['/now'])
    """
    schemas = Schemas()
    paths: JSONObject = {}
    for name, tag, declared in _endpoints(service, ""):
        operations = paths.setdefault(declared.path, {})
        method = declared.method.lower()
        if not isinstance(operations, dict) or method in operations:
            raise ValueError(f"{declared}: is declared twice")
        operations[method] = _Operation(declared, schemas).describe(name, tag)
    about = description if description is not None else _doc(service)
    info: JSONObject = {"title": title, "version": version}
    document: JSONObject = {
        "openapi": "3.1.0",
        "info": {**info, "description": about} if about else info,
        "paths": paths,
    }
    if servers:
        document["servers"] = [{"url": url} for url in servers]
    if schemas.components:
        document["components"] = {"schemas": schemas.components}
    return document


def _endpoints(service: type[Service], prefix: str) -> Iterator[tuple[str, str, AnyEndpoint]]:
    for name, declared in endpoints_of(service).items():
        yield f"{prefix}{name}", service.__name__, declared
    for name, inner in services_of(service).items():
        yield from _endpoints(inner, f"{prefix}{name}_")


def _doc(service: type[Service]) -> str:
    return inspect.cleandoc(vars(service).get("__doc__") or "")


class _Operation:
    def __init__(self, declared: AnyEndpoint, schemas: Schemas) -> None:
        self._declared = declared
        self._schemas = schemas

    def describe(self, name: str, tag: str) -> JSONObject:
        operation: JSONObject = {"operationId": name, "tags": [tag]}
        if parameters := list(self._parameters()):
            operation["parameters"] = parameters
        if (body := self._declared.plan.body) is not None:
            operation["requestBody"] = self._body(body)
        return {**operation, "responses": self._responses()}

    def _parameters(self) -> Iterator[JSON]:
        plan = self._declared.plan
        places = (("path", plan.in_path), ("query", plan.in_query), ("header", plan.in_headers))
        for place, parameters in places:
            for one in parameters:
                name = one.name if place == "path" else one.wire
                yield {
                    "name": name,
                    "in": place,
                    "required": place == "path" or one.required,
                    "schema": {**self._schemas.of(_without_none(one.hint)), **_default(one)},
                }
        if self._declared.options.get("idempotency_key"):
            schema: JSONObject = {"type": "string"}
            yield {"name": "Idempotency-Key", "in": "header", "required": True, "schema": schema}

    def _body(self, body: Parameter) -> JSONObject:
        content: JSONObject = {"application/octet-stream": {}}
        if body.hint is not bytes:
            content = {"application/json": {"schema": self._schemas.of(body.hint)}}
        required = body.required and _without_none(body.hint) == body.hint
        return {"required": required, "content": content}

    def _responses(self) -> JSONObject:
        answers = self._declared.answers
        found: dict[str, JSON] = {}
        if not answers.values:
            found["200"] = {"description": "OK", **self._whole(self._declared)}
        everything = (*answers.values, *answers.refusals)
        for one in everything:
            for code in _codes(one, everything):
                found[code] = {"description": _phrase(code), **self._content(one.model)}
        return dict(sorted(found.items()))

    def _whole(self, declared: Declaration) -> JSONObject:
        if isinstance(declared, Endpoint):
            return {}
        if not isinstance(declared, EventsEndpoint):
            return {"content": {"application/octet-stream": {}}}
        schema: JSONObject = {"type": "string"}
        if declared.model is not ServerSentEvent:
            schema["contentMediaType"] = "application/json"
            schema["contentSchema"] = self._schemas.of(declared.model)
        return {"content": {"text/event-stream": {"schema": schema}}}

    def _content(self, model: object) -> JSONObject:
        if model in {None, type(None)} or model is HttpResponse:
            return {}
        kind = PROBLEM if model is ProblemDetails else "application/json"
        return {"content": {kind: {"schema": self._schemas.of(model)}}}


def _without_none(hint: object) -> object:
    """Take None off a type: a parameter that is None is not sent."""
    if get_origin(hint) not in {Union, UnionType}:
        return hint
    return reduce(or_, (part for part in get_args(hint) if part is not NoneType))


def _default(one: Parameter) -> JSONObject:
    if one.default is NO_DEFAULT or one.default is COMPUTED or one.default is None:
        return {}
    default = one.default
    return {"default": default} if isinstance(default, str | int | float) else {}


def _codes(answer: Answer, everything: Sequence[Answer]) -> Iterator[str]:
    """Name the statuses of a response; `4XX` if they are all that is left of their class."""
    for first in sorted({status // 100 for status in answer.statuses}):
        own = [status for status in answer.statuses if status // 100 == first]
        sizes = [sum(status // 100 == first for status in one.statuses) for one in everything]
        if len(own) > _CLASS // 2 and sum(sizes) == _CLASS:
            yield f"{first}XX"
        else:
            yield from map(str, own)


_CLASS: Final = 100


def _phrase(code: str) -> str:
    if code.endswith("XX"):
        return {"2": "Success", "3": "Redirection", "4": "Client error", "5": "Server error"}[
            code[0]
        ]
    try:
        return HTTPStatus(int(code)).phrase
    except ValueError:
        return f"Status {code}"
