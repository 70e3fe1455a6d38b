"""The server of the tour: normal, flaky, slow and broken routes on a free loopback port."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web

OUTAGE = 2  # number of errors before /flaky and /failing recover

routes = web.RouteTableDef()
seen = web.AppKey("seen", list[str])
failures = web.AppKey("failures", list[str])


@routes.get("/users/{id}")
async def user(request: web.Request) -> web.Response:
    """Return a user as JSON, or 404 for an id above 100."""
    number = int(request.match_info["id"])
    if number > 100:
        return web.json_response({"title": "no such user"}, status=404)
    return web.json_response({"id": number, "name": "Ann"})


@routes.get("/flaky")
async def flaky(request: web.Request) -> web.Response:
    """Return 503 for the first two requests."""
    request.app[seen].append(request.path)
    return web.Response(status=503 if len(request.app[seen]) <= OUTAGE else 200)


@routes.get("/slow")
async def slow(request: web.Request) -> web.Response:
    """Respond after 30 seconds."""
    await asyncio.sleep(30)
    return web.Response()


@routes.route("*", "/reset")
async def reset(request: web.Request) -> web.Response:
    """Reset the connection instead of responding."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@routes.get("/moved")
async def moved(request: web.Request) -> web.Response:
    """Redirect to a user."""
    return web.Response(status=302, headers={"Location": "/users/7"})


@routes.post("/upload")
async def upload(request: web.Request) -> web.Response:
    """Return the title and the size of an uploaded report."""
    form = await request.post()
    report = form["report"]
    size = len(report.file.read()) if isinstance(report, web.FileField) else 0
    return web.json_response({"title": form["title"], "bytes": size})


@routes.get("/lines")
async def lines(request: web.Request) -> web.StreamResponse:
    """Stream newline-delimited JSON."""
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    for number in range(3):
        await response.write(b'{"n": %d}\n' % number)
    return response


@routes.get("/broken")
async def broken(request: web.Request) -> web.StreamResponse:
    """Send a body that breaks off."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"only this")
    if request.transport is not None:
        request.transport.abort()
    return response


@routes.get("/events")
async def events(request: web.Request) -> web.StreamResponse:
    """Send four events, two per connection."""
    first = int(request.headers.get("Last-Event-ID", "0")) + 1
    if first > 4:
        return web.Response(status=204)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for number in (first, first + 1):
        await response.write(b"retry: 1\nid: %d\ndata: event %d\n\n" % (number, number))
    return response


@routes.get("/file")
async def file(request: web.Request) -> web.Response:
    """Send a file with an ETag."""
    return web.Response(body=bytes(100_000), headers={"ETag": '"1"'})


@routes.get("/failing")
async def failing(request: web.Request) -> web.Response:
    """Return 500 for the first two requests."""
    request.app[failures].append(request.path)
    return web.Response(status=500 if len(request.app[failures]) <= OUTAGE else 200)


@asynccontextmanager
async def tour_server() -> AsyncGenerator[str, None]:
    """Run the server for the duration of a block, and yield its base URL."""
    app = web.Application()
    app[seen] = []
    app[failures] = []
    app.add_routes(routes)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()
