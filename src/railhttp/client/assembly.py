"""Assembles the chains of a client from its parts."""

from functools import partial
from typing import NamedTuple

from railhttp.client.collaborators import Policies
from railhttp.client.request_builder import RequestBuilder
from railhttp.client.side_client import SideClient
from railhttp.model.base_url import BaseURL
from railhttp.model.clock import Clock
from railhttp.model.config import HTTPClientConfig
from railhttp.model.exchange import Exchange
from railhttp.model.url import request_url
from railhttp.pipeline.http_call import Send
from railhttp.pipeline.interceptors.chain import InterceptorChain
from railhttp.pipeline.layers import Exchanged, Settings, build, opened, while_started
from railhttp.pipeline.policies.retry import RetryPolicy
from railhttp.pipeline.stack import Stack
from railhttp.pipeline.timeouts import Timeouts
from railhttp.policy.egress import Egress
from railhttp.transport.pool import NOT_STARTED, ConnectionPool
from railhttp.transport.request_body import read_stream


class Parts(NamedTuple):
    """The parts of a client that its chains are built from.

    Attributes:
        exchange: Replaces the pool; None for the pool.
        egress: The gate that every connection must pass.
        home: The origin to which interceptors send credentials; empty for any.
    """

    config: HTTPClientConfig
    clock: Clock
    timeouts: Timeouts
    policies: Policies
    interceptors: InterceptorChain
    exchange: Exchange | None
    home: str
    service_name: str | None
    egress: Egress | None


def chains(parts: Parts, pool: ConnectionPool) -> tuple[Send, Send]:
    """Compose the chains of a client: for whole responses, and for streams."""
    # After the pool, and with it aiohttp, has been imported; see `ConnectionPool.__init__`.
    from railhttp.transport.exchange import AiohttpExchange  # noqa: PLC0415

    exchange = parts.exchange or AiohttpExchange(
        pool, parts.clock, parts.timeouts.limit, parts.egress
    )
    send: Exchanged = exchange.send
    open_ = opened(exchange.open)
    if parts.exchange is not None:
        send = while_started(send, pool.is_started, NOT_STARTED)
        open_ = while_started(open_, pool.is_started, NOT_STARTED)
    settings = Settings(
        parts.policies.stack,
        parts.timeouts,
        parts.interceptors,
        _kept_at_origin(parts),
        read_stream,
        parts.service_name,
        parts.home,
        SideClient(
            RequestBuilder(parts.config, parts.clock),
            partial(_side_chain, parts, send),
            parts.clock,
        ),
    )
    return build(send, settings), build(open_, settings)


def _side_chain(parts: Parts, send: Exchanged) -> Send:
    # Without the client's policies: a bulkhead would wait for itself, and a breaker would count
    # the failures of the token server (tests/auth/test_tokens.py).
    stack = Stack(retry=RetryPolicy(reraise=True))
    secret = _kept_at_origin(parts)
    return build(send, Settings(stack, parts.timeouts, InterceptorChain(), secret, read_stream))


def _kept_at_origin(parts: Parts) -> frozenset[str]:
    """Return the names of the fields that a redirect to another origin loses."""
    secret = parts.config.secret_headers
    # Our transport sends this one to proxies only; another exchange may not know proxies.
    return secret - {"proxy-authorization"} if parts.exchange is None else secret


def usual_limits(config: HTTPClientConfig, policies: Policies) -> tuple[float | None, ...]:
    """Return the time limits that recur."""
    usual = (config.timeout, config.attempt_timeout, config.read_timeout)
    return (None, *usual, *policies.limits)


def home_of(base: BaseURL | None, *, share_credentials: bool) -> str:
    """Return the origin to which interceptors send credentials; empty for any."""
    if base is None or base.origin is None or share_credentials:
        return ""
    return str(request_url(base.url).origin())
