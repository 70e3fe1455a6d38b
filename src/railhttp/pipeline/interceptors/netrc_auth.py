"""Passwords from a netrc file, which the program names."""

import os
from netrc import NetrcParseError, netrc

from railhttp.model.authorization import basic_auth
from railhttp.model.context import RequestContext
from railhttp.model.errors import HTTPValidationError
from railhttp.model.url import request_url
from railhttp.pipeline.interceptors.standard import RequestInterceptor, has_header


class NetrcAuth(RequestInterceptor):
    """Authenticates each request by the entry that a netrc file has for its host (Basic).

    The file is read once, when the interceptor is made. `NETRC` and `~/.netrc` are never read
    unless they are named. The `default` entry is used for the origin of the base URL only.

    Args:
        path: The file.
        origin: The only origin that gets a password; None for that of the base URL.

    Raises:
        HTTPValidationError: The file cannot be read (field `path`), or `origin` is not a URL.

    Example:
        >>> NetrcAuth("/nowhere")
        Traceback (most recent call last):
        railhttp.model.errors.HTTPValidationError: path: cannot be read: FileNotFoundError
    """

    is_credential = True

    def __init__(self, path: str | os.PathLike[str], *, origin: str | None = None) -> None:
        super().__init__(origin=origin)
        try:
            self._hosts = netrc(os.fspath(path)).hosts
        except NetrcParseError as error:
            message = f"is not a netrc file: line {error.lineno}"
            raise HTTPValidationError(message, field="path") from None
        except (OSError, UnicodeError) as error:
            message = f"cannot be read: {type(error).__name__}"
            raise HTTPValidationError(message, field="path") from None

    async def prepare(self, context: RequestContext) -> None:
        """Add the credentials of the host, if the file has any."""
        entry = self._hosts.get(request_url(context.url).host or "")
        if entry is None and (self._origin is not None or context.base_origin):
            entry = self._hosts.get("default")
        if entry is not None and not has_header(context, "Authorization"):
            user, _, password = entry
            context.headers.update(basic_auth(user or "", password or ""))
