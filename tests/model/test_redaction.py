"""What may be shown of a URL and of header fields: a table of disguises."""

import pytest

from railhttp.model.redaction import redact_headers, redact_url


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
