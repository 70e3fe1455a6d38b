"""The order service under every failure of each of its calls."""

import pytest
from tests.examples.test_order_service import TWO_TEAS

from order_service.explored import ORDER, World, explored, judge, place_order
from railhttp.testing.explore import Schedule, replay

FOUND_BY_THE_EXPLORER = [
    # A login page (200, HTML) counted as "undone", as `release` and `void` took any 2xx.
    "PUT /stock/reservations/o: disconnected, acted; DELETE /stock/reservations/o: html",
    "POST /payments/o: disconnected, acted; DELETE /stock/reservations/o: html",
    "POST /payments/o: disconnected, acted; DELETE /payments/o: html",
]


async def test_every_failure_is_handled() -> None:
    report = await explored(at_once=1)
    report.assert_handled()
    assert report.calls[:4] == (
        "GET /users/1",
        "GET /stock/tea",
        "PUT /stock/reservations/o",
        "POST /payments/o",
    )


@pytest.mark.parametrize("schedule", FOUND_BY_THE_EXPLORER)
async def test_what_the_explorer_found_stays_mended(schedule: str) -> None:
    await replay(place_order, World, judge, Schedule.parse(schedule))


def test_it_explores_the_order_of_the_other_tests() -> None:
    assert ORDER == TWO_TEAS
