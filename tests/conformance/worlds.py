"""Worlds of the same scenes: real servers, reached in four ways, and a script, served or not."""

import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from tests.conformance.asgi_scenes import scenes
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.listener import LOOPBACK, refused_port
from tests.servers.proxy import ProxyServer
from tests.servers.tls import TlsContexts

from railhttp.client.http_client import HTTPClient
from railhttp.model.config import HTTPClientConfig
from railhttp.model.errors import HTTPClientError
from railhttp.model.options import RequestOptions
from railhttp.testing import ASGITransport, ScriptedRoute, ScriptedTransport, serve

Way: TypeAlias = Literal["plain", "tls", "proxy", "tunnel", "scripted", "served", "asgi"]

WIRES: Final[tuple[Way, ...]] = ("plain", "tls", "proxy", "tunnel")
WAYS: Final[tuple[Way, ...]] = (*WIRES, "scripted", "served", "asgi")


@dataclass(frozen=True)
class World:
    """A setting for scenes.

    Attributes:
        way: How requests travel: directly to the server, in plain text or by TLS; through a proxy
            that forwards them; through its tunnel, by TLS; nowhere, since a script replies; or to a
            server that plays the script.
        tls: The TLS contexts of the servers and the client.
    """

    way: Way
    tls: TlsContexts

    @property
    def server_tls(self) -> ssl.SSLContext | None:
        """The TLS context for the servers of this world, if they need one."""
        return self.tls.trusted if self.way in {"tls", "tunnel"} else None


@dataclass(frozen=True)
class Scene:
    """An event in the life of a request.

    Attributes:
        path: The path that triggers it, on the real servers and in the script.
        play: Writes the script for it.
        server: The real server that it needs; for `nobody` it is a port without a listener.
        redirects_to: The next scene of the script.
    """

    path: str
    play: Callable[[ScriptedRoute], object] = field(default=lambda route: route.reply())
    server: Literal["echo", "faults", "nobody"] = "echo"
    redirects_to: "Scene | None" = None


@asynccontextmanager
async def playing(
    world: World, scene: Scene, config: HTTPClientConfig | None = None
) -> AsyncGenerator[tuple[HTTPClient, str], None]:
    """Yield a client that is not started yet, and the URL of the scene."""
    async with AsyncExitStack() as stack:
        if world.way == "scripted":
            script = _script(scene)
            yield HTTPClient(config, exchange=script), f"http://scripted.example{scene.path}"
        elif world.way == "served":
            server = await stack.enter_async_context(serve(_script(scene)))
            yield HTTPClient(config), f"{server.url}{scene.path}"
        elif world.way == "asgi":
            yield HTTPClient(config, exchange=ASGITransport(scenes)), f"http://app{scene.path}"
        else:
            url = await _serve(world, scene, stack)
            yield await traveller(world, stack, config), url


async def traveller(
    world: World, stack: AsyncExitStack, config: HTTPClientConfig | None = None
) -> HTTPClient:
    """Return a client, not started yet, whose requests travel the way of the world."""
    config = config or HTTPClientConfig()
    config = replace(config, pool=replace(config.pool, ssl_context=world.tls.client))
    if world.way in {"proxy", "tunnel"}:
        proxy = await stack.enter_async_context(ProxyServer())
        config = replace(config, proxy=proxy.url())
    return HTTPClient(config)


def _script(scene: Scene) -> ScriptedTransport:
    script = ScriptedTransport()
    step: Scene | None = scene
    while step is not None:
        for method in ("GET", "POST", "HEAD", "OPTIONS"):
            step.play(script.on(method, step.path))
        step = step.redirects_to
    return script


async def _serve(world: World, scene: Scene, stack: AsyncExitStack) -> str:
    tls = world.server_tls
    match scene.server:
        case "echo":
            echo = await stack.enter_async_context(EchoServer(ssl_context=tls))
            return echo.url(scene.path)
        case "faults":
            faults = await stack.enter_async_context(FaultServer(ssl_context=tls))
            return faults.url(scene.path)
        case "nobody":
            port = stack.enter_context(refused_port())
            return f"{'https' if tls else 'http'}://{LOOPBACK}:{port}{scene.path}"


async def outcome(
    world: World, scene: Scene, method: str = "GET", options: RequestOptions | None = None
) -> str:
    """Play a scene to a request, and describe the outcome in words."""
    async with playing(world, scene) as (client, url), client:
        try:
            response = await client.request(method, url, **options or {})
        except HTTPClientError as failure:
            return in_words(failure)
        return f"{response.status} with {len(response.body)} bytes"


def in_words(failure: HTTPClientError) -> str:
    kind = type(failure).__name__
    return f"{kind} {failure.label}, {failure.delivery.value}, attempts {failure.attempts}"
