"""Addresses of names are remembered for a limited time."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from railhttp.transport import names
from railhttp.transport.names import NameResolver, resolved

NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class System:
    """Replaces the look-up of the operating system, and records each call."""

    def __init__(self) -> None:
        self.addresses: dict[str, list[tuple[Any, ...]]] = {}
        self.asked: list[tuple[str, int, int]] = []

    # The signature is that of `socket.getaddrinfo`.
    def __call__(self, host: str, port: Any, family: int, kind: int, *, flags: int) -> list[Any]:
        assert (port, kind) == (None, socket.SOCK_STREAM)
        self.asked.append((host, family, flags))
        found = self.addresses.get(host, [("127.0.0.1", 0)])
        if not found:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, kind, 6, "", address) for address in found]


@pytest.fixture
def system() -> Iterator[System]:
    system = System()
    with patch.object(socket, "getaddrinfo", system):
        yield system


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(names, "monotonic", time)
    return time


async def hosts(resolver: NameResolver, name: str) -> list[str]:
    return [one["host"] for one in await resolver.resolve(name, 80)]


@pytest.mark.parametrize(("ttl", "later", "lookups"), [(5, 5.0, 1), (5, 5.1, 2), (0, 0.0, 2)])
async def test_addresses_are_remembered_for_their_time(
    system: System, time: Time, ttl: float, later: float, lookups: int
) -> None:
    resolver = NameResolver(ttl)
    await resolver.resolve("a.test", 80)
    time.now += later
    await resolver.resolve("a.test", 81)
    assert len(system.asked) == lookups


async def test_a_name_that_was_looked_up_again_is_remembered_from_then_on(
    system: System, time: Time
) -> None:
    resolver = NameResolver(5)
    for _ in range(2):
        await resolver.resolve("a.test")
        time.now += 6
    await resolver.resolve("a.test")
    time.now += 4
    await resolver.resolve("a.test")
    assert len(system.asked) == 3


@pytest.mark.usefixtures("time")
async def test_a_thousand_names_are_remembered_and_those_used_last_stay(system: System) -> None:
    resolver = NameResolver(60)
    for number in range(1000):
        await resolver.resolve(f"{number}.test")
    await resolver.resolve("0.test")
    await resolver.resolve("new.test")  # the second is forgotten
    assert len(system.asked) == 1001
    await resolver.resolve("0.test")
    await resolver.resolve("2.test")
    await resolver.resolve("new.test")
    assert len(system.asked) == 1001
    await resolver.resolve("1.test")
    assert len(system.asked) == 1002


async def test_only_the_name_that_failed_is_forgotten(system: System) -> None:
    resolver = NameResolver(60)
    for name in ("a.test", "b.test"):
        await resolver.resolve(name)
    await resolver.resolve("a.test", family=socket.AF_INET6)
    resolver.forget("a.test")
    resolver.forget("unknown.test")
    for name in ("b.test", "a.test"):
        await resolver.resolve(name)
    await resolver.resolve("a.test", family=socket.AF_INET6)
    v4, v6 = int(socket.AF_INET), int(socket.AF_INET6)
    assert [(name, family) for name, family, _ in system.asked] == [
        *(("a.test", v4), ("b.test", v4), ("a.test", v6)),
        *(("a.test", v4), ("a.test", v6)),
    ]


async def test_a_failure_is_not_remembered(system: System) -> None:
    resolver = NameResolver(60)
    system.addresses["a.test"] = []
    with pytest.raises(socket.gaierror):
        await resolver.resolve("a.test")
    system.addresses["a.test"] = [("127.0.0.9", 0)]
    assert await hosts(resolver, "a.test") == ["127.0.0.9"]


async def test_an_address_comes_once_and_in_the_order_of_the_system(system: System) -> None:
    found = ["10.0.0.2", "10.0.0.1", "10.0.0.2", "10.0.0.3"]
    system.addresses["a.test"] = [(address, 0) for address in found]
    resolver = NameResolver(60)
    orders = [await hosts(resolver, "a.test") for _ in range(5)]
    assert orders[0] == ["10.0.0.2", "10.0.0.1", "10.0.0.3"]
    # Each further connection begins with the next address.
    assert [order[0][-1] for order in orders[1:]] == ["2", "1", "3", "2"]
    assert [sorted(order) for order in orders] == [sorted(orders[0])] * 5


@pytest.mark.parametrize("name", ["localhost", "LocalHost", "localhost."])
async def test_this_machine_is_found_also_without_a_network(
    system: System, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_network(host: str, *args: Any, flags: int) -> list[Any]:
        if flags & socket.AI_ADDRCONFIG:
            system.asked.append((host, 0, flags))
            raise socket.gaierror(-2, "Name or service not known")
        return system(host, *args, flags=flags)

    monkeypatch.setattr(socket, "getaddrinfo", without_network)
    resolver = NameResolver(60)
    assert await hosts(resolver, name) == ["127.0.0.1"]
    assert [flags for *_, flags in system.asked] == [socket.AI_ADDRCONFIG, 0]
    system.asked.clear()
    with pytest.raises(socket.gaierror):
        await resolver.resolve(f"x.{name}")
    assert [flags for *_, flags in system.asked] == [socket.AI_ADDRCONFIG]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (("10.0.0.1", 0), "10.0.0.1"),
        (("2001:db8::1", 0, 0, 0), "2001:db8::1"),
        (("fe80::1", 0, 0, 1), "fe80::1%" + socket.if_indextoname(1)),
    ],
)
async def test_an_address_of_a_link_names_its_interface(
    system: System, address: tuple[Any, ...], shown: str
) -> None:
    system.addresses["a.test"] = [address]
    assert await hosts(NameResolver(60), "a.test") == [shown]


async def test_no_name_is_looked_up_for_an_address_of_a_link(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def numeric(address: tuple[Any, ...], flags: int) -> tuple[str, str]:
        assert flags == socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
        return f"{address[0]}%eth0", str(address[1])

    monkeypatch.setattr(socket, "getnameinfo", numeric)
    system.addresses["a.test"] = [("fe80::1", 0, 0, 2)]
    assert await hosts(NameResolver(60), "a.test") == ["fe80::1%eth0"]


@pytest.mark.parametrize(
    ("address", "family"), [("10.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)]
)
def test_a_resolved_address_needs_no_name_server(
    address: str, family: socket.AddressFamily
) -> None:
    assert resolved("a.test", address, 81) == {
        "hostname": "a.test",
        "host": address,
        "port": 81,
        "family": family,
        "proto": 0,
        "flags": NUMERIC,
    }


async def test_a_caller_that_is_cancelled_leaves_the_look_up_to_the_others() -> None:
    free = threading.Event()

    def slow(*_: object, **__: object) -> list[Any]:
        free.wait(60)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    with patch.object(socket, "getaddrinfo", slow):
        resolver = NameResolver(60)
        calls = [asyncio.create_task(resolver.resolve("a.test")) for _ in range(2)]
        await asyncio.sleep(0)
        calls[0].cancel()
        await asyncio.wait(calls[:1])
        free.set()
        assert [one["host"] for one in await calls[1]] == ["127.0.0.1"]


async def test_closing_ends_the_wait_for_a_name() -> None:
    free = threading.Event()

    def slow(*_: object, **__: object) -> list[Any]:
        free.wait(60)
        raise socket.gaierror(-2, "Name or service not known")

    with patch.object(socket, "getaddrinfo", slow):
        resolver = NameResolver(60)
        call = asyncio.create_task(resolver.resolve("a.test"))
        await asyncio.sleep(0)
        await resolver.close()
        await asyncio.wait([call], timeout=60)
        free.set()
    assert call.cancelled()
