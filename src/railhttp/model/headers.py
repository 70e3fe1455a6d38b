"""Header fields: normalising, merging and validating (RFC 9110, section 5)."""

import math
import string
from collections.abc import Iterator, Mapping
from typing import Final

from multidict import CIMultiDict

from railhttp.model.errors import HTTPValidationError
from railhttp.model.memo import Memo
from railhttp.model.secrecy import forgets_arguments
from railhttp.model.validation import (
    LARGEST_INT,
    OWS,
    TOKEN,
    describe,
    has_control,
    mismatch,
    require_str,
)

_MOST_TOKENS: Final = 1024


def parse_headers(headers: Mapping[str, object]) -> dict[str, str]:
    """Normalise header fields: names in lower case, values without white space around them.

    Normalising a second time changes nothing. If names are equal except for case, or a multi-dict
    repeats a field, the last field wins.

    Args:
        headers: Values are text, bytes in UTF-8, or numbers.

    Raises:
        HTTPValidationError: A name is not a str, or a value has another type.

    Example:
        >>> parse_headers({"Content-Type": "  application/json  ", "X-Page": 2})
        {'content-type': 'application/json', 'x-page': '2'}
    """
    return merge_headers(headers)


def merge_headers(*header_dicts: Mapping[str, object], normalize: bool = True) -> dict[str, str]:
    """Merge header fields; if names are equal except for case, the last field wins.

    Args:
        *header_dicts: Mappings as for `parse_headers`, which raises the same errors.
        normalize: Whether to lower-case the names and strip white space around the values;
            otherwise the last spelling of a name is kept, and every value is unchanged.

    Example:
        >>> merge_headers({"Accept": "*/*"}, {"ACCEPT": "text/html "})
        {'accept': 'text/html'}
        >>> merge_headers({"Accept": "*/*"}, {"ACCEPT": "text/html "}, normalize=False)
        {'ACCEPT': 'text/html '}
    """
    merged: dict[str, tuple[str, str]] = {}
    for headers in header_dicts:
        for name, text in _fields(headers):
            folded = name.lower()
            merged[folded] = (folded, text.strip(string.whitespace)) if normalize else (name, text)
    return dict(merged.values())


def extract_json_type(content_type: str) -> str | None:
    """Return the media type of a `Content-Type` value in lower case if it is a JSON type, or None.

    JSON types contain `json`, as `application/json` and every `*+json` (RFC 6839, section 3.1) do.

    Raises:
        HTTPValidationError: The value is not a str.

    Example:
        >>> extract_json_type("application/json; charset=utf-8")
        'application/json'
        >>> extract_json_type("text/html; q=json")
    """
    base = require_str(content_type, "content_type").partition(";")[0].strip(OWS).lower()
    return base if "json" in base else None


def require_headers(headers: object) -> CIMultiDict[str]:
    """Require header fields that can be sent; see `validate_headers`.

    Repeated fields are kept; their values are text without spaces and tabs around them.
    """
    if type(headers) is not dict and not isinstance(headers, Mapping):  # to ask an ABC is dear
        raise mismatch("a mapping", headers, "headers")
    checked: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        if type(name) is type(value) is str and value.isprintable():
            field, text = name, value  # as almost all are: no pattern is needed
        else:
            field, text = _checked_field(name, value)
        if not _TOKENS[field]:
            message = "must have names that are tokens (RFC 9110, 5.6.2)"
            raise HTTPValidationError(message, field="headers")
        checked.add(field, text.strip(" \t"))
    return checked


def _is_token(name: str) -> bool:
    return TOKEN.fullmatch(name) is not None


_TOKENS: Final = Memo(_is_token, size=_MOST_TOKENS)
"""Whether a text can be the name of a field; programs use few of them."""


def _checked_field(name: object, value: object) -> tuple[str, str]:
    [(field, text)] = _fields({name: value})
    if _TOKENS[field] and has_control(text.replace("\t", "")):
        message = f"{field} must not have control characters or surrogates in its value"
        raise HTTPValidationError(message, field="headers")
    return field, text


@forgets_arguments
def validate_headers(headers: Mapping[str, object]) -> None:
    """Validate header fields before they are sent (RFC 9110, sections 5.1 and 5.5).

    A name is a token. A value is text, UTF-8 bytes or a finite number, without surrogates and
    control characters, except the tab, so it cannot split the header.

    Raises:
        HTTPValidationError: A field cannot be sent. The error shows its name, not its value.

    Example:
        >>> validate_headers({"Accept": "application/json"})
    """
    require_headers(headers)


def _fields(headers: object) -> Iterator[tuple[str, str]]:
    if not isinstance(headers, Mapping):
        raise mismatch("a mapping", headers, "headers")
    for name, value in headers.items():
        if not isinstance(name, str):
            message = f"must have names of type str, got {describe(name)}"
            raise HTTPValidationError(message, field="headers")
        yield str.__str__(name), _text(value, name)


def _text(value: object, name: str) -> str:
    match value:
        case str():
            return str.__str__(value)  # an enum's value, not its name
        case bytes():  # text is sent as UTF-8 too; require_headers refuses other bytes
            return value.decode("utf-8", "surrogateescape")
        case int() if not isinstance(value, bool) and abs(value) < LARGEST_INT:
            return str(int(value))
        case float() if math.isfinite(value):
            return float.__repr__(value)
    label = name if TOKEN.fullmatch(name) else "a field"
    message = f"{label} must be text, UTF-8 bytes or a finite number, got {describe(value)}"
    raise HTTPValidationError(message, field="headers")
