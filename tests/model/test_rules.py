"""Each rule returns a value that obeys it, and refuses others by the name of their argument."""

import math
import string
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import IntEnum, StrEnum
from functools import partial
from inspect import CORO_CLOSED, getcoroutinestate
from typing import Final

import pytest

from railhttp.model import validation
from railhttp.model.errors import HTTPValidationError
from railhttp.model.validation import (
    LARGEST_INT,
    MAX_URL_LENGTH,
    OWS,
    TOKEN,
    close_awaitable,
    describe,
    mismatch,
    require,
    require_count,
    require_flag,
    require_function,
    require_host,
    require_methods,
    require_number,
    require_port,
    require_positive_int,
    require_str,
    require_text,
    require_timeout,
    require_url,
    require_url_parts,
    url_text,
)


class Level(IntEnum):
    HIGH = 3


class Flavor(StrEnum):
    SWEET = "sweet"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (7, "7"),
        (-0.5, "-0.5"),
        (math.nan, "nan"),
        (False, "False"),
        (Level.HIGH, "Level"),
        (None, "NoneType"),
        (b"s3cret", "bytes"),
        (["s3cret"], "list"),
        (Flavor.SWEET, "Flavor"),
    ],
)
def test_a_refused_value_is_described_by_its_digits_or_its_type(value: object, shown: str) -> None:
    assert describe(value) == shown


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_is_described_by_at_most_640_digits(sign: int) -> None:
    """Python has a setting that refuses longer ones."""
    largest = sign * (LARGEST_INT - 1)
    assert describe(largest) == f"{largest}"
    assert len(describe(largest).lstrip("-")) == 640
    assert describe(sign * LARGEST_INT) == "a number of more than 640 digits"


def test_a_rule_holds_or_is_broken() -> None:
    require(True, "must hold", "rule")
    with pytest.raises(HTTPValidationError) as caught:
        require(False, "must hold", "rule")
    error = mismatch("a str", 7, "rule")
    assert (caught.value.message, caught.value.field) == ("must hold", "rule")
    assert (error.message, error.field) == ("must be a str, got 7", "rule")


DEFAULT_FIELDS: Final[list[tuple[Callable[[object], object], str]]] = [
    # A rule with a default for the name of its argument, and that name.
    (require_host, "host"),
    (require_port, "port"),
    (require_positive_int, "value"),
    (require_timeout, "timeout"),
    (require_url, "url"),
    (require_url_parts, "url"),
]


@pytest.mark.parametrize(("rule", "name"), DEFAULT_FIELDS)
def test_a_rule_names_its_argument(rule: Callable[..., object], name: str) -> None:
    for value in (-1, object(), "ftp://", "a b"):
        with pytest.raises(HTTPValidationError) as caught:
            rule(value)
        assert caught.value.field == name
        with pytest.raises(HTTPValidationError) as caught:
            rule(value, "setting")
        assert caught.value.field == "setting"


def test_a_validator_names_its_argument() -> None:
    with pytest.raises(HTTPValidationError) as caught:
        validation.validate_positive_int(0)
    assert caught.value.field == "value"


RULES: Final[dict[str, tuple[Callable[[object], object], list[object], list[object]]]] = {
    # A rule, values that it returns as they are, and values that it refuses.
    "text": (
        lambda value: require_text(value, "x"),
        ["", "a b", "né", "\u200b", "\xa0"],
        ["a\tb", "\x80", "\udfff", b"a", 5, None],
    ),
    "str": (
        lambda value: require_str(value, "x"),
        ["", "a\nb", "\ud800"],
        [b"a", 5, None, ["a"]],
    ),
    "port": (lambda value: require_port(value, "x"), [1, 2, 65_534, 65_535], [0, 65_536, True]),
    "positive": (lambda value: require_positive_int(value, "x"), [1, 2], [0, -1, True, 1.0, "1"]),
    "count": (
        lambda value: require_count(value, "x"),
        [0, 1, 2, 10**9],
        [-1, False, True, 0.0, 1.0, 0.5, 0j, Decimal(0), "0", None],
    ),
    "number": (
        lambda value: require_number(value, "x"),
        [0, 0.0, 0.5, 1, 5e-324, 1e308],
        [-1, -5e-324, True, False, math.nan, math.inf, "1", None, 1j],
    ),
    "number in a range": (
        lambda value: require_number(value, "x", low=0.5, high=2),
        [0.5, 1, 2],
        [0.25, 0.4999, 2.0001, 3, math.nan, -math.inf],
    ),
    "number of any size": (
        lambda value: require_number(value, "x", low=-math.inf),
        [-(10**9), 0, 0.5, -math.inf],
        [math.inf, math.nan, None],
    ),
    "flag": (lambda value: require_flag(value, "x"), [True, False], [0, 1, None, "True"]),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_returns_a_value_that_obeys_it_and_refuses_all_others(name: str) -> None:
    rule, good, bad = RULES[name]
    for value in good:
        assert rule(value) == value
        assert type(rule(value)) is type(value)
    for value in bad:
        with pytest.raises(HTTPValidationError) as caught:
            rule(value)
        assert caught.value.field == "x"


def test_an_enum_is_its_value() -> None:
    for rule in (require_str, require_text, require_host):
        assert type(rule(Flavor.SWEET, "x")) is str
        assert rule(Flavor.SWEET, "x") == "sweet"


class Plain:
    def __call__(self) -> None: ...


class Awaited:
    async def __call__(self) -> None: ...

    async def method(self) -> None: ...


async def wait() -> None: ...


@pytest.mark.parametrize(
    "value", [None, len, lambda: None, Plain(), Plain().__call__, dict, math.sin]
)
def test_a_plain_function_or_none_is_a_function(value: object) -> None:
    require_function(value, "retry_if")


@pytest.mark.parametrize(
    "value", [0, "len", [], object(), wait, Awaited(), Awaited().method, partial(wait)]
)
def test_what_cannot_be_called_or_would_have_to_be_awaited_is_no_function(value: object) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        require_function(value, "retry_if")
    assert caught.value.field == "retry_if"


class Later:
    def __await__(self) -> Iterator[None]:
        return iter(())


def test_a_coroutine_is_closed_and_any_awaitable_is_told_apart() -> None:
    coroutine = wait()
    assert close_awaitable(coroutine) is True
    assert getcoroutinestate(coroutine) == CORO_CLOSED
    assert close_awaitable(Later()) is True
    others: list[object] = [None, 0, "", [], wait, Later]
    assert not any(map(close_awaitable, others))


class Store:
    limit = 5

    def read(self) -> None: ...
    def write(self) -> None: ...


@pytest.mark.parametrize("methods", [("read",), ("write", "read"), ()])
def test_an_object_with_all_methods_is_accepted_whatever_its_class(methods: tuple[str]) -> None:
    require_methods(Store(), *methods, field="store")


@pytest.mark.parametrize(
    ("value", "methods"),
    [
        (Store(), ("read", "delete")),
        (Store(), ("delete", "read")),
        (Store(), ("limit",)),
        (Store, ("read",)),
        (Store, ()),
        (None, ("read",)),
    ],
)
def test_an_object_that_lacks_a_method_or_is_a_class_is_refused(
    value: object, methods: tuple[str]
) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        require_methods(value, *methods, field="store")
    assert caught.value.field == "store"


@pytest.mark.parametrize("rest", ["a", "é"])
def test_a_url_has_1_to_65536_characters(rest: str) -> None:
    longest = "http://h/".ljust(MAX_URL_LENGTH, rest)
    assert MAX_URL_LENGTH == len(longest) == 65_536
    validation.validate_url(longest)
    validation.validate_url(longest.removeprefix("http://"), require_scheme=False)
    for longer in (longest + rest, ""):
        with pytest.raises(HTTPValidationError) as caught:
            validation.validate_url(longer)
        assert caught.value.field == "url"
    with pytest.raises(HTTPValidationError, match="1 to 65536"):
        validation.validate_url(longest.removeprefix("http:") + rest, require_scheme=False)


@pytest.mark.parametrize(
    ("url", "parts", "text"),
    [
        ("HTTP://H", ("http:", "//h", "", "", ""), "http://h"),
        ("https://h:443?q", ("https:", "//h:443", "", "?q", ""), "https://h/?q"),
        ("http://h:80#é", ("http:", "//h:80", "", "", "#%C3%A9"), "http://h/#%C3%A9"),
        ("http://Ann@H:8/a?b#c", ("http:", "//Ann@h:8", "/a", "?b", "#c"), "http://Ann@h:8/a?b#c"),
    ],
)
def test_a_url_has_parts_and_is_written_without_its_default_port(
    url: str, parts: tuple[str, ...], text: str
) -> None:
    assert require_url_parts(url) == parts
    assert url_text(require_url_parts(url)) == text == require_url(url)


def test_a_scheme_is_required_unless_it_may_be_left_out() -> None:
    for rule in (require_url, require_url_parts):
        with pytest.raises(HTTPValidationError):
            rule("h/x")
        assert rule("h/x", require_scheme=False) == rule("http://h/x")
    with pytest.raises(HTTPValidationError):
        validation.validate_url("h/x")


def test_a_token_has_the_characters_of_rfc_9110() -> None:
    """Section 5.6.2."""
    marks = "!#$%&'*+-.^_`|~"
    every = map(chr, range(0x180))
    tokens = [one for one in every if TOKEN.fullmatch(one)]
    assert "".join(sorted(tokens)) == "".join(sorted(marks + string.ascii_letters + string.digits))
    assert TOKEN.fullmatch("".join(tokens))
    assert not TOKEN.fullmatch("")
    assert OWS == " \t"


@pytest.mark.parametrize("url", ["/x", "?q", "#top", "h/x", "//h/x", "ftp://h", "mailto:a@h"])
def test_a_url_without_a_scheme_of_http_is_told_which_there_are(url: str) -> None:
    for rule in (require_url, require_url_parts):
        with pytest.raises(HTTPValidationError, match=r"http:// or https://"):
            rule(url)


@pytest.mark.parametrize("url", ["/x", "?q", "#top", "//", "///x", "http://", "http:///x"])
def test_a_url_without_a_host_is_told_to_have_one(url: str) -> None:
    for rule in (require_url, require_url_parts):
        with pytest.raises(HTTPValidationError, match="must have a host"):
            rule(url, require_scheme=False)
