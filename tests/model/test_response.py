"""A response: its text, its JSON, its header fields, and what it shows of itself."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, astuple, dataclass, replace
from http import HTTPStatus
from typing import Final

import pytest
from multidict import CIMultiDict
from yarl import URL

from railhttp.model.errors import (
    Delivery,
    HTTPDecodeError,
    HTTPStatusError,
    HTTPValidationError,
)
from railhttp.model.redaction import SECRET_HEADERS
from railhttp.model.request import Request, SendOptions
from railhttp.model.response import HttpResponse, freeze_headers
from railhttp.model.response_draft import received_response
from railhttp.model.stage import Stage
from railhttp.model.timings import NO_TIMINGS, PhaseTimer, Timings

FIELDS = CIMultiDict([("Set-Cookie", "a=1"), ("X-Id", "7"), ("set-cookie", "b=2")])
RESPONSE = HttpResponse(200, freeze_headers(FIELDS), b"[1]", "http://h/?k=v", elapsed=0.5)


def with_type(content_type: str, body: bytes = b"") -> HttpResponse:
    return HttpResponse(200, freeze_headers({"Content-Type": content_type}), body)


def test_a_response_survives_pickling() -> None:
    for copied in (pickle.loads(pickle.dumps(RESPONSE)), copy.copy(RESPONSE)):
        assert copied == RESPONSE
        assert hash(copied) == hash(RESPONSE)
    assert copy.deepcopy(RESPONSE).headers.getall("SET-COOKIE") == ["a=1", "b=2"]


def test_a_response_becomes_a_dict() -> None:
    headers = CIMultiDict([("X-Id", "7"), ("x-id", "8")])
    response = HttpResponse(200, headers, b"ok", "http://h/", "GET")
    fields = asdict(response)
    assert (fields["status"], fields["body"], fields["url"]) == (200, b"ok", "http://h/")
    assert fields["headers"].getall("X-ID") == ["7", "8"]
    assert list(fields.values()) == list(astuple(response))


def test_a_response_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        RESPONSE.status = 500  # type: ignore[misc]  # the mistake under test
    fields = CIMultiDict({"A": "1"})
    response = HttpResponse(200, freeze_headers(fields))
    fields["A"] = "2"
    assert response.headers["a"] == "1"


@pytest.mark.parametrize("fields", [{"content-type": "A/B"}, CIMultiDict({"Content-Type": "a/b"})])
def test_headers_may_be_any_mapping_and_are_copied(fields: dict[str, str]) -> None:
    response = HttpResponse(200, fields)
    assert response.content_type == "a/b"
    assert response == HttpResponse(200, freeze_headers(fields))
    fields.clear()
    assert response.headers["CONTENT-TYPE"].lower() == "a/b"


@pytest.mark.parametrize(
    ("parts", "refusal"),
    [
        ({"status": "200"}, "status: must be an int, got str"),
        ({"status": None}, "status: must be an int, got NoneType"),
        ({"headers": [("a", "b")]}, "headers: must be a mapping, got list"),
        ({"headers": None}, "headers: must be a mapping, got NoneType"),
        ({"body": "x"}, "body: must be bytes, got str: encode the text"),
        ({"body": bytearray(b"x")}, "body: must be bytes, got bytearray"),
        ({"body": None}, "body: must be bytes, got NoneType"),
    ],
)
def test_what_makes_no_response_is_refused_by_name(parts: dict[str, object], refusal: str) -> None:
    arguments: dict[str, object] = {"status": 200, **parts}
    with pytest.raises(HTTPValidationError, match=refusal):
        HttpResponse(**arguments)  # type: ignore[arg-type]  # on purpose


def test_a_status_may_be_a_name_of_the_standard_library() -> None:
    assert HttpResponse(HTTPStatus.NOT_FOUND) == HttpResponse(404)


def test_responses_differ_by_any_part() -> None:
    assert HttpResponse(200) == HttpResponse(200)
    assert HttpResponse(200) != HttpResponse(200, elapsed=1.0)
    assert HttpResponse(200) != HttpResponse(200, freeze_headers({"A": "1"}))


@pytest.mark.parametrize(("status", "ok"), [(100, True), (399, True), (400, False), (599, False)])
def test_a_status_below_400_is_ok(status: int, ok: bool) -> None:
    response = HttpResponse(status)
    assert response.ok is ok
    if ok:
        response.raise_for_status()
        return
    with pytest.raises(HTTPStatusError) as caught:
        response.raise_for_status()
    assert caught.value.response is response


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("", "né".encode(), "né"),
        ("text/plain; charset=latin-1", b"n\xe9", "né"),
        ("text/plain; charset=utf-16", "né".encode("utf-16"), "né"),
        ("text/plain; charset=utf-16", "né".encode("utf-16-le"), "né"),
        ("text/plain; charset=utf-16be", "né".encode("utf-16-be"), "né"),
        ("text/plain", b"\xef\xbb\xbfn\xc3\xa9", "né"),
        ("text/plain; charset=latin-1", b"\xef\xbb\xbfn\xc3\xa9", "né"),
        ("text/plain; charset=utf-8", b"\xff\xfen\0\xe9\0", "né"),
        ("text/plain", b"\xfe\xff\0n\0\xe9", "né"),
        ("text/plain; charset=iso-8859-1", b"\x80 \x93n\xe9\x94", "€ “né”"),
        ("text/plain; charset=US-ASCII", b"n\xe9", "né"),
        ("text/plain; charset=iso-8859-9", b"\x80\xfd", "€ı"),
        ("text/plain; charset=windows-949", "가".encode("cp949"), "가"),
        ("text/plain; charset=ks_c_5601-1987", "똠".encode("cp949"), "똠"),
        ("text/plain; charset=x-sjis", "①".encode("cp932"), "①"),
        ("text/plain; charset=gb2312", "€é".encode("gb18030"), "€é"),
        ("text/plain; charset=x-cp1252", b"\x80", "€"),
        ("text/plain; charset=x-mac-cyrillic", "я".encode("mac-cyrillic"), "я"),
        ("text/plain; charset=unicode-1-1-utf-8", "né".encode(), "né"),
        ('text/plain; title="; charset=utf-16"; charset=latin1', b"n\xe9", "né"),
        ('text/plain; title="a\\"; charset=utf-16"', "né".encode(), "né"),
        ('text/plain; a=b;charset="latin1"', b"n\xe9", "né"),
        ("text/plain", b"n\xe9", "n\N{REPLACEMENT CHARACTER}"),
        ("text/plain; charset=klingon", "né".encode(), "né"),
        ("text/plain; charset=hex", "né".encode(), "né"),
        ("text/plain; charset=idna", "né".encode(), "né"),
        ("text/plain; charset=utf-7", b"+ADw-", "+ADw-"),
        ("text/plain; charset=Punycode", "né".encode(), "né"),
        ("text/plain; charset=unicode-escape", b"n\\q\xc3\xa9", "n\\qé"),
        ("text/plain; charset=raw_unicode_escape", "né".encode(), "né"),
        ("text/plain; charset=undefined", "né".encode(), "né"),
        ("text/plain; charset=a\0b", "né".encode(), "né"),
    ],
)
def test_text_is_decoded_as_its_charset_or_else_as_utf_8(
    content_type: str, body: bytes, text: str
) -> None:
    assert with_type(content_type, body).text == text


@pytest.mark.parametrize(
    ("length", "number"),
    [("12", 12), ("0", 0), ("", None), ("-1", None), ("1e3", None), ("١", None), ("9" * 20, None)],
)
def test_a_content_length_is_a_plain_number_or_none(length: str, number: int | None) -> None:
    response = HttpResponse(200, freeze_headers({"Content-Length": length}))
    assert response.content_length == number


def test_a_content_type_has_no_parameters() -> None:
    assert with_type("Application/JSON ; charset=utf-8").content_type == "application/json"
    assert HttpResponse(200).content_type == ""


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"],
)
def test_json_is_read_in_each_unicode_encoding(encoding: str) -> None:
    body = '{"a": [1, 2.5, null, true, "né"]}'.encode(encoding)
    assert HttpResponse(200, body=body).json() == {"a": [1, 2.5, None, True, "né"]}


@pytest.mark.parametrize(
    ("body", "message", "where"),
    [
        (b"", "not JSON: Expecting value", "line 1 column 1"),
        (b'{"a": s3cret}', "not JSON: Expecting value", "line 1 column 7"),
        (b"[1]\n[2]", "not JSON: Extra data", "line 2 column 1"),
        (b'"n\xe9"', "not JSON: not in a Unicode encoding", "byte 2"),
        (b"[" * 100_000, "JSON is nested too deeply", ""),
        (b"NaN", "JSON cannot be represented: NaN is not a JSON number", ""),
        (b"[-1e999]", "JSON cannot be represented: a number is too large", ""),
        (b"-Infinity", "JSON cannot be represented: -Infinity is not a JSON number", ""),
    ],
    ids=range(8),
)
def test_what_is_not_json_is_a_decode_error(body: bytes, message: str, where: str) -> None:
    response = with_type("application/json", body)
    with pytest.raises(HTTPDecodeError) as caught:
        response.json()
    error = caught.value
    assert (error.message, error.where, error.content_type) == (message, where, "application/json")
    assert error.__cause__ is None


def test_a_number_of_too_many_digits_is_a_decode_error() -> None:
    with pytest.raises(HTTPDecodeError, match="JSON cannot be represented: Exceeds the limit"):
        HttpResponse(200, body=b"1" * 5000).json()


def test_a_decode_error_names_its_call() -> None:
    response = HttpResponse(200, url="http://h/?k=v", method="PUT", elapsed=1.5, attempts=2)
    with pytest.raises(HTTPDecodeError) as caught:
        response.json()
    error = caught.value
    assert (error.method, error.url) == ("PUT", "http://h/?k=***")
    assert (error.attempts, error.elapsed) == (2, 1.5)


def test_a_response_shows_no_secret() -> None:
    response = HttpResponse(
        200,
        freeze_headers({"Set-Cookie": "id=s3cret", "Accept": "*/*"}),
        b"s3cret",
        "http://ann:s3cret@h/?k=s3cret",
    )
    assert repr(response) == "<HttpResponse 200 GET http://h/?k=*** 6 bytes>"
    redacted = response.redacted()
    assert redacted.url == "http://h/?k=***"
    assert dict(redacted.headers) == {"Set-Cookie": "***", "Accept": "*/*"}
    assert (redacted.status, redacted.body) == (200, b"s3cret")


def test_a_response_takes_along_which_of_its_fields_are_secret() -> None:
    secret = frozenset({"x-mine"})
    response = HttpResponse(404, {"X-Mine": "s3cret"}, secret_headers=secret)
    assert response == HttpResponse(404, {"X-Mine": "s3cret"})
    for same in (response, replace(response, body=b"x"), pickle.loads(pickle.dumps(response))):
        assert same.redacted().headers["x-mine"] == "***"
        assert b"s3cret" not in pickle.dumps(HTTPStatusError(same))


def test_a_response_needs_no_more_than_a_status() -> None:
    response = HttpResponse(204)
    assert (response.body, response.url, response.method) == (b"", "", "GET")
    assert response.headers == {}
    assert (response.elapsed, response.http_version, response.attempts) == (0.0, "1.1", 1)
    assert response.secret_headers == SECRET_HEADERS
    assert response.timings is NO_TIMINGS


PARTS: Final[dict[str, object]] = {
    "status": 500,
    "headers": {"X-Id": "8"},
    "body": b"[2]",
    "url": "http://h/x",
    "method": "PUT",
    "elapsed": 0.75,
    "http_version": "1.0",
    "attempts": 2,
}
TIMINGS: Final = Timings(wait=0.25)
MINE: Final = frozenset({"x-id"})


def built(parts: dict[str, object]) -> HttpResponse:
    build: Callable[..., HttpResponse] = HttpResponse
    return build(**parts, secret_headers=MINE, timings=TIMINGS)


class Received:
    """The head of a response."""

    status = 500
    headers = freeze_headers({"X-Id": "8"})
    version = "1.0"


@dataclass
class Attempt:
    """The state of an attempt, as its call keeps it."""

    timer: PhaseTimer | None
    attempts: int = 2
    started: float = 10.0
    stage: Stage = Stage.ANSWERED
    starvation: Callable[[], str] | None = None
    delivery: Delivery = Delivery.ANSWERED
    repeatable: bool = False

    def pool_waited(self, seconds: float, *, admitted: bool) -> None: ...


def received(phases: PhaseTimer | None) -> HttpResponse:
    options = SendOptions(secret_headers=MINE)
    request = Request("PUT", URL("http://h/x"), None, None, None, options)
    return received_response(Received(), b"[2]", request, Attempt(phases), 10.75)


def timer(wait: float | None = None) -> PhaseTimer:
    made = PhaseTimer(lambda: 0.0)
    if wait is not None:
        made.ended("wait", 0.0, wait)
    return made


@pytest.mark.parametrize("response", [built(PARTS), received(timer(0.25))])
def test_a_response_keeps_each_of_its_parts(response: HttpResponse) -> None:
    assert {name: getattr(response, name) for name in PARTS} == PARTS
    assert (response.secret_headers, response.timings) == (MINE, TIMINGS)
    assert type(response) is HttpResponse
    for same in (
        copy.copy(response),
        copy.deepcopy(response),
        pickle.loads(pickle.dumps(response)),
    ):
        assert same == response
        assert (same.secret_headers, same.timings) == (MINE, TIMINGS)


@pytest.mark.parametrize("phases", [None, timer()])
def test_a_received_response_without_timings_has_none(phases: PhaseTimer | None) -> None:
    response = received(phases)
    assert response.timings == NO_TIMINGS
    assert response == built(PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_two_responses_differ_by_each_part_but_not_by_their_timings(part: str) -> None:
    build: Callable[..., HttpResponse] = HttpResponse
    plain: dict[str, object] = {"status": 200}
    assert build(**{**plain, part: PARTS[part]}) != HttpResponse(200)
    assert HttpResponse(200, timings=TIMINGS) == HttpResponse(200)
    assert hash(built(PARTS)) == hash(received(None))


@pytest.mark.parametrize("part", ["status", "body", "url", "method"])
def test_a_hash_tells_most_responses_apart(part: str) -> None:
    other: dict[str, object] = {**PARTS, part: {"status": 404, "body": b""}.get(part, "x")}
    assert hash(built(other)) != hash(built(PARTS))


def test_other_timings_make_a_copy_and_redaction_keeps_them() -> None:
    other = Timings(wait=0.5)
    response = built(PARTS)
    assert response.with_timings(other).timings == other
    assert response.with_timings(other) == response
    assert response.timings == TIMINGS
    assert response.redacted().timings == TIMINGS


def test_a_redacted_copy_masks_the_named_fields_and_keeps_the_order_of_all() -> None:
    fields = [("Set-Cookie", "a"), ("X-Id", "7"), ("set-cookie", "b"), ("Location", "/?k=v")]
    response = HttpResponse(302, CIMultiDict(fields), b"x", "http://ann:pw@h/?k=v", attempts=2)
    shown = response.redacted()
    masked = [("Set-Cookie", "***"), ("X-Id", "7"), ("set-cookie", "***"), ("Location", "/?k=***")]
    assert [*shown.headers.items()] == masked
    assert (shown.url, shown.status, shown.body, shown.attempts) == (
        "http://h/?k=***",
        302,
        b"x",
        2,
    )
    assert response.redacted({"x-id"}).headers.getall("set-cookie") == ["a", "b"]
    assert response.redacted({"x-id"}).headers["x-id"] == "***"
    assert response.redacted(frozenset()).headers["x-id"] == "7"


def test_the_details_of_a_call_are_those_of_its_response() -> None:
    assert built(PARTS).call_info() == {
        "method": "PUT",
        "url": "http://h/x",
        "delivery": Delivery.ANSWERED,
        "attempts": 2,
        "elapsed": 0.75,
    }


@pytest.mark.parametrize(
    ("length", "number"), [("9" * 19, 10**19 - 1), ("1" + "0" * 19, None), ("0" * 19, 0)]
)
def test_a_content_length_has_at_most_19_digits(length: str, number: int | None) -> None:
    assert HttpResponse(200, {"content-length": length}).content_length == number
    assert HttpResponse(200).content_length is None


@pytest.mark.parametrize(
    ("field", "content_type"),
    [
        ("A/B", "a/b"),
        (" a/b\t; c=d; e", "a/b"),
        ("a/b;", "a/b"),
        (";a/b", ""),
        ("\x0ba/b", "\x0ba/b"),
    ],
)
def test_a_media_type_is_what_stands_before_the_first_semicolon(
    field: str, content_type: str
) -> None:
    assert with_type(field).content_type == content_type


def test_text_without_a_content_type_is_utf_8() -> None:
    assert HttpResponse(200, body="né".encode()).text == "né"
