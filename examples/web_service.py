"""A web service (aiohttp.web) that calls another one with railhttp, wired by svcs.

    python examples/web_service.py            # the service at work: calls, an outage, the metrics
    python examples/web_service.py --serve    # until Ctrl-C

Both need no network: the stock that the service calls runs in the same process, on a free port. The
handlers resolve the client by its type; the module creates, starts and stops it. In tests the same
application runs on `HTTPModule.stub()`.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import assert_never

import svcs
import svcs.aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from returns.methods import unwrap_or_failure

from railhttp import (
    HTTPCircuitOpenError,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.di import HTTPModule, HTTPProvider, Module, ModuleImport, module
from railhttp.integrations.prometheus import PrometheusRecorder
from railhttp.integrations.svcs import application
from railhttp.protocols import (
    CircuitBreakerRegistryProtocol,
    ContainerRegistrarProtocol,
    ContainerResolverProtocol,
    MetricsRecorderProtocol,
)
from railhttp.resilience import BreakerRule, CircuitBreakerRegistry, RetryPolicy

STOCK = "https://stock.example"
STOCK_URL = web.AppKey("STOCK_URL", str)


class Monitoring:
    """Provides the circuit breaker of the client, and the metrics for Prometheus."""

    async def register(self, container: ContainerRegistrarProtocol) -> None:
        """Bind what the HTTP client looks for, and the registry that is scraped."""
        registry = CollectorRegistry()
        recorder = PrometheusRecorder(registry=registry)
        breakers = CircuitBreakerRegistry(BreakerRule(failure_threshold=3, recovery_timeout=0.5))
        container.singleton(CollectorRegistry, lambda: registry)
        container.singleton(MetricsRecorderProtocol, lambda: recorder)
        container.singleton(CircuitBreakerRegistryProtocol, lambda: breakers)

    async def boot(self, container: ContainerResolverProtocol) -> None:
        """Do nothing."""

    async def shutdown(self) -> None:
        """Do nothing."""


@module(
    imports=[HTTPModule.configure(HTTPClientConfig(timeout=5, total=True))], providers=[Monitoring]
)
class AppModule(Module):
    """The modules of this service."""


async def stock(request: web.Request) -> web.Response:
    """Return the stock of an article, or an error that describes the failure."""
    client = await svcs.aiohttp.aget(request, HTTPClient)
    url = f"{request.app[STOCK_URL]}/articles/{request.match_info['article']}"
    match unwrap_or_failure(await client.get(url, url_template="/articles/{article}")):
        case HttpResponse() as response:
            return web.Response(body=response.body, content_type=response.content_type)
        case HTTPStatusError(404):
            raise web.HTTPNotFound(text="no such article")
        case HTTPTimeoutError() | HTTPCircuitOpenError():
            raise web.HTTPServiceUnavailable(text="the stock is busy")
        case HTTPStatusError() | HTTPConnectionError() | HTTPRetryExhaustedError():
            raise web.HTTPBadGateway(text="the stock is down")
        case HTTPDecodeError() | HTTPResponseTooLargeError():
            raise web.HTTPBadGateway(text="the stock makes no sense")
        case HTTPInvalidRequestError() | HTTPInterceptorError() as failure:
            raise web.HTTPInternalServerError(text=failure.message)
        case unreachable:
            assert_never(unreachable)


async def health(request: web.Request) -> web.Response:
    """Return the health of the client, with the state of its circuits."""
    provider = await svcs.aiohttp.aget(request, HTTPProvider)
    result = await provider.health_check()
    health = {"component": result.component, "status": result.status, "message": result.message}
    circuits = dict(provider.client.gauges.breakers)
    return web.json_response(
        health | {"circuits": circuits}, status=200 if result.is_healthy else 503
    )


async def metrics(request: web.Request) -> web.Response:
    """Return the metrics of the client, for Prometheus."""
    registry = await svcs.aiohttp.aget(request, CollectorRegistry)
    return web.Response(body=generate_latest(registry), content_type="text/plain")


def make_app(root: ModuleImport = AppModule, stock_url: str = STOCK) -> web.Application:
    """Build the web application.

    Args:
        root: The module to build from; tests pass another one.
        stock_url: The URL of the stock.
    """
    registry = svcs.Registry()
    app = svcs.aiohttp.init_app(web.Application(), registry=registry)
    app[STOCK_URL] = stock_url

    async def run(_: web.Application) -> AsyncIterator[None]:
        async with application(root, registry=registry):
            yield

    app.cleanup_ctx.append(run)
    app.add_routes([web.get("/stock/{article}", stock), web.get("/health", health)])
    app.add_routes([web.get("/metrics", metrics)])
    return app


class Stock:
    """The service that is called: it knows one article, and can fail."""

    def __init__(self) -> None:
        self.is_down = False

    async def article(self, request: web.Request) -> web.Response:
        """Return an article."""
        if self.is_down:
            raise web.HTTPServiceUnavailable
        return web.json_response({"article": request.match_info["article"], "count": 3})

    def make_app(self) -> web.Application:
        """Build its web application."""
        app = web.Application()
        app.add_routes([web.get("/articles/{article}", self.article)])
        return app


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """Serve an application on a free port of this machine; yield its URL."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def show(client: HTTPClient, url: str) -> None:
    """Make a call to the service and print the response."""
    response = await client.request("GET", url)
    path = url[url.index("/", len("http://")) :]
    print(f"GET {path} -> {response.status} {response.text.strip()}")


async def demonstrate(service: str, stock_service: Stock) -> None:
    """Show the service in good days, in an outage and after it."""
    async with HTTPClient(
        HTTPClientConfig(trust_env=False), retry_policy=RetryPolicy(1)
    ) as browser:
        await show(browser, f"{service}/stock/7")
        await show(browser, f"{service}/health")
        print("\nthe stock fails:")
        stock_service.is_down = True
        await browser.get(f"{service}/stock/7")
        await show(browser, f"{service}/stock/7")
        await show(browser, f"{service}/health")
        print("\nthe stock works again:")
        stock_service.is_down = False
        await asyncio.sleep(1)
        await show(browser, f"{service}/stock/7")
        await show(browser, f"{service}/health")
        print("\nGET /metrics, some of it:")
        scraped = (await browser.request("GET", f"{service}/metrics")).text.splitlines()
        shown = ("railhttp_request_status", "railhttp_circuit", "railhttp_pool")
        lines = [line for line in scraped if line.startswith(shown) and "_created" not in line]
        print(*lines, sep="\n")


async def main(*, serve: bool) -> None:
    """Run the stock and the service."""
    upstream = Stock()
    async with (
        serving(upstream.make_app()) as stock_url,
        serving(make_app(AppModule, stock_url)) as service,
    ):
        print(f"the service: {service}/stock/7 and /health and /metrics\n", flush=True)
        if serve:
            await asyncio.Event().wait()
        await demonstrate(service, upstream)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main(serve="--serve" in sys.argv[1:]))
