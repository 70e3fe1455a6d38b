"""Resuming: whatever an honest server does, the file is one of its versions and no mixture."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from properties.strategies import header_values

from railhttp.model.response import HttpResponse, freeze_headers
from railhttp.policy.resume import (
    Partial,
    StartOver,
    Take,
    Unusable,
    decide_resume,
    is_complete,
    strong_validator,
)

FIELDS = ["Content-Range", "Content-Length", "Content-Encoding", "ETag", "Last-Modified", "Date"]

partials = st.builds(
    Partial,
    st.integers(0, 20),
    st.sampled_from(["", '"v1"', "Mon, 01 Jan 2024 00:00:00 GMT"]),
    st.none() | st.integers(0, 20),
)
fields = st.dictionaries(
    st.sampled_from(FIELDS),
    header_values
    | st.sampled_from(["bytes 4-6/7", "bytes 0-6/*", "bytes */7", '"v1"', 'W/"v1"', "gzip"])
    | st.sampled_from(["Mon, 01 Jan 2024 00:00:00 GMT", "Mon, 01 Jan 2024 00:00:09 GMT"]),
)


@given(partials, st.integers(100, 599), fields)
def test_every_answer_is_understood(partial: Partial, status: int, named: dict[str, str]) -> None:
    match decide_resume(partial, HttpResponse(status, freeze_headers(named))):
        case Take(start, total, _):
            assert 200 <= status < 300
            assert start in {0, partial.size}
            assert total is None or total >= 0
        case StartOver():
            assert partial.headers
        case Unusable():
            assert status != 200 or (named.get("Content-Range") and not partial.headers)


small = st.integers(0, 9)


@given(partials, small, small, st.none() | small)
def test_a_range_is_taken_only_where_it_is_valid_and_goes_on(
    partial: Partial, first: int, last: int, total: int | None
) -> None:
    place = f"bytes {first}-{last}/{'*' if total is None else total}"
    head = HttpResponse(206, freeze_headers({"Content-Range": place}))
    if isinstance(decide_resume(partial, head), Take):
        assert first == partial.size <= last
        assert last < min(length for length in (total, partial.total, 99) if length is not None)
        assert total is None or partial.total in {None, total}


@given(fields)
def test_a_validator_is_never_weak(named: dict[str, str]) -> None:
    validator = strong_validator(HttpResponse(200, freeze_headers(named)))
    assert not validator.startswith("W/")
    assert validator in {"", *named.values()}


@dataclass(frozen=True)
class Visit:
    """One request and its answer.

    `version` is which of the contents the server has now; it may not know ranges, may give no
    validator, may send less of a range than there is, and may break off after `cut` bytes.
    """

    version: int
    ranges: bool
    validator: bool
    shorter: bool
    cut: int


visits = st.lists(
    st.builds(
        Visit, st.integers(0, 2), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 9)
    ),
    max_size=8,
)
WHOLE = Visit(0, ranges=True, validator=True, shorter=False, cut=99)


def answer(visit: Visit, content: bytes, asked: Partial) -> tuple[HttpResponse, bytes]:
    """What an honest server says (RFC 9110, 13.1.5 and 14)."""
    etag = {"ETag": f'"v{visit.version}"'} if visit.validator else {}
    holds = asked.headers.get("If-Range") == f'"v{visit.version}"'
    if not (asked.headers and visit.ranges and visit.validator and holds):
        length = {"Content-Length": str(len(content))}
        return HttpResponse(200, freeze_headers({**etag, **length})), content
    rest = content[asked.size :]
    if not rest:
        return HttpResponse(416, freeze_headers({"Content-Range": f"bytes */{len(content)}"})), b""
    rest = rest[:1] if visit.shorter else rest
    place = f"bytes {asked.size}-{asked.size + len(rest) - 1}/{len(content)}"
    return HttpResponse(206, freeze_headers({**etag, "Content-Range": place})), rest


@given(st.lists(st.binary(max_size=9), min_size=3, max_size=3), visits)
def test_a_file_is_one_version_whole(contents: list[bytes], script: list[Visit]) -> None:
    file, partial = b"", Partial()
    for visit in [*script, WHOLE, WHOLE]:
        head, body = answer(visit, contents[visit.version], partial)
        if is_complete(partial, head):
            assert file == contents[visit.version]
            return
        match decide_resume(partial, head):
            case StartOver():
                file, partial = b"", Partial()
            case Take(start, total, validator):
                file = file[:start] + body[: visit.cut]
                partial = Partial(len(file), validator, total)
                if visit.cut >= len(body) and len(file) == total:
                    assert file == contents[visit.version]
                    return
            case Unusable():
                raise AssertionError(head)
    raise AssertionError("it never ended")
