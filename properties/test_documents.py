"""msgspec and the standard library read a document alike, so either may parse it."""

import json
from math import isinf
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from railhttp import HTTPDecodeError, HttpResponse
from railhttp.model.response import JSON

scalars: Final = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
texts: Final = st.text(st.characters(codec="utf-8"))
documents: Final[st.SearchStrategy[JSON]] = st.recursive(
    scalars | texts, lambda some: st.lists(some) | st.dictionaries(texts, some), max_leaves=20
)
numbers: Final = st.from_regex(
    r"-?(0|[1-9][0-9]{0,320})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?", fullmatch=True
)


def read(body: bytes) -> JSON:
    return HttpResponse(200, body=body).json()


@given(documents, st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-32-be", "utf-8-sig"]))
def test_the_encoding_makes_no_difference(document: JSON, encoding: str) -> None:
    assert read(json.dumps(document, ensure_ascii=False).encode(encoding)) == document


@given(numbers)
@example("1e999")
@example("-1E+400")
@example("1e-999")
@example("-0.0")
@example("1" * 400 + ".0")
def test_a_number_is_pythons_or_too_large(text: str) -> None:
    expected = json.loads(text)
    if isinstance(expected, float) and isinf(expected):
        with pytest.raises(HTTPDecodeError, match="a number is too large"):
            read(f'{{"a": [{text}]}}'.encode())
    else:
        assert repr(read(text.encode())) == repr(expected)


def strictly(body: bytes) -> object:
    """Read by the standard library, without the numbers that JSON does not have."""

    def finite(text: str) -> float:
        json.dumps(float(text), allow_nan=False)
        return float(text)

    return json.loads(body, parse_constant=int, parse_float=finite)


@given(documents, st.data())
def test_a_broken_document_is_what_it_is_for_python(document: JSON, data: st.DataObject) -> None:
    body = bytearray(json.dumps(document).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 127))
    try:
        expected = strictly(bytes(body))
    except ValueError:
        with pytest.raises(HTTPDecodeError):
            read(bytes(body))
    else:
        assert read(bytes(body)) == expected
