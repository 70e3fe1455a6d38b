"""AWS Signature Version 4 by AWS' public test suite, and the S3 example of its documentation."""

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Final

import pytest
from returns.result import Success
from yarl import URL

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HTTPInterceptorError,
    HTTPValidationError,
    RequestContext,
)
from railhttp.auth import SigV4
from railhttp.testing import ManualClock, ScriptedTransport
from railhttp.wire.sigv4 import Scope, canonical_request, signature

SECRET: Final = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TIME: Final = "20150830T123600Z"
HOST: Final = "https://example.amazonaws.com"
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}

VANILLA: Final = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"

# name of the case, method, target, header fields, body, signature
SUITE: Final[list[tuple[str, str, str, dict[str, str], bytes, str]]] = [
    ("get-vanilla", "GET", "/", {}, b"", VANILLA),
    ("get-relative", "GET", "/example/..", {}, b"", VANILLA),
    ("get-slash", "GET", "//", {}, b"", VANILLA),
    (
        "get-vanilla-query-order-key-case",
        *("GET", "/?Param2=value2&Param1=value1", {}, b""),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    (
        "get-vanilla-empty-query-key",
        *("GET", "/?Param1=value1", {}, b""),
        "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    ),
    (
        "get-utf8",
        *("GET", "/ሴ", {}, b""),
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    ),
    (
        "get-unreserved",
        *("GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", {}, b""),
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    (
        "post-vanilla",
        *("POST", "/", {}, b""),
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    (
        "post-header-key-sort",
        *("POST", "/", {"My-Header1": "value1"}, b""),
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    ),
    (
        "post-x-www-form-urlencoded",
        *("POST", "/", FORM, b"Param1=value1"),
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
]


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "expected"),
    [pytest.param(*case, id=name) for name, *case in SUITE],
)
def test_the_public_test_suite(
    method: str, target: str, headers: dict[str, str], body: bytes, expected: str
) -> None:
    fields = {**headers, "Host": "example.amazonaws.com", "X-Amz-Date": TIME}
    url = URL(f"{HOST}{target}", encoded=True)  # the suite gives paths before they are encoded
    digest = hashlib.sha256(body).hexdigest()
    canonical, _ = canonical_request(method, url, fields, digest, "service")
    assert signature(SECRET, Scope(TIME, "us-east-1", "service"), canonical) == expected


def clock_at(date: str) -> ManualClock:
    return ManualClock(wall=datetime.fromisoformat(f"{date}+00:00").timestamp())


async def test_an_attempt_is_signed_by_the_clients_clock() -> None:
    clock = clock_at("2015-08-30T12:36:00")
    script = ScriptedTransport(clock=clock)
    script.on("GET", "/").reply(503).reply(200)
    auth = SigV4("AKIDEXAMPLE", SECRET, "us-east-1", "service")

    async def main() -> None:
        async with HTTPClient(exchange=script, clock=clock, interceptors=[auth]) as client:
            assert isinstance(await client.get(f"{HOST}/"), Success)

    await clock.run(main())
    first, second = (call.headers for call in script.calls)
    assert first["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={VANILLA}"
    )
    assert (first["X-Amz-Date"], second.getall("Authorization")[1:]) == (TIME, [])


async def test_a_context_outside_of_a_client_is_signed_by_its_own_time() -> None:
    start = datetime.fromisoformat("2015-08-30T14:36:00+02:00")
    context = RequestContext("GET", f"{HOST}/", start_time=start)
    auth = SigV4("AKIDEXAMPLE", SECRET, "us-east-1", "service")
    signed = await auth.intercept_request(context)
    assert signed.headers["Authorization"].endswith(VANILLA)


async def test_the_example_of_s3() -> None:
    """Amazon S3 API Reference, "Signature Calculations", GET Object."""
    clock = clock_at("2013-05-24T00:00:00")
    script = ScriptedTransport(clock=clock)
    script.on("GET", "/test.txt").reply(200)
    auth = SigV4(
        "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "s3"
    )

    async def main() -> None:
        async with HTTPClient(exchange=script, clock=clock, interceptors=[auth]) as client:
            url = "https://examplebucket.s3.amazonaws.com/test.txt"
            await client.get(url, headers={"Range": "bytes=0-9"})

    await clock.run(main())
    field = script.calls[0].headers["Authorization"]
    assert field.endswith("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")


async def once() -> AsyncIterator[bytes]:
    yield b"x"


@pytest.mark.parametrize(("service", "signed"), [("s3", True), ("sqs", False)])
async def test_a_body_that_can_be_read_once_is_unsigned_for_s3_and_refused_elsewhere(
    service: str, signed: bool
) -> None:
    script = ScriptedTransport()
    script.on("PUT", "/").reply(200)
    auth = SigV4("AKIDEXAMPLE", SECRET, "us-east-1", service, session_token="tok")
    async with HTTPClient(HTTPClientConfig(), exchange=script, interceptors=[auth]) as client:
        result = await client.put(f"{HOST}/", data=once())
    if not signed:
        failure = result.failure()
        assert isinstance(failure, HTTPInterceptorError)
        assert isinstance(failure.__cause__, HTTPValidationError)
        assert failure.__cause__.field == "data"
        return
    fields = script.calls[0].headers
    assert fields["X-Amz-Content-SHA256"] == "UNSIGNED-PAYLOAD"
    assert fields["X-Amz-Security-Token"] == "tok"
    assert "x-amz-security-token" in fields["Authorization"]


@pytest.mark.parametrize("name", ["access_key", "secret_key", "region", "service"])
@pytest.mark.parametrize("value", ["", 5, None])
def test_a_part_that_is_missing_is_named(name: str, value: str) -> None:
    given = {"access_key": "AK", "secret_key": "s3cret", "region": "eu", "service": "s3"}
    with pytest.raises(HTTPValidationError) as caught:
        SigV4(**{**given, name: value})
    assert caught.value.field == name
    assert "s3cret" not in str(caught.value)


async def test_a_body_that_is_read_in_chunks_is_signed_like_one_of_bytes(tmp_path: Path) -> None:
    content = b"body" * 50_000
    file = tmp_path / "body"
    file.write_bytes(content)
    script = ScriptedTransport()
    script.on("PUT", "/").reply(200)
    auth = SigV4("AKIDEXAMPLE", SECRET, "us-east-1", "s3")
    async with HTTPClient(HTTPClientConfig(), exchange=script, interceptors=[auth]) as client:
        with file.open("rb") as opened:
            (await client.put(f"{HOST}/", data=opened)).unwrap()
    sent = script.calls[0].headers["X-Amz-Content-SHA256"]
    assert sent == hashlib.sha256(content).hexdigest()


async def test_fields_of_an_earlier_signature_are_replaced() -> None:
    auth = SigV4("AKIDEXAMPLE", SECRET, "us-east-1", "s3", session_token="tok")
    old = {"x-amz-date": "1", "X-AMZ-Security-Token": "2", "authorization": "3"}
    given = RequestContext("GET", f"{HOST}/", {**old, "X-Amz-Content-sha256": "4", "X-Id": "5"})
    fields = (await auth.intercept_request(given)).headers
    assert sorted(fields) == [
        *("Authorization", "X-Amz-Content-SHA256", "X-Amz-Date", "X-Amz-Security-Token", "X-Id"),
    ]
    assert not {"1", "2", "3", "4"} & set(fields.values())
