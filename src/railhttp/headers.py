"""Header fields: merge, parse, redact and build them."""

from railhttp.model.authorization import (
    basic_auth,
    bearer_auth,
)
from railhttp.model.headers import (
    extract_json_type,
    merge_headers,
    parse_headers,
    validate_headers,
)
from railhttp.model.redaction import redact_headers
from railhttp.model.response import (
    Headers,
    freeze_headers,
)

__all__ = [
    "Headers",
    "basic_auth",
    "bearer_auth",
    "extract_json_type",
    "freeze_headers",
    "merge_headers",
    "parse_headers",
    "redact_headers",
    "validate_headers",
]
