"""Laws of the form encoder: an independent parser (email's) reads what was written."""

from email.message import Message
from email.parser import BytesParser
from io import BytesIO
from typing import BinaryIO, Final

from hypothesis import given
from multidict import MultiDict
from properties import strategies as some

from railhttp.model.body import Body, BytesBody, FileSource, StreamBody
from railhttp.wire.multipart import FormValue, encode_multipart

BOUNDARY: Final = "3b1f0c6de2a94f5f8c3a"


def measure(file: BinaryIO) -> FileSource:
    assert isinstance(file, BytesIO)
    return FileSource(file, 0, len(file.getvalue()))


def sent(body: Body) -> bytes:
    match body:
        case BytesBody(content=content):
            return content
        case StreamBody(segments=segments):
            return b"".join(
                part.file.read() if isinstance(part, FileSource) else part
                for part in segments
                if isinstance(part, bytes | FileSource)
            )


def parts_of(body: Body) -> list[tuple[str, bytes]]:
    """Each part's first header field and its data."""
    head = f"Content-Type: {body.content_type}\r\n\r\n".encode()
    whole = BytesParser().parsebytes(head + sent(body))
    parts = whole.get_payload() if whole.is_multipart() else []
    assert isinstance(parts, list)
    return [read(part) for part in parts if isinstance(part, Message)]


def read(part: Message) -> tuple[str, bytes]:
    name, value = next(iter(part.raw_items()))
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return f"{name}: {value}".encode("ascii", "surrogateescape").decode(), data


def escaped(name: str) -> str:
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def expected(name: str, value: FormValue) -> tuple[str, bytes]:
    field = f'Content-Disposition: form-data; name="{escaped(name)}"'
    match value:
        case str():
            return field, value.encode()
        case (filename, data, _):
            return f'{field}; filename="{escaped(filename)}"', content(data)
        case _:
            return f'{field}; filename="{escaped(name)}"', content(value)


def content(data: str | bytes | BinaryIO) -> bytes:
    match data:
        case str():
            return data.encode()
        case BytesIO():
            return data.getvalue()
        case bytes():
            return data
    raise AssertionError("the strategy makes no other files")


@given(some.form_fields)
def test_a_form_written_is_the_form_read(fields: list[tuple[str, FormValue]]) -> None:
    body = encode_multipart(MultiDict(fields), BOUNDARY, measure)
    assert parts_of(body) == [expected(name, value) for name, value in fields]


@given(some.form_fields)
def test_the_announced_length_is_the_length(fields: list[tuple[str, FormValue]]) -> None:
    body = encode_multipart(MultiDict(fields), BOUNDARY, measure)
    length = body.length if isinstance(body, StreamBody) else len(body.content)
    assert length == len(sent(body))
