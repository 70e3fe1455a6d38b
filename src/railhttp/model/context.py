"""What interceptors and observers see of a request and of its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass
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
    call_id: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        self.method = self.method.upper()


@dataclass(frozen=True)
class ResponseContext:
    """A received answer, as metadata.

    Attributes:
        status: The HTTP status code.
        headers: The answer's header fields.
        content_length: The body's length in bytes, where it is known.
        duration: The round trip in seconds.
        success: Whether the status is below 400; computed.
        error: What went wrong, in words, where the request failed.

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
