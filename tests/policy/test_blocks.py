"""Each block of addresses that is not public, up to its ends (IANA's registries, RFC 6890)."""

from ipaddress import ip_address
from typing import Final

import pytest

from railhttp.policy.egress import is_public

BLOCKS: Final = [
    ("0.0.0.0", "0.255.255.255"),
    ("10.0.0.0", "10.255.255.255"),
    ("100.64.0.0", "100.127.255.255"),
    ("127.0.0.0", "127.255.255.255"),
    ("169.254.0.0", "169.254.255.255"),
    ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.255"),
    ("192.0.2.0", "192.0.2.255"),
    ("192.31.196.0", "192.31.196.255"),
    ("192.52.193.0", "192.52.193.255"),
    ("192.88.99.0", "192.88.99.255"),
    ("192.168.0.0", "192.168.255.255"),
    ("192.175.48.0", "192.175.48.255"),
    ("198.18.0.0", "198.19.255.255"),
    ("198.51.100.0", "198.51.100.255"),
    ("203.0.113.0", "203.0.113.255"),
    ("224.0.0.0", "255.255.255.255"),
    ("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
]


@pytest.mark.parametrize(("first", "last"), BLOCKS)
def test_a_block_is_not_public_and_its_neighbours_are(first: str, last: str) -> None:
    begin, end = ip_address(first), ip_address(last)
    assert not is_public(begin)
    assert not is_public(end)
    assert not is_public(begin + 1)
    blocks = [(ip_address(one), ip_address(other)) for one, other in BLOCKS]
    same = [pair for pair in blocks if pair[0].version == begin.version]
    if int(begin) and not any(pair[1] + 1 == begin for pair in same if int(pair[1]) < int(begin)):
        assert is_public(begin - 1)
    if int(end) + 1 < 2**end.max_prefixlen and not any(pair[0] == end + 1 for pair in same):
        assert is_public(end + 1)
