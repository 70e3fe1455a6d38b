"""What AWS Signature Version 4 signs, and how."""

import hashlib
import hmac

import pytest
from yarl import URL

from railhttp.wire.sigv4 import ALGORITHM, UNSIGNED, Scope, canonical_request, signature

URL_OF_H = URL("https://h/")


def canonical(headers: dict[str, str], url: URL = URL_OF_H, service: str = "x") -> list[str]:
    text, names = canonical_request("GET", url, {"Host": "h", **headers}, "hash", service)
    lines = text.split("\n")
    assert lines[-2:] == [names, "hash"]
    return lines


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Connection",
        "Expect",
        "Transfer-Encoding",
        "User-Agent",
        "Accept-Encoding",
        "X-Amzn-Trace-Id",
        "Content-Length",
    ],
)
def test_a_field_that_may_change_on_the_way_is_not_signed(name: str) -> None:
    assert canonical({name: "x"}) == canonical({name.lower(): "x"}) == canonical({})
    # Its neighbours are: a name that begins so, or has one letter less.
    for other in (f"{name}s", name[:-1]):
        assert f"{other.lower()}:x" in canonical({other: "x"})


def test_fields_are_signed_in_order_in_lower_case_and_without_needless_blanks() -> None:
    lines = canonical({"X-B": "\t a   b  c ", "X-A": "1"})
    assert lines[3:-1] == ["host:h", "x-a:1", "x-b:a b c", "", "host;x-a;x-b"]


@pytest.mark.parametrize(
    ("query", "signed"),
    [
        ("", ""),
        ("b=2&a=1", "a=1&b=2"),
        ("a", "a="),
        ("a=b=c", "a=b%3Dc"),
        ("a=1+2", "a=1%202"),
        ("a=-._~%7E%2F/", "a=-._~~%2F%2F"),
        ("a=2&a=1", "a=1&a=2"),
    ],
)
def test_the_query_that_is_signed(query: str, signed: str) -> None:
    url = URL.build(scheme="https", host="h", path="/", query_string=query, encoded=True)
    assert canonical({}, url)[2] == signed


@pytest.mark.parametrize(
    ("path", "service", "signed"),
    [
        ("/", "x", "/"),
        ("/-._~", "x", "/-._~"),
        ("/-._~", "s3", "/-._~"),
        ("/a%2Fb", "x", "/a%252Fb"),
        ("/a%7Eb%20", "s3", "/a~b%20"),
        ("/a/./b/../c", "x", "/a/c"),
        ("/a//b/", "x", "/a/b/"),
        ("/a/.", "x", "/a/"),
        ("/a/..", "x", "/"),
        ("/a//./b/..", "s3", "/a//./b/.."),
        ("/a/b", "service", "/a/b"),
        ("/a/b/", "service", "/a/b/"),
        ("/a/./b/.", "service", "/a/b/"),
        ("/a/b/..", "service", "/a/"),
        ("//a///b", "service", "/a/b"),
        ("/../..", "service", "/"),
        ("//a/./b/..", "s3", "//a/./b/.."),
        ("/a%7E%20b", "s3", "/a~%20b"),
        ("/a%2Fb", "service", "/a%252Fb"),
        ("/", "service", "/"),
    ],
)
def test_the_path_that_is_signed(path: str, service: str, signed: str) -> None:
    url = URL.build(scheme="https", host="h", path=path, encoded=True)
    assert canonical({}, url, service)[:3] == ["GET", signed, ""]


def test_the_signature_is_a_chain_of_keyed_hashes() -> None:
    """AWS General Reference, "Calculate the signature"."""
    assert (ALGORITHM, UNSIGNED) == ("AWS4-HMAC-SHA256", "UNSIGNED-PAYLOAD")
    scope = Scope("20150830T123600Z", "us-east-1", "iam")
    assert str(scope) == "20150830/us-east-1/iam/aws4_request"
    key = b"AWS4secret"
    for part in (b"20150830", b"us-east-1", b"iam", b"aws4_request"):
        key = hmac.new(key, part, hashlib.sha256).digest()
    hashed = hashlib.sha256(b"text").hexdigest()
    text = f"AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n{hashed}"
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    assert signature("secret", scope, "text") == expected
