"""A complete response: status, headers and body."""

import copyreg
import json
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Final, NoReturn, TypeAlias

from multidict import CIMultiDict, CIMultiDictProxy

from railhttp.model.charset import decode_text
from railhttp.model.document_decoder import decode_document
from railhttp.model.errors import (
    CallInfo,
    Delivery,
    HTTPDecodeError,
    HTTPStatusError,
    HTTPValidationError,
)
from railhttp.model.redaction import SECRET_HEADERS, redact_header, redact_url
from railhttp.model.timings import NO_TIMINGS, Timings
from railhttp.model.validation import OWS, describe, mismatch

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"
"""Any JSON document (RFC 8259)."""

Headers: TypeAlias = CIMultiDictProxy[str]
"""Header fields: names ignore case, and repeated fields are kept (`headers.getall(name)`)."""

NO_HEADERS: Final[Headers] = CIMultiDictProxy(CIMultiDict())


def freeze_headers(headers: Mapping[str, str]) -> Headers:
    """Copy headers into an immutable, case-insensitive multi-dict; repeated fields are kept.

    Example:
        >>> freeze_headers({"X-Id": "7"})["x-id"]
        '7'
    """
    return CIMultiDictProxy(CIMultiDict(headers))


def _thawed(fields: tuple[tuple[str, str], ...]) -> Headers:
    return CIMultiDictProxy(CIMultiDict(fields))


# `dataclasses.asdict` of a response copies its headers, and a multi-dict proxy has no copy
# (tests/model/test_response.py::test_a_response_becomes_a_dict).
copyreg.pickle(CIMultiDictProxy, lambda headers: (_thawed, (tuple(headers.items()),)))


class Timed:
    """Holds the timings, which are no field of the dataclass: an unset slot costs nothing."""

    __slots__ = ("_timings",)

    _timings: Timings


@dataclass(frozen=True, slots=True, init=False, repr=False)
class HttpResponse(Timed):
    """A response that has been read to its end: a frozen value that holds no connection.

    Attributes:
        status: The status code, 100 to 599.
        headers: Case-insensitive; repeated fields are kept, see `headers.getall`. The constructor
            copies any mapping.
        body: The bytes of the body, with content codings such as gzip undone.
        url: The URL of the last request, which differs from the requested URL after a redirect.
        method: The method of that request.
        elapsed: Seconds from the start of the call to the end of the body.
        http_version: The version of the response, such as `1.1`.
        attempts: The number of attempts that the call made, including this one.
        secret_headers: Names, in lower case, of fields to mask when the response is shown or
            pickled as part of a failure. Comparison ignores it.

    Raises:
        HTTPValidationError: The status is not an int, the headers are not a mapping, or the body is
            not bytes.

    Example:
        >>> response = HttpResponse(200, {"content-length": "3"}, b"[1]")
        >>> response.ok, response.json(), response.text, response.content_length
        (True, [1], '[1]', 3)
    """

    status: int
    headers: Headers
    body: bytes
    url: str
    method: str
    elapsed: float
    http_version: str
    attempts: int
    secret_headers: frozenset[str] = field(compare=False)

    # Written by hand because the parameters accept wider types than the attributes have. It
    # validates without `__post_init__`, whose call would slow down every request.
    def __init__(
        self,
        status: int,
        headers: Mapping[str, str] = NO_HEADERS,
        body: bytes = b"",
        url: str = "",
        method: str = "GET",
        elapsed: float = 0.0,
        http_version: str = "1.1",
        attempts: int = 1,
        *,
        secret_headers: frozenset[str] = SECRET_HEADERS,
        timings: Timings = NO_TIMINGS,
    ) -> None:
        if type(headers) is not CIMultiDictProxy:
            headers = _frozen(headers)
        if type(body) is not bytes or type(status) is not int:
            _check_parts(status, body)
        put = object.__setattr__
        put(self, "status", status)
        put(self, "headers", headers)
        put(self, "body", body)
        put(self, "url", url)
        put(self, "method", method)
        put(self, "elapsed", elapsed)
        put(self, "http_version", http_version)
        put(self, "attempts", attempts)
        put(self, "secret_headers", secret_headers)
        if timings is not NO_TIMINGS:
            put(self, "_timings", timings)

    @property
    def timings(self) -> Timings:
        """The phases of the last exchange, if an instrument of the client asks for them.

        Otherwise every phase is None. Comparison ignores the timings.

        Example:
            >>> HttpResponse(200).timings.wait is None
            True
        """
        return getattr(self, "_timings", NO_TIMINGS)

    @property
    def ok(self) -> bool:
        """Whether the status is below 400.

        Example:
            >>> HttpResponse(304).ok, HttpResponse(404).ok
            (True, False)
        """
        return self.status < 400

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty if the field is missing.

        Example:
            >>> HttpResponse(200, freeze_headers({"Content-Type": "Text/HTML; a=b"})).content_type
            'text/html'
        """
        return self.headers.get("Content-Type", "").partition(";")[0].strip(OWS).lower()

    @property
    def content_length(self) -> int | None:
        """The bytes on the wire, by the `Content-Length` field; None if absent or malformed."""
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None

    @property
    def text(self) -> str:
        """The body as text, decoded on each access; undecodable bytes become U+FFFD.

        A byte-order mark decides, and is left out; otherwise the charset of the `Content-Type`
        field, whose label is read as browsers do (WHATWG Encoding: `latin1` is windows-1252). An
        unknown charset is UTF-8.

        Example:
            >>> HttpResponse(200, body="né".encode()).text
            'né'
        """
        return decode_text(self.body, self.headers.get("Content-Type", ""))

    def json(self) -> JSON:
        """Parse the body as JSON (RFC 8259), whatever its content type.

        Raises:
            HTTPDecodeError: The body is malformed, not in a Unicode encoding or nested too deep, or
                contains a number that JSON or Python cannot represent (`NaN`, `1e999`, thousands of
                digits).

        Example:
            >>> HttpResponse(200, body=b"{").json()
            Traceback (most recent call last):
            railhttp.model.errors.HTTPDecodeError: GET: not JSON: Expecting property name enclosed
            in double quotes [line 1 column 2, answered, attempts 1, 0.000 s]
        """
        try:
            return decode_document(self.body)  # type: ignore[return-value]  # a parser returns JSON
        except json.JSONDecodeError as error:
            self._refuse(f"not JSON: {error.msg}", f"line {error.lineno} column {error.colno}")
        except UnicodeDecodeError as error:
            self._refuse("not JSON: not in a Unicode encoding", f"byte {error.start}")
        except RecursionError:
            self._refuse("JSON is nested too deeply", "")
        except ValueError as error:
            self._refuse(f"JSON cannot be represented: {error}", "")

    def call_info(self) -> CallInfo:
        """Return the details that a failure of this response carries.

        Example:
            >>> HTTPDecodeError("not a list", **HttpResponse(200, method="GET").call_info()).method
            'GET'
        """
        return CallInfo(
            method=self.method,
            url=self.url,
            delivery=Delivery.ANSWERED,
            attempts=self.attempts,
            elapsed=self.elapsed,
        )

    def _refuse(self, message: str, where: str) -> NoReturn:
        raise HTTPDecodeError(
            message,
            where=where,
            content_type=self.content_type,
            **self.call_info(),
        ) from None  # the cause contains the whole document, which may be secret

    def raise_for_status(self) -> None:
        """Raise `HTTPStatusError` if the status is 400 or higher.

        Example:
            >>> HttpResponse(204).raise_for_status()
        """
        if self.status >= 400:
            raise HTTPStatusError(self)

    def redacted(self, secret: Set[str] | None = None) -> "HttpResponse":
        """Return a copy with the secrets of its URL and header fields masked.

        Args:
            secret: Names, in lower case, of the fields to mask; None means `secret_headers`.

        Example:
            >>> HttpResponse(200, url="http://h/?token=abc").redacted().url
            'http://h/?token=***'
        """
        names = self.secret_headers if secret is None else secret
        fields = CIMultiDict(
            (name, redact_header(name, value, names)) for name, value in self.headers.items()
        )
        shown = replace(self, url=redact_url(self.url), headers=CIMultiDictProxy(fields))
        return shown.with_timings(self.timings)

    def with_timings(self, timings: Timings) -> "HttpResponse":
        """Return a copy with other timings."""
        copy = replace(self)
        object.__setattr__(copy, "_timings", timings)
        return copy

    def __repr__(self) -> str:
        url = redact_url(self.url)
        return f"<HttpResponse {self.status} {self.method} {url} {len(self.body)} bytes>"

    def __hash__(self) -> int:
        return hash((self.status, self.body, self.url, self.method))

    def __reduce__(self) -> tuple[object, ...]:
        state = {name: getattr(self, name) for name in self.__slots__}
        return _rebuild, ({**state, "_timings": self.timings},)


def _frozen(headers: object) -> Headers:
    if isinstance(headers, Mapping):
        return freeze_headers(headers)
    raise mismatch("a mapping", headers, "headers")


def _check_parts(status: object, body: object) -> None:
    if not isinstance(status, int):
        raise mismatch("an int", status, "status")
    if not isinstance(body, bytes):
        advice = ": encode the text" if isinstance(body, str) else ""
        raise HTTPValidationError(f"must be bytes, got {describe(body)}{advice}", field="body")


def _rebuild(state: dict[str, object]) -> HttpResponse:
    response = object.__new__(HttpResponse)
    for name, value in state.items():
        object.__setattr__(response, name, value)
    return response
