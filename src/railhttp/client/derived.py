"""The settings in which a derived client differs from the client that it comes from."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import NamedTuple, Self, TypedDict, cast

from railhttp.client.collaborators import Policies, check_collaborators
from railhttp.model.base_url import BaseURL
from railhttp.model.clock import Clock
from railhttp.model.config import HTTPClientConfig
from railhttp.model.errors import HTTPValidationError
from railhttp.model.options import with_default_headers
from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.model.url import origin_of, request_url
from railhttp.pipeline.stack import CircuitBreakerProtocol, ResiliencePipelineProtocol


class ClientOptions(TypedDict, total=False):
    """The arguments of `with_options`; those that are left out stay as they are.

    Attributes:
        timeout: Seconds for a whole call; the other limits are shortened to it if necessary.
        headers: Header fields of every request, in addition to those of the client.
        base_url: Replaces the base URL. If it has another origin, the secret default header fields
            of the client are not taken over, and credentials of interceptors stay at their origin.
        secret_headers: Names in addition to those of the client.
        retry_policy: See `HTTPClient`, as for `circuit_breaker`, `resilience` and `service_name`.
    """

    timeout: float | None
    attempt_timeout: float | None
    connect_timeout: float | None
    read_timeout: float | None
    max_response_bytes: int
    max_redirects: int
    allow_insecure_redirects: bool | None
    secret_headers: Collection[str]
    total: bool
    retry_policy: RetryPolicyProtocol | None
    circuit_breaker: CircuitBreakerProtocol | None
    resilience: ResiliencePipelineProtocol | None
    headers: Mapping[str, str] | None
    base_url: str
    service_name: str | None


class Change(NamedTuple):
    """What a derived client has of its own."""

    config: HTTPClientConfig
    policies: Policies
    base: BaseURL | None

    @classmethod
    def of(
        cls,
        options: ClientOptions,
        config: HTTPClientConfig,
        policies: Policies,
        base: BaseURL | None,
        share_credentials: bool,
        clock: Clock,
    ) -> Self:
        """Apply the options to what the client has.

        Raises:
            HTTPValidationError: An option is not valid.
            TypeError: An option does not exist.
        """
        if unknown := options.keys() - ClientOptions.__annotations__.keys():
            raise TypeError(f"unexpected keyword argument {min(unknown)!r}")
        retry, breaker = options.get("retry_policy"), options.get("circuit_breaker")
        resilience = options.get("resilience")
        check_collaborators(retry_policy=retry, circuit_breaker=breaker, resilience=resilience)
        changed = derived_config(config, options)
        return cls(
            changed,
            policies.replaced(retry, breaker, resilience, clock),
            _derived_base(base, options, changed.secret_headers, share_credentials),
        )


def derived_config(config: HTTPClientConfig, options: ClientOptions) -> HTTPClientConfig:
    """Return the settings of a derived client.

    Raises:
        HTTPValidationError: A setting is out of range.

    Example:
        >>> derived_config(HTTPClientConfig(read_timeout=10), {"timeout": 5}).read_timeout
        5
    """
    timeout = options.get("timeout", config.timeout)
    secret = options.get("secret_headers", ())
    if isinstance(secret, str):
        raise HTTPValidationError("must be a collection of names", field="secret_headers")
    return replace(
        config,
        timeout=timeout,
        attempt_timeout=options.get("attempt_timeout", _within(config.attempt_timeout, timeout)),
        connect_timeout=options.get("connect_timeout", _within(config.connect_timeout, timeout)),
        read_timeout=options.get("read_timeout", _within(config.read_timeout, timeout)),
        max_response_bytes=options.get("max_response_bytes", config.max_response_bytes),
        max_redirects=options.get("max_redirects", config.max_redirects),
        allow_insecure_redirects=options.get(
            "allow_insecure_redirects", config.allow_insecure_redirects
        ),
        secret_headers=config.secret_headers | frozenset(secret),
        total=options.get("total", config.total),
    )


def _within(limit: float | None, timeout: float | None) -> float | None:
    return limit if limit is None or timeout is None else min(limit, timeout)


def _derived_base(
    base: BaseURL | None,
    options: ClientOptions,
    secret: frozenset[str],
    share_credentials: bool,
) -> BaseURL | None:
    url = options.get("base_url", "" if base is None else base.url)
    headers: Mapping[str, str] = {}
    if base is not None:
        leaves = base.origin is not None and (not url or origin_of(request_url(url)) != base.origin)
        lines = base.public_headers if leaves else base.headers
        headers = {} if lines is None else lines.fields
    merged = with_default_headers({"headers": options.get("headers")}, headers)
    fields = cast("Mapping[str, str] | None", merged["headers"])  # `of` looks at it
    return BaseURL.of(url, fields, secret, share_credentials=share_credentials)
