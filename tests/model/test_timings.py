"""The phases of an exchange, and the timer that collects them."""

from typing import Final, get_args

import pytest

from railhttp.model.timings import NO_TIMINGS, Phase, PhaseTimer, Timings

PHASES: Final[tuple[Phase, ...]] = get_args(Phase)


def test_there_is_a_time_for_each_phase_and_none_at_first() -> None:
    assert Timings._fields == PHASES
    assert Timings() == NO_TIMINGS == (None,) * len(PHASES)
    assert not NO_TIMINGS
    assert NO_TIMINGS.timed() == {}


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_that_took_no_time_was_timed_too(phase: Phase) -> None:
    timer = PhaseTimer(lambda: 5.0)
    assert timer.ended(phase, 5.0) == 5.0
    assert timer.timings
    assert timer.timings.timed() == {phase: 0.0}


def test_the_times_of_a_phase_add_up() -> None:
    times = iter([11.5, 14.0])
    timer = PhaseTimer(lambda: next(times))
    assert timer.ended("send", 10.0) == 11.5
    assert timer.ended("send", 13.0) == 14.0
    assert timer.ended("wait", 14.0, until=14.25) == 14.25
    assert timer.timings == Timings(send=2.5, wait=0.25)


def test_a_phase_never_takes_less_than_no_time() -> None:
    """A phase may be known to begin after the moment at which it is seen to end."""
    timer = PhaseTimer(lambda: 1.0)
    assert timer.ended("wait", 3.0) == 1.0
    assert timer.ended("wait", 3.0, until=2.0) == 2.0
    assert timer.ended("wait", 0.5) == 1.0
    assert timer.timings == Timings(wait=0.5)
