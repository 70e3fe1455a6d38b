"""Redaction of URLs, header fields and values, as a table of hidden secrets."""

import inspect
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from multidict import CIMultiDict
from yarl import URL

import railhttp.events
import railhttp.interceptors
import railhttp.resilience
import railhttp.types
from railhttp import (
    ConnectionPoolConfig,
    DynamicModule,
    HealthCheckResult,
    HTTPClientConfig,
    HTTPModule,
    HTTPRequestSentHook,
    HttpResponse,
    HTTPResponseReceivedHook,
    HTTPStatusError,
    RequestCompletedEvent,
    RequestContext,
    RequestRetryExhaustedEvent,
    RequestTimeoutEvent,
    ResponseContext,
    ServerSentEvent,
)
from railhttp.events import (
    CircuitChangedEvent,
    ClientGauges,
    PoolGauges,
    RedirectEvent,
    RequestFinished,
    RetryBudgetExhaustedEvent,
    StoreBackEvent,
    StoreDownEvent,
    StreamFailedEvent,
    Timings,
    WaitEvent,
)
from railhttp.headers import bearer_auth, freeze_headers
from railhttp.interceptors import ApiKey, BasicAuth, BearerAuth, MessageSigning
from railhttp.model.body import BytesBody, StreamBody
from railhttp.model.proxy import ProxySettings
from railhttp.model.redaction import MASK, redact_headers, redact_url, redacted_repr
from railhttp.model.request import Request, SendOptions
from railhttp.resilience import BreakerRule, RetryBudget, RetryEvent, Stack
from railhttp.testing import SentRequest
from railhttp.types import Download


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("", ""),
        ("https://h", "https://h"),
        ("https://h:8443/a/b", "https://h:8443/a/b"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("/a/b?k=v", "/a/b?k=***"),
        ("/a//b", "/a//b"),
        ("//h/x", "//h/x"),
        ("h:80/x", "h:80/x"),
        ("https://h/@user", "https://h/@user"),
        ("https://ann:s3cret@h/x", "https://h/x"),
        ("https://s3cret@h/x", "https://h/x"),
        ("ann:s3cret@h/x", "***"),
        ("https:/ann:s3cret@h", "***"),
        ("https:/ann:s3cret?@h", "***"),
        ("/a:b", "/a:b"),
        ("https://h/?token=s3cret", "https://h/?token=***"),
        ("https://h/?token=s3=cret&a=s3cret", "https://h/?token=***&a=***"),
        ("https://h/?s3cret", "https://h/?***"),
        ("https://h/?&&", "https://h/?&&"),
        ("https://ann:1?s3cret@h/?k=v", "https://ann:1?***"),
        ("https://ann:s3cret?s3cret@h/?k=v", "https://***"),
        ("https://h/#s3cret", "https://h/"),
        ("https://h/?a=b#token=s3cret", "https://h/?a=***"),
        ("https://ann:s3/cret@h/", "https://***"),
        ("https://ann:s3cret?@h/", "https://***"),
        ("https://ann:s3cret#@h/", "https://***"),
        ("https://ann:s3@cret@h/", "https://h/"),
        ("https://ann:s3//cret@h/", "https://***"),
        ("https:///ann:s3cret@h/", "https://***"),
        ("ann:s3cret//@h/", "***//***"),
        ("ann:s3cret@h//x", "***//***"),
        ("https:ann:s3cret//x", "***//***"),
        ("https://good\\@evil/", "https://evil/"),
        ("https://ann\\s3cret/", "https://***"),
        ("//h//x", "//h//x"),
        ("https://h:/x", "https://h:/x"),
        ("https://h:/", "https://h:/"),
        ("http://[::1]/x", "http://[::1]/x"),
        ("http://[::1]//x", "http://[::1]//x"),
        ("https://https://ann:s3cret@h/", "https://***"),
        ("https://https://h/", "https://***"),
        ("https://[ann:s3cret]/", "https://***"),
        ("https://h:s3cret/", "https://***"),
        ("a/b", "a/b"),
        ("h:/x", "h:/x"),
        ("h:80", "h:80"),
        ("h:s3cret/x", "***"),
        ("h:80/a:s3cret", "***"),
        ("/a/b?k=v&flag&k=s3cret", "/a/b?k=***&***&k=***"),
        ("https://h/?a@s3cret=b", "https://h/?***"),
        ("https://h/?a=s3cret@b&c=d", "https://h/?a=***&c=***"),
        ("https://h/?=s3cret", "https://h/?=***"),
        ("https://h/?a=&b", "https://h/?a=***&***"),
        ("https://h/?", "https://h/?"),
        ("https://h/ü?k=s3cret", "https://h/ü?k=***"),
        ("https://h/a\nb", "https://h/a\N{REPLACEMENT CHARACTER}b"),
        ("https://h/\ud800", "https://h/\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert redact_url(url) == shown
    assert redact_url(shown) == shown


def test_secret_headers_are_masked_in_any_case() -> None:
    headers = {"AUTHORIZATION": "Bearer s3cret", "x-api-key": "s3cret", "Accept": "*/*"}
    shown = {"AUTHORIZATION": "***", "x-api-key": "***", "Accept": "*/*"}
    assert redact_headers(headers) == shown


def test_headers_can_be_declared_secret() -> None:
    shown = redact_headers({"X-Mine": "s3cret", "Cookie": "shown"}, secret=["x-mine"])
    assert shown == {"X-Mine": "***", "Cookie": "shown"}


def test_secrets_in_headers_that_are_urls_are_masked() -> None:
    headers = {"Location": "/login?token=s3cret", "referer": "http://ann:s3cret@h/"}
    assert redact_headers(headers) == {"Location": "/login?token=***", "referer": "http://h/"}


@pytest.mark.parametrize("name", ["Location", "Content-Location", "Referer"])
def test_each_field_that_holds_a_url_is_shown_without_its_secrets(name: str) -> None:
    for spelled in (name, name.lower(), name.upper()):
        shown = redact_headers({spelled: "http://ann:s3cret@h/?k=s3cret#s3cret"})
        assert shown == {spelled: "http://h/?k=***"}
        assert redact_headers({spelled: "/a"}, secret=[name.lower()]) == {spelled: "***"}
    assert redact_headers({f"X-{name}": "/?k=v", name[:-1]: "/?k=v"}) == {
        f"X-{name}": "/?k=v",
        name[:-1]: "/?k=v",
    }


@dataclass
class Account:
    name: str
    password: str
    notes: str = field(default="", repr=False)


class Card(NamedTuple):
    number: str
    code: str | None = None


@pytest.mark.parametrize(
    ("value", "replaced", "shown"),
    [
        (Account("ann", "s3cret", "s3cret"), {"password": "***"}, "name='ann', password='***'"),
        (Account("ann", "pw"), {}, "name='ann', password='pw'"),
        (Card("s3cret", "7"), {"number": MASK}, "number='***', code='7'"),
        (Card("1"), {"number": None, "code": 5}, "number=None, code=5"),
    ],
)
def test_a_repr_shows_each_field_or_what_replaces_it(
    value: object, replaced: dict[str, object], shown: str
) -> None:
    assert redacted_repr(value, **replaced) == f"{type(value).__name__}({shown})"


SECRET_URL: Final = "http://ann:s3cret@h/?k=s3cret#s3cret"
FIELDS: Final = {
    **bearer_auth("s3cret"),
    "Cookie": "a=s3cret",
    "set-cookie": "a=s3cret",
    "Location": SECRET_URL,
}
ANSWER: Final = HttpResponse(404, freeze_headers(FIELDS), b"s3cret", SECRET_URL)
ROUTE: Final = SendOptions(proxy=SECRET_URL)
BODY: Final = BytesBody(b"s3cret", "text/plain")
PUBLIC: Final = (
    ANSWER,
    BreakerRule(),
    Stack(),
    ConnectionPoolConfig(),
    Download(Path("data.bin"), 1, 0, ANSWER),
    DynamicModule(HTTPModule),
    RequestFinished(0.5, 1, answer=ANSWER, failure=HTTPStatusError(ANSWER)),
    HTTPClientConfig(proxy=SECRET_URL),
    CircuitChangedEvent(name="stock", before="closed", after="open"),
    ClientGauges("", PoolGauges(1, 0, 0, 10), {}),
    PoolGauges(1, 0, 0, 10),
    StoreBackEvent(store="shop", seconds=2.5),
    StoreDownEvent(store="shop", problem="TimeoutError", when_down="local"),
    RedirectEvent(method="GET", url="http://h/", status_code=302, target="http://h/?k=***"),
    RetryBudgetExhaustedEvent(origin="http://h"),
    StreamFailedEvent(method="GET", url="http://h/", error_type="cancelled"),
    Timings(wait=0.5),
    WaitEvent(queue="pool", seconds=0.5, admitted=True, method="GET", url="http://h/"),
    HTTPRequestSentHook(method="GET", url="http://h/?k=***"),  # made with what is redacted
    HTTPResponseReceivedHook(method="GET", url="http://h/?k=***", status_code=404),
    HealthCheckResult("http", "healthy"),
    RequestCompletedEvent(url="http://h/?k=***", method="GET", status_code=404),
    RequestContext("GET", SECRET_URL, FIELDS, body=b"s3cret"),
    RequestRetryExhaustedEvent(url="http://h/?k=***", method="GET", attempt_count=3),
    RequestTimeoutEvent(url="http://h/?k=***", method="GET", timeout_seconds=1.0),
    ResponseContext(404, FIELDS),
    RetryBudget(),
    RetryEvent(1, 0.5, HTTPStatusError(ANSWER)),
    ServerSentEvent("data"),  # what a server says is shown
)
OF_SEAMS: Final = (
    ApiKey("s3cret"),
    BasicAuth("ann", "s3cret"),
    BearerAuth("s3cret"),
    BODY,
    MessageSigning("shop", b"s3cret"),
    ProxySettings.from_environment({"HTTP_PROXY": SECRET_URL}),
    ROUTE,
    Request("GET", URL(SECRET_URL), CIMultiDict(FIELDS), BODY, {"a": "s3cret"}, ROUTE),
    SentRequest("GET", SECRET_URL, freeze_headers(FIELDS), b"s3cret"),
    StreamBody((b"s3cret",), "text/plain"),
)


@pytest.mark.parametrize("value", [*PUBLIC, *OF_SEAMS], ids=lambda value: type(value).__name__)
def test_a_value_shows_no_secret_of_its_own(value: object) -> None:
    assert "s3cret" not in repr(value)
    assert repr(value).startswith((type(value).__name__, "<"))


def test_every_public_value_is_in_the_table() -> None:
    modules = (
        railhttp,
        railhttp.resilience,
        railhttp.interceptors,
        railhttp.events,
        railhttp.types,
    )
    public = {getattr(module, name) for module in modules for name in module.__all__}
    values = {
        kind
        for kind in public
        if inspect.isclass(kind) and (is_dataclass(kind) or hasattr(kind, "_fields"))
    }
    assert set(map(type, PUBLIC)) == values


@pytest.mark.parametrize(
    "name",
    [
        *("Private-Token", "X-Vault-Token", "Api-Key", "X-Goog-Api-Key", "X-Access-Token"),
        *("X-Xsrf-Token", "X-Consul-Token", "X-Shopify-Access-Token", "Ocp-Apim-Subscription-Key"),
        *("Set-Cookie2", "X-Session-Token", "DD-API-KEY", "X-Amz-Security-Token", "X-Gitlab-Token"),
    ],
)
def test_the_fields_of_well_known_services_are_masked(name: str) -> None:
    assert redact_headers({name: "s3cret"}) == {name: "***"}


@pytest.mark.parametrize(
    "name", ["X-Request-Id", "Idempotency-Key", "ETag", "WWW-Authenticate", "Sec-WebSocket-Key"]
)
def test_fields_without_secrets_are_shown(name: str) -> None:
    assert redact_headers({name: "value"}) == {name: "value"}
