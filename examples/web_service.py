"""A web service (aiohttp.web) that calls another one with railhttp, wired by svcs.

    python examples/web_service.py

The handlers resolve the client by its type; the module creates, starts and stops it. In tests the
same application runs on `HTTPModule.stub()`.
"""

from collections.abc import AsyncIterator
from typing import assert_never

import svcs
import svcs.aiohttp
from aiohttp import web
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
from railhttp.integrations.svcs import application

STOCK = "https://stock.example"


@module(imports=[HTTPModule.configure(HTTPClientConfig(timeout=5, total=True))])
class AppModule(Module):
    """The modules of this service."""


async def stock(request: web.Request) -> web.Response:
    """Return the stock of an article, or an error that describes the failure."""
    client = await svcs.aiohttp.aget(request, HTTPClient)
    article = request.match_info["article"]
    match unwrap_or_failure(await client.get(f"{STOCK}/articles/{article}")):
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
    """Return the health of the client."""
    provider = await svcs.aiohttp.aget(request, HTTPProvider)
    result = await provider.health_check()
    return web.json_response(
        {"component": result.component, "status": result.status, "message": result.message},
        status=200 if result.is_healthy else 503,
    )


def make_app(root: ModuleImport = AppModule) -> web.Application:
    """Build the web application.

    Args:
        root: The module to build from; tests pass another one.
    """
    registry = svcs.Registry()
    app = svcs.aiohttp.init_app(web.Application(), registry=registry)

    async def run(_: web.Application) -> AsyncIterator[None]:
        async with application(root, registry=registry):
            yield

    app.cleanup_ctx.append(run)
    app.add_routes([web.get("/stock/{article}", stock), web.get("/health", health)])
    return app


if __name__ == "__main__":
    web.run_app(make_app(), host="127.0.0.1", port=8080)
