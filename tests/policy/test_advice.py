"""Advice on a status is particular where the status says what to do."""

import pytest

from railhttp.policy.advice import advise_on_status

GENERAL = {4: "correct the request", 5: "look into the server's log"}
PARTICULAR = {401, 403, 404, 405, 407, 408, 413, 429, 502, 503, 504}


@pytest.mark.parametrize("status", range(400, 512))
def test_a_status_has_its_own_advice_or_that_of_its_class(status: int) -> None:
    particular = advise_on_status(status) != GENERAL[status // 100]
    assert particular is (status in PARTICULAR)
