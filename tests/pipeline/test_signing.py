"""Signed requests: the RFC's own example, and what is covered."""

from base64 import b64decode

import pytest

from railhttp.client.http_client import HTTPClient
from railhttp.model.context import RequestContext
from railhttp.model.errors import HTTPValidationError
from railhttp.pipeline.interceptors.message_signing import MessageSigning, signature_base
from railhttp.pipeline.interceptors.standard import RequestInterceptor
from railhttp.testing import ManualClock, ScriptedTransport

DAY = ManualClock(wall=1618884473.0)


async def headers_of(signing: MessageSigning, context: RequestContext) -> dict[str, str]:
    return (await signing.intercept_request(context)).headers


async def test_the_example_of_rfc_9421_appendix_b_2_5_is_reproduced() -> None:
    secret = (
        "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
    )
    signing = MessageSigning(
        "test-shared-secret",
        b64decode(secret),
        covered=("date", "@authority", "content-type"),
        label="sig-b25",
        clock=DAY,
    )
    sent = {"Date": "Tue, 20 Apr 2021 02:07:55 GMT", "Content-Type": "application/json"}
    headers = await headers_of(
        signing, RequestContext("POST", "https://example.com/foo?param=Value&Pet=dog", sent)
    )
    assert headers["Signature-Input"] == (
        'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'
    )
    assert headers["Signature"] == "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:"


async def test_a_body_in_memory_is_covered_by_its_digest() -> None:
    context = RequestContext("POST", "http://h/", body=b'{"hello": "world"}')
    headers = await headers_of(MessageSigning("k", b"s", clock=DAY), context)
    # The digest is the example of RFC 9530, appendix B.
    assert headers["Content-Digest"] == ("sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:")
    assert '"content-digest"' in headers["Signature-Input"]


async def test_a_streamed_body_is_left_out_and_the_signature_says_so() -> None:
    context = RequestContext("POST", "http://h/", body=None)
    headers = await headers_of(MessageSigning("k", b"s", clock=DAY), context)
    assert "Content-Digest" not in headers
    assert headers["Signature-Input"].startswith('railhttp=("@method" "@target-uri");')


@pytest.mark.parametrize(
    "changed",
    [
        RequestContext("PUT", "http://h/a?b=1", body=b"x"),
        RequestContext("POST", "http://h/a?b=2", body=b"x"),
        RequestContext("POST", "http://i/a?b=1", body=b"x"),
        RequestContext("POST", "http://h/a?b=1", body=b"y"),
    ],
)
async def test_whatever_is_changed_changes_the_signature(changed: RequestContext) -> None:
    signing = MessageSigning("k", b"s", clock=DAY)
    original = await headers_of(signing, RequestContext("POST", "http://h/a?b=1", body=b"x"))
    assert (await headers_of(signing, changed))["Signature"] != original["Signature"]


async def test_only_the_named_origin_is_signed_for() -> None:
    signing = MessageSigning("k", b"s", origin="https://api.example", clock=DAY)
    assert await headers_of(signing, RequestContext("GET", "http://api.example/")) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("@scheme", "https"),
        ("@path", "/"),
        ("@query", "?"),
        ("@authority", "api.example"),
        ("@target-uri", "https://api.example/"),
    ],
)
def test_parts_of_a_url_are_signed_in_their_normal_form(name: str, value: str) -> None:
    context = RequestContext("GET", "https://api.example:443#top")
    assert signature_base(context, [name], "()").splitlines()[0] == f'"{name}": {value}'


class Rewriting(RequestInterceptor):
    """Writes what is put into its normal form before it is sent."""

    async def prepare(self, context: RequestContext) -> None:
        context.method = "post"
        context.url = "http://API.example:80/ä%20b?q=ü#top"


async def test_what_is_sent_is_what_is_signed() -> None:
    transport = ScriptedTransport()
    route = transport.on("POST", "/*").reply()
    signing = MessageSigning("k", b"s", clock=DAY)
    async with HTTPClient(exchange=transport, interceptors=[Rewriting(), signing]) as client:
        (await client.get("http://h/")).unwrap()
    [sent] = route.calls
    assert sent.url.removesuffix("#top") == "http://api.example/%C3%A4%20b?q=%C3%BC"
    again = RequestContext("POST", sent.url)
    assert sent.headers["Signature"] == (await headers_of(signing, again))["Signature"]


@pytest.mark.parametrize("name", ["@authority", "@target-uri"])
def test_the_host_that_the_caller_names_is_signed(name: str) -> None:
    context = RequestContext("GET", "https://10.0.0.7/", {"host": "API.example:443"})
    signed = signature_base(context, [name], "()").splitlines()[0]
    assert signed.partition(": ")[2] in {"api.example", "https://api.example/"}


def test_a_field_that_comes_several_times_is_signed_as_one() -> None:
    fields = {"X-Tag": " a", "x-tag": "b, c "}
    signed = signature_base(RequestContext("GET", "http://h/", fields), ["x-tag"], "()")
    assert signed.splitlines()[0] == '"x-tag": a, b, c'


async def test_a_digest_of_the_callers_own_is_replaced_in_whatever_case_it_is_written() -> None:
    signing = MessageSigning("k", b"s", clock=DAY)
    stale = {"content-digest": "sha-256=:stale:"}
    context = RequestContext("POST", "http://h/", stale, body=b"x")
    fresh = RequestContext("POST", "http://h/", body=b"x")
    assert await headers_of(signing, context) == await headers_of(signing, fresh)


async def test_a_field_that_is_to_be_signed_has_to_be_there() -> None:
    signing = MessageSigning("k", b"s", covered=("date",), clock=DAY)
    with pytest.raises(HTTPValidationError, match="no field 'date'"):
        await headers_of(signing, RequestContext("GET", "http://h/"))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        *(({"key_id": text}, "key_id") for text in ('a"b', "a\\b", "a\nb", "é")),
        *(({"label": text}, "label") for text in ('a"b', "a\\b", "a\nb", "é")),
        ({"secret": b""}, "secret"),
    ],
)
def test_a_part_that_a_signature_cannot_have_is_named(given: dict[str, object], field: str) -> None:
    arguments: dict[str, object] = {"key_id": "shop", "secret": b"s3cret", **given}
    with pytest.raises(HTTPValidationError) as caught:
        MessageSigning(**arguments)  # type: ignore[arg-type]  # a row of a table
    assert caught.value.field == field
