"""The site of a URL: its origin, and the `Host` field."""

import pytest
from yarl import URL

from railhttp.model.site import site_at, site_of


@pytest.mark.parametrize(
    ("scheme", "authority", "text", "host"),
    [
        ("http", "h", "http://h", "h"),
        ("http", "h:80", "http://h", "h"),
        ("http", "h:443", "http://h:443", "h:443"),
        ("https", "h:443", "https://h", "h"),
        (
            "https",
            "xn--bcher-kva.example.",
            "https://xn--bcher-kva.example.",
            "xn--bcher-kva.example",
        ),
        ("http", "[::1]:8080", "http://[::1]:8080", "[::1]:8080"),
        ("http", "my_service", "http://my_service", "my_service"),
    ],
)
def test_a_site_leaves_a_default_port_out(
    scheme: str, authority: str, text: str, host: str
) -> None:
    """A `Host` field has no dot of the root: servers know their names without it."""
    site = site_at(scheme, authority)
    assert (site.text, site.host) == (text, host)
    assert (type(site.origin), str(site.origin)) == (URL, text)
    assert site_of(URL(f"{scheme}://{authority}/a?b#c")) is site
