"""The tokens of OAuth 2.0, and the reason why a server issues none."""

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access token, and the refresh token that replaces it.

    Attributes:
        access_token: May be empty if there is none yet.
        refresh_token: Empty if there is none.

    Example:
        >>> Tokens("2YotnFZFEjr1zCsicMWpAA", "tGzv3JOkF0XG5Qx2TlKWIA")
        Tokens(access_token=***, refresh_token=***)
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(access_token=***, refresh_token=***)"


class OAuthError(Exception):
    """A token endpoint refused to issue a token (RFC 6749, section 5.2).

    Args:
        code: The code of the server, such as `invalid_grant`. If it sent none:
            `temporarily_unavailable` for a 429 or 503, `server_error` for another 5xx, else
            `invalid_response`.
        description: What the server wrote for developers; never shown by `str()`.
        status: The status of the response; 0 without one.

    Example:
        >>> str(OAuthError("invalid_grant", "expired", status=400))
        'invalid_grant (status 400)'
    """

    def __init__(self, code: str, description: str = "", *, status: int = 0) -> None:
        super().__init__(code, description)
        self.code: Final = code
        self.description: Final = description
        self.status: Final = status

    def __str__(self) -> str:
        return f"{self.code} (status {self.status})" if self.status else self.code

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args, self.status)


def _rebuild(cls: type[OAuthError], args: tuple[str, str], status: int) -> OAuthError:
    return cls(*args, status=status)
