"""In and out of the railway: `outcome`, `run` and `catching`."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.result import Failure, Result, Success

from railhttp.railway import catching, gather, outcome, run


def test_the_outcome_is_the_value_or_the_failure() -> None:
    assert outcome(Success("value")) == "value"
    assert outcome(Failure("failure")) == "failure"


async def test_running_a_future_gives_a_result() -> None:
    assert await run(FutureResult.from_value(1)) == Success(1)
    assert await run(FutureResult.from_failure("no")) == Failure("no")


@catching(ValueError, KeyError)
def parse(text: str, *, base: int = 10) -> int:
    """Parse a number."""
    if text == "interrupt":
        raise KeyboardInterrupt
    return {"": 0}[text] if not text.isalnum() else int(text, base)


@catching(ValueError)
async def parse_later(text: str) -> int:
    await asyncio.sleep(0)
    return int(text)


def test_what_is_to_be_caught_becomes_a_failure() -> None:
    assert parse("11", base=2) == Success(3)
    assert isinstance(parse("x").failure(), ValueError)
    assert isinstance(parse("-").failure(), KeyError)


async def test_an_async_function_becomes_a_future() -> None:
    assert await run(parse_later("7")) == Success(7)
    assert isinstance((await run(parse_later("x"))).failure(), ValueError)


async def test_an_async_function_that_cannot_even_be_called_gives_a_future_too() -> None:
    nothing: object = catching(TypeError)(parse_later.__wrapped__)()  # type: ignore[attr-defined]  # set by functools.wraps
    assert isinstance(nothing, FutureResult)
    assert isinstance((await run(nothing)).failure(), TypeError)


async def ask() -> Result[int, str]:
    return Success(7)


READER: RequiresContextFutureResult[int, str, int] = RequiresContextFutureResult.from_value(7)


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (ask, "the coroutine of ask: use client.future for a verb"),
        (lambda: READER, "a reader: give it its client first"),
        (lambda: Success(7), "a Result: it does not need awaiting"),
        (lambda: 7, "expected a FutureResult, got int"),
    ],
)
@pytest.mark.parametrize("wait", [run, lambda call: run(gather(call, FutureResult.from_value(1)))])
async def test_what_is_no_future_is_refused_with_advice(
    wait: Callable[[object], Awaitable[object]], make: Callable[[], object], advice: str
) -> None:
    with pytest.raises(TypeError, match=advice):
        await wait(make())


async def test_everything_else_is_raised_as_ever() -> None:
    with pytest.raises(KeyboardInterrupt):
        parse("interrupt")
    with pytest.raises(TypeError):
        await run(catching(ValueError)(parse_later.__wrapped__)(None))  # type: ignore[attr-defined]  # set by functools.wraps


def test_the_function_keeps_its_name() -> None:
    assert (parse.__name__, parse.__doc__) == ("parse", "Parse a number.")
