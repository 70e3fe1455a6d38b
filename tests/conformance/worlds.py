"""Two worlds in which the same things happen: real servers on loopback, and a script."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.listener import LOOPBACK, refused_port

from railhttp.client.http_client import HTTPClient
from railhttp.model.config import HTTPClientConfig
from railhttp.model.errors import HTTPClientError
from railhttp.model.options import RequestOptions
from railhttp.testing import ScriptedRoute, ScriptedTransport

World: TypeAlias = Literal["real", "scripted"]

WORLDS: list[World] = ["real", "scripted"]


@dataclass(frozen=True)
class Scene:
    """Something that may happen to a request.

    Attributes:
        path: Where it happens on the real servers, and in the script.
        play: What makes it happen in the script.
        server: Which of the real servers it is; `nobody` is a port where none listens.
        redirects_to: Where the script goes on.
    """

    path: str
    play: Callable[[ScriptedRoute], object] = field(default=lambda route: route.reply())
    server: Literal["echo", "faults", "nobody"] = "echo"
    redirects_to: "Scene | None" = None


@asynccontextmanager
async def playing(
    world: World, scene: Scene, config: HTTPClientConfig | None = None
) -> AsyncGenerator[tuple[HTTPClient, str], None]:
    """Give a client that is not started yet, and the URL at which the scene plays."""
    async with AsyncExitStack() as stack:
        if world == "scripted":
            script = ScriptedTransport()
            step: Scene | None = scene
            while step is not None:
                for method in ("GET", "POST", "HEAD", "OPTIONS"):
                    step.play(script.on(method, step.path))
                step = step.redirects_to
            yield HTTPClient(config, exchange=script), f"http://scripted.example{scene.path}"
        elif scene.server == "echo":
            echo = await stack.enter_async_context(EchoServer())
            yield HTTPClient(config), echo.url(scene.path)
        elif scene.server == "faults":
            faults = await stack.enter_async_context(FaultServer())
            yield HTTPClient(config), faults.url(scene.path)
        else:
            port = stack.enter_context(refused_port())
            yield HTTPClient(config), f"http://{LOOPBACK}:{port}{scene.path}"


async def outcome(
    world: World, scene: Scene, method: str = "GET", options: RequestOptions | None = None
) -> str:
    """Play a scene to a request, and say in words what came of it."""
    async with playing(world, scene) as (client, url), client:
        try:
            response = await client.request(method, url, **options or {})
        except HTTPClientError as failure:
            return in_words(failure)
        return f"{response.status} with {len(response.body)} bytes"


def in_words(failure: HTTPClientError) -> str:
    kind = type(failure).__name__
    return f"{kind} {failure.label}, {failure.delivery.value}, attempts {failure.attempts}"
