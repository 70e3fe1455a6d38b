"""Schedules and their texts, for all calls and faults."""

import asyncio

from hypothesis import find, given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from railhttp import HTTPClient
from railhttp.testing import ScriptedTransport
from railhttp.testing.explore import Fault, Schedule, faults, replay, schedules

CALLS = ["GET /", "GET / #2", "POST /a;b=c:d/%C3%A9", "M-SEARCH /x"]
STATUSES = st.integers(200, 599).flatmap(lambda code: st.sampled_from(list(faults.statuses(code))))


@given(schedules(CALLS, at_once=4))
def test_parse_is_the_inverse_of_str(schedule: Schedule) -> None:
    assert Schedule.parse(str(schedule)) == schedule
    assert str(Schedule.parse(str(schedule))) == str(schedule)


@given(st.sampled_from(list(faults.all())) | STATUSES, st.booleans())
def test_every_fault_is_read_from_its_text(fault: Fault, once: bool) -> None:
    variant = Fault(fault.name, fault.acted, once)
    assert Fault.parse(str(variant)) == variant


@given(st.text())
def test_any_text_is_a_schedule_or_a_value_error(text: str) -> None:
    try:
        schedule = Schedule.parse(text)
    except ValueError:
        return
    assert Schedule.parse(str(schedule)) == schedule


@given(schedules(CALLS, faults=faults.named("dns", "tls"), at_least=1, at_once=2))
def test_drawn_schedules_keep_to_their_bounds(schedule: Schedule) -> None:
    assert 1 <= len(schedule) <= 2
    assert set(schedule.values()) <= {Fault("dns"), Fault("tls")}


def world() -> ScriptedTransport:
    script = ScriptedTransport()
    script.on("PUT", "/*").reply(201)
    script.on("DELETE", "/*").reply(204)
    return script


async def put_both(client: HTTPClient) -> bool:
    for name in ("a", "b"):
        if not is_successful(await client.put(f"https://api.example/{name}")):
            await client.delete(f"https://api.example/{name}")
            return False
    return True


@given(schedules(["PUT /a", "PUT /b", "DELETE /a", "DELETE /b", "GET /never"]))
def test_a_drawn_schedule_may_name_calls_that_are_not_made(schedule: Schedule) -> None:
    asyncio.run(replay(put_both, world, None, schedule))


def test_a_bad_schedule_shrinks_to_the_fewest_and_first_faults() -> None:
    async def careless(client: HTTPClient) -> None:
        if not await put_both(client):
            raise KeyError

    def is_bad(schedule: Schedule) -> bool:
        try:
            asyncio.run(replay(careless, world, None, schedule))
        except AssertionError as error:
            return "it raised" in str(error)
        return False

    found = find(schedules(["GET /never", "PUT /a", "PUT /b"]), is_bad)
    assert str(found) == "PUT /a: dns"
