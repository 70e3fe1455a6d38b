"""A client of one service: a base URL, default headers, and responses as they are."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar

from returns.result import Failure
from typing_extensions import Unpack, override

from railhttp.client.collaborators import settings_of
from railhttp.client.http_client import HTTPClient
from railhttp.client.streams import Streams
from railhttp.model.body import BodyData
from railhttp.model.config import HTTPClientConfig
from railhttp.model.errors import HTTPInvalidRequestError, HTTPStatusError
from railhttp.model.options import BodilessOptions, RequestOptions
from railhttp.model.redaction import redact_url
from railhttp.model.response import HttpResponse
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.observation.mailbox import Observer
from railhttp.protocols import (
    CircuitBreakerProtocol,
    Clock,
    Exchange,
    InstrumentProtocol,
    InterceptorProtocol,
    MetricsRecorderProtocol,
    ResiliencePipelineProtocol,
    RetryPolicyProtocol,
)
from railhttp.transport.pool import ConnectionPool
from railhttp.wire.multipart import FormFields

if TYPE_CHECKING:
    from railhttp.client.opener import Opener

V = TypeVar("V")


class _Unasked(float):
    """A documented default that nobody gave: it gives way to what somebody did give."""


_NAME: Final = "base-url-http-client"
_TIMEOUT: Final = _Unasked(300.0)
_LOG: Final = logging.getLogger("railhttp")


class BaseURLHTTPClient(Streams):
    """A client with a base URL, whose verbs give the response itself and raise every failure.

    It starts with its first request, ends with `close`, and may be used again after that. A path
    is put behind the base URL (see `build_url`); an absolute URL is left alone, and where it is of
    another origin the secret ones of the default headers (`Authorization`, `Cookie`, `X-Api-Key`,
    the config's `secret_headers` …) stay at home.

    Args:
        base_url: What every relative path is put behind; empty where all URLs are absolute.
        headers: Header fields of every request; a call's own of the same name, in any case,
            take their place.
        timeout: Seconds for a whole call, see `HTTPClientConfig`; None is no limit. Where it is not
            given, the timeout of `config` holds, or else that of `pool`, or else 300 s.
        name: What this client is called in the log; one that is given is what interceptors see in
            `RequestContext.service_name`.
        retry: See `HTTPClient`.
        circuit_breaker: See `HTTPClient`.
        config: All other settings; its timeout gives way to a `timeout` that is given.
        pool: See `HTTPClient`.
        interceptors: See `HTTPClient`.
        resilience: See `HTTPClient`.
        metrics: See `HTTPClient`.
        observers: See `HTTPClient`.
        instruments: See `HTTPClient`.
        exchange: See `HTTPClient`.
        share_credentials: Whether secret default headers go to other origins too.
        clock: See `HTTPClient`.

    Raises:
        HTTPValidationError: The base URL, a header or the timeout is not valid.

    Example:
        >>> import asyncio
        >>> async def main() -> str:
        ...     async with BaseURLHTTPClient("http://127.0.0.1:1/v1", {"X-Id": "7"}) as client:
        ...         try:
        ...             response = await client.post("/completions", {"prompt": "hello"})
        ...         except HTTPConnectionError as error:
        ...             return f"{error.kind}: {error.url}"
        ...         return response.text
        >>> from railhttp.model.errors import HTTPConnectionError
        >>> asyncio.run(main())
        'connect: http://127.0.0.1:1/v1/completions'
    """

    def __init__(
        self,
        base_url: str = "",
        headers: Mapping[str, str] | None = None,
        timeout: float | None = _TIMEOUT,
        name: str = _NAME,
        retry: RetryPolicyProtocol | None = None,
        circuit_breaker: CircuitBreakerProtocol | None = None,
        *,
        config: HTTPClientConfig | None = None,
        pool: ConnectionPool | None = None,
        interceptors: Iterable[InterceptorProtocol] = (),
        resilience: ResiliencePipelineProtocol | None = None,
        metrics: MetricsRecorderProtocol | None = None,
        observers: Iterable[Observer] = (),
        instruments: Iterable[InstrumentProtocol] = (),
        exchange: Exchange | None = None,
        share_credentials: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._base_url = base_url
        self._name = name
        self._client = HTTPClient(
            _settings(config, pool, timeout),
            pool,
            retry,
            circuit_breaker,
            interceptors,
            resilience,
            metrics,
            observers=observers,
            instruments=instruments,
            exchange=exchange,
            clock=clock,
            service_name=None if name == _NAME else name,
            base_url=base_url,
            headers=headers,
            share_credentials=share_credentials,
        )

    def __repr__(self) -> str:
        state = "started" if self._client.pool.is_started() else "not started"
        base = f"{redact_url(self._base_url)} " if self._base_url else ""
        return f"<{type(self).__name__} {self._name!r} {base}{state}>"

    @property
    def name(self) -> str:
        """What this client is called in the log."""
        return self._name

    async def start(self) -> None:
        """Start now rather than with the first request; may be called twice."""
        if not self._client.pool.is_started():
            await self._client.start()
            _LOG.debug("%s started", self._name)

    async def close(self) -> None:
        """End all calls that are under way (kind `closed`) and close all connections."""
        await self._client.stop()
        _LOG.debug("%s closed", self._name)

    async def stop(self) -> None:
        """Do what `close` does."""
        await self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def request(
        self, method: str, url: str, **options: Unpack[RequestOptions]
    ) -> HttpResponse:
        """Make a request, and raise whatever goes wrong.

        A dict as `data` is a form here and in `put` and `patch`; in `post` it is sent as JSON.

        Args:
            method: The HTTP method, in any case.
            url: A path behind the base URL, or an absolute URL.
            **options: See `RequestOptions`.

        Returns:
            The response, whatever its status; see `HttpResponse.raise_for_status`.

        Raises:
            HTTPClientError: There was no response; always one of `HTTPFailure`.
            TypeError: There is no such option.
        """
        call = self._client._call(method, url, options)
        await self.start()
        return await self._client._perform(call)

    async def get(self, url: str, **options: Unpack[RequestOptions]) -> HttpResponse:
        """Perform a GET request; see `request`."""
        return await self.request("GET", url, **options)

    async def post(
        self,
        url: str,
        data: BodyData | dict[str, V] | None = None,
        **options: Unpack[BodilessOptions],
    ) -> HttpResponse:
        """Perform a POST request; see `request`.

        Args:
            url: A path behind the base URL, or an absolute URL.
            data: A dict, which is sent as JSON; or any other body, see `BodyData`.
            **options: See `RequestOptions`.
        """
        if not isinstance(data, dict):
            return await self.request("POST", url, data=data, **options)
        if options.get("json") is not None:
            message = "a request has one body: data or json"
            raise HTTPInvalidRequestError(
                message, field="data", method="POST", url=str(url), attempts=0
            )
        given: RequestOptions = {"data": None, **options, "json": data}
        return await self.request("POST", url, **given)

    async def put(self, url: str, **options: Unpack[RequestOptions]) -> HttpResponse:
        """Perform a PUT request; see `request`. A dict as `data` is sent as a form."""
        return await self.request("PUT", url, **options)

    async def delete(self, url: str, **options: Unpack[RequestOptions]) -> HttpResponse:
        """Perform a DELETE request; see `request`."""
        return await self.request("DELETE", url, **options)

    async def patch(self, url: str, **options: Unpack[RequestOptions]) -> HttpResponse:
        """Perform a PATCH request; see `request`. A dict as `data` is sent as a form."""
        return await self.request("PATCH", url, **options)

    async def head(self, url: str, **options: Unpack[RequestOptions]) -> HttpResponse:
        """Perform a HEAD request; see `request`."""
        return await self.request("HEAD", url, **options)

    async def options(self, url: str, **options: Unpack[RequestOptions]) -> HttpResponse:
        """Perform an OPTIONS request; see `request`."""
        return await self.request("OPTIONS", url, **options)

    async def post_multipart(
        self, url: str, fields: FormFields, **options: Unpack[RequestOptions]
    ) -> HttpResponse:
        """Upload a form as `multipart/form-data`; see `HTTPClient.post_multipart`."""
        await self.start()
        result = await self._client.post_multipart(url, fields, **options)
        if not isinstance(result, Failure):
            return result.unwrap()
        failure = result.failure()
        if not isinstance(failure, HTTPStatusError):
            raise failure
        return failure.response

    @override
    async def _opener(self, method: str, url: str, options: RequestOptions) -> "Opener":
        opener = await self._client._opener(method, url, options)
        await self.start()
        return opener


def _settings(
    config: HTTPClientConfig | None, pool: ConnectionPool | None, timeout: float | None
) -> HTTPClientConfig:
    settings = settings_of(config, pool)
    if not isinstance(timeout, _Unasked):
        return replace(settings, timeout=timeout)
    if config is not None or pool is not None:
        return settings
    return replace(settings, timeout=float(timeout))
