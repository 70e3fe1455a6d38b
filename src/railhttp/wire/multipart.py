"""Forms with files: multipart/form-data (RFC 7578), named and escaped as browsers do."""

import mimetypes
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import groupby
from typing import BinaryIO, Final, TypeAlias

from railhttp.model.body import Body, BytesBody, FileSource, StreamBody
from railhttp.model.errors import HTTPValidationError

FormValue: TypeAlias = "str | bytes | BinaryIO | tuple[str, bytes | str | BinaryIO, str]"
"""A field's value: text; bytes, sent as a file; an open binary file; or
`(filename, data, content_type)`."""

FormFields: TypeAlias = "Mapping[str, FormValue]"
"""Names and values; in a multi-dict a name may stand more than once."""

_BINARY: Final = "application/octet-stream"
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z_-]{1,70}")
_HEADER_VALUE: Final = re.compile(r"[!-~]([\t -~]*[!-~])?")
_ESCAPES: Final = str.maketrans({"\r": "%0D", "\n": "%0A", '"': "%22"})


def encode_multipart(
    fields: FormFields, boundary: str, measure: Callable[[BinaryIO], FileSource]
) -> Body:
    r"""Lay out a form for sending; files are not read, but stand in it as they are.

    Names are escaped as WHATWG HTML, section 4.10.21.8, says (CR, LF and `"` as `%0D`, `%0A` and
    `%22`, in UTF-8); values are sent as they are.

    Args:
        fields: What to send, in this order. Bytes get the field's name for a file name; an open
            file has its own, without folders, and the content type that its ending suggests.
        boundary: What separates the parts: 1 to 70 letters, digits, `-` and `_`, at random, so
            that no value contains it.
        measure: Finds out where a file stands and how long it is.

    Returns:
        The body, in memory where there are no files, with its content type.

    Raises:
        HTTPValidationError: A value is none of these, a file is open in text mode, a content type
            could not stand in a header, or a text contains a lone surrogate.

    Example:
        >>> body = encode_multipart({"a": "1"}, "xyz", measure=FileSource)
        >>> body.content_type
        'multipart/form-data; boundary=xyz'
        >>> body.content
        b'--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--xyz--\r\n'
    """
    if not _BOUNDARY.fullmatch(boundary):
        raise HTTPValidationError("must be 1 to 70 letters, digits, - and _", field="boundary")
    content_type = f"multipart/form-data; boundary={boundary}"
    segments = tuple(_joined(_segments(fields, boundary, measure)))
    match segments:
        case (bytes() as content,):
            return BytesBody(content, content_type)
        case _:
            return StreamBody(segments, content_type)


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
        yield _utf8(f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n", field)
        yield data if isinstance(data, bytes) else measure(data)
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _part(name: str, value: FormValue, field: str) -> tuple[str, bytes | BinaryIO]:
    """Give what is special in a part's header, and its data."""
    match value:
        case str():
            return _quoted("name", name, field), _utf8(value, field)
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
    if not isinstance(content_type, str) or not _HEADER_VALUE.fullmatch(content_type):
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
            return _utf8(data, field)
        case _ if hasattr(data, "encoding"):  # text files alone have it
            raise HTTPValidationError("open the file in binary mode: open(path, 'rb')", field=field)
        case _ if hasattr(data, "read"):
            return data
    raise HTTPValidationError(
        f"must be str, bytes or an open binary file, not {type(data).__name__}", field=field
    )


def _utf8(text: str, field: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise HTTPValidationError("contains a lone surrogate", field=field) from None


def _basename(path: object) -> str:
    """Give the last part of a path on any system; a file may also have a number for its name."""
    return re.split(r"[/\\]", path)[-1] if isinstance(path, str) else ""


def _guess_type(filename: str) -> str:
    # The slash keeps a name such as "data:..." from being read as a URL.
    guess, compression = _types().guess_type(f"/{filename}")
    return guess if guess and not compression else _BINARY


@cache
def _types() -> mimetypes.MimeTypes:
    """Python's own table: the same on all machines, unlike that of `mimetypes.guess_type`."""
    return mimetypes.MimeTypes()
