"""Laws of bodies: what is written is read back, and a length is that of what is sent."""

import asyncio
import json
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import strategies as some

from railhttp.model.body import FileSource, StreamBody, json_body
from railhttp.model.errors import HTTPValidationError
from railhttp.model.response import JSON, HttpResponse
from railhttp.transport.request_body import read_stream


@given(some.documents(["id", "né"], "", 0, -0.0))
def test_a_document_that_was_written_reads_back(document: JSON) -> None:
    # `repr` tells apart what `==` does not: 1, 1.0 and True.
    assert repr(HttpResponse(200, body=json_body(document).content).json()) == repr(document)


@given(some.documents(["id", "\udcff"], "a\ud800", "\udfff"))
def test_a_document_is_refused_exactly_if_it_has_a_lone_surrogate(document: JSON) -> None:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        with pytest.raises(HTTPValidationError, match="json: contains a lone surrogate"):
            json_body(document)
    else:
        assert repr(HttpResponse(200, body=json_body(document).content).json()) == repr(document)


def source(content: bytes) -> FileSource:
    return FileSource(BytesIO(content), 0, len(content))


@given(st.lists(st.binary(max_size=50) | st.binary(max_size=50).map(source), max_size=4))
def test_the_length_of_a_body_is_that_of_what_is_sent(parts: list[bytes | FileSource]) -> None:
    body = StreamBody(tuple(parts), "a/b")

    async def sent() -> bytes:
        return b"".join([piece async for piece in read_stream(body)])

    assert body.length == len(asyncio.run(sent()))
