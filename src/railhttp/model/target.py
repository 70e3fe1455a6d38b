"""The URL of a request, split as the request sends it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple, Self

from yarl import URL

from railhttp.model.authority import normal_authority
from railhttp.model.authorization import basic_auth
from railhttp.model.memo import Memo, Recurring
from railhttp.model.site import Site, site_at, site_of
from railhttp.model.spelling import CLEAN_PATH_QS, CLEAN_START
from railhttp.model.url import join_queries, request_url
from railhttp.model.validation import MAX_URL_LENGTH


class Target(NamedTuple):
    """An absolute http or https URL without user-info, as a site and what is sent to it.

    A `URL` has these parts too, but to build one costs more than all else that happens to a URL in
    a call, and most calls need none (benchmarks: a URL that differs).

    Attributes:
        site: The scheme, the host and the port.
        path_qs: The path and the query, percent-encoded: the origin form of the request target
            (RFC 9112, section 3.2.1), but empty if the URL has neither.
        fragment: With its `#`; '' if it is empty. It is not sent.
    """

    site: Site
    path_qs: str
    fragment: str

    @classmethod
    def of(cls, url: URL) -> Self:
        """Split a URL without user-info; it stays exactly as it is.

        Example:
            >>> Target.of(URL("https://api.example:443/a?b#c"))[1:]
            ('/a?b', '#c')
        """
        site = site_of(url)
        path_qs, mark, fragment = str(url).removeprefix(site.text).partition("#")
        return cls(site, path_qs, mark + fragment)

    @property
    def url(self) -> URL:
        """The URL; each access builds it anew."""
        path, _, query = self.path_qs.partition("?")
        # `URL` would drop the question mark of an empty query.
        path = self.path_qs if not query else path
        origin = self.site.origin
        return URL.build(
            scheme=origin.scheme,
            authority=origin.raw_authority,
            path=path,
            query_string=query,
            fragment=self.fragment[1:],
            encoded=True,
        )

    def with_query(self, query: str) -> "Target":
        """Append a query, with its question mark, to that of the URL.

        Example:
            >>> Target.of(URL("http://h?a=1#top")).with_query("?b=2").url
            URL('http://h/?a=1&b=2#top')
        """
        if not query:
            return self
        site, path_qs, fragment = self
        if "?" in path_qs:
            path_qs, mark, present = path_qs.partition("?")
            query = join_queries(mark + present, query)
        return new_target((site, f"{path_qs or '/'}{query}", fragment))


new_target: Final[Callable[[tuple[Site, str, str]], Target]] = partial(tuple.__new__, Target)
"""Makes a target of its parts at half the price of `Target(…)` (benchmarks: a URL that differs)."""


def _site(start: str) -> Site | None:
    """Return the site of the start of a URL, up to its path; None if a closer look is needed."""
    parts = CLEAN_START.fullmatch(start)
    if parts is None:
        return None
    normal, problem = normal_authority(parts[2])
    return None if problem else site_at(parts[1], normal)


_SITES: Final = Memo(_site, size=256)


def parse_target(url: str) -> tuple[Target, Mapping[str, str] | None]:
    """Split the URL of a call by the rules of `require_url`.

    Returns:
        The URL without its user-info, and the header fields that send the user-info, if it has any.
    """
    path_at = url.find("/", len("https://"))
    site, path_qs = _SITES[url[:path_at]], url[path_at:]
    if site and CLEAN_PATH_QS.fullmatch(path_qs) and len(url) <= MAX_URL_LENGTH:  # as almost all
        return new_target((site, path_qs, "")), None
    parsed = request_url(url)
    if parsed.raw_user is None:
        return Target.of(parsed), None
    credentials = basic_auth(parsed.user or "", parsed.password or "")
    return Target.of(parsed.with_user(None)), credentials


TARGETS: Final = Recurring(parse_target, size=1024)
"""`parse_target`, for the URLs of calls."""
