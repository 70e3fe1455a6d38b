"""A route of a script: which requests it takes, and what becomes of each."""

from collections.abc import Iterable, Mapping
from typing import Self

from multidict import CIMultiDict

from railhttp.model.body import json_body
from railhttp.model.errors import HTTPFailure, HTTPStatusError, HTTPValidationError
from railhttp.model.response import freeze_headers
from railhttp.testing.scripted.pattern import UNSET, RequestPattern
from railhttp.testing.scripted.steps import FailurePoint, ScriptedReply, SentRequest, Trouble


class ScriptedRoute:
    """Requests that belong together, and what becomes of each: the last step is repeated.

    Made by `ScriptedTransport.on`. Without a step it answers 200 with an empty body.

    Args:
        pattern: Which requests they are.

    Attributes:
        pattern: Which requests they are.
        calls: The requests that came here, in order.

    Example:
        >>> route = ScriptedRoute(RequestPattern("GET", "/stock")).reply(503).reply(json=[7])
        >>> print(route, route.called)
        GET /stock 0
    """

    def __init__(self, pattern: RequestPattern) -> None:
        self.pattern = pattern
        self.calls: list[SentRequest] = []
        self._steps: list[ScriptedReply] = []

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
        step = ScriptedReply(status, freeze_headers(fields), tuple(filter(None, chunks)), delay)
        self._steps.append(step)
        return self

    def fail(
        self,
        error: HTTPFailure | Exception,
        at: FailurePoint = "head",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        after: bytes = b"",
    ) -> Self:
        """Add a failure to the script.

        Args:
            error: A failure, which is raised with the facts of its call; an `HTTPStatusError` is
                an answer, and comes as one. Or whatever a socket may raise, such as
                `ConnectionResetError()`, which becomes the failure that it would become.
            at: Where it comes; this decides what is proven about the delivery.
            status: The status of an answer that breaks inside its body; one that has no body, such
                as 204, cannot, and neither can the answer to a HEAD.
            headers: The header fields of such an answer.
            after: The bytes that come before it breaks.

        Returns:
            The route itself, so that the next step can follow.
        """
        if isinstance(error, HTTPStatusError):
            answer = error.response
            self._steps.append(ScriptedReply(answer.status, answer.headers, (answer.body,)))
            return self
        return self._trouble(Trouble(at, error), status, headers, after)

    def hang(
        self,
        at: FailurePoint = "head",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        after: bytes = b"",
    ) -> Self:
        """Add silence to the script: only a time limit or a cancellation ends it.

        Args:
            at: Where it begins.
            status: The status of an answer that ends amid its body.
            headers: The header fields of such an answer.
            after: The bytes that come before.

        Returns:
            The route itself, so that the next step can follow.
        """
        return self._trouble(Trouble(at), status, headers, after)

    def _trouble(
        self, trouble: Trouble, status: int, headers: Mapping[str, str] | None, after: bytes
    ) -> Self:
        chunks = (after,) if after else ()
        self._steps.append(
            ScriptedReply(status, freeze_headers(headers or {}), chunks, trouble=trouble)
        )
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
    def next_step(self) -> ScriptedReply:
        """What becomes of the next request."""
        return (
            self._steps[min(self.called, len(self._steps) - 1)] if self._steps else ScriptedReply()
        )

    def __str__(self) -> str:
        return str(self.pattern)
