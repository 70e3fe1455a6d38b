"""The client: composes the rooms below, and turns exceptions into values."""

from collections.abc import AsyncGenerator, Awaitable, Iterable, Mapping
from contextlib import asynccontextmanager
from copy import copy
from typing import TYPE_CHECKING, Final, Self

from returns.result import Failure, Result, Success
from typing_extensions import Unpack, override
from yarl import URL

from railhttp.client.assembly import Parts, chains, home_of, usual_limits
from railhttp.client.collaborators import (
    Policies,
    chain_of,
    check_collaborators,
    circuits_of,
    instruments_of,
    pool_of,
    publisher,
    settings_of,
    source_of,
)
from railhttp.client.derived import Change, ClientOptions
from railhttp.client.lifecycle import Lifecycle
from railhttp.client.request_builder import Prepared, RequestBuilder
from railhttp.client.status_check import checked_response
from railhttp.client.store_watch import StoreWatch
from railhttp.client.streams import Streams
from railhttp.client.unwrapping import name_failures
from railhttp.client.verbs import AsyncVerbs
from railhttp.model.base_url import BaseURL
from railhttp.model.clock import Clock
from railhttp.model.config import UNSET, Certificate, HTTPClientConfig, Resolver, Verify
from railhttp.model.errors import (
    FAILURES,
    HTTPCircuitOpenError,
    HTTPFailure,
    HTTPRetryExhaustedError,
    HTTPStatusError,
)
from railhttp.model.exchange import Exchange
from railhttp.model.gauges import ClientGauges
from railhttp.model.options import RequestOptions
from railhttp.model.redaction import redact_url
from railhttp.model.response import HttpResponse
from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.model.secrecy import forgets_arguments
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.http_call import HTTPCall
from railhttp.pipeline.interceptors.chain import Interceptor, InterceptorChain
from railhttp.pipeline.observation.instruments import InstrumentProtocol, MetricsRecorderProtocol
from railhttp.pipeline.observation.observer_queue import Observer
from railhttp.pipeline.stack import CircuitBreakerProtocol, ResiliencePipelineProtocol
from railhttp.pipeline.timeouts import ClosedError, Timeouts
from railhttp.policy.egress import Egress
from railhttp.transport.pool import NOT_STARTED, STARTED_ELSEWHERE, ConnectionPool
from railhttp.wire.multipart import FormFields

if TYPE_CHECKING:
    from railhttp.client.future_verbs import FutureVerbs
    from railhttp.client.stream_request import StreamRequest

name_failures()


class HTTPClient(AsyncVerbs[Result[HttpResponse, HTTPFailure]], Streams, Lifecycle):
    """An HTTP client in which every failure is a typed value.

    `request()` raises failures, the verbs (`get`, `post` …) return a `Result`, and `client.future`
    returns `FutureResult` values. All of them go through one chain (`railhttp.pipeline.layers`).

    Args:
        config: The settings; if None the defaults, with the timeout of a given `pool`.
        pool: A connection pool to use; created from `config` if None.
        retry_policy: Decides about further attempts. None is `RetryPolicy(reraise=True)`, which
            makes at most three attempts where that is safe, and raises the last failure.
        circuit_breaker: Refuses requests to a host that keeps failing.
        interceptors: See every attempt; clients can share an `InterceptorChain`.
        resilience: A pipeline that replaces `retry_policy` and takes precedence over
            `circuit_breaker`.
        metrics: Records `http.request.duration` and `http.request.status` of each call.
        observers: Functions, async or not, that receive the events of `railhttp.events`.
        instruments: Observe every call and every attempt, see `InstrumentProtocol`.
        exchange: Replaces the pool, such as a `ScriptedTransport`.
        clock: The source of time, sleep and randomness.
        service_name: The name of the service, for `RequestContext.service_name`.
        base_url: The prefix of every relative path (see `build_url`); absolute URLs are used as
            they are.
        headers: Header fields of every request; a call's field with the same name, in any case,
            replaces them. If there is a base URL, the secret ones (`Authorization`, `Cookie`,
            `X-Api-Key`, the config's `secret_headers` …) are sent to its origin only.
        share_credentials: Whether secret default headers are sent to other origins too.
        egress: The gate that every connection must pass, see `Egress`.
        verify: See `HTTPClientConfig`; it overrides that of `config`, as `cert` and `resolver` do.
        timeout: Seconds for a whole call, see `HTTPClientConfig`; it overrides that of `config` or
            `pool`. None is no limit.

    Raises:
        HTTPValidationError: An argument is not valid; `retry_policy` and `resilience` exclude
            each other.

    Example:
        >>> import asyncio
        >>> async def main() -> str:
        ...     async with HTTPClient() as client:
        ...         result = await client.get("http://127.0.0.1:1/")
        ...         return result.failure().label
        >>> asyncio.run(main())
        'connect'
    """

    @forgets_arguments
    def __init__(
        self,
        config: HTTPClientConfig | None = None,
        pool: ConnectionPool | None = None,
        retry_policy: RetryPolicyProtocol | None = None,
        circuit_breaker: CircuitBreakerProtocol | None = None,
        interceptors: Iterable[Interceptor] = (),
        resilience: ResiliencePipelineProtocol | None = None,
        metrics: MetricsRecorderProtocol | None = None,
        *,
        observers: Iterable[Observer] = (),
        instruments: Iterable[InstrumentProtocol] = (),
        exchange: Exchange | None = None,
        clock: Clock = SYSTEM_CLOCK,
        service_name: str | None = None,
        base_url: str = "",
        headers: Mapping[str, str] | None = None,
        share_credentials: bool = False,
        egress: Egress | None = None,
        verify: Verify | None = None,
        cert: Certificate | None = None,
        resolver: Resolver | None = None,
        timeout: float | None = UNSET,
    ) -> None:
        check_collaborators(metrics=metrics, exchange=exchange, clock=clock)
        self._config = config = settings_of(config, pool, timeout, verify, cert, resolver)
        self._clock = clock
        self._policies = Policies.of(retry_policy, circuit_breaker, resilience, clock)
        secret = config.secret_headers
        self._base = BaseURL.of(base_url, headers, secret, share_credentials=share_credentials)
        self._share_credentials = share_credentials
        self._home = home_of(self._base, share_credentials=share_credentials)
        self._builder = RequestBuilder(config, clock, self._base, self._policies.limits)
        self._timeouts = Timeouts(clock, usual_limits(config, self._policies), self._check_loop)
        self._interceptors = chain_of(interceptors)
        self._events = publisher(observers, clock)
        self._instruments = instruments_of(self._events, metrics, instruments, clock)
        self.is_observed: Final = not self._instruments.is_empty  # endpoints name their spans then
        self._exchange = exchange
        self._service_name = service_name
        self._egress = egress
        pool = pool_of(config, pool, egress, exchange)
        Lifecycle.__init__(self, pool, self._timeouts, self._events, StoreWatch(self._instruments))
        self._stores.add(self._policies.stack)
        self._compose()
        self._source = source_of(self)  # watchers hold it weakly
        self._instruments.watch(self._source)

    @override
    def _compose(self) -> None:
        parts = Parts(
            self._config,
            self._clock,
            self._timeouts,
            self._policies,
            self._interceptors,
            self._exchange,
            self._home,
            self._service_name,
            self._egress,
        )
        self._send, self._open = chains(parts, self._pool)

    def with_options(self, **options: Unpack[ClientOptions]) -> Self:
        """Derive a client that differs in some settings, and shares everything else.

        It uses the same connections, cookies, interceptors, instruments, and the same state of
        breakers, budgets and limits. Deriving one costs a fraction of a millisecond, so keep it if
        it is used often; its calls cost what those of any client cost. It lives as long as the
        client: it is started and stopped with it. If the derived one was started alone, its `stop`
        stops the client too.

        Args:
            **options: See `ClientOptions`.

        Raises:
            HTTPValidationError: An option is not valid.
            TypeError: An option does not exist.

        Example:
            >>> client = HTTPClient(base_url="https://api.example")
            >>> client.with_options(timeout=2, total=True).config.timeout
            2
        """
        change = Change.of(
            options, self._config, self._policies, self._base, self._share_credentials, self._clock
        )
        derived = copy(self)
        derived.live_with(self)
        derived._config, derived._policies, derived._base = change
        derived._home = self._home or home_of(
            change.base, share_credentials=self._share_credentials
        )
        limits = change.policies.limits
        derived._builder = RequestBuilder(change.config, self._clock, change.base, limits)
        derived._service_name = options.get("service_name", self._service_name)
        self._timeouts.expect(usual_limits(change.config, change.policies))
        self._stores.add(change.policies.stack)
        derived._compose()
        return derived

    def _check_loop(self) -> None:
        if self._stopped or not self._pool.is_started():
            raise ClosedError(NOT_STARTED)
        if self._exchange is None and self._pool.is_started_elsewhere():
            raise ClosedError(STARTED_ELSEWHERE)

    def __repr__(self) -> str:
        base = "" if self._base is None or not self._base.url else redact_url(self._base.url) + " "
        return f"<{type(self).__name__} {base}{'' if self._pool.is_started() else 'not '}started>"

    @property
    def config(self) -> HTTPClientConfig:
        """The settings."""
        return self._config

    @property
    def future(self) -> "FutureVerbs":
        """The verbs as `FutureResult` values, which never raise."""
        # Importing `returns.future` takes milliseconds, and most programs do not use it.
        from railhttp.client.future_verbs import FutureVerbs  # noqa: PLC0415

        return FutureVerbs(self)

    @property
    def gauges(self) -> ClientGauges:
        """The connections of the pool, and the states of circuits and shared stores, now."""
        circuits = circuits_of(self._policies.stack.breaker)
        pool = self._pool.gauges if self._exchange is None else None
        return ClientGauges(self._service_name or "", pool, circuits, self._stores.states())

    @property
    def interceptors(self) -> InterceptorChain:
        """The interceptors; a change counts from the next attempt on."""
        return self._interceptors

    @classmethod
    @asynccontextmanager
    async def session_context(
        cls,
        config: HTTPClientConfig | None = None,
        retry_policy: RetryPolicyProtocol | None = None,
        circuit_breaker: CircuitBreakerProtocol | None = None,
        interceptors: Iterable[Interceptor] = (),
    ) -> AsyncGenerator[Self, None]:
        """Yield a started client, and stop it at the end; for the arguments see `HTTPClient`."""
        async with cls(config, None, retry_policy, circuit_breaker, interceptors) as client:
            yield client

    async def request(
        self, method: str, url: str | URL, **options: Unpack[RequestOptions]
    ) -> HttpResponse:
        """Make a request, and raise its failure.

        Args:
            url: The target URL, or a path that is appended to the base URL.

        Returns:
            The response, whatever its status.

        Raises:
            HTTPClientError: There was no response; always one of `HTTPFailure`.
            TypeError: An option does not exist.
        """
        try:
            return await self._answered(self._builder.prepare(method, url, options))
        finally:
            del url, options

    @override
    async def _perform(
        self,
        method: str,
        url: str | URL,
        options: RequestOptions,
        form: "FormFields | None" = None,
    ) -> Result[HttpResponse, HTTPFailure]:
        """The boundary: below it failures are raised, above it they are returned."""
        try:
            response = await self._answered(self._builder.prepare(method, url, options, form))
        except FAILURES as failure:
            signal = isinstance(failure, HTTPCircuitOpenError | HTTPRetryExhaustedError)
            if signal and not self._config.total:
                raise
            return Failure(failure)
        finally:
            del url, options, form
        if response.status >= 400:
            return Failure(HTTPStatusError(response, secret_headers=self._config.secret_headers))
        return Success(response)

    def _answered(self, prepared: Prepared) -> Awaitable[HttpResponse]:
        # A plain function: a coroutine of its own would cost each call a frame.
        sending = self._send(self._new_call(prepared))
        return sending if prepared.check is None else checked_response(sending, prepared.check)

    def _new_call(self, prepared: Prepared) -> HTTPCall:
        request, origin, timeout, attempt_timeout, retry, _ = prepared
        listeners = self._instruments.listening()
        call = HTTPCall(request, origin, self._clock, timeout, attempt_timeout, listeners)
        if retry is not None:
            call.retry = self._policies.retry_of(prepared)
        return call

    @override
    async def _stream_request(
        self, method: str, url: str | URL, options: RequestOptions
    ) -> "StreamRequest":
        from railhttp.client.stream_request import StreamRequest  # noqa: PLC0415  # streams only

        bounded = "timeout" in options
        # Until the head comes, `timeout` is enough: an option would build the request anew, and
        # start two timers (benchmarks/README.md).
        usual = None if bounded or "read_timeout" in options else self._config.timeout
        try:
            prepared = self._builder.prepare(method, url, options)
        finally:
            del url, options
        silence = prepared.request.options.read_timeout
        return StreamRequest(
            prepared,
            self._new_call,
            self._open,
            self._timeouts,
            bounded=bounded,
            idle=usual if silence is None else silence,
        )
