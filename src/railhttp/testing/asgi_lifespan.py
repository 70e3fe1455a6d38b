"""The lifespan of an ASGI application: its start and its end (ASGI, lifespan protocol 2.0)."""

import asyncio
from typing import Final

from railhttp.testing.asgi_app import ASGI, ASGIApp, Message


class Lifespan:
    """Runs the lifespan of an application.

    Attributes:
        state: The state that its requests share; None if it does not run.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app: Final = app
        self._task: asyncio.Future[None] | None = None
        self.state: dict[str, object] | None = None

    async def start(self) -> None:
        """Start the application. One that knows no lifespan raises, and then has none.

        Raises:
            RuntimeError: The application reports that its start failed.
        """
        self.state = {}
        self._received: asyncio.Queue[Message] = asyncio.Queue()
        self._replied: asyncio.Queue[Message] = asyncio.Queue()
        scope: Message = {"type": "lifespan", "asgi": dict(ASGI), "state": self.state}
        run = self._app(scope, self._received.get, self._replied.put)
        self._task = asyncio.ensure_future(run)
        await self._ask("lifespan.startup", self._task)

    async def stop(self) -> None:
        """End the application.

        Raises:
            RuntimeError: The application reports that its end failed.
        """
        task, self._task = self._task, None
        self.state = None
        if task is None or task.done():
            return
        try:
            await self._ask("lifespan.shutdown", task)
        finally:
            await asyncio.wait([task])

    async def _ask(self, kind: str, task: "asyncio.Future[None]") -> None:
        self._received.put_nowait({"type": kind})
        reply = asyncio.ensure_future(self._replied.get())
        waiting: set[asyncio.Future[Message] | asyncio.Future[None]] = {reply, task}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not reply.done():
            reply.cancel()
            task.exception()  # an application without a lifespan raises
            return
        message = reply.result()
        if message["type"] == f"{kind}.failed":
            raise RuntimeError(f"{kind} failed: {message.get('message', '')}")
