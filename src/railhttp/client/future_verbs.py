"""The verbs as `FutureResult` values, which compose."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, TypeAlias

from returns.future import FutureResult
from returns.result import Failure, Result
from typing_extensions import Unpack, override
from yarl import URL

from railhttp.client.verbs import Verbs
from railhttp.model.errors import HTTPCircuitOpenError, HTTPFailure, HTTPRetryExhaustedError
from railhttp.model.options import RequestOptions
from railhttp.model.response import HttpResponse
from railhttp.wire.multipart import FormFields

if TYPE_CHECKING:
    from railhttp.client.http_client import HTTPClient

ResponseFuture: TypeAlias = FutureResult[HttpResponse, HTTPFailure]
"""A request that is sent when it is awaited."""


class FutureVerbs(Verbs[ResponseFuture]):
    """A client's verbs, each as a `FutureResult` that never raises; the `future` of a client.

    An open circuit and exhausted retries are failures too, whatever `HTTPClientConfig.total` is. A
    future sends its request when it is awaited; awaited again it returns the same outcome. One
    task at a time may await it: `railhttp.railway.shared` allows more, and requests of
    `railhttp.railway.reader` can be sent again.

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

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client}>"

    @override
    def request(
        self, method: str, url: str | URL, **options: Unpack[RequestOptions]
    ) -> FutureResult[HttpResponse, HTTPFailure]:
        """Describe a request of any method, such as `QUERY` or `PROPFIND`; see `get`.

        A response with status 4xx or 5xx is a failure, unlike that of `HTTPClient.request`.
        """
        return FutureResult(_total(self._client._perform(method, url, options)))

    @override
    def post_multipart(
        self, url: str | URL, fields: FormFields, **options: Unpack[RequestOptions]
    ) -> FutureResult[HttpResponse, HTTPFailure]:
        """Describe the upload of a form; see `HTTPClient.post_multipart`."""
        return FutureResult(_total(self._client.post_multipart(url, fields, **options)))


async def _total(
    verb: Awaitable[Result[HttpResponse, HTTPFailure]],
) -> Result[HttpResponse, HTTPFailure]:
    try:
        return await verb
    except (HTTPCircuitOpenError, HTTPRetryExhaustedError) as signal:
        return Failure(signal)
