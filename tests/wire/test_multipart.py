"""Forms with files: the part for each kind of value, and refused values."""

import io
from pathlib import Path
from typing import BinaryIO

import pytest
from multidict import MultiDict

from railhttp.model.body import Body, BytesBody, FileSource, StreamBody
from railhttp.model.errors import HTTPValidationError
from railhttp.wire.multipart import FormFields, FormValue, encode_multipart


def measure(file: BinaryIO) -> FileSource:
    return FileSource(file, 0, 3)


def encode(fields: FormFields) -> Body:
    return encode_multipart(fields, "xyz", measure)


def content(fields: FormFields) -> bytes:
    body = encode(fields)
    assert isinstance(body, BytesBody)
    return body.content


def one_part(head: bytes, data: bytes) -> bytes:
    return b"--xyz\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + data + (
        b"\r\n--xyz--\r\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "head", "data"),
    [
        ("a", "né\n", b'name="a"', "né\n".encode()),
        ("a", b"\0", b'name="a"; filename="a"\r\nContent-Type: application/octet-stream', b"\0"),
        ("a", ("b", b"1", "x/y; z=1"), b'name="a"; filename="b"\r\nContent-Type: x/y; z=1', b"1"),
        ("a", ("b", "né", "x/y"), b'name="a"; filename="b"\r\nContent-Type: x/y', "né".encode()),
        ('"a"\r\n', "", b'name="%22a%22%0D%0A"', b""),
        ("é", ('"\r\n\\%', b"", "x/y"),
         'name="é"; filename="%22%0D%0A\\%"\r\nContent-Type: x/y'.encode(), b""),
    ],
)  # fmt: skip
def test_a_field_becomes_a_part(name: str, value: FormValue, head: bytes, data: bytes) -> None:
    assert content({name: value}) == one_part(head, data)


def test_a_form_without_fields_is_its_end() -> None:
    assert content({}) == b"--xyz--\r\n"


def test_a_multi_dict_may_repeat_a_name_and_keeps_its_order() -> None:
    parts = content(MultiDict([("a", "1"), ("b", "2"), ("a", "3")])).split(b"--xyz\r\n")
    assert [part[-4:-2] for part in parts[1:3]] == [b"\n1", b"\n2"]
    assert parts[3].startswith(b'Content-Disposition: form-data; name="a"\r\n\r\n3\r\n')


class Awaited:
    async def read(self, size: int) -> bytes:
        return b"data"[:size]


class Named(io.BytesIO):
    def __init__(self, name: object) -> None:
        super().__init__(b"abc")
        self.name = name


@pytest.mark.parametrize(
    ("name", "filename", "content_type"),
    [
        ("/home/ann/data.json", "data.json", "application/json"),
        (r"C:\files\photo.PNG", "photo.PNG", "image/png"),
        ("notes.txt.gz", "notes.txt.gz", "application/octet-stream"),
        ("unknown", "unknown", "application/octet-stream"),
        ("data:text/html,x", "html,x", "application/octet-stream"),
        ("data:a", "data:a", "application/octet-stream"),
        (7, "field", "application/octet-stream"),
        (b"bytes.txt", "field", "application/octet-stream"),
        ("", "field", "application/octet-stream"),
    ],
)
def test_an_open_file_has_the_name_and_type_of_its_path(
    name: object, filename: str, content_type: str
) -> None:
    file = Named(name)
    body = encode({"field": file})
    assert isinstance(body, StreamBody)
    head, source, tail = body.segments
    assert isinstance(head, bytes)
    assert f'filename="{filename}"\r\nContent-Type: {content_type}\r\n\r\n'.encode() in head
    assert source == FileSource(file, 0, 3)
    assert tail == b"\r\n--xyz--\r\n"


def test_the_length_is_known_where_every_file_knows_its_own(tmp_path: Path) -> None:
    path = tmp_path / "three.bin"
    path.write_bytes(b"abc")
    with path.open("rb") as first, path.open("rb") as second:
        fields: dict[str, FormValue] = {"a": first, "b": "text", "c": ("c", second, "x/y")}
        body = encode(fields)
        assert isinstance(body, StreamBody)
        sent = b"".join(
            part.file.read() if isinstance(part, FileSource) else part
            for part in body.segments
            if isinstance(part, bytes | FileSource)
        )
        assert body.length == len(sent)
        unknown = encode_multipart(fields, "xyz", lambda file: FileSource(file, None, None))
        assert isinstance(unknown, StreamBody)
        assert unknown.length is None


REFUSED: dict[str, tuple[object, object, str]] = {
    "a type that splits the header": ("a", ("b", b"", "x/y\r\nX: 1"), "content type"),
    "an empty type": ("a", ("b", b"", ""), "content type"),
    "a type that is no text": ("a", ("b", b"", None), "content type"),
    "a file in text mode": ("a", io.StringIO("text"), "binary mode"),
    "a file with an async read": ("a", Awaited(), "has an async read"),
    "data with an async read": ("a", ("b", Awaited(), "x/y"), "has an async read"),
    "a number": ("a", 1, "not int"),
    "data that is none": ("a", ("b", 1, "x/y"), "not int"),
    "a tuple of two": ("a", ("b", b""), "content_type"),
    "a name that is no text": (1, "b", "must be a str"),
    "a file name that is no text": ("a", (1, b"", "x/y"), "filename must be a str"),
    "a lone surrogate": ("a", "\ud800", "surrogate"),
    "a lone surrogate in a name": ("\ud800", "a", "surrogate"),
}


@pytest.mark.parametrize(("name", "value", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_sent_is_refused_by_name(name: str, value: FormValue, message: str) -> None:
    with pytest.raises(HTTPValidationError, match=message) as caught:
        encode({name: value})
    assert caught.value.field == f"fields[{name!r}]"


@pytest.mark.parametrize("fields", [None, [("a", "b")], "a=b"])
def test_what_is_no_mapping_is_refused(fields: object) -> None:
    with pytest.raises(HTTPValidationError, match="must be a mapping") as caught:
        encode(fields)  # type: ignore[arg-type]  # wrong
    assert caught.value.field == "fields"


@pytest.mark.parametrize("boundary", ["", "a b", "a" * 71, "a\r\n", 'a"'])
def test_a_boundary_that_would_need_quotes_is_refused(boundary: str) -> None:
    with pytest.raises(HTTPValidationError, match="boundary"):
        encode_multipart({}, boundary, measure)


def test_a_file_without_a_name_has_that_of_its_field() -> None:
    body = encode({"field": io.BytesIO(b"abc")})
    assert isinstance(body, StreamBody)
    head = body.segments[0]
    assert isinstance(head, bytes)
    assert b'name="field"; filename="field"\r\nContent-Type: application/octet-stream\r\n' in head
