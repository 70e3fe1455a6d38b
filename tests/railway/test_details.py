"""Details of decoders, pages and steps: kinds of text, charsets, places, names in errors."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, NamedTuple, TypeVar

import msgspec
import pytest
from pydantic import BaseModel
from returns.future import FutureResult
from returns.result import Success
from typing_extensions import TypeAliasType

from railhttp import (
    HTTPClient,
    HTTPConnectionError,
    HTTPFailure,
    HttpResponse,
    HTTPStatusError,
    HTTPValidationError,
)
from railhttp.headers import freeze_headers
from railhttp.railway import (
    collect,
    decode,
    decode_json,
    decode_text,
    expect,
    gather,
    next_link,
    numbered,
    on_status,
    pages,
    problem,
    reader,
    run,
)
from railhttp.railway.mismatch import json_path, mismatch
from railhttp.railway.paging import PageRequest
from railhttp.testing import ScriptedTransport

T = TypeVar("T")


def response(body: bytes, content_type: str = "application/json") -> HttpResponse:
    return HttpResponse(200, freeze_headers({"Content-Type": content_type}), body)


@pytest.mark.parametrize(
    "kind",
    [
        *("text/csv", "text/x-odd", "application/json", "application/problem+json"),
        *("application/xml", "image/svg+xml", "application/javascript", "application/yaml"),
        *("application/x-www-form-urlencoded", "application/csv", "application/graphql"),
        *("application/octet-stream; charset=utf-8", "application/octet-stream; CHARSET=utf-8"),
    ],
)
def test_many_media_types_are_text(kind: str) -> None:
    assert decode_text(response(b"a", kind)) == Success("a")


@pytest.mark.parametrize(
    "charset",
    [
        *("ascii", "us-ascii", "utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-16-le"),
        *("utf-32", "utf-32-be", "utf-32-le", "646", "u8", "u16", "u32"),
    ],
)
def test_every_charset_of_unicode_may_be_named(charset: str) -> None:
    named = response('{"id": 7}'.encode(charset), f"application/json; charset={charset}")
    assert decode_json(named) == Success({"id": 7})
    assert decode(dict[str, int])(named) == Success({"id": 7})


@pytest.mark.parametrize(
    ("body", "where"),
    [(b"\xff", "byte 0"), (b"caf\xe9", "byte 3"), (b"\xef\xbb\xbfcaf\xe9", "byte 6")],
)
def test_the_place_of_a_byte_that_is_no_text_is_that_in_the_body(body: bytes, where: str) -> None:
    failure = decode_text(response(body, "text/plain")).failure()
    assert (failure.where, failure.content_type) == (where, "text/plain")


@pytest.mark.parametrize(
    ("model", "shown"),
    [(int, "decode(int)"), (list[int], "decode(list[int])"), (int | None, "decode(int | None)")],
)
def test_a_decoder_shows_its_type(model: type, shown: str) -> None:
    assert repr(decode(model)) == shown


@pytest.mark.parametrize(
    ("steps", "path"),
    [
        ([], "$"),
        ([0, 1], "$[0][1]"),
        (["a", "b1", "_c", "é"], "$.a.b1._c.é"),
        (["1a"], '$["1a"]'),
        (["a-b"], '$["a-b"]'),
        ([""], '$[""]'),
        (['"'], '$["\\""]'),
        (["a\n"], '$["a\\n"]'),
    ],
)
def test_a_place_is_written_as_a_json_path(steps: list[str | int], path: str) -> None:
    assert json_path(steps) == path


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "a boolean"),
        ("a", "a string"),
        (1, "a number"),
        (1.5, "a number"),
        ([], "an array"),
        ({}, "an object"),
        (None, "null"),
    ],
)
def test_a_mismatch_names_the_kind_that_was_found(value: None, kind: str) -> None:
    assert mismatch("a wish", value).expected == f"expected a wish, found {kind}"


LIMITS: Final[list[tuple[str, Callable[[], object]]]] = [
    ("prefetch", lambda: pages(reader.get("http://h/"), next_link, prefetch=-1)),
    ("prefetch", lambda: numbered(_page, bool, prefetch=-1)),
    ("limit", lambda: pages(reader.get("http://h/"), next_link)(HTTPClient()).collect(limit=0)),
    ("limit", lambda: gather(limit=0)),
    ("limit", lambda: collect([], limit=-1)),
    ("statuses", expect),
    ("statuses", lambda: expect(99)),
    ("statuses", lambda: expect(200, 1000)),
    ("status", lambda: on_status(99, Success)),
    ("status", lambda: on_status(1000, Success)),
    ("status", lambda: on_status(True, Success)),
]


@pytest.mark.parametrize(("field", "make"), LIMITS)
def test_an_argument_that_cannot_be_is_named(field: str, make: Callable[[], object]) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        make()
    assert caught.value.field == field


def test_statuses_from_100_to_999_may_be_expected() -> None:
    accept = expect(100, 999)
    assert accept(HttpResponse(999)) == Success(HttpResponse(999))
    failure = accept(HttpResponse(200)).failure()
    assert failure.status == 200
    assert "100" in failure.message
    assert "999" in failure.message


def _page(number: int) -> PageRequest[HttpResponse, HTTPFailure]:
    return reader.get("http://h.example/", params={"page": number})


def linked(script: ScriptedTransport, count: int) -> None:
    for number in range(1, count):
        link = f'</{number + 1}>; rel="next"'
        script.on("GET", f"/{number}").reply(json=number, headers={"Link": link})
    script.on("GET", f"/{count}").reply(json=count)


async def test_pages_show_how_many_came_and_how_many_are_requested_ahead() -> None:
    script = ScriptedTransport()
    linked(script, 3)
    first = reader.get("http://h.example/1")
    assert repr(pages(first, next_link)) == "<PageReader>"
    series = pages(first, next_link, prefetch=2).decoded(decode_json)
    assert repr(series) == "<PageReader with 2 ahead>"
    async with HTTPClient(exchange=script) as client:
        found = series(client)
        assert repr(found) == "<Pages, 0 so far>"
        assert (await run(found.collect(limit=2))).unwrap() == (1, 2)
        assert repr(found) == "<Pages, 2 so far>"
        assert repr(found.at) == "<PageReader with 2 ahead>"
        assert (await run(found.collect(limit=9))).unwrap() == (3,)
        assert found.at is None
        assert (await run(found.collect(limit=9))).unwrap() == ()


async def test_the_rest_of_other_pages_is_requested_ahead_as_it_is_told() -> None:
    script = ScriptedTransport()
    linked(script, 3)
    async with HTTPClient(exchange=script) as client:
        found = pages(reader.get("http://h.example/1"), next_link, prefetch=2)(client)
        await run(found.collect(limit=1))
        assert found.at is not None
        assert repr(pages(found.at, next_link)) == "<PageReader>"
        assert repr(pages(found.at, next_link, prefetch=1)) == "<PageReader with 1 ahead>"


async def test_numbered_pages_begin_with_the_first_and_end_when_there_are_no_more() -> None:
    script = ScriptedTransport()
    route = script.on("GET", "/")
    for _ in range(3):
        route.reply()
    async with HTTPClient(exchange=script) as client:
        series = numbered(_page, lambda _: len(script.calls) < 3, prefetch=1)
        assert repr(series) == "<PageReader with 1 ahead>"
        assert len((await run(series(client).collect(limit=9))).unwrap()) == 3
    assert [call.url for call in script.calls] == [
        f"http://h.example/?page={number}" for number in (1, 2, 3)
    ]


def _post(number: int) -> PageRequest[HttpResponse, HTTPFailure]:
    return reader.post("http://h.example/", json=number)


def _put(number: int) -> PageRequest[HttpResponse, HTTPFailure]:
    return reader.put("http://h.example/", json=number)


def _from(cursor: str) -> PageRequest[HttpResponse, HTTPFailure]:
    return reader.get("http://h.example/", headers={"X-Cursor": cursor})


@pytest.mark.parametrize(
    ("first", "second", "leads_back"),
    [
        (_post(1), _post(2), False),
        (_post(1), _post(1), True),
        (_post(1), _put(1), False),
        (_from("1"), _from("2"), False),
        (_from("1"), _from("1"), True),
        (_page(1), _page(2), False),
        (_page(1), _page(1), True),
    ],
)
async def test_a_page_leads_back_if_the_same_request_was_made_before(
    first: PageRequest[HttpResponse, HTTPFailure],
    second: PageRequest[HttpResponse, HTTPFailure],
    leads_back: bool,
) -> None:
    script = ScriptedTransport()
    for method in ("GET", "POST", "PUT"):
        script.on(method, "/*").reply().reply()
    rest = iter([second])
    async with HTTPClient(exchange=script) as client:
        found = [one async for one in pages(first, lambda _: next(rest, None))(client)]
    assert len(script.calls) == (1 if leads_back else 2)
    if leads_back:
        failure = found[-1].failure()
        assert isinstance(failure, HTTPConnectionError)
        assert (failure.kind, failure.method) == ("protocol", script.calls[0].method)


@pytest.mark.parametrize(
    ("content_type", "body", "is_problem"),
    [
        ("application/problem+json", b"{}", True),
        ("application/problem+json; charset=utf-8", b"{}", True),
        ("application/json", b"{}", False),
        ("application/problem+json", b"[]", False),
        ("application/problem+json", b"{", False),
    ],
)
def test_a_problem_is_an_object_of_its_media_type(
    content_type: str, body: bytes, is_problem: bool
) -> None:
    failure = HTTPStatusError(
        HttpResponse(400, freeze_headers({"Content-Type": content_type}), body)
    )
    found = problem(failure).value_or(None)
    assert (found is not None) is is_problem
    if found is not None:
        assert (found.type, found.title, found.status, found.detail, found.instance) == (
            *("about:blank", None, None),
            *(None, None),
        )
        assert dict(found.extensions) == {}


async def test_calls_with_a_limit_all_run() -> None:
    calls = [FutureResult.from_value(number) for number in range(5)]
    assert (await run(gather(*calls, limit=1))).unwrap() == (0, 1, 2, 3, 4)


class Level(Enum):
    LOW = 1


def test_a_member_of_an_enum_is_found_before_the_number_that_it_has() -> None:
    levels = decode(Level | int)
    assert levels(response(b"1", "application/json")) == Success(Level.LOW)
    assert levels(response(b"2", "application/json")) == Success(2)


class User(BaseModel):
    id: int


class Point(msgspec.Struct):
    x: int


def test_beside_a_model_of_pydantic_other_types_keep_their_rules() -> None:
    pair = decode(tuple[User, bytes])
    found = pair(response(b'[{"id": 1}, "YQ=="]', "application/json"))
    assert found == Success((User(id=1), b"a"))
    both = decode(tuple[User, Point])
    found_both = both(response(b'[{"id": 1}, {"x": 2}]', "application/json"))
    assert found_both == Success((User(id=1), Point(2)))


@dataclass
class Box(Generic[T]):
    value: T


@dataclass
class Pair(Generic[T]):
    typed: Box[T]
    bare: Box  # type: ignore[type-arg]  # of anything, also if the pair has a type


def test_a_generic_class_without_arguments_takes_none_of_the_class_around_it() -> None:
    body = b'{"typed": {"value": 1}, "bare": {"value": "a"}}'
    assert decode(Pair[int])(response(body)) == Success(Pair(Box(1), Box("a")))
    refused = decode(Pair[str])(response(body)).failure()
    assert refused.where == "$.typed.value"


Boxes = TypeAliasType("Boxes", list[Box[T]], type_params=(T,))


@dataclass
class Shelf(Generic[T]):
    typed: Boxes[T]
    bare: Boxes  # type: ignore[type-arg]  # as above


def test_a_generic_alias_without_arguments_takes_none_of_the_class_around_it() -> None:
    body = b'{"typed": [{"value": 1}], "bare": [{"value": "a"}]}'
    assert decode(Shelf[int])(response(body)) == Success(Shelf([Box(1)], [Box("a")]))
    refused = decode(Shelf[str])(response(body)).failure()
    assert refused.where == "$.typed[0].value"


class Place(NamedTuple):
    x: int
    y: int = 0


@pytest.mark.parametrize("body", [b"[1, 2]", b"[1]", b"[]"])
def test_a_named_tuple_is_read_from_an_object_and_from_no_array(body: bytes) -> None:
    assert decode(Place)(response(b'{"x": 1}')) == Success(Place(1))
    assert decode(list[Place])(response(b'[{"x": 1, "y": 2}]')) == Success([Place(1, 2)])
    failure = decode(Place)(response(body)).failure()
    assert failure.message == "expected an object, found an array"
    assert decode(list[Place])(response(b"[" + body + b"]")).failure().where == "$[0]"
