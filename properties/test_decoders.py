"""Laws of decoders: they agree with a reference, raise nothing, and fail at a place that exists."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final, Literal, NotRequired

import msgspec
import pydantic
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from properties import strategies as some
from returns.pipeline import is_successful
from returns.result import Result
from typing_extensions import TypedDict

from railhttp import HTTPDecodeError
from railhttp.model.response import JSON, HttpResponse, freeze_headers
from railhttp.railway import Decoder, decode, decode_json, decode_lines, decode_text
from railhttp.railway.mismatch import json_path


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Line(TypedDict):
    id: int
    price: NotRequired[float | None]


@dataclass
class Order:
    id: int
    lines: list[Line]
    colour: Colour | None = None
    parent: "Order | None" = None


class Parcel(msgspec.Struct):
    id: int
    lines: list[tuple[str, float]] = []
    parts: dict[str, "Parcel"] = {}


class Customer(pydantic.BaseModel):
    id: int | str
    lines: list[Colour] = []
    parts: dict[str, "Customer"] = {}


NAMES: Final = ("id", "lines", "price", "colour", "parent", "parts")
integers: Final[st.SearchStrategy[JSON]] = st.integers()
floats: Final[st.SearchStrategy[JSON]] = st.floats(0, 1) | st.integers(-9, 9)
line: Final[st.SearchStrategy[JSON]] = st.fixed_dictionaries(
    {"id": integers}, optional={"price": floats}
)
lines: Final[st.SearchStrategy[JSON]] = st.lists(line | some.documents(NAMES), max_size=2)
colours: Final[st.SearchStrategy[JSON]] = st.sampled_from(["red", "green", "blue"])
order: Final[st.SearchStrategy[JSON]] = st.fixed_dictionaries(
    {"id": integers, "lines": lines}, optional={"colour": colours, "parent": st.none() | line}
)
FITTING: Final[Mapping[object, st.SearchStrategy[JSON]]] = {
    Order: order,
    Line: line,
    list[Line]: st.lists(line, max_size=3),
    dict[str, float]: st.dictionaries(some.scalar_text, floats, max_size=3),
    tuple[int, str]: st.tuples(st.integers(), some.scalar_text).map(list),
    tuple[float, ...]: st.lists(floats),
    int: integers,
    float: floats,
    bool: st.booleans(),
    str: some.scalar_text,
    int | str: integers | some.scalar_text,
    Literal["red"]: st.sampled_from(["red", "green"]),
    Colour: colours,
    object: st.none(),
}
"""Types that need no package, and documents that often fit them."""

MODELS: Final = tuple(FITTING)
documents: Final = st.one_of(*FITTING.values(), some.documents(NAMES, "red", 1, 1.5))
cases: Final = st.sampled_from(MODELS).flatmap(
    lambda model: st.tuples(st.just(model), FITTING[model] | documents)
)


def answer(document: JSON) -> HttpResponse:
    return HttpResponse(200, body=json.dumps(document).encode())


def walk(document: JSON, path: str) -> JSON:
    """Go to the place that a path names; read by rules written down a second time."""
    assert path.startswith("$")
    for name, index, quoted in _STEPS.findall(path[1:]):
        if index:
            assert isinstance(document, list)
            document = document[int(index)]
        else:
            assert isinstance(document, dict)
            document = document[name or json.loads(f'"{quoted}"')]
    return document


_STEPS: Final = re.compile(r'\.(\w+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]')


@given(cases)
def test_without_a_package_a_decoder_agrees_with_strict_pydantic(
    case: tuple[type[object], JSON],
) -> None:
    model, document = case
    result = decode(model)(answer(document))
    reference = pydantic.TypeAdapter[object](model)
    try:
        expected = reference.validate_json(json.dumps(document), strict=True)
    except pydantic.ValidationError:
        assert not is_successful(result)
        walk(document, result.failure().where)
    else:
        assert result.unwrap() == expected
        assert type(result.unwrap()) is type(expected)


@pytest.mark.parametrize("model", [Parcel, Customer, list[Parcel], dict[str, Customer]])
@given(document=documents)
def test_with_a_package_a_failure_is_at_a_place_that_exists(
    model: type[object], document: JSON
) -> None:
    result = decode(model)(answer(document))
    if not is_successful(result):
        walk(document, result.failure().where)


@given(some.secrets, documents, st.sampled_from([*MODELS, Parcel, Customer]))
def test_no_failure_shows_the_data(secret: str, document: JSON, model: type[object]) -> None:
    hidden = _hide(document, secret)
    result = decode(model)(answer(hidden))
    if not is_successful(result):
        assert secret not in str(result.failure())
        assert secret not in repr(result.failure())


def _hide(document: JSON, secret: str) -> JSON:
    match document:
        case dict():
            return {name: _hide(value, secret) for name, value in document.items()}
        case list():
            return [_hide(value, secret) for value in document]
        case _:
            return secret


spaces: Final = st.text(" \t\n\x1c\x85\xa0\u1680\u2003\u2028\u202f\u205f\u3000", max_size=2)
no_numbers: Final = st.tuples(
    spaces,
    st.sampled_from(["", "+", "-"]),
    st.sampled_from(["NaN", "snan", "nan7", "Inf", "iNfinity", "NaN\u0661"]),
    spaces,
).map("".join)


@given(no_numbers, st.booleans(), st.sets(st.integers(0, 9)))
def test_a_decimal_is_a_finite_number(text: str, ascii_only: bool, escaped: set[int]) -> None:
    letters = [
        f"\\u{ord(letter):04X}"
        if index in escaped
        else json.dumps(letter, ensure_ascii=ascii_only)[1:-1]
        for index, letter in enumerate(text)
    ]
    body = f'["{"".join(letters)}"]'
    assert json.loads(body) == [text]
    result = decode(list[Decimal])(HttpResponse(200, body=body.encode()))
    assert result.failure().where == "$[0]"


DECODERS: Final[Mapping[str, Decoder[object]]] = {
    "json": decode_json,
    "text": decode_text,
    "lines": decode_lines,
    "order": decode(Order),
    "parcel": decode(Parcel),
    "customer": decode(Customer),
}


@pytest.mark.parametrize("decoder", DECODERS.values(), ids=DECODERS)
@given(
    body=st.binary() | st.text().map(lambda text: text.encode("utf-16", "surrogatepass")),
    content_type=st.sampled_from(["", "application/json", "text/plain"])
    | some.header_values.map(lambda value: f"text/json; charset={value}"),
)
@example(body=b"[" * 100_000, content_type="")
@example(body=b"9" * 5000, content_type="")
@example(body=b'{"parts":{"a":' * 100_000, content_type="")
def test_whatever_comes_nothing_is_raised(
    decoder: Decoder[object], body: bytes, content_type: str
) -> None:
    response = HttpResponse(200, freeze_headers({"Content-Type": content_type}), body)
    result: Result[object, HTTPDecodeError] = decoder(response)
    assert is_successful(result) or isinstance(result.failure(), HTTPDecodeError)


@given(documents)
def test_json_is_read_as_it_was_written(document: JSON) -> None:
    assert decode_json(answer(document)).unwrap() == document


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"))))
def test_lines_are_read_as_they_were_written(lines: list[str]) -> None:
    body = "".join(f"{line}\n" for line in lines).encode()
    assert decode_lines(HttpResponse(200, body=body)).unwrap() == tuple(lines)


@given(st.lists(st.integers(0, 9) | st.text(max_size=5), max_size=5))
def test_a_path_leads_where_it_says(steps: list[str | int]) -> None:
    document: JSON = "here"
    for step in reversed(steps):
        document = [document] * (step + 1) if isinstance(step, int) else {step: document}
    assert walk(document, json_path(steps)) == "here"
