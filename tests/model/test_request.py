"""A request: what may be sent twice, and what its `repr` shows."""

from collections.abc import Mapping

import pytest
from yarl import URL

from railhttp.model.request import Request, SendOptions

USUAL = SendOptions()


def request(
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    options: SendOptions = USUAL,
    redirected_from: URL | None = None,
) -> Request:
    return Request(method, URL("http://h/"), headers, None, None, options, redirected_from)


@pytest.mark.parametrize(
    ("method", "is_repeatable"),
    [
        *((method, True) for method in ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE")),
        *((method, False) for method in ("POST", "PATCH", "LINK")),
    ],
)
def test_a_request_of_an_idempotent_method_may_be_repeated(
    method: str, is_repeatable: bool
) -> None:
    """RFC 9110, section 9.2.2."""
    assert request(method).repeatable is is_repeatable


def test_any_request_may_be_repeated_if_it_has_a_key_or_its_caller_says_so() -> None:
    assert request("POST", headers={"idempotency-key": "7"}).repeatable
    assert not request("POST", headers={"Idempotency-Key": " \u2060"}).repeatable
    assert request("POST", options=SendOptions(idempotent=True)).repeatable


def test_the_repr_shows_no_secret_of_any_part() -> None:
    shown = repr(
        request(
            headers={"Authorization": "Bearer s3cret", "Accept": "a/b"},
            redirected_from=URL("https://first.example/?token=s3cret"),
        )
    )
    assert "s3cret" not in shown
    assert "first.example" in shown
    assert "a/b" in shown
