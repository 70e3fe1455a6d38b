"""A head that was written is read back as what was asked for, by a parser that is not ours."""

import string
from email.parser import BytesHeaderParser
from email.policy import HTTP

from hypothesis import example, given
from hypothesis import strategies as st
from properties import strategies as some
from yarl import URL

from railhttp.model.body import BytesBody
from railhttp.model.errors import HTTPValidationError
from railhttp.model.headers import require_headers
from railhttp.model.request import Request, SendOptions
from railhttp.wire.request_head import DefaultFields, request_head

NAMES = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=12).filter(
    lambda name: name.lower() not in {"host", "content-length", "transfer-encoding", "content-type"}
)
VISIBLE = st.text(string.ascii_letters + string.punctuation, max_size=20)


@given(st.dictionaries(NAMES, VISIBLE, max_size=5), st.binary(max_size=50), VISIBLE)
def test_a_head_says_what_was_asked_for(headers: dict[str, str], content: bytes, path: str) -> None:
    fields = require_headers(headers)
    url = URL.build(scheme="http", host="h.example", path="/" + path)
    request = Request("POST", url, fields, BytesBody(content, "a/b"), None, SendOptions())
    first, _, rest = request_head(request, DefaultFields({}))[0].partition(b"\r\n")
    assert first == f"POST {url.raw_path_qs} HTTP/1.1".encode()
    read = BytesHeaderParser(policy=HTTP).parsebytes(rest)
    expected = [("Host", "h.example"), *fields.items()]
    framing = [("Content-Type", "a/b"), ("Content-Length", str(len(content)))]
    assert [(name, str(value)) for name, value in read.raw_items()] == [*expected, *framing]


@example({"X-Lone": "\ud800"})
@given(st.dictionaries(NAMES, some.any_text | VISIBLE, max_size=3))
def test_a_head_has_one_line_for_each_field_or_is_refused(defaults: dict[str, str]) -> None:
    request = Request("GET", URL("http://h/"), None, None, None, SendOptions())
    try:
        head = request_head(request, DefaultFields(defaults))[0]
    except HTTPValidationError:
        return
    named = {name.lower() for name in defaults}
    assert head.count(b"\n") == head.count(b"\r") == 2 + len(named) + 1
