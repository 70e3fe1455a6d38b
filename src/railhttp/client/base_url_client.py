"""A client of one service: a base URL, default headers, and responses instead of results."""

import logging
from collections.abc import Iterable, Mapping
from copy import copy
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeAlias, TypeVar, cast

from typing_extensions import Unpack, override
from yarl import URL

from railhttp.client.collaborators import check_collaborators, refuse_two_policies, settings_of
from railhttp.client.derived import ClientOptions
from railhttp.client.http_client import HTTPClient
from railhttp.client.response_verbs import ResponseVerbs
from railhttp.model.body import BodyData
from railhttp.model.clock import Clock
from railhttp.model.config import Certificate, HTTPClientConfig, Resolver, Verify
from railhttp.model.exchange import Exchange
from railhttp.model.options import BodilessOptions, FormPairs, RequestOptions
from railhttp.model.redaction import redact_url
from railhttp.model.response import HttpResponse
from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.model.secrecy import forgets_arguments
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.interceptors.chain import Interceptor
from railhttp.pipeline.observation.instruments import InstrumentProtocol, MetricsRecorderProtocol
from railhttp.pipeline.observation.observer_queue import Observer
from railhttp.pipeline.stack import CircuitBreakerProtocol, ResiliencePipelineProtocol
from railhttp.policy.egress import Egress
from railhttp.transport.pool import ConnectionPool

if TYPE_CHECKING:
    from railhttp.transport.payload_body import AiohttpData

V = TypeVar("V")

Data: TypeAlias = "BodyData | FormPairs | dict[str, V] | AiohttpData | None"


class _Default(float):
    """A documented default: it yields to a setting that was given elsewhere."""


_NAME: Final = "base-url-http-client"
_TIMEOUT: Final = _Default(300.0)
_LOG: Final = logging.getLogger("railhttp")


class BaseURLHTTPClient(ResponseVerbs):
    """A client with a base URL, whose verbs return the response and raise every failure.

    It starts with its first request, ends with `close`, and may be used again after that. A
    relative path is appended to the base URL (see `build_url`); an absolute URL is used as it is,
    and if it has another origin, the secret default headers (`Authorization`, `Cookie`,
    `X-Api-Key`, the config's `secret_headers` …) are not sent.

    Args:
        base_url: The prefix of every relative path; empty if all URLs are absolute.
        headers: Header fields of every request; a call's field with the same name, in any case,
            replaces them.
        timeout: Seconds for a whole call, see `HTTPClientConfig`; None is no limit. If it is not
            given, the timeout of `config` is used, or that of `pool`, or 300 s.
        name: The name in the log; if it is given, interceptors see it in
            `RequestContext.service_name`.
        retry: The `retry_policy` of `HTTPClient`.
        config: All other settings; a `timeout` that is given takes precedence over its own.

    All other arguments are those of `HTTPClient`.

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

    _starts_itself = True

    @forgets_arguments
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
        interceptors: Iterable[Interceptor] = (),
        resilience: ResiliencePipelineProtocol | None = None,
        metrics: MetricsRecorderProtocol | None = None,
        observers: Iterable[Observer] = (),
        instruments: Iterable[InstrumentProtocol] = (),
        exchange: Exchange | None = None,
        share_credentials: bool = False,
        clock: Clock = SYSTEM_CLOCK,
        egress: Egress | None = None,
        verify: Verify | None = None,
        cert: Certificate | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        refuse_two_policies(retry, resilience, field="retry")
        check_collaborators(retry=retry)
        self._base_url = base_url
        self._name = name
        client = HTTPClient(
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
            egress=egress,
            verify=verify,
            cert=cert,
            resolver=resolver,
        )
        super().__init__(client)

    def __repr__(self) -> str:
        state = "started" if self._client.pool.is_started() else "not started"
        base = f"{redact_url(self._base_url)} " if self._base_url else ""
        return f"<{type(self).__name__} {self._name!r} {base}{state}>"

    @property
    def name(self) -> str:
        """The name in the log."""
        return self._name

    def with_options(self, **options: Unpack[ClientOptions]) -> Self:
        """Derive a client that differs in some settings; see `HTTPClient.with_options`."""
        derived = copy(self)
        derived._client = self._client.with_options(**options)
        derived._base_url = options.get("base_url", self._base_url)
        return derived

    async def start(self) -> None:
        """Start now instead of with the first request; may be called twice."""
        if not self._client.pool.is_started():
            await self._client.start()
            _LOG.debug("%s started", self._name)

    async def close(self) -> None:
        """End all calls that are under way (kind `closed`) and close all connections."""
        await self._client.stop()
        _LOG.debug("%s closed", self._name)

    async def stop(self) -> None:
        """Do the same as `close`."""
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

    # `data` is documented as a parameter here, and is an option everywhere else.
    @override
    async def post(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, url: str | URL, data: "Data[V]" = None, **options: Unpack[BodilessOptions]
    ) -> HttpResponse:
        """Perform a POST request; see `request`.

        Args:
            url: A path that is appended to the base URL, or an absolute URL.
            data: A dict, which is sent as JSON, or any other body, see `BodyData`.
            **options: See `RequestOptions`.
        """
        call = self._perform("POST", url, _as_document(data, options))
        del url, data, options
        return await call

    @override
    async def put(
        self, url: str | URL, *, data: "Data[V]" = None, **options: Unpack[BodilessOptions]
    ) -> HttpResponse:
        """Perform a PUT request; see `post`."""
        call = self._perform("PUT", url, _as_document(data, options))
        del url, data, options
        return await call


def _as_document(data: "Data[V]", options: BodilessOptions) -> RequestOptions:
    """Return the options with a dict as a document, unless there are both: they are refused."""
    if isinstance(data, dict) and options.get("json") is None:
        document: RequestOptions = {"data": None, **options, "json": data}
        return document
    given: RequestOptions = {"data": cast("BodyData | None", data)}  # the builder looks at it
    return {**given, **options}


def _settings(
    config: HTTPClientConfig | None, pool: ConnectionPool | None, timeout: float | None
) -> HTTPClientConfig:
    if not isinstance(timeout, _Default):
        return settings_of(config, pool, timeout)
    if config is not None or pool is not None:
        return settings_of(config, pool)
    return settings_of(None, None, float(timeout))
