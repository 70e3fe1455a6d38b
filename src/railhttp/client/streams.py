"""The ways to take a response in piece by piece; the same for every client."""

import os
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from returns.result import Failure, Result, Success
from typing_extensions import Unpack

from railhttp.model.errors import FAILURES, HTTPFailure, HTTPInvalidRequestError
from railhttp.model.options import ProgressCallback, RequestOptions, with_default_headers

if TYPE_CHECKING:
    from railhttp.client.stream_context import StreamContext
    from railhttp.client.stream_request import StreamRequest
    from railhttp.model.download import Download
    from railhttp.wire.sse import ServerSentEvent

_DOWNLOAD_HEADERS: Final = {"Accept-Encoding": "identity"}


class Streams(ABC):
    """What a client can do with bodies that it does not hold in memory.

    Opening one is a call like any other: interceptors, retries, breaker, proxies, TLS and
    redirects hold, and interceptors see the head as a response with an empty body. The client's
    `timeout` is the time until the head has come; a `timeout` of the call is the time for the
    whole, body included. While a body is read, silence ends it after `read_timeout`, which is the
    client's `timeout` where neither the client nor the call names one; a call with a `timeout` of
    its own needs no such limit. The time that the caller takes between two chunks is no silence.
    """

    # What each way needs is imported there: many programs go none of them (benchmarks/imports.py).

    @abstractmethod
    async def _stream_request(
        self, method: str, url: str, options: RequestOptions
    ) -> "StreamRequest": ...

    @asynccontextmanager
    async def stream(
        self, method: str, url: str, **options: Unpack[RequestOptions]
    ) -> AsyncGenerator["StreamContext", None]:
        """Open a response, and read its body in chunks as they come, holding one of them.

        Leaving the block closes the connection, unless the body was read to its end. What is
        raised inside the block passes untouched.

        Args:
            method: The HTTP method, in any case.
            url: The target URL.
            **options: See `RequestOptions`.

        Yields:
            The response, an async iterator of chunks; whatever its status.

        Raises:
            HTTPClientError: There was no response, or, while it is read, not a whole one; always
                one of `HTTPFailure`.
            TypeError: There is no such option.
        """
        from railhttp.client.stream_context import StreamContext  # noqa: PLC0415  # see above

        response = await (await self._stream_request(method, url, options)).open()
        try:
            yield StreamContext(response)
        finally:
            response.close()

    @asynccontextmanager
    async def sse(
        self,
        url: str,
        *,
        method: str = "GET",
        reconnect: bool = False,
        last_event_id: str = "",
        max_event_bytes: int | None = None,
        **options: Unpack[RequestOptions],
    ) -> AsyncGenerator[AsyncIterator["ServerSentEvent"], None]:
        """Open a stream of server-sent events (WHATWG HTML, 9.2).

        With `reconnect`, a connection that ended or broke is opened again with `Last-Event-ID`,
        after the time that the server asked for (3 s where it did not) and a jittered back-off on
        top, up to 30 s, for as long as the server gives no event. It ends at a 204, at any answer
        or failure that will not pass, with the client, and with the call's `timeout`.

        Args:
            url: The target URL.
            method: The HTTP method; streams of a POST cannot reconnect.
            reconnect: Whether the stream goes on when its connection does not.
            last_event_id: The id to go on from, of an earlier stream.
            max_event_bytes: The most bytes that an event may have; None for no limit.
            **options: See `RequestOptions`.

        Yields:
            An async iterator of events.

        Raises:
            HTTPInvalidRequestError: An argument is not valid.
            HTTPStatusError: The status is not 200.
            HTTPDecodeError: The answer is no `text/event-stream`.
            HTTPResponseTooLargeError: An event is larger than allowed.
            HTTPClientError: See `stream`.
        """
        from railhttp.client.event_stream import (  # noqa: PLC0415  # see above
            EVENT_HEADERS,
            EventStream,
        )

        request = await self._stream_request(
            method, url, with_default_headers(options, EVENT_HEADERS)
        )
        if reconnect and method.upper() != "GET":
            raise HTTPInvalidRequestError(
                "only a GET can", field="reconnect", **request.call_info()
            )
        events = EventStream(
            request,
            reconnect=reconnect,
            last_event_id=last_event_id,
            max_event_bytes=max_event_bytes,
        )
        try:
            await events.connect()
            yield events.events()
        finally:
            events.close()

    async def download(
        self,
        url: str,
        path: str | os.PathLike[str],
        *,
        checksum: str | None = None,
        progress: ProgressCallback | None = None,
        resume: bool = True,
        **options: Unpack[RequestOptions],
    ) -> Result["Download", HTTPFailure]:
        """Download to a file by GET. It gets its name when it is whole, and in one step.

        Until then it grows beside the target as `.name.part`, which is kept where a download
        breaks off and the server names the file's version (`ETag`, `Last-Modified`): then this
        call goes on where it broke off, and so does the next one (`Range`, `If-Range`). Where the
        version has changed, or the server sends no ranges, it begins anew.

        Args:
            url: The target URL.
            path: The file to make or to replace.
            checksum: What its digest must be, such as `sha256:9f86…`, by any algorithm of hashlib
                that has a fixed length.
            progress: Told of the bytes that are there and that there will be.
            resume: Whether what is there of the file is used.
            **options: See `RequestOptions`; `timeout` is for the whole download.

        Returns:
            `Success(Download)`, or `Failure` of one of `HTTPFailure`, whatever goes wrong: a
            status other than 2xx is an `HTTPStatusError`, a path that cannot be written and a
            full disk are an `HTTPInvalidRequestError` (field `path`) with the `OSError` as its
            cause, another checksum is an `HTTPDecodeError` (where `checksum`).

        Raises:
            TypeError: There is no such option.
        """
        from railhttp.client.downloading import fetch  # noqa: PLC0415  # see above

        options = with_default_headers(options, _DOWNLOAD_HEADERS)
        try:
            request = await self._stream_request("GET", url, options)
            return Success(
                await fetch(
                    request, Path(path), checksum=checksum, progress=progress, resume=resume
                )
            )
        except FAILURES as failure:
            return Failure(failure)
