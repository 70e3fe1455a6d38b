"""Values as texts in a path, a query or a header field, and back."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Literal, NewType
from uuid import UUID

import pytest

from railhttp.endpoints.texts import text_of, text_shape, texts_of


class Colour(Enum):
    RED = "red"
    TWO = 2


class Name(StrEnum):
    ANN = "ann"


class Number(IntEnum):
    ONE = 1


class Shouted(str):
    __slots__ = ()

    def __str__(self) -> str:
        return self.upper()


Id = NewType("Id", int)


@pytest.mark.parametrize(
    ("hint", "value", "text"),
    [
        (str, "a b", "a b"),
        (str, "", ""),
        (int, -7, "-7"),
        (Id, 7, "7"),
        (Annotated[int, "positive"], 7, "7"),
        (float, 0.1, "0.1"),
        (float, 1e16, "1e+16"),
        (bool, True, "true"),
        (bool, False, "false"),
        (Decimal, Decimal("1.50"), "1.50"),
        (UUID, UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (datetime, datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00+00:00"),
        (date, date(2026, 1, 2), "2026-01-02"),
        (time, time(3, 4), "03:04:00"),
        (Colour, Colour.RED, "red"),
        (Colour, Colour.TWO, "2"),
        (Name, Name.ANN, "ann"),
        (Number, Number.ONE, "1"),
        (Literal["a", 1], 1, "1"),
        (int | str, 7, "7"),
        (str | int, "x", "x"),
        (bool | int | str, True, "true"),
        (int | float, 0.5, "0.5"),
        (int | None, 7, "7"),
    ],
)
def test_a_value_has_a_text_and_comes_back(hint: object, value: object, text: str) -> None:
    assert text_of(value) == text
    back = text_shape(hint).read(text)
    assert (back, type(back)) == (value, type(value))


def test_the_text_of_a_subclass_of_str_is_its_own() -> None:
    assert text_of(Shouted("a")) == "a"


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (list[int], [1, 2]),
        (Sequence[int], [1, 2]),
        (tuple[int, ...], (1, 2)),
        (set[int], {1, 2}),
        (frozenset[int], frozenset({1, 2})),
        (list[int | str], [1, "a"]),
        (list[int] | None, [1]),
    ],
)
def test_a_collection_has_one_text_for_each_item(hint: object, value: object) -> None:
    shape = text_shape(hint)
    assert shape.collect is not None
    assert shape.collect(map(shape.read, texts_of(value))) == value


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), Decimal("nan"), 10**640, object(), b"x", {"a": 1}]
)
def test_a_value_without_a_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"must|use text"):
        text_of(value)


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (int, "x"),
        (int, "1.5"),
        (int, "1_0"),
        (int, "٣"),
        (float, "x"),
        (float, "nan"),
        (float, "inf"),
        (bool, "True"),
        (bool, "1"),
        (Decimal, "x"),
        (Decimal, "NaN"),
        (UUID, "x"),
        (date, "x"),
        (datetime, "x"),
        (time, "x"),
        (Colour, "RED"),
        (Literal["a"], "b"),
        (int | date, "x"),
    ],
)
def test_a_text_of_another_form_is_refused(hint: object, text: str) -> None:
    with pytest.raises(ValueError, match=r"must be|fits none"):
        text_shape(hint).read(text)


@pytest.mark.parametrize(
    "hint", [object, bytes, dict[str, int], list[list[int]], tuple[int, str], complex, list[bytes]]
)
def test_a_type_without_texts_is_a_type_error(hint: object) -> None:
    with pytest.raises(TypeError, match="has no form as text"):
        text_shape(hint)


class OwnInt(int):
    def __repr__(self) -> str:
        return "own"


class OwnFloat(float):
    def __repr__(self) -> str:
        return "own"


class OwnDecimal(Decimal):
    pass


class OwnUUID(UUID):
    pass


class OwnDatetime(datetime):
    pass


class OwnDate(date):
    pass


class OwnTime(time):
    pass


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (OwnInt(7), "7"),
        (OwnFloat(0.5), "0.5"),
        (OwnDecimal("1.50"), "1.50"),
        (OwnUUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (OwnDatetime(2026, 1, 2, 3, 4), "2026-01-02T03:04:00"),
        (OwnDate(2026, 1, 2), "2026-01-02"),
        (OwnTime(3, 4), "03:04:00"),
        (datetime(2026, 1, 2, 3, 4), "2026-01-02T03:04:00"),
        (10**640 - 1, "9" * 640),
        (1 - 10**640, "-" + "9" * 640),
    ],
)
def test_a_value_of_a_subclass_has_the_text_of_its_class(value: object, text: str) -> None:
    assert text_of(value) == text


def test_a_number_of_more_than_640_digits_is_refused() -> None:
    for value in (10**640, -(10**640)):
        with pytest.raises(ValueError, match="at most 640 digits"):
            text_of(value)


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (None, []),
        (7, ["7"]),
        ("ab", ["ab"]),
        ([], []),
        ([1, None, True], ["1", "true"]),
        ((1, 2), ["1", "2"]),
        ({1}, ["1"]),
        (frozenset({"a"}), ["a"]),
    ],
)
def test_a_collection_is_written_without_what_is_none(value: object, texts: list[str]) -> None:
    assert texts_of(value) == texts


@pytest.mark.parametrize(
    ("hint", "text", "value"),
    [
        (str | Decimal | float | int | bool, "true", True),
        (str | Decimal | float | int | bool, "7", 7),
        (str | Decimal | float | int | bool, "0.5", 0.5),
        (str | Decimal, "0.5", Decimal("0.5")),
        (Decimal | float, "0.5", 0.5),
        (str | float, "x", "x"),
        (str | date, "2026-01-02", date(2026, 1, 2)),
        (str | Colour, "red", Colour.RED),
        (int | Colour, "2", Colour.TWO),
        (int | (float | None), "7", 7),
        (Annotated[int | str, "x"] | None, "7", 7),
    ],
)
def test_of_a_union_the_type_with_fewer_texts_is_tried_first(
    hint: object, text: str, value: object
) -> None:
    back = text_shape(hint).read(text)
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize(
    ("hint", "collected", "optional"),
    [
        (int, None, False),
        (int | None, None, True),
        (list, ["7"], False),
        (Sequence, ["7"], False),
        (set, {"7"}, False),
        (frozenset, frozenset({"7"}), False),
        (list[int], [7], False),
        (list[int] | None, [7], True),
        (Annotated[list[int], "x"], [7], False),
        (set[Id], {7}, False),
        (frozenset[int | None], frozenset({7}), False),
        (tuple[int, ...], (7,), False),
    ],
)
def test_which_types_hold_several_values_and_which_may_be_none(
    hint: object, collected: object, optional: bool
) -> None:
    shape = text_shape(hint)
    assert shape.optional is optional
    if shape.collect is None:
        assert collected is None
    else:
        found = shape.collect(map(shape.read, ["7"]))
        assert (found, type(found)) == (collected, type(collected))


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        (bool, "must be true or false"),
        (int, "must be an integer"),
        (float, "must be a finite number"),
        (Decimal, "must be a finite number"),
        (UUID, "must be a UUID"),
        (datetime, "must be a date and time"),
        (date, "must be a date "),
        (time, "must be a time "),
        (Literal["a", "b"], "must be 'a' or 'b'"),
    ],
)
def test_a_refusal_names_the_form_and_never_the_text(hint: object, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        text_shape(hint).read("s3cret")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
