"""The server of the tour: well-behaved, flaky, slow and rude routes on a free loopback port."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web

OUTAGE = 2  # how many times /flaky answers 503 before it recovers

routes = web.RouteTableDef()
seen = web.AppKey("seen", list[str])
failures = web.AppKey("failures", list[str])


@routes.get("/users/{id}")
async def user(request: web.Request) -> web.Response:
    """A JSON document; of users above 100 there are none."""
    number = int(request.match_info["id"])
    if number > 100:
        return web.json_response({"title": "no such user"}, status=404)
    return web.json_response({"id": number, "name": "Ann"})


@routes.get("/flaky")
async def flaky(request: web.Request) -> web.Response:
    """Unavailable at first."""
    request.app[seen].append(request.path)
    return web.Response(status=503 if len(request.app[seen]) <= OUTAGE else 200)


@routes.get("/slow")
async def slow(request: web.Request) -> web.Response:
    """An answer that nobody waits for."""
    await asyncio.sleep(30)
    return web.Response()


@routes.route("*", "/reset")
async def reset(request: web.Request) -> web.Response:
    """The connection is reset in place of an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@routes.get("/moved")
async def moved(request: web.Request) -> web.Response:
    """A redirect."""
    return web.Response(status=302, headers={"Location": "/users/7"})


@routes.post("/upload")
async def upload(request: web.Request) -> web.Response:
    """A multipart form, measured."""
    form = await request.post()
    report = form["report"]
    size = len(report.file.read()) if isinstance(report, web.FileField) else 0
    return web.json_response({"title": form["title"], "bytes": size})


@routes.get("/lines")
async def lines(request: web.Request) -> web.StreamResponse:
    """Newline-delimited JSON, piece by piece."""
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    for number in range(3):
        await response.write(b'{"n": %d}\n' % number)
    return response


@routes.get("/broken")
async def broken(request: web.Request) -> web.StreamResponse:
    """A body that breaks off."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"only this")
    if request.transport is not None:
        request.transport.abort()
    return response


@routes.get("/events")
async def events(request: web.Request) -> web.StreamResponse:
    """Four events; the connection is lost after each second one."""
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
    """A file with a version."""
    return web.Response(body=bytes(100_000), headers={"ETag": '"1"'})


@routes.get("/failing")
async def failing(request: web.Request) -> web.Response:
    """A server error at the first two requests."""
    request.app[failures].append(request.path)
    return web.Response(status=500 if len(request.app[failures]) <= OUTAGE else 200)


@asynccontextmanager
async def tour_server() -> AsyncGenerator[str, None]:
    """Run the server for the length of a block, and give its base URL."""
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
