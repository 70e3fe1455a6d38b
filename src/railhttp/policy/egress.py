"""The destinations of a client: pure decisions about names, ports and addresses."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, NamedTuple, Self, TypeAlias

from yarl import URL

from railhttp.model.authority import normal_host
from railhttp.model.errors import HTTPValidationError
from railhttp.model.redaction import MASK
from railhttp.model.validation import mismatch, require_port

Address: TypeAlias = IPv4Address | IPv6Address

SPECIAL_PURPOSE: Final[tuple[IPv4Network | IPv6Network, ...]] = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local: the metadata services of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and the limited broadcast
        "2001::/23",  # IETF protocols, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
"""The blocks of the IANA special-purpose registries (RFC 6890), and multicast. The IPv6 blocks
outside of `GLOBAL_UNICAST` are left out, because nothing there is public."""

GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
"""The IPv6 addresses that IANA allocates for the internet (RFC 4291, section 2.4)."""

_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052, section 2.1
_WILDCARD: Final = "*."
_ENTRY: Final = r"(?P<target>\[[^\[\]]*\](?:/[0-9]+)?|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?"


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet: to no special-purpose block.

    Example:
        >>> is_public(ip_address("192.168.1.1")), is_public(ip_address("9.9.9.9"))
        (False, True)
    """
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    return not any(address in block for block in SPECIAL_PURPOSE)


def unwrapped(address: Address) -> tuple[Address, ...]:
    """Return the addresses that a packet to an address may reach.

    An IPv4-mapped address (RFC 4291) and one of NAT64 (RFC 6052) stand for the IPv4 address in
    them. A packet to one of 6to4 (RFC 3056) or Teredo (RFC 4380) may reach the IPv4 addresses in it
    as well.

    Example:
        >>> unwrapped(ip_address("::ffff:127.0.0.1"))
        (IPv4Address('127.0.0.1'),)
        >>> unwrapped(ip_address("2002:7f00:1::"))
        (IPv6Address('2002:7f00:1::'), IPv4Address('127.0.0.1'))
    """
    if isinstance(address, IPv4Address):
        return (address,)
    address = IPv6Address(int(address))  # without the zone of a link-local address
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFF_FFFF),)
    if address.sixtofour is not None:
        return (address, address.sixtofour)
    if address.teredo is not None:
        return (address, *address.teredo)
    return (address,)


class _Rule(NamedTuple):
    """An entry of `allow` or `deny`: a network or a name, and the only port if it has one."""

    network: IPv4Network | IPv6Network | None
    name: str
    port: int | None

    def covers(self, address: Address, port: int) -> bool:
        return self.port in {None, port} and self.network is not None and address in self.network

    def names(self, host: str, port: int) -> bool:
        if self.port not in {None, port} or not self.name:
            return False
        if self.name.startswith(_WILDCARD):
            return host.endswith(self.name[1:])
        return host == self.name


@dataclass(frozen=True, slots=True, init=False)
class Egress:
    """An egress gate: the destinations to which a client may connect.

    It protects against server-side request forgery (SSRF): a URL from a user, or a redirect, that
    leads into the network of the server. The gate checks the addresses to which the client is about
    to connect, so a name that resolves to another address later passes no check that it should not.
    A refused call fails with an `HTTPConnectionError` of kind `rejected`, delivery `NOT_SENT`.

    Args:
        allow: Destinations in addition to public addresses. Each is an address, a network, or a
            name; `*.corp.example` stands for all subdomains. A `:port` limits it to one port, and
            an IPv6 address or network with a port stands in brackets.
        deny: Destinations that are refused even if they are public or in `allow`.
        ports: The only ports; None means all ports.
        schemes: The only schemes, of `http` and `https`; None means both.

    Raises:
        HTTPValidationError: An entry is not valid; the error names the argument.

    Example:
        >>> from railhttp.egress import Egress
        >>> Egress(allow=["10.1.0.0/16", "*.corp.example:443"], ports={80, 443})
        Egress(allow=('10.1.0.0/16', '*.corp.example:443'), deny=(), ports=frozenset({80, 443}),
        schemes=None)
    """

    allow: tuple[str, ...]
    deny: tuple[str, ...]
    ports: frozenset[int] | None
    schemes: frozenset[str] | None

    # Written by hand because the parameters accept wider types than the attributes have.
    def __init__(
        self,
        allow: Collection[str] = (),
        deny: Collection[str] = (),
        ports: Collection[int] | None = None,
        schemes: Collection[str] | None = None,
    ) -> None:
        for field, entries in {"allow": allow, "deny": deny}.items():
            object.__setattr__(self, field, _entries(entries, field))
        object.__setattr__(self, "ports", _ports(ports))
        object.__setattr__(self, "schemes", _schemes(schemes))

    @classmethod
    def public(cls) -> Self:
        """Return the gate that admits public addresses only, on every port.

        Example:
            >>> Egress.public() == Egress()
            True
        """
        return cls()

    def refusal(self, scheme: str, host: str, port: int) -> str:
        """Return why a destination is refused before its name is resolved, or '' if it is not.

        Args:
            scheme: `http` or `https`.
            host: A name or an address, as in a URL.
            port: The port, also if the URL leaves it out.
        """
        if self.schemes is not None and scheme not in self.schemes:
            return "the scheme is not in `schemes`"
        if self.ports is not None and port not in self.ports:
            return "the port is not in `ports`"
        if _address(host) is not None:
            return self.refusal_of_address(host, port, host)
        name = _folded(host)
        if any(rule.names(name, port) for rule in _rules(self.deny)):
            return "the name is in `deny`"
        return ""

    def refusal_of_address(self, host: str, port: int, address: str) -> str:
        """Return why an address is refused, or '' if the client may connect to it.

        Args:
            host: The host of the URL, which resolved to the address.
            port: The port.
            address: The address to connect to.

        Example:
            >>> Egress(deny=["9.0.0.0/8"]).refusal_of_address("h.example", 80, "9.9.9.9")
            'the address is in `deny`'
        """
        parsed = _address(address)
        if parsed is None:
            return "the address is not valid"
        reached = unwrapped(parsed)
        denied, allowed = _rules(self.deny), _rules(self.allow)
        if any(rule.covers(one, port) for rule in denied for one in {parsed, *reached}):
            return "the address is in `deny`"
        name = _folded(host)
        if any(rule.names(name, port) for rule in allowed):
            return ""
        if all(is_public(one) or any(r.covers(one, port) for r in allowed) for one in reached):
            return ""
        return "the address is not public"


def without_address(url: URL) -> str:
    """Return a URL as text, and mask its host if that is an address.

    Example:
        >>> without_address(URL("http://10.1.2.3:8080/x")), without_address(URL("http://h/"))
        ('http://***:8080/x', 'http://h/')
    """
    host = url.host_subcomponent or ""
    if _address(host) is None:
        return str(url)
    return str(url).replace(host, MASK, 1)


def _folded(host: str) -> str:
    return host.lower().rstrip(".")


def _address(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _rules(entries: tuple[str, ...]) -> tuple[_Rule, ...]:
    return tuple(_rule(entry) for entry in entries)


def _rule(entry: str) -> _Rule:
    parts = re.fullmatch(_ENTRY, entry)
    target, port = (parts["target"], parts["port"]) if parts else (entry, None)
    number = None if port is None else require_port(int(port))
    bare = target[1:].replace("]", "", 1) if "]" in target else target
    try:
        return _Rule(ip_network(bare, strict=False), "", number)
    except ValueError:
        wildcard = _WILDCARD if target.startswith(_WILDCARD) else ""
        name = normal_host(target.removeprefix(wildcard))
        if not name or _address(name) is not None:
            raise HTTPValidationError("is neither a network nor a name") from None
        return _Rule(None, wildcard + _folded(name), number)


def _entries(given: object, field: str) -> tuple[str, ...]:
    # A str is a collection of its letters.
    if not isinstance(given, Collection) or isinstance(given, str | bytes):
        raise mismatch("a collection of networks and names", given, field)
    entries = tuple(entry for entry in given if isinstance(entry, str))
    try:
        if len(entries) == len(given) and all(_rules(entries)):
            return entries
    except HTTPValidationError:
        pass  # its field would not be the argument
    message = "must be networks, addresses or names, such as '10.1.0.0/16' or '*.corp.example:443'"
    raise HTTPValidationError(message, field=field)


def _ports(given: object) -> frozenset[int] | None:
    if given is None:
        return None
    if not isinstance(given, Collection) or isinstance(given, str | bytes):
        raise mismatch("a collection of ports or None", given, "ports")
    return frozenset(require_port(port, "ports") for port in given)


def _schemes(given: object) -> frozenset[str] | None:
    if given is None:
        return None
    if isinstance(given, Collection) and not isinstance(given, str | bytes):
        schemes = frozenset(one.lower() for one in given if isinstance(one, str))
        if len(schemes) == len(given) and schemes <= {"http", "https"}:
            return schemes
    raise mismatch("a collection of 'http' and 'https', or None", given, "schemes")
