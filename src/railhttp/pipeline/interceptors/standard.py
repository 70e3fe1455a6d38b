"""Ready-made interceptors that add a header field to requests, unless the caller set it.

Credentials are sent to one origin: the one that `origin` names, or that of the client's base URL. A
client without a base URL sends them to every host that is called.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeAlias

from railhttp.model.authorization import basic_auth, bearer_auth
from railhttp.model.context import RequestContext
from railhttp.model.headers import validate_headers
from railhttp.model.response import HttpResponse
from railhttp.model.secrecy import forgets_arguments
from railhttp.model.url import request_url
from railhttp.model.validation import require_url
from railhttp.version import __version__

Token: TypeAlias = str | Callable[[], str | Awaitable[str]]
"""A token, or a function that returns the current one; it is called for each attempt."""


class RequestInterceptor:
    """An interceptor that changes requests and leaves responses alone.

    Args:
        origin: The origin, such as `https://api.example`, whose requests it changes; None for all.

    Attributes:
        is_credential: Whether, without `origin`, only requests to the origin of the client's base
            URL are changed; if the client has one.

    Raises:
        HTTPValidationError: `origin` is not an http or https URL.
    """

    is_credential: ClassVar[bool] = False

    def __init__(self, *, origin: str | None = None) -> None:
        self._origin = None if origin is None else _origin(require_url(origin, "origin"))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        """Change the request if it goes to the origin."""
        if self.applies(context):
            await self.prepare(context)
        return context

    def applies(self, context: RequestContext) -> bool:
        """Whether the request goes to the origin."""
        if self._origin is not None:
            return _origin(context.url) == self._origin
        home = context.base_origin if self.is_credential else ""
        if not home or context.url.startswith(f"{home}/"):
            return True
        return _origin(context.url) == _origin(home)

    async def intercept_response(self, response: HttpResponse) -> HttpResponse:
        """Return the response as it is."""
        return response

    async def prepare(self, context: RequestContext) -> None:
        """Change the request; subclasses implement this."""
        raise NotImplementedError


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parsed = request_url(url)
    return parsed.scheme, parsed.host, parsed.port  # the default port too, written or not


def has_header(context: RequestContext, name: str) -> bool:
    """Whether a request has a header field, in any case."""
    return name.lower() in {known.lower() for known in context.headers}


class _HeaderField(RequestInterceptor):
    def __init__(self, name: str, value: str = "", *, origin: str | None = None) -> None:
        super().__init__(origin=origin)
        validate_headers({name: value})
        self._name = name
        self._value = value

    async def prepare(self, context: RequestContext) -> None:
        """Add the header field, unless the request has one with that name in any case."""
        value = await self._current(context)
        if not has_header(context, self._name):
            context.headers[self._name] = value

    async def _current(self, context: RequestContext) -> str:
        return self._value


class BearerAuth(_HeaderField):
    """Authenticates with a bearer token (RFC 6750).

    Args:
        token: The token, or a function, async or not, that returns the current one. It may return
            a future or task that several calls share.
        origin: The only origin that gets the token; None for that of the base URL.

    Raises:
        HTTPValidationError: The token has forbidden characters, or `origin` is not a URL.

    Example:
        >>> context = RequestContext("GET", "https://api.example/")
        >>> interceptor = BearerAuth(lambda: "mF_9.B5f-4.1JqM", origin="https://api.example")
        >>> asyncio.run(interceptor.intercept_request(context)).headers
        {'Authorization': 'Bearer mF_9.B5f-4.1JqM'}
    """

    is_credential = True

    @forgets_arguments
    def __init__(self, token: Token, *, origin: str | None = None) -> None:
        super().__init__("Authorization", origin=origin)
        if isinstance(token, str):
            bearer_auth(token)
        self._token = token

    async def _current(self, context: RequestContext) -> str:
        token = self._token if isinstance(self._token, str) else self._token()
        if asyncio.isfuture(token):  # others may wait for it: the limit of one call must not end it
            token = asyncio.shield(token)
        try:
            return bearer_auth(await token if inspect.isawaitable(token) else token)[
                "Authorization"
            ]
        finally:
            del token  # a traceback would show it


class BasicAuth(_HeaderField):
    """Authenticates with a user name, which has no colon, and a password (RFC 7617).

    Args:
        origin: The only origin that gets them; None for that of the base URL.

    Raises:
        HTTPValidationError: One of them cannot be sent, or `origin` is not a URL.

    Example:
        >>> context = RequestContext("GET", "http://h/")
        >>> asyncio.run(BasicAuth("ann", "s3cret").intercept_request(context)).headers
        {'Authorization': 'Basic YW5uOnMzY3JldA=='}
    """

    is_credential = True

    @forgets_arguments
    def __init__(self, username: str, password: str, *, origin: str | None = None) -> None:
        value = basic_auth(username, password)["Authorization"]
        super().__init__("Authorization", value, origin=origin)


class ApiKey(_HeaderField):
    """Authenticates with a key in a header field.

    If the field is not one of `railhttp.model.redaction.SECRET_HEADERS`, name it in
    `HTTPClientConfig(secret_headers=...)` too, so that no redirect takes it to another origin.

    Args:
        origin: The only origin that gets the key; None for that of the base URL.

    Raises:
        HTTPValidationError: The field cannot be sent, or `origin` is not a URL.

    Example:
        >>> asyncio.run(ApiKey("k3y").intercept_request(RequestContext("GET", "http://h/"))).headers
        {'X-Api-Key': 'k3y'}
    """

    is_credential = True

    @forgets_arguments
    def __init__(self, key: str, header: str = "X-Api-Key", *, origin: str | None = None) -> None:
        super().__init__(header, key, origin=origin)


class CorrelationId(_HeaderField):
    """Marks all attempts of a call with one id, so that logs on both sides can be joined.

    Args:
        current: Returns the id of the work in progress, such as the request that a server handles.
            If it is None or returns None, the call gets a new id.

    Raises:
        HTTPValidationError: The name is not a field name.

    Example:
        >>> context = RequestContext("GET", "http://h/")
        >>> asyncio.run(CorrelationId(current=lambda: "order-7").intercept_request(context)).headers
        {'X-Correlation-ID': 'order-7'}
    """

    def __init__(
        self, header: str = "X-Correlation-ID", *, current: Callable[[], str | None] | None = None
    ) -> None:
        super().__init__(header)
        self._work = current

    async def _current(self, context: RequestContext) -> str:
        return (None if self._work is None else self._work()) or context.call_id


class UserAgent(_HeaderField):
    """Names the program, such as `shop/2.1 (+https://shop.example)`, and railhttp.

    The field is that of RFC 9110, section 10.1.5.

    Raises:
        HTTPValidationError: The product cannot be sent.

    Example:
        >>> context = RequestContext("GET", "http://h/")
        >>> asyncio.run(UserAgent("shop/2.1").intercept_request(context)).headers
        {'User-Agent': 'shop/2.1 railhttp/0.2.0'}
    """

    def __init__(self, product: str) -> None:
        super().__init__("User-Agent", f"{product} railhttp/{__version__}")
