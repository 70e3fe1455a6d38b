r"""The failures: a closed union of plain exception classes.

    HTTPError                          root
    ├── HTTPValidationError            raised by the validate_* functions (also a ValueError)
    └── HTTPClientError                base of everything that a client reports
        ├── HTTPInvalidRequestError    URL, scheme, header, method or body cannot be sent
        ├── HTTPConnectionError        kind: dns connect proxy tls disconnected truncated
        │                                    protocol redirect closed rejected
        ├── HTTPTimeoutError           phase: pool connect read total
        ├── HTTPStatusError            a response with a 4xx or 5xx status
        ├── HTTPDecodeError            a body that does not match its headers or its decoder
        ├── HTTPResponseTooLargeError  a body larger than max_response_bytes
        ├── HTTPInterceptorError       an interceptor, or other plugged-in code, raised
        ├── HTTPCircuitOpenError       not sent, because the circuit breaker is open
        └── HTTPRetryExhaustedError    every attempt failed without a response

`HTTPFailure` is the union of the leaves. No message shows credentials, cookies or query values.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias, get_args

from typing_extensions import Unpack

from railhttp.model.client_error import (
    CallInfo,
    ConnectionKind,
    Delivery,
    HTTPClientError,
    HTTPError,
    TimeoutPhase,
)

__all__ = [
    "FAILURES",
    "CallInfo",
    "ConnectionKind",
    "Delivery",
    "HTTPCircuitOpenError",
    "HTTPClientError",
    "HTTPConnectionError",
    "HTTPDecodeError",
    "HTTPError",
    "HTTPFailure",
    "HTTPInterceptorError",
    "HTTPInvalidRequestError",
    "HTTPResponseTooLargeError",
    "HTTPRetryExhaustedError",
    "HTTPStatusError",
    "HTTPTimeoutError",
    "HTTPValidationError",
    "HttpStatusError",
    "TimeoutPhase",
]

if TYPE_CHECKING:
    from railhttp.model.response import HttpResponse


class HTTPValidationError(HTTPError, ValueError):
    """A host, port, URL, setting or other argument breaks its rule; nothing was sent.

    Args:
        message: The rule, and what was found instead.
        field: The argument or setting; empty if it has no name.

    Example:
        >>> raise HTTPValidationError("must be between 1 and 65535, got 0", field="port")
        Traceback (most recent call last):
        railhttp.model.errors.HTTPValidationError: port: must be between 1 and 65535, got 0
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.message: Final = message
        self.field: Final = field


class HTTPInvalidRequestError(HTTPClientError):
    """The request cannot be sent: its URL, scheme, header, method or body is not valid.

    Args:
        message: The rule, and what was found instead.
        field: The invalid argument, such as `url` or `headers`.

    Example:
        >>> HTTPInvalidRequestError("has no host", field="url").delivery
        <Delivery.NOT_SENT: 'not sent'>
    """

    _delivery: ClassVar[Delivery] = Delivery.NOT_SENT
    _label: ClassVar[str] = "field"

    def __init__(self, message: str = "", *, field: str = "", **call: Unpack[CallInfo]) -> None:
        super().__init__(message, **call)
        self.field: Final = field


class HTTPConnectionError(HTTPClientError):
    """The connection failed; a `case` can name just the kind: `HTTPConnectionError("dns")`.

    Args:
        proxy_status: The status with which a proxy refused a tunnel; None for other failures.

    Example:
        >>> HTTPConnectionError("no such host", kind="dns", delivery=Delivery.NOT_SENT).kind
        'dns'
    """

    __match_args__ = ("kind",)
    _label: ClassVar[str] = "kind"

    def __init__(
        self,
        message: str = "",
        *,
        kind: ConnectionKind,
        proxy_status: int | None = None,
        **call: Unpack[CallInfo],
    ) -> None:
        super().__init__(message, **call)
        self.kind: Final = kind
        self.proxy_status: Final = proxy_status


class HTTPTimeoutError(HTTPClientError):
    """A time limit ran out; a `case` can name just the phase: `HTTPTimeoutError("read")`.

    Args:
        limit: The limit in seconds; None if unknown.

    Example:
        >>> HTTPTimeoutError("no answer within 2 s", phase="total").phase
        'total'
    """

    __match_args__ = ("phase",)
    _label: ClassVar[str] = "phase"

    def __init__(
        self,
        message: str = "",
        *,
        phase: TimeoutPhase,
        limit: float | None = None,
        **call: Unpack[CallInfo],
    ) -> None:
        super().__init__(message, **call)
        self.phase: Final = phase
        self.limit: Final = limit


class HTTPStatusError(HTTPClientError):
    """A 4xx or 5xx status; a `case` can name just the status: `HTTPStatusError(404)`.

    `railway.expect` raises it for any other unexpected status too.

    Args:
        response: The whole response, which also has the method, URL, attempts and elapsed.
        secret_headers: Fields to leave out of a pickle, in lower case; None means the response's.
        expected: The statuses that the caller expected, if it named any.

    Example:
        >>> from railhttp.model.response import HttpResponse
        >>> error = HTTPStatusError(HttpResponse(status=404, method="GET", url="http://h/x"))
        >>> error.status, str(error)
        (404, 'GET http://h/x: status 404 [answered, attempts 1, 0.000 s]')
    """

    __match_args__ = ("status",)
    _label: ClassVar[str] = "status"
    _detail: ClassVar[str | None] = ""  # the message has the status

    def __init__(
        self,
        response: "HttpResponse",
        *,
        secret_headers: frozenset[str] | None = None,
        expected: Iterable[int] = (),
    ) -> None:
        wanted = " or ".join(map(str, expected))
        message = f"status {response.status}{wanted and f', expected {wanted}'}"
        super().__init__(message, **response.call_info())
        self.response: Final = response
        self._secret_headers: Final = secret_headers

    @property
    def status(self) -> int:
        """The status code."""
        return self.response.status

    def __reduce__(self) -> tuple[object, ...]:
        # A pickle may leave the process, so it holds no query value and no cookie.
        state = {**self.__dict__, "response": self.response.redacted(self._secret_headers)}
        rebuild, arguments, _ = super().__reduce__()
        return rebuild, arguments, state

    def __copy__(self) -> "HTTPStatusError":
        copied = HTTPStatusError(self.response)
        copied.__dict__.update(self.__dict__)
        return copied

    def __deepcopy__(self, memo: object) -> "HTTPStatusError":
        return self.__copy__()  # its attributes are immutable


class HTTPDecodeError(HTTPClientError):
    """A body does not match its headers, or the decoder that the caller chose.

    Args:
        message: The expected and the actual form of the data, without the data itself.
        where: The position: a JSON path such as `$.items[3].id`, or a byte or line number.
        content_type: The content type of the response; empty if it names none.
        response: What came instead, such as an error document; None if at hand. Never shown.

    Example:
        >>> HTTPDecodeError("expected an integer", where="$.id").where
        '$.id'
    """

    _delivery: ClassVar[Delivery] = Delivery.ANSWERED
    _detail: ClassVar[str | None] = "where"

    def __init__(
        self,
        message: str = "",
        *,
        where: str = "",
        content_type: str = "",
        response: "HttpResponse | None" = None,
        **call: Unpack[CallInfo],
    ) -> None:
        super().__init__(message, **call)
        self.where: Final = where
        self.content_type: Final = content_type
        self.response: Final = response

    def __reduce__(self) -> tuple[object, ...]:
        shown = None if self.response is None else self.response.redacted()
        rebuild, arguments, _ = super().__reduce__()
        return rebuild, arguments, {**self.__dict__, "response": shown}


class HTTPResponseTooLargeError(HTTPClientError):
    """A body, or a part of a stream that has to be held in memory, is larger than its limit.

    Example:
        >>> HTTPResponseTooLargeError("body is larger than 10 bytes", limit=10).limit
        10
    """

    _delivery: ClassVar[Delivery] = Delivery.ANSWERED

    def __init__(self, message: str = "", *, limit: int, **call: Unpack[CallInfo]) -> None:
        super().__init__(message, **call)
        self.limit: Final = limit


class HTTPInterceptorError(HTTPClientError):
    """An interceptor, or other code plugged into the client, raised.

    Args:
        interceptor: Its name; empty if unknown.

    Example:
        >>> HTTPInterceptorError("raised KeyError", interceptor="SignRequest").interceptor
        'SignRequest'
    """

    _label: ClassVar[str] = "interceptor"

    def __init__(
        self, message: str = "", *, interceptor: str = "", **call: Unpack[CallInfo]
    ) -> None:
        super().__init__(message, **call)
        self.interceptor: Final = interceptor


class HTTPCircuitOpenError(HTTPClientError):
    """The circuit breaker is open, so this client refused the request and did not send it.

    Args:
        retry_after: Seconds until the breaker admits a probe; None if unknown.

    Example:
        >>> HTTPCircuitOpenError("open", retry_after=4.5, name="stock").retry_after
        4.5
    """

    _delivery: ClassVar[Delivery] = Delivery.NOT_SENT
    _label: ClassVar[str] = "name"

    def __init__(
        self,
        message: str = "circuit open",
        *,
        retry_after: float | None = None,
        name: str = "",
        **call: Unpack[CallInfo],
    ) -> None:
        super().__init__(message, **call)
        self.retry_after: Final = retry_after
        self.name: Final = name


class HTTPRetryExhaustedError(HTTPClientError):
    """Every attempt that the retry policy allows failed without a response.

    Args:
        failures: The failure of every attempt, in order.

    Example:
        >>> failures = [HTTPTimeoutError(phase="read"), HTTPConnectionError(kind="connect")]
        >>> HTTPRetryExhaustedError(failures=failures, attempts=2).last.kind
        'connect'
    """

    def __init__(
        self,
        message: str = "retries exhausted",
        *,
        failures: "Sequence[HTTPFailure]" = (),
        **call: Unpack[CallInfo],
    ) -> None:
        super().__init__(message, **call)
        self.failures: Final[tuple[HTTPFailure, ...]] = tuple(failures)

    @property
    def last(self) -> "HTTPFailure | None":
        """The last attempt's failure; None if a foreign retry policy did not report it."""
        return self.failures[-1] if self.failures else None


HttpStatusError = HTTPStatusError
HTTPFailure: TypeAlias = (
    HTTPInvalidRequestError
    | HTTPConnectionError
    | HTTPTimeoutError
    | HTTPStatusError
    | HTTPDecodeError
    | HTTPResponseTooLargeError
    | HTTPInterceptorError
    | HTTPCircuitOpenError
    | HTTPRetryExhaustedError
)
"""Every failure that a verb can return. A `match` over it with `assert_never` is exhaustive."""

FAILURES: Final[tuple[type[HTTPFailure], ...]] = get_args(HTTPFailure)
"""The classes of `HTTPFailure`: `except FAILURES as failure` binds an `HTTPFailure`."""
