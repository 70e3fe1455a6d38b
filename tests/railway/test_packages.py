"""Models of pydantic and msgspec: their own rules, our words, and never the data."""

import json
import subprocess
import sys
from enum import Enum
from typing import Annotated, Generic, Literal, LiteralString, TypeVar
from uuid import UUID

import msgspec
import pydantic
import pydantic.dataclasses
import pytest
from pydantic_core import PydanticCustomError

from railhttp import HttpResponse
from railhttp.headers import freeze_headers
from railhttp.railway import decode

T = TypeVar("T")


class Colour(Enum):
    RED = "red"


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]


class Price(pydantic.BaseModel):
    cents: int
    id: UUID | None = None
    by_day: dict[str, int] = {}
    either: int | list[bool] = 0
    pet: Cat | Dog | None = pydantic.Field(default=None, discriminator="kind")
    note: str = pydantic.Field(default="", alias="the note")

    @pydantic.field_validator("cents")
    @classmethod
    def _is_fair(cls, cents: int) -> int:
        if cents == 13:
            raise ValueError(f"s3cret {cents}")
        if cents == 14:
            raise RuntimeError(f"s3cret {cents}")
        return cents


@pydantic.dataclasses.dataclass
class Basket:
    prices: list[Price]


class Parcel(msgspec.Struct, forbid_unknown_fields=True):
    weight: float
    colour: Colour = Colour.RED
    id: UUID | None = None
    by_day: dict[str, int] = {}
    inner: "Parcel | None" = None
    parts: list[int] = []

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise ValueError(f"s3cret {self.weight}")


class Page(msgspec.Struct, Generic[T]):
    items: list[T]


class Sheet(pydantic.BaseModel, Generic[T]):
    items: list[T]


@pydantic.dataclasses.dataclass
class Shelf(Generic[T]):
    items: list[T]


class Renamed(msgspec.Struct, rename={"part": "a.b [0]"}):
    part: int


def answer(body: bytes) -> HttpResponse:
    return HttpResponse(200, body=body)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
def test_a_model_of_a_package_is_read(encoding: str) -> None:
    price, parcel = (
        '{"cents": 1, "the note": "é"}'.encode(encoding),
        '{"weight": 2}'.encode(encoding),
    )
    assert decode(Price)(answer(price)).unwrap() == Price.model_validate(
        {"cents": 1, "the note": "é"}
    )
    assert decode(Parcel)(answer(parcel)).unwrap() == Parcel(2.0)


def test_parts_of_a_generic_type_are_found() -> None:
    prices = decode(dict[str, list[Price] | None])
    assert prices(answer(b'{"a": [{"cents": 1}]}')).unwrap() == {"a": [Price(cents=1)]}
    assert decode(Basket)(answer(b'{"prices": []}')).unwrap() == Basket([])
    assert decode(list[Parcel])(answer(b'[{"weight": 1}]')).unwrap() == [Parcel(1.0)]


@pytest.mark.parametrize("model", [Page[int], Sheet[int], Shelf[int]])
def test_a_generic_model_knows_its_parts(model: type[Page[int]]) -> None:
    page = decode(model)
    assert page(answer(b'{"items": [1, 2]}')).unwrap().items == [1, 2]
    assert page(answer(b'{"items": ["one"]}')).failure().where == "$.items[0]"


REFUSED = "expected a value that the model accepts"


@pytest.mark.parametrize(
    ("body", "where", "message"),
    [
        (b'{"prices": 1}', "$.prices", f"{REFUSED} (pydantic: list_type)"),
        (b'{"prices": [{}]}', "$.prices[0]", "expected a member 'cents', found none"),
        (
            b'{"prices": [{"cents": "s3cret"}]}',
            "$.prices[0].cents",
            f"{REFUSED} (pydantic: int_parsing)",
        ),
        (b'{"prices": [{"cents": 13}]}', "$.prices[0].cents", f"{REFUSED} (pydantic: value_error)"),
        (b'{"prices": [{"cents": 14}]}', "$", REFUSED),
        (
            b'{"prices": [{"cents": 1, "id": "s3cret"}]}',
            "$.prices[0].id",
            f"{REFUSED} (pydantic: uuid_parsing)",
        ),
        (
            b'{"prices": [{"cents": 1, "by_day": {"a b": null}}]}',
            '$.prices[0].by_day["a b"]',
            f"{REFUSED} (pydantic: int_type)",
        ),
        (
            b'{"prices": [{"cents": 1, "either": ["s3cret"]}]}',
            "$.prices[0].either",
            f"{REFUSED} (pydantic: int_type)",
        ),
        (
            b'{"prices": [{"cents": 1, "pet": {"kind": "s3cret"}}]}',
            "$.prices[0].pet",
            f"{REFUSED} (pydantic: union_tag_invalid)",
        ),
        (
            b'{"prices": [{"cents": 1, "the note": 1}]}',
            '$.prices[0]["the note"]',
            f"{REFUSED} (pydantic: string_type)",
        ),
        (b'{"s3cret', "line 1 column 2", "not JSON: Unterminated string starting at"),
        (b"\xfe\xff\xd8", "byte 2", "not JSON: not in a Unicode encoding"),
    ],
)
def test_a_refusal_of_pydantic(body: bytes, where: str, message: str) -> None:
    failure = decode(Basket)(answer(body)).failure()
    assert (failure.where, failure.message) == (where, message)
    assert "s3cret" not in str(failure)


@pytest.mark.parametrize(
    ("body", "where", "message"),
    [
        (b'{"weight": "s3cret"}', "$.weight", "expected a number, found a string"),
        (b'{"inner": {}, "weight": 1}', "$.inner", "expected a member 'weight', found none"),
        (b'{"weight": -1}', "$", REFUSED),
        (b'{"weight": 1, "s3cret": 1}', "$", REFUSED),
        (
            b'{"weight": 1, "colour": "s3cret"}',
            "$.colour",
            "expected a value of Colour, found a string",
        ),
        (b'{"weight": 1, "id": "s3cret"}', "$.id", "expected a UUID as text, found a string"),
        (b'{"weight": 1, "by_day": {"a": null}}', "$.by_day.a", "expected an integer, found null"),
        (b'{"weight": 1, "parts": [1, ""]}', "$.parts[1]", "expected an integer, found a string"),
        (b"[]", "$", "expected an object, found an array"),
        (b'{"weight": ', "line 1 column 12", "not JSON: Expecting value"),
    ],
)
def test_a_refusal_of_msgspec(body: bytes, where: str, message: str) -> None:
    failure = decode(Parcel)(answer(body)).failure()
    assert (failure.where, failure.message) == (where, message)
    assert "s3cret" not in str(failure)


@pytest.mark.parametrize(
    ("kind", "text", "context"),
    [
        ("value_error", "no such card: {card}", {"card": "s3cret"}),
        ("assertion_error", "no such card: {card}", {"card": "s3cret"}),
        ("int_parsing", "no such card: {card}", {"card": "s3cret"}),
        ("missing", "no such card: s3cret", {}),
        ("string_type", "no such card: s3cret", {}),
        ("literal_error", "no such card: {expected}", {"expected": "s3cret"}),
        ("no card of s3cret", "no such card", {}),  # a kind of its own
    ],
)
def test_what_a_model_says_itself_is_not_told(
    kind: LiteralString, text: LiteralString, context: dict[str, object]
) -> None:
    def refuse(_: str) -> str:
        raise PydanticCustomError(kind, text, context)

    card = decode(Annotated[str, pydantic.BeforeValidator(refuse), pydantic.Strict()] | Price)
    failure = card(answer(b'"s3cret"')).failure()
    assert failure.message.removesuffix(f" (pydantic: {kind})") == REFUSED
    assert "s3cret" not in str(failure)


def test_a_name_that_msgspec_does_not_escape() -> None:
    failure = decode(Renamed)(answer(b'{"a": 1, "a.b [0]": ""}')).failure()
    assert failure.where == '$["a.b [0]"]'


@pytest.mark.parametrize("model", [Price, Parcel])
def test_a_document_that_is_too_deep_for_the_package_is_a_failure(model: type[object]) -> None:
    levels = 20_000
    body = b'{"weight": 1, "inner": ' * levels + b"null" + b"}" * levels
    assert "nested too deep" in decode(model)(answer(body)).failure().message


@pytest.mark.parametrize("model", [Price, Parcel])
def test_what_is_not_called_json_is_not_read(model: type[object]) -> None:
    response = HttpResponse(200, freeze_headers({"Content-Type": "text/html"}), b"{}")
    assert decode(model)(response).failure().content_type == "text/html"


def test_no_package_is_imported_before_it_is_needed() -> None:
    program = (
        "import railhttp.railway, sys; print({'pydantic', 'msgspec', 'attrs'} & {*sys.modules})"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert output.stdout.strip() == b"set()"


def test_the_rules_are_those_of_the_package() -> None:
    body = json.dumps({"cents": "7"}).encode()
    assert decode(Price)(answer(body)).unwrap().cents == 7
