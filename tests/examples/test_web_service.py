"""The web service of the examples, over a scripted stock and on a real socket."""

import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from tests.servers.listener import LOOPBACK

import web_service
from railhttp import HTTPClient, HttpResponse, HTTPTimeoutError
from railhttp.di import HTTPModule, ModuleImport
from railhttp.testing import ScriptedRoute, ScriptedTransport
from web_service import AppModule, make_app


@asynccontextmanager
async def serving(root: ModuleImport) -> AsyncIterator[str]:
    runner = web.AppRunner(make_app(root), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    try:
        yield f"http://{LOOPBACK}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def ask(root: ModuleImport, path: str) -> HttpResponse:
    async with serving(root) as url, HTTPClient() as client:
        return await client.request("GET", f"{url}{path}")


@pytest.mark.parametrize(
    ("script", "status", "text"),
    [
        (lambda route: route.reply(json={"count": 3}), 200, '{"count":3}'),
        (lambda route: route.reply(404), 404, "no such article"),
        (lambda route: route.reply(500), 502, "the stock is down"),
        (lambda route: route.fail(ConnectionResetError()), 502, "the stock is down"),
        (lambda route: route.fail(HTTPTimeoutError(phase="read")), 503, "the stock is busy"),
    ],
)
async def test_what_the_stock_says_decides_what_the_service_says(
    script: Callable[[ScriptedRoute], object], status: int, text: str
) -> None:
    transport = ScriptedTransport()
    script(transport.on("GET", "https://stock.example/articles/7"))
    response = await ask(HTTPModule.stub(script=transport), "/stock/7")
    assert (response.status, response.text) == (status, text)


async def test_the_health_page_of_the_real_application() -> None:
    response = await ask(AppModule, "/health")
    assert response.json() == {
        "component": "http",
        "status": "healthy",
        "message": "",
        "circuits": {"http": "closed"},
    }


def test_the_program_shows_health_metrics_and_a_breaker_that_opens() -> None:
    program = [sys.executable, web_service.__file__]
    done = subprocess.run(program, check=True, capture_output=True, text=True, timeout=120)
    shown = done.stdout
    assert re.findall(r'"circuits": {"http": "(\w+)"}', shown) == ["closed", "open", "closed"]
    assert (
        'railhttp_circuit_changes_total{after="open",before="closed",circuit="http"} 1.0' in shown
    )
    assert 'railhttp_pool_limit{client=""} 10.0' in shown
    assert done.stderr == ""
