"""The client: assembles the rooms below, and turns what is raised into what is returned."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from returns.result import Failure, Result, Success
from typing_extensions import Unpack, override

from railhttp.client.collaborators import (
    all_of,
    check_collaborators,
    check_each,
    settings_of,
)
from railhttp.client.gate import GatedExchange
from railhttp.client.request_builder import Prepared, RequestBuilder
from railhttp.client.streams import Streams
from railhttp.client.verbs import Verbs
from railhttp.model.base_url import BaseURL
from railhttp.model.body import Body
from railhttp.model.config import HTTPClientConfig
from railhttp.model.errors import (
    FAILURES,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPFailure,
    HTTPInvalidRequestError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPValidationError,
)
from railhttp.model.options import RequestOptions
from railhttp.model.response import HttpResponse
from railhttp.pipeline.call import Call, Layers
from railhttp.pipeline.call_recorder import JOURNAL
from railhttp.pipeline.clock import SYSTEM_CLOCK, random_id
from railhttp.pipeline.interceptors.chain import InterceptorChain
from railhttp.pipeline.observation.instruments import Instruments, observed
from railhttp.pipeline.observation.mailbox import Observer
from railhttp.pipeline.observation.metrics import CallMetrics
from railhttp.pipeline.observation.observers import EventPublisher
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.pipeline.scope import SparesBodies
from railhttp.pipeline.timeouts import ClosedError, Watchdog
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
from railhttp.transport.exchange import AiohttpExchange
from railhttp.transport.pool import STARTED_ELSEWHERE, ConnectionPool
from railhttp.transport.request_body import measure_file, read_stream

if TYPE_CHECKING:
    from railhttp.client.future_verbs import FutureVerbs
    from railhttp.client.opener import Opener
    from railhttp.wire.multipart import FormFields


class HTTPClient(Verbs, Streams):
    """An async HTTP client with a connection pool, retries and typed failures.

    It has three faces. `request()` raises what goes wrong; the verbs (`get`, `post` …) return a
    `Result`; `client.future` gives `FutureResult` values for composition.

    Args:
        config: Settings; those of `HTTPClientConfig()` where None, with the timeout of `pool` if
            there is one.
        pool: A pool of your own; made from `config` where None. The timeout of a `config` that is
            given too goes before its own.
        retry_policy: Decides about second attempts. None is `RetryPolicy(reraise=True)`, which
            repeats what is safe to repeat, three attempts in all, and hands on the last outcome.
        circuit_breaker: Refuses requests to a host that keeps failing; None for none.
        interceptors: See every attempt's request and response; an `InterceptorChain` is taken as
            it is, so that it may be shared.
        resilience: A pipeline that takes the place of `retry_policy` and `circuit_breaker`.
        metrics: Records `http.request.duration` and `http.request.status` of each call.
        observers: Functions, async or not, that receive the events of `railhttp.model.events`.
        instruments: Are told of every call and attempt, see `InstrumentProtocol`.
        exchange: What sends requests, in place of the pool; a `ScriptedTransport` for instance.
        clock: What tells the time, draws lots and waits.
        service_name: What the service that is called is known as; interceptors see it in
            `RequestContext.service_name`. None where it has no name.
        base_url: What every relative path is put behind (see `build_url`); an absolute URL is left
            alone. Empty where all URLs are absolute.
        headers: Header fields of every request; a call's own of the same name, in any case, take
            their place. Where there is a base URL the secret ones (`Authorization`, `Cookie`,
            `X-Api-Key`, the config's `secret_headers` …) go to its origin only.
        share_credentials: Whether secret default headers go to other origins too.

    Raises:
        HTTPValidationError: One of them cannot do its work; the error names it.

    Example:
        >>> import asyncio
        >>> async def main() -> str:
        ...     async with HTTPClient() as client:
        ...         result = await client.get("http://127.0.0.1:1/")
        ...         return result.failure().label
        >>> asyncio.run(main())
        'connect'
    """

    def __init__(
        self,
        config: HTTPClientConfig | None = None,
        pool: ConnectionPool | None = None,
        retry_policy: RetryPolicyProtocol | None = None,
        circuit_breaker: CircuitBreakerProtocol | None = None,
        interceptors: Iterable[InterceptorProtocol] = (),
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
    ) -> None:
        check_collaborators(
            retry_policy=retry_policy,
            circuit_breaker=circuit_breaker,
            resilience=resilience,
            metrics=metrics,
            exchange=exchange,
            clock=clock,
        )
        self._config = settings_of(config, pool)
        self._clock = clock
        config_times = (self._config.attempt_timeout, self._config.read_timeout)
        usual = (None, self._config.pool.timeout, *config_times)
        self._watchdog = Watchdog(clock, usual, self._check_loop)
        secret = self._config.secret_headers
        base = BaseURL.of(base_url, headers, secret, share_credentials=share_credentials)
        self._builder = RequestBuilder(self._config, partial(random_id, clock), base)
        self._breaker_for = _finds(None if resilience is not None else circuit_breaker)
        self._interceptors = (
            interceptors
            if isinstance(interceptors, InterceptorChain)
            else InterceptorChain(all_of(interceptors, "interceptors"))
        )
        self._policy = resilience or retry_policy or RetryPolicy(reraise=True, clock=clock)
        self._spares_bodies = isinstance(self._policy, SparesBodies)
        self._events = EventPublisher(check_each(observers, "observers"), clock)
        self._instruments = Instruments(
            (
                *([self._events] if self._events else []),
                *([] if metrics is None else [CallMetrics(metrics)]),
                *check_each(instruments, "instruments"),
            )
        )
        self._exchange = exchange
        self._service_name = service_name
        self._retired: list[ConnectionPool] = []
        self._closing: asyncio.Future[None] | None = None  # held here, as a loop holds tasks weakly
        self._pool = pool or ConnectionPool.from_config(
            self._config.pool,
            proxy=self._config.proxy,
            trust_env=self._config.trust_env,
            cookie_jar=self._config.cookie_jar,
        )
        self._layers = self._assemble()

    def _check_loop(self) -> None:
        # Here and not with each request: on Python 3.11 to ask for the running loop is a system
        # call, and the watchdog asks already.
        if self._exchange is None and self._pool.is_started_elsewhere():
            raise ClosedError(STARTED_ELSEWHERE)

    def _assemble(self) -> Layers:
        exchange: Exchange = (
            AiohttpExchange(self._pool, self._clock, self._watchdog.watch)
            if self._exchange is None
            else GatedExchange(self._exchange, self._pool.is_started, self._clock)
        )
        return Layers(
            exchange,
            self._clock,
            self._watchdog,
            self._interceptors,
            self._breaker_for,
            self._config.secret_headers,
            self._instruments,
            read_stream,
            self._service_name,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'' if self._pool.is_started() else 'not '}started>"

    @property
    def config(self) -> HTTPClientConfig:
        """The client's settings."""
        return self._config

    @property
    def future(self) -> "FutureVerbs":
        """The verbs as `FutureResult` values, which never raise."""
        # returns.future and what it needs: milliseconds that most programs have no use for.
        from railhttp.client.future_verbs import FutureVerbs  # noqa: PLC0415

        return FutureVerbs(self)

    @property
    def interceptors(self) -> InterceptorChain:
        """The interceptors; one that is added or taken out counts from the next attempt on."""
        return self._interceptors

    @property
    def pool(self) -> ConnectionPool:
        """The connection pool; setting it replaces the pool, the old one stops with the client."""
        return self._pool

    @pool.setter
    def pool(self, value: ConnectionPool) -> None:
        self._retired.append(self._pool)
        self._pool = value
        self._layers = self._assemble()

    async def start(self) -> None:
        """Start the client and its pool; may be called twice, and again after `stop()`.

        Raises:
            HTTPConnectionError: It was started on another event loop, and not stopped there (kind
                `closed`): each loop needs a client of its own.
        """
        await self._pool.start()

    async def stop(self) -> None:
        """End all calls that are under way (kind `closed`) and close all connections.

        Connections are closed to the last one also where the caller is cancelled meanwhile. A call
        that stops its own client, by an interceptor for instance, ends at that like all others.
        """
        self._watchdog.close()
        self._closing = asyncio.ensure_future(self._close_pools())
        await asyncio.shield(self._closing)
        await self._events.drain()

    async def _close_pools(self) -> None:
        await self._pool.stop()
        while self._retired:
            await self._retired.pop().stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    @classmethod
    @asynccontextmanager
    async def session_context(
        cls,
        config: HTTPClientConfig | None = None,
        retry_policy: RetryPolicyProtocol | None = None,
        circuit_breaker: CircuitBreakerProtocol | None = None,
        interceptors: Iterable[InterceptorProtocol] = (),
    ) -> AsyncGenerator[Self, None]:
        """Give a started client, and stop it at the end of the block.

        Args:
            config: See `HTTPClient`.
            retry_policy: See `HTTPClient`.
            circuit_breaker: See `HTTPClient`.
            interceptors: See `HTTPClient`.

        Example:
            >>> import asyncio
            >>> async def main() -> bool:
            ...     async with HTTPClient.session_context() as client:
            ...         return client.pool.is_started()
            >>> asyncio.run(main())
            True
        """
        async with cls(config, None, retry_policy, circuit_breaker, interceptors) as client:
            yield client

    async def request(
        self, method: str, url: str, **options: Unpack[RequestOptions]
    ) -> HttpResponse:
        """Make a request, and raise whatever goes wrong.

        Args:
            method: The HTTP method, in any case.
            url: The target URL, or a path behind the base URL.
            **options: See `RequestOptions`.

        Returns:
            The response, whatever its status.

        Raises:
            HTTPClientError: There was no response; always one of `HTTPFailure`.
            TypeError: There is no such option.
        """
        return await self._perform(self._call(method, url, options))

    async def post_multipart(
        self, url: str, fields: "FormFields", **options: Unpack[RequestOptions]
    ) -> Result[HttpResponse, HTTPFailure]:
        """Upload a form as `multipart/form-data` (RFC 7578) by POST.

        Args:
            url: The target URL, or a path behind the base URL.
            fields: Field names with text; bytes, sent as a file named like the field; a tuple
                `(filename, data, content_type)`; or an open binary file, which is streamed.
            **options: See `RequestOptions`; `json` and `data` are not allowed.

        Returns:
            See `get`.

        Raises:
            HTTPCircuitOpenError: See `get`.
            HTTPRetryExhaustedError: See `get`.
        """
        from railhttp.wire.multipart import encode_multipart  # noqa: PLC0415  # few send forms

        boundary = random_id(self._clock)
        return await self._outcome(
            "POST", url, options, lambda: encode_multipart(fields, boundary, measure_file)
        )

    async def _outcome(
        self,
        method: str,
        url: str,
        options: RequestOptions,
        make_body: Callable[[], Body] | None = None,
    ) -> Result[HttpResponse, HTTPFailure]:
        """The boundary: below it failures are raised, above it they are returned."""
        try:
            response = await self._perform(self._call(method, url, options, make_body))
        except FAILURES as failure:
            signal = isinstance(failure, HTTPCircuitOpenError | HTTPRetryExhaustedError)
            if signal and not self._config.total:
                raise
            return Failure(failure)
        if response.status >= 400:
            secret = self._config.secret_headers
            return Failure(HTTPStatusError(response, secret_headers=secret))
        return Success(response)

    def _call(
        self,
        method: str,
        url: str,
        options: RequestOptions,
        make_body: Callable[[], Body] | None = None,
    ) -> Call:
        request, host, timeout, attempt_timeout = self._prepared(method, url, options, make_body)
        return Call(request, host, self._layers, timeout, attempt_timeout)

    def _prepared(
        self,
        method: str,
        url: str,
        options: RequestOptions,
        make_body: Callable[[], Body] | None = None,
    ) -> Prepared:
        try:
            body = None if make_body is None else make_body()
            return self._builder.build(method, url, options, body)
        except HTTPValidationError as error:
            raise _unbuilt(error.message, error.field, method, url) from None
        except Exception as error:
            if options.keys() - RequestOptions.__annotations__.keys():
                raise  # there is no such option
            message = f"an argument raised {type(error).__name__} while it was read"
            raise _unbuilt(message, "", method, url) from error

    @override
    async def _opener(self, method: str, url: str, options: RequestOptions) -> "Opener":
        from railhttp.client.opener import Opener  # noqa: PLC0415  # streams alone need it

        bounded = "timeout" in options
        if not bounded and "read_timeout" not in options and self._config.read_timeout is None:
            options = {**options, "read_timeout": self._config.timeout}
        prepared = self._prepared(method, url, options)
        return Opener(prepared, self._layers, self._perform, bounded=bounded)

    def _perform(self, call: Call) -> Awaitable[HttpResponse]:
        if (calls := JOURNAL.get()) is not None:
            calls.append(call)
        listeners = call.listeners
        observations = listeners.call_started(call.dispatch()) if listeners else ()
        attempted = self._attempted(call)
        return observed(attempted, observations, call, self._clock) if observations else attempted

    async def _attempted(self, call: Call) -> HttpResponse:
        try:
            with self._watchdog.watch(call.timeout, call, call.timed_out):
                # A body that can be read only once is sent once: no foreign policy may try again.
                if not (call.replayable or self._spares_bodies):
                    return await call()
                answer: object = await self._policy.execute(call)
        except ClosedError as error:
            raise HTTPConnectionError(str(error), kind="closed", **call.call_info()) from None
        except FAILURES:
            raise
        except Exception as error:  # noqa: BLE001  # whatever a plugged-in policy raises
            return call.given_up(error)
        return answer if isinstance(answer, HttpResponse) else call.made_up(answer)


def _finds(
    breaker: CircuitBreakerProtocol | None,
) -> Callable[[str], CircuitBreakerProtocol] | None:
    """Give what finds the breaker for an origin: it is the same for all, or each has its own."""
    if breaker is None:
        return None
    from railhttp.pipeline.policies.breaker_registry import OriginBreakers  # noqa: PLC0415  # few have breakers

    # One coroutine less for each attempt than by its `call`, unless a subclass has another.
    if isinstance(breaker, OriginBreakers) and type(breaker).call is OriginBreakers.call:
        return breaker.for_origin
    return lambda _: breaker


def _unbuilt(message: str, field: str, method: object, url: object) -> HTTPInvalidRequestError:
    """Build the failure of a call that never became a request."""
    return HTTPInvalidRequestError(
        message, field=field, method=_shown(method), url=_shown(url), attempts=0
    )


def _shown(value: object) -> str:
    """Give a text; of what should be one and is none even `str()` may raise."""
    return str.__str__(value) if isinstance(value, str) else ""
