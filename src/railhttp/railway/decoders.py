"""Decoders: pure functions from a response to a `Result`, for `.bind_result` and `then`."""

import json
from typing import Final, Protocol, TypeVar, cast, overload

from multidict import istr
from returns.result import Failure, Result, Success
from typing_extensions import TypeForm

from railhttp.model.charset import charset_of, codec_of, split_mark
from railhttp.model.errors import HTTPDecodeError
from railhttp.model.headers import extract_json_type
from railhttp.model.memo import Memo
from railhttp.model.response import JSON, HttpResponse
from railhttp.model.validation import OWS
from railhttp.railway.mismatch import MismatchError
from railhttp.railway.structure import structure_of

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Decoder(Protocol[T_co]):
    """A function that decodes a response and never raises. Any function of this type is one.

    Example:
        >>> decoder: Decoder[str] = decode_text
        >>> decoder(HttpResponse(200, body=b"text"))
        <Success: text>
    """

    def __call__(self, response: HttpResponse, /) -> Result[T_co, HTTPDecodeError]:
        """Decode a response."""
        ...


class _Decoding:
    """Decodes responses into a type."""

    __slots__ = ("_from_bytes", "_from_document", "_model")

    def __init__(self, model: object) -> None:
        self._model = model
        structure = structure_of(model)
        self._from_bytes = structure.from_bytes
        self._from_document = structure.from_document

    def __repr__(self) -> str:
        model = self._model
        return f"decode({model.__qualname__ if type(model) is type else model})"

    def __call__(self, response: HttpResponse, /) -> Result[object, HTTPDecodeError]:
        # The same as `_refuse_json_type`: a call costs a tenth of a small document.
        content_type = response.headers.get(_CONTENT_TYPE)
        if content_type and (message := _TYPE_ERRORS[content_type]):
            return Failure(_refused(response, message))
        from_bytes = self._from_bytes
        if from_bytes is not None:
            body = response.body
            try:
                return Success(from_bytes(body))
            except Exception:  # noqa: BLE001, S110  # a model may raise anything; read it again below
                pass
            try:  # JSON in another encoding is never JSON in UTF-8
                if not _is_utf8(body):
                    return Success(from_bytes(_as_utf8(body)))
            except Exception:  # noqa: BLE001, S110  # as above
                pass
        try:
            return Success(self._from_document(response.json()))
        except HTTPDecodeError as error:
            return Failure(error)
        except MismatchError as error:
            return Failure(_refused(response, error.expected, error.where))
        except RecursionError:
            return Failure(
                _refused(response, "expected JSON that can be held, found it nested too deep")
            )


@overload
def decode(model: type[T]) -> Decoder[T]: ...
@overload
def decode(model: TypeForm[T]) -> Decoder[T]: ...  # unions, Literal and their like (PEP 747)
def decode(model: TypeForm[T]) -> Decoder[T]:
    """Make a JSON decoder for a type.

    The table in `railhttp.railway.structure` lists the types. Models of pydantic
    (`railhttp[pydantic]`) and msgspec follow the rules of their packages, also inside of
    dataclasses, lists and the like.

    Args:
        model: A class, a generic type or a union.

    Returns:
        The decoder; make it once and use it often. Its failures name the place (`$.items[3].id`)
        and what was expected there, and never show the data.

    Raises:
        TypeError: The type cannot be decoded.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass
        ... class User:
        ...     id: int
        >>> users = decode(list[User])
        >>> users(HttpResponse(200, body=b'[{"id": 7}]'))
        <Success: [User(id=7)]>
        >>> failure = users(HttpResponse(200, body=b'[{"id": "7"}]')).failure()
        >>> failure.where, failure.message
        ('$[0].id', 'expected an integer, found a string')
    """
    return cast("Decoder[T]", _Decoding(model))  # it makes values of that type


def decode_json(response: HttpResponse) -> Result[JSON, HTTPDecodeError]:
    """Decode a JSON document (RFC 8259).

    It fails for another `Content-Type` or charset, invalid JSON, deep nesting, and numbers that
    Python cannot represent.

    Example:
        >>> decode_json(HttpResponse(200, body=b'{"id": 7}'))
        <Success: {'id': 7}>
    """
    refusal = _refuse_json_type(response)
    if refusal is not None:
        return Failure(refusal)
    try:
        return Success(response.json())
    except HTTPDecodeError as error:
        return Failure(error)


def decode_text(response: HttpResponse) -> Result[str, HTTPDecodeError]:
    r"""Decode text in the charset of the response, by default UTF-8.

    It fails for bytes that the charset cannot decode, an unknown charset, and a `Content-Type` that
    is not text (`text/*`, JSON, XML and similar, or any type with a charset).

    Example:
        >>> decode_text(HttpResponse(200, body=b"caf\xe9")).failure().where
        'byte 3'
    """
    content_type = response.headers.get("Content-Type", "")
    if not _is_text(response.content_type, content_type):
        return Failure(_refused(response, "expected text, found another content type"))
    marked, body = split_mark(response.body)
    charset = marked or codec_of(content_type)
    if charset is None:
        return Failure(_refused(response, "expected a charset of text, found another one"))
    try:
        return Success(body.decode(charset))
    except UnicodeDecodeError as error:
        where = f"byte {error.start + len(response.body) - len(body)}"
    except (LookupError, ValueError):  # codecs such as base64 make no text
        where = ""
    return Failure(_refused(response, f"expected text in {charset}", where))


def decode_lines(response: HttpResponse) -> Result[tuple[str, ...], HTTPDecodeError]:
    r"""Decode text as `decode_text` does, and split it into lines at LF and CRLF.

    Example:
        >>> decode_lines(HttpResponse(200, body=b"a\r\n\nb\n")).unwrap()
        ('a', '', 'b')
    """
    return decode_text(response).map(_lines)


def _lines(text: str) -> tuple[str, ...]:
    *lines, rest = text.split("\n")
    return (*(line.removesuffix("\r") for line in lines), *([rest] if rest else []))


def _is_utf8(body: bytes) -> bool:
    start = body[:2]
    return start.isascii() and 0 not in start  # RFC 8259, section 8.1


def _as_utf8(body: bytes) -> bytes:
    return body.decode(json.detect_encoding(body), "surrogatepass").encode()


def _refuse_json_type(response: HttpResponse) -> HTTPDecodeError | None:
    content_type = response.headers.get(_CONTENT_TYPE, "")
    message = _TYPE_ERRORS[content_type] if content_type else ""
    return _refused(response, message) if message else None


def _json_type_error(content_type: str) -> str:
    if content_type.partition(";")[0].strip(OWS) and extract_json_type(content_type) is None:
        return "expected JSON, found another content type"
    is_ascii = charset_of(content_type) in {"ascii", "us-ascii"}
    if not is_ascii and codec_of(content_type) not in _UNICODE:
        return "expected a Unicode charset (RFC 8259, section 8.1)"
    return ""


_TYPE_ERRORS: Final = Memo(_json_type_error, size=64)


def _is_text(media_type: str, content_type: str) -> bool:
    return (
        not media_type
        or media_type.startswith("text/")
        or any(kind in media_type for kind in _TEXT_KINDS)
        or "charset=" in content_type.lower()
    )


def _refused(response: HttpResponse, message: str, where: str = "") -> HTTPDecodeError:
    return HTTPDecodeError(
        message,
        where=where,
        content_type=response.content_type,
        **response.call_info(),
    )


_CONTENT_TYPE: Final = istr("Content-Type")  # a `str` is folded at each look-up
_UNICODE: Final = frozenset(
    {
        *("ascii", "utf-8", "utf-8-sig"),
        *("utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-be", "utf-32-le"),
    }
)
_TEXT_KINDS: Final = ("json", "xml", "javascript", "yaml", "urlencoded", "csv", "graphql")
