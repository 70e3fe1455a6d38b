"""How a stored part names its version, and when a response is of the same one."""

import pytest
from multidict import CIMultiDict

from railhttp.model.response import HttpResponse, freeze_headers
from railhttp.policy.resume import (
    Partial,
    ResumeDecision,
    StartOver,
    Take,
    decide_resume,
    is_complete,
    is_encoded,
    strong_validator,
)

OLD, NEW = "Mon, 01 Jan 2024 11:00:00 GMT", "Mon, 01 Jan 2024 12:00:00 GMT"
DATED = Partial(4, OLD, 7)


def response(status: int, *fields: tuple[str, str]) -> HttpResponse:
    return HttpResponse(status, freeze_headers(CIMultiDict(fields)))


@pytest.mark.parametrize(
    ("partial", "headers"),
    [
        (Partial(4, '"v1"'), {"Range": "bytes=4-", "If-Range": '"v1"'}),
        (Partial(1, OLD), {"Range": "bytes=1-", "If-Range": OLD}),
        (Partial(0, '"v1"'), {}),
        (Partial(4, ""), {}),
        (Partial(), {}),
    ],
)
def test_a_part_is_gone_on_with_only_in_its_version(
    partial: Partial, headers: dict[str, str]
) -> None:
    assert partial.headers == headers


@pytest.mark.parametrize(
    ("fields", "decision"),
    [
        ([("Last-Modified", OLD)], Take(4, 7, OLD)),
        ([], Take(4, 7, OLD)),
        ([("Last-Modified", NEW)], StartOver()),
        ([("Last-Modified", OLD), ("ETag", '"v2"')], Take(4, 7, OLD)),
        ([("ETag", OLD)], Take(4, 7, OLD)),
    ],
)
def test_a_part_with_a_date_is_of_the_version_of_that_date(
    fields: list[tuple[str, str]], decision: ResumeDecision
) -> None:
    head = response(206, ("Content-Range", "bytes 4-6/7"), *fields)
    assert decide_resume(DATED, head) == decision
    whole = response(416, ("Content-Range", "bytes */4"), *fields)
    assert is_complete(Partial(4, OLD), whole) is isinstance(decision, Take)


@pytest.mark.parametrize(
    ("fields", "decision"),
    [
        ([("ETag", '"v1"')], Take(0, 7, '"v1"')),
        ([("ETag", '"v2"')], Take(0, None, '"v2"')),
        ([], Take(0, None, "")),
        ([("ETag", '"v1"'), ("Content-Length", "7")], Take(0, 7, '"v1"')),
        ([("ETag", '"v1"'), ("Content-Encoding", "identity")], Take(0, 7, '"v1"')),
        ([("ETag", '"v1"'), ("Content-Encoding", "gzip")], Take(0, None, "")),
    ],
)
def test_a_whole_file_of_the_same_version_has_the_length_that_is_known(
    fields: list[tuple[str, str]], decision: ResumeDecision
) -> None:
    assert decide_resume(Partial(4, '"v1"', 7), response(200, *fields)) == decision


@pytest.mark.parametrize(
    ("coding", "encoded"),
    [("identity", False), ("Identity", False), ("gzip", True), ("identity, gzip", True)],
)
def test_a_content_coding_changes_the_positions_in_a_file(coding: str, encoded: bool) -> None:
    assert is_encoded(response(200, ("Content-Encoding", coding))) is encoded
    assert not is_encoded(response(200))


@pytest.mark.parametrize(
    ("etag", "validator"),
    [
        ('"v1"', '"v1"'),
        ('""', '""'),
        ('"!#~"', '"!#~"'),
        ('"a b"', ""),
        ('"a"b"', ""),
        ("v1", ""),
        ('"v1', ""),
        ('W/"v1"', ""),
        ('"v1" ', ""),
        ('"\x7f"', ""),
        ("", ""),
    ],
)
def test_a_validator_is_a_strong_tag_in_quotes(etag: str, validator: str) -> None:
    dates = (("Last-Modified", OLD), ("Date", NEW))
    assert strong_validator(response(200, ("ETag", etag), *dates)) == validator
    assert strong_validator(response(200, *dates)) == OLD
