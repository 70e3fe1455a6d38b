"""Requests that share a connection, and redirects that lead through another proxy."""

import ssl
from collections.abc import Mapping
from typing import Any, Final

import pytest
from aiohttp import Fingerprint
from multidict import CIMultiDict
from yarl import URL

from railhttp.egress import Egress
from railhttp.model.errors import HTTPConnectionError
from railhttp.model.request import Request, SendOptions, WireOptions
from railhttp.transport.destination import (
    Destination,
    check_egress,
    connection_key,
    held_to_proxy,
    refused_by_egress,
)

ORIGIN: Final = URL("https://h.test")
PROXY: Final = URL("http://ann:s3cret@proxy.test:3128")
CONTEXT: Final = ssl.create_default_context()

USUAL: Final[Mapping[str, Any]] = {
    "origin": ORIGIN,
    "proxy": None,
    "tls": None,
    "credentials": "",
    "egress": None,
    "wire": None,
}


def key(**settings: object) -> object:
    return connection_key(**{**USUAL, **settings})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({}, {"origin": URL("https://H.test:443")}),
        ({}, {"tls": True}),
        ({}, {"wire": WireOptions()}),
        ({}, {"wire": WireOptions(sock_connect=5.0, read_bufsize=9, max_headers=5)}),
        ({}, {"credentials": "Basic x"}),  # only a proxy would read them
        ({"tls": CONTEXT}, {"tls": CONTEXT}),
        ({"proxy": PROXY}, {"proxy": URL(str(PROXY))}),
        ({"egress": Egress(ports={443})}, {"egress": Egress(ports={443})}),
        ({"wire": WireOptions(fingerprint=b"a" * 32)},) * 2,
        ({"wire": WireOptions(server_hostname="a.test")},) * 2,
    ],
)
async def test_requests_that_differ_in_nothing_else_share_a_connection(
    one: Mapping[str, object], other: Mapping[str, object]
) -> None:
    assert key(**one) == key(**other)
    assert hash(key(**one)) == hash(key(**other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"origin": URL("http://h.test")}),
        ({}, {"origin": URL("https://h.test:8443")}),
        ({}, {"origin": URL("https://i.test")}),
        ({}, {"tls": False}),
        ({}, {"tls": CONTEXT}),
        ({"tls": CONTEXT}, {"tls": ssl.create_default_context()}),
        ({}, {"proxy": PROXY}),
        ({"proxy": PROXY}, {"proxy": PROXY.with_port(81)}),
        ({"proxy": PROXY}, {"proxy": PROXY.with_password("other")}),
        ({"proxy": PROXY}, {"proxy": PROXY, "credentials": "Basic x"}),
        (
            {"proxy": PROXY, "credentials": "Basic x"},
            {"proxy": PROXY, "credentials": "Basic y"},
        ),
        ({}, {"egress": Egress()}),
        ({"egress": Egress()}, {"egress": Egress(ports={443})}),
        ({}, {"wire": WireOptions(fingerprint=b"a" * 32)}),
        *(
            ({"wire": WireOptions(**{name: a})}, {"wire": WireOptions(**{name: b})})  # type: ignore[arg-type]
            for name, a, b in [
                ("fingerprint", b"a" * 32, b"b" * 32),
                ("server_hostname", "a.test", "b.test"),
            ]
        ),
        (
            {"proxy": PROXY, "wire": WireOptions(proxy_headers=(("X-A", "1"),))},
            {"proxy": PROXY, "wire": WireOptions(proxy_headers=(("X-A", "2"),))},
        ),
    ],
)
async def test_requests_that_differ_in_what_made_the_connection_do_not_share_it(
    one: Mapping[str, object], other: Mapping[str, object]
) -> None:
    assert key(**one) != key(**other)


async def test_credentials_take_the_place_of_the_user_in_the_proxy() -> None:
    destination = Destination(ORIGIN, PROXY, None, "Basic x")
    assert destination.proxy == URL("http://proxy.test:3128")
    assert dict(destination.proxy_headers or {}) == {
        "Proxy-Authorization": "Basic x",
        "Host": "h.test",
    }
    plain = Destination(ORIGIN.with_port(8443), PROXY, None, "", wire=WireOptions(proxy_auth="x"))
    assert plain.proxy == PROXY
    assert plain.proxy_headers is None
    wire = WireOptions(proxy_headers=(("X-A", "1"),))
    fields = Destination(ORIGIN.with_port(8443), PROXY, None, wire=wire).proxy_headers
    assert dict(fields or {}) == {"X-A": "1", "Host": "h.test:8443"}


async def test_a_pin_replaces_the_verification() -> None:
    pinned = Destination(ORIGIN, None, None, wire=WireOptions(fingerprint=b"a" * 32))
    assert isinstance(pinned.ssl, Fingerprint)
    assert pinned.ssl.fingerprint == b"a" * 32
    assert Destination(ORIGIN, None, None).ssl is True
    assert Destination(ORIGIN, None, False).ssl is False


async def test_a_destination_with_a_gate_is_checked_later() -> None:
    assert Destination(ORIGIN, None, None).is_checked
    gated = Destination(ORIGIN, None, None, egress=Egress())
    assert (gated.is_checked, gated.egress) == (False, Egress())


# --- the gate


def test_a_refusal_says_why() -> None:
    failure = refused_by_egress("no such port")
    assert (failure.kind, failure.message) == ("rejected", "the egress gate refused: no such port")


@pytest.mark.parametrize(
    ("url", "proxy", "reason"),
    [
        ("https://example.org/", None, None),
        ("https://example.org:443/", None, None),
        ("https://example.org:8443/", None, "port"),
        ("http://example.org:443/", None, "scheme"),
        ("https://10.0.0.1/", None, "address"),
        ("https://example.org/", PROXY, "a proxy would choose the address"),
        ("https://10.0.0.1/", PROXY, "a proxy would choose the address"),
    ],
)
def test_what_is_known_before_a_connection_is_checked_first(
    url: str, proxy: URL | None, reason: str | None
) -> None:
    egress = Egress(ports={443}, schemes={"https"})
    if reason is None:
        check_egress(egress, URL(url), proxy)
        return
    with pytest.raises(HTTPConnectionError, match=reason) as caught:
        check_egress(egress, URL(url), proxy)
    assert caught.value.kind == "rejected"


# --- redirects


WIRE: Final = WireOptions(proxy_auth="Basic x", proxy_headers=(("X-A", "1"),), sock_connect=5.0)


def redirected(url: str, first: str | None, proxy: str | None = None) -> Request:
    return Request(
        "GET",
        URL(url),
        CIMultiDict({"Proxy-Authorization": "Basic x", "X-Id": "7"}),
        None,
        None,
        SendOptions(proxy=proxy, wire=WIRE),
        redirected_from=None if first is None else URL(first),
    )


def proxy_for(url: URL) -> URL | None:
    """One proxy for http, and none for https."""
    return PROXY if url.scheme == "http" else None


@pytest.mark.parametrize(
    ("url", "first", "proxy", "kept"),
    [
        ("http://h.test/", None, None, True),
        ("http://h.test/", "http://i.test/", None, True),
        ("https://h.test/", "https://i.test/", None, True),
        ("https://h.test/", "http://i.test/", None, False),
        ("http://h.test/", "https://i.test/", None, False),
        ("https://h.test/", "http://i.test/", "http://own.test", True),
        ("https://h.test/", "http://i.test/", "", True),
    ],
)
def test_credentials_for_a_proxy_stay_with_it(
    url: str, first: str | None, proxy: str | None, kept: bool
) -> None:
    request = redirected(url, first, proxy)
    held = held_to_proxy(request, proxy_for)
    assert (held is request) is kept
    headers, wire = held.headers, held.options.wire
    assert headers is not None
    assert wire is not None
    assert headers.getall("X-Id") == ["7"]
    assert ("Proxy-Authorization" in headers) is kept
    assert wire == (WIRE if kept else WireOptions(sock_connect=5.0))
    # The request itself is unchanged: a retry begins with it.
    assert request.headers is not None
    assert "Proxy-Authorization" in request.headers


def test_a_request_without_fields_loses_none() -> None:
    request = Request(
        *("GET", URL("http://h.test/"), None, None, None, SendOptions()),
        redirected_from=URL("https://h.test/"),
    )
    assert not held_to_proxy(request, proxy_for).headers
