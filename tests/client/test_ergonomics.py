"""What users see in a console: texts of objects, of errors, and of `help()`."""

import pydoc
from collections.abc import Callable
from dataclasses import FrozenInstanceError

import pytest
from returns.io import IOFailure, IOSuccess
from returns.maybe import Some
from returns.primitives.exceptions import UnwrapFailedError
from returns.result import Failure, Success

from railhttp import (
    CircuitBreakerRegistry,
    ConnectionPoolConfig,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
)
from railhttp.railway import decode, next_link, pages, reader
from railhttp.resilience import AttemptTimeout, OriginBreakers

REFUSED = HTTPConnectionError("refused", kind="connect", method="GET", url="http://h/?k=v")


@pytest.mark.parametrize("container", [Failure, IOFailure])
def test_unwrap_of_a_failure_names_it(container: Callable[[object], Failure[object]]) -> None:
    with pytest.raises(UnwrapFailedError) as caught:
        container(REFUSED).unwrap()
    assert str(caught.value) == str(REFUSED)


def test_unwrap_of_another_value_shows_nothing_of_it() -> None:
    with pytest.raises(UnwrapFailedError) as caught:
        Failure("s3cret").unwrap()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("config", [HTTPClientConfig(), ConnectionPoolConfig()])
def test_a_frozen_config_says_what_to_do(config: object) -> None:
    with pytest.raises(FrozenInstanceError, match=r"dataclasses.replace\(config, timeout=\.\.\.\)"):
        config.timeout = 5  # type: ignore[attr-defined]  # wrong on purpose


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (HTTPClient(base_url="https://h/v1?k=v"), "<HTTPClient https://h/v1?k=*** not started>"),
        (HTTPClient().future, "<FutureVerbs of <HTTPClient not started>>"),
        (HTTPClient().sse("https://h/?k=v"), "<EventSource GET https://h/?k=***>"),
        (
            HTTPClient().sse("https://h/").decoded(int),
            "<DecodedEvents of <EventSource GET https://h/>>",
        ),
        (CircuitBreakerRegistry(), "<CircuitBreakerRegistry of 0 breakers>"),
        (OriginBreakers(), "<OriginBreakers of 0 origins>"),
        (AttemptTimeout(1.5), "<AttemptTimeout of 1.5s>"),
        (decode(int), "decode(int)"),
        (decode(list[int]), "decode(list[int])"),
        (pages(reader.get("/"), next_link, prefetch=1), "<PageReader with 1 ahead>"),
        (pages(reader.get("/"), next_link)(HTTPClient()), "<Pages, 0 so far>"),
    ],
)
def test_what_users_hold_has_a_text(given: object, text: str) -> None:
    assert repr(given) == text


@pytest.mark.parametrize("name", ["get", "post_multipart", "download"])
def test_help_names_the_union_of_failures(name: str) -> None:
    text = pydoc.plain(pydoc.render_doc(getattr(HTTPClient, name)))
    signature = text.splitlines()[2]
    assert "HTTPFailure" in text
    assert "HTTPTimeoutError" not in signature
    assert len(text.splitlines()) < 45


@pytest.mark.parametrize("container", [Success("s3cret"), IOSuccess("s3cret"), Some("s3cret")])
def test_the_missing_failure_of_a_success_has_a_text(container: Success[str]) -> None:
    with pytest.raises(UnwrapFailedError) as caught:
        container.failure()
    assert "s3cret" not in str(caught.value)
