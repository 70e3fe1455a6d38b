"""Settings: frozen, and validated once, when they are built."""

import ssl
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import FrozenInstanceError, dataclass, field, replace
from pathlib import PurePath
from typing import Any, Final, Literal, Never, TypeAlias, TypeVar

from railhttp.model.errors import HTTPValidationError
from railhttp.model.proxy import require_proxy
from railhttp.model.redaction import SECRET_HEADERS, redact_url, redacted_repr
from railhttp.model.secrecy import forgets_arguments
from railhttp.model.validation import (
    TOKEN,
    mismatch,
    require,
    require_count,
    require_flag,
    require_function,
    require_positive_int,
    require_timeout,
)

DEFAULT_TIMEOUT: Final = 30.0
DEFAULT_MAX_RESPONSE_BYTES: Final = 100 * 1024 * 1024
DEFAULT_MAX_EVENT_BYTES: Final = 8 * 1024 * 1024
DEFAULT_MAX_LINE_BYTES: Final = 8 * 1024 * 1024
DEFAULT_MAX_DOWNLOAD_BYTES: Final = 16 * 1024 * 1024 * 1024
DEFAULT_MAX_REDIRECTS: Final = 10  # aiohttp's; browsers allow 20

UNSET: Final[Any] = object()  # means "not given", because None means "no limit"


Verify: TypeAlias = bool | Literal["system"]
"""Whether certificates are verified, and whether by the trust store of the operating system."""

Certificate: TypeAlias = str | PurePath | tuple[str | PurePath, str | PurePath]
"""The path of a PEM file with a certificate and its key, or the paths of both."""

Resolver: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""An async function that returns the addresses of a host and a port, the preferred ones first."""


T = TypeVar("T")


def _naming_replace(cls: type[T]) -> type[T]:
    """Let the error of an assignment to a frozen object say what to do."""

    def refuse(self: T, name: str, value: object) -> Never:
        message = f"cannot assign to {name!r}: use dataclasses.replace(config, {name}=...)"
        raise FrozenInstanceError(message)

    setattr(cls, "__setattr__", refuse)  # noqa: B010  # `dataclass` refuses one in the class body
    return cls


@_naming_replace
@dataclass(frozen=True, slots=True)
class ConnectionPoolConfig:
    """Settings of a connection pool.

    Attributes:
        max_connections: Largest number of open connections, to all hosts together, idle ones
            included.
        max_keepalive_connections: Largest number of idle connections per host; others are closed
            after a second.
        max_connections_per_host: Largest number of connections to one scheme, host and port. Of
            several hosts, one gets at most four fifths of `max_connections`.
        timeout: Seconds for a whole call; None means no limit.
        ttl_dns_cache: Seconds that a resolved name stays cached, unless a connection fails; 0
            disables the cache.
        force_close: Whether each connection is closed after one request.
        verify_ssl: Whether certificates are verified; "system" verifies with the trust store of
            the operating system (extra `railhttp[truststore]`). Do not set False in production.
        ssl_context: A TLS context; it overrides `verify_ssl`.
        keepalive_timeout: Seconds after which an idle connection is closed, unless the server
            announces a shorter time.
        cert: The client certificate for mutual TLS: the path of a PEM file that contains its key
            too, or a pair (certificate, key). An encrypted key needs an `ssl_context`.
        resolver: An async function `resolver(host, port)` that returns addresses as strings. It is
            called for each new connection to a name, so it does its own caching. An exception that
            it raises is a failure of kind `dns`.
        unix_socket: The path of a Unix domain socket to which all connections are made, whatever
            the host of the URL.

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
    verify_ssl: Verify = field(default=True, kw_only=True)
    ssl_context: ssl.SSLContext | None = field(default=None, kw_only=True)
    keepalive_timeout: float = field(default=15.0, kw_only=True)
    cert: Certificate | None = field(default=None, kw_only=True)
    resolver: Resolver | None = field(default=None, kw_only=True)
    unix_socket: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        require_positive_int(self.max_connections, "max_connections")
        require_positive_int(self.max_connections_per_host, "max_connections_per_host")
        require_count(self.max_keepalive_connections, "max_keepalive_connections")
        require_count(self.ttl_dns_cache, "ttl_dns_cache")
        require_timeout(self.timeout, "timeout")
        require_flag(self.force_close, "force_close")
        require_verify(self.verify_ssl, "verify_ssl")
        if not isinstance(self.ssl_context, ssl.SSLContext | None):
            raise HTTPValidationError("must be an ssl.SSLContext or None", field="ssl_context")
        if self.keepalive_timeout is None:
            raise HTTPValidationError("must be a number of seconds", field="keepalive_timeout")
        require_timeout(self.keepalive_timeout, "keepalive_timeout")
        _check_tls(self)
        if self.resolver is not None and not callable(self.resolver):
            raise mismatch("an async function or None", self.resolver, "resolver")
        if self.unix_socket is not None:
            object.__setattr__(self, "unix_socket", _path(self.unix_socket, "unix_socket"))


def require_verify(value: object, field: str) -> None:
    """Require True, False or "system"."""
    if not isinstance(value, bool) and value != "system":
        raise mismatch("True, False or 'system'", value, field)


def _check_tls(config: ConnectionPoolConfig) -> None:
    if config.cert is not None:
        pair = config.cert if isinstance(config.cert, tuple) else (config.cert,)
        require(len(pair) in {1, 2}, "must be a path or a pair (certificate, key)", "cert")
        for path in pair:
            _path(path, "cert")
    given = {"verify_ssl": config.verify_ssl == "system", "cert": config.cert is not None}
    for name, is_given in given.items():
        clash = is_given and config.ssl_context is not None
        require(not clash, "must not be given with `ssl_context`: set up the context", name)


def _path(path: object, name: str) -> str:
    text = str(path) if isinstance(path, str | PurePath) else ""
    if not text:
        raise mismatch("a path", path, name)
    return text


@_naming_replace
@dataclass(frozen=True, slots=True, init=False, repr=False)
class HTTPClientConfig:
    """Settings of a client.

    It also takes the settings of its pool, such as `max_connections`; they override those of
    `pool`, and read back as `config.pool.max_connections`. `dataclasses.replace(config, pool=pool)`
    therefore keeps `timeout` and `verify`: name them too, to change them.

    Attributes:
        pool: Settings of the connection pool.
        proxy: The URL of an HTTP proxy for all requests; it overrides those of the environment.
        trust_env: Whether HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY are used.
        cookie_jar: Whether cookies are stored and sent back. There is no list of public suffixes,
            so hosts under `co.uk` can set cookies for each other.
        timeout: Seconds for a whole call: queue, retries, back-off and body. It overrides
            `pool.timeout`. None means no limit.
        attempt_timeout: Seconds for one attempt; None means that only `timeout` limits it.
        connect_timeout: Seconds for getting a connection: pool, DNS, TCP and TLS.
        read_timeout: Seconds without a byte from the server while a response is awaited or read,
            and seconds in which the server accepts no byte of an upload.
        expect_continue_timeout: Seconds that a body announced by `Expect: 100-continue` waits for
            the server's `100 Continue`. Then it is sent anyway (RFC 9110, section 10.1.1); None
            waits until another limit ends the call.
        max_response_bytes: The largest body that is read into memory, after decompression. The
            default, 100 MiB, protects against a small compressed body that expands without end.
        max_redirects: The largest number of redirects that a call follows.
        allow_insecure_redirects: Whether redirects from https to http are followed. None refuses
            them for calls that carry credentials: secret header fields, or `cookies` of the call.
        secret_headers: Names of header fields whose values are never shown and never sent to
            another origin, in addition to `Authorization`, `Cookie`, `X-Api-Key` and other usual
            ones. The `repr` of a `RequestContext` masks only the usual ones.
        total: Whether verbs return an open circuit and exhausted retries too, instead of raising.
        mask_path: Masks the secrets in a path: it is passed the path, percent-encoded, and returns
            the one that logs, events and spans show. If it raises, the whole path is masked.
            Failures and responses keep the path.

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
    expect_continue_timeout: float | None
    max_response_bytes: int
    max_redirects: int
    allow_insecure_redirects: bool | None
    secret_headers: frozenset[str]
    total: bool
    verify: Verify
    cert: Certificate | None
    resolver: Resolver | None
    unix_socket: str | None
    mask_path: Callable[[str], str] | None

    # Written by hand because the parameters accept wider types than the attributes have.
    @forgets_arguments
    def __init__(
        self,
        pool: ConnectionPoolConfig = ConnectionPoolConfig(),  # frozen
        proxy: str | None = None,
        trust_env: bool = True,
        cookie_jar: bool = True,
        *,
        timeout: float | None = UNSET,
        attempt_timeout: float | None = None,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        expect_continue_timeout: float | None = 1.0,
        max_response_bytes: int = DEFAULT_MAX_RESPONSE_BYTES,
        max_redirects: int = DEFAULT_MAX_REDIRECTS,
        allow_insecure_redirects: bool | None = None,
        secret_headers: Collection[str] = (),
        total: bool = False,
        max_connections: int = UNSET,
        max_keepalive_connections: int = UNSET,
        max_connections_per_host: int = UNSET,
        ttl_dns_cache: int = UNSET,
        force_close: bool = UNSET,
        verify_ssl: Verify = UNSET,
        ssl_context: ssl.SSLContext | None = UNSET,
        keepalive_timeout: float = UNSET,
        verify: Verify | None = None,
        cert: Certificate | None = None,
        resolver: Resolver | None = None,
        unix_socket: str | PurePath | None = None,
        mask_path: Callable[[str], str] | None = None,
    ) -> None:
        if verify is not None:
            require_verify(verify, "verify")
            verify_ssl = verify
        pool = _pool_with(
            pool,
            timeout=timeout,
            max_connections=max_connections,
            max_keepalive_connections=max_keepalive_connections,
            max_connections_per_host=max_connections_per_host,
            ttl_dns_cache=ttl_dns_cache,
            force_close=force_close,
            verify_ssl=verify_ssl,
            ssl_context=ssl_context,
            keepalive_timeout=keepalive_timeout,
            cert=UNSET if cert is None else cert,
            resolver=UNSET if resolver is None else resolver,
            unix_socket=UNSET if unix_socket is None else unix_socket,
        )
        limits = {"attempt_timeout": attempt_timeout, "connect_timeout": connect_timeout}
        limits["read_timeout"] = read_timeout
        flags = {"trust_env": trust_env, "cookie_jar": cookie_jar, "total": total}
        for name, limit in limits.items():
            require_timeout(limit, name)
            if limit is not None and pool.timeout is not None and limit > pool.timeout:
                within = f"must not be longer than the timeout of the whole call, {pool.timeout} s"
                raise HTTPValidationError(f"{within}, got {limit}", field=name)
        for name, flag in flags.items():
            require_flag(flag, name)
        if proxy is not None:
            require_proxy(proxy)
            message = "must not be given with a proxy, which cannot reach the socket"
            require(pool.unix_socket is None, message, "unix_socket")
        require_timeout(expect_continue_timeout, "expect_continue_timeout")
        require_positive_int(max_response_bytes, "max_response_bytes")
        require_count(max_redirects, "max_redirects")
        if allow_insecure_redirects is not None:
            require_flag(allow_insecure_redirects, "allow_insecure_redirects")
        require_function(mask_path, "mask_path")
        settings = {
            "pool": pool,
            "proxy": proxy,
            "timeout": pool.timeout,
            "expect_continue_timeout": expect_continue_timeout,
            "max_response_bytes": max_response_bytes,
            "max_redirects": max_redirects,
            "allow_insecure_redirects": allow_insecure_redirects,
            "secret_headers": SECRET_HEADERS | _header_names(secret_headers),
            "verify": pool.verify_ssl,
            **{name: getattr(pool, name) for name in ("cert", "resolver", "unix_socket")},
            "mask_path": mask_path,
        }
        for name, value in (settings | limits | flags).items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return redacted_repr(self, proxy=self.proxy and redact_url(self.proxy))


def _pool_with(pool: object, **settings: object) -> ConnectionPoolConfig:
    if not isinstance(pool, ConnectionPoolConfig):
        raise mismatch("a ConnectionPoolConfig", pool, "pool")
    given = {name: value for name, value in settings.items() if value is not UNSET}
    return replace(pool, **given) if given else pool  # type: ignore[arg-type]  # it checks them


def _header_names(names: object) -> frozenset[str]:
    # A str is a collection of its letters, which would protect nothing.
    if not isinstance(names, Collection) or isinstance(names, str | bytes):
        raise mismatch("a collection of names", names, "secret_headers")
    if not all(isinstance(name, str) and TOKEN.fullmatch(name) for name in names):
        raise HTTPValidationError("must be names of header fields", field="secret_headers")
    return frozenset(name.lower() for name in names)
