"""Which cookies a server may set (RFC 6265, section 5.3; RFC 6265bis, section 5.7)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from yarl import URL

from railhttp.model.url import path_of
from railhttp.wire.cookies import (
    Cookie,
    covering_paths,
    default_path,
    domain_matches,
    request_host,
)
from railhttp.wire.set_cookie import SetCookie


def is_single_label(domain: str) -> bool:
    """Whether a domain has no inner dot: the suffixes that are public without any list.

    Example:
        >>> is_single_label("com"), is_single_label("shop.test")
        (True, False)
    """
    return "." not in domain.rstrip(".")


@dataclass(frozen=True, slots=True)
class CookieRules:
    """Decides which cookies a store accepts.

    Attributes:
        is_public_suffix: Whether anyone may register names below a domain, so that no cookie is
            for all of them.
        max_per_domain: Cookies of one domain.
        max_cookies: Cookies in total.
    """

    is_public_suffix: Callable[[str], bool] = is_single_label
    max_per_domain: int = 180  # as in browsers; RFC 6265, section 6.1, wants 50 at least
    max_cookies: int = 3000  # RFC 6265, section 6.1

    def accept(self, asked: SetCookie, url: URL) -> Cookie | None:
        """Decide about a cookie by its own attributes and its origin.

        Args:
            asked: The parsed `Set-Cookie` field.
            url: The URL of the request. One without a host stands for the program itself, whose
                cookies are not checked: without a domain they are for every host.

        Returns:
            The cookie to store; None if the server may not set it.

        Example:
            >>> url = URL("http://www.shop.test/a/b")
            >>> CookieRules().accept(SetCookie("a", "1", domain="shop.test"), url)
            Cookie(name='a', domain='shop.test', path='/a', expires=None, secure=False,
                   http_only=False, host_only=False, same_site=None)
            >>> CookieRules().accept(SetCookie("a", "1", secure=True), url) is None
            True
        """
        host, domain = request_host(url), asked.domain
        if not host:
            return _unchecked(asked)
        if domain and not domain_matches(host, domain):
            return None
        if domain and self.is_public_suffix(domain):
            if domain != host:
                return None
            domain = ""
        if not _keeps_promise(asked, host_only=not domain):
            return None
        if asked.secure and url.scheme != "https":
            return None
        return Cookie(
            asked.name,
            asked.value,
            domain or host,
            default_path(path_of(url)) if asked.path is None else asked.path,
            asked.expires,
            asked.secure,
            asked.http_only,
            not domain,
            asked.same_site,
        )


class SecureCookies:
    """The cookies that a response over http must leave alone (RFC 6265bis, section 5.7).

    Checking one costs the same however many there are, because a response may set thousands.

    Args:
        cookies: The cookies in the store, of which the secure ones count.
    """

    def __init__(self, cookies: Iterable[Cookie]) -> None:
        self._by_name: dict[str, list[Cookie]] = {}
        self._paths: dict[tuple[str, str], set[str]] = {}
        for cookie in cookies:
            if cookie.secure:
                self._by_name.setdefault(cookie.name, []).append(cookie)

    def overlap(self, cookie: Cookie) -> bool:
        """Whether a cookie would replace one of them, or be sent along with one."""
        if cookie.name not in self._by_name:
            return False
        key = (cookie.name, cookie.domain)
        if key not in self._paths:
            self._paths[key] = {
                other.path
                for other in self._by_name[cookie.name]
                if domain_matches(cookie.domain, other.domain)
                or domain_matches(other.domain, cookie.domain)
            }
        return not self._paths[key].isdisjoint(covering_paths(cookie.path))


def _unchecked(asked: SetCookie) -> Cookie:
    return Cookie(
        asked.name,
        asked.value,
        asked.domain,
        asked.path or "/",
        asked.expires,
        asked.secure,
        asked.http_only,
        False,
        asked.same_site,
    )


def _keeps_promise(asked: SetCookie, *, host_only: bool) -> bool:
    """Whether a cookie is what the prefix of its name promises, in any case of letters."""
    name = asked.name.lower()
    if name.startswith("__host-"):
        return asked.secure and host_only and asked.path == "/"
    return asked.secure or not name.startswith("__secure-")
