"""Forms with files: multipart/form-data (RFC 7578), with names escaped as browsers do."""

import mimetypes
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from inspect import iscoroutinefunction
from itertools import groupby
from typing import BinaryIO, Final, TypeAlias

from railhttp.model.body import Body, BytesBody, FileSource, StreamBody, encode_text
from railhttp.model.charset import parameter_of
from railhttp.model.errors import HTTPValidationError
from railhttp.model.validation import OWS

FormValue: TypeAlias = "str | bytes | BinaryIO | tuple[str, bytes | str | BinaryIO, str]"
"""The value of a field: text; bytes, sent as a file; an open binary file; or
`(filename, data, content_type)`."""

FormFields: TypeAlias = "Mapping[str, FormValue]"
"""Names and values; a multi-dict may repeat a name."""

_BINARY: Final = "application/octet-stream"
_BOUNDARY: Final = r"[0-9A-Za-z_-]{1,70}"
_HEADER_VALUE: Final = r"[!-~]([\t -~]*[!-~])?"
_ESCAPES: Final = str.maketrans({"\r": "%0D", "\n": "%0A", '"': "%22"})


def encode_multipart(
    fields: FormFields, boundary: str, measure: Callable[[BinaryIO], FileSource]
) -> Body:
    """Build a multipart body; files become segments of the body and are read when it is sent.

    Names are UTF-8, with CR, LF and `"` escaped as `%0D`, `%0A` and `%22` (WHATWG HTML, section
    4.10.21.8); values are sent unchanged. The file name of bytes is the name of their field. An
    open file keeps its name without folders, and its extension selects the content type.

    Args:
        boundary: Separates the parts; random, so that no value contains it.
        measure: Finds the position and the size of a file.
    """
    if not re.fullmatch(_BOUNDARY, boundary):
        raise HTTPValidationError("must be 1 to 70 letters, digits, - and _", field="boundary")
    content_type = f"multipart/form-data; boundary={boundary}"
    segments = tuple(_joined(_segments(fields, boundary, measure)))
    if len(segments) == 1 and isinstance(segments[0], bytes):
        return BytesBody(segments[0], content_type)
    return StreamBody(segments, content_type)


def with_boundary(own: str, actual: str) -> str:
    """Return a caller's `Content-Type` with the boundary of the body.

    A server cannot read a multipart body without it, or with another one.

    Args:
        own: The value that the caller set.
        actual: The content type of the body.

    Raises:
        HTTPValidationError: It announces a multipart body that is none, or another boundary.

    Example:
        >>> with_boundary("multipart/form-data", "multipart/form-data; boundary=b1")
        'multipart/form-data; boundary=b1'
    """
    if not own.lstrip(OWS).lower().startswith("multipart/"):
        return own
    boundary, ours = parameter_of(own, "boundary"), parameter_of(actual, "boundary")
    if boundary is None and ours is None:
        message = "Content-Type must have the boundary of the body; for a form use post_multipart"
        raise HTTPValidationError(message, field="headers")
    if boundary is not None and ours not in {None, boundary}:
        message = "Content-Type must not have another boundary than the form: leave it out"
        raise HTTPValidationError(message, field="headers")
    return own if boundary is not None else f"{own.rstrip('; ')}; boundary={ours}"


def _joined(segments: Iterable[bytes | FileSource]) -> Iterator[bytes | FileSource]:
    for in_memory, group in groupby(segments, key=lambda segment: isinstance(segment, bytes)):
        if in_memory:
            yield b"".join(segment for segment in group if isinstance(segment, bytes))
        else:
            yield from group


def _segments(
    fields: FormFields, boundary: str, measure: Callable[[BinaryIO], FileSource]
) -> Iterator[bytes | FileSource]:
    if not isinstance(fields, Mapping):
        raise HTTPValidationError(
            f"must be a mapping of names to values, not {type(fields).__name__}", field="fields"
        )
    for name, value in fields.items():
        field = f"fields[{name!r}]"
        head, data = _part(name, value, field)
        yield encode_text(f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n", field)
        yield data if isinstance(data, bytes) else measure(data)
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _part(name: str, value: FormValue, field: str) -> tuple[str, bytes | BinaryIO]:
    match value:
        case str():
            return _quoted("name", name, field), encode_text(value, field)
        case bytes():
            return _file_head(name, name, _BINARY, field), value
        case (filename, data, content_type):
            return _file_head(name, filename, content_type, field), _data(data, field)
        case tuple():
            raise HTTPValidationError("must be (filename, data, content_type)", field=field)
        case _:
            data = _data(value, field)
            filename = _basename(getattr(value, "name", "")) or name
            return _file_head(name, filename, _guess_type(filename), field), data


def _file_head(name: str, filename: object, content_type: object, field: str) -> str:
    if not isinstance(content_type, str) or not re.fullmatch(_HEADER_VALUE, content_type):
        raise HTTPValidationError(
            "the content type must be printable ASCII, such as text/plain", field=field
        )
    names = f"{_quoted('name', name, field)}; {_quoted('filename', filename, field)}"
    return f"{names}\r\nContent-Type: {content_type}"


def _quoted(parameter: str, text: object, field: str) -> str:
    if not isinstance(text, str):
        raise HTTPValidationError(
            f"the {parameter} must be a str, not {type(text).__name__}", field=field
        )
    return f'{parameter}="{text.translate(_ESCAPES)}"'


def _data(data: bytes | str | BinaryIO, field: str) -> bytes | BinaryIO:
    match data:
        case bytes():
            return data
        case str():
            return encode_text(data, field)
        case _ if hasattr(data, "encoding"):  # only text files have it
            raise HTTPValidationError("open the file in binary mode: open(path, 'rb')", field=field)
        case _ if iscoroutinefunction(getattr(data, "read", None)):
            message = "has an async read: pass its bytes, or send it alone as data="
            raise HTTPValidationError(message, field=field)
        case _ if hasattr(data, "read"):
            return data
    raise HTTPValidationError(
        f"must be str, bytes or an open binary file, not {type(data).__name__}", field=field
    )


def _basename(path: object) -> str:
    # `file.name` may be a path of any system, or the number of a descriptor.
    return re.split(r"[/\\]", path)[-1] if isinstance(path, str) else ""


def _guess_type(filename: str) -> str:
    # The slash prevents mimetypes from parsing a name such as "data:..." as a URL.
    guess, compression = _types().guess_type(f"/{filename}")
    return guess if guess and not compression else _BINARY


@cache
def _types() -> mimetypes.MimeTypes:
    """The built-in table: unlike that of `mimetypes.guess_type`, it is the same on all machines."""
    return mimetypes.MimeTypes()
