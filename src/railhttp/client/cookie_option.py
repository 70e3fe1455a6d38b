"""The `cookies` option: cookies of one call."""

import re
from collections.abc import Mapping
from http.cookies import Morsel
from typing import Final

from railhttp.model.errors import HTTPValidationError
from railhttp.model.options import paired
from railhttp.model.validation import TOKEN, mismatch

_COOKIE_VALUE: Final = re.compile(r"(?! )[ -:<-~]*(?<! )")


def require_cookies(cookies: object) -> Mapping[str, str] | None:
    """Require cookies by name, whose values a `Cookie` field can hold (RFC 6265, 4.1.1)."""
    if cookies is None:
        return None
    given = paired(cookies) if isinstance(cookies, list | tuple) else cookies
    if not isinstance(given, Mapping):
        raise mismatch("a mapping or a list of pairs", cookies, "cookies")
    checked = {}
    for name, value in given.items():
        if isinstance(value, Morsel):
            value = value.coded_value  # noqa: PLW2901  # as the server sent it
        if not isinstance(name, str) or not TOKEN.fullmatch(name):
            raise HTTPValidationError("must have names that are tokens", field="cookies")
        if not isinstance(value, str) or not _COOKIE_VALUE.fullmatch(value):
            problem = "must have values of printable ASCII without ; and spaces around them"
            raise HTTPValidationError(problem, field="cookies")
        checked[str.__str__(name)] = str.__str__(value)
    return checked
