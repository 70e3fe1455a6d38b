"""`then`, `fallback`, `on_status`, `tap` and `tap_failure` on each container they work on."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Never, TypeAlias

import pytest
from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.pipeline import flow
from returns.result import Failure, Result, Success

from railhttp import (
    HTTPFailure,
    HttpResponse,
    HTTPStatusError,
    HTTPTimeoutError,
    HTTPValidationError,
)
from railhttp.railway import decode_text, expect, fallback, on_status, run, tap, tap_failure, then

Reader: TypeAlias = RequiresContextFutureResult[int, str, int]


def half(number: int) -> Result[int, str]:
    return Failure("odd") if number % 2 else Success(number // 2)


def half_later(number: int) -> FutureResult[int, str]:
    return FutureResult.from_result(half(number))


async def half_awaited(number: int) -> Result[int, str]:
    await asyncio.sleep(0)
    return half(number)


def divided(number: int) -> Reader:
    return RequiresContextFutureResult(
        lambda divisor: FutureResult.from_result(Success(number // divisor))
    )


def length(failure: str) -> Result[int, Never]:
    return Success(len(failure))


def length_later(failure: str) -> FutureResult[int, Never]:
    return FutureResult.from_result(length(failure))


async def length_awaited(failure: str) -> Result[int, Never]:
    await asyncio.sleep(0)
    return length(failure)


def length_divided(failure: str) -> Reader:
    return divided(len(failure))


# -- then -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end"),
    [(Success(8), Success(4)), (Success(3), Failure("odd")), (Failure("none"), Failure("none"))],
)
@pytest.mark.parametrize("step", [half, half_later, half_awaited])
async def test_then_goes_on_with_a_value_only(
    step: Callable[[int], FutureResult[int, str]], start: Result[int, str], end: Result[int, str]
) -> None:
    assert await run(then(step)(FutureResult.from_result(start))) == end
    reader: Reader = RequiresContextFutureResult.from_result(start)
    assert await run(then(step)(reader)(2)) == end
    assert then(half)(start) == end


async def test_then_hands_the_environment_to_a_reader() -> None:
    reader: Reader = RequiresContextFutureResult.from_value(8)
    assert await run(then(divided)(reader)(2)) == Success(4)
    assert await run(flow(reader, then(divided), then(half), then(half_later))(2)) == Success(1)


async def test_a_reader_can_be_run_again() -> None:
    reader: Reader = RequiresContextFutureResult.from_value(8)
    described = then(divided)(reader)
    assert [await run(described(by)) for by in (1, 2)] == [Success(8), Success(4)]


# -- fallback -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end"), [(Success(8), Success(8)), (Failure("none"), Success(4))]
)
@pytest.mark.parametrize("other", [length, length_later, length_awaited])
async def test_fallback_goes_on_with_a_failure_only(
    other: Callable[[str], FutureResult[int, Never]],
    start: Result[int, str],
    end: Result[int, str],
) -> None:
    assert await run(fallback(other)(FutureResult.from_result(start))) == end
    reader: Reader = RequiresContextFutureResult.from_result(start)
    assert await run(fallback(other)(reader)(2)) == end
    assert fallback(length)(start) == end


async def test_fallback_hands_the_environment_to_a_reader() -> None:
    reader: Reader = RequiresContextFutureResult.from_failure("none")
    assert await run(fallback(length_divided)(reader)(2)) == Success(2)


# -- statuses -------------------------------------------------------------------------------


def status(code: int, body: bytes = b"") -> HTTPStatusError:
    return HTTPStatusError(HttpResponse(code, body=body))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (Success("user"), Success("user")),
        (Failure(status(404, b"no user")), Success("no user")),
    ],
)
async def test_one_status_is_turned_into_something_else(
    start: Result[str, HTTPFailure], end: Result[str, HTTPFailure]
) -> None:
    absent = on_status(404, decode_text)
    assert absent(start) == end
    assert await run(absent(FutureResult.from_result(start))) == end
    reader: RequiresContextFutureResult[str, HTTPFailure, int] = (
        RequiresContextFutureResult.from_result(start)
    )
    assert await run(absent(reader)(0)) == end


@pytest.mark.parametrize("failure", [status(403), HTTPTimeoutError(phase="read"), "not HTTP"])
def test_other_failures_are_left_alone(failure: object) -> None:
    assert on_status(404, decode_text)(Failure(failure)) == Failure(failure)


def test_a_status_that_was_not_expected_is_a_failure() -> None:
    check = expect(HTTPStatus.OK, 201)
    assert check(HttpResponse(201)) == Success(HttpResponse(201))
    failure = check(HttpResponse(204)).failure()
    assert isinstance(failure, HTTPStatusError)
    assert failure.response == HttpResponse(204)
    assert failure.message == "status 204, expected 200 or 201"


def test_a_status_below_400_that_was_not_expected_can_be_turned_too() -> None:
    accepted = on_status(202, decode_text)
    assert accepted(expect(200)(HttpResponse(202, body=b"wait"))) == Success("wait")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (expect, "statuses: must be one status code or more"),
        (lambda: expect(range(200, 300)), "statuses: must be a status code, .*, got range"),  # type: ignore[arg-type]
        (lambda: expect(200, 20), "statuses: must be a status code, from 100 to 999, got 20"),
        (lambda: expect(True), "got True"),
        (lambda: on_status("404", decode_text), "status: must be a status code, .*, got str"),  # type: ignore[arg-type]
        (lambda: on_status(4040, decode_text), "status: must be a status code, .*, got 4040"),
    ],
)
def test_what_is_no_status_is_refused_when_the_step_is_made(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(HTTPValidationError, match=message):
        make()


# -- taps -----------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [Success(8), Failure("none")])
async def test_a_tap_sees_its_track_and_changes_nothing(start: Result[int, str]) -> None:
    values: list[object] = []
    failures: list[object] = []
    reader: Reader = RequiresContextFutureResult.from_result(start)
    future = FutureResult.from_result(start)

    assert flow(start, tap(values.append), tap_failure(failures.append)) == start
    assert await run(flow(future, tap(values.append), tap_failure(failures.append))) == start
    assert await run(flow(reader, tap(values.append), tap_failure(failures.append))(0)) == start

    assert values == ([8] * 3 if start == Success(8) else [])
    assert failures == (["none"] * 3 if start == Failure("none") else [])


def test_what_a_function_raises_is_no_failure() -> None:
    def broken(number: int) -> Result[int, str]:
        raise ZeroDivisionError(number)

    with pytest.raises(ZeroDivisionError):
        then(broken)(Success(1))
    with pytest.raises(ZeroDivisionError):
        asyncio.run(run(then(broken)(FutureResult.from_value(1))))


# -- misuse ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "track", "advice"),
    [
        (
            half,
            HttpResponse(200),
            "expected a Result, a FutureResult or a reader, got HttpResponse",
        ),
        (half_awaited, Success(8), "the coroutine of half_awaited"),
        (len, Success("text"), "expected a Result, a FutureResult or a reader, got int"),
        (divided, FutureResult.from_value(8), "a reader: give it its client first"),
        (len, FutureResult.from_value("text"), "expected a FutureResult, got int"),
    ],
)
async def test_what_does_not_go_on_is_refused_with_advice(
    step: Callable[[object], Result[object, object]], track: Result[object, object], advice: str
) -> None:
    with pytest.raises(TypeError, match=advice):
        await then(step)(track)  # type: ignore[misc]  # rows of several kinds
