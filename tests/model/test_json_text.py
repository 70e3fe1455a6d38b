"""JSON text of plain data."""

import json
import sys
from collections import OrderedDict, UserString
from collections.abc import Iterator
from enum import IntEnum, StrEnum
from typing import NamedTuple

import pytest

from railhttp.model import json_text
from railhttp.model.json_text import plain_json


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Point(NamedTuple):
    x: int
    y: int


class Name(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (None, "null"),
        ("né", '"né"'),
        (1e16, "1e+16"),
        ([], "[]"),
        ((1, (2.5, [True])), "[1,[2.5,[true]]]"),
        ({"a": {"b": [{"c": None}]}}, '{"a":{"b":[{"c":null}]}}'),
        ({1: "a", None: "b", False: "c"}, '{"1":"a","null":"b","false":"c"}'),
    ],
)
def test_plain_data_is_compact_text(document: object, text: str) -> None:
    assert plain_json(document) == text


@pytest.mark.parametrize(
    "value",
    [Colour.RED, Level.LOW, Point(1, 2), Name("a"), OrderedDict(a=1), {1}, b"a", UserString("a")],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("depth", range(3))
def test_other_data_has_no_plain_text_however_deep_it_is(value: object, depth: int) -> None:
    for level in range(depth):
        value = [1, value, "b"] if level % 2 else {"a": 1, "b": value, "c": None}
    assert plain_json(value) is None


def test_names_that_json_does_not_have_are_not_plain() -> None:
    assert plain_json({(1, 2): 3}) is None


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_a_number_that_is_not_finite_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="float"):
        plain_json({"a": [number]})


def test_a_document_that_contains_itself_is_refused() -> None:
    document: list[object] = [1]
    document.append({"again": document})
    with pytest.raises(RecursionError):
        plain_json(document)


@pytest.mark.parametrize("document", [{"a": [1, "né", None, 2.5]}, (True, {})])
def test_a_python_without_the_encoder_in_c_writes_the_same(
    document: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("json.encoder.c_make_encoder", None)
    write = json_text._writer()
    assert write(document) == plain_json(document)
    assert json.loads(write(document)) == json.loads(json.dumps(document))


def test_names_stay_in_their_order() -> None:
    assert plain_json({"b": 1, "a": {"d": 2, "c": 3}}) == '{"b":1,"a":{"d":2,"c":3}}'


def test_a_long_document_is_written_as_a_short_one() -> None:
    document = [["a", 1]] * 60_000  # the encoder in C joins its pieces by the hundred thousand
    text = ",".join(['["a",1]'] * 60_000)
    assert plain_json(document) == f"[{text}]"


def test_one_encoder_in_c_writes_all_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """To build it takes as long as to write a small document."""
    made: list[object] = []
    make = json.encoder.c_make_encoder  # type: ignore[attr-defined]  # as CPython has it

    def counted(*arguments: object) -> object:
        made.append(make(*arguments))
        return made[-1]

    monkeypatch.setattr("json.encoder.c_make_encoder", counted)
    write = json_text._writer()
    assert [write({"a": [1]}), write("b"), write(None)] == ['{"a":[1]}', '"b"', "null"]
    assert len(made) == 1


@pytest.fixture
def usual_recursion_limit() -> Iterator[None]:
    """Undo the limit of mypy, which other tests call here: generators that deep take 37 s."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(limit)


@pytest.mark.usefixtures("usual_recursion_limit")
def test_a_python_without_the_encoder_in_c_refuses_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("json.encoder.c_make_encoder", None)
    write = json_text._writer()
    for number in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="float"):
            write([number])
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(RecursionError):
        write(loop)
    assert write({"b": "é", "a": {}}) == '{"b":"é","a":{}}'
