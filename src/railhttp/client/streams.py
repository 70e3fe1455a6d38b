"""Streams, server-sent events and downloads; the same for every client."""

import os
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from returns.result import Failure, Result, Success
from typing_extensions import Unpack
from yarl import URL

from railhttp.model.config import DEFAULT_MAX_DOWNLOAD_BYTES, DEFAULT_MAX_EVENT_BYTES
from railhttp.model.errors import FAILURES, HTTPFailure, HTTPInvalidRequestError
from railhttp.model.options import ProgressCallback, RequestOptions, with_default_headers
from railhttp.model.redaction import redact_url

if TYPE_CHECKING:
    from railhttp.client.documents import EventSource
    from railhttp.client.stream_context import StreamContext
    from railhttp.client.stream_request import StreamRequest
    from railhttp.model.download import Download

_DOWNLOAD_HEADERS: Final = {"Accept-Encoding": "identity"}


class Streams(ABC):
    """Reads bodies that are too large for memory, or that have no end.

    Opening a body is a call like any other: it passes the same interceptors, retries, breaker,
    proxies and redirects, and interceptors see the head as a response with an empty body. The
    client's `timeout` bounds the time until the head; a `timeout` of the call bounds everything,
    body included. While a body is read, silence ends it after `read_timeout`; if neither the client
    nor the call has one, after the client's `timeout`, unless the call has a `timeout`. The time
    that the caller takes between two chunks does not count.
    """

    # Each method imports what it needs: many programs use none of them (benchmarks/imports.py).

    @abstractmethod
    async def _stream_request(
        self, method: str, url: str | URL, options: RequestOptions
    ) -> "StreamRequest": ...

    @asynccontextmanager
    async def stream(
        self, method: str, url: str | URL, **options: Unpack[RequestOptions]
    ) -> AsyncGenerator["StreamContext", None]:
        """Open a response and read its body in chunks as they arrive, with one chunk in memory.

        Leaving the block closes the connection, unless the body was read to its end. Exceptions
        from the block pass unchanged.

        Args:
            method: The HTTP method, in any case.
            url: The target URL.
            **options: See `RequestOptions`.

        Yields:
            The response, an async iterator of chunks; whatever its status.

        Raises:
            HTTPClientError: The response did not arrive, or not completely; always one of
                `HTTPFailure`.
            TypeError: An option does not exist.
        """
        from railhttp.client.stream_context import StreamContext  # noqa: PLC0415  # see above

        opening = self._stream_request(method, url, options)
        del url, options
        request = await opening
        response = await request.open()
        try:
            await request.check(response)
            yield StreamContext(response)
        finally:
            response.close()

    def sse(
        self,
        url: str | URL,
        *,
        method: str = "GET",
        reconnect: bool = False,
        last_event_id: str = "",
        max_event_bytes: int | None = DEFAULT_MAX_EVENT_BYTES,
        **options: Unpack[RequestOptions],
    ) -> "EventSource":
        """Open a stream of server-sent events (WHATWG HTML, 9.2).

        With `reconnect`, a connection that ended or broke is opened again with `Last-Event-ID`. It
        waits for the time that the server set (3 s by default), plus a jittered back-off of up to
        30 s that grows until the next event. The stream ends at a 204, at any response or failure
        that is not transient, with the client, and with the `timeout` of the call.

        Args:
            url: The target URL.
            method: The HTTP method; streams of a POST cannot reconnect.
            reconnect: Whether a connection that ended is opened again.
            last_event_id: The id of the last event of an earlier stream.
            max_event_bytes: The most bytes that an event may have, 8 MiB by default; None for no
                limit.
            **options: See `RequestOptions`.

        Returns:
            A block that yields the events, an async iterator, and raises the failures below. Its
            `decoded` makes documents of the events.

        Raises:
            HTTPInvalidRequestError: An argument is not valid.
            HTTPStatusError: The status is not 200.
            HTTPDecodeError: The response is not a `text/event-stream`; its `response` is what came
                instead, often the document of an error.
            HTTPResponseTooLargeError: An event is larger than allowed.
            HTTPClientError: See `stream`.
        """
        from railhttp.client.documents import EventSource  # noqa: PLC0415  # see above
        from railhttp.client.event_stream import (  # noqa: PLC0415  # see above
            EVENT_HEADERS,
            EventStream,
        )

        def opening() -> "Awaitable[StreamRequest]":  # not `partial`, whose repr shows arguments
            return self._stream_request(method, url, with_default_headers(options, EVENT_HEADERS))

        async def connect() -> EventStream:
            request = await opening()
            if reconnect and method.upper() != "GET":
                raise HTTPInvalidRequestError(
                    "only a GET can", field="reconnect", **request.call_info()
                )
            return EventStream(
                request,
                reconnect=reconnect,
                last_event_id=last_event_id,
                max_event_bytes=max_event_bytes,
            )

        return EventSource(connect, f"{method.upper()} {redact_url(str(url))}")

    async def download(
        self,
        url: str | URL,
        path: str | os.PathLike[str],
        *,
        checksum: str | None = None,
        progress: ProgressCallback | None = None,
        resume: bool = True,
        max_download_bytes: int | None = DEFAULT_MAX_DOWNLOAD_BYTES,
        **options: Unpack[RequestOptions],
    ) -> "Result[Download, HTTPFailure]":  # text: `help()` would list all nine
        """Download to a file by GET; the file gets its name, in one step, when it is complete.

        Until then it grows beside the target as `.name.part`. That part is kept if a download
        breaks off and the server named the version of the file (`ETag`, `Last-Modified`): this call
        and the next one resume it (`Range`, `If-Range`). If the version has changed, or the server
        sends no ranges, the download starts over. Part and note belong to this user alone; in a
        folder in which other users can rename files, the part has a random name and is not kept.

        Args:
            url: The target URL.
            path: The file to make or to replace.
            checksum: The expected digest, such as `sha256:9f86…`, of any algorithm of hashlib with
                a fixed length.
            progress: Called with the size of the part, and with the total if it is known.
            resume: Whether a part of an earlier download is used.
            max_download_bytes: The most bytes that the file may have, 16 GiB by default; None for
                no limit. A body with a content coding, which railhttp does not request here, may
                have at most `max_response_bytes` too.
            **options: See `RequestOptions`; `timeout` is for the whole download.

        Returns:
            `Success(Download)`, or `Failure` of one of `HTTPFailure`: a status other than 2xx is an
            `HTTPStatusError`, a path that cannot be written and a full disk are an
            `HTTPInvalidRequestError` (field `path`) with the `OSError` as its cause, another
            checksum is an `HTTPDecodeError` (where `checksum`), and a file that is too large is an
            `HTTPResponseTooLargeError`.

        Raises:
            TypeError: An option does not exist.
        """
        from railhttp.client.downloading import fetch  # noqa: PLC0415  # see above

        opening = self._stream_request("GET", url, with_default_headers(options, _DOWNLOAD_HEADERS))
        del url, options
        try:
            request = await opening
            return Success(
                await fetch(
                    request,
                    Path(path),
                    checksum=checksum,
                    progress=progress,
                    resume=resume,
                    max_download_bytes=max_download_bytes,
                )
            )
        except FAILURES as failure:
            return Failure(failure)
