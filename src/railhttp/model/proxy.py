"""Proxies, and the environment variables that select them."""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, NamedTuple

from yarl import URL

from railhttp.model.errors import HTTPValidationError
from railhttp.model.validation import HTTP, SCHEME, has_control, require, require_host, require_url

SOCKS: Final = "socks5h"
"""The scheme of a SOCKS5 proxy that resolves the names, as curl spells it."""

_SOCKS_PORT: Final = 1080  # RFC 1928, section 3
_SOCKS: Final = rf"(?i:{SOCKS}://)"
_SEPARATOR: Final = r"[,\s]"
_MAPPED: Final = IPv6Network("::ffff:0:0/96")  # RFC 4291, section 2.5.5.2
_ENTRY: Final = r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*):(?P<port>[0-9]{1,5})"


def require_proxy(proxy: object, field: str = "proxy") -> str:
    """Require the URL of an http, https or SOCKS5 proxy, with or without user and password.

    User and password must be fit for Basic authentication (RFC 7617): no control characters, and
    no colon in the user. `socks5://` is refused: by custom, names are resolved here then, which
    would show them to the local network.

    Args:
        proxy: Any object; a str without a scheme means `http://`.
        field: The name of the setting, for the error. The error does not show the URL.

    Returns:
        The URL in normal form.
    """
    by_socks = isinstance(proxy, str) and re.match(_SOCKS, proxy)
    other_scheme = isinstance(proxy, str) and SCHEME.match(proxy) and not re.match(HTTP, proxy)
    message = "must be an http://, https:// or socks5h:// proxy; socks5h:// leaves names to it"
    require(bool(by_socks) or not other_scheme, message, field)
    if by_socks and isinstance(proxy, str):
        authority = proxy[len(SOCKS) :]
        require_url(f"http{authority}", field)
        url = URL(SOCKS + authority)
        normal = str(url if url.port else url.with_port(_SOCKS_PORT))
    else:
        normal = require_url(proxy, field, require_scheme=False)
    url = URL(normal)
    user, password = url.user or "", url.password or ""
    clean = ":" not in user and not has_control(user + password)
    message = "must have no control character in user and password, and no colon in the user"
    require(clean, message, field)
    return normal


class ProxyVariable(NamedTuple):
    """An environment variable that names a proxy; its value is not validated yet."""

    name: str
    value: str

    def __repr__(self) -> str:
        return f"ProxyVariable(name={self.name!r})"  # the URL may contain credentials


class NoProxy(NamedTuple):
    """One entry of NO_PROXY: requests that match it go directly to the server.

    The target is a network, or a domain, which includes its subdomains; '' matches every host.
    """

    target: IPv4Network | IPv6Network | str
    port: int | None = None

    def matches(self, url: URL) -> bool:
        """Whether the entry matches a URL."""
        if self.port not in {None, url.port}:
            return False
        host = (url.raw_host or "").removesuffix(".")
        if isinstance(self.target, str):
            return not self.target or f".{host}".endswith(f".{self.target}")
        try:
            return _unmapped(ip_address(host)) in self.target
        except ValueError:
            return False


class ProxySettings(NamedTuple):
    """The proxies of an environment for http and https URLs, read once."""

    http: ProxyVariable | None = None
    https: ProxyVariable | None = None
    no_proxy: tuple[NoProxy, ...] = ()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "ProxySettings":
        """Read HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, as curl and Python do.

        A lower-case name overrides the upper-case one, even with an empty value, which means unset.
        ALL_PROXY is used for a scheme without a proxy. HTTP_PROXY in upper case is ignored if
        REQUEST_METHOD is set, because in a CGI program it is a header field that the client sent
        (CVE-2016-5385). NO_PROXY is a list, separated by commas or blanks, of `*`, hosts with or
        without a leading dot (each includes its subdomains), `host:port`, IPv4 and IPv6 addresses,
        and networks such as `10.0.0.0/8`; other entries are ignored. An IPv4-mapped IPv6 address
        (`::ffff:10.0.0.1`) is the IPv4 address.
        """
        cgi = "REQUEST_METHOD" in environ
        http_names = ("http_proxy",) if cgi else ("http_proxy", "HTTP_PROXY")
        every = _variable(environ, "all_proxy", "ALL_PROXY")
        bypass = _variable(environ, "no_proxy", "NO_PROXY")
        entries = map(_parse_entry, re.split(_SEPARATOR, bypass.value) if bypass else [])
        return cls(
            http=_variable(environ, *http_names) or every,
            https=_variable(environ, "https_proxy", "HTTPS_PROXY") or every,
            no_proxy=tuple(entry for entry in entries if entry),
        )

    def proxy_for(self, url: URL) -> str | None:
        """Return the URL of the proxy for a request, validated; None for a direct connection."""
        variable = self.https if url.scheme == "https" else self.http
        if variable is None or any(entry.matches(url) for entry in self.no_proxy):
            return None
        return _proxy_url(variable)


@lru_cache(maxsize=16)
def _proxy_url(variable: ProxyVariable) -> str:
    return require_proxy(variable.value, variable.name)


def _variable(environ: Mapping[str, str], *names: str) -> ProxyVariable | None:
    name = next((name for name in names if name in environ), "")
    value = environ.get(name, "").strip()
    return ProxyVariable(name, value) if value else None


def _parse_entry(entry: str) -> NoProxy | None:
    parts = re.fullmatch(_ENTRY, entry)
    host, port = (parts["host"], int(parts["port"])) if parts else (entry, None)
    target = _parse_target(host)
    return None if target is None else NoProxy(target, port)


def _parse_target(host: str) -> IPv4Network | IPv6Network | str | None:
    if host == "*":
        return ""
    try:
        return _unmapped_network(ip_network(host.strip("[]"), strict=False))
    except ValueError:
        pass
    try:
        return require_host(host.removeprefix("*.").removeprefix(".")).removesuffix(".")
    except HTTPValidationError:
        return None


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _unmapped_network(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        address = network.network_address.ipv4_mapped
        return IPv4Network((int(address or 0), network.prefixlen - _MAPPED.prefixlen))
    return network
