"""Time limits in words: total over everything that is a number."""

import math
import sys

import pytest

from railhttp.model.errors import HTTPValidationError
from railhttp.model.timeout import format_timeout


@pytest.mark.parametrize(
    ("timeout", "words"),
    [
        (None, "no timeout"),
        (30, "30.0s"),
        (30.0, "30.0s"),
        (0.25, "0.25s"),
        (0, "0.0s"),
        (-1, "-1.0s"),
        (1e-7, "1e-07s"),
        (math.inf, "no timeout"),
        (-math.inf, "-1.7976931348623157e+308s"),
        (sys.float_info.max, "1.7976931348623157e+308s"),
        pytest.param(int(sys.float_info.max), "1.7976931348623157e+308s", id="longest"),
        pytest.param(int(sys.float_info.max) + 1, "no timeout", id="longer"),
        pytest.param(10**5000, "no timeout", id="huge"),
        pytest.param(-(10**5000), "-1.7976931348623157e+308s", id="hugely negative"),
    ],
)
def test_a_timeout_is_put_in_words(timeout: float | None, words: str) -> None:
    assert format_timeout(timeout) == words


@pytest.mark.parametrize("timeout", ["3", b"3", [], 3j, math.nan])
def test_what_is_no_number_is_refused_by_name(timeout: object) -> None:
    with pytest.raises(HTTPValidationError, match="must be a number or None, got") as caught:
        format_timeout(timeout)  # type: ignore[arg-type]  # on purpose
    assert caught.value.field == "timeout"
