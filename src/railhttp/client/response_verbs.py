"""The verbs of a client as functions that return the response and raise the failure."""

from typing import TYPE_CHECKING, ClassVar

from typing_extensions import Unpack, override
from yarl import URL

from railhttp.client.http_client import HTTPClient
from railhttp.client.streams import Streams
from railhttp.client.verbs import AsyncVerbs
from railhttp.model.options import RequestOptions
from railhttp.model.response import HttpResponse
from railhttp.wire.multipart import FormFields

if TYPE_CHECKING:
    from railhttp.client.stream_request import StreamRequest


class ResponseVerbs(AsyncVerbs[HttpResponse], Streams):
    """An `HTTPClient` whose verbs return the response and raise every failure.

    It is a plain `HTTPClientProtocol`. Both share their connections, and their life.
    """

    _starts_itself: ClassVar = False

    def __init__(self, client: HTTPClient) -> None:
        self._client = client

    @property
    def client(self) -> HTTPClient:
        """The client, whose verbs return a `Result`."""
        return self._client

    async def start(self) -> None:
        """Start the client; may be called twice."""
        await self._client.start()

    async def stop(self) -> None:
        """End all calls that are under way (kind `closed`) and close all connections."""
        await self._client.stop()

    async def request(
        self, method: str, url: str | URL, **options: Unpack[RequestOptions]
    ) -> HttpResponse:
        """Make a request, and raise its failure.

        Args:
            method: The HTTP method, in any case.
            url: A path that is appended to the base URL, or an absolute URL.
            **options: See `RequestOptions`.

        Returns:
            The response, whatever its status; see `HttpResponse.raise_for_status`.

        Raises:
            HTTPClientError: There was no response; always one of `HTTPFailure`.
            TypeError: An option does not exist.
        """
        call = self._perform(method, url, options)
        del url, options
        return await call

    @override
    async def _perform(
        self,
        method: str,
        url: str | URL,
        options: RequestOptions,
        form: "FormFields | None" = None,
    ) -> HttpResponse:
        try:
            prepared = self._client._builder.prepare(method, url, options, form)
        finally:
            del url, options, form
        if self._starts_itself:
            await self.start()
        return await self._client._answered(prepared)

    @override
    async def _stream_request(
        self, method: str, url: str | URL, options: RequestOptions
    ) -> "StreamRequest":
        opening = self._client._stream_request(method, url, options)
        del url, options
        request = await opening
        if self._starts_itself:
            await self.start()
        return request
