"""The fields of each kind of parameter class, and where they are sent."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, NamedTuple

import attrs
import msgspec
import pydantic
import pytest

from railhttp.endpoints import Body, Header, Query, delete, get, patch, post, put, request
from railhttp.endpoints.parameters import (
    COMPUTED,
    NO_DEFAULT,
    Document,
    parameters_of,
    split_marker,
)
from railhttp.endpoints.plan import Received, RequestPlan
from railhttp.endpoints.target import ParameterError


class Colour(Enum):
    RED = "red"


@dataclass
class Plain:
    id: int
    page: int = 1
    tags: list[str] = field(default_factory=list)
    colour: Colour = Colour.RED
    note: str | None = None


@attrs.frozen
class Attrs:
    _hidden: int
    page: int = attrs.field(default=2, alias="pageNumber")
    tags: list[str] = attrs.Factory(list)


class Struct(msgspec.Struct, rename="camel"):
    page_size: int
    page_number: int = 1
    tags: list[str] = []


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow", populate_by_name=True)
    page_size: int = pydantic.Field(alias="pageSize")
    read: int = pydantic.Field(default=1, validation_alias="readAs")
    written: int = pydantic.Field(default=2, serialization_alias="writtenAs")
    both: int = pydantic.Field(default=3, validation_alias="taken", serialization_alias="out")
    tags: list[str] = pydantic.Field(default_factory=list)


class Tuple(NamedTuple):
    id: int
    page: int = 1


def function(id: int, /, page: int = 1, *, flag: bool = True) -> dict[str, object]:  # noqa: A002
    return {"id": id, "page": page, "flag": flag}


@pytest.mark.parametrize(
    ("make", "fields"),
    [
        (
            Plain,
            [
                ("id", "id", NO_DEFAULT),
                ("page", "page", 1),
                ("tags", "tags", COMPUTED),
                ("colour", "colour", "red"),
                ("note", "note", None),
            ],
        ),
        (
            Attrs,
            [
                ("hidden", "hidden", NO_DEFAULT),
                ("pageNumber", "pageNumber", 2),
                ("tags", "tags", COMPUTED),
            ],
        ),
        (
            Struct,
            [
                ("page_size", "pageSize", NO_DEFAULT),
                ("page_number", "pageNumber", 1),
                ("tags", "tags", COMPUTED),
            ],
        ),
        (
            Model,
            [
                ("pageSize", "pageSize", NO_DEFAULT),
                ("readAs", "read", 1),
                ("written", "writtenAs", 2),
                ("taken", "out", 3),
                ("tags", "tags", COMPUTED),
            ],
        ),
        (Tuple, [("id", "id", NO_DEFAULT), ("page", "page", 1)]),
        (function, [("id", "id", NO_DEFAULT), ("page", "page", 1), ("flag", "flag", True)]),
    ],
)
def test_the_fields_of_each_kind_of_parameter_class(
    make: Callable[..., object], fields: list[tuple[str, str, object]]
) -> None:
    found = parameters_of(make)
    assert [(one.name, one.wire, one.default) for one in found] == fields
    assert [one.required for one in found] == [default is NO_DEFAULT for *_, default in fields]
    assert [one.name for one in found if one.positional] == (["id"] if make is function else [])


@pytest.mark.parametrize(
    ("parameters", "values"),
    [
        (Plain(7, 2), [7, 2, [], Colour.RED, None]),
        (Attrs(7, 3), [7, 3, []]),
        (Struct(7, 3), [7, 3, []]),
        (Model(pageSize=7), [7, 1, 2, 3, []]),
        (Tuple(7), [7, 1]),
    ],
)
def test_each_field_is_read_from_its_own_attribute(parameters: object, values: object) -> None:
    assert [one.get(parameters) for one in parameters_of(type(parameters))] == values


def test_the_parameters_of_a_function_are_read_from_its_dict() -> None:
    assert [one.get(function(7, flag=False)) for one in parameters_of(function)] == [7, 1, False]


@pytest.mark.parametrize(
    ("hint", "inner", "marker"),
    [
        (int, int, None),
        (Annotated[int, Query("x")], int, Query("x")),
        (Annotated[int, Header("X")], int, Header("X")),
        (Body[int], int, Document()),
        (Annotated[int, "other"], Annotated[int, "other"], None),
        (Annotated[int, "other", Query("x")], Annotated[int, "other"], Query("x")),
        (Annotated[int, Query("x")] | None, int | None, Query("x")),
        (int | None, int | None, None),
    ],
)
def test_a_marker_is_taken_off_a_type(hint: object, inner: object, marker: object) -> None:
    assert split_marker(hint) == (inner, marker)


class NoHints:
    def __init__(self, user_id: int) -> None:
        self.user_id = user_id


def test_the_types_of_a_plain_class_are_those_of_its_constructor() -> None:
    (one,) = parameters_of(NoHints)
    assert (one.name, one.hint, one.get(NoHints(7))) == ("user_id", int, 7)


def untyped(user_id):  # type: ignore[no-untyped-def]  # that is the case
    return {"user_id": user_id}


def variadic(**names: int) -> dict[str, object]:
    return dict(names)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (7, "needs a class or a function for its parameters, got 7"),
        (untyped, "^user_id: untyped must declare its type"),
        (variadic, "^names: variadic must name each of its arguments"),
        (type, "type has no signature"),
    ],
)
def test_what_has_no_named_and_typed_fields_is_refused(
    make: Callable[..., object], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        parameters_of(make)


def sends(user: Body[int]) -> dict[str, object]:
    return {"user": user}


@pytest.mark.parametrize("declare", [post, put, patch, delete])
def test_a_body_may_be_sent_by_these_methods(declare: Callable[..., object]) -> None:
    declare("/", sends)
    request("OPTIONS", "/", sends)
    request("QUERY", "/", sends)


@pytest.mark.parametrize("method", ["GET", "HEAD", "TRACE"])
def test_a_body_is_refused_for_these_methods(method: str) -> None:
    with pytest.raises(TypeError, match=f"user: a {method} has no body"):
        request(method, "/", sends)
    with pytest.raises(TypeError, match="a GET has no body"):
        get("/", sends)


def headers_that_differ_in_case(
    a: Annotated[str, Header("X-Trace")], b: Annotated[str, Header("x-trace")]
) -> dict[str, object]:
    return {"a": a, "b": b}


def parameters_that_differ_in_case(page: int, Page: int) -> dict[str, object]:  # noqa: N803
    return {"page": page, "Page": Page}


def several_in_a_header(names: Annotated[list[str], Header("X-Names")]) -> dict[str, object]:
    return {"names": names}


def several_in_the_path(names: list[str]) -> dict[str, object]:
    return {"names": names}


def test_names_of_header_fields_compare_without_case_and_those_of_a_query_with_it() -> None:
    with pytest.raises(TypeError, match=r"^b: another field is the header field 'x-trace' already"):
        RequestPlan("GET", "/", headers_that_differ_in_case)
    plan = RequestPlan("GET", "/", parameters_that_differ_in_case)
    assert plan.write({"page": 1, "Page": 2}).target == "/?page=1&Page=2"


def test_only_a_query_parameter_holds_several_values() -> None:
    for path, make in (("/", several_in_a_header), ("/{names}", several_in_the_path)):
        with pytest.raises(TypeError, match=r"^names: only a query parameter may hold several"):
            RequestPlan("GET", path, make)
    plan = RequestPlan("GET", "/", several_in_the_path)
    assert plan.write({"names": ["a", "b c"]}).target == "/?names=a&names=b+c"


class Sent(NamedTuple):
    user: Body[int | None] = None
    trace: Annotated[str | None, Header("X-Trace")] = None


def test_a_request_is_written_and_read_back() -> None:
    plan = RequestPlan("POST", "/a", Sent)
    assert plan.write(Sent()) == ("/a", {}, None, None)
    assert plan.write(Sent(7, "t")) == ("/a", {"X-Trace": "t"}, 7, None)
    assert plan.read(Received("/a", [], {}, b"")) == {}
    both = Received("/a", [], {"X-Trace": "t"}, b"7")
    assert plan.read(both) == {"user": 7, "trace": "t"}
    with pytest.raises(ParameterError, match=r"^path: must be /a$"):
        plan.read(both._replace(path="/b"))


def raw(data: Body[bytes]) -> dict[str, object]:
    return {"data": data}


def test_bytes_are_sent_and_read_unchanged() -> None:
    plan = RequestPlan("POST", "/", raw)
    assert plan.write({"data": b"\0"}) == ("/", {}, None, b"\0")
    assert plan.read(Received("/", [], {}, b"\0")) == {"data": b"\0"}


def test_values_are_split_into_positional_and_named_arguments() -> None:
    plan = RequestPlan("GET", "/", function)
    assert plan.arguments({"id": 7, "flag": False}) == ([7], {"flag": False})
    assert plan.arguments({"id": 7, "page": 2}) == ([7], {"page": 2})


def needs_tags(tags: list[str]) -> dict[str, object]:
    return {"tags": tags}


def may_have_tags(tags: list[str] | None) -> dict[str, object]:
    return {"tags": tags}


@pytest.mark.parametrize(
    ("make", "sent", "read"),
    [
        (needs_tags, [], {"tags": []}),
        (needs_tags, ["a"], {"tags": ["a"]}),
        (may_have_tags, [], {"tags": None}),
        (may_have_tags, ["a", "b"], {"tags": ["a", "b"]}),
        (Plain, [], {"id": 7}),
    ],
)
def test_a_collection_without_texts_is_empty_or_absent(
    make: Callable[..., object], sent: list[str], read: dict[str, object]
) -> None:
    query = [("tags", one) for one in sent] + ([("id", "7")] if make is Plain else [])
    assert RequestPlan("GET", "/", make).read(Received("/", query, {}, b"")) == read


@pytest.mark.parametrize("value", [0, -7, 10**17, 10**18 - 1, 10**18, -(10**18), 10**30, True, "a"])
def test_any_number_is_written_into_the_path_alike(value: object) -> None:
    def one(id: int | str) -> dict[str, object]:  # noqa: A002
        return {"id": id}

    text = "true" if value is True else str(value)
    assert RequestPlan("GET", "/x/{id}/y", one).write(one(value)).target == f"/x/{text}/y"  # type: ignore[arg-type]  # a table
    assert RequestPlan("GET", "/{id}.json", one).write(one(value)).target == f"/{text}.json"  # type: ignore[arg-type]  # a table


@pytest.mark.parametrize("path", ["/{id}", "/x{id}"])
@pytest.mark.parametrize(
    ("value", "message"),
    [("", "must not be empty"), ("\ud800", "surrogate"), (object(), "use text"), (1e999, "finite")],
)
def test_a_value_that_cannot_be_in_the_path_is_refused_by_name(
    path: str, value: object, message: str
) -> None:
    def one(id: str) -> dict[str, object]:  # noqa: A002
        return {"id": id}

    with pytest.raises(ParameterError, match=message) as caught:
        RequestPlan("GET", path, one).write({"id": value})
    assert caught.value.field == "id"
    assert str(caught.value) == f"id: {caught.value.message}"


@pytest.mark.parametrize(
    ("value", "message"), [("\ud800", "surrogate"), (object(), "use text"), ([1e999], "finite")]
)
def test_a_value_that_cannot_be_in_the_query_is_refused_by_name(
    value: object, message: str
) -> None:
    with pytest.raises(ParameterError, match=message) as caught:
        RequestPlan("GET", "/", needs_tags).write({"tags": value})
    assert caught.value.field == "tags"


def test_a_factory_that_the_signature_shows_as_none_is_no_default() -> None:
    """So does pydantic 2.8."""

    class Older(pydantic.BaseModel):
        tags: list[str] = pydantic.Field(default_factory=list)

    shown = inspect.Parameter("tags", inspect.Parameter.KEYWORD_ONLY, default=None)
    Older.__signature__ = inspect.Signature([shown])
    [tags] = parameters_of(Older)
    assert (tags.default, tags.required) == (COMPUTED, False)
