"""The phases of an exchange, timed on real sockets where an instrument asks for them."""

import asyncio
import ssl
from dataclasses import dataclass, field

import pytest
from tests.servers.faults import FaultServer
from tests.servers.proxy import ProxyServer
from tests.servers.tls import TlsContexts

from railhttp import ConnectionPoolConfig, HTTPClient, HTTPClientConfig, HttpResponse
from railhttp.events import RequestFinished, RequestStarted, Timings


@dataclass
class Timing:
    """An instrument that asks for timings."""

    asks_for_timings: bool = True
    attempts: list[Timings] = field(default_factory=list)
    bodies: list[Timings] = field(default_factory=list)

    def call_started(self, call: RequestStarted) -> None:
        pass

    def attempt_started(self, attempt: RequestStarted) -> "Timing":
        return self

    def ended(self, finished: RequestFinished) -> None:
        self.attempts.append(finished.timings)

    def body_ended(self, finished: RequestFinished) -> None:
        self.bodies.append(finished.timings)


def client_of(
    instrument: Timing, *, context: ssl.SSLContext | None = None, proxy: str | None = None
) -> HTTPClient:
    pool = ConnectionPoolConfig(max_connections=1, ssl_context=context)
    config = HTTPClientConfig(pool, trust_env=False, proxy=proxy)
    return HTTPClient(config, instruments=[instrument])


async def test_a_first_request_has_the_phases_of_its_connection(faults: FaultServer) -> None:
    async with client_of(Timing()) as client:
        first = await client.request("GET", faults.url(host="localhost"))
        second = await client.request("GET", faults.url(host="localhost"))
    assert list(first.timings.timed()) == ["dns", "tcp", "send", "wait", "body"]
    assert list(second.timings.timed()) == ["send", "wait", "body"]
    assert all(0 <= seconds < 60 for seconds in first.timings.timed().values())


async def test_an_address_needs_no_name(faults: FaultServer) -> None:
    async with client_of(Timing()) as client:
        response = await client.request("GET", faults.url())
    assert response.timings.dns is None


async def test_tls_is_a_phase(tls: TlsContexts) -> None:
    async with (
        FaultServer(ssl_context=tls.trusted) as server,
        client_of(Timing(), context=tls.client) as client,
    ):
        response = await client.request("GET", server.url())
    assert list(response.timings.timed()) == ["tcp", "tls", "send", "wait", "body"]


async def test_tls_through_a_tunnel_is_a_phase(tls: TlsContexts, proxy: ProxyServer) -> None:
    async with (
        FaultServer(ssl_context=tls.trusted) as server,
        client_of(Timing(), context=tls.client, proxy=proxy.url("")) as client,
    ):
        response = await client.request("GET", server.url())
    assert list(response.timings.timed()) == ["tcp", "tls", "send", "wait", "body"]


async def test_a_full_pool_is_the_phase_queue(faults: FaultServer) -> None:
    async with client_of(Timing()) as client:
        slow = faults.url("/slow-head", seconds=0.5)
        first, second = await asyncio.gather(*(client.request("GET", slow) for _ in range(2)))
    assert first.timings.queue is None
    assert second.timings.queue is not None
    assert second.timings.queue >= 0.04
    assert (first.timings.wait or 0) >= 0.04


async def test_an_upload_is_the_phase_send(faults: FaultServer) -> None:
    async with client_of(Timing()) as client:
        response = await client.request("POST", faults.url(), data=bytes(2_000_000))
    assert response.timings.send is not None
    assert response.timings.send > 0


async def test_the_wait_for_a_head_is_no_part_of_the_upload_before_it(faults: FaultServer) -> None:
    async with client_of(Timing()) as client:
        slow = faults.url("/slow-head", seconds=1.0)
        response = await client.request("POST", slow, data=bytes(2_000_000))
    assert (response.timings.wait or 0) > 0.2  # most of the second, however busy the machine is


async def test_the_phases_of_a_failure_are_those_that_began(faults: FaultServer) -> None:
    instrument = Timing()
    async with client_of(instrument) as client:
        await client.post("http://127.0.0.1:1/")
    assert [list(timings.timed()) for timings in instrument.attempts] == [["tcp"]] * 3


async def test_a_stream_has_its_body_at_its_end(faults: FaultServer) -> None:
    instrument = Timing()
    async with client_of(instrument) as client, client.stream("GET", faults.url()) as stream:
        assert list(stream.head.timings.timed()) == ["tcp", "send", "wait"]
        async for _ in stream:
            pass
    [timings] = instrument.bodies
    assert list(timings.timed()) == ["tcp", "send", "wait", "body"]


@pytest.mark.parametrize("instruments", [[], [Timing(asks_for_timings=False)]])
async def test_without_an_instrument_that_asks_nothing_is_timed(
    faults: FaultServer, instruments: list[Timing]
) -> None:
    async with HTTPClient(instruments=instruments) as client:
        response = await client.request("GET", faults.url())
    assert response.timings == Timings()


def test_timings_survive_copies_and_are_no_part_of_a_comparison() -> None:
    response = HttpResponse(200, timings=Timings(wait=0.5))
    assert response.redacted().timings.wait == 0.5
    assert response == HttpResponse(200)


async def test_one_instrument_of_several_that_asks_for_timings_is_enough(
    faults: FaultServer,
) -> None:
    asking, others = Timing(), [Timing(asks_for_timings=False) for _ in range(2)]
    config = HTTPClientConfig(trust_env=False)
    async with HTTPClient(config, instruments=[others[0], asking, others[1]]) as client:
        response = await client.request("GET", faults.url())
    assert response.timings.wait is not None
    assert asking.attempts[0].wait is not None
