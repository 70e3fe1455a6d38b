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
from railhttp.model.redaction import SECRET_HEADERS

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
@pytest.mark.parametrize("build", [ConnectionPool, HTTPClientConfig])
def test_settings_that_contradict_each_other_are_refused_by_name(
    build: Callable[..., object], field: str, settings: dict[str, object]
) -> None:
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


ACCEPTED: Final[dict[Callable[..., object], dict[str, Collection[object]]]] = {
    ConnectionPoolConfig: {
        "max_connections": (1, 10**6),
        "max_keepalive_connections": (0, 1),
        "max_connections_per_host": (1, 10**6),
        "timeout": (0.001, 1, None),
        "ttl_dns_cache": (0, 1),
        "force_close": (True, False),
        "verify_ssl": (True, False, "system"),
        "ssl_context": (CONTEXT, None),
        "keepalive_timeout": (0.001, 60),
        "cert": ("client.pem", Path("client.pem"), ("client.pem",), ("a", Path("b")), None),
        "resolver": (resolve, None),
        "unix_socket": ("/run/api.sock", None),
    },
    HTTPClientConfig: {
        "pool": (ConnectionPoolConfig(3),),
        "proxy": ("http://proxy.example", "socks5h://h", None),
        "trust_env": (True, False),
        "cookie_jar": (True, False),
        "timeout": (0.001, 1, None),
        "attempt_timeout": (0.001, 30, None),
        "connect_timeout": (0.001, 30, None),
        "read_timeout": (0.001, 30, None),
        "expect_continue_timeout": (0.001, 60, None),
        "max_response_bytes": (1, 10**12),
        "max_redirects": (0, 1),
        "allow_insecure_redirects": (True, False, None),
        "total": (True, False),
        "verify": (True, False, "system"),
        "cert": ("client.pem", ("a", "b")),
        "resolver": (resolve,),
        "unix_socket": ("/run/api.sock",),
        "mask_path": (str.upper, None),
    },
}


@pytest.mark.parametrize(
    ("build", "setting", "value"),
    [
        (build, setting, value)
        for build, settings in ACCEPTED.items()
        for setting, values in settings.items()
        for value in values
    ],
)
def test_a_setting_at_its_limit_is_kept_as_it_was_given(
    build: Callable[..., object], setting: str, value: object
) -> None:
    kept = getattr(build(**{setting: value}), setting)
    assert (kept, type(kept)) == (value, type(value))


def test_the_limits_of_every_setting_are_tested() -> None:
    for kind in (ConnectionPoolConfig, HTTPClientConfig):
        assert {*ACCEPTED[kind]} == {*kind.__dataclass_fields__} - {"secret_headers"}


@pytest.mark.parametrize(
    ("setting", "value"),
    {
        "timeout": 7.0,
        "max_connections": 3,
        "max_keepalive_connections": 2,
        "max_connections_per_host": 4,
        "ttl_dns_cache": 6,
        "force_close": True,
        "verify_ssl": False,
        "ssl_context": CONTEXT,
        "keepalive_timeout": 8.0,
        "cert": "client.pem",
        "resolver": resolve,
        "unix_socket": "/run/api.sock",
    }.items(),
)
def test_a_setting_of_the_pool_may_be_given_to_the_client(setting: str, value: object) -> None:
    pool = ConnectionPoolConfig(9, 1, 9, 9.0, 9)
    build: Callable[..., HTTPClientConfig] = HTTPClientConfig
    changed: Callable[..., ConnectionPoolConfig] = replace
    assert build(pool, **{setting: value}).pool == changed(pool, **{setting: value})
    assert HTTPClientConfig(pool).pool is pool
    with pytest.raises(HTTPValidationError) as caught:
        build(pool, **{setting: object()})
    assert caught.value.field == setting


@pytest.mark.parametrize("limit", ["attempt_timeout", "connect_timeout", "read_timeout"])
def test_no_limit_of_a_part_is_longer_than_that_of_the_whole_call(limit: str) -> None:
    build: Callable[..., HTTPClientConfig] = HTTPClientConfig
    assert getattr(build(timeout=2, **{limit: 2}), limit) == 2
    assert getattr(build(timeout=None, **{limit: 1e6}), limit) == 1e6
    for settings in ({"timeout": 2}, {"pool": ConnectionPoolConfig(timeout=2)}):
        with pytest.raises(HTTPValidationError) as caught:
            build(**settings, **{limit: 2.001})
        assert caught.value.field == limit


def test_an_own_context_goes_with_every_other_way_to_verify() -> None:
    for verify in (True, False):
        config = ConnectionPoolConfig(ssl_context=CONTEXT, verify_ssl=verify)
        assert (config.ssl_context, config.verify_ssl) == (CONTEXT, verify)


def test_verify_goes_before_the_other_spelling() -> None:
    assert HTTPClientConfig(verify=True, verify_ssl=False).pool.verify_ssl is True
    assert HTTPClientConfig(verify_ssl=False).verify is False


@pytest.mark.parametrize("names", [["X-Mine", "a b"], ["X-Mine", 5], {"X-Mine", ""}])
def test_each_of_the_secret_headers_is_checked(names: Collection[str]) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        HTTPClientConfig(secret_headers=names)
    assert caught.value.field == "secret_headers"


def test_secret_headers_are_added_to_the_usual_ones() -> None:
    assert HTTPClientConfig().secret_headers == SECRET_HEADERS
    named = HTTPClientConfig(secret_headers=["X-Mine", "Cookie"]).secret_headers
    assert named == SECRET_HEADERS | {"x-mine"}


@pytest.mark.parametrize("config", [ConnectionPoolConfig(), HTTPClientConfig()])
def test_an_assignment_is_refused_and_changes_nothing(
    config: ConnectionPoolConfig | HTTPClientConfig,
) -> None:
    for name in ("timeout", "other"):
        with pytest.raises(FrozenInstanceError, match=rf"replace\(config, {name}="):
            setattr(config, name, 5)
    assert config.timeout == 30.0


def test_a_proxy_is_shown_without_its_password() -> None:
    shown = repr(HTTPClientConfig(proxy="http://ann:s3cret@proxy.example", total=True))
    assert "proxy='http://proxy.example', " in shown
    assert "total=True, " in shown
    assert "proxy=None, " in repr(HTTPClientConfig())


class Secret:
    def __str__(self) -> str:
        return "s3cret"


@pytest.mark.parametrize(
    ("build", "setting"),
    [
        (build, setting)
        for build in (ConnectionPoolConfig, HTTPClientConfig, ConnectionPool)
        for setting in REFUSED[build]
    ],
)
def test_a_refused_setting_is_named_and_not_shown(
    build: Callable[..., object], setting: str
) -> None:
    """A password in the wrong place must not end up in a log."""
    texts = () if setting in {"cert", "unix_socket", "proxy"} else ("s3cret",)
    for value in (Secret(), *texts):
        with pytest.raises(HTTPValidationError) as caught:
            build(**{setting: value})
        assert caught.value.field == setting
        assert caught.value.message.startswith("must ")
        assert "s3cret" not in str(caught.value)


def test_a_proxy_does_not_reach_the_socket_of_a_pool_either() -> None:
    pool = ConnectionPoolConfig(unix_socket="/run/api.sock")
    with pytest.raises(HTTPValidationError) as caught:
        HTTPClientConfig(pool, proxy="http://proxy.example")
    assert caught.value.field == "unix_socket"
