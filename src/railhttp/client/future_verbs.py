"""The verbs as `FutureResult` values: total, so that they compose."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from returns.future import FutureResult
from returns.result import Failure, Result
from typing_extensions import Unpack

from railhttp.model.errors import HTTPCircuitOpenError, HTTPFailure, HTTPRetryExhaustedError
from railhttp.model.options import RequestOptions
from railhttp.model.response import HttpResponse

if TYPE_CHECKING:
    from railhttp.client.http_client import HTTPClient
    from railhttp.wire.multipart import FormFields


class FutureVerbs:
    """A client's verbs, each as a `FutureResult` that never raises; reached as `client.future`.

    The two signals of the infrastructure are failures here, whatever the client's
    `HTTPClientConfig.total` says. A future sends when it is awaited; awaited again it gives the
    same outcome. One may await it at a time: for more see `railhttp.railway.shared`, and for
    requests that can be sent again `railhttp.railway.reader`.

    Args:
        client: The client that sends.

    Example:
        >>> import asyncio
        >>> from railhttp.client.http_client import HTTPClient
        >>> async def main() -> object:
        ...     async with HTTPClient() as client:
        ...         return await client.future.get("http://127.0.0.1:1/").alt(lambda e: e.label)
        >>> asyncio.run(main())
        <IOResult: <Failure: connect>>
    """

    __slots__ = ("_client",)

    def __init__(self, client: "HTTPClient") -> None:
        self._client = client

    def get(
        self, url: str, **options: Unpack[RequestOptions]
    ) -> FutureResult[HttpResponse, HTTPFailure]:
        """Describe a GET request.

        Args:
            url: The target URL, or a path behind the base URL of the client.
            **options: See `RequestOptions`.

        Returns:
            A future of `Success(HttpResponse)` for a 2xx or 3xx, of a failure otherwise.
        """
        return FutureResult(_total(self._client.get(url, **options)))

    def post(
        self, url: str, **options: Unpack[RequestOptions]
    ) -> FutureResult[HttpResponse, HTTPFailure]:
        """Describe a POST request; see `get`."""
        return FutureResult(_total(self._client.post(url, **options)))

    def post_multipart(
        self, url: str, fields: "FormFields", **options: Unpack[RequestOptions]
    ) -> FutureResult[HttpResponse, HTTPFailure]:
        """Describe the upload of a form; see `HTTPClient.post_multipart`."""
        return FutureResult(_total(self._client.post_multipart(url, fields, **options)))

    def put(
        self, url: str, **options: Unpack[RequestOptions]
    ) -> FutureResult[HttpResponse, HTTPFailure]:
        """Describe a PUT request; see `get`."""
        return FutureResult(_total(self._client.put(url, **options)))

    def delete(
        self, url: str, **options: Unpack[RequestOptions]
    ) -> FutureResult[HttpResponse, HTTPFailure]:
        """Describe a DELETE request; see `get`."""
        return FutureResult(_total(self._client.delete(url, **options)))

    def patch(
        self, url: str, **options: Unpack[RequestOptions]
    ) -> FutureResult[HttpResponse, HTTPFailure]:
        """Describe a PATCH request; see `get`."""
        return FutureResult(_total(self._client.patch(url, **options)))

    def head(
        self, url: str, **options: Unpack[RequestOptions]
    ) -> FutureResult[HttpResponse, HTTPFailure]:
        """Describe a HEAD request; see `get`."""
        return FutureResult(_total(self._client.head(url, **options)))

    def options(
        self, url: str, **options: Unpack[RequestOptions]
    ) -> FutureResult[HttpResponse, HTTPFailure]:
        """Describe an OPTIONS request; see `get`."""
        return FutureResult(_total(self._client.options(url, **options)))

    def request(
        self, method: str, url: str, **options: Unpack[RequestOptions]
    ) -> FutureResult[HttpResponse, HTTPFailure]:
        """Describe a request of any method, `QUERY` or `PROPFIND` say.

        Unlike that of `HTTPClient.request`, an answer of 4xx or 5xx is a failure, as for all verbs.

        Args:
            method: The HTTP method, in any case.
            url: See `get`.
            **options: See `RequestOptions`.
        """
        return FutureResult(_total(self._client._outcome(method, url, options)))


async def _total(
    verb: Awaitable[Result[HttpResponse, HTTPFailure]],
) -> Result[HttpResponse, HTTPFailure]:
    try:
        return await verb
    except (HTTPCircuitOpenError, HTTPRetryExhaustedError) as signal:
        return Failure(signal)
