"""A test world for the service: the three APIs on a free loopback port."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler

ITEMS = {"tea": (450, 5), "moon rock": (9_000_000, 1)}  # cents, left
USERS = {1: {"id": 1, "name": "Ann"}, 2: {"id": 2, "name": "Bob", "blocked": True}}
CREDIT = 100_000  # cents


@dataclass
class World:
    """The state of the APIs, and their faults.

    Attributes:
        url: Their base URL.
        reservations: Quantities by order.
        payments: Cents by order.
        faults: Error statuses by method and API. If the key ends in `!`, the request is carried
            out before the error is returned.
    """

    url: str = ""
    reservations: dict[str, int] = field(default_factory=dict)
    payments: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)

    async def user(self, request: web.Request) -> web.Response:
        """Return a user, or 404."""
        user_id = int(request.match_info["id"])
        if user_id not in USERS:
            return web.json_response({"user_id": user_id}, status=404)
        return web.json_response(USERS[user_id])

    async def item(self, request: web.Request) -> web.Response:
        """Return an item, or 404."""
        name = request.match_info["name"]
        if name not in ITEMS:
            return web.json_response({"item": name}, status=404)
        cents, left = ITEMS[name]
        return web.json_response({"name": name, "cents": cents, "left": left})

    async def reserve(self, request: web.Request) -> web.Response:
        """Reserve items, once per order."""
        self.reservations[request.match_info["order"]] = (await request.json())["quantity"]
        return web.Response(status=201)

    async def release(self, request: web.Request) -> web.Response:
        """Release a reservation."""
        self.reservations.pop(request.match_info["order"], None)
        return web.Response(status=204)

    async def charge(self, request: web.Request) -> web.Response:
        """Charge a user, or decline with problem details (RFC 9457)."""
        cents = (await request.json())["cents"]
        if cents > CREDIT:
            body, kind = '{"title": "not enough credit"}', "application/problem+json"
            return web.Response(status=402, text=body, content_type=kind)
        self.payments[request.match_info["order"]] = cents
        return web.json_response({"id": f"payment of {request.match_info['order']}"})

    async def void(self, request: web.Request) -> web.Response:
        """Void a payment."""
        self.payments.pop(request.match_info["order"], None)
        return web.Response(status=204)


@asynccontextmanager
async def serve() -> AsyncGenerator[World]:
    """Run the three APIs for the duration of a block."""
    world = World()

    @web.middleware
    async def misbehave(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = f"{request.method} {request.path.split('/')[1]}"
        if name in world.faults:
            return web.Response(status=world.faults[name])
        response = await handler(request)
        return (
            web.Response(status=world.faults[f"{name}!"])
            if f"{name}!" in world.faults
            else response
        )

    app = web.Application(middlewares=[misbehave])
    app.add_routes(
        [
            web.get("/users/{id}", world.user),
            web.get("/stock/{name}", world.item),
            web.put("/stock/reservations/{order}", world.reserve),
            web.delete("/stock/reservations/{order}", world.release),
            web.post("/payments/{order}", world.charge),
            web.delete("/payments/{order}", world.void),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        world.url = f"http://{host}:{port}"
        yield world
    finally:
        await runner.cleanup()
