"""References that servers write, resolved against the URL of their response."""

import pytest

from railhttp.model.errors import HTTPValidationError
from railhttp.model.location import resolve_location, resolve_reference
from railhttp.model.url import request_url


@pytest.mark.parametrize(
    ("location", "url", "reference"),
    [
        # The resolved location, and the resolved reference, which inherits no fragment.
        ("", "https://h/a/b?x#top", "https://h/a/b?x"),
        ("#new", "https://h/a/b?x#new", "https://h/a/b?x#new"),
        ("?y", "https://h/a/b?y#top", "https://h/a/b?y"),
        ("../c d?y=%7e", "https://h/c%20d?y=%7e#top", "https://h/c%20d?y=%7e"),
        ("//other", "https://other/#top", "https://other"),
        ("HTTP://Other:80/é?#n", "http://other/%C3%A9?#n", "http://other/%C3%A9?#n"),
        ("/\udcff", "https://h/%FF#top", "https://h/%FF"),
    ],
)
def test_a_location_inherits_the_fragment_and_a_reference_does_not(
    location: str, url: str, reference: str
) -> None:
    """RFC 9110, section 10.2.2."""
    base = request_url("https://h/a/b?x#top")
    assert str(resolve_location(base, location)) == url
    assert str(resolve_reference(base, location)) == reference
    assert str(resolve_location(request_url("https://h/a/b?x"), location)) == reference


@pytest.mark.parametrize("location", ["ftp://h/", "mailto:a@h", "http://", "/\ud800", "//h:0"])
def test_a_location_that_cannot_be_requested_is_refused(location: str) -> None:
    for resolve in (resolve_location, resolve_reference):
        with pytest.raises(HTTPValidationError) as caught:
            resolve(request_url("https://h/a"), location)
        assert caught.value.field == "url"
