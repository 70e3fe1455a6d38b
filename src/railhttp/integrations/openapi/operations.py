"""Operations of an OpenAPI document as declarations of endpoints, in source."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from railhttp.integrations.openapi.document import Document, JSONObject, members
from railhttp.integrations.openapi.naming import pascal, snake, unique
from railhttp.integrations.openapi.types import Types, alternatives, split_null
from railhttp.model.response import JSON

_FIELD: Final = re.compile(r"\{([^{}]+)\}")
_FRAMING: Final = frozenset({"accept", "content-type", "authorization"})
_VERBS: Final = frozenset({"get", "put", "post", "delete", "patch", "head"})
_ERRORS: Final = {"4XX": range(400, 500), "5XX": range(500, 600), "DEFAULT": range(400, 600)}


PARAMETERS: Final = "\0"


@dataclass(frozen=True)
class Declared:
    """An operation as a declaration.

    Attributes:
        tag: The service that it belongs to.
        name: The name of the endpoint.
        wish: The name of the parameter class, unless another class has it.
        fields: The source of the parameter class, one line for each field.
        source: The source of the declaration, with `PARAMETERS` for the name of the class.
        about: The summary of the operation.
    """

    tag: str
    name: str
    wish: str
    fields: tuple[str, ...]
    source: str
    about: str


@dataclass(frozen=True)
class _Field:
    name: str
    hint: str
    required: bool

    def __str__(self) -> str:
        return f"    {self.name}: {self.hint}" + ("" if self.required else " = None")


class Operations:
    """Writes the declarations of a document's operations.

    Args:
        document: The document.
        types: The types of its schemas.
    """

    def __init__(self, document: Document, types: Types) -> None:
        self._document = document
        self._types = types
        self._names: set[tuple[str, str]] = set()

    def write(self) -> list[Declared]:
        """Write all of them."""
        return [self._operation(*one) for one in self._document.operations()]

    def _operation(self, path: str, method: str, operation: JSONObject) -> Declared:
        wish = str(operation.get("operationId") or _unnamed(method, path))
        tags = operation.get("tags")
        tag = str(tags[0]) if isinstance(tags, list) and tags else ""
        names = {name for one, name in self._names if one == tag}
        name = unique(snake(wish), names)
        self._names.add((tag, name))
        template, fields = self._fields(path, operation, pascal(wish))
        fields.extend(self._body(method, operation, pascal(wish)))
        arguments = [quoted(template)] if method in _VERBS else [quoted(method), quoted(template)]
        if fields:
            arguments.append(PARAMETERS)
        verb = method if method in _VERBS else "request"
        source = f"{verb}({', '.join(arguments)}){self._responses(operation, pascal(wish))}"
        about = str(operation.get("summary") or operation.get("description") or "")
        lines = [str(one) for one in sorted(fields, key=lambda one: not one.required)]
        return Declared(tag, name, pascal(wish), tuple(lines), source, about.strip())

    def _fields(self, path: str, operation: JSONObject, wish: str) -> tuple[str, list[_Field]]:
        taken = {"self", "body", "content_type"}
        fields: dict[tuple[str, str], _Field] = {}
        in_path: dict[str, str] = {}
        parameters = operation["parameters"]
        for given in parameters if isinstance(parameters, list) else []:
            one = self._document.resolve(given)
            place, wire = str(one.get("in")), str(one.get("name"))
            if place == "cookie" or (place == "header" and wire.lower() in _FRAMING):
                continue
            earlier = fields.get((place, wire))  # an operation overrules its path
            name = earlier.name if earlier else unique(snake(wire), taken)
            fields[place, wire] = self._field(name, place, wire, one, wish)
            if place == "path":
                in_path[wire] = name
        for wire in _FIELD.findall(path):
            if wire not in in_path:
                in_path[wire] = unique(snake(wire), taken)
                fields["path", wire] = _Field(in_path[wire], "str", required=True)
        template = _FIELD.sub(lambda match: f"{{{in_path[match[1]]}}}", path)
        return template.partition("?")[0], list(fields.values())

    def _field(self, name: str, place: str, wire: str, one: JSONObject, wish: str) -> _Field:
        schema = self._document.renamed(one.get("schema", {}))
        hint = self._text_type(schema, f"{wish}{pascal(wire)}", place)
        if place == "query" and one.get("explode") is False and hint.startswith("list["):
            hint = "str"  # values with commas between them
        required = place == "path" or one.get("required") is True
        if not required:
            hint = hint if hint.endswith("None") else f"{hint} | None"
        if place == "header":
            hint = f"Annotated[{hint}, Header({quoted(wire)})]"
        elif place == "query" and wire != name:
            hint = f"Annotated[{hint}, Query({quoted(wire)})]"
        return _Field(name, hint, required)

    def _text_type(self, schema: JSON, wish: str, place: str) -> str:
        """Find the type of a value in a path, a query or a header field."""
        resolved = self._document.resolve(schema)
        if (rest := split_null(resolved)) is not None:
            return self._text_type(rest, wish, place)  # a parameter that is absent has no text
        kind = resolved.get("type")
        if kind == "array" and place == "query":
            item = self._text_type(resolved.get("items", {}), wish, "item")
            return "str" if item == "object" else f"list[{item}]"
        union = resolved.get("oneOf", resolved.get("anyOf"))
        if (
            kind in ("object", "array")
            or isinstance(kind, list)
            or isinstance(union, list)
            or "allOf" in resolved
        ):
            return "str"
        found = self._types.of(schema, wish)
        if place == "path":
            found = found.removesuffix(" | None")
        return "str" if found in {"object", "None"} else found

    def _body(self, method: str, operation: JSONObject, wish: str) -> Iterator[_Field]:
        body = self._document.resolve(operation.get("requestBody", {}))
        content = members(body, "content")
        if not content or method in {"get", "head", "trace"}:
            return
        required = body.get("required") is True
        kind = _json_type(content)
        if kind:
            schema = self._document.renamed(members(content, kind).get("schema", {}))
            hint = self._types.of(schema, f"{wish}Request")
        else:
            kind, hint = next(iter(content)), "bytes"
        if required:
            yield _Field("body", f"Body[{hint}]", required=True)
        else:
            optional = hint if hint.endswith("None") else f"{hint} | None"
            yield _Field("body", f"Body[{optional}]", required=False)
        if hint == "bytes":
            name = "Content-Type"
            yield _Field("content_type", f'Annotated[str, Header("{name}")]', required=True)

    def _responses(self, operation: JSONObject, wish: str) -> str:
        responses = {
            str(status).upper(): self._document.resolve(response)
            for status, response in members(operation, "responses").items()
        }
        values = {status: one for status, one in responses.items() if status.startswith("2")}
        for one in values.values():
            if "text/event-stream" in members(one, "content"):
                events = self._events(one, wish)
                return "".join([events, *self._refusals(responses, wish, set())])
        calls = self._values(values, wish)
        returned = {part for _, model in calls for part in alternatives(model)}
        sources = [source for source, _ in calls]
        return "".join([*sources, *self._refusals(responses, wish, returned)])

    def _events(self, response: JSONObject, wish: str) -> str:
        media = members(members(response, "content"), "text/event-stream")
        schema = members(media, "schema")
        inner = schema.get("contentSchema", media.get("itemSchema"))
        model = "ServerSentEvent"
        if isinstance(inner, dict):
            model = self._types.of(self._document.renamed(inner), f"{wish}Event")
        return f".events({model})"

    def _values(self, responses: dict[str, JSONObject], wish: str) -> list[tuple[str, str]]:
        """Write the calls that declare the values, each with the type of its value."""
        calls: list[tuple[str, str]] = []
        for status, response in sorted(responses.items()):
            model = self._model(response, f"{wish}Response")
            codes = "range(200, 300)" if status == "2XX" else status
            if status == "2XX" and len(responses) > 1:
                continue
            if calls:
                calls.append((f".or_gives({codes}, {model})", model))
            elif codes == "200":
                calls.append((f".gives({model})", model))
            else:
                calls.append((f".gives({model}, status={codes})", model))
        return calls

    def _refusals(
        self, responses: dict[str, JSONObject], wish: str, returned: set[str]
    ) -> Iterator[str]:
        grouped: dict[str, list[str]] = {}
        for status, response in responses.items():
            if status.startswith(("4", "5")) or status == "DEFAULT":
                model = self._model(response, f"{wish}Error")
                if model not in {"None", "HttpResponse", "object"} and not (
                    returned & set(alternatives(model))
                ):
                    grouped.setdefault(model, []).append(status)
        declared = {int(one) for codes in grouped.values() for one in codes if one.isdigit()}
        wide = [one for codes in grouped.values() for one in codes if not one.isdigit()]
        for model, codes in grouped.items():
            exact = sorted(int(one) for one in codes if one.isdigit())
            taken = set(declared)
            for code in sorted(one for one in codes if not one.isdigit()):
                if code == "DEFAULT":
                    taken |= {status for one in wide if one != code for status in _ERRORS[one]}
                if rest := _rest(_ERRORS[code], taken):
                    yield f".fails({rest}, {model})"
            if len(exact) == 1:
                yield f".fails({exact[0]}, {model})"
            elif exact:
                yield f".fails({{{', '.join(map(str, exact))}}}, {model})"

    def _model(self, response: JSONObject, wish: str) -> str:
        content = members(response, "content")
        if not content:
            return "None"
        kind = _json_type(content)
        if not kind:
            return "HttpResponse"
        schema = members(content, kind).get("schema", {})
        return self._types.of(self._document.renamed(schema), wish)


def _unnamed(method: str, path: str) -> str:
    return f"{method} {_FIELD.sub(lambda match: f'by {match[1]}', path)}"


def _rest(codes: range, taken: set[int]) -> str:
    """Write a range of statuses without those that are declared already; empty if none is left."""
    left = sorted(set(codes) - taken)
    if not left:
        return ""
    whole = range(left[0], left[-1] + 1)
    holes = sorted(set(whole) - set(left))
    text = f"range({whole.start}, {whole.stop})"
    return f"{{*{text}}} - {{{', '.join(map(str, holes))}}}" if holes else text


def _json_type(content: JSONObject) -> str:
    return next((kind for kind in content if "json" in kind and "seq" not in kind), "")


def quoted(text: str) -> str:
    """Write a text as a literal of Python, in double quotes if it contains none."""
    literal = repr(text)
    return f'"{literal[1:-1]}"' if literal.startswith("'") and '"' not in literal else literal
