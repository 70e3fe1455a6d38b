"""The validators agree with a reference, and nothing but an HTTPError comes out of them."""

import ipaddress
import socket
import sys
from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from math import nan

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from properties import strategies as some
from returns.pipeline import is_successful
from returns.result import Result

from railhttp.model.authorization import basic_auth, bearer_auth
from railhttp.model.errors import HTTPError, HTTPValidationError
from railhttp.model.proxy import ProxySettings, require_proxy
from railhttp.model.timeout import format_timeout
from railhttp.model.url import request_url
from railhttp.model.validation import has_control, require_text
from railhttp.validation import (
    check_host,
    check_port,
    check_positive_int,
    check_timeout,
    check_url,
    validate_host,
    validate_port,
    validate_positive_int,
    validate_timeout,
    validate_url,
)

TWINS: list[tuple[Callable[..., Result[object, HTTPValidationError]], Callable[..., None]]] = [
    (check_host, validate_host),
    (check_port, validate_port),
    (check_positive_int, validate_positive_int),
    (check_timeout, validate_timeout),
    (check_url, validate_url),
]


@pytest.mark.parametrize(("check", "validate"), TWINS)
@given(value=some.objects | some.urls() | some.hosts)
def test_a_validator_raises_what_its_twin_gives(
    check: Callable[..., Result[object, HTTPValidationError]],
    validate: Callable[..., None],
    value: object,
) -> None:
    outcome = check(value)
    if is_successful(outcome):
        validate(value)
        return
    with pytest.raises(HTTPError) as caught:
        validate(value)
    assert str(caught.value) == str(outcome.failure())
    assert caught.value.__cause__ is caught.value.__context__ is None


@given(some.objects)
def test_nothing_but_an_http_error_comes_out(value: str) -> None:
    for call in (
        lambda: require_text(value, "text"),
        lambda: require_proxy(value),
        lambda: check_url(value, require_scheme=False),
        lambda: request_url(value),
        lambda: basic_auth(value, value),
        lambda: bearer_auth(value),
    ):
        with suppress(HTTPError):
            call()


@given(some.objects)
def test_a_port_agrees_with_its_reference(value: object) -> None:
    assert is_successful(check_port(value)) == (type(value) is int and value in range(1, 65_536))


@given(st.integers(-2, 70_000))
def test_a_port_is_in_range(value: int) -> None:
    assert is_successful(check_port(value)) == (value in range(1, 65_536))


@given(some.objects)
def test_a_count_agrees_with_its_reference(value: object) -> None:
    good = isinstance(value, int) and type(value) is not bool and value > 0
    assert is_successful(check_positive_int(value)) == good


@given(some.objects)
def test_a_timeout_agrees_with_its_reference(value: object) -> None:
    good = value is None
    if isinstance(value, int | float) and type(value) is not bool:
        exact = Decimal(value)
        good = exact.is_finite() and 0 < exact < Decimal(2) ** 1024
    assert is_successful(check_timeout(value)) == good


@given(st.none() | st.integers() | st.floats(allow_nan=False) | some.huge_integers)
def test_a_timeout_reads_back_from_its_words(timeout: float | None) -> None:
    words = format_timeout(timeout)
    if timeout is None or timeout > sys.float_info.max:
        assert words == "no timeout"
    elif timeout >= -sys.float_info.max:
        assert float(words.removesuffix("s")) == float(timeout)
        assert words.endswith("s")


@given(st.sampled_from([nan, -nan]))
def test_no_number_is_no_timeout(timeout: float) -> None:
    with pytest.raises(HTTPError):
        format_timeout(timeout)


@given(some.scalar_text | st.just("a:b"), some.scalar_text | st.just(":b"))
def test_credentials_read_back_or_are_refused(username: str, password: str) -> None:
    try:
        field = basic_auth(username, password)["Authorization"]
    except HTTPError:
        assert ":" in username or has_control(username + password)
        return
    scheme, _, encoded = field.partition(" ")
    assert scheme == "Basic"
    assert b64decode(encoded, validate=True).decode().split(":", 1) == [username, password]


@given(some.hosts)
def test_a_good_host_is_accepted_and_its_normal_form_is_normal(host: str) -> None:
    normal = check_host(host).unwrap()
    assert normal.isascii()
    assert check_host(normal).unwrap() == normal
    assert check_host(normal.upper()).unwrap() == normal


@given(some.any_text)
def test_an_accepted_host_is_a_name_or_an_address(host: str) -> None:
    outcome = check_host(host)
    if is_successful(outcome):
        normal = outcome.unwrap()
        assert len(normal) <= 254
        assert set(normal) <= set("abcdefghijklmnopqrstuvwxyz0123456789-._:")


@given(st.text("0123456789.x", max_size=16) | some.ipv4)
@example("1.2.3.4.")
def test_a_numeric_host_is_what_the_system_takes_for_an_ipv4_address(host: str) -> None:
    if host.rstrip(".")[-1:].isdigit() and "x" not in host:
        assert is_successful(check_host(host)) == is_address(socket.AF_INET, host)


@given(st.text("0123456789abcdef:.", max_size=24) | some.ipv6)
def test_a_host_with_colons_is_what_the_system_takes_for_an_ipv6_address(host: str) -> None:
    if ":" in host:
        assert is_successful(check_host(host)) == is_address(socket.AF_INET6, host)


def is_address(family: int, host: str) -> bool:
    try:
        socket.inet_pton(family, host)
    except OSError:
        return False
    return True


@given(some.urls())
def test_a_good_url_is_accepted_and_its_normal_form_is_normal(url: str) -> None:
    normal = check_url(url).unwrap()
    assert normal.isascii()
    assert check_url(normal).unwrap() == normal
    schemeless = url.partition("://")[2]
    assert is_successful(check_url(schemeless, require_scheme=False))
    assert not is_successful(check_url(schemeless))


@given(some.urls(), st.data())
def test_a_character_that_cannot_be_sent_makes_a_url_bad(url: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(url)))
    character = data.draw(st.sampled_from(" \t\r\n\0\x1f\x7f\x9f\u2028\u3000\ud800"))
    assert not is_successful(check_url(url[:place] + character + url[place:]))


@given(some.labels, some.names | some.ipv4, st.sampled_from("\\[]:^|<"))
def test_a_trick_in_the_authority_makes_a_url_bad(user: str, host: str, trick: str) -> None:
    for authority in (
        f"{host}{trick}{user}",
        f"{user}@{user}@{host}",
        f"@{host}",
        f":{user}@{host}",
    ):
        assert not is_successful(check_url(f"http://{authority}/x"))


@given(
    st.dictionaries(st.sampled_from(["HTTP_PROXY", "no_proxy", "ALL_PROXY"]), some.any_text),
    some.urls(),
)
def test_any_environment_can_be_read(environ: dict[str, str], url: str) -> None:
    settings = ProxySettings.from_environment(environ)
    assert refused_field(lambda: settings.proxy_for(request_url(url))) in {None, *environ}


def refused_field(call: Callable[[], object]) -> str | None:
    try:
        call()
    except HTTPValidationError as error:
        return error.field
    return None


@given(some.ipv4 | some.ipv6, st.integers(0, 32), some.ipv4 | some.ipv6)
def test_a_network_in_no_proxy_agrees_with_its_reference(
    address: str, bits: int, other: str
) -> None:
    network = ipaddress.ip_network(f"{address}/{bits}", strict=False)
    settings = ProxySettings.from_environment({"HTTP_PROXY": "proxy", "NO_PROXY": str(network)})
    url = request_url(f"http://[{other}]/" if ":" in other else f"http://{other}/")
    target = ipaddress.ip_address(other)
    mapped = getattr(target, "ipv4_mapped", None)  # ::ffff:192.0.2.1 is 192.0.2.1
    assert (settings.proxy_for(url) is None) == ((mapped or target) in network)
