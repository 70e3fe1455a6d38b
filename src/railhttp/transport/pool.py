"""The connection pool: one aiohttp session, one TLS context, and the choice of proxies."""

import asyncio
import os
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Self

from yarl import URL

from railhttp.model.config import Certificate, ConnectionPoolConfig, Resolver, Verify
from railhttp.model.errors import Delivery, HTTPConnectionError, HTTPValidationError
from railhttp.model.gauges import PoolGauges
from railhttp.model.proxy import ProxySettings, require_proxy
from railhttp.model.url import request_url
from railhttp.model.validation import require, require_flag
from railhttp.policy.egress import Egress
from railhttp.transport.cookie_jar import CookieJar
from railhttp.transport.tls import tls_context

if TYPE_CHECKING:
    import aiohttp

    from railhttp.transport.dispatch import Dispatcher

NOT_STARTED: Final = "the client is not started: use `async with`, or `await client.start()`"
STARTED_ELSEWHERE: Final = (
    "the client was started on another event loop: stop it there, or use one client for each loop"
)
_WARM_UP_SECONDS: Final = 10.0  # for a pool without a timeout


class ConnectionPool:
    """Connections that are kept open between requests, over one aiohttp session.

    Most arguments are the fields of `ConnectionPoolConfig` and are described there; `proxy`,
    `trust_env` and `cookie_jar` are described in `HTTPClientConfig`. The environment is read once,
    in `start()`. `cookie_jar` may also be a `railhttp.cookies.CookieJar`, which several pools may
    share.

    Raises:
        HTTPValidationError: A value is out of range; the error names it.

    Example:
        >>> import asyncio
        >>> async def main() -> bool:
        ...     async with ConnectionPool(max_connections=100, timeout=60.0) as pool:
        ...         return pool.is_started()
        >>> asyncio.run(main())
        True
    """

    def __init__(
        self,
        max_connections: int = 10,
        max_keepalive_connections: int = 5,
        max_connections_per_host: int = 10,
        timeout: float | None = 30.0,
        ttl_dns_cache: int = 300,
        force_close: bool = False,
        verify_ssl: Verify = True,
        proxy: str | None = None,
        trust_env: bool = True,
        cookie_jar: bool | CookieJar = True,
        *,
        ssl_context: ssl.SSLContext | None = None,
        keepalive_timeout: float = 15.0,
        cert: Certificate | None = None,
        resolver: Resolver | None = None,
        unix_socket: str | None = None,
    ) -> None:
        # aiohttp is imported with the first pool: no earlier, for programs that need none, and no
        # later, because a pool may start within a request (decision 234).
        from railhttp.transport import session  # noqa: F401, PLC0415
        from railhttp.transport.socks import is_socks, require_socks  # noqa: PLC0415

        self._proxy = None if proxy is None else URL(require_proxy(proxy))
        config = ConnectionPoolConfig(
            max_connections,
            max_keepalive_connections,
            max_connections_per_host,
            timeout,
            ttl_dns_cache,
            force_close,
            verify_ssl=verify_ssl,
            ssl_context=ssl_context,
            keepalive_timeout=keepalive_timeout,
            cert=cert,
            resolver=resolver,
            unix_socket=unix_socket,
        )
        if is_socks(self._proxy):
            require_socks()
        self._configure(config)
        self._trust_env = require_flag(trust_env, "trust_env")
        self._cookie_jar = _jar_of(cookie_jar)
        self._clients: frozenset[int] | None = None  # None: no client started it
        self._dispatcher: Dispatcher | None = None
        self._gated: dict[Egress, Dispatcher] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._from_environment: Callable[[URL], URL | None] | None = None

    @classmethod
    def from_config(
        cls,
        config: ConnectionPoolConfig,
        *,
        proxy: str | None = None,
        trust_env: bool = True,
        cookie_jar: bool | CookieJar = True,
    ) -> Self:
        """Build a pool from a config and the arguments that the config does not have."""
        pool = cls(proxy=proxy, trust_env=trust_env, cookie_jar=cookie_jar)
        pool._configure(config)
        return pool

    def _configure(self, config: ConnectionPoolConfig) -> None:
        message = "must not be given with a proxy, which cannot reach the socket"
        require(self._proxy is None or config.unix_socket is None, message, "unix_socket")
        self._config = config
        # Files are read and extras imported now, because a pool may start within a request.
        special = config.cert is not None or config.verify_ssl == "system"
        self._tls = tls_context(config) if special else None

    def __repr__(self) -> str:
        state = "started" if self.is_started() else "not started"
        return f"<{type(self).__name__} of {self._config.max_connections}, {state}>"

    @property
    def config(self) -> ConnectionPoolConfig:
        """The settings."""
        return self._config

    @property
    def session(self) -> "aiohttp.ClientSession":
        """The aiohttp session over the same connections, for what this library does not do.

        It is aiohttp's own: WebSockets work, and so do all its options. It shares the cookies, the
        TLS context, the timeout and a `proxy` of the pool; proxies of the environment, retries and
        interceptors do not apply to it. `stop()` closes it.

        Raises:
            HTTPConnectionError: The pool was not started on this event loop (kind `closed`).
        """
        if self.is_started_elsewhere():
            raise _closed(STARTED_ELSEWHERE)
        return self.dispatcher.session

    _session = session
    """The documented name of `session`."""

    @property
    def gauges(self) -> PoolGauges:
        """The number of connections at this moment; none while the pool is not started."""
        if self._dispatcher is None:
            return PoolGauges(0, 0, 0, self._config.max_connections)
        return self._dispatcher.connector.gauges

    @property
    def cookie_jar(self) -> CookieJar | None:
        """The cookies, also before `start()` and after `stop()`; None if the pool keeps none."""
        return self._cookie_jar

    @property
    def dispatcher(self) -> "Dispatcher":
        """The dispatcher of the session, for the event loop that started the pool only."""
        if self._dispatcher is None:
            raise _closed(NOT_STARTED)
        return self._dispatcher

    def dispatcher_for(self, egress: Egress | None) -> "Dispatcher":
        """Return the dispatcher whose connections have all passed an egress gate, if any.

        Raises:
            HTTPConnectionError: As for `dispatcher`.
        """
        if egress is None and self._dispatcher is not None:
            return self._dispatcher
        plain = self.dispatcher
        if egress is None:
            return plain
        if egress not in self._gated:
            self._gated[egress] = plain.gated_by(egress)
        return self._gated[egress]

    @property
    def has_own_route(self) -> bool:
        """Whether the pool's own proxy or Unix socket decides where connections go."""
        return self._proxy is not None or self._config.unix_socket is not None

    def is_started_elsewhere(self) -> bool:
        """Whether the pool has been started, but on another event loop than the running one."""
        if self._dispatcher is None or self._loop is None:
            return False
        try:
            return asyncio.get_running_loop() is not self._loop
        except RuntimeError:  # no loop is running: the pool's own may run again
            return self._loop.is_closed()

    def is_started(self) -> bool:
        """Whether the pool has been started and not stopped since."""
        return self._dispatcher is not None

    async def start(self) -> None:
        """Create the session; does nothing if the pool is started already.

        Raises:
            HTTPConnectionError: The pool is still started on another event loop (kind `closed`).
        """
        if self._dispatcher is not None:
            if self.is_started_elsewhere():
                raise _closed(STARTED_ELSEWHERE)
            return
        from railhttp.transport.session import open_session  # noqa: PLC0415  # see `__init__`

        if self._trust_env and not self.has_own_route:
            self._from_environment = _proxies_of(ProxySettings.from_environment(os.environ))
        self._loop = asyncio.get_running_loop()
        self._dispatcher = open_session(
            self._config, self._tls, self._cookie_jar, self._proxy, self.proxy_for
        )

    async def join(self, client: object) -> None:
        """Start the pool for a client, unless it is running; see `leave`.

        Raises:
            HTTPConnectionError: As for `start`.
        """
        belongs_to_clients = self._clients is not None or not self.is_started()
        await self.start()
        if belongs_to_clients:
            self._clients = (self._clients or frozenset()) | {id(client)}

    async def leave(self, client: object) -> None:
        """Stop the pool with the last client that uses it, if a client started it.

        A pool that was running before its first client came belongs to the code that started it.
        """
        if self._clients is not None:
            self._clients -= {id(client)}
            if not self._clients:
                self._clients = None
                await self.stop()

    async def stop(self) -> None:
        """Close all connections; does nothing if the pool is not started."""
        dispatcher, self._dispatcher = self._dispatcher, None
        self._gated.clear()
        if dispatcher is None:
            return
        if self._loop is not None and self._loop.is_closed():
            dispatcher.abandon()
        else:
            await dispatcher.session.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    def proxy_for(self, url: URL) -> URL | None:
        """Return the proxy for a URL: the pool's own, or the one that the environment names."""
        if self._from_environment is None:
            return self._proxy
        return self._from_environment(url.origin())

    async def warm_up(self, urls: Sequence[str]) -> None:
        """Open connections before they are needed, with a HEAD request to each URL.

        All URLs are requested at the same time. A server that refuses HEAD, by a status, by closing
        the connection or by silence, gets a GET. This is an optimisation, not a health check: all
        failures are ignored, and it ends within the timeout of the pool (10 s if it has none).

        Args:
            urls: One URL for each host, such as `https://api.example.com`.

        Raises:
            HTTPConnectionError: As for `session`.
        """
        session = self.session
        seconds = self._config.timeout or _WARM_UP_SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(self._touch(session, url, seconds / 2) for url in urls))

    async def _touch(self, session: "aiohttp.ClientSession", url: str, patience: float) -> None:
        from railhttp.transport.session import touch  # noqa: PLC0415  # see `__init__`

        with suppress(HTTPValidationError):
            target = request_url(url)
            await touch(session, target, self.proxy_for(target), patience)


def _jar_of(setting: object) -> CookieJar | None:
    if isinstance(setting, CookieJar):
        return setting
    return CookieJar() if require_flag(setting, "cookie_jar") else None


def _closed(message: str) -> HTTPConnectionError:
    return HTTPConnectionError(message, kind="closed", delivery=Delivery.NOT_SENT, attempts=0)


def _proxies_of(settings: ProxySettings) -> Callable[[URL], URL | None] | None:
    """Return a function that finds the proxy for an origin, and caches it."""
    if settings.http is None and settings.https is None:
        return None

    @lru_cache(maxsize=1024)
    def proxy_for(origin: URL) -> URL | None:
        proxy = settings.proxy_for(origin)
        return None if proxy is None else URL(proxy)

    return proxy_for
