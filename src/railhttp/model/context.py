"""The request as interceptors see it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from typing_extensions import Unpack

from railhttp.model.clock import Clock
from railhttp.model.options import RequestOptions
from railhttp.model.redaction import redact_headers, redact_url, redacted_repr
from railhttp.model.response import HttpResponse


class SideClient(Protocol):
    """The client of a call, for requests that an interceptor makes itself.

    They use the client's connections, and are not intercepted. They have their own retries and none
    of the client's other policies: a breaker must not count them as requests of the caller.
    """

    @property
    def clock(self) -> Clock:
        """The client's clock."""
        ...

    async def send(
        self,
        method: str,
        url: str,
        **options: Unpack[RequestOptions],
    ) -> HttpResponse:
        """Make a request.

        Args:
            method: The HTTP method.
            url: An absolute URL.
            **options: See `RequestOptions`.

        Returns:
            The response, whatever its status.

        Raises:
            HTTPClientError: There was no response; always one of `HTTPFailure`.
        """
        ...


class _StartTime:
    """Builds `RequestContext.start_time` when an interceptor reads it: few do.

    It takes 3.5 thousand instructions (benchmarks/README.md).
    """

    def __get__(self, context: "RequestContext | None", owner: object = None) -> datetime | None:
        if context is None or context._wall is None:
            return None
        context.start_time = datetime.fromtimestamp(context._wall, UTC)  # found first from now on
        return context.start_time


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
        base_origin: The origin of the client's base URL, where credentials belong; empty if they
            may be sent to any origin.
        notes: What interceptors keep for the attempt, by keys of their choice.
        client: Makes requests of the interceptor itself; None outside of a client.

    Example:
        >>> RequestContext("get", "https://api.example/").method
        'GET'
    """

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    service_name: str | None = None
    attempt: int = 0
    start_time: datetime | None = _StartTime()  # type: ignore[assignment]  # to a class: None
    body: bytes | None = field(default=b"", kw_only=True, repr=False)
    chunks: Callable[[], AsyncIterator[bytes]] | None = field(
        default=None, kw_only=True, repr=False, compare=False
    )
    call_id: str = field(default="", kw_only=True)
    base_origin: str = field(default="", kw_only=True)
    notes: dict[object, object] = field(
        default_factory=dict, kw_only=True, repr=False, compare=False
    )
    client: SideClient | None = field(default=None, kw_only=True, repr=False, compare=False)
    _wall: float | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.method = self.method.upper()

    def __repr__(self) -> str:
        return redacted_repr(self, url=redact_url(self.url), headers=redact_headers(self.headers))
