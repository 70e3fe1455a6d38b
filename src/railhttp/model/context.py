"""The request as interceptors see it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime

from railhttp.model.redaction import redact_headers, redact_url, redacted_repr


@dataclass(repr=False)
class RequestContext:
    """An outbound request that an interceptor can inspect and change.

    It is mutable, because the documented interceptors assign to it.

    Attributes:
        method: The HTTP method, upper-cased.
        headers: The header fields; interceptors may change the dict.
        service_name: The logical name of the called service, if it has one.
        attempt: The number of this attempt, counted from 0.
        start_time: When the call began.
        body: The bytes of a body in memory, for signatures; empty without a body, None if it is
            streamed. Assigning to it does not change the request.
        chunks: Reads a streamed body from its start, if it can be read more than once; or None.
        call_id: An id that all attempts of one call share.

    Example:
        >>> RequestContext("get", "https://api.example/").method
        'GET'
    """

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    service_name: str | None = None
    attempt: int = 0
    start_time: datetime | None = None
    body: bytes | None = field(default=b"", kw_only=True, repr=False)
    chunks: Callable[[], AsyncIterator[bytes]] | None = field(
        default=None, kw_only=True, repr=False, compare=False
    )
    call_id: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        self.method = self.method.upper()

    def __repr__(self) -> str:
        return redacted_repr(self, url=redact_url(self.url), headers=redact_headers(self.headers))
