"""The authority of a URL: user-info, host and port (RFC 3986, section 3.2)."""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from yarl import URL

_MAX_LENGTH: Final = 253  # characters; RFC 1035, section 2.3.4 allows 255 octets on the wire
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_ZONED: Final = re.compile(r"\[[0-9A-Fa-f:.]+%.*\]")
_PORT: Final = re.compile(r":[0-9]{1,5}")
_AUTHORITY: Final = re.compile(
    r"([^:@\[\]\\]+(:[^@\[\]\\]*)?@)?"
    r"(?P<host>\[[^@\[\]]*\]|[^:@\[\]]*)"
    r"(?P<port>:[^@\[\]]*)?"
)


def normal_host(host: str) -> str:
    """Return a host as `railhttp.model.validation.require_host` does; '' if it breaks a rule."""
    if len(host) > _MAX_LENGTH + 1:  # IDNA would be slow
        return ""
    try:
        return _ipv6(host) if "[" in host or ":" in host else _name_or_ipv4(host)
    except ValueError:
        return ""


def _ipv6(host: str) -> str:
    bracketed = host.startswith("[") and host.endswith("]")
    address = IPv6Address(host[1:-1] if bracketed else host)
    return "" if address.scope_id else address.compressed


def _name_or_ipv4(host: str) -> str:
    name = host.lower()
    if not name.isascii() or "xn--" in name:
        url = URL.build(scheme="http", host=name)
        # Reading `host` decodes punycode, so malformed punycode is refused here, before a request.
        name = (url.host and url.raw_host) or ""
    labels = name.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return str(IPv4Address(name))
    fits = len(name.removesuffix(".")) <= _MAX_LENGTH and all(map(_LABEL.fullmatch, labels))
    return name if fits else ""


def authority_problem(authority: str) -> str:
    """Return the rule that the authority of a URL breaks, as "must have a host", or ''."""
    parts = _AUTHORITY.fullmatch(authority)
    if not parts:
        return "must name its server as host, host:port or user:password@host, percent-encoded"
    if _ZONED.fullmatch(parts["host"]):
        return "must have no IPv6 zone (RFC 6874): it means an interface of this machine only"
    if not normal_host(parts["host"]):
        return "must have a host: a DNS name, an IPv4 address, or an IPv6 address in brackets"
    port = parts["port"] or ":80"
    if not _PORT.fullmatch(port) or not 1 <= int(port[1:]) <= 65_535:
        return "must have a port from 1 to 65535, or none"
    return ""
