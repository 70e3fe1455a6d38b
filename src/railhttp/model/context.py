"""What interceptors see of a request."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime

from railhttp.model.redaction import redact_headers, redact_url, redacted_repr


@dataclass(repr=False)
class RequestContext:
    """An outbound request, as an interceptor may look at it and change it.

    It is the one value here that may be written to, because the documented interceptors do so.

    Attributes:
        method: The HTTP method, upper-cased.
        url: The target URL.
        headers: The request's header fields, a dict of the interceptor's own.
        service_name: The logical name of the service that is called, where there is one.
        attempt: Which attempt this is, counted from 0.
        start_time: When the call began.
        body: The body where it is in memory, empty where there is none; None where it is streamed.
            It is there to be read, by what signs requests; writing it changes nothing.
        chunks: Reads a streamed body that can be read again, from its start; None where it is in
            memory or can be read only once.
        call_id: An id that all attempts of one call have in common.

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
