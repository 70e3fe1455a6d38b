"""References that servers write: redirects and links (RFC 3986, section 5.2)."""

from yarl import URL

from railhttp.model.errors import HTTPValidationError
from railhttp.model.spelling import Reference
from railhttp.model.url import request_url


def resolve_location(url: URL, location: str) -> URL:
    """Resolve the `Location` of a response to a URL (RFC 3986, 5.2; RFC 9110, 10.2.2).

    A location without a fragment inherits that of the URL. White space in its path and query is
    percent-encoded, as are bytes that are not UTF-8: the parser of heads writes them as surrogates.

    Raises:
        HTTPValidationError: The result is not an http or https URL.

    Example:
        >>> str(resolve_location(request_url("https://h/a/b?x#top"), "../c d?y=%7e"))
        'https://h/c%20d?y=%7e#top'
    """
    target = resolve_reference(url, location)
    fragment = target.raw_fragment or url.raw_fragment
    return request_url(f"{target.with_fragment(None)}#{fragment}") if fragment else target


def resolve_reference(url: URL, reference: str) -> URL:
    """Resolve a reference that a server wrote, as `resolve_location` does, without its fragment.

    Raises:
        HTTPValidationError: The result is not an http or https URL.
    """
    try:
        target = Reference.of(str(url)).resolve(Reference.of(reference))
    except UnicodeEncodeError:
        raise HTTPValidationError("must not contain surrogates", field="url") from None
    return request_url("".join(target))
