"""Checks the objects that a client is built from: when it is built, not when a request comes."""

import weakref
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple, Self, TypeVar

from railhttp.client.request_builder import Prepared
from railhttp.model.clock import Clock
from railhttp.model.config import UNSET, Certificate, HTTPClientConfig, Resolver, Verify
from railhttp.model.errors import HTTPInvalidRequestError, HTTPValidationError
from railhttp.model.gauges import CircuitState, ClientGauges, GaugeSource
from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.model.validation import describe, require_methods
from railhttp.pipeline.interceptors.chain import Interceptor, InterceptorChain
from railhttp.pipeline.observation.instruments import InstrumentProtocol, MetricsRecorderProtocol
from railhttp.pipeline.observation.listeners import CallListener, Instruments
from railhttp.pipeline.observation.observer_queue import Observer
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.pipeline.stack import CircuitBreakerProtocol, ResiliencePipelineProtocol, Stack
from railhttp.policy.egress import Egress
from railhttp.transport.pool import ConnectionPool

if TYPE_CHECKING:
    from railhttp.client.http_client import HTTPClient
    from railhttp.pipeline.observation.events import EventPublisher

T = TypeVar("T")

_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "retry": ("execute",),
    "retry_policy": ("execute",),
    "circuit_breaker": ("call",),
    "resilience": ("execute",),
    "metrics": ("histogram", "increment"),
    "observers": ("__call__",),
    "instruments": ("call_started", "attempt_started"),
    "exchange": ("send", "open"),
    "clock": ("monotonic", "wall", "uniform", "sleep", "call_later"),
}


class Policies(NamedTuple):
    """The policies of a client, and the time limits that they bring.

    Attributes:
        stack: The policies, each in its place.
        limits: Seconds for a whole call, and for one attempt; None is no limit.
    """

    stack: Stack
    limits: tuple[float | None, float | None] = (None, None)

    @classmethod
    def of(
        cls,
        retry_policy: RetryPolicyProtocol | None,
        circuit_breaker: CircuitBreakerProtocol | None,
        resilience: ResiliencePipelineProtocol | None,
        clock: Clock,
    ) -> Self:
        """Place the policies: `retry_policy` and `circuit_breaker` are short for a pipeline."""
        check_collaborators(
            retry_policy=retry_policy, circuit_breaker=circuit_breaker, resilience=resilience
        )
        if resilience is None:
            retry = RetryPolicy(reraise=True, clock=clock) if retry_policy is None else retry_policy
            return cls(Stack(retry=retry, breaker=circuit_breaker))
        refuse_two_policies(retry_policy, resilience, field="retry_policy")
        from railhttp.pipeline.resilience import ResiliencePipeline  # noqa: PLC0415  # few have one

        # A subclass may do more in its `execute`.
        if (
            isinstance(resilience, ResiliencePipeline)
            and type(resilience).execute is ResiliencePipeline.execute
        ):
            return cls(resilience.stack, resilience.limits)
        return cls(Stack(retry=resilience))

    def replaced(
        self,
        retry_policy: RetryPolicyProtocol | None,
        circuit_breaker: CircuitBreakerProtocol | None,
        resilience: ResiliencePipelineProtocol | None,
        clock: Clock,
    ) -> "Policies":
        """Return the policies of a derived client; each that is not given is shared.

        Raises:
            HTTPValidationError: `retry_policy` and `resilience` are both given.
        """
        if resilience is not None:
            return Policies.of(retry_policy, circuit_breaker, resilience, clock)
        stack = self.stack
        if retry_policy is not None:
            stack = stack._replace(retry=retry_policy)
        if circuit_breaker is not None:
            stack = stack._replace(breaker=circuit_breaker)
        return self._replace(stack=stack)

    def retry_of(self, prepared: Prepared) -> RetryPolicyProtocol | None:
        """Return the retry policy of a call; None for that of the client.

        Raises:
            HTTPInvalidRequestError: A policy of another library has no number of retries.
        """
        given = prepared.retry
        if not isinstance(given, int):
            return given
        usual = self.stack.retry
        if given == 0 or usual is None:
            return RetryPolicy(given + 1, reraise=True)
        if isinstance(usual, RetryPolicy):
            return usual.with_attempts(given + 1)
        raise HTTPInvalidRequestError(
            "needs a RetryPolicy in the client: name a `retry_policy` instead",
            field="retries",
            method=prepared.request.method,
            url=prepared.request.url_text,
            attempts=0,
        )


def refuse_two_policies(retry: object, resilience: object, *, field: str) -> None:
    """Refuse a retry policy beside a pipeline, which would silently replace it."""
    if retry is not None and resilience is not None:
        message = "must not be given with `resilience`: add it to the pipeline instead"
        raise HTTPValidationError(message, field=field)


def check_collaborators(**given: object) -> None:
    """Refuse objects that lack the methods that a client calls.

    Raises:
        HTTPValidationError: An object lacks a method; the error names the argument.
    """
    for name, value in given.items():
        if value is not None:
            require_methods(value, *_METHODS[name], field=name)


def check_each(given: Iterable[T], name: str) -> tuple[T, ...]:
    """Return all objects of an iterable, each checked by `check_collaborators`."""
    collaborators = all_of(given, name)
    for one in collaborators:
        check_collaborators(**{name: one})
    return collaborators


def publisher(observers: Iterable[Observer], clock: Clock) -> "EventPublisher | None":
    """Return the instrument that calls observers; None if there are none."""
    checked = check_each(observers, "observers")
    if not checked:
        return None
    from railhttp.pipeline.observation.events import EventPublisher  # noqa: PLC0415  # few have any

    return EventPublisher(checked, clock)


def instruments_of(
    events: "EventPublisher | None",
    metrics: MetricsRecorderProtocol | None,
    instruments: Iterable[InstrumentProtocol],
    clock: Clock,
) -> Instruments:
    """Return all instruments of a client; those of its observers and metrics come first."""
    own: list[CallListener] = [] if events is None else [events]
    if metrics is not None:
        from railhttp.pipeline.observation.metrics import CallMetrics  # noqa: PLC0415  # few have

        own.append(CallMetrics(metrics, clock.monotonic))
    return Instruments(check_each(instruments, "instruments"), own)


def source_of(client: "HTTPClient") -> GaugeSource:
    """Return the source of a client's gauges while it is started; it keeps no client alive."""
    reference = weakref.ref(client)

    def source() -> ClientGauges | None:
        alive = reference()
        return alive.gauges if alive is not None and alive.pool.is_started() else None

    return source


def circuits_of(breaker: CircuitBreakerProtocol | None) -> Mapping[str, CircuitState]:
    """Return the states of the circuits of a breaker by name; none for another library's."""
    if breaker is None:
        return {}
    from railhttp.pipeline.policies.breaker import CircuitBreaker  # noqa: PLC0415  # few have one
    from railhttp.pipeline.policies.breaker_registry import OriginBreakers  # noqa: PLC0415

    match breaker:
        case CircuitBreaker():
            return {breaker.name: breaker.state}
        case OriginBreakers():
            return breaker.states()
        case _:
            return {}


def chain_of(interceptors: Iterable[Interceptor]) -> InterceptorChain:
    """Return the chain of interceptors; one that is given stays shared."""
    if isinstance(interceptors, InterceptorChain):
        return interceptors
    return InterceptorChain(all_of(interceptors, "interceptors"))


def all_of(given: Iterable[T], name: str) -> tuple[T, ...]:
    """Return all objects of an iterable; refuse anything else, by the name of the argument."""
    try:
        return tuple(given)
    except TypeError:
        raise HTTPValidationError(
            f"must be an iterable, got {describe(given)}", field=name
        ) from None


def settings_of(
    config: object,
    pool: object,
    timeout: float | None = UNSET,
    verify: Verify | None = None,
    cert: Certificate | None = None,
    resolver: Resolver | None = None,
) -> HTTPClientConfig:
    """Return the given settings, or those of the pool; all others override theirs.

    Raises:
        HTTPValidationError: `config` or `pool` is of another type, or a setting of connections is
            not valid, or is given beside a pool, which has its own.
    """
    settings = _settings_of(config, pool)
    connection = {"verify": verify, "cert": cert, "resolver": resolver}
    given = {name: value for name, value in connection.items() if value is not None}
    if given and pool is not None:
        raise HTTPValidationError("must be given to the pool instead", field=min(given))
    changes = given if timeout is UNSET else given | {"timeout": timeout}
    # The values are checked when the new settings are built.
    return replace(settings, **changes) if changes else settings


def _settings_of(config: object, pool: object) -> HTTPClientConfig:
    if not isinstance(pool, ConnectionPool | None):
        raise HTTPValidationError(f"must be a ConnectionPool, got {describe(pool)}", field="pool")
    match config:
        case None:
            return HTTPClientConfig() if pool is None else HTTPClientConfig(pool.config)
        case HTTPClientConfig():
            return config
        case _:
            raise HTTPValidationError(
                f"must be an HTTPClientConfig, got {describe(config)}", field="config"
            )


def pool_of(
    config: HTTPClientConfig, pool: ConnectionPool | None, egress: object, exchange: object
) -> ConnectionPool:
    """Return the pool of a client: the given one, or else one for its settings.

    Raises:
        HTTPValidationError: The egress gate could not see every address to connect to.
    """
    found = pool or ConnectionPool.from_config(
        config.pool, proxy=config.proxy, trust_env=config.trust_env, cookie_jar=config.cookie_jar
    )
    if not isinstance(egress, Egress | None):
        raise HTTPValidationError(f"must be an Egress, got {describe(egress)}", field="egress")
    if egress is not None and (found.has_own_route or exchange is not None):
        message = "must not be given with a proxy, a unix_socket or an exchange, which pass it by"
        raise HTTPValidationError(message, field="egress")
    return found
