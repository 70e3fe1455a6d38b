"""The protocol of a client."""

from typing import Protocol, runtime_checkable

from typing_extensions import TypeVar, Unpack

from railhttp.model.options import RequestOptions
from railhttp.model.response import HttpResponse

R_co = TypeVar("R_co", covariant=True, default=HttpResponse)


@runtime_checkable
class HTTPClientProtocol(Protocol[R_co]):
    """An HTTP client, generic over what its verbs return (PEP 696: `HttpResponse` by default).

    `HTTPClient` is an `HTTPClientProtocol[Result[HttpResponse, HTTPFailure]]`, `BaseURLHTTPClient`
    a plain `HTTPClientProtocol`.
    """

    async def start(self) -> None:
        """Start the client and its connection pool."""
        ...

    async def stop(self) -> None:
        """Stop the client and release all connections."""
        ...

    async def request(
        self, method: str, url: str, **options: Unpack[RequestOptions]
    ) -> HttpResponse:
        """Make a request, and raise its failure.

        Raises:
            HTTPClientError: There was no response; always one of `HTTPFailure`.
        """
        ...

    async def get(self, url: str, **options: Unpack[RequestOptions]) -> R_co:
        """Perform a GET request."""
        ...

    async def post(self, url: str, **options: Unpack[RequestOptions]) -> R_co:
        """Perform a POST request."""
        ...

    async def put(self, url: str, **options: Unpack[RequestOptions]) -> R_co:
        """Perform a PUT request."""
        ...

    async def delete(self, url: str, **options: Unpack[RequestOptions]) -> R_co:
        """Perform a DELETE request."""
        ...

    async def patch(self, url: str, **options: Unpack[RequestOptions]) -> R_co:
        """Perform a PATCH request."""
        ...

    async def head(self, url: str, **options: Unpack[RequestOptions]) -> R_co:
        """Perform a HEAD request."""
        ...
