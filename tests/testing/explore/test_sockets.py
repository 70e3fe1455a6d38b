"""The same schedules on a real socket: injected and real failures agree."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import pytest
from aiohttp import web
from tests.servers.listener import LOOPBACK

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HTTPClientError,
    HttpResponse,
    RequestOptions,
    RetryPolicy,
)
from railhttp.headers import freeze_headers
from railhttp.testing import ScriptedTransport, SentRequest
from railhttp.testing.explore import Fault, Schedule, faults, replay

BODY: Final = b'{"id": 7, "name": "a table that is long enough to be cut in half"}'
JSON: Final = {"Content-Type": "application/json"}


@dataclass
class Shop:
    """A real server that counts the orders that it got.

    Attributes:
        url: The URL of its root.
        orders: The bodies of the orders.
    """

    url: str = ""
    orders: list[bytes] = field(default_factory=list)

    async def order(self, request: web.Request) -> web.Response:
        self.orders.append(await request.read())
        return web.Response(body=BODY, headers=JSON)


@asynccontextmanager
async def shop() -> AsyncIterator[Shop]:
    opened = Shop()
    app = web.Application()
    app.add_routes([web.post("/orders", opened.order), web.get("/orders", opened.order)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        opened.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
        yield opened
    finally:
        await runner.cleanup()


class ScriptedShop(ScriptedTransport):
    def __init__(self) -> None:
        super().__init__()
        self.orders: list[bytes] = []
        self.on("POST", "/orders").does(self.order)

    def order(self, sent: SentRequest) -> HttpResponse:
        self.orders.append(sent.body)
        return HttpResponse(200, freeze_headers(JSON), BODY)


async def outcome(client: HTTPClient, url: str, options: RequestOptions) -> str:
    """Order something, and return the response or failure in words."""
    try:
        response = await client.request("POST", f"{url}/orders", **options)
    except HTTPClientError as failure:
        kind = type(failure).__name__
        return f"{kind} {failure.label}, {failure.delivery.value}, attempts {failure.attempts}"
    return f"{response.status} {response.content_type} {response.body!r}"


def options_of(fault: Fault) -> RequestOptions:
    """An order, with the limit that ends a silence: a silence has the phase of its limit."""
    if fault.name == "timeout read":
        return {"json": ["table"], "read_timeout": 0.05}
    return {"json": ["table"], "timeout": 0.1 if fault.name == "timeout total" else 5}


@pytest.mark.parametrize("fault", faults.on_sockets() | faults.statuses(402, 409, 418), ids=str)
async def test_injected_and_real_failures_agree(fault: Fault) -> None:
    schedule = Schedule({"POST /orders": fault})
    options = options_of(fault)
    async with (
        shop() as real,
        faults.play(real, schedule) as front,
        HTTPClient(retry_policy=RetryPolicy(1)) as client,
    ):
        on_socket = await outcome(client, front.url, options)
    worlds: list[ScriptedShop] = []

    def world() -> ScriptedShop:
        worlds.append(ScriptedShop())
        return worlds[-1]

    injected = await replay(
        lambda one: outcome(one, "http://shop.example", options),
        world,
        None,
        schedule,
        client=lambda exchange, clock: HTTPClient(
            exchange=exchange, clock=clock, retry_policy=RetryPolicy(1)
        ),
    )
    assert on_socket == injected
    assert real.orders == worlds[-1].orders
    assert bool(real.orders) is fault.acted


async def test_what_does_not_fail_is_passed_on() -> None:
    async with shop() as real, faults.play(real.url) as front, HTTPClient() as client:
        for body in (b"x" * 100_000, [b"in ", b"pieces"]):
            response = await client.request("POST", f"{front.url}/orders?a=b", data=body)
            assert (response.status, response.body) == (200, BODY)
        missing = await client.request("GET", f"{front.url}/nothing")
        assert missing.status == 404
    assert real.orders == [b"x" * 100_000, b"in pieces"]


async def test_a_client_that_asks_whether_to_go_on_is_told_so() -> None:
    async with shop() as real, faults.play(real) as front:
        host, _, port = front.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /orders HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n")
        writer.write(b"Content-Length: 1\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        writer.write(b"y")
        assert b"HTTP/1.1 200 OK" in await reader.read()
        writer.close()
    assert real.orders == [b"y"]


@pytest.mark.parametrize(
    ("schedule", "body"),
    [
        ("GET /other: 503", BODY),
        ("GET /orders: truncated, acted", BODY[: len(BODY) // 2]),
        ("GET /orders: decode, acted", b"not gzip"),
    ],
)
async def test_a_response_keeps_its_fields_but_for_those_of_its_connection(
    schedule: str, body: bytes
) -> None:
    async with shop() as real, faults.play(real, Schedule.parse(schedule)) as front:
        host, _, port = front.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /orders HTTP/1.1\r\nHost: h\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        names = [line.partition(":")[0].lower() for line in head.decode().split("\r\n")[1:-2]]
        coding = ["content-encoding"] if "decode" in schedule else []
        usual = ["content-type", "date", "server", "connection", "content-length", *coding]
        assert sorted(names) == sorted(usual)
        assert await reader.read() == body
        writer.close()


async def test_a_fault_that_happens_once_is_healed_by_a_retry() -> None:
    async with shop() as real, faults.play(real) as front, HTTPClient() as client:
        front.schedule = Schedule.parse("GET /orders: disconnected, acted, once")
        response = await client.request("GET", f"{front.url}/orders")
        assert (response.status, response.attempts, len(real.orders)) == (200, 2, 2)
        front.schedule = Schedule.parse("GET /orders: disconnected")
        failure = (await client.get(f"{front.url}/orders")).failure()
        assert (failure.attempts, len(real.orders)) == (3, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("GET /: dns", "a socket cannot show 'dns'; see faults.on_sockets()"),
        ("GET /: circuit open", "a socket cannot show 'circuit open'"),
        ("GET / #2: 503", "on a socket 'GET / #2' looks like a second attempt"),
    ],
)
def test_what_a_socket_cannot_show_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="schedule: ") as caught:
        faults.play("http://127.0.0.1:1", Schedule.parse(text))
    assert message in str(caught.value)


@pytest.mark.parametrize("url", ["https://127.0.0.1:1", "127.0.0.1:80"])
def test_a_server_is_at_an_http_url(url: str) -> None:
    with pytest.raises(ValueError, match="server: must be at an http:// URL"):
        faults.play(url)


def test_a_front_has_a_url_once_it_is_started() -> None:
    with pytest.raises(RuntimeError, match="start it first"):
        _ = faults.play("http://127.0.0.1:1").url


async def test_a_client_that_waits_is_let_go_at_the_end() -> None:
    config = HTTPClientConfig(timeout=5)
    schedule = Schedule.parse("POST /orders: timeout total")
    async with shop() as real, HTTPClient(config, retry_policy=RetryPolicy(1)) as client:
        async with faults.play(real, schedule) as front:
            url = f"{front.url}/orders"
            asked = asyncio.ensure_future(client.post(url))
            await asyncio.sleep(0.05)
        assert (await asked).failure().label == "disconnected"
