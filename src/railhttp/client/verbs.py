"""The verbs, one line each, for clients that await and for those that describe a request."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from typing_extensions import Unpack
from yarl import URL

from railhttp.model.options import RequestOptions
from railhttp.wire.multipart import FormFields

R = TypeVar("R")


class AsyncVerbs(ABC, Generic[R]):
    """The verbs of a client that awaits the response.

    All of them take the keyword arguments of `RequestOptions`. `HTTPClient` returns a `Result`:
    `Success(HttpResponse)` for a 2xx or 3xx, `Failure` of one of `HTTPFailure` otherwise.
    `BaseURLHTTPClient` returns the response and raises the failure.
    """

    # Each verb forgets its arguments before it waits: they may be secret, and tracebacks show the
    # locals of each frame (tests/client/test_tracebacks.py).

    @abstractmethod
    async def _perform(
        self,
        method: str,
        url: str | URL,
        options: RequestOptions,
        form: "FormFields | None" = None,
    ) -> R: ...

    async def get(self, url: str | URL, **options: Unpack[RequestOptions]) -> R:
        """Perform a GET request.

        Args:
            url: The target URL, or a path that is appended to the base URL of the client.
            **options: See `RequestOptions`.

        Returns:
            From `HTTPClient`: `Success(HttpResponse)` for a 2xx or 3xx, `Failure` of one of
            `HTTPFailure` otherwise. From `BaseURLHTTPClient`: the response, whatever its status.

        Raises:
            HTTPCircuitOpenError: The circuit breaker is open.
            HTTPRetryExhaustedError: All attempts failed; only from an injected policy. With
                `HTTPClientConfig(total=True)` these two are `Failure` values as well.
        """
        call = self._perform("GET", url, options)
        del url, options
        return await call

    async def post(self, url: str | URL, **options: Unpack[RequestOptions]) -> R:
        """Perform a POST request; see `get`."""
        call = self._perform("POST", url, options)
        del url, options
        return await call

    async def put(self, url: str | URL, **options: Unpack[RequestOptions]) -> R:
        """Perform a PUT request; see `get`."""
        call = self._perform("PUT", url, options)
        del url, options
        return await call

    async def delete(self, url: str | URL, **options: Unpack[RequestOptions]) -> R:
        """Perform a DELETE request; see `get`."""
        call = self._perform("DELETE", url, options)
        del url, options
        return await call

    async def patch(self, url: str | URL, **options: Unpack[RequestOptions]) -> R:
        """Perform a PATCH request; see `get`."""
        call = self._perform("PATCH", url, options)
        del url, options
        return await call

    async def head(self, url: str | URL, **options: Unpack[RequestOptions]) -> R:
        """Perform a HEAD request; see `get`."""
        call = self._perform("HEAD", url, options)
        del url, options
        return await call

    async def options(self, url: str | URL, **options: Unpack[RequestOptions]) -> R:
        """Perform an OPTIONS request; see `get`."""
        call = self._perform("OPTIONS", url, options)
        del url, options
        return await call

    async def post_multipart(
        self, url: str | URL, fields: FormFields, **options: Unpack[RequestOptions]
    ) -> R:
        """Upload a form as `multipart/form-data` (RFC 7578) by POST.

        Args:
            url: See `get`.
            fields: Field names with text; bytes, sent as a file named like the field; a tuple
                `(filename, data, content_type)`; or an open binary file, which is streamed.
            **options: See `RequestOptions`; `json` and `data` are not allowed.

        Returns:
            The same as `get`; a failure is one of `HTTPFailure`.
        """
        call = self._perform("POST", url, options, fields)
        del url, fields, options
        return await call


class Verbs(ABC, Generic[R]):
    """The verbs as descriptions of requests, which are sent later."""

    __slots__ = ()

    @abstractmethod
    def request(self, method: str, url: str | URL, **options: Unpack[RequestOptions]) -> R:
        """Describe a request of any method, such as `QUERY` or `PROPFIND`; see `get`.

        A response with status 4xx or 5xx is a failure, unlike that of `HTTPClient.request`.
        """

    @abstractmethod
    def post_multipart(
        self, url: str | URL, fields: FormFields, **options: Unpack[RequestOptions]
    ) -> R:
        """Describe the upload of a form; see `HTTPClient.post_multipart`."""

    def get(self, url: str | URL, **options: Unpack[RequestOptions]) -> R:
        """Describe a GET request.

        Args:
            url: The target URL, or a path that is appended to the base URL of the client.
            **options: See `RequestOptions`. A body that can be read once cannot be sent again.

        Returns:
            A description that never raises when it is run: its outcome is `Success(HttpResponse)`
            for a 2xx or 3xx, and one of `HTTPFailure` otherwise.
        """
        return self.request("GET", url, **options)

    def post(self, url: str | URL, **options: Unpack[RequestOptions]) -> R:
        """Describe a POST request; see `get`."""
        return self.request("POST", url, **options)

    def put(self, url: str | URL, **options: Unpack[RequestOptions]) -> R:
        """Describe a PUT request; see `get`."""
        return self.request("PUT", url, **options)

    def delete(self, url: str | URL, **options: Unpack[RequestOptions]) -> R:
        """Describe a DELETE request; see `get`."""
        return self.request("DELETE", url, **options)

    def patch(self, url: str | URL, **options: Unpack[RequestOptions]) -> R:
        """Describe a PATCH request; see `get`."""
        return self.request("PATCH", url, **options)

    def head(self, url: str | URL, **options: Unpack[RequestOptions]) -> R:
        """Describe a HEAD request; see `get`."""
        return self.request("HEAD", url, **options)

    def options(self, url: str | URL, **options: Unpack[RequestOptions]) -> R:
        """Describe an OPTIONS request; see `get`."""
        return self.request("OPTIONS", url, **options)
