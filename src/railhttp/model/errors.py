r"""The failures: a closed union of plain exception classes.

    HTTPError                          root
    ├── HTTPValidationError            what the validate_* functions raise (also a ValueError)
    └── HTTPClientError                base of all that a client reports
        ├── HTTPInvalidRequestError    URL, scheme, header, method or body cannot be sent
        ├── HTTPConnectionError        kind: dns connect proxy tls disconnected truncated
        │                                    protocol redirect closed rejected
        ├── HTTPTimeoutError           phase: pool connect read total
        ├── HTTPStatusError            an answer with a 4xx or 5xx status
        ├── HTTPDecodeError            a body that is not what it says it is
        ├── HTTPResponseTooLargeError  a body beyond max_response_bytes
        ├── HTTPInterceptorError       an interceptor, or code plugged into the transport, failed
        ├── HTTPCircuitOpenError       refused here: the circuit breaker is open
        └── HTTPRetryExhaustedError    every attempt failed without an answer

`HTTPFailure` is the union of the leaves: match on it and let `assert_never` watch the match.
No message shows credentials, cookies or query values, whatever the request held.
"""

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Final, Literal, TypeAlias, TypedDict

from typing_extensions import Unpack

from railhttp.model.redaction import redact_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from railhttp.model.response import HttpResponse

ConnectionKind: TypeAlias = Literal[
    "dns",
    "connect",
    "proxy",
    "tls",
    "disconnected",
    "truncated",
    "protocol",
    "redirect",
    "closed",
    "rejected",
]
"""What went wrong with a connection; `closed` and `rejected` are this client's own doing."""

TimeoutPhase: TypeAlias = Literal["pool", "connect", "read", "total"]
"""What took too long: a place in the pool, the connection, the answer, or the call as a whole."""


class Delivery(Enum):
    """What is proven about a request having reached its server.

    Example:
        >>> HTTPConnectionError("refused", kind="connect", delivery=Delivery.NOT_SENT).delivery
        <Delivery.NOT_SENT: 'not sent'>
    """

    NOT_SENT = "not sent"
    MAYBE_SENT = "maybe sent"
    ANSWERED = "answered"

    def strongest(self, *others: "Delivery") -> "Delivery":
        """Pick what is proven by several sends together: the most that one of them proves.

        Example:
            >>> Delivery.NOT_SENT.strongest(Delivery.ANSWERED, Delivery.MAYBE_SENT)
            <Delivery.ANSWERED: 'answered'>
        """
        return max((self, *others), key=_STRENGTH.index)


_STRENGTH: Final = (Delivery.NOT_SENT, Delivery.MAYBE_SENT, Delivery.ANSWERED)


class CallInfo(TypedDict, total=False):
    """What every failure knows of its call; the keywords of `HTTPClientError`."""

    method: str
    url: str
    delivery: Delivery | None
    attempts: int
    elapsed: float


class HTTPError(Exception):
    """Root of every exception that railhttp raises.

    Pickles, copies and hashes by identity, so that a failure can cross a process boundary.

    Example:
        >>> import pickle
        >>> error = HTTPTimeoutError("no answer", phase="read", method="GET", url="http://h/")
        >>> pickle.loads(pickle.dumps(error)).phase
        'read'
    """

    def __reduce__(self) -> tuple[object, ...]:
        # The keyword-only arguments live in __dict__; Exception's own __reduce__ would call the
        # class with `args` alone (tests/model/test_errors.py::test_failures_survive_copying).
        return _rebuild, (type(self), self.args), self.__dict__.copy()


def _rebuild(cls: type[HTTPError], args: tuple[object, ...]) -> HTTPError:
    return cls.__new__(cls, *args)


class HTTPValidationError(HTTPError, ValueError):
    """A value is refused before any request is made: a host, a port, a URL, a setting.

    Args:
        message: What is wrong and what would be right.
        field: The argument or setting that is wrong, empty where there is no name for it.

    Example:
        >>> raise HTTPValidationError("must be between 1 and 65535, got 0", field="port")
        Traceback (most recent call last):
        railhttp.model.errors.HTTPValidationError: port: must be between 1 and 65535, got 0
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.message: Final = message
        self.field: Final = field


class HTTPClientError(HTTPError):
    """Base of all failures that a client reports.

    Args:
        message: What went wrong, in words.
        method: The request's method.
        url: The request's URL; kept redacted.
        delivery: What is proven about the request having reached the server; None takes the
            class's own default.
        attempts: How many attempts were made, this one included; 0 where none began.
        elapsed: Seconds from the start of the call.

    Example:
        >>> str(HTTPConnectionError("refused", kind="connect", method="GET", url="http://h/?k=v"))
        'GET http://h/?k=***: refused [connect, maybe sent, attempts 1, 0.000 s]'
    """

    _delivery: ClassVar = Delivery.MAYBE_SENT

    def __init__(
        self,
        message: str = "",
        *,
        method: str = "",
        url: str = "",
        delivery: Delivery | None = None,
        attempts: int = 1,
        elapsed: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.message: Final = message
        self.method: Final = method
        self.url: Final = redact_url(url)
        self.delivery: Final = self._delivery if delivery is None else delivery
        self.attempts: Final = attempts
        self.elapsed: Final = elapsed

    @property
    def label(self) -> str:
        """The failure's kind in a word, for tables, logs and metrics.

        Example:
            >>> HTTPTimeoutError(phase="read").label
            'read'
        """
        return ""

    def __str__(self) -> str:
        target = f"{self.method} {self.url}".strip()
        facts = [self.label, self.delivery.value, f"attempts {self.attempts}"]
        detail = ", ".join(fact for fact in [*facts, f"{self.elapsed:.3f} s"] if fact)
        return f"{target}: {self.message} [{detail}]" if target else f"{self.message} [{detail}]"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class HTTPInvalidRequestError(HTTPClientError):
    """The request cannot be sent: its URL, scheme, header, method or body is not valid.

    Args:
        message: What is wrong and what would be right.
        field: The argument that is wrong, such as `url` or `headers`.
        **call: The facts of the call, see `HTTPClientError`; not sent unless they say otherwise.

    Example:
        >>> HTTPInvalidRequestError("has no host", field="url").delivery
        <Delivery.NOT_SENT: 'not sent'>
    """

    _delivery = Delivery.NOT_SENT

    def __init__(self, message: str = "", *, field: str = "", **call: Unpack[CallInfo]) -> None:
        super().__init__(message, **call)
        self.field: Final = field

    @property
    def label(self) -> str:
        """The argument that is wrong."""
        return self.field


class HTTPConnectionError(HTTPClientError):
    """No answer came, or only a part of one: the connection failed.

    A `case` may name the kind alone: `HTTPConnectionError("dns")`.

    Args:
        message: What went wrong, in words.
        kind: Which part failed, see `ConnectionKind`.
        **call: The facts of the call, see `HTTPClientError`.

    Example:
        >>> HTTPConnectionError("no such host", kind="dns", delivery=Delivery.NOT_SENT).kind
        'dns'
    """

    __match_args__ = ("kind",)

    def __init__(
        self, message: str = "", *, kind: ConnectionKind, **call: Unpack[CallInfo]
    ) -> None:
        super().__init__(message, **call)
        self.kind: Final = kind

    @property
    def label(self) -> str:
        """The kind."""
        return self.kind


class HTTPTimeoutError(HTTPClientError):
    """Time ran out.

    A `case` may name the phase alone: `HTTPTimeoutError("read")`.

    Args:
        message: What took too long, and how long it was given.
        phase: Which limit was hit, see `TimeoutPhase`.
        limit: How many seconds were allowed; None where that is not known.
        **call: The facts of the call, see `HTTPClientError`.

    Example:
        >>> HTTPTimeoutError("no answer within 2 s", phase="total").phase
        'total'
    """

    __match_args__ = ("phase",)

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

    @property
    def label(self) -> str:
        """The phase."""
        return self.phase


class HTTPStatusError(HTTPClientError):
    """The server answered with a 4xx or 5xx status (RFC 9110, sections 15.5 and 15.6).

    `railway.expect` makes one of any status that it does not expect. A `case` may name the status
    alone: `HTTPStatusError(404)`.

    Args:
        response: The answer, whole; it names the request too.
        secret_headers: Names, in lower case, of header fields that are left out of a pickle; the
            response's own where None.
        expected: The statuses that the caller asked for, where it asked for some.

    Example:
        >>> from railhttp.model.response import HttpResponse
        >>> error = HTTPStatusError(HttpResponse(status=404, method="GET", url="http://h/x"))
        >>> error.status, str(error)
        (404, 'GET http://h/x: status 404 [answered, attempts 1, 0.000 s]')
    """

    __match_args__ = ("status",)

    def __init__(
        self,
        response: "HttpResponse",
        *,
        secret_headers: frozenset[str] | None = None,
        expected: Iterable[int] = (),
    ) -> None:
        wanted = " or ".join(map(str, expected))
        super().__init__(
            f"status {response.status}, expected {wanted}"
            if wanted
            else f"status {response.status}",
            method=response.method,
            url=response.url,
            delivery=Delivery.ANSWERED,
            attempts=response.attempts,
            elapsed=response.elapsed,
        )
        self.response: Final = response
        self._secret_headers = secret_headers

    @property
    def status(self) -> int:
        """The status code."""
        return self.response.status

    def __reduce__(self) -> tuple[object, ...]:
        # What leaves the process must not take secrets along: no query value, no cookie.
        state = {**self.__dict__, "response": self.response.redacted(self._secret_headers)}
        return _rebuild, (type(self), self.args), state

    def __copy__(self) -> "HTTPStatusError":
        copied = HTTPStatusError(self.response)
        copied.__dict__.update(self.__dict__)
        return copied

    def __deepcopy__(self, memo: object) -> "HTTPStatusError":
        return self.__copy__()  # what it holds is frozen


class HTTPDecodeError(HTTPClientError):
    """A body is not what its headers, or the caller's decoder, say it is.

    Args:
        message: What was expected and what was found, without the data itself.
        where: The place: a JSON path such as `$.items[3].id`, or a byte or line position.
        content_type: The answer's content type, empty where it named none.
        **call: The facts of the call, see `HTTPClientError`.

    Example:
        >>> HTTPDecodeError("expected an integer", where="$.id").where
        '$.id'
    """

    _delivery = Delivery.ANSWERED

    def __init__(
        self,
        message: str = "",
        *,
        where: str = "",
        content_type: str = "",
        **call: Unpack[CallInfo],
    ) -> None:
        super().__init__(message, **call)
        self.where: Final = where
        self.content_type: Final = content_type

    @property
    def label(self) -> str:
        """The place."""
        return self.where


class HTTPResponseTooLargeError(HTTPClientError):
    """A body is larger than allowed.

    Args:
        message: What was too large.
        limit: The limit, in bytes.
        **call: The facts of the call, see `HTTPClientError`.

    Example:
        >>> HTTPResponseTooLargeError("body is larger than 10 bytes", limit=10).limit
        10
    """

    _delivery = Delivery.ANSWERED

    def __init__(self, message: str = "", *, limit: int, **call: Unpack[CallInfo]) -> None:
        super().__init__(message, **call)
        self.limit: Final = limit


class HTTPInterceptorError(HTTPClientError):
    """An interceptor, or other code plugged into the client, raised.

    Args:
        message: What it raised.
        interceptor: Its name, empty where unknown.
        **call: The facts of the call, see `HTTPClientError`.

    Example:
        >>> HTTPInterceptorError("raised KeyError", interceptor="SignRequest").interceptor
        'SignRequest'
    """

    def __init__(
        self, message: str = "", *, interceptor: str = "", **call: Unpack[CallInfo]
    ) -> None:
        super().__init__(message, **call)
        self.interceptor: Final = interceptor

    @property
    def label(self) -> str:
        """The interceptor's name."""
        return self.interceptor


class HTTPCircuitOpenError(HTTPClientError):
    """The circuit breaker is open: the request was refused here and never sent.

    Args:
        message: What was refused.
        retry_after: Seconds until the breaker lets a probe through; None where it cannot tell.
        name: The breaker's name.
        **call: The facts of the call, see `HTTPClientError`.

    Example:
        >>> HTTPCircuitOpenError("open", retry_after=4.5, name="stock").retry_after
        4.5
    """

    _delivery = Delivery.NOT_SENT

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

    @property
    def label(self) -> str:
        """The breaker's name."""
        return self.name


class HTTPRetryExhaustedError(HTTPClientError):
    """Every attempt was made, and none of them got an answer.

    Args:
        message: What was tried.
        failures: Every attempt's failure, in order.
        **call: The facts of the call, see `HTTPClientError`.

    Example:
        >>> first = HTTPTimeoutError("no answer", phase="read")
        >>> second = HTTPConnectionError("refused", kind="connect")
        >>> error = HTTPRetryExhaustedError("gave up", failures=[first, second], attempts=2)
        >>> error.last.kind
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
        """The last attempt's failure; None where a foreign policy told nothing of it."""
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
"""Every failure that a verb can hold. A `match` over it with `assert_never` is exhaustive."""

FAILURES: Final = (
    HTTPInvalidRequestError,
    HTTPConnectionError,
    HTTPTimeoutError,
    HTTPStatusError,
    HTTPDecodeError,
    HTTPResponseTooLargeError,
    HTTPInterceptorError,
    HTTPCircuitOpenError,
    HTTPRetryExhaustedError,
)
"""The classes of `HTTPFailure`, for an `except` that knows what it caught."""
