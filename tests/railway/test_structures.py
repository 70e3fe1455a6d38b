"""Generic, derived and mixed classes, and the places of their errors."""

from collections.abc import Mapping, Set
from dataclasses import InitVar, dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

import attrs
import msgspec
import pydantic
import pydantic.dataclasses
import pytest
from returns.pipeline import is_successful
from typing_extensions import TypeAliasType, TypedDict  # typing's forgets its bases in 3.11

from railhttp import HttpResponse
from railhttp.railway import Decoder, decode
from railhttp.railway.structure import structure_of

T = TypeVar("T")


@dataclass
class Item:
    id: int


@dataclass
class Page(Generic[T]):
    items: list[T]
    next: "Page[T] | None" = None


@dataclass
class Items(Page[Item]):
    total: int = 0


@dataclass
class Titled(Page[T], Generic[T]):
    title: T | None = None


class Pair(NamedTuple, Generic[T]):
    left: T
    right: T | None = None


@attrs.define
class Box(Generic[T]):
    content: T


class Base(TypedDict, Generic[T]):
    content: T


class Derived(Base[Item]):
    label: str


class Grandchild(Derived, total=False):
    note: str


@dataclass
class TitledNumbers(Titled[int]):
    pass


@dataclass
class MoreNumbers(TitledNumbers):
    more: int = 0


@attrs.define
class Boxed(Box[Item]):
    label: str = ""


@attrs.define
class BoxedTwice(Boxed):
    pass


class Named(Pair[Item]):
    pass


@dataclass
class Constant:
    id: Final[int] = 1
    name: Final = "x"


@dataclass
class Salted:
    id: int
    salt: InitVar[int]
    salted: int = field(init=False)

    def __post_init__(self, salt: int) -> None:
        self.salted = self.id + salt


@dataclass(init=False)
class Own:
    id: int

    def __init__(self, number: int) -> None:
        self.id = number


def upper(text: str) -> str:
    return text.upper()


@dataclass
class Doubled:
    id: int

    def __init__(self, id: int) -> None:  # noqa: A002  # the field's name
        self.id = 2 * id


@attrs.define
class Tripled:
    id: int

    def __init__(self, id: int) -> None:  # noqa: A002  # the field's name
        self.id = 3 * id


class Increased(Item):
    def __init__(self, id: int) -> None:  # noqa: A002  # the field's name
        super().__init__(id + 1)


@attrs.define
class Checked:
    id: int = attrs.field(validator=attrs.validators.ge(0))
    name: str = attrs.field(default="", converter=upper)


class Price(pydantic.BaseModel):
    cents: int = pydantic.Field(alias="theCents")


@pydantic.dataclasses.dataclass
class Weight:
    grams: Annotated[int, pydantic.Field(ge=0)]


class Cat(msgspec.Struct, tag=True):
    lives: int


class Dog(msgspec.Struct, tag=True, rename="camel"):
    bones_left: list[int]
    price: Price | None = None


class Row(msgspec.Struct, array_like=True):
    id: int
    name: str


class Sparse(msgspec.Struct):
    """With parts that only msgspec knows, or reads by its own rules."""

    id: int | msgspec.UnsetType
    left: msgspec.UnsetType | str = msgspec.UNSET
    point: Pair[int] | None = None


@dataclass
class Order:
    price: Price
    pets: list[Cat | Dog]
    weight: Weight | None = None
    row: Row | None = None


class Ratio(Enum):
    HALF = 0.5
    NONE = None


class Shade(Enum):
    DARK = "dark"

    @classmethod
    def _missing_(cls, value: object) -> "Shade | None":
        return cls.DARK if value == "DARK" else None


READ: list[object] = []


class Counted(Enum):
    NOTHING = "nothing"

    @classmethod
    def _missing_(cls, value: object) -> None:
        READ.append(value)


@dataclass
class Nested:
    inner: "Nested | None" = None
    end: Counted = Counted.NOTHING


class NestedStruct(msgspec.Struct):
    inner: "NestedStruct | None" = None
    end: Counted = Counted.NOTHING


class Outer(NamedTuple):
    inner: Nested


@dataclass
class Account:
    balance: Decimal
    opened: datetime | None = None


Pairs = TypeAliasType("Pairs", list[Pair[T]], type_params=(T,))


def decoded(model: object, body: bytes) -> object:
    decoder: Decoder[object] = decode(model)  # type: ignore[call-overload]  # types of all kinds
    result = decoder(HttpResponse(200, body=body))
    if is_successful(result):
        return result.unwrap()
    return result.failure().where, result.failure().message


@pytest.mark.parametrize(
    ("model", "body", "value"),
    [
        (Page[Item], b'{"items": [{"id": 1}]}', Page([Item(1)])),
        (Page[Pair[int]], b'{"items": [{"left": 1}]}', Page([Pair(1)])),
        (Page, b'{"items": ["any"]}', Page(["any"])),
        (Items, b'{"items": [{"id": 1}], "total": 1}', Items([Item(1)], total=1)),
        (Titled[str], b'{"items": ["a"], "title": "b"}', Titled(["a"], title="b")),
        (Pair[Item], b'{"left": {"id": 1}}', Pair(Item(1))),
        (Box[Item], b'{"content": {"id": 1}}', Box(Item(1))),
        (Base[Item], b'{"content": {"id": 1}}', {"content": Item(1)}),
        (Derived, b'{"content": {"id": 1}, "label": ""}', {"content": Item(1), "label": ""}),
        (Grandchild, b'{"content": {"id": 1}, "label": ""}', {"content": Item(1), "label": ""}),
        (MoreNumbers, b'{"items": [1], "title": 2}', MoreNumbers([1], title=2)),
        (BoxedTwice, b'{"content": {"id": 1}}', BoxedTwice(Item(1))),
        (Named, b'{"left": {"id": 1}}', Named(Item(1))),
        (Pairs[int], b'[{"left": 1}]', [Pair(1)]),
        (Constant, b'{"id": 2, "name": "y"}', Constant(2, "y")),
        (Checked, b'{"id": 2, "name": "y"}', Checked(2, "Y")),
        (Ratio, b"0.5", Ratio.HALF),
        (Ratio | None, b"null", None),
        (Shade, b'"DARK"', Shade.DARK),
        (tuple[Shade, time], b'["DARK", "12:30"]', (Shade.DARK, time(12, 30))),
        (set[int], b"[1, 1]", {1}),
        (Set[int], b"[1]", {1}),
        (frozenset[tuple[int, int]], b"[[1, 2]]", frozenset({(1, 2)})),
        (bytes, b'"YQ=="', b"a"),
        (timedelta, b'"PT1S"', timedelta(seconds=1)),
        (dict[int, str], b'{"1": "a"}', {1: "a"}),
        (Mapping[UUID, Pair[int]], b"{}", {}),
        (dict[int, Pair[int]], b'{"1": {"left": 1}}', {1: Pair(1)}),
        (dict[Shade, Any], b'{"dark": 1}', {Shade.DARK: 1}),
        (datetime, b'"2024-02-29T12:00Z"', datetime(2024, 2, 29, 12, tzinfo=UTC)),
        (Account, b'{"balance": 1.10}', Account(Decimal("1.10"))),
        (Account, b'{"balance": "1.10"}', Account(Decimal("1.10"))),
        (Pair[Decimal], b'{"left": 1.1, "right": 2}', Pair(Decimal("1.1"), Decimal(2))),
        (Decimal | int, b"1", 1),
        (str, b'"\\ud800"', "\ud800"),
        (Annotated[int, msgspec.Meta(ge=3)], b"3", 3),
        (Annotated[list[Pair[int]], msgspec.Meta(max_length=1)], b"[]", []),
        (Cat | Dog, b'{"type": "Cat", "lives": 7}', Cat(7)),
        (Sparse, b'{"id": 1, "point": [1, 2]}', Sparse(1, point=Pair(1, 2))),
        (list[Price | Weight], b'[{"theCents": 1}]', [Price(theCents=1)]),
        (
            Order,
            b'{"price": {"theCents": 1}, "pets": [{"type": "Dog", "bonesLeft": []}],'
            b' "weight": {"grams": 1}, "row": [1, "a"]}',
            Order(Price(theCents=1), [Dog([])], Weight(1), Row(1, "a")),
        ),
    ],
)
def test_a_document_is_read(model: object, body: bytes, value: object) -> None:
    read = decoded(model, body)
    assert read == value
    assert type(read) is type(value)


def test_a_constructor_that_does_more_than_assign_is_called() -> None:
    salted = decoded(Salted, b'{"id": 1, "salt": 2, "salted": 9}')
    assert isinstance(salted, Salted)
    assert salted.salted == 3
    assert decoded(Own, b'{"number": 1}') == Own(1)
    ids = [decoded(kind, b'{"id": 1}') for kind in (Doubled, Tripled, Increased)]
    assert ids == [Doubled(1), Tripled(1), Increased(1)]


@pytest.mark.parametrize("kind", [Page[Item], Items, Box[Item], Base[Item], Account])
def test_an_ordinary_class_is_decoded_from_the_bytes(kind: object) -> None:
    assert structure_of(kind).from_bytes is not None


REFUSED = "a value that the model accepts"


@pytest.mark.parametrize(
    ("model", "body", "where", "message"),
    [
        (Page[Item], b'{"items": [{"id": ""}]}', "$.items[0].id", "an integer, found a string"),
        (Items, b'{"items": [{}]}', "$.items[0]", "a member 'id', found none"),
        (Titled[str], b'{"items": [1]}', "$.items[0]", "a string, found a number"),
        (Pair[int], b'{"left": ""}', "$.left", "an integer, found a string"),
        (Box[Item], b'{"content": 1}', "$.content", "an object, found a number"),
        (Derived, b'{"content": {}, "label": ""}', "$.content", "a member 'id', found none"),
        (Grandchild, b'{"content": 1, "label": ""}', "$.content", "an object, found a number"),
        (MoreNumbers, b'{"items": [""]}', "$.items[0]", "an integer, found a string"),
        (MoreNumbers, b'{"items": [], "title": ""}', "$.title", "an integer, found a string"),
        (BoxedTwice, b'{"content": 1}', "$.content", "an object, found a number"),
        (Named, b'{"left": {}}', "$.left", "a member 'id', found none"),
        (Salted, b'{"id": 1}', "$", "a member 'salt', found none"),
        (Checked, b'{"id": -1}', "$", "a valid Checked, got a ValueError"),
        (Checked, b'{"name": 1}', "$", "a member 'id', found none"),
        (dict[int, str], b'{"a": ""}', "$.a", REFUSED),
        (set[object], b"[[]]", "$", "an array of hashable values, found an array"),
        (bytes, b'"!"', "$", "bytes as text (base64), found a string"),
        (Account, b'{"balance": "NaN"}', "$.balance", "a decimal number as text, found a string"),
        (
            Account,
            b'{"balance": "-in\\u0066"}',
            "$.balance",
            "a decimal number as text, found a string",
        ),
        (
            Pair[Decimal],
            b'{"left": 0.12345678901234567}',
            "$.left",
            "a decimal number as text, found a number",
        ),
        (Decimal, b"true", "$", "a decimal number as text, found a boolean"),
        (Annotated[int, msgspec.Meta(ge=3)], b"2", "$", REFUSED),
        (int | Item, b'{"id": ""}', "$.id", "an integer, found a string"),
        (Item | Page[int], b'{"id": "", "items": [""]}', "$", "Item or Page, found an object"),
        (
            Cat | Dog,
            b'{"type": "Dog", "bonesLeft": [""]}',
            "$.bonesLeft[0]",
            "an integer, found a string",
        ),
        (Sparse, b'{"id": ""}', "$.id", REFUSED),
        (Cat | Dog, b'{"type": "Cow"}', "$", "Cat or Dog, found an object"),
        (Row, b"[1, 2]", "$", REFUSED),
        (
            Dog,
            b'{"type": "Dog", "bonesLeft": [], "price": {"theCents": ""}}',
            "$.price.theCents",
            "a value that the model accepts (pydantic: int_parsing)",
        ),
        (
            Order,
            b'{"price": {"theCents": ""}, "pets": []}',
            "$.price.theCents",
            "a value that the model accepts (pydantic: int_parsing)",
        ),
        (Order, b'{"price": {}, "pets": []}', "$.price", "a member 'theCents', found none"),
        (
            Order,
            b'{"price": {"theCents": 1}, "pets": [], "weight": {"grams": -1}}',
            "$.weight.grams",
            "a value that the model accepts (pydantic: greater_than_equal)",
        ),
        (
            Order,
            b'{"price": {"theCents": 1}, "pets": [{"type": "Cat"}]}',
            "$.pets[0]",
            "Cat or Dog, found an object",
        ),
    ],
)
def test_a_refusal_names_the_place(model: object, body: bytes, where: str, message: str) -> None:
    assert decoded(model, body) == (where, f"expected {message}")


@pytest.mark.parametrize("model", [Nested, NestedStruct, Outer])
def test_the_place_is_found_in_a_few_readings_however_deep_it_is(model: object) -> None:
    READ.clear()
    depth = 50
    body = b'{"inner": ' * depth + b'{"end": "other"}' + b"}" * depth
    assert decoded(model, body) == (
        f"${'.inner' * depth}.end",
        "expected a value of Counted, found a string",
    )
    assert len(READ) <= 3
