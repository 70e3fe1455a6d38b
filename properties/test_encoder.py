"""The law of `encode` and `decode`: what is written is read back equal."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from functools import partial
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypedDict, TypeVar
from uuid import UUID

import attrs
import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import strategies as some

from railhttp import HttpResponse, HTTPValidationError
from railhttp.railway import Decoder, decode, encode
from railhttp.railway.structure import structure_of

T = TypeVar("T")


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


@dataclass(frozen=True)
class Page(Generic[T]):
    items: tuple[T, ...]
    next: "Page[T] | None" = None


class Pair(NamedTuple, Generic[T]):
    left: T
    right: T


@attrs.frozen
class Box(Generic[T]):
    content: T
    _label: str = ""


class Tagged(TypedDict, Generic[T]):
    tag: str
    value: T


class Price(pydantic.BaseModel, frozen=True):
    cents: int = pydantic.Field(alias="theCents")
    day: date | None = None


class Parcel(msgspec.Struct, frozen=True, rename="camel"):
    net_weight: float
    price: Price | None = None


Kind: TypeAlias = tuple[Any, st.SearchStrategy[Any]]
"""A type, and a strategy for its values."""


def generic(origin: Any) -> Any:
    """Return a class; what stands in brackets after it is no type to mypy."""
    return origin


few: Final = partial(st.lists, max_size=3)
named: Final = partial(st.dictionaries, max_size=3)
prices: Final = st.builds(Price, theCents=st.integers(), day=st.none() | st.dates())
finite: Final = st.floats(allow_nan=False, allow_infinity=False)
zones: Final = st.none() | st.just(UTC)
LEAVES: Final[list[Kind]] = [
    (int, st.integers()),
    (float, finite),
    (bool, st.booleans()),
    (str, some.scalar_text),
    (bytes, st.binary()),
    (datetime, st.datetimes(timezones=zones)),
    (date, st.dates()),
    (time, st.times(timezones=zones)),
    (timedelta, st.timedeltas(timedelta(-9999), timedelta(9999))),
    (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (UUID, st.uuids()),
    (Colour, st.sampled_from(Colour)),
    (Level, st.sampled_from(Level)),
    (int | str | None, st.none() | st.integers() | some.scalar_text),
    (Price, prices),
    (Parcel, st.builds(Parcel, finite, st.none() | prices)),
]
"""All of these have a hash."""

HASHABLE: Final[list[Callable[[Any, st.SearchStrategy[Any]], Kind]]] = [
    lambda kind, values: (generic(tuple)[kind, ...], few(values).map(tuple)),
    lambda kind, values: (generic(frozenset)[kind], st.frozensets(values, max_size=3)),
    lambda kind, values: (kind | None, st.none() | values),
    lambda kind, values: (
        generic(Page)[kind],
        st.builds(Page, st.lists(values, max_size=3).map(tuple)),
    ),
    lambda kind, values: (generic(Pair)[kind], st.builds(Pair, values, values)),
    lambda kind, values: (generic(Box)[kind], st.builds(Box, values, some.scalar_text)),
]
OTHERS: Final[list[Callable[[Any, st.SearchStrategy[Any]], Kind]]] = [
    lambda kind, values: (generic(list)[kind], few(values)),
    lambda kind, values: (generic(set)[kind], st.sets(values, max_size=3)),
    lambda kind, values: (
        generic(dict)[str, kind],
        st.dictionaries(some.scalar_text, values, max_size=3),
    ),
    lambda kind, values: (
        generic(dict)[int, kind],
        st.dictionaries(st.integers(), values, max_size=3),
    ),
    lambda kind, values: (
        generic(dict)[UUID, kind],
        st.dictionaries(st.uuids(), values, max_size=3),
    ),
    lambda kind, values: (
        generic(Tagged)[kind],
        st.fixed_dictionaries({"tag": some.scalar_text, "value": values}),
    ),
]
hashable_kinds: Final[st.SearchStrategy[Kind]] = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.builds(lambda wrap, kind: wrap(*kind), st.sampled_from(HASHABLE), inner),
    max_leaves=3,
)
kinds: Final = hashable_kinds | st.builds(
    lambda wrap, kind: wrap(*kind), st.sampled_from(OTHERS), hashable_kinds
)
cases: Final = kinds.flatmap(lambda kind: st.tuples(st.just(kind[0]), kind[1]))


@given(cases)
def test_what_is_encoded_is_decoded_to_an_equal_value(case: tuple[Any, object]) -> None:
    model, value = case
    decoder: Decoder[object] = decode(model)
    text = encode(value)
    by_msgspec = decoder(HttpResponse(200, body=text)).unwrap()
    by_our_readers = structure_of(model).from_document(json.loads(text))
    for read in (by_msgspec, by_our_readers):
        assert read == value
        assert type(read) is type(value)


@given(some.objects, some.secrets)
def test_what_cannot_be_encoded_is_refused_without_showing_it(value: object, secret: str) -> None:
    class Secret:
        def __repr__(self) -> str:
            return secret

    with pytest.raises(HTTPValidationError) as caught:
        encode([value, secret, Secret()])
    assert secret not in str(caught.value)
    assert caught.value.field == "value"
