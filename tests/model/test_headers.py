"""Header fields: normal form, merging, and what could split a header."""

import math
from enum import IntEnum, StrEnum
from typing import Final

import pytest
from multidict import CIMultiDict

from railhttp.model.charset import charset_of
from railhttp.model.errors import HTTPValidationError
from railhttp.model.headers import (
    _TOKENS,
    extract_json_type,
    merge_headers,
    parse_headers,
    require_headers,
    validate_headers,
)
from railhttp.model.validation import LARGEST_INT

HUGE: Final = pytest.param(10**5000, id="huge")  # its digits are more than str() allows


class Media(StrEnum):
    JSON = "application/json"


class Name(StrEnum):
    PAGE = "X-Page"


class Level(IntEnum):
    HIGH = 3


VALUES: list[tuple[object, str]] = [
    ("a", "a"),
    ("", ""),
    (" \t a  b\t ", "a  b"),
    ("né", "né"),
    (b"n\xc3\xa9", "né"),
    (7, "7"),
    (-0.5, "-0.5"),
    (Media.JSON, "application/json"),
    (Level.HIGH, "3"),
]

REFUSED: list[object] = [None, True, math.nan, HUGE, ["a"], object(), bytearray(b"a")]


@pytest.mark.parametrize(("value", "text"), VALUES)
def test_text_bytes_and_numbers_are_values(value: object, text: str) -> None:
    assert parse_headers({"X-Value": value}) == {"x-value": text}
    assert require_headers({"X-Value": value}) == CIMultiDict({"X-Value": text})
    validate_headers({"X-Value": value})


@pytest.mark.parametrize("value", REFUSED)
def test_other_values_are_refused_by_name(value: object) -> None:
    with pytest.raises(
        HTTPValidationError, match=r"^headers: X-Value must be text, UTF-8 bytes or"
    ):
        parse_headers({"X-Value": value})
    with pytest.raises(
        HTTPValidationError, match=r"^headers: X-Value must be text, UTF-8 bytes or"
    ):
        validate_headers({"X-Value": value})


@pytest.mark.parametrize("character", ["\r", "\n", "\0", "\x1f", "\x7f", "\x85", "\ud800"])
@pytest.mark.parametrize("value", ["{}", "{}s3cret", "s3cret{}", "s3{}cret"])
def test_what_could_split_a_header_is_refused_and_not_shown(character: str, value: str) -> None:
    with pytest.raises(HTTPValidationError, match="X-Value must not have control char") as caught:
        validate_headers({"X-Value": value.format(character)})
    assert "s3" not in f"{caught.value} {vars(caught.value)}"


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    with pytest.raises(HTTPValidationError, match="X-Value must not have"):
        validate_headers({"X-Value": b"\xff"})


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a:", "a\r\n", "é", "a(", "[a]", "\ud800", "Token s"]
)
def test_a_name_is_a_token_and_a_bad_one_is_not_shown(name: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        validate_headers({name: "v"})
    assert str(caught.value) == "headers: must have names that are tokens (RFC 9110, 5.6.2)"


def test_a_bad_name_is_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(HTTPValidationError):
            validate_headers({"X Id": "1"})


def test_a_name_is_accepted_however_many_there_were_before() -> None:
    for number in range(3000):
        validate_headers({f"X-{number}": "1"})
    validate_headers({"X-0": "1", "X-2999": "1", "X-3000": "1"})
    assert len(_TOKENS) <= 1024


def test_a_bad_name_is_not_shown_with_a_bad_value_either() -> None:
    with pytest.raises(HTTPValidationError, match=r"^headers: a field must be text"):
        parse_headers({"Bearer s3cret": None})


@pytest.mark.parametrize(
    "headers", [None, "a: b", [("a", "b")], {1: "a"}, {None: "a"}, {b"a": "a"}]
)
def test_headers_are_a_mapping_from_text(headers: dict[str, str]) -> None:
    for function in (parse_headers, merge_headers, validate_headers):
        with pytest.raises(HTTPValidationError, match=r"^headers: must (be a mapping|have names)"):
            function(headers)


def test_repeated_fields_are_kept_when_sent() -> None:
    fields = CIMultiDict([("Accept", "a"), ("X", "1"), ("accept", "b")])
    assert require_headers(fields).getall("ACCEPT") == ["a", "b"]


def test_the_last_spelling_of_a_name_wins() -> None:
    assert parse_headers({"A": "1", "b": "2", "a": "3"}) == {"a": "3", "b": "2"}


def test_merging_ignores_case_and_the_last_wins() -> None:
    assert merge_headers({"Accept": " a ", "B": 1}, {"ACCEPT": " b "}) == {"accept": "b", "b": "1"}


def test_unnormalised_merging_keeps_the_last_spelling_and_all_characters() -> None:
    merged = merge_headers({"Accept": "a", "B": 1}, {"ACCEPT": " b "}, normalize=False)
    assert merged == {"ACCEPT": " b ", "B": "1"}


def test_merging_nothing_gives_nothing() -> None:
    assert merge_headers() == {}


@pytest.mark.parametrize(
    ("content_type", "json_type"),
    [
        ("application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        (" Application/JSON ;a=b", "application/json"),
        ("application/problem+json", "application/problem+json"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("text/html", None),
        ("text/html; profile=json", None),
        ("", None),
    ],
)
def test_a_json_type_is_one_that_contains_json(content_type: str, json_type: str | None) -> None:
    assert extract_json_type(content_type) == json_type


@pytest.mark.parametrize("content_type", [None, b"application/json", 5])
def test_a_content_type_that_is_no_text_is_refused_by_name(content_type: object) -> None:
    with pytest.raises(HTTPValidationError, match="content_type: must be a str, got"):
        extract_json_type(content_type)  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        ("text/plain", "utf-8"),
        ("text/plain; charset=", "utf-8"),
        ("text/plain; a=b; CharSet='Latin-1'", "latin-1"),
        ("", "utf-8"),
    ],
)
def test_a_charset_is_read_from_its_parameter(content_type: str, charset: str) -> None:
    assert charset_of(content_type) == charset


def test_a_number_may_have_640_digits() -> None:
    for sign in (1, -1):
        largest = sign * (LARGEST_INT - 1)
        assert parse_headers({"X": largest}) == {"x": str(largest)}
        with pytest.raises(HTTPValidationError, match="of more than 640 digits"):
            parse_headers({"X": sign * LARGEST_INT})


@pytest.mark.parametrize("value", ["a\nb", 7, b"a", b"\xff", Media.JSON])
def test_a_bad_name_is_the_reason_whatever_its_value(value: object) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        validate_headers({"Bearer s3cret": value})
    assert str(caught.value) == "headers: must have names that are tokens (RFC 9110, 5.6.2)"


@pytest.mark.parametrize("value", ["a\tb", b"a\tb", "a\tb\té"])
def test_a_tab_may_stand_within_a_value(value: object) -> None:
    expected = value.decode() if isinstance(value, bytes) else value
    assert require_headers({"X-Value": value}) == CIMultiDict({"X-Value": expected})


def test_white_space_around_a_value_is_stripped_only_on_request() -> None:
    spaced = {"Accept": "\t\x0b\x0c\r\n a b \n"}
    assert parse_headers(spaced) == merge_headers(spaced) == {"accept": "a b"}
    assert merge_headers(spaced, normalize=False) == spaced


def test_a_name_that_is_an_enum_is_its_value() -> None:
    [name] = merge_headers({Name.PAGE: 1}, normalize=False)
    assert (name, type(name)) == ("X-Page", str)
    assert require_headers({Name.PAGE: 1}) == CIMultiDict({"X-Page": "1"})
