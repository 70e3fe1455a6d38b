"""An SDK whose methods return a `Result`: none raises, and a refusal (422) is a value as well."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Literal, Never, Self, TypeAlias

from returns.result import Failure, Result

from railhttp import HTTPClient, HTTPClientConfig, HTTPFailure, HttpResponse, RetryPolicy
from railhttp import HTTPStatusError as StatusError
from railhttp.auth import OAuth2ClientCredentials
from railhttp.railway import decode, next_link, on_status, pages, problem, reader, run, then
from railhttp.types import Download

Progress: TypeAlias = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Message:
    """What somebody says."""

    content: str
    role: Literal["system", "user", "assistant"] = "user"


@dataclass(frozen=True)
class Completion:
    """What the model answers."""

    id: str
    message: Message


@dataclass(frozen=True)
class Chunk:
    """A piece of what the model answers."""

    delta: str


@dataclass(frozen=True)
class File:
    """A file on the server."""

    id: str
    size: int


@dataclass(frozen=True)
class Refusal:
    """The API understood a request, and does not want it (422, RFC 9457)."""

    title: str
    fields: dict[str, object] = field(default_factory=dict)


Failed: TypeAlias = Refusal | HTTPFailure


def _refused(response: HttpResponse) -> Result[Never, Refusal]:
    details = problem(StatusError(response)).value_or(None)
    if details is None:
        return Failure(Refusal("unprocessable"))
    return Failure(Refusal(details.title or "unprocessable", dict(details.extensions)))


class Chat:
    """The API: `async with Chat.connect(url, client_id, secret) as chat`."""

    def __init__(self, client: HTTPClient) -> None:
        self._client = client

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str, client_id: str, secret: str) -> AsyncIterator[Self]:
        """Connect; tokens are fetched when they are needed."""
        auth = OAuth2ClientCredentials(f"{url}/token", client_id, secret)
        config, retry = HTTPClientConfig(timeout=60.0, total=True), RetryPolicy(4, reraise=True)
        async with HTTPClient(config, None, retry, interceptors=[auth], base_url=url) as client:
            yield cls(client)

    async def complete(self, *messages: Message) -> Result[Completion, Failed]:
        """Ask for a whole answer."""
        document = {"messages": [asdict(one) for one in messages]}
        posted = self._client.future.post("/completions", json=document, idempotency_key=True)
        return await run(on_status(422, _refused)(then(decode(Completion))(posted)))

    async def stream(self, *messages: Message) -> AsyncIterator[Result[Chunk, Failed]]:
        """Ask for an answer word by word."""
        document = {"messages": [asdict(one) for one in messages], "stream": True}
        events = self._client.sse("/completions", method="POST", json=document)
        async with events.decoded(Chunk, done="[DONE]") as chunks:
            async for chunk in chunks:
                yield on_status(422, _refused)(chunk)

    async def files(self, *, limit: int = 100) -> Result[list[File], HTTPFailure]:
        """List the files of so many pages."""
        listed = pages(reader.get("/files"), next_link, prefetch=1).decoded(decode(list[File]))
        found = await run(listed(self._client).collect(limit=limit))
        return found.map(lambda loaded: [file for page in loaded for file in page])

    async def upload(self, data: bytes, progress: Progress | None = None) -> Result[File, Failed]:
        """Store a file."""
        posted = self._client.future.post("/files", data=data, upload_progress=progress)
        return await run(on_status(422, _refused)(then(decode(File))(posted)))

    async def download(
        self, file: File, path: str | os.PathLike[str], progress: Progress | None = None
    ) -> Result[Download, HTTPFailure]:
        """Load a file; a download that broke off is resumed."""
        return await self._client.download(f"/files/{file.id}", path, progress=progress)
