"""The memory of a function's results."""

import pytest

from railhttp.model.memo import Memo, Recurring


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


def test_a_recurring_result_is_kept_from_its_second_time_on() -> None:
    asked: list[str] = []

    def ask(key: str) -> str:
        asked.append(key)
        return key.upper()

    memo = Recurring(ask, size=2)
    assert [memo[key] for key in "abab"] == ["A", "B", "A", "B"]
    assert asked == ["a", "b", "a", "b"]
    assert [memo[key] for key in "abab"] == ["A", "B", "A", "B"]
    assert asked == ["a", "b", "a", "b"]


def test_arguments_that_never_come_again_take_no_place() -> None:
    memo = Recurring(number, size=2)
    memo["1"], memo["1"]
    for key in range(2, 9):
        assert memo[str(key)] == key
    assert dict(memo) == {"1": 1}
    assert memo["8"] == 8
    assert dict(memo) == {"1": 1, "8": 8}


def test_an_argument_is_forgotten_when_as_many_others_came_as_are_kept() -> None:
    memo = Recurring(number, size=2)
    for key in "1231":
        assert memo[key] == int(key)
    assert not memo
