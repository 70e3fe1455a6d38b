"""The memory of a function's results."""

import pytest

from railhttp.model.memo import Memo


def number(text: str) -> int:
    return int(text)


def test_a_result_is_computed_once() -> None:
    asked: list[str] = []

    def ask(key: str) -> str:
        asked.append(key)
        return key.upper()

    memo = Memo(ask, size=2)
    assert [memo[key] for key in "abab"] == ["A", "B", "A", "B"]
    assert asked == ["a", "b"]


def test_a_full_memo_begins_again() -> None:
    memo = Memo(number, size=2)
    for key in "123":
        assert memo[key] == int(key)
    assert dict(memo) == {"3": 3}


def test_an_exception_is_passed_on_each_time_and_keeps_what_is_known() -> None:
    memo = Memo(number, size=2)
    assert (memo["1"], memo["2"]) == (1, 2)
    for _ in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            memo["x"]
    assert dict(memo) == {"1": 1, "2": 2}
