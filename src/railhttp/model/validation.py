"""The rules for arguments and settings.

Each rule is a `require_*` function: it takes any object, returns the value in its normal form, and
raises `HTTPValidationError` if the value breaks the rule. The documented `validate_*` functions
only raise. No error shows a refused text, because the text may be secret.
"""

import re
import sys
from collections.abc import Awaitable, Coroutine
from inspect import iscoroutinefunction
from math import inf
from typing import Final

from railhttp.model.authority import normal_authority, normal_host
from railhttp.model.errors import HTTPValidationError
from railhttp.model.spelling import Reference

MAX_URL_LENGTH: Final = 65_536
"""Characters. Servers accept 8 to 64 KiB; RFC 9110, section 4.1 recommends 8000 octets or more."""

SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
"""The start of an absolute URL (RFC 3986, section 3.1)."""

# A pattern that few calls need is text: `re` compiles and caches it when it is first used. One with
# surrogates takes as long to compile as 1 % of `import aiohttp` (decision 233).
_CONTROL: Final = r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]"

OWS: Final = " \t"
"""Optional white space (RFC 9110, section 5.6.3): all that may be stripped from wire text.

`str.strip()` without it takes `\\x0bchunked` for `chunked`.
"""

TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A method, or the name of a header field or a cookie (RFC 9110, section 5.6.2)."""

LARGEST_INT: Final = 10**640
"""`str()` converts every smaller int: 640 digits is the lowest limit that Python can be given."""

_UNFIT: Final = rf"\s|{_CONTROL}"
_DEFAULT_PORTS: Final = {"http:": ":80", "https:": ":443"}
HTTP: Final = "(?i:https?://)"


def describe(value: object) -> str:
    """Describe a refused value for an error: a number by its digits, anything else by its type."""
    if type(value) is int and abs(value) >= LARGEST_INT:
        return "a number of more than 640 digits"
    if type(value) in {int, float, bool}:
        return repr(value)
    return type(value).__name__


def mismatch(wanted: str, value: object, field: str) -> HTTPValidationError:
    """Build the error for a value of a wrong type or range: `must be {wanted}, got …`."""
    return HTTPValidationError(f"must be {wanted}, got {describe(value)}", field=field)


def require(holds: bool, message: str, field: str) -> None:
    """Raise `HTTPValidationError` unless a condition holds."""
    if not holds:
        raise HTTPValidationError(message, field=field)


def has_control(text: str) -> bool:
    """Whether a text has a control character, or a surrogate, which UTF-8 cannot encode."""
    return not text.isprintable() and re.search(_CONTROL, text) is not None


def has_surrogate(text: str) -> bool:
    """Whether a text has a surrogate."""
    return not text.isascii() and re.search(r"[\ud800-\udfff]", text) is not None


def require_text(text: object, field: str) -> str:
    """Require a str without control characters and surrogates."""
    plain = require_str(text, field)
    require(not has_control(plain), "must not contain control characters or surrogates", field)
    return plain


def require_str(text: object, field: str) -> str:
    """Require a str, and return the value of an enum instead of its name."""
    if not isinstance(text, str):
        raise mismatch("a str", text, field)
    return str.__str__(text)


def require_host(host: object, field: str = "host") -> str:
    """Require a host without port: a DNS name, an IPv4 address or an IPv6 address.

    A name has at most 253 characters, in labels of 1 to 63 letters, digits, hyphens (RFC 1123,
    section 2.1) and underscores (RFC 2181, section 11). A Unicode name is converted to IDNA, and a
    trailing dot is allowed. A name that ends in a number must be an IPv4 address of four decimal
    parts without leading zeros (WHATWG URL, "ends in a number"). An IPv6 address may stand in
    brackets and must not have a zone. The result is lower-case ASCII; an IPv6 address in it is
    compressed and has no brackets.
    """
    normal = normal_host(require_str(host, field))
    message = "must be a DNS name, an IPv4 or an IPv6 address, without port or zone"
    require(bool(normal), message, field)
    return normal


def require_port(port: object, field: str = "port") -> int:
    """Require a TCP port: an int from 1 to 65535, and not a bool."""
    if isinstance(port, int) and not isinstance(port, bool) and 1 <= port <= 65_535:
        return port
    raise mismatch("an integer from 1 to 65535", port, field)


def require_positive_int(value: object, field: str = "value") -> int:
    """Require an int of 1 or more, and not a bool."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise mismatch("a positive integer", value, field)


def require_count(value: object, field: str) -> int:
    """Require an int of 0 or more, and not a bool."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise mismatch("an integer of 0 or more", value, field)


def require_number(value: object, field: str, *, low: float = 0.0, high: float = inf) -> float:
    """Require a finite number from `low` to `high`, and not a bool."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise mismatch("a number", value, field)
    bound = f"at least {low:g}" if high == inf else f"between {low:g} and {high:g}"
    require(low <= value <= high and value < inf, f"must be {bound}, got {value}", field)
    return value


def require_timeout(timeout: object, field: str = "timeout") -> float | None:
    """Require a positive, finite number of seconds, or None for no limit."""
    if timeout is None:
        return None
    number = timeout if isinstance(timeout, int | float) and not isinstance(timeout, bool) else 0
    if 0 < number <= sys.float_info.max:
        return float(number)
    raise mismatch("a positive number of seconds or None", timeout, field)


def require_flag(value: object, field: str) -> bool:
    """Require True or False."""
    if isinstance(value, bool):
        return value
    raise mismatch("True or False", value, field)


def require_function(value: object, field: str) -> None:
    """Require a plain function, or None for no function.

    An `async def` is refused: nothing awaits it, and its coroutine would count as true.
    """
    if value is None:
        return
    if not callable(value):
        raise mismatch("a function or None", value, field)
    if iscoroutinefunction(value) or iscoroutinefunction(type(value).__call__):
        message = "must be a plain function: an async one would never be awaited"
        raise HTTPValidationError(message, field=field)


def close_awaitable(result: object) -> bool:
    """Return whether a plain function returned an awaitable; a coroutine is closed."""
    if isinstance(result, Coroutine):
        result.close()  # or Python warns that it was never awaited
    return isinstance(result, Awaitable)


def require_methods(value: object, *methods: str, field: str) -> None:
    """Require an object that has the methods which will be called, whatever its class.

    A class itself is refused: it has the methods, but no instance to call them on.
    """
    found = f"the class {value.__name__}" if isinstance(value, type) else describe(value)
    wanted = " and ".join(f"`{method}`" for method in methods)
    has_all = all(callable(getattr(value, method, None)) for method in methods)
    complete = has_all and not isinstance(value, type)
    require(complete, f"must be an object with {wanted}, got {found}", field)


def require_url(url: object, field: str = "url", *, require_scheme: bool = True) -> str:
    """Require an absolute http or https URL (RFC 3986; RFC 9110, section 4.2).

    These are refused: white space, control characters and surrogates anywhere; more than one `@`, a
    backslash or an empty user in the authority; a host that `require_host` refuses; a port that is
    empty or not from 1 to 65535; more than 65536 characters. Scheme and host of the result are in
    normal form (lower case, IDNA, no default port), and a missing scheme that is optional is
    `http`. Path and query stay as they are, except that characters which RFC 3986 does not allow
    are percent-encoded.
    """
    return url_text(require_url_parts(url, field, require_scheme=require_scheme))


def url_text(parts: Reference) -> str:
    """Return the text of a URL without its default port, and with the slash of an empty path."""
    scheme, authority, path, query, fragment = parts
    if query or fragment:
        path = path or "/"
    return f"{scheme}{authority.removesuffix(_DEFAULT_PORTS[scheme])}{path}{query}{fragment}"


def require_url_parts(url: object, field: str = "url", *, require_scheme: bool = True) -> Reference:
    """Require a URL as `require_url` does, and return its parts."""
    text = require_str(url, field)
    is_absolute = require_scheme or SCHEME.match(text)
    absolute = text if is_absolute else f"http://{text.removeprefix('//')}"
    if not absolute or len(absolute) > MAX_URL_LENGTH:
        raise HTTPValidationError(f"must have 1 to {MAX_URL_LENGTH} characters", field=field)
    parts = Reference.clean(absolute)
    if parts is None or not parts.scheme:
        parts = _spelled_parts(absolute, field)
    scheme, authority, path, query, fragment = parts
    normal, problem = normal_authority(authority[2:])
    if problem:
        raise HTTPValidationError(problem, field=field)
    return Reference(scheme, f"//{normal}", path, query, fragment)


def _spelled_parts(url: str, field: str) -> Reference:
    if re.search(_UNFIT, url):
        message = (
            "must not contain white space, control characters or surrogates: percent-encode them"
        )
        raise HTTPValidationError(message, field=field)
    if not re.match(HTTP, url):
        raise HTTPValidationError("must start with http:// or https://", field=field)
    parts = Reference.of(url)
    return parts._replace(scheme=parts.scheme.lower())


def validate_host(host: str) -> None:
    """Validate a host: a DNS name, an IPv4 or an IPv6 address, without port or zone.

    Raises:
        HTTPValidationError: The host is empty or malformed.

    Example:
        >>> validate_host("api.example.com")
    """
    require_host(host)


def validate_port(port: int) -> None:
    """Validate a TCP port, from 1 to 65535.

    Raises:
        HTTPValidationError: The port is out of range, or not an int.

    Example:
        >>> validate_port(8080)
    """
    require_port(port)


def validate_positive_int(value: int, field: str = "value") -> None:
    """Validate an int of 1 or more.

    Args:
        value: The number; a bool is refused.
        field: The name of the argument, for the error.

    Raises:
        HTTPValidationError: The value is less than 1, or not an int.

    Example:
        >>> validate_positive_int(10, "max_connections")
    """
    require_positive_int(value, field)


def validate_timeout(timeout: float | None) -> None:
    """Validate a time limit.

    Args:
        timeout: Seconds; None means no limit.

    Raises:
        HTTPValidationError: The timeout is not a positive, finite number.

    Example:
        >>> validate_timeout(2.5)
    """
    require_timeout(timeout)


def validate_url(url: str, require_scheme: bool = True) -> None:
    """Validate an absolute http or https URL (RFC 3986; RFC 9110, section 4.2).

    Args:
        url: At most 65536 characters, without white space.
        require_scheme: Whether the URL must start with `http://` or `https://`. If not, it may
            also start with `//` (RFC 3986, section 4.2) or with its host.

    Raises:
        HTTPValidationError: The URL is empty or malformed, or a required scheme is missing.

    Example:
        >>> validate_url("https://api.example.com/v1")
    """
    require_url(url, require_scheme=require_scheme)
