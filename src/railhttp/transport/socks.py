"""Connections through a SOCKS5 proxy (RFC 1928), which also resolves the names."""

import socket
from typing import Final

from aiohttp import ClientProxyConnectionError
from aiohttp.client_reqrep import ConnectionKey
from yarl import URL

from railhttp.extra import provided_by
from railhttp.model.errors import HTTPConnectionError, HTTPValidationError
from railhttp.model.proxy import SOCKS

_LIMIT: Final = 86_400.0  # seconds; the caller's own limit is shorter, and None would mean 60


def require_socks() -> None:
    """Import the package for SOCKS.

    Raises:
        ModuleNotFoundError: It is not installed; the error names the extra.
    """
    with provided_by("railhttp[socks]"):
        import python_socks.async_.asyncio  # noqa: F401, PLC0415  # an extra


def is_socks(proxy: URL | None) -> bool:
    """Whether a proxy is spoken to by SOCKS."""
    return proxy is not None and proxy.scheme == SOCKS


async def connect_by_socks(proxy: URL, host: str, port: int, key: ConnectionKey) -> socket.socket:
    """Connect to a host through a proxy; the proxy resolves its name.

    Raises:
        HTTPValidationError: The package for SOCKS is not installed.
        HTTPConnectionError: The proxy refused (kind `proxy`).
        ClientProxyConnectionError: The proxy cannot be reached.
    """
    try:
        require_socks()
    except ModuleNotFoundError as error:
        raise HTTPValidationError(str(error), field="proxy") from None
    from python_socks import (  # noqa: PLC0415  # an extra
        ProxyConnectionError,
        ProxyError,
        ProxyType,
    )
    from python_socks.async_.asyncio import Proxy  # noqa: PLC0415  # an extra

    gate = Proxy(
        ProxyType.SOCKS5,
        proxy.host or "",
        proxy.port or 0,
        username=proxy.user,
        password=proxy.password,
        rdns=True,
    )
    try:
        return await gate.connect(host, port, timeout=_LIMIT)
    except ProxyConnectionError as error:
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else OSError(error.errno)
        raise ClientProxyConnectionError(key, cause) from cause
    except ProxyError:
        raise HTTPConnectionError("the proxy refused", kind="proxy") from None
    except OSError as error:
        raise ClientProxyConnectionError(key, error) from error
