"""Properties of the egress gate, over whole ranges of addresses."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from hypothesis import example, given
from hypothesis import strategies as st

from railhttp.egress import Egress
from railhttp.policy.egress import SPECIAL_PURPOSE, Address, is_public

# The registries as IANA publishes them, and the blocks that no registry allocates: written here
# once more, so that a block that is missing in the code is found.
REGISTRIES = [
    *("0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32"),
    *("192.0.0.10/32", "192.0.0.170/32", "192.0.0.171/32", "192.0.2.0/24", "192.31.196.0/24"),
    *("192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
    *("198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "255.255.255.255/32", "224.0.0.0/4"),
    *("::1/128", "::/128", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23"),
    *("2001::/32", "2001:1::1/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48"),
    *("2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16"),
    *("2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10"),
    *("ff00::/8", "::/96", "4000::/2", "8000::/2", "c000::/3", "e000::/4", "f000::/5", "f800::/6"),
]
BLOCKS = [ip_network(block) for block in REGISTRIES]


def within(block: IPv4Network | IPv6Network) -> st.SearchStrategy[Address]:
    first, last = int(block[0]), int(block[-1])
    kind = IPv4Address if isinstance(block, IPv4Network) else IPv6Address
    return st.one_of(st.sampled_from([first, last]), st.integers(first, last)).map(kind)


special = st.sampled_from(BLOCKS).flatmap(within)
special_v4 = st.sampled_from([b for b in BLOCKS if isinstance(b, IPv4Network)]).flatmap(within)
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))
TEREDO = 0x20010000 << 96


def refusal(egress: Egress, address: Address) -> str:
    return egress.refusal_of_address("h.example", 443, str(address))


@given(special)
def test_no_special_purpose_address_is_public(address: Address) -> None:
    assert not is_public(address)
    assert refusal(Egress.public(), address)


@given(special_v4, st.integers(0, 2**32 - 1))
def test_no_wrapping_hides_a_special_purpose_address(inner: Address, other: int) -> None:
    number = int(inner)
    wrapped = [
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(0x64FF9B << 96 | number),
        IPv6Address(0x2002 << 112 | number << 80 | other),
        IPv6Address(TEREDO | number << 64 | other),
        IPv6Address(TEREDO | other << 64 | (number ^ 0xFFFF_FFFF)),
    ]
    assert all(refusal(Egress.public(), address) for address in wrapped)


@given(addresses)
@example(IPv4Address("8.8.8.8"))
@example(IPv6Address("2001:4860:4860::8888"))
def test_a_public_address_is_global_for_python_too(address: Address) -> None:
    if is_public(address):
        assert address.is_global
        assert not address.is_multicast


@given(st.sampled_from(SPECIAL_PURPOSE).flatmap(within))
def test_an_address_is_admitted_if_it_is_allowed_by_itself(address: Address) -> None:
    egress = Egress(allow=[str(address), "0.0.0.0/0"])
    assert refusal(egress, address) == ""
    assert refusal(Egress(allow=egress.allow, deny=[str(address)]), address)


@given(addresses, addresses)
def test_allow_only_adds_and_deny_only_takes_away(address: Address, other: Address) -> None:
    plain = refusal(Egress.public(), address)
    if not plain:
        assert not refusal(Egress(allow=[str(other)]), address)
    else:
        assert refusal(Egress(deny=[str(other)]), address)
