"""What a host, a port, a URL, a timeout or a count must be.

Each rule is written once, in a `check_*` function that takes anything and gives a `Result`; its
`validate_*` twin is the same rule unwrapped. No refusal shows a text it refuses: it may be secret.
"""

import re
import sys
from typing import Final, TypeVar

from returns.result import Failure, Result, Success
from yarl import URL

from railhttp.model.authority import authority_problem, normal_host
from railhttp.model.errors import HTTPValidationError

T = TypeVar("T")

MAX_URL_LENGTH: Final = 65_536
"""Characters. Servers take 8 to 64 KiB (RFC 9110, section 4.1 asks for 8000 octets)."""

SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
"""The start of an absolute URL (RFC 3986, section 3.1)."""

CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""A control character, or a surrogate, which has no encoding."""

TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A method, or the name of a header field or a cookie (RFC 9110, section 5.6.2)."""

LARGEST_INT: Final = 10**640
"""Where numbers stop to have a text: the least limit that Python's `str` of an int can have."""

_SPACE: Final = re.compile(r"\s")
_START: Final = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)


def or_raise(result: Result[T, HTTPValidationError]) -> T:
    """Unwrap the outcome of a check.

    Args:
        result: What a `check_*` function gave.

    Returns:
        The checked value.

    Raises:
        HTTPValidationError: The check failed with it.

    Example:
        >>> or_raise(check_port(443))
        443
    """
    if isinstance(result, Failure):
        raise result.failure()
    return result.unwrap()


def refusal(message: str, field: str) -> Failure[HTTPValidationError]:
    """Build the failure of a check: what is wrong with `field`, and what would be right.

    Example:
        >>> refusal("must not be empty", "token").failure().field
        'token'
    """
    return Failure(HTTPValidationError(message, field=field))


def shown(value: object) -> str:
    """Describe a refused value: a number is shown, of anything else its type only.

    Example:
        >>> shown(0), shown(True), shown("s3cret")
        ('0', 'True', 'str')
    """
    if type(value) is int and abs(value) >= LARGEST_INT:
        return "a number of more than 640 digits"
    if type(value) in {int, float, bool}:
        return repr(value)
    return type(value).__name__


def check_text(text: object, *, field: str) -> Result[str, HTTPValidationError]:
    """Check a text: a str without control characters and surrogates.

    Args:
        text: Anything.
        field: The name of the argument in the refusal.

    Returns:
        The text.

    Example:
        >>> str(check_text(b"ann", field="username").failure())
        'username: must be a str, got bytes'
    """
    if not isinstance(text, str):
        return refusal(f"must be a str, got {shown(text)}", field)
    if CONTROL.search(text):
        return refusal("must not contain control characters or surrogates", field)
    return Success(str.__str__(text))  # an enum's text, not its name


def check_host(host: object, *, field: str = "host") -> Result[str, HTTPValidationError]:
    """Check a host: a DNS name, an IPv4 or an IPv6 address, without port.

    A name has labels of 1 to 63 letters, digits, hyphens and underscores (RFC 1123, section 2.1;
    underscores after RFC 2181, section 11) and 253 characters at most; a unicode name is taken
    as its IDNA form, and a dot may close it. A name that ends in a number must be an IPv4 address
    of four decimal parts without leading zeros (WHATWG URL, "ends in a number"). An IPv6 address
    may stand in brackets, and has no zone.

    Args:
        host: Anything.
        field: The name of the argument in the refusal.

    Returns:
        The host in lower case and ASCII; an IPv6 address compressed and without brackets.

    Example:
        >>> check_host("Bücher.example").unwrap(), check_host("[0:0::1]").unwrap()
        ('xn--bcher-kva.example', '::1')
        >>> str(check_host("0177.0.0.1").failure())
        'host: must be a DNS name, an IPv4 or an IPv6 address, without port or zone'
    """
    if not isinstance(host, str):
        return refusal(f"must be a str, got {shown(host)}", field)
    if normal := normal_host(host):
        return Success(normal)
    return refusal("must be a DNS name, an IPv4 or an IPv6 address, without port or zone", field)


def check_port(port: object, *, field: str = "port") -> Result[int, HTTPValidationError]:
    """Check a TCP port: an int from 1 to 65535; a bool is none.

    Args:
        port: Anything.
        field: The name of the argument in the refusal.

    Returns:
        The port.

    Example:
        >>> check_port(443)
        <Success: 443>
    """
    if isinstance(port, int) and not isinstance(port, bool) and 1 <= port <= 65_535:
        return Success(port)
    return refusal(f"must be an integer from 1 to 65535, got {shown(port)}", field)


def check_positive_int(value: object, field: str = "value") -> Result[int, HTTPValidationError]:
    """Check a count: an int of 1 or more; a bool is none.

    Args:
        value: Anything.
        field: The name of the argument in the refusal.

    Returns:
        The count.

    Example:
        >>> str(check_positive_int(True, "max_connections").failure())
        'max_connections: must be a positive integer, got True'
    """
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return Success(value)
    return refusal(f"must be a positive integer, got {shown(value)}", field)


def check_timeout(
    timeout: object, *, field: str = "timeout"
) -> Result[float | None, HTTPValidationError]:
    """Check a time limit: a positive, finite number of seconds, or None for no limit.

    Args:
        timeout: Anything.
        field: The name of the argument in the refusal.

    Returns:
        The limit, as a float.

    Example:
        >>> check_timeout(30), check_timeout(None)
        (<Success: 30.0>, <Success: None>)
        >>> str(check_timeout(float("nan")).failure())
        'timeout: must be a positive number of seconds or None, got nan'
    """
    if timeout is None:
        return Success(None)
    number = timeout if isinstance(timeout, int | float) and not isinstance(timeout, bool) else 0
    if 0 < number <= sys.float_info.max:
        return Success(float(number))
    return refusal(f"must be a positive number of seconds or None, got {shown(timeout)}", field)


def check_url(
    url: object, require_scheme: bool = True, *, field: str = "url"
) -> Result[str, HTTPValidationError]:
    """Check an absolute http or https URL (RFC 3986; RFC 9110, section 4.2).

    Refused are white space, control characters and surrogates anywhere; more than one `@`, a
    backslash or an empty user in the authority; a host that `check_host` refuses; a port that is
    empty or not from 1 to 65535; and more than 65536 characters.

    Args:
        url: Anything.
        require_scheme: Whether the scheme must be there; where it need not, `http` is meant.
        field: The name of the argument in the refusal.

    Returns:
        The URL in normal form: IDNA host, percent-encoded, dot segments removed.

    Example:
        >>> check_url("HTTPS://Bücher.example/a/../ü?q=1").unwrap()
        'https://xn--bcher-kva.example/%C3%BC?q=1'
        >>> check_url("example.com/x", require_scheme=False).unwrap()
        'http://example.com/x'
        >>> str(check_url("https://ann:s3cret@/").failure())
        'url: must have a host: a DNS name, an IPv4 address, or an IPv6 address in brackets'
    """
    if not isinstance(url, str):
        return refusal(f"must be a str, got {shown(url)}", field)
    text = str.__str__(url)  # an enum's text, not its name
    absolute = text if require_scheme or SCHEME.match(text) else f"http://{text}"
    problem = _url_problem(absolute)
    if not problem:
        try:
            return Success(str(URL(absolute)))
        except ValueError:  # its text shows the URL
            problem = "must percent-encode what is not ASCII in its user and password"
    return refusal(problem, field)


def _url_problem(url: str) -> str:
    if not url or len(url) > MAX_URL_LENGTH:
        return f"must have 1 to {MAX_URL_LENGTH} characters"
    if _SPACE.search(url) or CONTROL.search(url):
        return "must not contain white space, control characters or surrogates: percent-encode them"
    start = _START.match(url)
    return authority_problem(start[1]) if start else "must start with http:// or https://"


def validate_host(host: str) -> None:
    """Validate a host, see `check_host`.

    Args:
        host: A DNS name, an IPv4 or an IPv6 address.

    Raises:
        HTTPValidationError: The host is empty or none of these.

    Example:
        >>> validate_host("api.example.com")
    """
    or_raise(check_host(host))


def validate_port(port: int) -> None:
    """Validate a TCP port, see `check_port`.

    Args:
        port: From 1 to 65535.

    Raises:
        HTTPValidationError: The port is no integer or out of range.

    Example:
        >>> validate_port(8080)
    """
    or_raise(check_port(port))


def validate_positive_int(value: int, field: str = "value") -> None:
    """Validate a count, see `check_positive_int`.

    Args:
        value: 1 or more.
        field: The name of the argument in the refusal.

    Raises:
        HTTPValidationError: The value is no integer or less than 1.

    Example:
        >>> validate_positive_int(10, "max_connections")
    """
    or_raise(check_positive_int(value, field))


def validate_timeout(timeout: float | None) -> None:
    """Validate a time limit, see `check_timeout`.

    Args:
        timeout: Seconds, None for no limit.

    Raises:
        HTTPValidationError: The timeout is no positive, finite number.

    Example:
        >>> validate_timeout(2.5)
    """
    or_raise(check_timeout(timeout))


def validate_url(url: str, require_scheme: bool = True) -> None:
    """Validate an absolute http or https URL, see `check_url`.

    Args:
        url: The URL.
        require_scheme: Whether `http://` or `https://` must stand at its start.

    Raises:
        HTTPValidationError: The URL is empty, malformed, or without the scheme it needs.

    Example:
        >>> validate_url("https://api.example.com/v1")
    """
    or_raise(check_url(url, require_scheme))
