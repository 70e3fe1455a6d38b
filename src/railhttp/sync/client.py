"""The synchronous client: it runs the asynchronous one on a loop in a thread."""

import os
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from copy import copy
from functools import update_wrapper
from types import TracebackType
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Self, TypeVar

from returns.result import Failure, Result
from typing_extensions import Unpack
from yarl import URL

from railhttp.client.derived import ClientOptions
from railhttp.client.http_client import HTTPClient as AsyncHTTPClient
from railhttp.model.config import (
    DEFAULT_MAX_DOWNLOAD_BYTES,
    DEFAULT_MAX_EVENT_BYTES,
    HTTPClientConfig,
)
from railhttp.model.download import Download
from railhttp.model.errors import HTTPConnectionError, HTTPFailure
from railhttp.model.options import ProgressCallback, RequestOptions
from railhttp.model.redaction import redact_url
from railhttp.model.response import HttpResponse
from railhttp.pipeline.interceptors.chain import InterceptorChain
from railhttp.sync.loop_thread import ThreadLife
from railhttp.sync.stream_context import StreamContext
from railhttp.transport.pool import ConnectionPool
from railhttp.wire.multipart import FormFields

if TYPE_CHECKING:
    from railhttp.wire.sse import ServerSentEvent

P = ParamSpec("P")
T = TypeVar("T")

_make: Callable[..., AsyncHTTPClient] = AsyncHTTPClient  # its parameters are checked by `_takes`


def _takes(
    make: Callable[P, AsyncHTTPClient],
) -> Callable[[Callable[..., None]], Callable[Concatenate["HTTPClient", P], None]]:
    """Declare that an `__init__` has the parameters of the asynchronous client."""

    def typed(init: Callable[..., None]) -> Callable[Concatenate["HTTPClient", P], None]:
        return update_wrapper(init, AsyncHTTPClient.__init__, assigned=(), updated=())

    return typed


class HTTPClient:
    """`railhttp.HTTPClient` for code that does not await: the same verbs, arguments and results.

    The client runs its own event loop in a thread, so it also works while another loop is running,
    as in a notebook. It starts with its first call, and ends with its `with`
    block, with `close()`, or with the program. Threads may share it. Interceptors, observers and
    progress callbacks run in the client's thread, and cannot call the client.

    Ctrl-C cancels the call that waits. Inside a coroutine use `railhttp.HTTPClient`: this one
    blocks the loop while it waits.

    The arguments are those of `railhttp.HTTPClient`.

    Raises:
        HTTPValidationError: An argument is not valid.

    Example:
        >>> client = HTTPClient(base_url="http://127.0.0.1:1")
        >>> client.get("/x").failure().kind
        'connect'
        >>> client.close()
        >>> client.get("/x").failure().kind
        'closed'
    """

    @_takes(AsyncHTTPClient)
    def __init__(self, *args: object, **kwargs: object) -> None:
        self._client = _make(*args, **kwargs)
        self._life = ThreadLife(self._client)

    def __repr__(self) -> str:
        return f"<sync.{type(self).__name__} {self._life.state}>"

    @property
    def config(self) -> HTTPClientConfig:
        """The settings."""
        return self._client.config

    @property
    def pool(self) -> ConnectionPool:
        """The connection pool; its own methods belong to the loop of the client."""
        return self._client.pool

    @property
    def interceptors(self) -> InterceptorChain:
        """The interceptors; a change counts from the next attempt on."""
        return self._client.interceptors

    def with_options(self, **options: Unpack[ClientOptions]) -> Self:
        """Derive a client that shares everything else; see `railhttp.HTTPClient.with_options`."""
        derived = copy(self)
        derived._client = self._client.with_options(**options)
        return derived

    def start(self) -> None:
        """Start now instead of with the first call; a closed client can be started again."""
        self._life.start()

    def close(self) -> None:
        """End all calls that are under way (kind `closed`), and close all connections.

        May be called twice, and by any thread.
        """
        self._life.close()

    def stop(self) -> None:
        """Do the same as `close`."""
        self.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def request(
        self, method: str, url: str | URL, **options: Unpack[RequestOptions]
    ) -> HttpResponse:
        """Make a request, and raise its failure; see `railhttp.HTTPClient.request`.

        Raises:
            HTTPClientError: There was no response; always one of `HTTPFailure`.
            TypeError: An option does not exist.
        """
        try:
            return self._life.run(self._client.request(method, url, **options), method, url)
        finally:
            del url, options

    def get(
        self, url: str | URL, **options: Unpack[RequestOptions]
    ) -> "Result[HttpResponse, HTTPFailure]":
        """Perform a GET request.

        Args:
            url: The target URL, or a path that is appended to the base URL of the client.
            **options: See `RequestOptions`.

        Returns:
            `Success(HttpResponse)` for a 2xx or 3xx, `Failure` of one of `HTTPFailure` otherwise; a
            closed client returns an `HTTPConnectionError` of kind `closed`.

        Raises:
            HTTPCircuitOpenError: The circuit breaker is open.
            HTTPRetryExhaustedError: All attempts failed; only from an injected policy. With
                `HTTPClientConfig(total=True)` these two are `Failure` values as well.
        """
        try:
            return self._result(self._client.get(url, **options), "GET", url)
        finally:
            del url, options

    def post(
        self, url: str | URL, **options: Unpack[RequestOptions]
    ) -> "Result[HttpResponse, HTTPFailure]":
        """Perform a POST request; see `get`."""
        try:
            return self._result(self._client.post(url, **options), "POST", url)
        finally:
            del url, options

    def put(
        self, url: str | URL, **options: Unpack[RequestOptions]
    ) -> "Result[HttpResponse, HTTPFailure]":
        """Perform a PUT request; see `get`."""
        try:
            return self._result(self._client.put(url, **options), "PUT", url)
        finally:
            del url, options

    def delete(
        self, url: str | URL, **options: Unpack[RequestOptions]
    ) -> "Result[HttpResponse, HTTPFailure]":
        """Perform a DELETE request; see `get`."""
        try:
            return self._result(self._client.delete(url, **options), "DELETE", url)
        finally:
            del url, options

    def patch(
        self, url: str | URL, **options: Unpack[RequestOptions]
    ) -> "Result[HttpResponse, HTTPFailure]":
        """Perform a PATCH request; see `get`."""
        try:
            return self._result(self._client.patch(url, **options), "PATCH", url)
        finally:
            del url, options

    def head(
        self, url: str | URL, **options: Unpack[RequestOptions]
    ) -> "Result[HttpResponse, HTTPFailure]":
        """Perform a HEAD request; see `get`."""
        try:
            return self._result(self._client.head(url, **options), "HEAD", url)
        finally:
            del url, options

    def options(
        self, url: str | URL, **options: Unpack[RequestOptions]
    ) -> "Result[HttpResponse, HTTPFailure]":
        """Perform an OPTIONS request; see `get`."""
        try:
            return self._result(self._client.options(url, **options), "OPTIONS", url)
        finally:
            del url, options

    def post_multipart(
        self, url: str | URL, fields: FormFields, **options: Unpack[RequestOptions]
    ) -> "Result[HttpResponse, HTTPFailure]":
        """Upload a form as `multipart/form-data`; see `railhttp.HTTPClient.post_multipart`."""
        try:
            return self._result(self._client.post_multipart(url, fields, **options), "POST", url)
        finally:
            del url, fields, options

    def download(
        self,
        url: str | URL,
        path: str | os.PathLike[str],
        *,
        checksum: str | None = None,
        progress: ProgressCallback | None = None,
        resume: bool = True,
        max_download_bytes: int | None = DEFAULT_MAX_DOWNLOAD_BYTES,
        **options: Unpack[RequestOptions],
    ) -> "Result[Download, HTTPFailure]":
        """Download to a file by GET; see `railhttp.HTTPClient.download`."""
        done = self._client.download(
            url,
            path,
            checksum=checksum,
            progress=progress,
            resume=resume,
            max_download_bytes=max_download_bytes,
            **options,
        )
        del options
        try:
            return self._result(done, "GET", url)
        finally:
            del url

    @contextmanager
    def stream(
        self, method: str, url: str | URL, **options: Unpack[RequestOptions]
    ) -> Generator[StreamContext, None, None]:
        """Open a response and read its body in chunks; see `railhttp.HTTPClient.stream`.

        Yields:
            The response, an iterator of chunks; whatever its status.

        Raises:
            HTTPClientError: See `request`.
        """
        entered = self._life.entered(self._client.stream(method, url, **options), method, url)
        del url, options
        with entered as (response, thread):
            yield StreamContext(response, thread)

    @contextmanager
    def sse(
        self,
        url: str | URL,
        *,
        method: str = "GET",
        reconnect: bool = False,
        last_event_id: str = "",
        max_event_bytes: int | None = DEFAULT_MAX_EVENT_BYTES,
        **options: Unpack[RequestOptions],
    ) -> Generator[Iterator["ServerSentEvent"], None, None]:
        """Open a stream of server-sent events; see `railhttp.HTTPClient.sse`.

        Yields:
            An iterator of events.

        Raises:
            HTTPClientError: See `railhttp.HTTPClient.sse`.
        """
        opened = self._client.sse(
            url,
            method=method,
            reconnect=reconnect,
            last_event_id=last_event_id,
            max_event_bytes=max_event_bytes,
            **options,
        )
        entered, shown = self._life.entered(opened, method, url), redact_url(str(url))
        del url, options
        with entered as (events, thread):
            yield thread.iterate(events, method, shown)

    def _result(
        self, call: Coroutine[object, object, Result[T, HTTPFailure]], method: str, url: str | URL
    ) -> Result[T, HTTPFailure]:
        try:
            return self._life.run(call, method, url)
        except HTTPConnectionError as failure:  # the verbs return all others
            return Failure(failure)
        finally:
            del url
