"""A client reports the outages of its shared stores, from its start to its stop."""

from railhttp import CircuitBreaker, HTTPClient, HTTPClientConfig
from railhttp.events import HTTPEvent, StoreDownEvent
from railhttp.model.events import StoreEvent
from railhttp.pipeline.policies.store import MemoryStore, StoreListener
from railhttp.policy.breaker_states import BreakerState

DOWN = StoreDownEvent(store="shop", problem="ConnectionError", when_down="local")


class Server:
    """Stands for the server of a shared store."""

    def __init__(self, name: str = "shop", *, outage: StoreEvent | None = None) -> None:
        self.name = name
        self.up = outage is None
        self.outage = outage
        self.listeners: set[StoreListener] = set()

    def goes_down(self) -> None:
        for listener in self.listeners:
            listener(DOWN)


class SharedStore(MemoryStore[BreakerState]):
    """A store with a server."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server = server


def breaker_of(server: Server) -> CircuitBreaker:
    return CircuitBreaker(store=SharedStore(server))


async def test_an_outage_is_reported_once_while_the_client_is_started() -> None:
    server, events = Server(), list[HTTPEvent]()
    client = HTTPClient(
        HTTPClientConfig(), circuit_breaker=breaker_of(server), observers=[events.append]
    )
    for times in (1, 2):  # a client may be started again
        server.goes_down()
        await client.start()
        await client.start()
        server.goes_down()
        await client.stop()
        server.goes_down()
        assert events == [DOWN] * times
    assert server.listeners == set()


async def test_an_outage_that_lasts_is_reported_when_the_client_starts() -> None:
    events = list[HTTPEvent]()
    breaker = breaker_of(Server(outage=DOWN))
    async with HTTPClient(circuit_breaker=breaker, observers=[events.append]) as client:
        assert events == [DOWN]
        assert client.gauges.stores == {"shop": False}


async def test_a_store_of_a_derived_client_is_watched_too_and_one_that_is_shared_once() -> None:
    server, other, events = Server(), Server("other", outage=DOWN), list[HTTPEvent]()
    breaker = breaker_of(server)
    async with HTTPClient(circuit_breaker=breaker, observers=[events.append]) as client:
        client.with_options(circuit_breaker=breaker)
        client.with_options(circuit_breaker=breaker_of(other))
        assert events == [DOWN]
        server.goes_down()
        assert events == [DOWN, DOWN]
        assert client.gauges.stores == {"shop": True, "other": False}


def test_a_store_of_several_servers_is_up_if_all_of_them_are() -> None:
    for first, second in ((DOWN, None), (None, DOWN)):
        client = HTTPClient(circuit_breaker=breaker_of(Server(outage=first)))
        client.with_options(circuit_breaker=breaker_of(Server(outage=second)))
        assert client.gauges.stores == {"shop": False}
