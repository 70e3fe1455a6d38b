"""The validators: accepted and refused values, and errors that hide secrets."""

import math
import sys
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Final

import pytest
from returns.pipeline import is_successful
from returns.result import Result

from railhttp.model import validation
from railhttp.model.errors import HTTPError, HTTPValidationError
from railhttp.model.validation import (
    describe,
    has_control,
    has_surrogate,
    require_function,
    require_methods,
    require_number,
    require_text,
)
from railhttp.validation import (
    check_host,
    check_port,
    check_positive_int,
    check_timeout,
    check_url,
)

HUGE: Final = pytest.param(10**5000, id="huge")  # its digits are more than str() allows

GOOD_HOSTS = {
    "localhost": "localhost",
    "API.Example.COM": "api.example.com",
    "example.com.": "example.com.",
    "my_service": "my_service",
    "a-b.c": "a-b.c",
    "3com.example": "3com.example",
    "a" * 63 + ".example": "a" * 63 + ".example",
    ".".join(["a" * 49] * 5) + ".abc": ".".join(["a" * 49] * 5) + ".abc",
    "Bücher.example": "xn--bcher-kva.example",
    "xn--bcher-kva.example": "xn--bcher-kva.example",
    "例え.テスト": "xn--r8jz45g.xn--zckzah",
    "☃.net": "xn--n3h.net",
    "127.0.0.1": "127.0.0.1",
    "１２７.0.0.1": "127.0.0.1",
    "255.255.255.255": "255.255.255.255",
    "::1": "::1",
    "[::1]": "::1",
    "2001:DB8:0:0::FF": "2001:db8::ff",
    "::ffff:1.2.3.4": IPv6Address("::ffff:1.2.3.4").compressed,  # Python 3.13 changed its form
}

BAD_HOSTS = [
    "",
    ".",
    "..",
    "a..b",
    ".example.com",
    "-a.example",
    "a-.example",
    "a" * 64 + ".example",
    ".".join(["a" * 49] * 5) + ".abcd",
    pytest.param("a" * 100_000, id="huge"),
    "ü" * 64 + ".example",
    "exa mple.com",
    "example.com\n",
    "example.com\0",
    "exa\u200bmple.com",
    "\ud800.example",
    "ex%41mple.com",
    "host:80",
    "user@host",
    "http://host",
    "host/path",
    "a\\b",
    "256.0.0.1",
    "01.2.3.4",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "127.1",
    "2130706433",
    "1.2.3.4.5",
    "1.2.3.4.",
    "example.0x",
    "xn--99999999.example",
    "xn--.example",
    "[::1",
    "::1]",
    "[]",
    "[example.com]",
    "[127.0.0.1]",
    ":::1",
    "fe80::1%eth0",
    "[fe80::1%25eth0]",
    "12345::",
]


@pytest.mark.parametrize(("host", "normal"), GOOD_HOSTS.items())
def test_a_host_is_accepted_in_its_normal_form(host: str, normal: str) -> None:
    assert check_host(host).unwrap() == normal
    validation.validate_host(host)


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_a_bad_host_is_refused(host: str) -> None:
    with pytest.raises(HTTPValidationError, match=r"^host: must be a DNS name"):
        validation.validate_host(host)


@pytest.mark.parametrize("port", [1, 80, 65_535])
def test_a_port_is_accepted(port: int) -> None:
    assert check_port(port).unwrap() == port
    validation.validate_port(port)


@pytest.mark.parametrize("port", [0, -1, 65_536, HUGE, True, 80.0, "80", b"80", None, [80]])
def test_a_bad_port_is_refused(port: int) -> None:
    with pytest.raises(
        HTTPValidationError, match=r"^port: must be an integer from 1 to 65535, got"
    ):
        validation.validate_port(port)


@pytest.mark.parametrize("value", [1, HUGE])
def test_a_positive_integer_is_accepted(value: int) -> None:
    assert check_positive_int(value).unwrap() == value
    validation.validate_positive_int(value)


@pytest.mark.parametrize("value", [0, -1, True, 1.0, "1", None, object()])
def test_what_is_no_positive_integer_is_refused_by_name(value: int) -> None:
    with pytest.raises(HTTPValidationError, match=r"^limit: must be a positive integer, got") as e:
        validation.validate_positive_int(value, "limit")
    assert e.value.field == "limit"


@pytest.mark.parametrize(
    "timeout",
    [None, 1, 0.001, 5e-324, 1.7e308, sys.float_info.max, pytest.param(2**1023, id="int")],
)
def test_a_timeout_is_accepted(timeout: float | None) -> None:
    seconds = check_timeout(timeout).unwrap()
    assert seconds == timeout
    assert seconds is None or type(seconds) is float
    validation.validate_timeout(timeout)


@pytest.mark.parametrize(
    "timeout", [0, 0.0, -1, math.nan, math.inf, -math.inf, True, 10**400, "30", b"", object()]
)
def test_what_is_no_time_limit_is_refused(timeout: float) -> None:
    with pytest.raises(HTTPValidationError, match=r"^timeout: must be a positive number of secon"):
        validation.validate_timeout(timeout)


@pytest.mark.parametrize("text", ["a\nb", "a\x7f", "\x85", "\ud800", b"a", None])
def test_a_text_has_no_control_characters_and_no_surrogates(text: object) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        require_text(text, "name")
    assert caught.value.field == "name"


GOOD_URLS = {
    "http://example.com": "http://example.com",
    "HTTP://Example.COM/": "http://example.com/",
    "https://ann:s3cret@example.com/": "https://ann:s3cret@example.com/",
    "https://ann@example.com/": "https://ann@example.com/",
    "https://ann:@example.com/": "https://ann:@example.com/",
    "https://ann:a:b@example.com/": "https://ann:a:b@example.com/",
    "http://[0::1]:8080/x": "http://[::1]:8080/x",
    "http://127.0.0.1:1": "http://127.0.0.1:1",
    "http://h:65535/": "http://h:65535/",
    "http://h:00080/": "http://h/",
    "http://Bücher.example/ü?ä=ö#ß": "http://xn--bcher-kva.example/%C3%BC?%C3%A4=%C3%B6#%C3%9F",
    "http://h/a%2Fb?c=%26": "http://h/a%2Fb?c=%26",
    "http://h/@a:b@c?d@e#f@g": "http://h/@a:b@c?d@e#f@g",
    "http://h?q=1": "http://h/?q=1",
    "http://h#f": "http://h/#f",
    "http://h?#f": "http://h/?#f",
    "https://h:443/x": "https://h/x",
    "https://H:0443?q": "https://h/?q",
    "https://h:80/": "https://h:80/",
    "http://h:443/": "http://h:443/",
    "https://h:44": "https://h:44",
    "http://h:8080": "http://h:8080",
    "https://[::1]:443": "https://[::1]",
    "http://h/a/../b/%7e": "http://h/a/../b/%7e",
    "http://h/a?": "http://h/a?",
    "http://API.☃.example/": "http://api.xn--n3h.example/",
    r"http://h/a\b": "http://h/a%5Cb",
}

BAD_URLS = [
    "",
    "example.com/x",
    "//example.com/x",
    "/x",
    "ftp://example.com/",
    "mailto:ann@example.com",
    "javascript://h/%0aalert(1)",
    "http:example.com",
    "http:/example.com",
    "http://",
    "http:///x",
    "http://?q",
    "http://:80/",
    " http://h/",
    "http://h/ x",
    "http://h/\u3000",
    "http://h/\u2028",
    "http://h/\tx",
    "http://h/\r\nHost: evil",
    "http://h/\x00",
    "http://h/\x7f",
    "http://h/\x9f",
    "http://h/\ud800",
    "http://a@b@c/",
    "http://@h/",
    "http://:pw@h/",
    "http://user:pw@/",
    r"http://good.example\@evil.example/",
    r"http://good.example\.evil.example/",
    "http://ann:p[w@h/",
    "http://a\u2100b@h/",
    "http://h:/",
    "http://h:0/",
    "http://h:65536/",
    "http://h:080000/",
    "http://h:-1/",
    "http://h:+80/",
    "http://h:٣/",
    "http://h:80:80/",
    "http://h:http/",
    "http://ann:p/w@h/",
    "http://::1/",
    "http://[::1/",
    "http://[::1]x/",
    "http://[fe80::1%25eth0]/",
    "http://[example.com]/",
    "http://127.1/",
    "http://0177.0.0.1/",
    "http://a..b/",
    "http://-a/",
    pytest.param("http://h/" + "x" * 70_000, id="huge"),
]


@pytest.mark.parametrize(("url", "normal"), GOOD_URLS.items())
def test_a_url_is_accepted_in_its_normal_form(url: str, normal: str) -> None:
    assert check_url(url).unwrap() == normal
    validation.validate_url(url)


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_bad_url_is_refused(url: str) -> None:
    with pytest.raises(HTTPValidationError, match=r"^url: must"):
        validation.validate_url(url)


@pytest.mark.parametrize(
    ("url", "normal"),
    {
        "example.com/x": "http://example.com/x",
        "localhost:8080": "http://localhost:8080",
        "[::1]:80/x?y": "http://[::1]/x?y",
        "HTTPS://example.com": "https://example.com",
        "//example.com/path": "http://example.com/path",
        "//[::1]:80": "http://[::1]",
    }.items(),
)
def test_the_scheme_can_be_left_out_where_that_is_allowed(url: str, normal: str) -> None:
    assert check_url(url, require_scheme=False).unwrap() == normal
    validation.validate_url(url, require_scheme=False)


@pytest.mark.parametrize("url", ["", "/x", "?x", "ftp://h/", "a b", "h:x", "http://", "//", "///x"])
def test_without_a_scheme_all_other_rules_hold(url: str) -> None:
    assert not is_successful(check_url(url, require_scheme=False))


@pytest.mark.parametrize("zone", ["%25eth0", "%eth0", "%25"])
def test_an_ipv6_zone_is_refused_with_this_reason(zone: str) -> None:
    problem = check_url(f"https://[fe80::1{zone}]/").failure().message
    assert "IPv6 zone (RFC 6874)" in problem


@pytest.mark.parametrize("check", [check_host, check_url])
@pytest.mark.parametrize("value", [None, b"example.com", 5, HUGE, object(), ["h"]])
def test_what_is_no_text_is_refused_as_such(
    check: Callable[..., Result[str, HTTPValidationError]], value: object
) -> None:
    assert "must be a str, got " in check(value, field="base").failure().message


@pytest.mark.parametrize(
    "url",
    [
        "http://ann:s3cret@/",
        "http://ann:s3cret@h:0/?token=s3cret#s3cret",
        "http://ann:s3cret/x@h/",
        "ftp://ann:s3cret@h/",
        "http://ann:s3cret\u2100@h/",
        "http://h/?token=s3cret\n",
    ],
)
def test_a_refusal_shows_no_secret_of_the_url(url: str) -> None:
    error = check_url(url).failure()
    assert "s3cret" not in f"{error!s} {error!r} {vars(error)} {error.__context__!r}"


def test_a_refusal_is_an_http_error_and_a_value_error() -> None:
    with pytest.raises(HTTPError, match="port") as caught:
        validation.validate_port(0)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda: require_number(-1, "max_delay"), "max_delay: must be at least 0, got -1"),
        (lambda: require_number(2, "ratio", high=1), "ratio: must be between 0 and 1, got 2"),
        (lambda: require_number(math.inf, "burst"), "burst: must be at least 0, got inf"),
        (lambda: require_function(3, "retry_if"), "retry_if: must be a function or None, got 3"),
        (
            lambda: require_methods("fast", "execute", field="policy"),
            "policy: must be an object with `execute`, got str",
        ),
        (
            lambda: require_methods(dict, "keys", "values", field="store"),
            "store: must be an object with `keys` and `values`, got the class dict",
        ),
    ],
)
def test_a_broken_rule_is_named_with_its_field(rule: Callable[[], object], message: str) -> None:
    with pytest.raises(HTTPValidationError) as refused:
        rule()
    assert str(refused.value) == message


def test_only_numbers_are_shown_in_an_error() -> None:
    assert (describe(0), describe(True), describe("s3cret")) == ("0", "True", "str")


def test_controls_and_surrogates_are_found_among_all_characters() -> None:
    controls = {*range(0x20), *range(0x7F, 0xA0)}
    surrogates = set(range(0xD800, 0xE000))
    every = range(sys.maxunicode + 1)
    assert {code for code in every if has_control(chr(code))} == controls | surrogates
    assert {code for code in every if has_surrogate(chr(code))} == surrogates


def test_one_bad_character_is_found_in_a_text_with_others() -> None:
    assert has_control("a\x00é")
    assert has_surrogate("aé\ud800")
