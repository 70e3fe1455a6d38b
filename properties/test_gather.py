"""Laws of running calls at the same time, for calls of any length, success and number."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from railhttp.railway import collect, first_success, race, run, settled


@dataclass(frozen=True)
class Plan:
    """A call that takes some turns of the loop and then ends."""

    turns: int
    fails: bool


plans: Final = st.lists(st.builds(Plan, st.integers(0, 9), st.booleans()), max_size=8)
some_plans: Final = st.lists(
    st.builds(Plan, st.integers(0, 9), st.booleans()), min_size=1, max_size=8
)
limits: Final = st.none() | st.integers(1, 9)


class Run:
    """The calls of some plans, and how many of them are under way."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self.running = 0
        self.most = 0
        self.begun = 0
        self.calls = [FutureResult(self._call(number, plan)) for number, plan in enumerate(plans)]

    async def _call(self, number: int, plan: Plan) -> Result[int, int]:
        self.begun += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for _ in range(plan.turns):
                await asyncio.sleep(0)
        finally:
            self.running -= 1
        return Failure(number) if plan.fails else Success(number)


def failing(plans: Sequence[Plan]) -> list[int]:
    return [number for number, plan in enumerate(plans) if plan.fails]


@given(plans, limits)
def test_all_values_in_order_or_one_of_the_failures(plans: list[Plan], limit: int | None) -> None:
    run_ = Run(plans)
    result = asyncio.run(run(collect(run_.calls, limit=limit)))
    if failing(plans):
        assert result.failure() in failing(plans)
    else:
        assert result == Success(tuple(range(len(plans))))


@given(plans, limits)
def test_the_limit_holds_and_nothing_goes_on(plans: list[Plan], limit: int | None) -> None:
    run_ = Run(plans)
    asyncio.run(run(collect(run_.calls, limit=limit)))
    assert run_.most <= (limit or len(plans))
    assert run_.running == 0


@given(plans)
def test_with_a_limit_of_one_it_is_one_after_another(plans: list[Plan]) -> None:
    run_ = Run(plans)
    result = asyncio.run(run(collect(run_.calls, limit=1)))
    bad = failing(plans)
    assert result == (Failure(bad[0]) if bad else Success(tuple(range(len(plans)))))
    assert run_.begun == (bad[0] + 1 if bad else len(plans))


@given(plans, limits)
def test_settled_calls_give_every_outcome(plans: list[Plan], limit: int | None) -> None:
    outcomes = asyncio.run(run(collect(map(settled, Run(plans).calls), limit=limit))).unwrap()
    assert [not is_successful(outcome) for outcome in outcomes] == [plan.fails for plan in plans]
    assert [(o.unwrap() if is_successful(o) else o.failure()) for o in outcomes] == [
        *range(len(plans))
    ]


@given(some_plans)
def test_a_race_has_a_winner_that_is_not_slower_than_any_other(plans: list[Plan]) -> None:
    run_ = Run(plans)
    result = asyncio.run(run(race(*run_.calls)))
    winner = result.unwrap() if is_successful(result) else result.failure()
    assert plans[winner].turns == min(plan.turns for plan in plans)
    assert plans[winner].fails is not is_successful(result)
    assert run_.running == 0


@given(some_plans)
def test_the_first_success_is_the_fastest_of_them(plans: list[Plan]) -> None:
    run_ = Run(plans)
    result = asyncio.run(run(first_success(*run_.calls)))
    good = [plan.turns for plan in plans if not plan.fails]
    if good:
        assert plans[result.unwrap()].turns == min(good)
    else:
        assert result == Failure(tuple(range(len(plans))))
    assert run_.running == 0
