"""What a client is given to work with: refused when it is built, not when a request comes."""

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from railhttp.model.config import HTTPClientConfig
from railhttp.model.errors import HTTPValidationError
from railhttp.model.validation import describe, require_methods
from railhttp.transport.pool import ConnectionPool

T = TypeVar("T")

_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "retry_policy": ("execute",),
    "circuit_breaker": ("call",),
    "resilience": ("execute",),
    "metrics": ("histogram", "increment"),
    "observers": ("__call__",),
    "instruments": ("call_started", "attempt_started"),
    "exchange": ("send", "open"),
    "clock": ("monotonic", "wall", "uniform", "sleep", "call_later"),
}


def check_collaborators(**given: object) -> None:
    """Refuse what cannot do its work.

    Args:
        **given: Arguments of a client by name; None is what was not given.

    Raises:
        HTTPValidationError: One of them has not the methods that it needs; the error names it.
    """
    for name, value in given.items():
        if value is not None:
            require_methods(value, *_METHODS[name], field=name)


def check_each(given: Iterable[T], name: str) -> tuple[T, ...]:
    """Refuse an iterable of collaborators if it is none, or one of them cannot do its work.

    Args:
        given: The collaborators.
        name: The argument.

    Returns:
        All of them.

    Raises:
        HTTPValidationError: See `check_collaborators`.
    """
    collaborators = all_of(given, name)
    for one in collaborators:
        check_collaborators(**{name: one})
    return collaborators


def all_of(given: Iterable[T], name: str) -> tuple[T, ...]:
    """Read an iterable; what is none is refused by name."""
    try:
        return tuple(given)
    except TypeError:
        raise HTTPValidationError(
            f"must be an iterable, got {describe(given)}", field=name
        ) from None


def settings_of(config: object, pool: object) -> HTTPClientConfig:
    """Find a client's settings: those that it was given, or else what its pool knows of them.

    Args:
        config: The settings; None where there are none.
        pool: A pool of the caller's own; None where there is none.

    Raises:
        HTTPValidationError: One of them is something else.

    Example:
        >>> settings_of(None, ConnectionPool(timeout=5)).timeout
        5
        >>> settings_of(HTTPClientConfig(timeout=7), ConnectionPool(timeout=5)).timeout
        7
    """
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
