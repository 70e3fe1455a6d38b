"""Laws of header fields: parsing is idempotent, merging a monoid that ignores case."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from hypothesis import event, given
from hypothesis import strategies as st
from multidict import CIMultiDict, MultiDict
from properties import strategies as some
from returns.pipeline import is_successful

from railhttp.model.body import StreamBody
from railhttp.model.errors import HTTPError
from railhttp.model.field_lines import FieldLines, plain_lines
from railhttp.model.headers import (
    extract_json_type,
    merge_headers,
    parse_headers,
    require_headers,
    validate_headers,
)
from railhttp.model.request import require_framing
from railhttp.validation import check_headers


@given(some.any_headers)
def test_parsing_is_idempotent(headers: Mapping[str, object]) -> None:
    once = parse_headers(headers)
    assert parse_headers(once) == once


@given(some.any_headers, some.any_headers, some.any_headers, st.booleans())
def test_merging_is_associative_and_has_a_neutral_element(
    a: Mapping[str, object], b: Mapping[str, object], c: Mapping[str, object], normalize: bool
) -> None:
    def merge(*headers: Mapping[str, object]) -> dict[str, str]:
        return merge_headers(*headers, normalize=normalize)

    assert merge(merge(a, b), c) == merge(a, merge(b, c)) == merge(a, b, c)
    assert merge(a, {}) == merge({}, a) == merge(a) == merge(merge(a), merge(a))


@given(some.headers, some.headers, st.booleans())
def test_the_last_wins_in_any_case(
    a: Mapping[str, object], b: Mapping[str, object], normalize: bool
) -> None:
    merged = CIMultiDict(merge_headers(a, b, normalize=normalize))
    expected: CIMultiDict[str] = CIMultiDict()
    for name, value in [*a.items(), *b.items()]:
        text = str(value)
        expected[name] = text.strip("\t ") if normalize else text
    assert merged == expected


@given(some.respelt_fields(), some.respelt_fields(), st.booleans())
def test_of_repeated_names_in_any_case_the_last_wins(
    a: list[tuple[str, str]], b: list[tuple[str, str]], normalize: bool
) -> None:
    merged = merge_headers(MultiDict(a), CIMultiDict(b), normalize=normalize)
    last = {name.lower(): (name, value) for name, value in [*a, *b]}
    assert {name.lower() for name in merged} == last.keys()
    assert len(merged) == len(last)
    for name, value in last.values():
        if normalize:
            assert merged[name.lower()] == value.strip("\t ")
        else:
            assert merged[name] == value


MEDIA_TYPES: Final = st.sampled_from(
    ["application/json", "application/problem+json", "text/json", "text/html", "", "json/x"]
)


@given(MEDIA_TYPES | some.scalar_text, st.sampled_from(["", ";", "; charset=utf-8", ' ;a="json"']))
def test_a_json_type_ignores_case_and_parameters(media_type: str, parameters: str) -> None:
    found = extract_json_type(media_type)
    assert extract_json_type(media_type + parameters) == found
    if media_type.isascii():
        assert extract_json_type(media_type.upper()) == found
    if found is not None:
        assert extract_json_type(found) == found
        assert found == found.lower()


@given(some.headers)
def test_what_is_fit_to_be_sent_is_accepted_as_it_is(headers: Mapping[str, object]) -> None:
    checked = check_headers(headers).unwrap()
    assert [*checked.items()] == [
        (name, str(value).strip("\t ")) for name, value in headers.items()
    ]


@given(some.any_headers | some.headers, st.none() | some.headers.map(require_headers))
def test_the_short_way_to_the_lines_of_fields_leads_where_the_long_one_does(
    headers: dict[str, str], defaults: CIMultiDict[str] | None
) -> None:
    before = None if defaults is None else FieldLines.of(defaults)
    lines = plain_lines(headers, before)
    event(f"the short way: {lines is not None}")
    if lines is not None:
        fields = CIMultiDict(defaults or {})
        fields.update(require_headers(headers))
        assert [*lines.fields.items()] == [*fields.items()]
        require_framing(fields, StreamBody((), ""))
        assert "Content-Type" not in fields


@given(some.any_headers)
def test_what_is_accepted_splits_no_header(headers: Mapping[str, object]) -> None:
    checked = check_headers(headers)
    if is_successful(checked):
        for name, value in checked.unwrap().items():
            line = f"{name}: {value}".encode()
            assert line.splitlines() == [line]
            assert name.isascii()
            assert not {" ", ":", "\0"} & set(name)


@given(some.header_names, some.header_values, some.header_values, st.sampled_from("\r\n\0\x7f\x1b"))
def test_a_control_character_is_refused_wherever_it_stands(
    name: str, before: str, after: str, control: str
) -> None:
    assert not is_successful(check_headers({name: before + control + after}))
    assert not is_successful(check_headers({before + control + after: name}))


@given(some.objects)
def test_nothing_but_an_http_error_comes_out(headers: Mapping[str, object]) -> None:
    for function in (parse_headers, merge_headers, validate_headers):
        for argument in (headers, {"X": headers}):
            with suppress(HTTPError):
                function(argument)
