"""Which requests belong to a route."""

import json as json_module
import re
from collections.abc import Callable, Mapping
from difflib import SequenceMatcher
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from yarl import URL

from railhttp.model.errors import HTTPValidationError
from railhttp.model.response import JSON
from railhttp.testing.scripted.steps import SentRequest

BodyPattern: TypeAlias = bytes | str | re.Pattern[bytes] | Callable[[bytes], bool]
"""What a body has to be: bytes, text, a pattern, or what a function says yes to."""

UNSET: Final = object()
"""No document, where None is one."""


class RequestPattern:
    """A pattern of requests.

    Args:
        method: The method.
        url: The pattern of the URL, see `ScriptedTransport.on`.
        params: Query parameters that have to be there.
        body: What the body has to be; None is anything.
        json: The document that the body has to be.

    Raises:
        HTTPValidationError: No request could have such a URL.

    Example:
        >>> pattern = RequestPattern("GET", "/users/*?page=2")
        >>> pattern.differences(SentRequest("GET", "http://h/users/7?page=3"))
        ['query']
    """

    def __init__(
        self,
        method: str,
        url: str | re.Pattern[str],
        params: Mapping[str, str] | None = None,
        body: BodyPattern | None = None,
        json: object = UNSET,
    ) -> None:
        base, query = ("*", "") if isinstance(url, re.Pattern) else _split(url)
        if not base.startswith(("/", "*")) and "://" not in base:
            message = f"must begin with a slash, or be a whole URL, got {url!r}"
            raise HTTPValidationError(message, field="url")
        self._method = method
        self._is_path = base.startswith("/")
        self._is_whole = isinstance(url, re.Pattern)
        self._url = url if isinstance(url, re.Pattern) else _compiled(_normal(base))
        self._shown = url.pattern if isinstance(url, re.Pattern) else base
        self._params = frozenset([*_pairs(query), *(params or {}).items()])
        self._body = body
        self._json = json

    @property
    def needs_body(self) -> bool:
        """Whether it depends on the body which requests fit."""
        return self._body is not None or self._json is not UNSET

    def differences(self, sent: SentRequest) -> list[str]:
        """The parts of a request that do not fit."""
        parts = {
            "method": sent.method == self._method,
            "URL": bool(self._url.fullmatch(self._target(sent.url))),
            "query": self._params <= set(_pairs(urlsplit(sent.url).query)),
            "body": self._fits(sent.body),
        }
        return [part for part, fits in parts.items() if not fits]

    def distance(self, sent: SentRequest) -> tuple[int, float]:
        """How far away a request is: parts that differ, then how much its URL does."""
        target = self._target(sent.url)
        likeness = SequenceMatcher(None, self._shown, target, autojunk=False).ratio()
        return len(self.differences(sent)), -likeness

    def _target(self, url: str) -> str:
        """The part of a URL that this speaks of."""
        if self._is_whole:
            return url
        whole, _ = _split(url)
        return URL(whole).raw_path if self._is_path else _normal(whole)

    def _fits(self, body: bytes) -> bool:
        if self._json is not UNSET:
            try:
                return _is_same(json_module.loads(body), self._json)
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
        return f"{self._method} {self._shown}{query}"


def _split(url: str) -> tuple[str, str]:
    base, _, query = url.partition("#")[0].partition("?")
    return base, query


def _normal(base: str) -> str:
    """Write a URL or a path, with its stars, in the form that the URL of a request has."""
    if base.startswith("/"):
        return URL(f"http://h{base}").raw_path
    _, _, rest = base.partition("://")
    if not rest or (rest.endswith("*") and "/" not in rest):  # what follows may be a path too
        return base
    try:
        url = URL(base)
        return f"{url.origin()}{url.raw_path}"
    except ValueError:  # a star stands for the scheme or the port
        return base


def _is_same(found: JSON, wanted: object) -> bool:
    """Whether two documents are the same; true is not 1, and objects decide about equality."""
    match found, wanted:
        case dict(), Mapping():
            return found.keys() == wanted.keys() and all(
                _is_same(part, wanted[name]) for name, part in found.items()
            )
        case list(), list() | tuple():
            return len(found) == len(wanted) and all(map(_is_same, found, wanted))
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
