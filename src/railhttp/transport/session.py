"""Opens, closes and asks over the aiohttp session of a pool: with it, aiohttp is imported."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from railhttp.model.config import ConnectionPoolConfig
from railhttp.transport.aiohttp_internals import warn_if_untested
from railhttp.transport.connector import USER_AGENT, KeepaliveConnector
from railhttp.transport.cookie_jar import CookieJar
from railhttp.transport.dispatch import Dispatcher
from railhttp.transport.session_cookies import SessionCookieJar
from railhttp.transport.tls import tls_context

warn_if_untested()

_HEADERS: Final = {"Accept": "*/*", "User-Agent": USER_AGENT}
_MOST_OF_A_PAGE: Final = 1024 * 1024  # bytes that are read to keep a connection


def open_session(
    config: ConnectionPoolConfig,
    tls: ssl.SSLContext | None,
    jar: CookieJar | None,
    proxy: URL | None,
    proxy_for: Callable[[URL], URL | None],
) -> Dispatcher:
    """Open a session on the running loop.

    Args:
        proxy: The proxy of the session itself; requests are sent by `proxy_for`.
    """
    connector = KeepaliveConnector(config, tls or tls_context(config))
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar() if jar is None else SessionCookieJar(jar),
        headers=_HEADERS | ({"Connection": "close"} if config.force_close else {}),
        timeout=aiohttp.ClientTimeout(total=config.timeout),
        proxy=proxy,
    )
    return Dispatcher(session, connector, jar, proxy_for)


async def touch(
    session: aiohttp.ClientSession, target: URL, proxy: URL | None, patience: float
) -> None:
    """Open a connection by a HEAD request, or else a GET; ignore all failures.

    Args:
        patience: The seconds that the HEAD request may take, and then the GET.
    """
    for method in ("HEAD", "GET"):
        with suppress(*_REFUSALS):
            async with asyncio.timeout(patience):
                if await _asked(session, method, target, proxy) < 400:
                    return


# The parser's own exceptions are no `ClientError`; a session that is being closed raises the last.
_REFUSALS: Final = (aiohttp.ClientError, OSError, ValueError, HttpProcessingError, RuntimeError)


async def _asked(session: aiohttp.ClientSession, method: str, url: URL, proxy: URL | None) -> int:
    """Make a request, and read its response so that the connection is kept; return the status."""
    size = 0
    async with session.request(method, url, allow_redirects=False, proxy=proxy) as response:
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > _MOST_OF_A_PAGE:
                break
    return response.status
