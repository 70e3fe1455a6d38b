"""Credentials as header fields: `headers=basic_auth("ann", "s3cret")`."""

import re
from base64 import b64encode
from typing import Final

from railhttp.model.errors import HTTPValidationError
from railhttp.model.secrecy import forgets_arguments
from railhttp.model.validation import require_text

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")


@forgets_arguments
def basic_auth(username: str, password: str) -> dict[str, str]:
    """Build the header field of Basic authentication, in UTF-8 (RFC 7617).

    Args:
        username: May be empty, as the password may; must not contain a colon.

    Raises:
        HTTPValidationError: An argument is not a str or has a control character or a surrogate, or
            the username has a colon. The error shows neither argument.

    Example:
        >>> basic_auth("ann", "s3cret")
        {'Authorization': 'Basic YW5uOnMzY3JldA=='}
    """
    username = require_text(username, "username")
    password = require_text(password, "password")
    if ":" in username:
        raise HTTPValidationError("must not contain a colon (RFC 7617)", field="username")
    return {"Authorization": f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"}


@forgets_arguments
def bearer_auth(token: str) -> dict[str, str]:
    """Build the header field of Bearer authentication (RFC 6750, section 2.1).

    Args:
        token: Letters, digits and `-._~+/`, then any number of `=`.

    Raises:
        HTTPValidationError: The token is empty or has other characters. The error does not show it.

    Example:
        >>> bearer_auth("mF_9.B5f-4.1JqM")
        {'Authorization': 'Bearer mF_9.B5f-4.1JqM'}
    """
    token = require_text(token, "token")
    if not _TOKEN.fullmatch(token):
        message = "must be letters, digits and -._~+/, then any number of = (RFC 6750)"
        raise HTTPValidationError(message, field="token")
    return {"Authorization": f"Bearer {token}"}
