"""Redirects on real sockets: method, body, credentials, and where they end."""

import io
import ssl
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote

import pytest
from multidict import CIMultiDict
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.leaks import nothing_left
from tests.servers.listener import refused_port
from tests.servers.registry import answer, head
from tests.servers.scripted import ScriptedServer, sends
from tests.servers.tls import TlsContexts

from railhttp import (
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPFailure,
    RequestOptions,
)
from railhttp.headers import basic_auth
from railhttp.interceptors import BearerAuth
from railhttp.types import BodyData

STATUSES: Final = (301, 302, 303, 307, 308)

BECOMES_GET: Final = {
    *((status, "POST") for status in (301, 302, 303)),
    *((303, method) for method in ("PUT", "PATCH", "DELETE", "OPTIONS")),
}
"""RFC 9110, section 15.4, and WHATWG Fetch, section 4.4, step 12."""


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_method_and_body_of_the_next_request(
    client: HTTPClient, faults: FaultServer, status: int, method: str
) -> None:
    own = {"Content-Language": "de", "X-Mine": "1"}
    url = faults.url("/redirect-to", status=status)
    response = await client.request(method, url, data=b"body", headers=own)
    assert (response.status, response.url) == (200, faults.url("/ok"))
    _, seen = faults.received
    if (status, method) in BECOMES_GET:
        assert (seen.method, seen.body) == ("GET", b"")
        assert seen.all("content-type") == seen.all("content-language") == []
        assert seen.all("content-length") == []
    else:
        assert (seen.method, seen.body) == (method, b"body")
        assert seen.header("content-language") == "de"
    assert seen.header("x-mine") == "1"
    assert response.method == seen.method


@pytest.mark.parametrize("status", STATUSES)
async def test_a_head_stays_a_head(client: HTTPClient, echo: EchoServer, status: int) -> None:
    response = (await client.head(echo.url("/redirect/2", status=status))).unwrap()
    assert (response.method, response.url) == ("HEAD", echo.url("/get"))


SECRETS: Final = {
    **basic_auth("ann", "s3cret"),
    "Cookie": "session=s3cret",
    "X-API-Key": "s3cret",
    "X-Custom-Secret": "s3cret",
    "X-Auth-Token": "s3cret",
}


@pytest.mark.parametrize("to", ["same origin", "other port", "other host", "https to http"])
async def test_secrets_stay_with_their_origin(
    faults: FaultServer, tls: TlsContexts, to: str
) -> None:
    config = HTTPClientConfig(
        trust_env=False,
        secret_headers=frozenset({"X-Custom-Secret"}),
        allow_insecure_redirects=True,
    )
    other = {
        "same origin": faults.url("/ok"),
        "other host": faults.url("/ok", host="localhost"),
    }
    own = {**SECRETS, "X-Open": "1", "Host": "virtual.example"}
    async with (
        FaultServer() as elsewhere,
        FaultServer(ssl_context=tls.trusted) as secure,
        HTTPClient(config) as client,
    ):
        start = secure if to == "https to http" else faults
        url = start.url("/redirect-to", url=other.get(to, elsewhere.url("/ok")))
        result = await client.get(url, headers=own, ssl_context=tls.client)
        assert result.unwrap().body == b"ok"
        first, seen = start.received[0], (elsewhere.received or faults.received)[-1]
    assert all(first.header(name) == value for name, value in SECRETS.items())
    assert seen.header("x-open") == "1"
    if to == "same origin":
        assert all(seen.header(name) == value for name, value in SECRETS.items())
        assert seen.header("host") == "virtual.example"
    else:
        assert [name for name in SECRETS if seen.all(name)] == []
        assert seen.header("host") != "virtual.example"


async def test_credentials_of_the_url_stay_with_their_origin(
    client: HTTPClient, faults: FaultServer
) -> None:
    for host, count in (("127.0.0.1", 1), ("localhost", 0)):
        url = faults.url("/redirect-to", url=faults.url("/ok", host=host))
        await client.get(url.replace("http://", "http://ann:s3cret@"))
        assert len(faults.received[-1].all("authorization")) == count


async def test_credentials_that_the_server_names_are_not_used(
    client: HTTPClient, faults: FaultServer
) -> None:
    response = (await client.get(faults.url("/redirect-with-userinfo"))).unwrap()
    assert faults.received[-1].all("authorization") == []
    assert "s3cret" not in response.url


async def test_repeated_fields_are_repeated(client: HTTPClient, faults: FaultServer) -> None:
    fields = CIMultiDict([("X-Two", "1"), ("X-Two", "2")])
    await client.get(faults.url("/redirect-other-origin"), headers=fields)
    assert [seen.all("x-two") for seen in faults.received] == [["1", "2"]] * 2


# --- from https to http, and without verification


CREDENTIALS: Final[dict[str, RequestOptions]] = {
    "Authorization": {"headers": basic_auth("ann", "s3cret")},
    "a secret field of your own": {"headers": {"X-Custom-Secret": "s3cret"}},
    "the Cookie field": {"headers": {"cookie": "a=b"}},
    "cookies of the call": {"cookies": {"session": "s3cret"}},
    "auth": {"auth": ("ann", "s3cret")},
}
PUBLIC: Final[dict[str, RequestOptions]] = {
    "no field": {},
    "a public field": {"headers": {"X-Open": "1"}},
    "a field for the proxy": {"headers": {"Proxy-Authorization": "Basic x"}},
}


@pytest.mark.parametrize("switch", [None, True, False])
@pytest.mark.parametrize("given", [*CREDENTIALS, *PUBLIC])
@pytest.mark.parametrize("where", ["config", "call"])
async def test_a_call_with_credentials_is_not_led_from_https_to_http(
    faults: FaultServer, tls: TlsContexts, given: str, switch: bool | None, where: str
) -> None:
    config = HTTPClientConfig(
        trust_env=False,
        secret_headers={"X-Custom-Secret"},
        allow_insecure_redirects=switch if where == "config" else None,
    )
    options: RequestOptions = {**(CREDENTIALS | PUBLIC)[given], "ssl_context": tls.client}
    if where == "call":
        options["allow_insecure_redirects"] = switch
    follows = given in PUBLIC if switch is None else switch
    async with FaultServer(ssl_context=tls.trusted) as secure, HTTPClient(config) as client:
        url = secure.url("/redirect-to", url=faults.url("/ok"))
        result = await client.get(url, **options)
        assert len(secure.received) == 1
    assert len(faults.received) == follows
    if follows:
        assert result.unwrap().body == b"ok"
    else:
        failure = result.failure()
        assert (failure.label, failure.delivery) == ("redirect", Delivery.ANSWERED)
        assert "from https to http" in failure.message
        assert failure.attempts == 1


async def test_credentials_that_a_hop_has_lost_count_for_the_whole_call(
    faults: FaultServer, tls: TlsContexts
) -> None:
    async with (
        FaultServer(ssl_context=tls.trusted) as first,
        FaultServer(ssl_context=tls.trusted) as second,
        HTTPClient(HTTPClientConfig(trust_env=False)) as client,
    ):
        hop = second.url("/redirect-to", url=faults.url("/ok"))
        url = first.url("/redirect-to", url=hop, status=307)
        own = basic_auth("ann", "s3cret")
        failure = (
            await client.post(url, data=b"order", headers=own, ssl_context=tls.client)
        ).failure()
        assert failure.label == "redirect"
        assert second.received[0].all("authorization") == []
    assert faults.received == []


async def test_a_credential_of_an_interceptor_counts_too(
    faults: FaultServer, tls: TlsContexts
) -> None:
    async with (
        FaultServer(ssl_context=tls.trusted) as secure,
        HTTPClient(interceptors=[BearerAuth("s3cret")]) as client,
    ):
        url = secure.url("/redirect-to", url=faults.url("/ok"))
        assert (await client.get(url, ssl_context=tls.client)).failure().label == "redirect"
    assert faults.received == []


async def test_cookies_of_the_jar_decide_for_themselves(tls: TlsContexts) -> None:
    async with (
        ScriptedServer(sends(answer(b"ok"))) as plain,
        ScriptedServer(
            sends(answer(b"", "Set-Cookie: sid=s3cret; Secure", "Set-Cookie: view=wide")),
            sends(head(f"Location: {plain.url()}", "Content-Length: 0", status="302 Found")),
            ssl_context=tls.trusted,
        ) as secure,
        HTTPClient(HTTPClientConfig(trust_env=False)) as client,
    ):
        await client.get(secure.url(), ssl_context=tls.client)
        assert (await client.get(secure.url(), ssl_context=tls.client)).unwrap().body == b"ok"
        assert plain.received[0].all("cookie") == ["view=wide"]


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.mark.parametrize("context", [False, unverified()])
@pytest.mark.parametrize("to", ["same origin", "other port", "http"])
async def test_without_verification_a_redirect_stays_at_its_origin(
    faults: FaultServer, tls: TlsContexts, context: ssl.SSLContext | bool, to: str
) -> None:
    async with (
        FaultServer(ssl_context=tls.trusted) as secure,
        FaultServer(ssl_context=tls.trusted) as elsewhere,
        HTTPClient(HTTPClientConfig(trust_env=False)) as client,
    ):
        target = {"same origin": secure, "other port": elsewhere, "http": faults}[to]
        url = secure.url("/redirect-to", url=target.url("/ok"))
        result = await client.get(url, ssl_context=context)
        if to == "same origin":
            assert result.unwrap().body == b"ok"
        else:
            assert result.failure().label == "redirect"
            assert "ssl_context" in result.failure().message
            assert target.received == []


# --- bodies


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("make", [lambda: b"abc", lambda: io.BytesIO(b"abc"), lambda: [b"abc"]])
async def test_a_body_that_can_be_read_again_is_sent_again(
    client: HTTPClient, faults: FaultServer, status: int, make: Callable[[], BodyData]
) -> None:
    result = await client.post(faults.url("/redirect-to", status=status), data=make())
    assert result.unwrap().status == 200
    assert [seen.body for seen in faults.received] == [b"abc", b"abc"]


def one_reading() -> Iterator[bytes]:
    yield b"abc"


async def test_a_body_that_can_be_read_once_is_not_sent_again(
    client: HTTPClient, faults: FaultServer
) -> None:
    failure = (
        await client.post(faults.url("/redirect-to", status=307), data=one_reading())
    ).failure()
    assert (failure.label, failure.delivery) == ("redirect", Delivery.ANSWERED)
    assert "body" in failure.message
    assert len(faults.received) == 1
    seen_other = await client.post(faults.url("/redirect-to", status=303), data=one_reading())
    assert seen_other.unwrap().status == 200


# --- where redirects end


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/redirect-loop", "there were more than 10 redirects"),
        ("/redirect-forever", "there were more than 10 redirects"),
        ("/redirect-empty-location", "there were more than 10 redirects"),
        *(
            (f"/redirect-{name}", "the server names a location that is not an http or https URL")
            for name in ("bad-url", "bad-port", "no-host", "ftp", "file", "data")
        ),
    ],
)
async def test_a_redirect_that_leads_nowhere(
    client: HTTPClient, faults: FaultServer, path: str, message: str
) -> None:
    failure = (await client.get(faults.url(path))).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert (failure.kind, failure.delivery, failure.attempts) == ("redirect", Delivery.ANSWERED, 1)
    assert failure.message == message
    assert len(faults.received) == (11 if "more than" in message else 1)


@pytest.mark.parametrize("hops", [0, 1, 3])
async def test_as_many_redirects_as_allowed(
    client: HTTPClient, echo: EchoServer, hops: int
) -> None:
    if hops:
        within = await client.get(echo.url(f"/redirect/{hops}"), max_redirects=hops)
        assert within.unwrap().url == echo.url("/get")
    beyond = await client.get(echo.url(f"/redirect/{hops + 1}"), max_redirects=hops)
    assert beyond.failure().message == f"there were more than {hops} redirects"


async def test_a_redirect_that_is_not_followed_is_an_answer(
    client: HTTPClient, faults: FaultServer
) -> None:
    unfollowed = (await client.get(faults.url("/redirect-to"), allow_redirects=False)).unwrap()
    assert (unfollowed.status, unfollowed.headers["Location"]) == (302, "/ok")
    assert (await client.get(faults.url("/redirect-without-location"))).unwrap().status == 302
    assert (await client.get(faults.url("/not-modified-with-length"))).unwrap().status == 304


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/redirect-header-injection", "/ok?next=%0D%0AX-Injected:%20yes"),
        ("/redirect-raw-utf8", "/ok?name=caf%C3%A9"),
        ("/redirect-to?url=" + quote("../ok?x=%26#top"), "/ok?x=%26"),
    ],
)
async def test_a_location_is_encoded_but_not_twice(
    client: HTTPClient, faults: FaultServer, path: str, target: str
) -> None:
    await client.get(faults.url(path))
    assert faults.received[-1].target.lower() == target.lower()
    assert faults.received[-1].all("x-injected") == []


# --- failures behind a redirect


async def test_the_first_server_has_answered_whatever_the_second_does(
    client: HTTPClient, faults: FaultServer
) -> None:
    with refused_port() as port:
        url = faults.url("/redirect-to", url=f"http://127.0.0.1:{port}/?token=s3cret", status=307)
        failure: HTTPFailure = (await client.post(url, data=b"order")).failure()
    assert (failure.label, failure.delivery) == ("connect", Delivery.ANSWERED)
    assert (failure.attempts, len(faults.received)) == (1, 1)  # a POST that was answered
    assert failure.url == f"http://127.0.0.1:{port}/?token=***"


async def test_a_get_starts_anew_with_its_first_hop(
    client: HTTPClient, faults: FaultServer
) -> None:
    failure = (await client.get(faults.url("/redirect-to", url="/reset-before-head"))).failure()
    assert (failure.label, failure.delivery) == ("disconnected", Delivery.ANSWERED)
    assert failure.attempts == 3
    assert [seen.path for seen in faults.received] == ["/redirect-to", "/reset-before-head"] * 3


ODD_BODIES: Final = {
    "not what it says": head(
        "Location: /ok", "Content-Encoding: gzip", "Content-Length: 5", status="302 Found"
    )
    + b"plain",
    "too large": head("Location: /ok", "Content-Length: 100000", status="302 Found")
    + b"x" * 100_000,
    "broken off": head("Location: /ok", "Content-Length: 100", status="302 Found") + b"part",
    "endless": head("Location: /ok", "Transfer-Encoding: chunked", status="302 Found"),
}


@pytest.mark.parametrize("body", ODD_BODIES)
async def test_the_body_of_a_redirect_does_not_matter(body: str) -> None:
    config = HTTPClientConfig(trust_env=False, max_response_bytes=1000, timeout=5.0)
    async with (
        nothing_left(),
        ScriptedServer(sends(ODD_BODIES[body]), sends(answer(b"ok"))) as server,
        HTTPClient(config) as client,
    ):
        assert (await client.get(server.url())).unwrap().body == b"ok"
