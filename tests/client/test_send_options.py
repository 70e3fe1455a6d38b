"""How a request is sent, by its options and the settings of its client."""

import ssl
from collections.abc import Mapping
from typing import Final

import pytest
from yarl import URL

from railhttp import HTTPClientConfig, HTTPInvalidRequestError, HTTPValidationError
from railhttp.client.cookie_option import require_cookies
from railhttp.client.request_builder import RequestBuilder
from railhttp.client.send_options import send_options
from railhttp.model.request import SendOptions
from railhttp.pipeline.clock import SYSTEM_CLOCK

TLS = ssl.create_default_context()
CLIENTS = SendOptions()._replace(
    connect_timeout=1.0, read_timeout=2.0, max_redirects=3, allow_insecure_redirects=True
)


def progress(sent: int, total: int | None) -> None:
    """A callback."""


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        ({}, {}),
        ({"headers": {"A": "1"}, "timeout": 5}, {}),
        ({"connect_timeout": 7}, {"connect_timeout": 7}),
        ({"connect_timeout": None}, {"connect_timeout": None}),
        ({"read_timeout": 7}, {"read_timeout": 7}),
        ({"proxy": "http://p"}, {"proxy": "http://p"}),
        ({"proxy": URL("http://p/")}, {"proxy": "http://p/"}),
        ({"proxy": ""}, {"proxy": ""}),
        ({"proxy": None}, {"proxy": None}),
        ({"ssl_context": TLS}, {"ssl_context": TLS}),
        ({"ssl_context": False}, {"ssl_context": False}),
        ({"ssl_context": True}, {"ssl_context": None}),
        ({"ssl_context": None}, {"ssl_context": None}),
        ({"allow_redirects": False}, {"allow_redirects": False}),
        ({"max_redirects": 0}, {"max_redirects": 0}),
        ({"allow_insecure_redirects": False}, {"allow_insecure_redirects": False}),
        ({"allow_insecure_redirects": None}, {"allow_insecure_redirects": True}),
        ({"upload_progress": progress}, {"upload_progress": progress}),
        ({"idempotent": True}, {"idempotent": True}),
        ({"url_template": "/users/{id}"}, {"url_template": "/users/{id}"}),
    ],
)
def test_an_option_overrules_the_setting_of_the_client(
    options: Mapping[str, object], changes: Mapping[str, object]
) -> None:
    found = send_options(CLIENTS, options)  # type: ignore[arg-type]  # a table
    assert found == CLIENTS._replace(**changes)  # type: ignore[arg-type]  # a table
    assert found.allow_redirects is (options.get("allow_redirects", True))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("connect_timeout", -1),
        ("connect_timeout", "1"),
        ("read_timeout", 0),
        ("proxy", "no proxy"),
        ("proxy", 7),
        ("ssl_context", 1),
        ("ssl_context", "context"),
        ("allow_redirects", 1),
        ("max_redirects", -1),
        ("max_redirects", 1.5),
        ("allow_insecure_redirects", 1),
        ("upload_progress", 7),
        ("idempotent", "yes"),
        ("url_template", 7),
    ],
)
def test_an_option_that_makes_no_sense_is_refused_by_name(option: str, value: object) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        send_options(CLIENTS, {option: value})  # type: ignore[misc]  # a table
    assert caught.value.field == option


@pytest.mark.parametrize("cookies", [7, "a=s3cret", [("a", "s3cret", "x")]])
def test_cookies_of_another_type_are_refused_without_their_values(cookies: object) -> None:
    with pytest.raises(HTTPValidationError, match="must be a mapping or a list of pairs") as caught:
        require_cookies(cookies)
    assert caught.value.field == "cookies"
    assert "s3cret" not in str(caught.value)


CONFIGURED: dict[str, object] = {
    "connect_timeout": 3.0,
    "read_timeout": 4.0,
    "expect_continue_timeout": 5.0,
    "max_redirects": 6,
    "allow_insecure_redirects": True,
    "max_response_bytes": 7,
}


@pytest.mark.parametrize("setting", CONFIGURED)
def test_a_setting_of_the_client_is_that_of_each_request(setting: str) -> None:
    value = CONFIGURED[setting]
    config = HTTPClientConfig(**{setting: value})  # type: ignore[arg-type]  # a row of a table
    builder = RequestBuilder(config, SYSTEM_CLOCK)
    for options in ({}, {"headers": {"X-Id": "7"}}, {"idempotent": True}):
        prepared = builder.prepare("GET", "http://h/", options)  # type: ignore[arg-type]  # a row
        assert getattr(prepared.request.options, setting) == value


LIMITED: Final = (
    {"timeout": 3},
    {"timeout": None},
    {"retries": 2},
    {"retries": 0, "timeout": 3.5},
    {"timeout": 99, "attempt_timeout": 98},
    {"attempt_timeout": None},
)


@pytest.mark.parametrize("options", LIMITED)
@pytest.mark.parametrize("limits", [(None, None), (5.0, 4.0), (None, 4.0), (2.0, None)])
def test_of_two_limits_the_shorter_one_counts_beside_whatever_options(
    options: Mapping[str, float], limits: tuple[float | None, float | None]
) -> None:
    """A limit of a call replaces that of the client; the one of a pipeline stays."""
    config = HTTPClientConfig(timeout=20, attempt_timeout=10)
    builder = RequestBuilder(config, SYSTEM_CLOCK, limits=limits)
    expected = (
        shorter(options.get("timeout", 20), limits[0]),
        shorter(options.get("attempt_timeout", 10), limits[1]),
        options.get("retries"),
    )
    for others in ({}, {"headers": {"X-Id": "7"}}, {"idempotent": True}, {"params": {"a": 1}}):
        prepared = builder.prepare("GET", "http://h/", {**options, **others})  # type: ignore[typeddict-item]  # a row
        assert (prepared.timeout, prepared.attempt_timeout, prepared.retry) == expected
        assert prepared.origin == "http://h"


def shorter(first: float | None, second: float | None) -> float | None:
    return min((limit for limit in (first, second) if limit is not None), default=None)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("timeout", value) for value in (0, -1, True, "3", float("nan"), float("inf"))),
        *(("retries", value) for value in (-1, 1.5, True, "3")),
    ],
)
def test_a_limit_that_is_none_is_refused_beside_whatever_options(
    option: str, value: object
) -> None:
    builder = RequestBuilder(HTTPClientConfig(), SYSTEM_CLOCK)
    for others in ({}, {"headers": {"X-Id": "7"}}, {"idempotent": True}):
        with pytest.raises(HTTPInvalidRequestError) as caught:
            builder.prepare("GET", "http://h/", {option: value, **others})  # type: ignore[misc]  # a row
        assert caught.value.field == option
