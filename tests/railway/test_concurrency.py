"""Several calls at the same time: order, limit, and that nothing is left running."""

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextvars import ContextVar

import pytest
from returns.future import FutureResult
from returns.result import Failure, Result, Success

from railhttp import HTTPValidationError
from railhttp.railway import collect, first_success, gather, race, run, settled, shared


class Stage:
    """Calls that end when they are told to.

    Attributes:
        begun: The names of the calls that began, in order.
        cancelled: The names of those that were cancelled, after they had cleaned up.
        most: How many ran at the same time at the most.
    """

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.most = 0
        self._running = 0

    def call(self, name: str, *, steps: int = 1, fails: bool = False) -> FutureResult[str, str]:
        return FutureResult(self._call(name, steps, fails))

    async def _call(self, name: str, steps: int, fails: bool) -> Result[str, str]:
        self.begun.append(name)
        self._running += 1
        self.most = max(self.most, self._running)
        try:
            for _ in range(steps):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            self.cancelled.append(name)
            raise
        finally:
            self._running -= 1
        return Failure(name) if fails else Success(name)

    @property
    def is_quiet(self) -> bool:
        return self._running == 0


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A stage that has to be quiet at the end, with no coroutine left that never began."""
    stage = Stage()
    gc.freeze()  # or the collection would look at all that other tests have loaded
    yield stage
    gc.collect()  # warnings of coroutines that were never awaited come out here, as errors
    gc.unfreeze()
    assert stage.is_quiet


# -- gather and collect ---------------------------------------------------------------------


async def test_values_come_in_the_order_of_the_calls(stage: Stage) -> None:
    calls = gather(stage.call("slow", steps=9), stage.call("fast"), stage.call("middle", steps=4))
    assert await run(calls) == Success(("slow", "fast", "middle"))
    assert stage.most == 3


@pytest.mark.parametrize("limit", [1, 2, 7, 100, None])
async def test_no_more_than_the_limit_run_at_the_same_time(stage: Stage, limit: int | None) -> None:
    names = [str(number) for number in range(20)]
    calls = (stage.call(name, steps=len(name)) for name in names)
    assert await run(collect(calls, limit=limit)) == Success(tuple(names))
    assert stage.most == min(limit or 20, 20)


async def test_nothing_is_begun_before_it_is_awaited(stage: Stage) -> None:
    calls = gather(stage.call("a"))
    await asyncio.sleep(0)
    assert stage.begun == []
    await calls


async def test_nothing_gives_nothing() -> None:
    assert await run(collect([])) == Success(())


async def test_the_first_failure_cancels_the_others_and_waits_for_them(stage: Stage) -> None:
    calls = gather(
        stage.call("done", steps=1),
        stage.call("late", steps=99),
        stage.call("broken", steps=3, fails=True),
        stage.call("later", steps=99, fails=True),
    )
    assert await run(calls) == Failure("broken")
    assert sorted(stage.cancelled) == ["late", "later"]


async def test_after_a_failure_nothing_more_begins(stage: Stage) -> None:
    calls = [stage.call("broken", fails=True), stage.call("never"), stage.call("never")]
    assert await run(collect(calls, limit=1)) == Failure("broken")
    assert stage.begun == ["broken"]


async def test_calls_that_never_began_are_closed(stage: Stage) -> None:
    nested = stage.call("never").map(str.upper).bind_result(Success)
    calls = [
        stage.call("broken", fails=True),
        gather(nested, settled(stage.call("never"))).map(str),
        race(stage.call("never"), stage.call("never")),
    ]
    assert await run(collect(calls, limit=1)) == Failure("broken")
    assert stage.begun == ["broken"]


async def test_a_long_generator_is_not_read_to_its_end(stage: Stage) -> None:
    taken = 0

    def endless() -> Iterator[FutureResult[str, str]]:
        nonlocal taken
        while True:
            taken += 1
            yield stage.call(str(taken), fails=taken == 5)

    assert await run(collect(endless(), limit=2)) == Failure("5")
    assert taken <= 7


async def test_cancelling_the_whole_cancels_each_and_waits_for_it(stage: Stage) -> None:
    task = asyncio.create_task(
        run(
            collect(
                [stage.call("a", steps=99), stage.call("b", steps=99), stage.call("c")], limit=2
            )
        )
    )
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(stage.cancelled) == ["a", "b"]


async def test_what_a_call_raises_comes_out_as_it_is(stage: Stage) -> None:
    broken: FutureResult[str, str] = stage.call("a").map(lambda name: str(1 / 0) + name)
    with pytest.raises(ZeroDivisionError):
        await gather(stage.call("b", steps=99), broken)
    assert stage.cancelled == ["b"]


async def test_a_call_that_is_cancelled_from_inside_cancels_the_whole(stage: Stage) -> None:
    async def cancelled() -> Result[str, str]:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await gather(FutureResult(cancelled()), stage.call("b", steps=99))
    assert stage.cancelled == ["b"]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_is_a_positive_number(limit: int) -> None:
    with pytest.raises(HTTPValidationError, match="limit"):
        collect([], limit=limit)


async def test_settled_calls_wait_for_all_outcomes(stage: Stage) -> None:
    calls = (settled(stage.call(name, fails=name == "b")) for name in "abc")
    outcomes = (await run(collect(calls))).unwrap()
    assert outcomes == (Success("a"), Failure("b"), Success("c"))


# -- race and first_success -----------------------------------------------------------------


@pytest.mark.parametrize("fails", [False, True])
async def test_a_race_is_won_by_the_fastest_good_or_bad(stage: Stage, fails: bool) -> None:
    call = race(stage.call("slow", steps=99), stage.call("fast", fails=fails))
    assert await run(call) == (Failure("fast") if fails else Success("fast"))
    assert stage.cancelled == ["slow"]


async def test_the_first_success_is_the_first_value(stage: Stage) -> None:
    call = first_success(
        stage.call("bad", fails=True), stage.call("good", steps=5), stage.call("slow", steps=99)
    )
    assert await run(call) == Success("good")
    assert stage.cancelled == ["slow"]


async def test_without_a_success_all_failures_are_told_in_order(stage: Stage) -> None:
    call = first_success(stage.call("a", steps=5, fails=True), stage.call("b", fails=True))
    assert await run(call) == Failure(("a", "b"))


@pytest.mark.parametrize("combine", [race, first_success])
async def test_one_call_alone_has_won(
    stage: Stage, combine: Callable[[FutureResult[str, str]], FutureResult[str, str]]
) -> None:
    assert await run(combine(stage.call("a"))) == Success("a")


# -- shared ---------------------------------------------------------------------------------


async def waiting(call: FutureResult[str, str]) -> asyncio.Task[Result[str, str]]:
    """A task that waits for a call, and has begun to."""
    task = asyncio.create_task(run(call))
    await asyncio.sleep(0)
    return task


async def test_many_may_go_on_from_a_shared_call_and_it_is_made_once(stage: Stage) -> None:
    call = shared(stage.call("user", steps=5))
    assert stage.begun == []
    both = gather(call.map(str.upper), call.bind(lambda name: stage.call(name + "'s orders")), call)
    assert await run(both) == Success(("USER", "user's orders", "user"))
    assert await run(call) == Success("user")
    assert stage.begun == ["user", "user's orders"]


async def test_who_is_cancelled_leaves_a_shared_call_to_the_others(stage: Stage) -> None:
    call = shared(stage.call("user", steps=9))
    first, second = await waiting(call), await waiting(call)
    first.cancel()
    assert await second == Success("user")
    assert first.cancelled()


async def test_the_last_one_takes_a_shared_call_along_and_waits_for_its_end(stage: Stage) -> None:
    call = shared(stage.call("user", steps=99))
    waiters = [await waiting(call), await waiting(call)]
    await asyncio.sleep(0)
    for waiter in waiters:
        waiter.cancel()
    await asyncio.wait(waiters)
    assert stage.cancelled == ["user"]
    with pytest.raises(RuntimeError, match="this call was cancelled"):
        await run(call)


async def test_what_a_shared_call_raises_all_get_and_nobody_is_warned(stage: Stage) -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    call = shared(stage.call("a").map(lambda name: str(1 / 0) + name))
    waiters = [await waiting(call), await waiting(call), await waiting(call)]
    waiters[0].cancel()
    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    assert list(map(type, outcomes)) == [asyncio.CancelledError, *[ZeroDivisionError] * 2]
    del outcomes, waiters, call
    gc.collect()
    assert told == []


async def test_a_shared_call_sees_the_context_variables_of_who_began_it() -> None:
    name: ContextVar[str] = ContextVar("name")

    async def look() -> Result[str, str]:
        return Success(name.get())

    call = shared(FutureResult(look()))
    name.set("set before it begins")
    assert await run(call) == Success("set before it begins")


async def test_a_shared_call_that_never_began_is_closed(stage: Stage) -> None:
    calls = [stage.call("broken", fails=True), shared(stage.call("never")).map(str.upper)]
    assert await run(collect(calls, limit=1)) == Failure("broken")
