"""Decoders: what they take, what they refuse, and that a refusal never shows the data."""

import json
import re
import sys
from dataclasses import dataclass

import pytest
from returns.pipeline import is_successful
from returns.result import Success

from railhttp import HTTPDecodeError, HttpResponse
from railhttp.headers import freeze_headers
from railhttp.railway import decode, decode_json, decode_lines, decode_text


def answer(body: bytes, content_type: str = "application/json") -> HttpResponse:
    fields = freeze_headers({"Content-Type": content_type} if content_type else {})
    return HttpResponse(200, fields, body, "http://h/?key=secret", "POST", 0.25, attempts=2)


@dataclass
class Leaf:
    id: int


@dataclass
class Tree:
    items: list[Leaf]
    tree: "Tree | None" = None


# -- JSON -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        *("", "application/json", "Application/JSON; Charset=UTF-8", "application/problem+json"),
        *("text/json", "application/json; charset=us-ascii", "application/json;charset=utf-16"),
    ],
)
def test_json_is_taken_from_a_json_type(content_type: str) -> None:
    assert decode_json(answer(b'{"id": 7}', content_type)) == Success({"id": 7})


@pytest.mark.parametrize(
    ("content_type", "message"),
    [
        ("text/html", "expected JSON, found another content type"),
        ("application/octet-stream", "expected JSON, found another content type"),
        ("application/json; charset=latin-1", "expected a Unicode charset (RFC 8259, section 8.1)"),
        ("application/json; charset=x-none", "expected a Unicode charset (RFC 8259, section 8.1)"),
        ("application/json; charset=base64", "expected a Unicode charset (RFC 8259, section 8.1)"),
        ("application/json; charset=a\0b", "expected a Unicode charset (RFC 8259, section 8.1)"),
    ],
)
def test_what_is_not_called_json_is_refused(content_type: str, message: str) -> None:
    for decoder in (decode_json, decode(Leaf)):
        failure = decoder(answer(b'{"id": 7}', content_type)).failure()
        assert failure.message == message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_every_encoding_of_unicode_is_read(encoding: str) -> None:
    assert decode_json(answer('{"id": "é"}'.encode(encoding))) == Success({"id": "é"})


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "line 1 column 1"),
        (b'{"secret": ', "line 1 column 12"),
        (b'["\xff"]', "byte 2"),
        (b"[NaN]", ""),
        (b"[" * 100_000, ""),
        (b"9" * 5000, ""),
    ],
)
def test_what_is_no_json_is_refused(body: bytes, where: str) -> None:
    for decoder in (decode_json, decode(object)):
        failure = decoder(answer(body)).failure()
        assert failure.where == where
        assert "secret" not in str(failure)


# -- models ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "where", "message"),
    [
        (
            b'{"items": [{"id": 1}, {"id": "s3cret"}]}',
            "$.items[1].id",
            "an integer, found a string",
        ),
        (b'{"items": [{}]}', "$.items[0]", "a member 'id', found none"),
        (b'{"items": 7}', "$.items", "an array, found a number"),
        (b'["s3cret"]', "$", "an object, found an array"),
        (b'{"items": [], "tree": {"items": [null]}}', "$.tree.items[0]", "an object, found null"),
    ],
)
def test_a_refusal_names_the_place_and_what_was_expected(
    body: bytes, where: str, message: str
) -> None:
    failure = decode(Tree)(answer(body)).failure()
    assert (failure.where, failure.message) == (where, f"expected {message}")
    assert "s3cret" not in str(failure)


def test_a_refusal_knows_its_call() -> None:
    failure = decode(int)(answer(b"null")).failure()
    assert isinstance(failure, HTTPDecodeError)
    assert failure.content_type == "application/json"
    assert (failure.method, failure.url) == ("POST", "http://h/?key=***")
    assert (failure.attempts, failure.elapsed) == (2, 0.25)


def test_a_document_nested_deeper_than_python_can_go_is_a_failure() -> None:
    # below the JSON parser's own limit, beyond what finding the place can do
    levels = sys.getrecursionlimit() // 2 - 10
    body = b'{"items": [], "tree": ' * levels + b"7" + b"}" * levels
    assert is_successful(decode_json(answer(body)))
    assert "nested too deep" in decode(Tree)(answer(body)).failure().message


def test_a_decoder_can_be_used_often() -> None:
    decoder = decode(Leaf)
    assert [decoder(answer(json.dumps({"id": n}).encode())).unwrap().id for n in (1, 2)] == [1, 2]


@pytest.mark.parametrize(
    "model", [complex, set[complex], dict[complex, str], list[re.Pattern[str]], "Leaf"]
)
def test_a_type_that_json_cannot_hold_is_the_callers_mistake(model: type) -> None:
    with pytest.raises(TypeError, match="cannot be decoded"):
        decode(model)


# -- text -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("", "né".encode(), "né"),
        ("text/plain; charset=latin-1", b"n\xe9", "né"),
        ("text/html", b"<p>", "<p>"),
        ("application/xhtml+xml", b"<p/>", "<p/>"),
        ("application/x-ndjson", b"{}\n", "{}\n"),
        ("application/x-odd; charset=utf-8", b"a", "a"),
    ],
)
def test_text_is_read_in_its_charset(content_type: str, body: bytes, text: str) -> None:
    assert decode_text(answer(body, content_type)) == Success(text)


@pytest.mark.parametrize(
    ("content_type", "body", "where"),
    [
        ("image/png", b"a", ""),
        ("application/octet-stream", b"a", ""),
        ("text/plain; charset=x-none", b"a", ""),
        ("text/plain; charset=base64", b"YQ==", ""),
        ("text/plain; charset=undefined", b"a", ""),
        ("text/plain; charset=punycode", b"a", ""),
        ("text/plain", b"caf\xe9", "byte 3"),
    ],
)
def test_what_is_no_text_is_refused(content_type: str, body: bytes, where: str) -> None:
    for failure in (
        decode_text(answer(body, content_type)).failure(),
        decode_lines(answer(body, content_type)).failure(),
    ):
        assert failure.where == where


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b"", ()),
        (b"\n", ("",)),
        (b"a", ("a",)),
        (b"a\nb\r\nc\rd\n", ("a", "b", "c\rd")),
        ("a\u2028b\n".encode(), ("a\u2028b",)),
    ],
)
def test_lines_end_with_lf_or_crlf(body: bytes, lines: tuple[str, ...]) -> None:
    assert decode_lines(answer(body, "text/plain")) == Success(lines)
