"""Values that come back changed, and tasks that a program leaves for a moment or for ever."""

import asyncio
from dataclasses import dataclass

import pytest
from tests.endpoints.users_api import User

from railhttp import HTTPClient
from railhttp.endpoints import get
from railhttp.railway import run
from railhttp.testing import ContractBroken, ScriptedTransport
from railhttp.testing.explore import explore, faults

API = "http://h"


@dataclass(frozen=True)
class Superuser(User):
    power: int = 9000


@pytest.mark.parametrize(
    ("model", "value", "is_kept"),
    [
        (list[User], [User(7, "Ann")], True),
        (list[User], [Superuser(7, "Ann")], False),  # of one type, but not equal
        (float, 1.0, True),
        (float, 1, False),  # equal, but not of one type
        (list[float], [float("nan")], False),
    ],
)
async def test_a_value_comes_back_equal_and_of_its_type(
    model: type[object], value: object, is_kept: bool
) -> None:
    script = ScriptedTransport()
    endpoint = get("/things").gives(model)
    script.serve(endpoint).replies(value)
    async with HTTPClient(exchange=script, base_url=API) as client:
        if is_kept:
            assert (await run(endpoint()(client))).unwrap() == value
        else:
            with pytest.raises(ContractBroken):
                await run(endpoint()(client))


def world() -> ScriptedTransport:
    script = ScriptedTransport()
    script.on("GET", "/").reply()
    return script


async def a_moment() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_only_a_task_that_does_not_end_is_left() -> None:
    async def program(client: HTTPClient) -> None:
        loop = asyncio.get_running_loop()
        kept.extend(loop.create_task(task()) for task in (a_moment, for_ever, a_moment, for_ever))

    kept: list[asyncio.Task[None]] = []
    report = await explore(program, world, faults=faults.named())
    (complaint,) = [run.complaint for run in report.runs]
    assert complaint == "a task was left: for_ever; a task was left: for_ever"
    assert all(task.done() for task in kept)
    assert [task.cancelled() for task in kept[-4:]] == [False, True, False, True]
