"""Finds out why a URL cannot be requested: name, proxy, route, TLS, HTTP or content.

`diagnose` looks at each step on its own, makes one GET with a client, and judges all of it by
`railhttp.policy.diagnosis`, which is pure. On the command line it is `railhttp doctor URL`.
"""

import asyncio
import os
import ssl
import time
from collections.abc import Mapping
from typing import Final

from yarl import URL

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HTTPFailure,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPValidationError,
    RetryPolicy,
    validate_timeout,
)
from railhttp.cli import probe
from railhttp.model.diagnosis import (
    Diagnosis,
    Facts,
    Finding,
    NameFacts,
    ProxyFacts,
    RouteFacts,
    Severity,
    Step,
    TlsFacts,
)
from railhttp.model.errors import FAILURES
from railhttp.model.proxy import ProxySettings, ProxyVariable
from railhttp.model.validation import require_url
from railhttp.policy.diagnosis import judge
from railhttp.transport.tls import tls_context
from railhttp.urls import redact_url

__all__ = ["Diagnosis", "Finding", "Severity", "Step", "diagnose"]

MAX_BODY_BYTES: Final = 1024 * 1024
"""How much of the body is read."""


async def diagnose(
    url: str,
    *,
    config: HTTPClientConfig | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 10.0,
) -> Diagnosis:
    """Find out whether a GET of a URL succeeds, and what is at fault if it does not.

    It resolves the name, connects to each address, makes a TLS handshake, and sends one GET. If
    TLS fails it makes up to three more handshakes to find the reason. One of them is not verified
    and sends a `HEAD /` for the server's time, with no header field but `Host`.

    Args:
        url: An http or https URL.
        config: The settings of the client that makes the GET: its proxy, its TLS context. Those of
            `HTTPClientConfig()` if None.
        headers: Header fields of the GET.
        timeout: Seconds for each step.

    Returns:
        The findings, in the order of the steps, and the failure of the GET.

    Raises:
        HTTPInvalidRequestError: The URL is not one that can be requested.
        HTTPValidationError: The timeout is not a positive number of seconds, or the client
            certificate of `config` cannot be loaded.

    Example:
        >>> found = asyncio.run(diagnose("http://127.0.0.1:1/"))
        >>> found.at_fault, found.fault.what
        ('route', 'connect 127.0.0.1:1 connection refused')
    """
    validate_timeout(timeout)
    try:
        target = URL(require_url(url))
    except HTTPValidationError as error:
        raise HTTPInvalidRequestError(
            error.message, field="url", method="GET", url=str(url), attempts=0
        ) from None
    config = config or HTTPClientConfig()
    proxy, proxy_url = proxy_of(target, config)
    end = URL(proxy_url) if proxy_url else target
    host, port = end.host or "", end.port or 0
    name = NameFacts(host) if proxy.error else await probe.resolve(host, port, timeout)
    routes = await _routes(name, port, timeout)
    tls = None if proxy_url else await _tls(target, routes, config, timeout)
    outcome = await _get(url, config, headers, timeout)
    now = time.time()
    facts = Facts(url, proxy, name, routes, tls, outcome, now, _skew(outcome, now))
    return judge(facts)


def proxy_of(target: URL, config: HTTPClientConfig) -> tuple[ProxyFacts, str]:
    """Find the proxy that the client uses, redacted and as a URL with credentials."""
    if config.proxy is not None:
        return ProxyFacts(redact_url(config.proxy), "config"), config.proxy
    settings = ProxySettings.from_environment(os.environ if config.trust_env else {})
    variable = settings.https if target.scheme == "https" else settings.http
    source = variable.name if isinstance(variable, ProxyVariable) else ""
    try:
        url = settings.proxy_for(target)
    except HTTPValidationError as error:
        return ProxyFacts(source=source, error=error.message), ""
    if url is None:
        return ProxyFacts(bypassed=variable is not None), ""
    return ProxyFacts(redact_url(url), source), url


async def _routes(name: NameFacts, port: int, timeout: float) -> tuple[RouteFacts, ...]:
    connecting = (probe.connect(address, port, timeout) for address in name.addresses)
    return tuple(await asyncio.gather(*connecting))


async def _tls(
    target: URL, routes: tuple[RouteFacts, ...], config: HTTPClientConfig, timeout: float
) -> TlsFacts | None:
    route = next((route for route in routes if not route.error), None)
    if route is None or target.scheme != "https":
        return None
    host = target.host or ""
    return await probe.handshake(host, route.address, route.port, context_of(config), timeout)


def context_of(config: HTTPClientConfig) -> ssl.SSLContext | None:
    """Choose the TLS context of a client; None is the default one."""
    pool = config.pool
    is_default = pool.ssl_context is None and pool.cert is None and pool.verify_ssl is True
    return None if is_default else tls_context(pool)


async def _get(
    url: str, config: HTTPClientConfig, headers: Mapping[str, str] | None, timeout: float
) -> HttpResponse | HTTPFailure:
    limited = HTTPClientConfig(
        config.pool,
        config.proxy,
        config.trust_env,
        timeout=timeout,
        max_response_bytes=MAX_BODY_BYTES,
        secret_headers=config.secret_headers,
    )
    try:
        async with HTTPClient(limited, retry_policy=RetryPolicy(1)) as client:
            return await client.request("GET", url, headers=headers)
    except FAILURES as failure:
        return failure


def _skew(outcome: HttpResponse | HTTPFailure, now: float) -> float | None:
    if not isinstance(outcome, HttpResponse):
        return None
    return probe.skew_of(outcome.headers.get("Date", ""), now)
