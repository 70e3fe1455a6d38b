"""The server that a URL belongs to, as the parts that all its URLs share."""

from functools import lru_cache
from typing import NamedTuple

from yarl import URL


class Site(NamedTuple):
    """What the URLs of one scheme, host and port have in common.

    Attributes:
        origin: The origin as a URL.
        text: The origin as text, such as `https://api.example`; a default port is left out.
        host: The `Host` field (RFC 9110, section 7.2).
    """

    origin: URL
    text: str
    host: str


def site_of(url: URL) -> Site:
    """Return the site of an absolute URL.

    Example:
        >>> site_of(URL("https://api.example:443/a")).text
        'https://api.example'
    """
    return site_at(url.scheme, url.raw_authority)


@lru_cache(maxsize=1024)
def site_at(scheme: str, authority: str) -> Site:
    """Return the site of a scheme and an authority; programs use few, so each is built once."""
    url = URL.build(scheme=scheme, authority=authority, encoded=True)
    return Site(url.origin(), str(url.origin()), url.host_port_subcomponent or "")
