"""What a script is made of: requests that came, and what becomes of them."""

import json as json_module
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from railhttp.model.redaction import redact_headers, redact_url, redacted_repr
from railhttp.model.response import JSON, NO_HEADERS, Headers

FailurePoint: TypeAlias = Literal["connect", "head", "body"]
"""Where trouble comes: before the request is sent, before its answer, or inside the body."""


@dataclass(frozen=True, slots=True, repr=False)
class SentRequest:
    """A request as the scripted transport got it.

    Attributes:
        method: The method.
        url: The URL, whole.
        headers: The header fields that the caller, the interceptors and the body gave it.
        body: The body, read to its end; empty where the connection failed before that.

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

    at: FailurePoint
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class ScriptedReply:
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

    @property
    def reads_body(self) -> bool:
        """Whether a request comes far enough to have its body read."""
        return self.trouble is None or self.trouble.at != "connect"
