"""Validation of hosts, ports, URLs, headers, timeouts and counts.

A `validate_*` function raises `HTTPValidationError`. Its `check_*` twin returns the value in normal
form as a `Result` instead.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from multidict import CIMultiDict
from returns.result import Failure, Result, Success

from railhttp.model.errors import HTTPValidationError
from railhttp.model.headers import require_headers, validate_headers
from railhttp.model.validation import (
    require_host,
    require_port,
    require_positive_int,
    require_timeout,
    require_url,
    validate_host,
    validate_port,
    validate_positive_int,
    validate_timeout,
    validate_url,
)

__all__ = [
    "HTTPValidationError",
    "check_headers",
    "check_host",
    "check_pipeline",
    "check_port",
    "check_positive_int",
    "check_timeout",
    "check_url",
    "validate_headers",
    "validate_host",
    "validate_port",
    "validate_positive_int",
    "validate_timeout",
    "validate_url",
]

if TYPE_CHECKING:
    from railhttp.pipeline.stack import Layer, Stack

P = ParamSpec("P")
T = TypeVar("T")


def _outcome(
    rule: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
) -> Result[T, HTTPValidationError]:
    try:
        return Success(rule(*args, **kwargs))
    except HTTPValidationError as error:
        return Failure(error.with_traceback(None))  # its frames would hold what was refused


def check_headers(headers: object) -> Result[CIMultiDict[str], HTTPValidationError]:
    """Check header fields; see `validate_headers`.

    Example:
        >>> check_headers({"X-Page": 2}).unwrap()
        <CIMultiDict('X-Page': '2')>
    """
    return _outcome(require_headers, headers)


def check_host(host: object, *, field: str = "host") -> Result[str, HTTPValidationError]:
    """Check a host; see `validate_host`.

    Example:
        >>> check_host("Bücher.example").unwrap()
        'xn--bcher-kva.example'
    """
    return _outcome(require_host, host, field)


def check_port(port: object, *, field: str = "port") -> Result[int, HTTPValidationError]:
    """Check a TCP port; see `validate_port`.

    Example:
        >>> check_port(443)
        <Success: 443>
    """
    return _outcome(require_port, port, field)


def check_positive_int(value: object, field: str = "value") -> Result[int, HTTPValidationError]:
    """Check an int of 1 or more; see `validate_positive_int`.

    Example:
        >>> str(check_positive_int(True, "max_connections").failure())
        'max_connections: must be a positive integer, got True'
    """
    return _outcome(require_positive_int, value, field)


def check_timeout(
    timeout: object, *, field: str = "timeout"
) -> Result[float | None, HTTPValidationError]:
    """Check a time limit; see `validate_timeout`.

    Example:
        >>> check_timeout(30), check_timeout(None)
        (<Success: 30.0>, <Success: None>)
    """
    return _outcome(require_timeout, timeout, field)


def check_url(
    url: object, require_scheme: bool = True, *, field: str = "url"
) -> Result[str, HTTPValidationError]:
    """Check an absolute http or https URL; see `validate_url`.

    Example:
        >>> check_url("example.com/x", require_scheme=False).unwrap()
        'http://example.com/x'
    """
    return _outcome(require_url, url, field, require_scheme=require_scheme)


def check_pipeline(
    layers: "Iterable[Layer]", *, total: float | None = None
) -> "Result[Stack, HTTPValidationError]":
    """Check whether layers go together; see `railhttp.resilience.require_stack`.

    Example:
        >>> check_pipeline([], total=0.0).failure().field
        'total'
    """
    from railhttp.pipeline.resilience import require_stack  # noqa: PLC0415  # few use it

    return _outcome(require_stack, layers, total=total)
