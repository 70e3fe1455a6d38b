"""The types that are decoded: the table in `railhttp.railway.structure`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, NamedTuple, NewType, NotRequired, Required, TypedDict
from uuid import UUID

import attrs
import pytest
import typing_extensions
from returns.result import Result

from railhttp import HTTPDecodeError, HttpResponse
from railhttp.model.response import JSON
from railhttp.railway import Decoder, decode
from railhttp.railway.mismatch import MismatchError
from railhttp.railway.structure import structure_of

UserId = NewType("UserId", int)


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Level(IntEnum):
    LOW = 1


@dataclass(frozen=True)
class Money:
    cents: int
    currency: str = field(default="EUR", kw_only=True)
    tags: list[str] = field(default_factory=list)
    label: str = field(default="", init=False)

    def __post_init__(self) -> None:
        if self.cents < 0:
            raise ArithmeticError(f"a secret: {self.cents}")


@attrs.define
class Item:
    id: int
    _price: Money
    note: str | None = None
    parts: list[Item] = attrs.field(factory=list)


Loose = attrs.make_class("Loose", {"id": attrs.field(), "note": attrs.field(default="")})


class Point(NamedTuple):
    x: float
    y: float = 0.0


class Stock(TypedDict):
    id: int
    left: NotRequired[int]


class Options(TypedDict, total=False):
    verbose: bool
    name: Required[Annotated[str, "documented"]]
    colour: typing_extensions.ReadOnly[Colour]


Names = typing_extensions.TypeAliasType("Names", list[str])


def decoded(model: object, document: JSON) -> Result[object, HTTPDecodeError]:
    decoder: Decoder[object] = decode(model)  # type: ignore[call-overload]  # types of all kinds
    return decoder(HttpResponse(200, body=json.dumps(document).encode()))


@pytest.mark.parametrize(
    ("model", "document", "value"),
    [
        (str, "a", "a"),
        (int, 10**400, 10**400),
        (float, 1, 1.0),
        (bool, True, True),
        (None, None, None),
        (object, {"a": [1]}, {"a": [1]}),
        (Any, "anything", "anything"),
        (datetime, "2024-02-29T12:00:00Z", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        (date, "2024-02-29", date(2024, 2, 29)),
        (time, "12:30", time(12, 30)),
        (Decimal, "1.10", Decimal("1.10")),
        (
            UUID,
            "12345678-1234-5678-1234-567812345678",
            UUID(int=0x12345678123456781234567812345678),
        ),
        (list, [1, "a"], [1, "a"]),
        (list[int], [1, 2], [1, 2]),
        (Sequence[int], [1, 2], [1, 2]),
        (tuple, [1, "a"], (1, "a")),
        (tuple[int, ...], [1, 2, 3], (1, 2, 3)),
        (tuple[()], [], ()),
        (tuple[int, str], [1, "a"], (1, "a")),
        (dict, {"a": 1}, {"a": 1}),
        (dict[str, float], {"a": 1}, {"a": 1.0}),
        (Mapping[str, list[int]], {"a": [1]}, {"a": [1]}),
        (int | None, None, None),
        (int | None, 1, 1),
        (int | str, "a", "a"),
        (int | str | None, None, None),
        (float | int, 2**53 + 1, 2**53 + 1),
        (str | float | None | int, 1, 1),
        (float | int, 1.0, 1.0),
        (
            UUID | str,
            "12345678-1234-5678-1234-567812345678",
            UUID(int=0x12345678123456781234567812345678),
        ),
        (Literal["a", 1, None], None, None),
        (Colour, "green", Colour.GREEN),
        (Level, 1, Level.LOW),
        (UserId, 7, 7),
        (Annotated[int, "a note", []], 7, 7),
        (Names, ["a"], ["a"]),
        (Money, {"cents": 1}, Money(1)),
        (Money, {"cents": 1, "currency": "CHF", "new": 0}, Money(1, currency="CHF")),
        (Loose, {"id": "anything"}, Loose("anything")),
        (Point, {"x": 1}, Point(1.0)),
        (Stock, {"id": 1, "new": 0}, {"id": 1}),
        (Stock, {"id": 1, "left": 2}, {"id": 1, "left": 2}),
        (Options, {"name": "a", "colour": "red"}, {"name": "a", "colour": Colour.RED}),
        (
            Item,
            {"id": 1, "_price": {"cents": 2}, "parts": [{"id": 3, "_price": {"cents": 4}}]},
            Item(1, Money(2), parts=[Item(3, Money(4))]),
        ),
    ],
)
def test_a_document_of_the_right_shape_is_read(
    model: object, document: JSON, value: object
) -> None:
    for read in (decoded(model, document).unwrap(), structure_of(model).from_document(document)):
        assert read == value
        assert type(read) is type(value)


@pytest.mark.parametrize(
    ("model", "document", "expected"),
    [
        (str, 1, "expected a string, found a number"),
        (tuple[()], [1, 2], "expected an array of 0, found an array"),
        (int, True, "expected an integer, found a boolean"),
        (int, 1.0, "expected an integer, found a number"),
        (int, "1", "expected an integer, found a string"),
        (float, True, "expected a number, found a boolean"),
        (float, 10**400, "expected a number that a float can hold, found a number"),
        (float, float("inf"), "expected a number that a float can hold, found a number"),
        (bool, 1, "expected a boolean, found a number"),
        (None, 0, "expected null, found a number"),
        (datetime, "soon", "expected a date and time as text (ISO 8601), found a string"),
        (Decimal, "NaN", "expected a decimal number as text, found a string"),
        (Decimal, "one", "expected a decimal number as text, found a string"),
        (UUID, 1, "expected a UUID as text, found a number"),
        (list[int], {}, "expected an array, found an object"),
        (tuple[int, str], [1], "expected an array of 2, found an array"),
        (tuple[int, str], {}, "expected an array of 2, found an object"),
        (dict[str, int], [], "expected an object, found an array"),
        (int | str, None, "expected int or str, found null"),
        (Literal["a", 1], True, "expected 'a' or 1, found a boolean"),
        (Literal["a"], [], "expected 'a', found an array"),
        (Colour, "blue", "expected a value of Colour, found a string"),
        (Level, True, "expected a value of Level, found a boolean"),
        (Money, [], "expected an object, found an array"),
        (Money, {}, "expected a member 'cents', found none"),
        (Money, {"cents": -1}, "expected a valid Money, got a ArithmeticError"),
        (Stock, {"left": 2}, "expected a member 'id', found none"),
        (Options, {}, "expected a member 'name', found none"),
    ],
)
def test_a_document_of_another_shape_is_refused(
    model: object, document: JSON, expected: str
) -> None:
    with pytest.raises(MismatchError) as caught:
        structure_of(model).from_document(document)
    assert caught.value.expected == expected
    assert caught.value.__cause__ is None
    if document != float("inf"):  # no JSON
        assert decoded(model, document).failure().message == expected


@pytest.mark.parametrize(
    ("model", "document", "where"),
    [
        (Money, {"cents": 1, "tags": ["a", 2]}, "$.tags[1]"),
        (dict[str, tuple[int, int]], {"a b": [1, None]}, '$["a b"][1]'),
        (list[Stock], [{"id": 1, "left": "x"}], "$[0].left"),
        (Item | None, {"id": 1, "_price": {"cents": "x"}}, "$._price.cents"),
    ],
)
def test_a_refusal_knows_the_way_to_its_place(model: object, document: JSON, where: str) -> None:
    assert decoded(model, document).failure().where == where


def test_not_required_in_a_postponed_annotation() -> None:
    assert "left" in Stock.__required_keys__, "Python reads it at last: drop the work-around"
    assert decoded(Stock, {"id": 1}).unwrap() == {"id": 1}


def test_a_name_that_cannot_be_found_is_the_callers_mistake() -> None:
    @dataclass
    class Broken:
        part: Nowhere  # type: ignore[name-defined]  # noqa: F821  # the mistake under test

    with pytest.raises(TypeError, match="Nowhere"):
        decode(Broken)
