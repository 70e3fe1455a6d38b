"""Documents of declared types: how each is written and read."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeVar, cast

import msgspec
from returns.result import Result, Success

from railhttp.model.errors import HTTPDecodeError
from railhttp.model.response import HttpResponse
from railhttp.railway import decode

T = TypeVar("T")

Reader: TypeAlias = Callable[[HttpResponse], Result[object, HTTPDecodeError]]
"""Reads a value from a response."""


def encode(value: object) -> bytes:
    """Write a value as JSON, in UTF-8.

    Raises:
        ValueError: The value has no form in JSON.
        TypeError: Its type has none.

    Example:
        >>> encode({"id": 7})
        b'{"id":7}'
    """
    return msgspec.json.encode(_plain(value))


def _plain(value: object) -> object:
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json", by_alias=True)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(part) for name, part in value._asdict().items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    return value


def reader_of(model: object) -> Reader:
    """Compile the reader of a declared type.

    `None` reads nothing, `HttpResponse` is the response itself; anything else is read by `decode`.

    Raises:
        TypeError: The type cannot be decoded.

    Example:
        >>> reader_of(int)(HttpResponse(200, body=b"7"))
        <Success: 7>
    """
    if model is None or model is type(None):
        return _nothing
    if model is HttpResponse:
        return Success
    return decode(cast("type[object]", model))  # checked at run time


def _nothing(_: HttpResponse) -> Result[None, HTTPDecodeError]:
    return Success(None)


def read_document(model: object, body: bytes, content_type: str) -> Result[object, HTTPDecodeError]:
    """Read a document that was sent.

    Example:
        >>> read_document(int, b"7", "application/json")
        <Success: 7>
    """
    headers = {"Content-Type": content_type} if content_type else {}
    return reader_of(model)(HttpResponse(200, headers, body))


def unknown_member(document: object, written: object, path: str = "$") -> str:
    """Find the first member of a document that is missing from the value as it was read.

    Args:
        document: The parsed document.
        written: The value read from it, written and parsed again.

    Returns:
        The member's JSON path; empty if there is none.

    Example:
        >>> unknown_member({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]})
        '$.a[0].c'
    """
    if isinstance(document, dict) and isinstance(written, dict):
        for name, part in document.items():
            if name not in written:
                return f"{path}.{name}"
            if found := unknown_member(part, written[name], f"{path}.{name}"):
                return found
    if isinstance(document, list) and isinstance(written, list):
        for index, (part, other) in enumerate(zip(document, written, strict=False)):
            if found := unknown_member(part, other, f"{path}[{index}]"):
                return found
    return ""
