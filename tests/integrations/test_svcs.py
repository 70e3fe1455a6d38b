"""Types in svcs: all containers share one object, and only its provider ends it."""

import svcs

from railhttp.di import Module, module
from railhttp.integrations.svcs import SvcsRegistrar, SvcsResolver, application


class Entered:
    """A context manager that notes what is done with it."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        self.log: list[str] = []

    def __enter__(self) -> "Entered":
        self.log.append("enter")
        return self

    def __exit__(self, *_: object) -> None:
        self.log.append("exit")


def test_a_singleton_is_made_once_and_no_container_enters_or_ends_it() -> None:
    registry = svcs.Registry()
    before = Entered.made
    SvcsRegistrar(registry).singleton(Entered, Entered)
    assert Entered.made == before, "it is made when it is needed"
    with svcs.Container(registry) as one, svcs.Container(registry) as other:
        entered = one.get(Entered)
        assert other.get(Entered) is entered
    assert (Entered.made, entered.log) == (before + 1, [])
    registry.close()


async def test_a_type_that_is_not_bound_resolves_to_none() -> None:
    registry = svcs.Registry()
    SvcsRegistrar(registry).singleton(int, lambda: 7)
    async with svcs.Container(registry) as container:
        resolver = SvcsResolver(container)
        assert await resolver.resolve(int) == 7
        assert await resolver.resolve(str) is None
    await registry.aclose()


@module()
class Empty(Module): ...


async def test_an_application_closes_its_own_registry_and_no_other() -> None:
    closed: list[str] = []
    async with application(Empty) as container:
        container.registry.register_value(
            str, "own", on_registry_close=lambda: closed.append("own")
        )
        assert await container.aget(str) == "own"
        assert closed == []
    assert closed == ["own"]
    registry = svcs.Registry()
    registry.register_value(str, "given", on_registry_close=lambda: closed.append("given"))
    async with application(Empty, registry=registry) as container:
        assert container.registry is registry
        assert await container.aget(str) == "given"
    assert closed == ["own"]
    await registry.aclose()
    assert closed == ["own", "given"]
