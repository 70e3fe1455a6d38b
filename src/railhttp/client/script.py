"""What a scripted transport answers to what: routes, and the steps of their scripts."""

import json as json_module
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property
from typing import Final, Literal, Self, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from multidict import CIMultiDict

from railhttp.model.body import json_body
from railhttp.model.errors import HTTPFailure, HTTPStatusError, HTTPValidationError
from railhttp.model.redaction import redact_url
from railhttp.model.response import JSON, NO_HEADERS, Headers, freeze_headers

Place: TypeAlias = Literal["connect", "head", "body"]
"""Where trouble comes: before the request is sent, before its answer, or inside the body."""

BodyPattern: TypeAlias = bytes | str | re.Pattern[bytes] | Callable[[bytes], bool]

UNSET: Final = object()
"""No document, where None is one."""


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request as the scripted transport got it.

    Attributes:
        method: The method.
        url: The URL, whole.
        headers: The header fields that the caller, the interceptors and the body gave it.
        body: The body, read to its end; empty where the connection failed before that.
    """

    method: str
    url: str
    headers: Headers = field(default_factory=lambda: NO_HEADERS)
    body: bytes = b""

    def json(self) -> JSON:
        """Parse the body as JSON.

        Raises:
            ValueError: It is none.
        """
        document: JSON = json_module.loads(self.body)
        return document


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong.

    Attributes:
        at: Where.
        error: What is raised; None is silence, for ever or until a time limit ends it.
    """

    at: Place
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one request.

    Attributes:
        status: The status of the answer.
        headers: Its header fields.
        chunks: Its body, in the pieces in which it comes.
        delay: Seconds until its head comes.
        trouble: What goes wrong; None where nothing does.
    """

    status: int = 200
    headers: Headers = field(default_factory=lambda: NO_HEADERS)
    chunks: tuple[bytes, ...] = ()
    delay: float = 0.0
    trouble: Trouble | None = None


@dataclass(eq=False)
class ScriptedRoute:
    """Requests that belong together, and what becomes of each: the last step is repeated.

    Made by `ScriptedTransport.on`. Without a step it answers 200 with an empty body.

    Attributes:
        method: The method.
        url: The pattern of the URL.
        params: Query parameters that have to be there.
        body: What the body has to be; None is anything.
        json: The document that the body has to be.
        calls: The requests that came here, in order.
    """

    method: str
    url: str | re.Pattern[str]
    params: Mapping[str, str] = field(default_factory=dict)
    body: BodyPattern | None = None
    json: object = UNSET
    calls: list[SentRequest] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list, repr=False)

    def reply(
        self,
        status: int = 200,
        *,
        json: object = UNSET,
        text: str | None = None,
        body: bytes | Iterable[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
    ) -> Self:
        """Add an answer to the script.

        Args:
            status: The status, 200 to 599.
            json: A document for its body.
            text: Text for its body.
            body: Bytes for its body, with content codings undone; an iterable gives the pieces
                in which a stream gets them.
            headers: Its header fields; a body of `json` or `text` brings its `Content-Type`.
            delay: Seconds until it comes.

        Returns:
            The route itself, so that the next step can follow.

        Raises:
            HTTPValidationError: The status is none that an answer can have.
        """
        if not 200 <= status <= 599:
            raise HTTPValidationError(f"must be from 200 to 599, got {status}", field="status")
        fields = CIMultiDict(headers or {})
        chunks = (body,) if isinstance(body, bytes) else tuple(body)
        if json is not UNSET:
            chunks = (b"null" if json is None else json_body(json).content,)
            fields.setdefault("Content-Type", "application/json")
        elif text is not None:
            chunks = (text.encode(),)
            fields.setdefault("Content-Type", "text/plain; charset=utf-8")
        step = Step(status, freeze_headers(fields), tuple(filter(None, chunks)), delay)
        self.steps.append(step)
        return self

    def fail(
        self,
        error: HTTPFailure | Exception,
        at: Place = "head",
        *,
        status: int = 200,
        after: bytes = b"",
    ) -> Self:
        """Add a failure to the script.

        Args:
            error: A failure, which is raised with the facts of its call; an `HTTPStatusError` is
                an answer, and comes as one. Or whatever a socket may raise, such as
                `ConnectionResetError()`, which becomes the failure that it would become.
            at: Where it comes; this decides what is proven about the delivery.
            status: The status of an answer that breaks inside its body.
            after: The bytes that come before it breaks.

        Returns:
            The route itself, so that the next step can follow.
        """
        if isinstance(error, HTTPStatusError):
            answer = error.response
            self.steps.append(Step(answer.status, answer.headers, (answer.body,)))
            return self
        return self._trouble(Trouble(at, error), status, after)

    def hang(self, at: Place = "head", *, status: int = 200, after: bytes = b"") -> Self:
        """Add silence to the script: only a time limit or a cancellation ends it.

        Args:
            at: Where it begins.
            status: The status of an answer that ends amid its body.
            after: The bytes that come before.

        Returns:
            The route itself, so that the next step can follow.
        """
        return self._trouble(Trouble(at), status, after)

    def _trouble(self, trouble: Trouble, status: int, after: bytes) -> Self:
        self.steps.append(Step(status, chunks=(after,) if after else (), trouble=trouble))
        return self

    @property
    def called(self) -> int:
        """How many requests came here."""
        return len(self.calls)

    def assert_called(self, times: int | None = None) -> None:
        """Assert that requests came here.

        Args:
            times: How many; None is at least one.

        Raises:
            AssertionError: There were more or fewer.
        """
        if self.called != times if times is not None else not self.called:
            wanted = "at least once" if times is None else f"{times} times"
            raise AssertionError(f"{self} was to be called {wanted}, and was {self.called} times")

    @property
    def needs_body(self) -> bool:
        """Whether it depends on the body which requests belong here."""
        return self.body is not None or self.json is not UNSET

    def take(self, sent: SentRequest) -> Step:
        """Record a request and say what becomes of it."""
        self.calls.append(sent)
        return self.next_step(self.called - 1)

    def next_step(self, number: int | None = None) -> Step:
        """What becomes of the next request, or of the one with a number, counted from 0."""
        wanted = self.called if number is None else number
        return self.steps[min(wanted, len(self.steps) - 1)] if self.steps else Step()

    def differences(self, sent: SentRequest) -> list[str]:
        """The parts of a request that are not those of this route."""
        parts = {
            "method": sent.method == self.method,
            "URL": bool(self._pattern.fullmatch(_target(self.url, sent.url))),
            "query": self._has_params(sent.url),
            "body": self._has_body(sent.body),
        }
        return [part for part, is_equal in parts.items() if not is_equal]

    def distance(self, sent: SentRequest) -> tuple[int, float]:
        """How far away a request is: parts that differ, then how much its URL does."""
        target = _target(self.url, sent.url)
        likeness = SequenceMatcher(None, self._shown_url, target, autojunk=False).ratio()
        return len(self.differences(sent)), -likeness

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        if isinstance(self.url, re.Pattern):
            return self.url
        parts = re.split(r"(\*\*|\*)", self.url.partition("?")[0])
        wild = {"*": "[^/]*", "**": ".*"}
        return re.compile("".join(wild.get(part) or re.escape(part) for part in parts))

    @cached_property
    def _wanted_params(self) -> frozenset[tuple[str, str]]:
        query = "" if isinstance(self.url, re.Pattern) else self.url.partition("?")[2]
        return frozenset([*parse_qsl(query, keep_blank_values=True), *self.params.items()])

    @cached_property
    def _shown_url(self) -> str:
        return self.url.pattern if isinstance(self.url, re.Pattern) else self.url.partition("?")[0]

    def _has_params(self, url: str) -> bool:
        return self._wanted_params <= set(parse_qsl(urlsplit(url).query, keep_blank_values=True))

    def _has_body(self, body: bytes) -> bool:
        if self.json is not UNSET:
            try:
                return bool(json_module.loads(body) == self.json)
            except ValueError:
                return False
        match self.body:
            case None:
                return True
            case bytes():
                return body == self.body
            case str():
                return body == self.body.encode()
            case re.Pattern():
                return bool(self.body.fullmatch(body))
            case _:
                return self.body(body)

    def __str__(self) -> str:
        names = sorted({name for name, _ in self._wanted_params})
        query = f"?{'&'.join(names)}" if names else ""
        return f"{self.method} {self._shown_url}{query}"


def _target(pattern: str | re.Pattern[str], url: str) -> str:
    """The part of a URL that a pattern speaks of: without query, and where it is a path, that."""
    whole = url.partition("#")[0].partition("?")[0]
    if isinstance(pattern, str) and pattern.startswith("/"):
        return urlsplit(whole).path or "/"
    return url if isinstance(pattern, re.Pattern) else whole


def describe_miss(sent: SentRequest, routes: Iterable[ScriptedRoute]) -> str:
    """Say that no route takes a request, and which one comes nearest."""
    start = f"no route for {sent.method} {redact_url(sent.url)}"
    nearest = min(routes, key=lambda route: route.distance(sent), default=None)
    if nearest is None:
        return f"{start}; there are no routes"
    parts = " and ".join(nearest.differences(sent))
    return f"{start}; the nearest is {nearest}, which differs in its {parts}"
