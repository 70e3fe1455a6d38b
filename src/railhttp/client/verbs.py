"""The verbs: one line each. What they have in common is `_outcome`, the boundary."""

from abc import ABC, abstractmethod

from returns.result import Result
from typing_extensions import Unpack

from railhttp.model.errors import HTTPFailure
from railhttp.model.options import RequestOptions
from railhttp.model.response import HttpResponse


class Verbs(ABC):
    """The verbs that return a `Result`: `Success` below 400, `Failure` for everything else.

    All of them take the keyword arguments of `RequestOptions`, and raise nothing but the two
    signals of the infrastructure: `HTTPCircuitOpenError` and `HTTPRetryExhaustedError`. With
    `HTTPClientConfig(total=True)` these are `Failure` values too.
    """

    @abstractmethod
    async def _outcome(
        self, method: str, url: str, options: RequestOptions
    ) -> Result[HttpResponse, HTTPFailure]: ...

    async def get(
        self, url: str, **options: Unpack[RequestOptions]
    ) -> Result[HttpResponse, HTTPFailure]:
        """Perform a GET request.

        Args:
            url: The target URL, or a path behind the base URL of the client.
            **options: See `RequestOptions`.

        Returns:
            `Success(HttpResponse)` for a 2xx or 3xx, `Failure` of one of `HTTPFailure` otherwise.

        Raises:
            HTTPCircuitOpenError: The circuit breaker is open.
            HTTPRetryExhaustedError: All attempts failed; only from an injected policy.
        """
        return await self._outcome("GET", url, options)

    async def post(
        self, url: str, **options: Unpack[RequestOptions]
    ) -> Result[HttpResponse, HTTPFailure]:
        """Perform a POST request; see `get`."""
        return await self._outcome("POST", url, options)

    async def put(
        self, url: str, **options: Unpack[RequestOptions]
    ) -> Result[HttpResponse, HTTPFailure]:
        """Perform a PUT request; see `get`."""
        return await self._outcome("PUT", url, options)

    async def delete(
        self, url: str, **options: Unpack[RequestOptions]
    ) -> Result[HttpResponse, HTTPFailure]:
        """Perform a DELETE request; see `get`."""
        return await self._outcome("DELETE", url, options)

    async def patch(
        self, url: str, **options: Unpack[RequestOptions]
    ) -> Result[HttpResponse, HTTPFailure]:
        """Perform a PATCH request; see `get`."""
        return await self._outcome("PATCH", url, options)

    async def head(
        self, url: str, **options: Unpack[RequestOptions]
    ) -> Result[HttpResponse, HTTPFailure]:
        """Perform a HEAD request; see `get`."""
        return await self._outcome("HEAD", url, options)

    async def options(
        self, url: str, **options: Unpack[RequestOptions]
    ) -> Result[HttpResponse, HTTPFailure]:
        """Perform an OPTIONS request; see `get`."""
        return await self._outcome("OPTIONS", url, options)
