"""Requests as the scripted transport receives them, and the patterns that select them."""

import json as json_module
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from yarl import URL

from railhttp.model.errors import HTTPValidationError
from railhttp.model.redaction import redact_headers, redact_url, redacted_repr
from railhttp.model.response import JSON, NO_HEADERS, Headers
from railhttp.model.validation import mismatch, require_str

BodyPattern: TypeAlias = bytes | str | re.Pattern[bytes] | Callable[[bytes], bool]
"""A condition on a body: bytes or text it must equal, a pattern it must match, or a predicate."""

UNSET: Final = object()
"""Stands for "no JSON document", since None is one."""


@dataclass(frozen=True, slots=True, repr=False)
class SentRequest:
    """A request as the scripted transport received it.

    Attributes:
        method: The method.
        url: The whole URL.
        headers: The header fields that the caller, the interceptors and the body have set.
        body: The whole body; empty if the connection failed before the body was read.

    Example:
        >>> SentRequest("POST", "https://api.example/", body=b'{"amount": 7}').json()
        {'amount': 7}
    """

    method: str
    url: str
    headers: Headers = field(default_factory=lambda: NO_HEADERS)
    body: bytes = b""

    def __repr__(self) -> str:
        return redacted_repr(
            self,
            url=redact_url(self.url),
            headers=redact_headers(self.headers),
            body=f"{len(self.body)} bytes",
        )

    def json(self) -> JSON:
        """Parse the body as JSON.

        Raises:
            ValueError: The body is not JSON.
        """
        document: JSON = json_module.loads(self.body)
        return document


class RequestPattern:
    """A pattern that requests match or not; for the arguments see `ScriptedTransport.on`."""

    def __init__(
        self,
        method: str,
        url: str | re.Pattern[str],
        params: Mapping[str, str] | None = None,
        body: BodyPattern | None = None,
        json: object = UNSET,
    ) -> None:
        _require_patterns(url, body)
        base, query = ("*", "") if isinstance(url, re.Pattern) else _split(url)
        if not base.startswith(("/", "*")) and "://" not in base:
            message = f"must begin with a slash, or be a whole URL, got {url!r}"
            raise HTTPValidationError(message, field="url")
        self._method = require_str(method, "method").upper()
        self._is_path = base.startswith("/")
        self._is_whole = isinstance(url, re.Pattern)
        self._url = url if isinstance(url, re.Pattern) else _compiled(_normal(base))
        self._text = url.pattern if isinstance(url, re.Pattern) else base
        self._params = frozenset([*_pairs(query), *(params or {}).items()])
        self._body = body
        self._json = json

    @property
    def needs_body(self) -> bool:
        """Whether a request must have its body read before it can be compared."""
        return self._body is not None or self._json is not UNSET

    def differences(self, sent: SentRequest) -> list[str]:
        """Return the names of the parts of a request that do not match."""
        parts = {
            "method": sent.method == self._method,
            "URL": bool(self._url.fullmatch(self._target(sent.url))),
            "query": self._params <= set(_pairs(urlsplit(sent.url).query)),
            "body": self._matches(sent.body),
        }
        return [part for part, matches in parts.items() if not matches]

    def distance(self, sent: SentRequest) -> tuple[int, float]:
        """Return how far a request is from a match: by differing parts, then by its URL."""
        target = self._target(sent.url)
        likeness = SequenceMatcher(None, self._text, target, autojunk=False).ratio()
        return len(self.differences(sent)), -likeness

    def _target(self, url: str) -> str:
        """Return the part of a URL that the pattern describes."""
        if self._is_whole:
            return url
        whole, _ = _split(url)
        return URL(whole).raw_path if self._is_path else _normal(whole)

    def _matches(self, body: bytes) -> bool:
        if self._json is not UNSET:
            try:
                return _equal(json_module.loads(body), self._json)
            except ValueError:
                return False
        match self._body:
            case None:
                return True
            case bytes():
                return body == self._body
            case str():
                return body == self._body.encode()
            case re.Pattern():
                return bool(self._body.fullmatch(body))
            case _:
                return self._body(body)

    def __str__(self) -> str:
        names = sorted({name for name, _ in self._params})
        query = f"?{'&'.join(names)}" if names else ""
        return f"{self._method} {self._text}{query}"


def _require_patterns(url: object, body: object) -> None:
    if not isinstance(url.pattern if isinstance(url, re.Pattern) else url, str):
        wanted = "a path, a whole URL or a compiled pattern of str; a function goes to `.does(…)`"
        raise mismatch(wanted, url, "url")
    fits = isinstance(body, bytes | str | None) or callable(body)
    if not (isinstance(body.pattern, bytes) if isinstance(body, re.Pattern) else fits):
        raise mismatch("bytes, text, a compiled pattern of bytes or a predicate", body, "body")


def _split(url: str) -> tuple[str, str]:
    base, _, query = url.partition("#")[0].partition("?")
    return base, query


def _normal(base: str) -> str:
    """Normalise a URL or a path that may contain stars, as yarl does the URL of a request."""
    if base.startswith("/"):
        return URL(f"http://h{base}").raw_path
    _, _, rest = base.partition("://")
    if not rest or (rest.endswith("*") and "/" not in rest):  # the star may stand for a path too
        return base
    try:
        url = URL(base)
        return f"{url.origin()}{url.raw_path}"
    except ValueError:  # a star stands for the scheme or the port
        return base


def _equal(found: JSON, wanted: object) -> bool:
    """Compare two JSON documents.

    Python's `True == 1` does not hold here, and other objects compare by their own `__eq__`.
    """
    match found, wanted:
        case dict(), Mapping():
            return found.keys() == wanted.keys() and all(
                _equal(part, wanted[name]) for name, part in found.items()
            )
        case list(), list() | tuple():
            return len(found) == len(wanted) and all(map(_equal, found, wanted))
        case bool() | int() | float(), bool() | int() | float():
            return isinstance(found, bool) is isinstance(wanted, bool) and found == wanted
        case _:
            return bool(found == wanted)


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def _compiled(base: str) -> re.Pattern[str]:
    wild = {"*": "[^/]*", "**": ".*"}
    parts = re.split(r"(\*\*|\*)", base)
    return re.compile("".join(wild.get(part) or re.escape(part) for part in parts))
