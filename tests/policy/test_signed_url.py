"""Signed URLs: the signature goes, and everything that chooses the file stays."""

import pytest

from railhttp.policy.signed_url import without_signature

AMAZON = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20240101&X-Amz-Date=20240101T000000Z"
    "&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=t&X-Amz-Signature=ab"
)
AZURE = "sv=2022-11-02&st=2024-01-01&se=2024-01-02&sr=b&sp=r&spr=https&sig=a%2Bb%3D"


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        (AMAZON, ""),
        (AMAZON.lower(), ""),
        (f"versionId=3&{AMAZON}&response-content-type=x", "versionId=3&response-content-type=x"),
        ("AWSAccessKeyId=AK&Signature=ab%3D&Expires=1700000000", ""),
        ("GoogleAccessId=x&Expires=1&Signature=y&generation=7", "generation=7"),
        ("X-Goog-Algorithm=a&X-Goog-Credential=c&X-Goog-Signature=s", ""),
        ("Policy=p&Signature=s&Key-Pair-Id=k", ""),
        (f"snapshot=1&{AZURE}", "snapshot=1"),
        ("id=7&token=abc", "id=7"),
        ("a=1&a=2&sig=x&b", "a=1&a=2&b"),
        ("a=1&b=2", "a=1&b=2"),
        ("expires=1&st=2&policy=3", "expires=1&st=2&policy=3"),
        ("file=signature", "file=signature"),
        ("xsig=1", "xsig=1"),
    ],
)
def test_what_stays_of_a_query(query: str, kept: str) -> None:
    expected = f"https://h/a%20b/f.zip?{kept}".removesuffix("?")
    assert without_signature(f"https://h/a%20b/f.zip?{query}") == expected
    assert without_signature(f"https://h/a%20b/f.zip?{query}#part") == expected


@pytest.mark.parametrize("url", ["https://h/f", "https://h/sig=1", "https://h/f?", "http://h/?&"])
def test_a_url_without_a_signature_stays_as_it_is(url: str) -> None:
    assert without_signature(url) == url


@pytest.mark.parametrize("name", ["Signature", "sig", "hmac", "token", "hdnea", "hdnts"])
@pytest.mark.parametrize(
    "other",
    [
        *("Expires", "expiry", "exp", "Policy", "Key-Pair-Id", "Hash-Algorithm", "KeyName"),
        *("AWSAccessKeyId", "GoogleAccessId", "OSSAccessKeyId", "security-token", "q-ak"),
        *("sv", "ss", "srt", "sr", "sp", "st", "se", "spr", "sip", "si", "sdd", "ses"),
        *("skoid", "sktid", "skt", "ske", "sks", "skv", "saoid", "suoid", "scid"),
    ],
)
def test_a_signature_takes_along_what_it_covers(name: str, other: str) -> None:
    assert without_signature(f"https://h/f?{other}=1&{name}=x&id=2") == "https://h/f?id=2"
    assert without_signature(f"https://h/f?{other}=1&id=2") == f"https://h/f?{other}=1&id=2"


@pytest.mark.parametrize("prefix", ["x-amz-", "x-goog-", "x-oss-", "x-ms-", "q-sign-", "q-key-"])
def test_any_parameter_with_the_prefix_of_a_service_goes(prefix: str) -> None:
    assert without_signature(f"https://h/f?{prefix}any=1&id=2") == "https://h/f?id=2"
    assert without_signature(f"https://h/f?{prefix[:-1]}any=1") == f"https://h/f?{prefix[:-1]}any=1"
