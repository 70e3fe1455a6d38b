"""What the API document calls the context of a response."""

import pytest

from railhttp.model.response_context import ResponseContext


@pytest.mark.parametrize(("status", "success"), [(200, True), (399, True), (400, False)])
def test_a_response_is_a_success_below_400(status: int, success: bool) -> None:
    assert ResponseContext(status).success is success


def test_a_response_may_have_no_more_than_a_status() -> None:
    context = ResponseContext(204)
    assert (context.headers, context.content_length, context.duration) == ({}, None, None)
    assert context.error is None
    assert repr(context) == (
        "ResponseContext(status=204, headers={}, content_length=None, duration=None, "
        "success=True, error=None)"
    )


def test_a_response_keeps_its_metadata_and_masks_its_secret_fields() -> None:
    context = ResponseContext(404, {"Set-Cookie": "s3cret", "X": "1"}, 3, 0.5, "not found")
    assert (context.headers["Set-Cookie"], context.content_length) == ("s3cret", 3)
    assert (context.duration, context.success, context.error) == (0.5, False, "not found")
    assert "headers={'Set-Cookie': '***', 'X': '1'}, " in repr(context)
