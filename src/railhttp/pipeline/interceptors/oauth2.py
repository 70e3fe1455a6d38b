"""Tokens of OAuth 2.0: client credentials and refresh tokens (RFC 6749)."""

import inspect
from collections.abc import Callable
from typing import Final, Protocol
from urllib.parse import quote_plus

from railhttp.model.authorization import basic_auth
from railhttp.model.context import SideClient
from railhttp.model.errors import (
    Delivery,
    HTTPDecodeError,
    HTTPFailure,
    HTTPStatusError,
    HTTPValidationError,
)
from railhttp.model.redaction import redact_url
from railhttp.model.response import JSON, HttpResponse
from railhttp.model.secrecy import forgets_arguments
from railhttp.model.tokens import OAuthError, Tokens
from railhttp.model.url import request_url
from railhttp.model.validation import require, require_methods, require_text
from railhttp.pipeline.interceptors.token_auth import TokenInterceptor
from railhttp.pipeline.interceptors.token_flight import Issued
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.policy.retry import is_transient

EARLY: Final = 60.0


class TokenStore(Protocol):
    """Keeps the tokens of a user between two runs of a program.

    Example:
        >>> class Memory:
        ...     tokens: Tokens | None = Tokens("", "8xLOxBtZp8")
        ...     async def load(self) -> Tokens | None:
        ...         return self.tokens
        ...     async def save(self, tokens: Tokens) -> None:
        ...         self.tokens = tokens
        >>> store: TokenStore = Memory()
    """

    async def load(self) -> Tokens | None:
        """Return the tokens; None if there are none yet."""
        ...

    async def save(self, tokens: Tokens, /) -> None:
        """Keep new tokens; the old refresh token may have become useless."""
        ...


class _TokenEndpoint:
    """Asks the token endpoint of a server."""

    def __init__(self, url: str, client_id: str, secret: str, scope: str | None) -> None:
        try:
            request_url(url)
        except HTTPValidationError as error:
            raise HTTPValidationError(error.message, field="token_url") from None
        self._url = url
        self._client_id = require_text(client_id, "client_id")
        self._secret = require_text(secret, "secret")
        self._scope = {} if scope is None else {"scope": require_text(scope, "scope")}

    def __str__(self) -> str:
        return redact_url(self._url)

    async def ask(
        self, client: SideClient | None, *, repeatable: bool, **form: str
    ) -> tuple[Issued, str]:
        """Return the access token, and the refresh token or an empty text.

        Raises:
            OAuthError: The server refused, or its response makes no sense.
            HTTPClientError: There was no response.
        """
        if client is None:
            raise HTTPValidationError("needs a client: OAuth2 makes requests", field="context")
        headers = {"Accept": "application/json"}
        fields = {**form, **self._scope}
        if self._secret:
            # Encoded as in a form first (RFC 6749, section 2.3.1).
            headers |= basic_auth(quote_plus(self._client_id), quote_plus(self._secret))
        else:
            fields["client_id"] = self._client_id
        policy = RetryPolicy(
            reraise=True,
            clock=client.clock,
            retry_if=None if repeatable else _is_unsent,
            retry_if_response=None if repeatable else _is_unprocessed,
        )
        sending = client.send(
            "POST",
            self._url,
            data=fields,
            headers=headers,
            allow_redirects=False,  # the form holds secrets
            idempotent=True,
            retry_policy=policy,
        )
        del form, fields, headers  # a traceback would show them
        response = await sending
        if not 200 <= response.status < 300:
            raise _refusal(response) from HTTPStatusError(response)
        issued = _issued(response)
        if isinstance(issued, OAuthError):
            raise issued
        return issued


def _is_unsent(failure: HTTPFailure) -> bool:
    # A refresh token that was used twice may be taken for a stolen one.
    return failure.delivery is Delivery.NOT_SENT and is_transient(failure)


def _is_unprocessed(response: HttpResponse) -> bool:
    return response.status in {429, 503}


def _refusal(response: HttpResponse) -> OAuthError:
    document = _document(response)
    code = document.get("error")
    if isinstance(code, str):
        description = document.get("error_description")
        text = description if isinstance(description, str) else ""
        return OAuthError(code, text, status=response.status)
    usual = "temporarily_unavailable" if response.status in {429, 503} else "server_error"
    known = usual if response.status == 429 or response.status >= 500 else "invalid_response"
    return OAuthError(known, status=response.status)


def _issued(response: HttpResponse) -> tuple[Issued, str] | OAuthError:
    document = _document(response)
    token, kind = document.get("access_token"), document.get("token_type", "bearer")
    if not isinstance(token, str) or not token:
        return OAuthError("invalid_response", "there is no access token", status=response.status)
    if not isinstance(kind, str) or kind.lower() != "bearer":
        return OAuthError("unsupported_token_type", status=response.status)
    refresh = document.get("refresh_token")
    lifetime = _seconds(document.get("expires_in"))
    return Issued(token, lifetime), refresh if isinstance(refresh, str) else ""


def _document(response: HttpResponse) -> dict[str, JSON]:
    try:
        document = response.json()
    except HTTPDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _seconds(given: JSON) -> float | None:
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 12:
        return float(given)
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given < 1e11:
        return float(given)
    return None


class OAuth2ClientCredentials(TokenInterceptor):
    """Authenticates as the program itself (RFC 6749, section 4.4).

    The token is fetched with the first request, over the connections of the client, and again
    `early` seconds before it expires, or when a server refuses it. However many calls wait, one
    request is made. Transient failures of the token endpoint are retried.

    A refusal is an `HTTPInterceptorError` whose cause is an `OAuthError`. A token endpoint that
    cannot be reached is an `HTTPConnectionError` or `HTTPTimeoutError`, as of any server.

    Args:
        token_url: The URL of the token endpoint.
        client_id: The name of the program.
        secret: Its secret; if empty, the name alone is sent, in the form.
        scope: The scopes, with spaces between them.
        early: Seconds before the expiry from which on the token is replaced.
        origin: The only origin that gets the token; None for that of the base URL.

    Raises:
        HTTPValidationError: An argument is not valid.

    Example:
        >>> OAuth2ClientCredentials("https://login.example/token", "shop", "s3cret", scope="orders")
        <OAuth2ClientCredentials of https://login.example/token>
    """

    @forgets_arguments
    def __init__(
        self,
        token_url: str,
        client_id: str,
        secret: str,
        *,
        scope: str | None = None,
        early: float = EARLY,
        origin: str | None = None,
    ) -> None:
        super().__init__(self._fetch, early=early, origin=origin)
        self._endpoint = _TokenEndpoint(token_url, client_id, secret, scope)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._endpoint}>"

    async def _fetch(self, client: SideClient | None, _: str | None) -> Issued:
        form = {"grant_type": "client_credentials"}
        issued, _ = await self._endpoint.ask(client, repeatable=True, **form)
        return issued


class OAuth2Refresh(TokenInterceptor):
    """Authenticates as a user, by an access token and a refresh token (RFC 6749, section 6).

    New tokens are saved before they are used. Before a refresh the store is read again: if another
    process has saved new tokens meanwhile, those are used. A refresh is retried only if it
    provably was not processed, because a refresh token that is used twice may count as stolen.

    Args:
        token_url: The URL of the token endpoint.
        client_id: The name of the program.
        secret: Its secret; if empty, the name alone is sent, in the form.
        tokens: Keeps the tokens.
        on_rotated: A function, async or not, that receives each new `Tokens` after it was saved.
        scope: The scopes, if they differ from those that were granted.
        early: Seconds before the expiry from which on the token is replaced.
        origin: The only origin that gets the token; None for that of the base URL.

    Raises:
        HTTPValidationError: An argument is not valid.
    """

    @forgets_arguments
    def __init__(
        self,
        token_url: str,
        client_id: str,
        secret: str = "",
        *,
        tokens: TokenStore,
        on_rotated: Callable[[Tokens], object] | None = None,
        scope: str | None = None,
        early: float = EARLY,
        origin: str | None = None,
    ) -> None:
        super().__init__(self._fetch, early=early, origin=origin)
        self._endpoint = _TokenEndpoint(token_url, client_id, secret, scope)
        require_methods(tokens, "load", "save", field="tokens")
        callable_or_none = on_rotated is None or callable(on_rotated)
        require(callable_or_none, "must be a function or None", "on_rotated")
        self._store = tokens
        self._on_rotated = on_rotated
        self._stored: Tokens | None = None
        self._latest: Tokens | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._endpoint}>"

    async def _fetch(self, client: SideClient | None, refused: str | None) -> Issued:
        loaded = await self._store.load()
        if loaded != self._stored:  # by the first load, or by another process
            self._stored = self._latest = loaded
            if loaded is not None and loaded.access_token not in {"", refused}:
                return Issued(loaded.access_token)
        elif self._latest is not None and self._latest != self._stored:
            await self._save(self._latest)  # it could not be saved before
            return Issued(self._latest.access_token)
        if self._latest is None or not self._latest.refresh_token:
            raise OAuthError("invalid_grant", "there is no refresh token")
        form = {"grant_type": "refresh_token", "refresh_token": self._latest.refresh_token}
        asking = self._endpoint.ask(client, repeatable=False, **form)
        del form
        issued, rotated = await asking
        self._latest = Tokens(issued.token, rotated or self._latest.refresh_token)
        await self._save(self._latest)
        return issued

    async def _save(self, tokens: Tokens) -> None:
        await self._store.save(tokens)
        self._stored = tokens
        if self._on_rotated is not None:
            called = self._on_rotated(tokens)
            if inspect.isawaitable(called):
                await called
