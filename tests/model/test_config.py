"""Settings: their limits, validated at construction, and the values that are read back."""

import copy
import pickle
import ssl
from collections.abc import Callable, Collection
from dataclasses import FrozenInstanceError, fields, replace
from inspect import Parameter, signature
from pathlib import Path
from typing import Final

import pytest

from railhttp import (
    ConnectionPool,
    ConnectionPoolConfig,
    HTTPClient,
    HTTPClientConfig,
    HTTPValidationError,
)
from railhttp.client.stream_context import StreamContext
from railhttp.egress import Egress
from railhttp.model.context import RequestContext

CONTEXT: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
NO_FLAGS: Final = ("no", 0, 1, None)
NO_SECONDS: Final = (0, -1, True, "5", float("nan"), float("inf"))
NO_COUNT: Final = (-1, 1.5, None, True, "3")

NO_VERIFY: Final = ("yes", "", 1, b"system")
NO_CONNECTION: Final[dict[str, Collection[object]]] = {
    "cert": (5, b"client.pem", "", ("client.pem", ""), ("a", "b", "c"), ()),
    "resolver": ("1.1.1.1", 5),
    "unix_socket": ("", 5, b"/run/x", ("/run/x",)),
}

REFUSED: Final[dict[Callable[..., object], dict[str, Collection[object]]]] = {
    ConnectionPoolConfig: {
        "max_connections": (0, *NO_COUNT),
        "max_keepalive_connections": NO_COUNT,
        "max_connections_per_host": (0, *NO_COUNT),
        "timeout": NO_SECONDS,
        "ttl_dns_cache": NO_COUNT,
        "force_close": NO_FLAGS,
        "verify_ssl": NO_FLAGS,
        "ssl_context": (False, "no", 5),
        "keepalive_timeout": (*NO_SECONDS, None),
        **NO_CONNECTION,
    },
    ConnectionPool: {
        "trust_env": NO_FLAGS,
        "cookie_jar": NO_FLAGS,
        "proxy": ("socks5://h", 5),
        **NO_CONNECTION,
    },
    HTTPClientConfig: {
        "pool": ({"timeout": 3}, None, 5),
        "proxy": ("socks5://h", "http://", "", 5, b"http://h"),
        "trust_env": NO_FLAGS,
        "cookie_jar": NO_FLAGS,
        "timeout": NO_SECONDS,
        "attempt_timeout": (31, *NO_SECONDS),
        "connect_timeout": (31, *NO_SECONDS),
        "read_timeout": (31, *NO_SECONDS),
        "expect_continue_timeout": NO_SECONDS,
        "max_response_bytes": (0, *NO_COUNT),
        "max_redirects": NO_COUNT,
        "allow_insecure_redirects": ("yes", 1, 0),
        "secret_headers": ("X-Session", b"X-Session", [1], [b"X-Session"], ["a b"], 5, None),
        "total": NO_FLAGS,
        "verify": NO_VERIFY,
        **NO_CONNECTION,
        "mask_path": (5, "mask"),
    },
    HTTPClient: {
        "egress": (True, "public", Egress),
        "verify": NO_VERIFY,
        "cert": (5, ""),
        "resolver": (5,),
    },
    Egress: {
        "allow": ("10.0.0.0/8", b"h", 5, None, [5], [""], ["*"], ["a b"], ["h:0"], ["h:70000"]),
        "deny": ("10.0.0.0/8", ["10.0.0.0/40"], ["*.[::1]"], ["http://h"], ["[::1"], ["h:x"]),
        "ports": ("80", 80, [0], [65536], ["80"], [True]),
        "schemes": ("https", 5, ["ftp"], [None]),
    },
}


@pytest.mark.parametrize(
    ("build", "setting", "value"),
    [
        (build, setting, value)
        for build, settings in REFUSED.items()
        for setting, values in settings.items()
        for value in values
    ],
)
def test_a_setting_that_cannot_hold_is_refused_by_name(
    build: Callable[..., object], setting: str, value: object
) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        build(**{setting: value})
    assert caught.value.field == setting


def test_every_setting_is_checked() -> None:
    for kind in (ConnectionPoolConfig, HTTPClientConfig, Egress):
        assert list(REFUSED[kind]) == [*kind.__dataclass_fields__]


@pytest.mark.parametrize("names", [["X-Mine"], {"X-Mine": "1"}, ("x-mine",), {"X-MINE"}])
def test_secret_headers_are_names_in_any_case_and_in_any_collection(
    names: Collection[str],
) -> None:
    secret = HTTPClientConfig(secret_headers=names).secret_headers
    assert isinstance(secret, frozenset)
    assert secret > {"x-mine", "authorization"}


def test_a_proxy_is_kept_as_it_was_given() -> None:
    assert HTTPClientConfig(proxy="proxy.example:3128").proxy == "proxy.example:3128"


def test_the_timeout_is_the_pools_and_goes_before_it() -> None:
    pool = ConnectionPoolConfig(timeout=7)
    assert HTTPClientConfig().timeout == 30.0
    assert HTTPClientConfig(pool).timeout == 7
    for timeout in (5, None):
        config = HTTPClientConfig(pool, timeout=timeout)
        assert config.timeout == config.pool.timeout == timeout


def test_another_pool_keeps_the_settings_of_the_client_that_overrule_it() -> None:
    """`replace` passes every setting that it is not told to change."""
    config, pool = HTTPClientConfig(timeout=5), ConnectionPoolConfig(4, timeout=7, verify_ssl=False)
    changed = replace(config, pool=pool)
    assert (changed.pool.max_connections, changed.timeout, changed.verify) == (4, 5, True)
    assert changed.pool == replace(pool, timeout=5, verify_ssl=True)
    assert replace(config, pool=pool, timeout=7, verify=False).pool == pool


def test_settings_are_values() -> None:
    config = HTTPClientConfig(timeout=5, secret_headers=["X-Mine"])
    for same in (copy.copy(config), pickle.loads(pickle.dumps(config)), replace(config)):
        assert same == config
        assert hash(same) == hash(config)
    assert replace(config, timeout=6).pool.timeout == 6
    assert replace(config, verify=False).pool.verify_ssl is False
    with pytest.raises(FrozenInstanceError):
        config.total = True  # type: ignore[misc]  # the mistake under test


async def resolve(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


CONNECTION: Final[dict[str, object]] = {
    "verify": "system",
    "cert": ("client.pem", Path("client.key")),
    "resolver": resolve,
    "unix_socket": "/run/api.sock",
}


def test_settings_of_connections_are_the_pools_and_go_before_them() -> None:
    pool = ConnectionPoolConfig(verify_ssl=False, cert="other.pem", unix_socket="/run/other.sock")
    config = with_settings(HTTPClientConfig(pool), CONNECTION)
    assert {name: getattr(config, name) for name in CONNECTION} == CONNECTION
    assert config.pool.verify_ssl == "system"
    assert config.pool.unix_socket == "/run/api.sock"
    assert HTTPClientConfig(pool).cert == "other.pem"
    assert pickle.loads(pickle.dumps(config)) == config


def with_settings(config: HTTPClientConfig, settings: dict[str, object]) -> HTTPClientConfig:
    change: Callable[..., HTTPClientConfig] = replace
    return change(config, **settings)


def test_a_path_of_a_socket_is_kept_as_text() -> None:
    assert HTTPClientConfig(unix_socket=Path("/run/api.sock")).unix_socket == "/run/api.sock"


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("verify_ssl", {"verify_ssl": "system", "ssl_context": CONTEXT}),
        ("cert", {"cert": "client.pem", "ssl_context": CONTEXT}),
        ("unix_socket", {"unix_socket": "/run/api.sock", "proxy": "http://h"}),
    ],
)
def test_settings_that_contradict_each_other_are_refused_by_name(
    field: str, settings: dict[str, object]
) -> None:
    build: Callable[..., object] = ConnectionPool
    with pytest.raises(HTTPValidationError) as caught:
        build(**settings)
    assert caught.value.field == field


MIB: Final = 1024 * 1024


@pytest.mark.parametrize(
    ("made", "defaults"),
    [
        (
            ConnectionPoolConfig(),
            {
                "max_connections": 10,
                "max_connections_per_host": 10,
                "max_keepalive_connections": 5,
                "keepalive_timeout": 15.0,
                "timeout": 30.0,
                "ttl_dns_cache": 300,
                "force_close": False,
                "verify_ssl": True,
                "ssl_context": None,
                "cert": None,
                "resolver": None,
                "unix_socket": None,
            },
        ),
        (
            HTTPClientConfig(),
            {
                "pool": ConnectionPoolConfig(),
                "proxy": None,
                "trust_env": True,
                "cookie_jar": True,
                "timeout": 30.0,
                "attempt_timeout": None,
                "connect_timeout": None,
                "read_timeout": None,
                "expect_continue_timeout": 1.0,
                "max_response_bytes": 100 * MIB,
                "max_redirects": 10,
                "allow_insecure_redirects": None,
                "total": False,
                "verify": True,
                "cert": None,
                "resolver": None,
                "unix_socket": None,
                "mask_path": None,
            },
        ),
    ],
)
def test_a_setting_has_the_default_of_the_reference(
    made: ConnectionPoolConfig | HTTPClientConfig, defaults: dict[str, object]
) -> None:
    names = {one.name for one in fields(made)} - {"secret_headers"}
    assert {name: getattr(made, name) for name in names} == defaults


@pytest.mark.parametrize(
    ("function", "parameter", "default"),
    [
        (HTTPClient.sse, "max_event_bytes", 8 * MIB),
        (HTTPClient.download, "max_download_bytes", 16 * 1024 * MIB),
        (StreamContext.aiter_lines, "max_line_bytes", 8 * MIB),
        (StreamContext.aiter_json, "max_line_bytes", 8 * MIB),
        (StreamContext.decoded, "max_line_bytes", 8 * MIB),
    ],
)
def test_a_stream_has_the_default_limit_of_the_reference(
    function: Callable[..., object], parameter: str, default: int
) -> None:
    assert signature(function).parameters[parameter].default == default


@pytest.mark.parametrize(
    ("function", "positional"),
    [
        (
            ConnectionPoolConfig,
            "max_connections max_keepalive_connections max_connections_per_host timeout "
            "ttl_dns_cache force_close",
        ),
        (RequestContext, "method url headers service_name attempt start_time"),
    ],
)
def test_parameters_beyond_the_documented_ones_are_given_by_name(
    function: Callable[..., object], positional: str
) -> None:
    parameters = signature(function).parameters.values()
    named = [one.name for one in parameters if one.kind is not Parameter.KEYWORD_ONLY]
    assert named == positional.split()
