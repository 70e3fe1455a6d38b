"""Each stage of an attempt proves a delivery, and a time limit at that stage names a phase."""

from collections.abc import Callable
from typing import Final

import pytest

from railhttp import Delivery
from railhttp.model.errors import TimeoutPhase
from railhttp.model.stage import Stage, call_info
from railhttp.model.timings import PhaseTimer

STAGES: Final[dict[Stage, tuple[Delivery, TimeoutPhase]]] = {
    Stage.QUEUED: (Delivery.NOT_SENT, "pool"),
    Stage.CONNECTING: (Delivery.NOT_SENT, "connect"),
    Stage.SENDING: (Delivery.MAYBE_SENT, "read"),
    Stage.ANSWERED: (Delivery.ANSWERED, "read"),
}


def test_the_stages_are_in_order() -> None:
    assert [*Stage] == [*STAGES]
    assert sorted(Stage, key=lambda stage: stage.value) == [*STAGES]


@pytest.mark.parametrize(("stage", "meaning"), STAGES.items())
def test_a_stage_proves_a_delivery_and_has_a_phase(
    stage: Stage, meaning: tuple[Delivery, TimeoutPhase]
) -> None:
    assert (stage.delivery, stage.phase) == meaning


class Attempt:
    """The state of an attempt, as its call keeps it."""

    attempts = 3
    started = 10.0
    stage = Stage.SENDING
    timer: PhaseTimer | None = None
    starvation: Callable[[], str] | None = None
    delivery = Delivery.ANSWERED
    repeatable = False

    def pool_waited(self, seconds: float, *, admitted: bool) -> None: ...


def test_a_failure_of_an_attempt_carries_its_details() -> None:
    assert call_info("PUT", "http://ann:pw@h/?k=v", Attempt(), 12.5) == {
        "method": "PUT",
        "url": "http://h/?k=***",
        "delivery": Delivery.ANSWERED,
        "attempts": 3,
        "elapsed": 2.5,
    }
