"""URLs: build, parse and redact them."""

from railhttp.model.redaction import redact_url
from railhttp.model.url import (
    QueryParams,
    build_url,
    parse_url_parts,
)
from railhttp.model.validation import validate_url

__all__ = [
    "QueryParams",
    "build_url",
    "parse_url_parts",
    "redact_url",
    "validate_url",
]
