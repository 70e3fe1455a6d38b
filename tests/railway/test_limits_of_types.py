"""Types at their limits: forms of dates, digits of decimals, bare and bounded types, choices."""

import enum
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import (
    Annotated,
    Any,
    Final,
    Generic,
    Literal,
    NewType,
    NotRequired,
    Required,
    TypedDict,
    TypeVar,
)
from uuid import UUID

import msgspec
import pytest
from returns.pipeline import is_successful
from typing_extensions import ReadOnly

from railhttp import HttpResponse, HTTPStatusError
from railhttp.headers import freeze_headers
from railhttp.model.response import JSON
from railhttp.railway import Decoder, decode, problem
from railhttp.railway.mismatch import MismatchError
from railhttp.railway.structure import structure_of

B = TypeVar("B", bound=int)
T = TypeVar("T")


@dataclass
class Bounded(Generic[B]):
    value: B


@dataclass
class Free(Generic[T]):
    value: T


class Marked(TypedDict, total=False):
    needed: Required[int]
    optional: NotRequired[str]
    fixed: Required[ReadOnly[int]]
    left: str


class Size(enum.Enum):
    SMALL = "s"
    PAIR = (1, 2)


Ids = NewType("Ids", list[int])


def decoded(model: object, body: str) -> object:
    decoder: Decoder[object] = decode(model)  # type: ignore[call-overload]  # types of all kinds
    result = decoder(HttpResponse(200, body=body.encode()))
    return result.unwrap() if is_successful(result) else result.failure().where


@pytest.mark.parametrize(
    ("model", "body", "value"),
    [
        (datetime, '"2024-02-29T12:00:00+00:00"', datetime(2024, 2, 29, 12, tzinfo=UTC)),
        (datetime, '"20240229T120000Z"', datetime(2024, 2, 29, 12, tzinfo=UTC)),
        (datetime, '"2024-02-29T12"', datetime(2024, 2, 29, 12)),  # of no zone
        (date, '"20240229"', date(2024, 2, 29)),
        (date, '"2024-W09-4"', date(2024, 2, 29)),
        (time, '"1230"', time(12, 30)),
        (time, '"12:30:01.5"', time(12, 30, 1, 500_000)),
        (timedelta, '"P1DT2H"', timedelta(days=1, hours=2)),
        (Decimal, "1.23456789012345", Decimal("1.23456789012345")),  # 16 characters
        (Decimal, "-1.5", Decimal("-1.5")),
        (Decimal, "12345678901234567890", Decimal("12345678901234567890")),
        (Decimal, '"1e3"', Decimal("1e3")),
        (set, "[1, 1]", {1}),
        (frozenset, "[1]", frozenset({1})),
        (Sequence, "[1]", [1]),
        (Collection[int], "[1]", [1]),
        (Set, "[1]", {1}),
        (Mapping, '{"a": 1}', {"a": 1}),
        (tuple[int], "[1]", (1,)),
        (tuple[int, ...], "[]", ()),
        (Bounded, '{"value": 1}', Bounded(1)),
        (Free, '{"value": "any"}', Free("any")),
        (Ids, "[1]", [1]),
        (Any, "[1, {}]", [1, {}]),
        (Literal["a", 1, True], "true", True),
        (Size, '"s"', Size.SMALL),
        (dict[UUID, int], '{"00000000-0000-0000-0000-000000000001": 2}', {UUID(int=1): 2}),
        (dict[date, int], '{"2024-02-29": 2}', {date(2024, 2, 29): 2}),
        (Marked, '{"needed": 1, "fixed": 2}', {"needed": 1, "fixed": 2}),
        (
            Marked,
            '{"needed": 1, "fixed": 2, "optional": "a", "left": "b", "more": 3}',
            {"needed": 1, "fixed": 2, "optional": "a", "left": "b"},
        ),
    ],
)
def test_a_value_at_the_limit_is_read(model: object, body: str, value: object) -> None:
    read = decoded(model, body)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("model", "body", "where"),
    [
        (datetime, '"2024-02-30T12:00:00Z"', "$"),
        (datetime, "1709208000", "$"),
        (date, '"2024-02-30"', "$"),
        (date, "20240229", "$"),
        (time, '"25:00"', "$"),
        (timedelta, "1", "$"),
        (Decimal, '"Infinity"', "$"),
        (Decimal, '"-nan"', "$"),
        (Decimal, '"sNaN12"', "$"),
        (Decimal, "null", "$"),
        (list[Decimal], '["1.0", "  inf  "]', "$[1]"),
        (list[Decimal], '["1.0", "\\u0049nfinity"]', "$[1]"),
        (set[int], '[1, "a"]', "$[1]"),
        (frozenset[int], '["a"]', "$[0]"),
        (tuple[int, str], '[1, "a", 2]', "$"),
        (tuple[int, str], "[1, 2]", "$[1]"),
        (Bounded, '{"value": "a"}', "$.value"),
        (Ids, '["a"]', "$[0]"),
        (Literal["a", 1], "1.0", "$"),
        (Size, "[1, 2]", "$"),
        (dict[UUID, int], '{"x": 2}', "$.x"),
        (dict[str, int], '{"x": "a"}', "$.x"),
        (Marked, '{"fixed": 2}', "$"),
        (Marked, '{"needed": 1}', "$"),
        (Marked, '{"needed": 1, "fixed": "a"}', "$.fixed"),
        (Marked, '{"needed": 1, "fixed": 2, "left": 1}', "$.left"),
    ],
)
def test_a_value_beyond_the_limit_is_refused(model: object, body: str, where: str) -> None:
    assert decoded(model, body) == where


class Shape(msgspec.Struct, tag_field="kind", tag="shape"):
    sides: int


class Round(msgspec.Struct, tag_field="kind", tag="round"):
    radius: float


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('{"kind": "shape", "sides": 3}', Shape(3)),
        ('{"kind": "round", "radius": 1}', Round(1.0)),
        ('{"kind": "shape", "sides": "a"}', "$.sides"),
        ('{"kind": "round", "radius": "a"}', "$.radius"),
        ('{"kind": "other"}', "$"),
        ("[]", "$"),
    ],
)
def test_a_tag_decides_between_structs(body: str, value: object) -> None:
    assert decoded(Shape | Round, body) == value


def test_a_float_is_a_decimal_as_far_as_its_digits_are_certain() -> None:
    read: Final = structure_of(Decimal).from_document
    assert read(1.23456789012345) == Decimal("1.23456789012345")
    for number in (1.234567890123456, 1e-7, 1e30):
        with pytest.raises(MismatchError):
            read(number)


def test_numbers_of_a_float_are_finite() -> None:
    read: Final = structure_of(float).from_document
    assert read(1e308) == 1e308
    for number in (float("nan"), float("inf"), 10**309):
        with pytest.raises(MismatchError):
            read(number)


@pytest.mark.parametrize(
    ("member", "text", "value"),
    [
        ("type", '"https://h/p"', "https://h/p"),
        ("type", '""', "about:blank"),
        ("type", "7", "about:blank"),
        ("title", '"t"', "t"),
        ("title", "7", None),
        ("status", "404", 404),
        ("status", "true", None),
        ("status", '"404"', None),
        ("detail", '"d"', "d"),
        ("detail", "[]", None),
        ("instance", '"/i"', "/i"),
        ("instance", "null", None),
    ],
)
def test_a_member_of_a_problem_counts_if_it_has_its_type(
    member: str, text: str, value: object
) -> None:
    fields = freeze_headers({"Content-Type": "application/problem+json"})
    body = f'{{"{member}": {text}, "more": 1}}'.encode()
    found = problem(HTTPStatusError(HttpResponse(400, fields, body))).unwrap()
    assert getattr(found, member) == value
    assert dict(found.extensions) == {"more": 1}


@pytest.mark.parametrize(
    ("model", "body", "value"),
    [
        (Decimal | float, "1.5", Decimal("1.5")),
        (float | Decimal, "1.5", 1.5),
        (Decimal | int, "1.5", Decimal("1.5")),
        (Decimal | float, "1", Decimal(1)),
        (Decimal | int | float, "1", 1),
        (Decimal | str, "1.5", Decimal("1.5")),
        (float | int, "1", 1),
    ],
)
def test_of_several_kinds_of_numbers_the_first_that_fits_is_read(
    model: object, body: str, value: object
) -> None:
    read = decoded(model, body)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_no_digit_of_a_decimal_is_lost_in_any_encoding(encoding: str) -> None:
    body = '{"a": 1.234567890123456789}'.encode(encoding)
    found = decode(dict[str, Decimal])(HttpResponse(200, body=body))
    assert found.unwrap() == {"a": Decimal("1.234567890123456789")}


WANTED: Final[list[tuple[object, str]]] = [
    (None, "null"),
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a number"),
    (str, "a string"),
    (bytes, "bytes as text (base64)"),
    (datetime, "a date and time as text (ISO 8601)"),
    (date, "a date as text (ISO 8601)"),
    (time, "a time as text (ISO 8601)"),
    (timedelta, "a duration as text (ISO 8601)"),
    (Decimal, "a decimal number as text"),
    (UUID, "a UUID as text"),
    (Size, "a value of Size"),
    (Literal["a", 2], "'a' or 2"),
    (list[int], "an array"),
    (dict[str, int], "an object"),
    (tuple[int, int], "an array of 2"),
    (Bounded[int], "an object"),
    (Marked, "an object"),
    (int | str, "int or str"),
    (int | list[str], "int or list"),
]


@pytest.mark.parametrize(("model", "wanted"), WANTED)
def test_a_refusal_names_what_was_expected(model: object, wanted: str) -> None:
    wrong: list[JSON] = [[1.5], {"other": [None]}, 1.25, True, "\u2603", None]
    read: Final = structure_of(model).from_document
    refused = []
    for value in wrong:
        try:
            read(value)
        except MismatchError as error:
            refused.append(error.expected)
    assert any(text.startswith(f"expected {wanted}, found ") for text in refused)
    assert len(refused) >= 3


@dataclass
class Deep:
    items: list[dict[str, tuple[int, Bounded[int]]]]


def test_the_place_of_a_value_leads_through_every_kind_of_container() -> None:
    body = '{"items": [{}, {"a": [1, {"value": 2}], "b c": [1, {"value": null}]}]}'
    assert decoded(Deep, body) == '$.items[1]["b c"][1].value'
    assert decoded(Deep, body.replace("null", "3")) == Deep(
        [{}, {"a": (1, Bounded(2)), "b c": (1, Bounded(3))}]
    )


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, msgspec.Meta(ge=0, le=9)]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('{"count": 0}', Strict(0)),
        ('{"count": 9}', Strict(9)),
        ('{"count": 10}', "$.count"),
        ('{"count": -1}', "$.count"),
        ('{"count": "a"}', "$.count"),
        ('{"count": 1, "other": 2}', "$"),
        ("{}", "$"),
    ],
)
def test_constraints_of_a_struct_are_kept(body: str, value: object) -> None:
    assert decoded(Strict, body) == value
    assert decoded(list[Strict], f"[{body}]") == (
        [value] if isinstance(value, Strict) else f"$[0]{str(value)[1:]}"
    )


@pytest.mark.parametrize(
    ("body", "value"), [("[1, 2]", [1, 2]), ("[]", "$"), ("[1, 2, 3]", "$"), ('["a"]', "$")]
)
def test_constraints_beside_a_type_are_kept(body: str, value: object) -> None:
    model = Annotated[list[int], msgspec.Meta(min_length=1, max_length=2), "a note"]
    found = decoded(model, body)
    assert found == value or (value == "$" and str(found).startswith("$"))
    read = structure_of(Annotated[Bounded[int] | None, "a note"]).from_document
    assert (read(None), read({"value": 1})) == (None, Bounded(1))
