"""Encoding of values that are more than plain data, and what cannot be encoded."""

import subprocess
import sys
from collections import deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import attrs
import msgspec
import pydantic
import pydantic.dataclasses
import pytest

from railhttp import HTTPValidationError
from railhttp.model.body import json_body
from railhttp.railway import encode


class Point(NamedTuple):
    x: float
    y: float = 0


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class User(pydantic.BaseModel):
    name: str = pydantic.Field(alias="theName")


@pydantic.dataclasses.dataclass
class Weight:
    grams: int = pydantic.Field(alias="theGrams")


class Parcel(msgspec.Struct, rename="camel"):
    sent_by: User


@dataclass
class Holder:
    value: Any


@attrs.define
class Box:
    _content: object


@dataclass
class Empty:
    pass


class Name(str):
    __slots__ = ()


class FrozenClock(datetime):
    """As test tools put in place of `datetime`."""


class Secret:
    def __repr__(self) -> str:
        return "s3cret"


LOOP: list[object] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Point(1.5), b'{"x":1.5,"y":0}'),
        ([Point(1), (1, 2)], b'[{"x":1,"y":0},[1,2]]'),
        (User(theName="a"), b'{"theName":"a"}'),
        ({"users": [User(theName="a")]}, b'{"users":[{"theName":"a"}]}'),
        (Holder(User(theName="a")), b'{"value":{"theName":"a"}}'),
        (Holder(Weight(theGrams=1)), b'{"value":{"theGrams":1}}'),
        (Box(Parcel(User(theName="a"))), b'{"_content":{"sentBy":{"theName":"a"}}}'),
        (Empty(), b"{}"),
        ([Colour.RED, Level.LOW], b'["red",1]'),
        ({Colour.RED: 1, Name("b"): 2}, b'{"red":1,"b":2}'),
        (Name("a"), b'"a"'),
        (FrozenClock(2024, 2, 29), b'"2024-02-29T00:00:00"'),
        (Decimal("1.10"), b'"1.10"'),
        (MappingProxyType({"a": deque([1])}), b'{"a":[1]}'),
        (memoryview(b"a"), b'"YQ=="'),
        (10**30, b"1" + b"0" * 30),
    ],
)
def test_a_value_is_encoded(value: object, text: bytes) -> None:
    assert encode(value) == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (Holder(float("nan")), "contains a number that is not finite"),
        ([Decimal("Infinity")], "contains a number that is not finite"),
        ("\ud800", "contains a lone surrogate"),
        (LOOP, "is nested too deeply or contains itself"),
        (Holder(Secret()), "cannot be written as JSON: it holds a value of type Secret"),
        (
            {"a": iter(["s3cret"])},
            "cannot be written as JSON: it holds a value of type list_iterator",
        ),
        ({None: "s3cret"}, "cannot be written as JSON: it holds a name of type NoneType"),
        ({("s3cret",): 1}, "cannot be written as JSON: it holds a name of type tuple"),
        (
            User.model_construct(name=object()),
            "cannot be written as JSON, got a PydanticSerializationError",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_what_cannot_be_encoded_is_refused(value: object, reason: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        encode(value, field="json")
    assert (caught.value.field, caught.value.message) == ("json", reason)


def test_a_body_is_refused_with_the_same_words() -> None:
    with pytest.raises(HTTPValidationError) as caught:
        json_body([Holder(1j)])
    assert str(caught.value) == (
        "json: cannot be written as JSON: it holds a value of type complex"
    )


def test_msgspec_is_not_imported_before_a_value_needs_it() -> None:
    program = (
        "import railhttp.railway, sys; from railhttp.model.body import json_body;"
        "json_body({'a': [1, 'b', None]}); print({'pydantic', 'msgspec'} & {*sys.modules})"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert output.stdout.strip() == b"set()"


@pytest.mark.parametrize("name", [("a", 1), frozenset[str]()])
def test_plain_data_with_a_name_that_json_does_not_have_is_refused(name: object) -> None:
    with pytest.raises(HTTPValidationError, match="json: cannot be written as JSON"):
        json_body({"a": [{name: None}]})


class Count(int):
    pass


class Ratio(float):
    pass


class Price(Decimal):
    pass


class Id(UUID):
    pass


class Day(date):
    pass


class Hour(time):
    pass


class Blob(bytes):
    pass


UUID_7 = "00000000-0000-0000-0000-000000000007"
SCALARS: list[tuple[object, str]] = [
    ("né", '"né"'),
    (7, "7"),
    (True, "true"),
    (None, "null"),
    (0.5, "0.5"),
    (b"a", '"YQ=="'),
    (bytearray(b"a"), '"YQ=="'),
    (datetime(2024, 2, 29, 12, tzinfo=UTC), '"2024-02-29T12:00:00Z"'),
    (date(2024, 2, 29), '"2024-02-29"'),
    (time(12, 30), '"12:30:00"'),
    (timedelta(seconds=90), '"PT90S"'),
    (UUID(int=7), f'"{UUID_7}"'),
    (Decimal("1.50"), '"1.50"'),
    (Count(7), "7"),
    (Ratio(0.5), "0.5"),
    (Price("1.50"), '"1.50"'),
    (Id(int=7), f'"{UUID_7}"'),
    (Day(2024, 2, 29), '"2024-02-29"'),
    (Hour(12, 30), '"12:30:00"'),
    (Blob(b"a"), '"YQ=="'),
    (memoryview(b"ab")[1:], '"Yg=="'),
    ({"a"}, '["a"]'),
    (frozenset({7}), "[7]"),
    (range(2), "[0,1]"),
    ({"a": 1}.keys(), '["a"]'),
]


@pytest.mark.parametrize(("value", "text"), SCALARS, ids=lambda value: type(value).__name__)
def test_a_value_is_encoded_wherever_it_stands(value: object, text: str) -> None:
    assert encode(value).decode() == text
    assert encode([value]).decode() == f"[{text}]"
    assert encode({"a": (value,)}).decode() == f'{{"a":[{text}]}}'
    assert encode(Holder({"a": value})).decode() == f'{{"value":{{"a":{text}}}}}'
    assert encode(Box(value)).decode() == f'{{"_content":{text}}}'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (7, "7"),
        (Count(7), "7"),
        (0.5, "0.5"),
        (b"a", "YQ=="),
        (Name("a"), "a"),
        (Colour.RED, "red"),
        (Level.LOW, "1"),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29, 12), "2024-02-29T12:00:00"),
        (time(12, 30), "12:30:00"),
        (timedelta(seconds=90), "PT90S"),
        (UUID(int=7), UUID_7),
        (Decimal("1.50"), "1.50"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_name_is_a_scalar_that_has_a_text(name: object, text: str) -> None:
    assert encode({name: None, "b": 1}).decode() == f'{{"{text}":null,"b":1}}'


@pytest.mark.parametrize("name", [True, None, ("s3cret",), Point(1), object()])
def test_any_other_name_is_refused(name: object) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        encode({name: 1})
    assert caught.value.field == "value"
    assert "s3cret" not in caught.value.message


def test_an_error_names_the_argument_of_the_caller() -> None:
    with pytest.raises(HTTPValidationError) as caught:
        encode(object())
    assert (caught.value.field, caught.value.__cause__) == ("value", None)
    with pytest.raises(HTTPValidationError) as caught:
        encode(object(), field="body")
    assert caught.value.field == "body"


@dataclass
class Size:
    width: int


class Shirt(Size, Enum):
    SMALL = 1

    def __new__(cls, width: int) -> "Shirt":
        member = object.__new__(cls)
        member._value_ = f"size {width}"
        return member


def test_an_enum_with_fields_is_encoded_by_its_value_too() -> None:
    assert encode([Shirt.SMALL, Size(2)]) == b'["size 1",{"width":2}]'
