"""A cookie, and the requests that carry it (RFC 6265, sections 5.1.2 to 5.1.4)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from yarl import URL

from railhttp.model.errors import HTTPValidationError
from railhttp.wire.set_cookie import CONTROLS, LATEST, SameSite

_LOWER_HOST: Final = re.compile(r"(?!\.)[!-@\[-~]*")
_NUMERIC_LABEL: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class Cookie:
    r"""A cookie in a jar.

    Texts have one character for each byte (Latin-1), as they go back in the bytes in which they
    came: `cookie.value.encode("latin-1").decode()` reads a value that is UTF-8.

    Attributes:
        name: Its name.
        value: Its value, with quotes if it came in quotes. The `repr` leaves it out.
        domain: The host it is sent to, in lower case and for international names in the `xn--`
            form. "" is every host; only code adds such cookies, never a server.
        path: The path whose requests carry it.
        expires: When it expires, in seconds since 1970-01-01 UTC; None for the end of the session.
        secure: Whether it is sent over https only.
        http_only: Whether scripts of web pages must not see it; nothing here depends on it.
        host_only: Whether hosts below `domain` do not get it.
        same_site: Its `SameSite` attribute; nothing here depends on it.

    Raises:
        HTTPValidationError: A field could not be sent, or would be read as another cookie.

    Example:
        >>> Cookie("sid", "7", "shop.test")
        Cookie(name='sid', domain='shop.test', path='/', expires=None, secure=False,
               http_only=False, host_only=True, same_site=None)
        >>> Cookie("sid", "7; admin=1", "shop.test")
        Traceback (most recent call last):
        railhttp.model.errors.HTTPValidationError: value: must not have `;`, control characters,
        characters above U+00FF, or blanks around it
    """

    name: str
    value: str = field(repr=False)
    domain: str
    path: str = "/"
    expires: float | None = None
    secure: bool = False
    http_only: bool = False
    host_only: bool = True
    same_site: SameSite | None = None

    def __post_init__(self) -> None:
        for part in ("name", "value", "domain", "path"):
            if not _is_sendable(getattr(self, part)):
                raise HTTPValidationError(_UNSENDABLE, field=part)
        if not self.name or "=" in self.name:
            raise HTTPValidationError("must not be empty, and must not have `=`", field="name")
        if not self.path.startswith("/"):
            raise HTTPValidationError("must begin with `/`", field="path")
        if not _LOWER_HOST.fullmatch(self.domain):
            problem = "must be a host in lower case and ASCII, without a dot before it"
            raise HTTPValidationError(problem, field="domain")
        if self.expires is not None and not -LATEST <= self.expires <= LATEST:
            raise HTTPValidationError(
                "must be None or a time before the year 10000", field="expires"
            )
        if self.host_only and not self.domain:
            problem = "must be False for a cookie without a domain, which every host gets"
            raise HTTPValidationError(problem, field="host_only")

    def is_expired(self, now: float) -> bool:
        """Whether it has expired.

        Args:
            now: The time, in seconds since 1970-01-01 UTC.
        """
        return self.expires is not None and self.expires <= now


_UNSENDABLE: Final = (
    "must not have `;`, control characters, characters above U+00FF, or blanks around it"
)


def _is_sendable(text: str) -> bool:
    if ";" in text or text != text.strip(" \t") or CONTROLS.search(text):
        return False
    return text.isascii() or max(text) <= "\xff"


def cookie_header(cookies: Iterable[Cookie]) -> str:
    """Return the value of a `Cookie` field (RFC 6265, 5.4).

    Like other fields it is text in UTF-8, with a surrogate for each byte that is not.

    Example:
        >>> cookie_header([Cookie("a", "1", "h"), Cookie("b", '"2"', "h")])
        'a=1; b="2"'
    """
    return field_text("; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies))


def field_text(octets: str) -> str:
    r"""Return text with one character for each byte as the text of a header field.

    Example:
        >>> field_text("caf\xc3\xa9 \xe9")
        'café \udce9'
    """
    if octets.isascii():
        return octets
    return octets.encode("latin-1").decode("utf-8", "surrogateescape")


def request_host(url: URL) -> str:
    """Return the host as domains of cookies are compared with it (RFC 6265, 5.1.2).

    A dot at its end stays, so `shop.test.` is another host than `shop.test`.

    Example:
        >>> request_host(URL("https://Bücher.test:8443/"))
        'xn--bcher-kva.test'
        >>> request_host(URL("http://[::1]/"))
        '[::1]'
    """
    host = (url.raw_host or "").lower()
    return f"[{host}]" if ":" in host else host


def domain_matches(host: str, domain: str) -> bool:
    """Whether a host is a domain or below it (RFC 6265, 5.1.3).

    Args:
        host: A host in canonical form, see `request_host`.
        domain: A domain in lower case.

    Example:
        >>> domain_matches("www.shop.test", "shop.test"), domain_matches("10.0.0.1", "0.0.1")
        (True, False)
    """
    return host == domain or (host.endswith(f".{domain}") and not is_address(host))


def is_address(host: str) -> bool:
    """Whether a host is an IP address, which has no domains above it.

    Like browsers it takes every host whose last label is a number for an IPv4 address.

    Example:
        >>> is_address("127.1"), is_address("[::1]"), is_address("1.test")
        (True, True, False)
    """
    return host.startswith("[") or bool(
        _NUMERIC_LABEL.fullmatch(host.removesuffix(".").rpartition(".")[2])
    )


def default_path(path: str) -> str:
    """Return the path of a cookie that was set without one (RFC 6265, 5.1.4).

    Example:
        >>> default_path("/a/b"), default_path("/a"), default_path("/a/b/")
        ('/a', '/', '/a/b')
    """
    return path[: path.rfind("/")] or "/" if path.startswith("/") else "/"


def path_matches(path: str, cookie_path: str) -> bool:
    """Whether a cookie's path covers a request's path (RFC 6265, 5.1.4).

    Both are compared as they are, with their percent-encodings.

    Example:
        >>> path_matches("/a/b", "/a"), path_matches("/ab", "/a"), path_matches("/a%2Fb", "/a")
        (True, False, False)
    """
    return path == cookie_path or (
        path.startswith(cookie_path)
        and (cookie_path.endswith("/") or path[len(cookie_path)] == "/")
    )


def covering_paths(path: str) -> Iterator[str]:
    """Return every path of a cookie that covers a path.

    Example:
        >>> sorted(covering_paths("/a/b"))
        ['/', '/a', '/a/', '/a/b']
    """
    yield path
    for index, character in enumerate(path):
        if character == "/":
            yield path[: index + 1]
            if index:
                yield path[:index]
