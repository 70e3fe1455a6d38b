"""What all requests of a client have in common: a base URL, and default header fields."""

from collections.abc import Mapping
from typing import NamedTuple, Self

from railhttp.model.headers import require_headers
from railhttp.model.options import RequestOptions, with_default_headers
from railhttp.model.redaction import redact_headers, redact_url, redacted_repr
from railhttp.model.url import join_base_url, origin_of, request_url
from railhttp.model.validation import require_url


class BaseURL(NamedTuple):
    """A base URL, and the header fields that go with it.

    Attributes:
        url: What every relative path is put behind; empty where all URLs are absolute.
        origin: Its origin; None where there is no base URL.
        headers: Fields of every request to that origin, or to any where there is none.
        public_headers: Fields of requests to other origins.
    """

    url: str
    origin: tuple[str, str, int] | None
    headers: Mapping[str, str]
    public_headers: Mapping[str, str]

    @classmethod
    def of(
        cls,
        url: str,
        headers: Mapping[str, str] | None,
        secret: frozenset[str],
        *,
        share_credentials: bool,
    ) -> Self | None:
        """Check what a client was given.

        Args:
            url: The base URL; empty for none.
            headers: Default fields; None for none.
            secret: Names, in lower case, of fields that stay at the base URL's origin.
            share_credentials: Whether these go to other origins too.

        Returns:
            None where there is neither.

        Raises:
            HTTPValidationError: The base URL (field `base_url`) or a header is not valid.

        Example:
            >>> base = BaseURL.of("http://h/v1", {}, frozenset(), share_credentials=False)
            >>> base.resolve("/users", {})
            ('http://h/v1/users', {})
        """
        if url == "" and not headers:
            return None
        base = require_url(url, field="base_url") if url != "" else ""
        fields = require_headers(headers or {})
        public = {
            name: text
            for name, text in fields.items()
            if share_credentials or name.lower() not in secret
        }
        return cls(base, origin_of(request_url(base)) if base else None, fields, public)

    def __repr__(self) -> str:
        return redacted_repr(
            self,
            url=redact_url(self.url),
            headers=redact_headers(self.headers),
            public_headers=redact_headers(self.public_headers),
        )

    def resolve(self, url: str, options: RequestOptions) -> tuple[str, RequestOptions]:
        """Find out what a call means.

        Args:
            url: A path behind the base URL, or an absolute URL.
            options: The call's own options.

        Returns:
            The absolute URL, and the options with the default fields that go there.

        Raises:
            HTTPValidationError: The path cannot be put behind the base, or the URL is none.
        """
        absolute = join_base_url(self.url, url)
        at_home = self.origin is None or origin_of(request_url(absolute)) == self.origin
        headers = self.headers if at_home else self.public_headers
        return absolute, with_default_headers(options, headers) if headers else options
