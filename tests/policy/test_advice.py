"""Each failure has its own advice, and a status if it says what to do."""

from typing import get_args

import pytest

from railhttp import Delivery, HTTPConnectionError, HTTPRetryExhaustedError, HTTPTimeoutError
from railhttp.policy.advice import advise, advise_on_status
from railhttp.types import ConnectionKind, TimeoutPhase

GENERAL = {4: "correct the request", 5: "look into the server's log"}
PARTICULAR = {401, 403, 404, 405, 407, 408, 413, 429, 502, 503, 504}


@pytest.mark.parametrize("status", range(400, 512))
def test_a_status_has_its_own_advice_or_that_of_its_class(status: int) -> None:
    particular = advise_on_status(status) != GENERAL[status // 100]
    assert particular is (status in PARTICULAR)


def test_every_kind_of_connection_failure_and_every_phase_has_its_own_advice() -> None:
    kinds = [advise(HTTPConnectionError(kind=kind)) for kind in get_args(ConnectionKind)]
    phases = [advise(HTTPTimeoutError(phase=phase)) for phase in get_args(TimeoutPhase)]
    assert len({*kinds, *phases}) == len(kinds) + len(phases)


@pytest.mark.parametrize("delivery", Delivery)
def test_advice_warns_of_a_second_send_if_the_first_may_have_arrived(delivery: Delivery) -> None:
    advice = advise(HTTPConnectionError(kind="dns", delivery=delivery))
    assert ("may have taken effect" in advice) is (delivery is Delivery.MAYBE_SENT)


def test_the_advice_on_exhausted_retries_is_that_on_the_last_failure() -> None:
    first, last = HTTPTimeoutError(phase="pool"), HTTPConnectionError(kind="proxy")
    advice = advise(HTTPRetryExhaustedError(failures=[first, last], delivery=Delivery.NOT_SENT))
    assert advice.endswith(advise(HTTPConnectionError(kind="proxy", delivery=Delivery.NOT_SENT)))
    assert advise(HTTPRetryExhaustedError(delivery=Delivery.NOT_SENT)) == "try again later"
