"""The verbs, and what each of their keyword arguments does on the wire."""

import inspect
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Final, NoReturn

import pytest
from multidict import CIMultiDict
from returns.result import Result
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from yarl import URL

from railhttp import (
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPInvalidRequestError,
    HTTPStatusError,
    RequestOptions,
)
from railhttp.client.request_builder import _OWN
from railhttp.client.verbs import Verbs
from railhttp.headers import basic_auth, bearer_auth
from railhttp.testing import ScriptedTransport

SIGNATURE: Final = "(self, url: str | yarl.URL, **options"
VERBS: Final = ("get", "post", "put", "delete", "patch", "head", "options")


@pytest.mark.parametrize("verb", VERBS)
async def test_a_verb_sends_its_method(client: HTTPClient, faults: FaultServer, verb: str) -> None:
    response = (await getattr(client, verb)(faults.url())).unwrap()
    assert (response.status, response.method) == (200, verb.upper())
    assert [seen.method for seen in faults.received] == [verb.upper()]


@pytest.mark.parametrize("method", ["get", "PROPFIND", "query", "TRACE"])
async def test_request_takes_any_method(
    client: HTTPClient, faults: FaultServer, method: str
) -> None:
    assert (await client.request(method, faults.url())).method == method.upper()
    assert faults.received[0].method == method.upper()


@pytest.mark.parametrize("method", [["GET"], {"GET": 1}, b"GET", None, 5, "", "G T"])
async def test_a_method_that_is_no_token_is_refused_whatever_it_is(
    client: HTTPClient, faults: FaultServer, method: str
) -> None:
    with pytest.raises(HTTPInvalidRequestError) as caught:
        await client.request(method, faults.url())
    assert caught.value.field == "method"
    with pytest.raises(HTTPInvalidRequestError):
        async with client.stream(method, faults.url()):
            pass
    assert not faults.received


async def test_request_returns_any_status_and_verbs_fail_from_400_on(
    client: HTTPClient, echo: EchoServer
) -> None:
    assert (await client.request("GET", echo.url("/status/404"))).status == 404
    failure = (await client.get(echo.url("/status/404"))).failure()
    assert isinstance(failure, HTTPStatusError)
    assert (failure.status, failure.delivery, failure.attempts) == (404, Delivery.ANSWERED, 1)


def test_every_verb_takes_the_same_options() -> None:
    for verb in VERBS:
        assert str(inspect.signature(getattr(Verbs, verb))).startswith(
            "(self, url: str | yarl.URL, **options"
        )


@pytest.mark.parametrize(
    ("options", "target"),
    [
        ({"params": {"b": [1, None, 2], "c": True}}, "/ok?a=1&b=1&b=2&c=true"),
        ({"params": {}}, "/ok?a=1"),
        ({"params": None}, "/ok?a=1"),
        ({"params": {"q": "a b&c=é"}}, "/ok?a=1&q=a+b%26c%3D%C3%A9"),
    ],
)
async def test_params_extend_the_query(
    client: HTTPClient, faults: FaultServer, options: RequestOptions, target: str
) -> None:
    await client.get(faults.url("/ok?a=1"), **options)
    assert faults.received[0].target == target


class Text(str, Enum):  # noqa: UP042  # a StrEnum prints as its text
    """Texts that print as something else."""

    GET = "GET"
    PURGE = "purge"
    NAME = "X-Name"
    VALUE = "a-value"


BASIC: Final = "Basic WC1OYW1lOmEtdmFsdWU="  # X-Name:a-value


@pytest.mark.parametrize("method", [Text.GET, Text.PURGE])
async def test_a_method_that_is_an_enum_is_sent_as_its_text(
    client: HTTPClient, faults: FaultServer, method: Text
) -> None:
    await client.request(method, faults.url())
    await client.request(method.value, faults.url())  # the client did not remember what it prints
    assert [seen.method for seen in faults.received] == [method.value.upper()] * 2


async def test_a_url_that_is_an_enum_is_sent_as_its_text(
    client: HTTPClient, faults: FaultServer
) -> None:
    class Urls(str, Enum):  # noqa: UP042  # see above
        OK = faults.url("/ok")

    await client.get(Urls.OK)
    await client.get(Urls.OK.value)
    assert [seen.target for seen in faults.received] == ["/ok"] * 2


@pytest.mark.parametrize(
    ("options", "field", "sent"),
    [
        ({"headers": {Text.NAME: Text.VALUE}}, "x-name", "a-value"),
        (
            {"headers": basic_auth(Text.NAME, Text.VALUE)},
            "authorization",
            "Basic WC1OYW1lOmEtdmFsdWU=",
        ),
        ({"cookies": {Text.NAME: Text.VALUE}}, "cookie", "X-Name=a-value"),
        ({"idempotency_key": Text.VALUE}, "idempotency-key", "a-value"),
    ],
    ids=["headers", "authorization", "cookies", "idempotency_key"],
)
async def test_an_option_that_is_an_enum_is_sent_as_its_text(
    client: HTTPClient, faults: FaultServer, options: RequestOptions, field: str, sent: str
) -> None:
    await client.get(faults.url(), **options)
    assert faults.received[0].all(field) == [sent]


async def test_parameters_that_are_enums_are_sent_as_their_text(
    client: HTTPClient, faults: FaultServer
) -> None:
    await client.get(faults.url(), params={Text.NAME: Text.VALUE})
    assert faults.received[0].target == "/ok?X-Name=a-value"


async def test_headers_are_sent_as_they_are(client: HTTPClient, faults: FaultServer) -> None:
    fields = CIMultiDict([("X-Two", "1"), ("X-Two", "2"), ("Accept", "text/csv")])
    await client.get(faults.url(), headers=fields)
    (seen,) = faults.received
    assert (seen.all("x-two"), seen.all("accept")) == (["1", "2"], ["text/csv"])


async def test_a_fragment_is_not_sent(client: HTTPClient, faults: FaultServer) -> None:
    response = (await client.get(faults.url("/ok?a=1") + "#part")).unwrap()
    assert faults.received[0].target == "/ok?a=1"
    assert response.url == faults.url("/ok?a=1") + "#part"


@pytest.mark.parametrize(
    ("headers", "userinfo", "sent"),
    [
        (basic_auth("ann", "s3cret"), "", "Basic YW5uOnMzY3JldA=="),
        ({}, "ann:s3cret@", "Basic YW5uOnMzY3JldA=="),
        ({}, "ann@", "Basic YW5uOg=="),
        ({}, "a%40b:p%2Fw@", "Basic YUBiOnAvdw=="),
        (bearer_auth("abc"), "ann:s3cret@", "Bearer abc"),
        ({"authorization": "mine"}, "ann:s3cret@", "mine"),
    ],
)
async def test_credentials_are_those_of_the_headers_or_else_of_the_url(
    client: HTTPClient, faults: FaultServer, headers: dict[str, str], userinfo: str, sent: str
) -> None:
    url = faults.url().replace("http://", f"http://{userinfo}")
    response = (await client.get(url, headers=headers)).unwrap()
    assert faults.received[0].all("authorization") == [sent]
    assert "@" not in response.url


@pytest.mark.parametrize(
    "options", [{}, {"params": {"a": 1}}, {"data": b"x"}, {"timeout": 5}, {"cookies": {"a": "b"}}]
)
async def test_credentials_of_the_url_are_sent_whatever_the_options(
    client: HTTPClient, faults: FaultServer, options: RequestOptions
) -> None:
    url = faults.url().replace("http://", "http://ann:s3cret@")
    (await client.post(url, **options)).unwrap()
    assert faults.received[0].all("authorization") == ["Basic YW5uOnMzY3JldA=="]


def keyed(options: RequestOptions) -> RequestOptions:
    return {**options, "idempotency_key": True}


WAYS: Final[dict[str, Callable[[HTTPClient, str, RequestOptions], Awaitable[object]]]] = {
    "verb": lambda client, url, options: client.get(url, **options),
    "key": lambda client, url, options: client.post(url, **keyed(options)),
    "download": lambda client, url, options: client.download(url, "no-file", **options),
    "form": lambda client, url, options: client.post_multipart(url, {}, **options),
}


@pytest.mark.parametrize("headers", [{1: "x"}, {b"X": "x"}, {None: "x"}, {("a",): "x"}])
@pytest.mark.parametrize("way", WAYS)
async def test_a_header_name_that_is_no_text_is_an_invalid_request(
    client: HTTPClient, faults: FaultServer, way: str, headers: dict[object, str]
) -> None:
    options: RequestOptions = {"headers": headers}  # type: ignore[typeddict-item]  # wrong on purpose
    result = await WAYS[way](client, faults.url(), options)
    assert isinstance(result, Result)
    failure = result.failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, faults.received) == ("headers", [])


async def test_default_fields_are_sent_where_the_headers_are_none(
    client: HTTPClient, faults: FaultServer
) -> None:
    options: RequestOptions = {"headers": None, "idempotency_key": "7"}
    await client.post(faults.url(), **options)
    assert faults.received[0].header("idempotency-key") == "7"


class Hostile:
    """Nothing that a request can use."""

    def __str__(self) -> str:
        raise ZeroDivisionError


REFUSED: Final[dict[str, list[object]]] = {
    "headers": [
        *(5, 0, "a: b", [("a",)], [(1, "b")], {1: "a"}, {"a": None}),
        *({name: "x"} for name in ("", "a b", "a\r\n", "é", ":path")),
        *({"X-A": value} for value in ("a\r\nb", "a\nb", "\x00", "\ud800")),
        *({"Content-Length": value} for value in ("5", "-1", "x", "٣")),
        {"Transfer-Encoding": "chunked"},
        CIMultiDict([("Host", "a"), ("host", "b")]),
        CIMultiDict([("Content-Length", "0"), ("Content-Length", "0")]),
    ],
    "params": [5, 0, "a=\n", ["a=b"], [("a", b"x")], {"a": b"x"}, {"a": float("nan")}, {1: "a"}],
    "json": [Hostile(), {1: {Hostile()}}, float("nan"), {"a": 1j}, "\ud800"],
    "data": [5, 0, Hostile(), True, "\ud800", {"a": {"b": 1}}],
    "cookies": [5, ["a=b"], "a=b", {"a b": "c"}, {"a": "\n"}, {"a": 1}],
    "timeout": [0, -1, True, "5", float("nan"), float("inf"), []],
    "attempt_timeout": [0, "5", Hostile()],
    "connect_timeout": [0, False, "5"],
    "read_timeout": [-0.1, "5", {}],
    "allow_redirects": [None, "yes", 1, 0],
    "max_redirects": [-1, 1.5, None, True, "3"],
    "allow_insecure_redirects": ["yes", 1, 0],
    "proxy": [5, False, "socks5://h", "http://", "a b"],
    "ssl_context": [5, 0, "no", Hostile()],
    "upload_progress": [5, "print"],
    "idempotency_key": [5, "a\r\n", "\ud800"],
    "retries": [-1, True, 1.5, "3"],
    "retry_policy": [5, "none", Hostile()],
    "idempotent": [None, "yes", 1, 0],
    "url_template": [5, None, "a\nb"],
    "method": ["", "GE T", "GET\r\n", "é", "CONNECT", 5, None, Hostile()],
    "url": [
        *("", "h", "ftp://h/", "http://", "http://h:0/", "http://a b/", "http://h/\r\n"),
        *("http://[::1", "//h/", "http://h/?\ud800", 5, None, b"http://h/"),
        Hostile(),
    ],
}


def test_every_argument_is_checked() -> None:
    # test_aiohttp_options.py has those of aiohttp
    assert REFUSED.keys() == {*_OWN, "method", "url"}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in REFUSED.items() for value in values]
)
async def test_what_cannot_be_sent_is_refused_by_name(
    client: HTTPClient, faults: FaultServer, field: str, value: object
) -> None:
    arguments: dict[str, object] = {"method": "GET", "url": faults.url(), field: value}
    method, url = arguments.pop("method"), arguments.pop("url")
    result = await client._perform(method, url, arguments)  # type: ignore[arg-type]  # wrong on purpose
    failure = result.failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, failure.attempts) == (field, 0)
    assert failure.delivery is Delivery.NOT_SENT
    assert faults.received == []


NOT_GIVEN: Final[RequestOptions] = {
    "headers": None,
    "params": None,
    "json": None,
    "data": None,
    "cookies": None,
    "proxy": None,
    "ssl_context": None,
    "upload_progress": None,
    "idempotency_key": None,
    "retries": None,
    "retry_policy": None,
}


async def test_none_is_as_if_it_were_not_given(client: HTTPClient, faults: FaultServer) -> None:
    await client.get(faults.url())
    await client.get(faults.url(), **NOT_GIVEN)
    first, second = faults.received
    assert (first.target, first.headers, first.body) == (second.target, second.headers, second.body)


async def test_a_key_is_sent_without_headers_too(client: HTTPClient, faults: FaultServer) -> None:
    await client.post(faults.url(), headers=None, idempotency_key="7")
    assert faults.received[0].all("idempotency-key") == ["7"]


async def test_a_call_has_one_body(client: HTTPClient, faults: FaultServer) -> None:
    failure = (await client.post(faults.url(), json={}, data=b"")).failure()
    assert failure.label == "data"
    failure = (await client.post_multipart(faults.url(), {"a": "b"}, json={})).failure()
    assert failure.label == "data"


@pytest.mark.parametrize("verb", [*VERBS, "request"])
async def test_an_option_that_does_not_exist_is_a_type_error(
    client: HTTPClient, faults: FaultServer, verb: str
) -> None:
    method = ("GET",) if verb == "request" else ()
    with pytest.raises(TypeError, match=r"^colour: .*'colour'"):
        await getattr(client, verb)(*method, faults.url(), colour=3)


async def test_the_config_holds_where_a_call_says_nothing(echo: EchoServer) -> None:
    config = HTTPClientConfig(trust_env=False, max_redirects=1, read_timeout=0.05)
    async with HTTPClient(config) as client:
        assert (await client.get(echo.url("/redirect/2"))).failure().label == "redirect"
        assert (await client.get(echo.url("/redirect/2"), max_redirects=2)).unwrap().ok
        assert (await client.post(echo.url("/slow/1000"))).failure().label == "read"
        slow = await client.get(echo.url("/slow/80"), read_timeout=None)
        assert slow.unwrap().text == "late"


class Broken(dict[str, str]):
    """A mapping that cannot be read."""

    error: type[Exception] = ZeroDivisionError

    def items(self) -> NoReturn:
        raise self.error


@pytest.mark.parametrize("error", [ZeroDivisionError, TypeError])
@pytest.mark.parametrize("name", ["headers", "params", "cookies", "data"])
async def test_an_argument_that_raises_is_an_invalid_request(
    client: HTTPClient, faults: FaultServer, name: str, error: type[Exception]
) -> None:
    broken = Broken(a="b")
    broken.error = error
    options: dict[str, object] = {name: broken}
    failure = (await client.post(faults.url(), **options)).failure()  # type: ignore[arg-type]  # wrong on purpose
    assert isinstance(failure, HTTPInvalidRequestError)
    assert isinstance(failure.__cause__, error)
    assert (failure.field, failure.url, failure.method) == ("", faults.url(), "POST")
    assert error.__name__ in failure.message
    assert faults.received == []


async def test_a_failure_of_a_url_object_names_it() -> None:
    async with HTTPClient() as client:
        failure = (await client.get(URL("http://h/a?b=c"), timeout=-1)).failure()
    assert failure.url == "http://h/a?b=***"


@pytest.mark.parametrize("url", [None, 7, b"http://h/", ["/"]])
async def test_an_object_that_is_no_url_is_not_appended_to_the_base_url(url: str) -> None:
    script = ScriptedTransport()
    script.on("GET", "/**").reply(200)
    async with HTTPClient(base_url="http://h/v1", exchange=script) as client:
        failure = (await client.get(url)).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, failure.url, failure.attempts) == ("url", "", 0)
    assert not script.calls
