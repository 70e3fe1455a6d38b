"""What the API document calls the context of a response."""

import pytest

from railhttp.model.response_context import ResponseContext


@pytest.mark.parametrize(("status", "success"), [(200, True), (399, True), (400, False)])
def test_a_response_is_a_success_below_400(status: int, success: bool) -> None:
    assert ResponseContext(status).success is success
