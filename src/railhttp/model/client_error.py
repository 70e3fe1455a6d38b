"""The base of all failures, and the details that each of them carries."""

import re
from copy import copy
from enum import Enum
from typing import ClassVar, Final, Literal, Self, TypeAlias, TypedDict

from railhttp.model.redaction import redact_url

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
"""The part of a connection that failed; for `closed` and `rejected` this client itself refused."""

TimeoutPhase: TypeAlias = Literal["pool", "connect", "read", "total"]
"""The wait that ran out of time: for a pooled connection, for connecting, for the response, or for
the call as a whole."""


class Delivery(Enum):
    """How much is proven about whether a request reached its server.

    Example:
        >>> HTTPClientError("refused", delivery=Delivery.NOT_SENT).delivery
        <Delivery.NOT_SENT: 'not sent'>
    """

    NOT_SENT = "not sent"
    MAYBE_SENT = "maybe sent"
    ANSWERED = "answered"

    def strongest(self, *others: "Delivery") -> "Delivery":
        """Return the most that any of several sends proves.

        Example:
            >>> Delivery.NOT_SENT.strongest(Delivery.ANSWERED, Delivery.MAYBE_SENT)
            <Delivery.ANSWERED: 'answered'>
        """
        return max((self, *others), key=list(Delivery).index)


class CallInfo(TypedDict, total=False):
    """The details of a call that every failure carries: the keywords of `HTTPClientError`."""

    method: str
    url: str
    delivery: Delivery | None
    attempts: int
    elapsed: float


class HTTPError(Exception):
    """Root of every exception that railhttp raises; it can be pickled and copied.

    Example:
        >>> import pickle
        >>> error = HTTPClientError("refused", method="GET", url="http://h/")
        >>> pickle.loads(pickle.dumps(error)).method
        'GET'
    """

    def __reduce__(self) -> tuple[object, ...]:
        # The keyword-only arguments live in __dict__; Exception's own __reduce__ would call the
        # class with `args` alone (tests/model/test_errors.py::test_failures_survive_copying).
        return _rebuild, (type(self), self.args), self.__dict__.copy()


def _rebuild(cls: type[HTTPError], args: tuple[object, ...]) -> HTTPError:
    return cls.__new__(cls, *args)


def _words_of(class_name: str) -> str:
    inner = class_name.removeprefix("HTTP").removesuffix("Error")
    return re.sub(r"(?<!^)(?=[A-Z])", " ", inner).lower()


class HTTPClientError(HTTPError):
    """Base of all failures that a client reports; they all take its keyword arguments too.

    Args:
        message: The cause, in words.
        url: Stored redacted.
        delivery: Whether the request reached the server; None selects the default of the class.
        attempts: Number of attempts so far, including this one; 0 if none began.
        elapsed: Seconds since the start of the call.

    Example:
        >>> str(HTTPClientError("refused", method="GET", url="http://h/?k=v"))
        'GET http://h/?k=***: refused [maybe sent, attempts 1, 0.000 s]'
    """

    _delivery: ClassVar[Delivery] = Delivery.MAYBE_SENT
    _label: ClassVar[str] = ""  # the attribute that `label` returns
    _detail: ClassVar[str | None] = None  # the attribute that the text shows; None: that of `label`

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

    def of_call(self, message: str, call: CallInfo) -> Self:
        """Return a copy that speaks of another call: one that this failure ended.

        Args:
            message: The cause, in words.
            call: The details of the other call.
        """
        copied = copy(self)
        shown: dict[str, object] = {**call, "url": redact_url(call.get("url", ""))}
        copied.__dict__.update(shown, message=message)
        copied.args = (message,)
        return copied

    @property
    def label(self) -> str:
        """A short name of the failure, never empty, with few values: for tables and messages.

        It is the kind, phase, status, field or name that distinguishes failures of a class, or what
        the class means.

        Example:
            >>> from railhttp.model.errors import HTTPDecodeError, HTTPTimeoutError
            >>> HTTPTimeoutError(phase="read").label, HTTPDecodeError(where="$.id").label
            ('read', 'decode')
        """
        return self._text_of(self._label) or _words_of(type(self).__name__)

    def _text_of(self, attribute: str) -> str:
        return str(getattr(self, attribute)) if attribute else ""

    def __str__(self) -> str:
        target = f"{self.method} {self.url}".strip()
        shown = self._text_of(self._label if self._detail is None else self._detail)
        details = [shown, self.delivery.value, f"attempts {self.attempts}"]
        detail = ", ".join(text for text in [*details, f"{self.elapsed:.3f} s"] if text)
        return f"{target}: {self.message} [{detail}]" if target else f"{self.message} [{detail}]"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"
