"""Tokens of OAuth 2.0 are never shown, and the error of a token endpoint can be copied."""

import copy
import pickle
from dataclasses import fields

import pytest

from railhttp.model.tokens import OAuthError, Tokens


def test_tokens_are_values_that_show_no_secret() -> None:
    tokens = Tokens("s3cret", "s3cret2")
    assert repr(tokens) == "Tokens(access_token=***, refresh_token=***)"
    assert Tokens("s3cret") == Tokens("s3cret", "")
    assert Tokens("s3cret") != tokens
    assert [field.name for field in fields(tokens) if field.repr] == []


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OAuthError("invalid_grant", "s3cret", status=400), "invalid_grant (status 400)"),
        (OAuthError("invalid_response", status=200), "invalid_response (status 200)"),
        (OAuthError("server_error", "s3cret"), "server_error"),
        (OAuthError("server_error"), "server_error"),
    ],
)
def test_a_refusal_shows_its_code_and_status_and_survives_copying(
    error: OAuthError, text: str
) -> None:
    for same in (error, copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert str(same) == text
        assert (same.code, same.description, same.status) == (
            error.code,
            error.description,
            error.status,
        )
        assert same.args == (error.code, error.description)


def test_a_refusal_without_a_response_has_neither_description_nor_status() -> None:
    error = OAuthError("server_error")
    assert (error.description, error.status, error.args) == ("", 0, ("server_error", ""))
