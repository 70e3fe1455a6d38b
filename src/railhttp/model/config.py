"""Settings: frozen, and checked once, when they are built."""

import ssl
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Final, cast

from railhttp.model.errors import HTTPValidationError
from railhttp.model.proxy import require_proxy
from railhttp.model.redaction import SECRET_HEADERS, redact_url, redacted_repr
from railhttp.model.validation import (
    TOKEN,
    describe,
    require_count,
    require_flag,
    require_positive_int,
    require_timeout,
)

DEFAULT_TIMEOUT: Final = 30.0
DEFAULT_MAX_RESPONSE_BYTES: Final = 100 * 1024 * 1024
DEFAULT_MAX_REDIRECTS: Final = 10  # aiohttp's; browsers allow 20


_UNSET: Final = cast("None", object())  # "not given", where None has a meaning of its own


@dataclass(frozen=True, slots=True)
class ConnectionPoolConfig:
    """Settings of a connection pool.

    Attributes:
        max_connections: Connections at the same time, to all hosts together.
        max_keepalive_connections: Idle connections kept per host; those beyond it are closed.
        max_connections_per_host: Connections at the same time to one host (scheme, host, port).
        timeout: Seconds for a whole call; None is no limit.
        ttl_dns_cache: Seconds for which a resolved name is remembered; 0 switches that off.
        force_close: Whether each connection is closed after one request.
        verify_ssl: Whether certificates are verified. Never False in production.
        ssl_context: A TLS context of your own; it takes the place of `verify_ssl`.
        keepalive_timeout: Seconds after which an idle connection is closed.

    Raises:
        HTTPValidationError: A value is out of range; the error names the field.

    Example:
        >>> ConnectionPoolConfig(timeout=0)
        Traceback (most recent call last):
        railhttp.model.errors.HTTPValidationError: timeout: must be a positive number of seconds or
        None, got 0
    """

    max_connections: int = 10
    max_keepalive_connections: int = 5
    max_connections_per_host: int = 10
    timeout: float | None = DEFAULT_TIMEOUT
    ttl_dns_cache: int = 300
    force_close: bool = False
    verify_ssl: bool = field(default=True, kw_only=True)
    ssl_context: ssl.SSLContext | None = field(default=None, kw_only=True)
    keepalive_timeout: float = field(default=15.0, kw_only=True)

    def __post_init__(self) -> None:
        require_positive_int(self.max_connections, "max_connections")
        require_positive_int(self.max_connections_per_host, "max_connections_per_host")
        require_count(self.max_keepalive_connections, "max_keepalive_connections")
        require_count(self.ttl_dns_cache, "ttl_dns_cache")
        require_timeout(self.timeout, "timeout")
        require_flag(self.force_close, "force_close")
        require_flag(self.verify_ssl, "verify_ssl")
        if not isinstance(self.ssl_context, ssl.SSLContext | None):
            raise HTTPValidationError("must be an ssl.SSLContext or None", field="ssl_context")
        if self.keepalive_timeout is None:
            raise HTTPValidationError("must be a number of seconds", field="keepalive_timeout")
        require_timeout(self.keepalive_timeout, "keepalive_timeout")


@dataclass(frozen=True, slots=True, init=False, repr=False)
class HTTPClientConfig:
    """Settings of a client.

    Attributes:
        pool: Settings of its connection pool.
        proxy: The URL of an HTTP proxy for all requests; it goes before those of the environment.
        trust_env: Whether HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY are obeyed.
        cookie_jar: Whether cookies that servers set are sent back to them. There is no list of
            public suffixes: hosts under `co.uk` may set cookies for one another.
        timeout: Seconds for a whole call: queue, retries, back-off, body. It is the pool's
            timeout: given here it takes the place of `pool.timeout`. None is no limit.
        attempt_timeout: Seconds for one attempt; None is no limit but that of the call.
        connect_timeout: Seconds for getting a connection: pool, DNS, TCP and TLS.
        read_timeout: Seconds of silence allowed while waiting for an answer and inside it, and
            while the server takes nothing of what it is sent.
        max_response_bytes: The largest body that is read into memory, after decompression.
        max_redirects: How many redirects are followed.
        secret_headers: Names of header fields, in any case, whose values are never shown and never
            cross an origin, on top of the usual ones (`Authorization`, `Cookie`, `X-Api-Key` …).
            The `repr` of a `RequestContext` knows only those.
        total: Whether the verbs never raise: an open circuit and exhausted retries are then
            `Failure` values too.

    Raises:
        HTTPValidationError: A value is out of range; the error names the field.

    Example:
        >>> HTTPClientConfig(timeout=5).pool.timeout
        5
    """

    pool: ConnectionPoolConfig
    proxy: str | None
    trust_env: bool
    cookie_jar: bool
    timeout: float | None
    attempt_timeout: float | None
    connect_timeout: float | None
    read_timeout: float | None
    max_response_bytes: int
    max_redirects: int
    secret_headers: frozenset[str]
    total: bool

    # Written out because what is given may be of wider types than what is kept.
    def __init__(
        self,
        pool: ConnectionPoolConfig = ConnectionPoolConfig(),  # frozen
        proxy: str | None = None,
        trust_env: bool = True,
        cookie_jar: bool = True,
        *,
        timeout: float | None = _UNSET,
        attempt_timeout: float | None = None,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        max_response_bytes: int = DEFAULT_MAX_RESPONSE_BYTES,
        max_redirects: int = DEFAULT_MAX_REDIRECTS,
        secret_headers: Collection[str] = (),
        total: bool = False,
    ) -> None:
        pool = _timed(pool, timeout)
        limits = {
            "attempt_timeout": attempt_timeout,
            "connect_timeout": connect_timeout,
            "read_timeout": read_timeout,
        }
        flags = {"trust_env": trust_env, "cookie_jar": cookie_jar, "total": total}
        for name, limit in limits.items():
            _check_within(limit, pool.timeout, name)
        for name, flag in flags.items():
            require_flag(flag, name)
        if proxy is not None:
            require_proxy(proxy)
        require_positive_int(max_response_bytes, "max_response_bytes")
        require_count(max_redirects, "max_redirects")
        settings = {
            "pool": pool,
            "proxy": proxy,
            "timeout": pool.timeout,
            "max_response_bytes": max_response_bytes,
            "max_redirects": max_redirects,
            "secret_headers": SECRET_HEADERS | _header_names(secret_headers),
        }
        for name, value in (settings | limits | flags).items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return redacted_repr(self, proxy=self.proxy and redact_url(self.proxy))


def _timed(pool: object, timeout: float | None) -> ConnectionPoolConfig:
    if not isinstance(pool, ConnectionPoolConfig):
        raise HTTPValidationError(
            f"must be a ConnectionPoolConfig, got {describe(pool)}", field="pool"
        )
    return pool if timeout is _UNSET else replace(pool, timeout=timeout)


def _header_names(names: object) -> frozenset[str]:
    # A text is a collection too: of its letters, which would protect nothing.
    if not isinstance(names, Collection) or isinstance(names, str | bytes):
        message = f"must be a collection of names, got {describe(names)}"
        raise HTTPValidationError(message, field="secret_headers")
    if not all(isinstance(name, str) and TOKEN.fullmatch(name) for name in names):
        raise HTTPValidationError("must be names of header fields", field="secret_headers")
    return frozenset(name.lower() for name in names)


def _check_within(value: float | None, total: float | None, name: str) -> None:
    require_timeout(value, name)
    if value is not None and total is not None and value > total:
        raise HTTPValidationError(
            f"must not be longer than the timeout of the whole call, {total} s, got {value}",
            field=name,
        )
