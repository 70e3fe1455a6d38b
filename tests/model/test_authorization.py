"""Credentials as header fields, and what is refused without being shown."""

import pytest

from railhttp.model.authorization import basic_auth, bearer_auth
from railhttp.model.errors import HTTPValidationError


@pytest.mark.parametrize(
    ("username", "password", "credentials"),
    [
        ("Aladdin", "open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("test", "123£", "dGVzdDoxMjPCow=="),
        ("", "", "Og=="),
        ("ann", "a:b", "YW5uOmE6Yg=="),
    ],
)
def test_basic_credentials_are_utf_8_in_base64(
    username: str, password: str, credentials: str
) -> None:
    assert basic_auth(username, password) == {"Authorization": f"Basic {credentials}"}


@pytest.mark.parametrize(
    ("username", "password", "field"),
    [
        ("s3:cret", "", "username"),
        ("s3cret\n", "", "username"),
        (b"s3cret", "", "username"),
        ("ann", "s3cret\0", "password"),
        ("ann", "s3cret\ud800", "password"),
        ("ann", None, "password"),
    ],
)
def test_bad_basic_credentials_are_refused_and_not_shown(
    username: str, password: str, field: str
) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        basic_auth(username, password)
    assert caught.value.field == field
    assert "s3" not in str(caught.value)


def test_a_bearer_token_is_sent_as_it_is() -> None:
    assert bearer_auth("a-._~+/Z9==") == {"Authorization": "Bearer a-._~+/Z9=="}


@pytest.mark.parametrize("token", ["", "s3 cret", "=", "s3=cret", "s3cret\n", "é", b"s3cret", None])
def test_a_bad_bearer_token_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(HTTPValidationError, match=r"^token: must ") as caught:
        bearer_auth(token)
    assert "s3" not in str(caught.value)
