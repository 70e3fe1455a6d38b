"""The lines of header fields, and which of them need no further look."""

from collections.abc import Mapping
from enum import StrEnum

import pytest
from multidict import CIMultiDict

from railhttp.model.field_lines import NO_LINES, FieldLines, plain_lines

TWICE = CIMultiDict([("Accept", "a"), ("X", "b"), ("accept", "c")])


class Name(StrEnum):
    PAGE = "X-Page"


class Text(str):
    __slots__ = ()


def test_lines_keep_the_order_the_spelling_and_repeated_names() -> None:
    lines = FieldLines.of(TWICE)
    assert lines.names == ("Accept", "X", "accept")
    assert lines.values == ("a", "b", "c")
    assert [*lines.fields.items()] == [*TWICE.items()]


def test_lines_without_some_names_leave_them_out_in_any_spelling() -> None:
    lines = FieldLines.of(TWICE)
    assert lines.without(frozenset({"accept"})) == FieldLines(("X",), ("b",))
    assert lines.without(frozenset({"x"})) == FieldLines(("Accept", "accept"), ("a", "c"))
    assert lines.without(frozenset({"accept", "x"})) == NO_LINES


DEFAULTS = FieldLines(("Accept",), ("a/b",))


@pytest.mark.parametrize(
    ("given", "defaults", "lines"),
    [
        ({}, None, NO_LINES),
        ({}, DEFAULTS, DEFAULTS),
        (None, DEFAULTS, DEFAULTS),
        ({"X-Page": " 2 "}, None, FieldLines(("X-Page",), ("2",))),
        ({"X-Name": "é ñ"}, None, FieldLines(("X-Name",), ("é ñ",))),
        (
            {"X-A": "1", "X-B": "2"},
            DEFAULTS,
            FieldLines(("Accept", "X-A", "X-B"), ("a/b", "1", "2")),
        ),
    ],
)
def test_usual_fields_follow_the_defaults(
    given: dict[str, str] | None, defaults: FieldLines | None, lines: FieldLines
) -> None:
    assert plain_lines(given, defaults) == lines


@pytest.mark.parametrize(
    ("given", "defaults"),
    [
        (None, None),
        *(({name: "1"}, None) for name in ("Content-Length", "content-type", "HOST")),
        ({"transfer-encoding": "chunked"}, None),
        (None, FieldLines(("Host",), ("h",))),
        ({"X": "1"}, FieldLines(("Host",), ("h",))),
        ({"accept": "c/d"}, DEFAULTS),
        ({"X": "1", "x": "2"}, None),
        ({"": "1"}, None),
        ({"X Y": "1"}, None),
        ({"X:": "1"}, None),
        ({"é": "1"}, None),
        ({"X": "a\tb"}, None),
        ({"X": "a\r\nY: b"}, None),
        ({"X": "\ud800"}, None),
        ({"X": b"1"}, None),
        ({"X": 1}, None),
        ({"X": Text("1")}, None),
        ({Name.PAGE: "1"}, None),
        ({1: "1"}, None),
    ],
)
def test_all_other_fields_need_a_look(
    given: Mapping[object, object] | None, defaults: FieldLines | None
) -> None:
    assert plain_lines(given, defaults) is None  # type: ignore[arg-type]


def test_an_enum_as_a_name_is_seen_although_it_equals_a_name_that_came_before() -> None:
    assert plain_lines({"X-Page": "1"}, None) == FieldLines(("X-Page",), ("1",))
    assert plain_lines({Name.PAGE: "1"}, None) is None


@pytest.mark.parametrize("lines", [FieldLines(("A", "B"), ("1",)), FieldLines(("A",), ("1", "2"))])
def test_lines_with_a_value_too_few_or_too_many_are_never_cut_short(lines: FieldLines) -> None:
    with pytest.raises(ValueError, match="zip"):
        _ = lines.fields
    with pytest.raises(ValueError, match="zip"):
        lines.without(frozenset())


def test_lines_are_plain_again_each_time() -> None:
    for number in range(3000):
        name = f"X-{number}"
        assert plain_lines({name: "1"}, None) == FieldLines((name,), ("1",))
    assert plain_lines({"X-0": "1"}, None) == FieldLines(("X-0",), ("1",))


@pytest.mark.parametrize("name", ["Content-Type", "Content-Length", "Host", "Transfer-Encoding"])
def test_each_field_that_frames_or_describes_a_body_needs_a_look_among_others(name: str) -> None:
    lines = FieldLines((name,), ("1",))
    for spelled in (name, name.lower(), name.upper()):
        assert plain_lines({"X": "1", spelled: "1"}, None) is None
        assert plain_lines({spelled: "1"}, DEFAULTS) is None
    assert plain_lines({}, lines) is plain_lines(None, lines) is None
    assert plain_lines({name[:-1]: "1"}, None) == FieldLines((name[:-1],), ("1",))
