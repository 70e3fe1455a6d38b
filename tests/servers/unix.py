"""A server on a Unix domain socket, which answers with what it saw."""

import asyncio
import json
import ssl
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.servers.registry import answer


class UnixServer:
    """The server; each answer is a document of the request line and the Host field.

    Args:
        path: The socket's path.
        ssl_context: Makes it a TLS server.

    Attributes:
        accepted: How many connections came.
    """

    def __init__(self, path: Path, *, ssl_context: ssl.SSLContext | None = None) -> None:
        self.path: Final = path
        self.accepted = 0
        self._ssl_context: Final = ssl_context
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                line, *fields = head.split("\r\n")
                host = next(one for one in fields if one.lower().startswith("host:"))
                document = json.dumps({"line": line, "host": host.partition(": ")[2]})
                writer.write(answer(document.encode(), "Content-Type: application/json"))
        except asyncio.IncompleteReadError:
            pass  # the client is done
        finally:
            writer.close()
            self._serving.discard(task)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(
            self._serve, self.path, ssl=self._ssl_context
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        serving = tuple(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
