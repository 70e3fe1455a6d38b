"""A base URL and the default fields, which not every origin receives."""

from railhttp.model.base_url import BaseURL
from railhttp.model.field_lines import FieldLines

FIELDS = {"Accept": "*/*", "X-Key": "s3cret"}


def base(*, share_credentials: bool = False) -> BaseURL:
    made = BaseURL.of(
        "http://h/v1?token=abc",
        FIELDS,
        frozenset({"x-key"}),
        share_credentials=share_credentials,
    )
    assert made is not None
    return made


def test_only_the_bases_origin_receives_secret_fields_unless_they_are_shared() -> None:
    assert base().resolve("http://h/x")[2] == FieldLines.of(FIELDS)
    assert base().resolve("http://other/x")[2] == FieldLines(("Accept",), ("*/*",))
    shared = base(share_credentials=True)
    assert shared.resolve("http://other/x")[2] == FieldLines.of(FIELDS)


def test_a_base_is_shown_without_the_values_of_its_query() -> None:
    assert "url='http://h/v1?token=***'" in repr(base())
    assert "abc" not in repr(base())
