"""A short soak: `make soak COUNT=100000 SEED=1` is a long one."""

from tests.soak.plans import FAULTS, KINDS, plan
from tests.soak.soak import Soak

COUNT = 1500


async def test_no_promise_is_broken_in_a_short_soak() -> None:
    report = await Soak(COUNT, seed=1).run()
    assert report.defects == []
    assert report.outcomes.total() == COUNT


def test_a_seed_determines_every_call_and_draws_every_kind_and_fault() -> None:
    plans = [plan(7, number) for number in range(COUNT)]
    assert plans == [plan(7, number) for number in range(COUNT)]
    assert plans != [plan(8, number) for number in range(COUNT)]
    assert {call.kind for call in plans} == KINDS.keys()
    assert {fault for call in plans for fault in call.faults} == FAULTS.keys()
