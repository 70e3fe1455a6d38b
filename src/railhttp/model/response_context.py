"""The metadata of a response."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from railhttp.model.redaction import redact_headers, redacted_repr


@dataclass(frozen=True, repr=False)
class ResponseContext:
    """The metadata of a received response.

    Attributes:
        content_length: The size of the body in bytes, if known.
        duration: The round trip in seconds.
        success: Whether the status is below 400; computed.
        error: The cause, in words, if the request failed.

    Example:
        >>> ResponseContext(404).success
        False
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content_length: int | None = None
    duration: float | None = None
    success: bool = field(init=False)
    error: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "success", self.status < 400)

    def __repr__(self) -> str:
        return redacted_repr(self, headers=redact_headers(self.headers))
