"""Modules: imports, the order of booting, and shutdown whatever fails."""

from collections.abc import Callable

import pytest

from railhttp.di import DynamicModule, HealthCheckResult, Module, module, running
from railhttp.di.modules import ProviderFactory, ProviderProtocol
from railhttp.protocols import ContainerRegistrarProtocol, ContainerResolverProtocol


class Nothing:
    """A container without bindings."""

    def singleton(self, interface: type[object], factory: Callable[[], object]) -> None:
        raise AssertionError("nothing is bound here")

    async def resolve(self, interface: type[object]) -> None:
        return None


class Part:
    """A provider that logs its calls, and may fail in one of them."""

    def __init__(self, name: str, log: list[str], fails: str = "") -> None:
        self.name = name
        self.log = log
        self.fails = fails

    async def register(self, container: ContainerRegistrarProtocol) -> None:
        self._do("register")

    async def boot(self, container: ContainerResolverProtocol) -> None:
        self._do("boot")

    async def shutdown(self) -> None:
        self._do("shutdown")

    def _do(self, what: str) -> None:
        self.log.append(f"{what} {self.name}")
        if self.fails == what:
            raise RuntimeError(f"{what} {self.name} failed")


def part(name: str, log: list[str], fails: str = "") -> ProviderFactory:
    return lambda: Part(name, log, fails)


def application(log: list[str], fails: str = "") -> type[Module]:
    """Return an application of three modules, of which the second may fail."""

    @module(providers=[part("a", log)])
    class First(Module): ...

    @module(imports=[First], providers=[part("b", log, fails)])
    class Second(Module): ...

    @module(imports=[Second, First], providers=[part("c", log)])
    class App(Module): ...

    return App


async def run(root: type[Module] | DynamicModule, log: list[str]) -> None:
    container = Nothing()
    async with running(root, container, container):
        log.append("running")


REGISTERED = ["register a", "register b", "register c"]


@pytest.mark.parametrize(
    ("fails", "log"),
    [
        (
            "",
            [
                *REGISTERED,
                *("boot a", "boot b", "boot c", "running"),
                *("shutdown c", "shutdown b", "shutdown a"),
            ],
        ),
        ("register", ["register a", "register b"]),
        ("boot", [*REGISTERED, "boot a", "boot b", "shutdown b", "shutdown a"]),
        (
            "shutdown",
            [
                *REGISTERED,
                *("boot a", "boot b", "boot c", "running"),
                *("shutdown c", "shutdown b", "shutdown a"),
            ],
        ),
    ],
)
async def test_what_began_to_boot_is_shut_down_in_reverse(fails: str, log: list[str]) -> None:
    seen: list[str] = []
    if fails:
        with pytest.raises(RuntimeError, match=f"{fails} b failed"):
            await run(application(seen, fails), seen)
    else:
        await run(application(seen), seen)
    assert seen == log


async def test_an_error_inside_the_application_shuts_it_down_and_passes() -> None:
    seen: list[str] = []
    container = Nothing()
    with pytest.raises(KeyError):
        async with running(application(seen), container, container):
            raise KeyError
    assert seen[-3:] == ["shutdown c", "shutdown b", "shutdown a"]


async def test_each_application_has_providers_of_its_own() -> None:
    root = application([])
    container = Nothing()
    async with running(root, container, container) as first:
        pass
    async with running(root, container, container) as second:
        pass
    assert not set(first) & set(second)


async def test_modules_that_import_each_other_count_once() -> None:
    seen: list[str] = []

    @module(providers=[part("a", seen)])
    class First(Module): ...

    @module(imports=[First], providers=[part("b", seen)])
    class Second(Module): ...

    First.imports = (Second,)
    await run(First, seen)
    assert seen[:2] == ["register b", "register a"]


async def test_two_dynamic_modules_of_one_class_are_two() -> None:
    seen: list[str] = []
    first = DynamicModule(Module, (part("a", seen),))
    second = DynamicModule(Module, (part("b", seen),), imports=(first,))
    await run(second, seen)
    assert seen[:2] == ["register a", "register b"]


def test_a_part_is_a_provider() -> None:
    assert isinstance(Part("a", []), ProviderProtocol)


@pytest.mark.parametrize(("status", "healthy"), [("healthy", True), ("unhealthy", False)])
def test_a_health_check_is_healthy_or_not(status: str, healthy: bool) -> None:
    result = HealthCheckResult("http", status)  # type: ignore[arg-type]  # a row of a table
    assert result.is_healthy is healthy
