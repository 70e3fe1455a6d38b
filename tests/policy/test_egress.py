"""The egress gate's decisions: which names, ports and addresses it admits."""

from ipaddress import ip_address

import pytest

from railhttp.egress import Egress
from railhttp.policy.egress import is_public, unwrapped

PUBLIC = ("9.9.9.9", "1.1.1.1", "2606:4700:4700::1111", "2a00::1", "11.0.0.0", "172.32.0.0")

NOT_PUBLIC = (
    *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254"),
    *("172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1"),
    *("198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1"),
    *("100::1", "2001:db8::1", "2001:2::1", "2001:10::1", "3fff::1", "5f00::1", "64:ff9b:1::1"),
    *("::127.0.0.1", "::ffff:0:127.0.0.1"),  # the compatible and the translated form
)


def refusal(egress: Egress, address: str, *, host: str = "h.example", port: int = 443) -> str:
    return egress.refusal_of_address(host, port, address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_admitted(address: str) -> None:
    assert refusal(Egress.public(), address) == ""


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused_without_being_shown(address: str) -> None:
    assert refusal(Egress.public(), address) == "the address is not public"


@pytest.mark.parametrize(
    "wrapped",
    [
        "::ffff:10.1.2.3",  # IPv4-mapped
        "64:ff9b::10.1.2.3",  # NAT64
        "2002:a01:203::1",  # 6to4
        "2001:0:a01:203::1",  # Teredo, of this server
        "2001:0:909:909:0:0:f5fe:fdfc",  # Teredo, of this client, whose bits are inverted
    ],
)
def test_an_address_within_another_is_unwrapped(wrapped: str) -> None:
    inner = ip_address("10.1.2.3")
    assert inner in unwrapped(ip_address(wrapped))
    assert refusal(Egress.public(), wrapped)
    assert refusal(Egress(deny=["10.0.0.0/8"]), wrapped) == "the address is in `deny`"


@pytest.mark.parametrize("wrapped", ["::ffff:{}", "64:ff9b::{}"])
def test_a_mapped_address_and_one_of_nat64_are_what_is_within(wrapped: str) -> None:
    assert refusal(Egress.public(), wrapped.format("9.9.9.9")) == ""
    assert refusal(Egress(allow=["10.0.0.0/8"]), wrapped.format("10.1.2.3")) == ""
    assert refusal(Egress(allow=["::/0"]), wrapped.format("10.1.2.3"))


@pytest.mark.parametrize("wrapped", ["2002:909:909::1", "2001:0:909:909:0:0:f6f6:f6f6"])
def test_a_tunnel_is_refused_even_if_its_ends_are_public(wrapped: str) -> None:
    assert all(is_public(end) for end in unwrapped(ip_address(wrapped))[1:])
    assert refusal(Egress.public(), wrapped)
    assert refusal(Egress(allow=[f"{wrapped}/32"]), wrapped) == ""


ENTRIES = [
    ("10.1.0.0/16", "10.1.255.255", True),
    ("10.1.0.0/16", "10.2.0.0", False),
    ("10.1.2.3/16", "10.1.9.9", True),
    ("10.1.2.3", "10.1.2.3", True),
    ("10.1.2.3:443", "10.1.2.3", True),
    ("10.1.0.0/16:443", "10.1.2.3", True),
    ("10.1.0.0/16:80", "10.1.2.3", False),
    ("fd00::/8", "fd00::1", True),
    ("[fd00::]/8:443", "fd00::1", True),
    ("[fd00::/8]:443", "fd00::1", True),
    ("[fd00::1]:80", "fd00::1", False),
    ("[fd00::1]", "fd00::1", True),
    ("h.example", "10.1.2.3", True),
    ("H.Example.", "10.1.2.3", True),
    ("h.example:443", "10.1.2.3", True),
    ("h.example:80", "10.1.2.3", False),
    ("example", "10.1.2.3", False),
    ("*.example", "10.1.2.3", True),
    ("*.example:443", "10.1.2.3", True),
    ("*.h.example", "10.1.2.3", False),
    ("*.ample", "10.1.2.3", False),
]


@pytest.mark.parametrize(("entry", "address", "admitted"), ENTRIES)
def test_what_is_in_allow_is_admitted_beside_the_public(
    entry: str, address: str, *, admitted: bool
) -> None:
    egress = Egress(allow=[entry])
    assert (refusal(egress, address) == "") is admitted
    assert refusal(egress, "9.9.9.9") == ""
    assert refusal(egress, "127.0.0.1", host="other") == "the address is not public"


@pytest.mark.parametrize(("entry", "address", "refused"), ENTRIES)
def test_what_is_in_deny_is_refused_even_if_it_is_in_allow(
    entry: str, address: str, *, refused: bool
) -> None:
    egress = Egress(allow=["0.0.0.0/0", "::/0", entry], deny=[entry])
    by_name = egress.refusal("https", "h.example", 443)
    assert bool(by_name or refusal(egress, address)) is refused


@pytest.mark.parametrize(
    ("egress", "destination", "reason"),
    [
        (Egress(ports={443}), ("http", "h.example", 80), "the port is not in `ports`"),
        (Egress(ports=[80, 443]), ("http", "h.example", 80), ""),
        (Egress(schemes={"https"}), ("http", "h.example", 80), "the scheme is not in `schemes`"),
        (Egress(schemes=["HTTPS"]), ("https", "h.example", 443), ""),
        (Egress(schemes={"http"}), ("http", "h.example", 80), ""),
        (Egress(schemes={"http"}), ("https", "h.example", 443), "the scheme is not in `schemes`"),
        (Egress(deny=["h.example"]), ("http", "H.EXAMPLE.", 80), "the name is in `deny`"),
        (Egress(ports={443}, allow=["h.example:80"]), ("http", "h.example", 80), "the port is"),
        (Egress.public(), ("http", "127.0.0.1", 80), "the address is not public"),
        (Egress.public(), ("http", "::1", 80), "the address is not public"),
        (Egress.public(), ("http", "[::1]", 80), "the address is not public"),
        (Egress.public(), ("http", "9.9.9.9", 80), ""),
        (Egress.public(), ("http", "localhost", 80), ""),  # its address is refused later
    ],
)
def test_what_is_known_before_a_name_is_resolved_is_checked_first(
    egress: Egress, destination: tuple[str, str, int], reason: str
) -> None:
    refused = egress.refusal(*destination)
    assert refused.startswith(reason)
    assert bool(refused) is bool(reason)


def test_what_is_not_an_address_is_refused() -> None:
    assert refusal(Egress(allow=["0.0.0.0/0", "::/0", "h.example"]), "10.1") != ""


def test_a_gate_is_a_value() -> None:
    same = (Egress(allow=["h"], ports=[80]), Egress(allow=("h",), ports={80}))
    assert same[0] == same[1]
    assert hash(same[0]) == hash(same[1])
    assert Egress() == Egress.public() != Egress(deny=["h"])
