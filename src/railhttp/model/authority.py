"""The authority of a URL: user-info, host and port (RFC 3986, section 3.2)."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from unicodedata import normalize

from yarl import URL

from railhttp.model.spelling import spelled_user

_MAX_LENGTH: Final = 253  # characters; RFC 1035, section 2.3.4 allows 255 octets on the wire
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_ZONED: Final = re.compile(r"\[[0-9A-Fa-f:.]+%.*\]")
_DELIMITER: Final = re.compile(r"[/?#@:]")
_PORT: Final = re.compile(r":[0-9]{1,5}")
_AUTHORITY: Final = re.compile(
    r"(?P<user>[^:@\[\]\\]+(:[^@\[\]\\]*)?@)?"
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
        url = URL.build(host=name)
        # Reading `host` decodes punycode, so malformed punycode is refused here, before a request.
        name = (url.host and url.raw_host) or ""
    labels = name.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return str(IPv4Address(name))
    fits = len(name.removesuffix(".")) <= _MAX_LENGTH and all(map(_LABEL.fullmatch, labels))
    return name if fits else ""


@lru_cache(maxsize=256)
def normal_authority(authority: str) -> tuple[str, str]:
    """Return the authority of a URL with its host in normal form, or '' and the rule it breaks.

    Example:
        >>> normal_authority("ann:%7E@API.Example:08080")
        ('ann:%7E@api.example:8080', '')
        >>> normal_authority(":80")[1]
        'must have a host: a DNS name, an IPv4 address, or an IPv6 address in brackets'
    """
    parts = _AUTHORITY.fullmatch(authority)
    if not parts:
        return "", "must name its server as host, host:port or user:password@host, percent-encoded"
    if _ZONED.fullmatch(parts["host"]):
        return "", "must have no IPv6 zone (RFC 6874): it means an interface of this machine only"
    host, user = normal_host(parts["host"]), parts["user"] or ""
    if not host:
        return "", "must have a host: a DNS name, an IPv4 address, or an IPv6 address in brackets"
    port = parts["port"] or ""
    if port and not (_PORT.fullmatch(port) and 1 <= int(port[1:]) <= 65_535):
        return "", "must have a port from 1 to 65535, or none"
    if not user.isascii() and _DELIMITER.search(normalize("NFKC", user[:-1].replace(":", ""))):
        return "", "must percent-encode non-ASCII characters in user and password"
    host = f"[{host}]" if ":" in host else host
    return f"{spelled_user(user[:-1])}{user[-1:]}{host}{port and f':{int(port[1:])}'}", ""
