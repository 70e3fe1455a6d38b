"""Bearer tokens that are fetched, shared by all calls, and replaced when a server refuses them."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Final

from returns.primitives.exceptions import UnwrapFailedError

from railhttp.model.authorization import bearer_auth
from railhttp.model.context import RequestContext, SideClient
from railhttp.model.errors import FAILURES, HTTPValidationError
from railhttp.model.response import HttpResponse
from railhttp.model.secrecy import forgets_arguments
from railhttp.model.validation import describe, require
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.interceptors.again import Again
from railhttp.pipeline.interceptors.standard import RequestInterceptor, has_header
from railhttp.pipeline.interceptors.token_flight import Fetch, Issued, TokenFlight
from railhttp.pipeline.policies.retry import RetryPolicy

_MOST_TOKENS: Final = 3
"""The number of tokens that one attempt tries: other calls may replace it meanwhile."""


class _Used:
    """The token that an attempt used, and whether it was fetched because of a 401 to it."""

    __slots__ = ("fetched", "token", "tried")

    def __init__(self) -> None:
        self.token = ""
        self.tried: set[str] = set()
        self.fetched = False


class TokenInterceptor(RequestInterceptor):
    """Adds the current token, and replaces it when a server refuses it with a 401.

    The request, a POST too, is then sent once more with the new token. A token that is refused
    although it was just fetched stays refused, and the 401 is the response.

    Args:
        fetch: Fetches a token.
        early: See `TokenFlight`.
        timeout: Seconds for one fetch; None is no limit.
        origin: The only origin that gets the token; None for that of the base URL.
    """

    is_credential = True

    def __init__(
        self,
        fetch: Fetch,
        *,
        early: float = 0.0,
        timeout: float | None = None,
        origin: str | None = None,
    ) -> None:
        super().__init__(origin=origin)
        self._flight = TokenFlight(fetch, early=early, timeout=timeout)

    async def prepare(self, context: RequestContext) -> None:
        """Add the token, unless the caller set the field."""
        if has_header(context, "Authorization"):
            return
        used = context.notes.setdefault(self, _Used())
        token = await self._flight.token(context.client)
        try:
            context.headers.update(bearer_auth(token))
            if isinstance(used, _Used):
                used.token = token
                used.tried.add(token)
        finally:
            del token

    async def intercept_exchange(
        self, context: RequestContext, response: HttpResponse
    ) -> HttpResponse | Again:
        """Replace a token that was refused, and ask for one more send."""
        used = context.notes.get(self)
        if response.status != 401 or not isinstance(used, _Used) or not used.token:
            return response
        refused = used.token
        if used.fetched or len(used.tried) >= _MOST_TOKENS:
            self._flight.refuse(refused)
            return response
        replacing = self._flight.replace(refused, context.client)
        del refused
        token, used.fetched = await replacing
        return response if token in used.tried else Again(context)


class TokenAuth(TokenInterceptor):
    """Authenticates with a bearer token that a function fetches.

    However many calls need a token, the function runs once at a time. A failure of it that is
    transient is retried; after that all calls get the failure for a while, without another fetch.

    Args:
        fetch: An async function without arguments that returns the token as a str.
        origin: The only origin that gets the token; None for that of the base URL.
        timeout: Seconds for the function, retries included; None is no limit.

    Raises:
        HTTPValidationError: `fetch` is not a function, or `origin` is not a URL.

    Example:
        >>> async def fetch() -> str:
        ...     return "mF_9.B5f-4.1JqM"
        >>> TokenAuth(fetch, origin="https://api.example")
        <TokenAuth>
    """

    @forgets_arguments
    def __init__(
        self,
        fetch: Callable[[], Awaitable[str] | str],
        *,
        origin: str | None = None,
        timeout: float | None = 30.0,
    ) -> None:
        require(callable(fetch), "must be a function", "fetch")
        super().__init__(self._fetch, timeout=timeout, origin=origin)
        self._function = fetch

    async def _fetch(self, client: SideClient | None, _: str | None) -> Issued:
        clock = SYSTEM_CLOCK if client is None else client.clock
        token = await RetryPolicy(reraise=True, clock=clock).execute(self._once)
        return Issued(token)

    async def _once(self) -> str:
        try:
            given: object = self._function()
            if inspect.isawaitable(given):
                given = await given
        except UnwrapFailedError as error:  # `unwrap()` of a verb's result hides its failure
            if isinstance(error.__cause__, FAILURES):
                raise error.__cause__ from None
            raise
        if not isinstance(given, str):
            raise HTTPValidationError(f"must return a str, got {describe(given)}", field="fetch")
        try:
            bearer_auth(given)
            return given
        finally:
            del given  # a traceback would show it
