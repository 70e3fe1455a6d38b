"""The laws of the combinators, on each container that they work on.

They add no container to those of `returns`, whose own law checks need a class; so the laws of
functor, monad and alt are written down here, for functions from track to track.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Never, TypeAlias, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import strategies as some
from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.result import Failure, Result, Success

from railhttp import HTTPFailure, HTTPStatusError, RetryPolicy
from railhttp.railway import fallback, on_status, outcome, retry, run, tap, tap_failure, then
from railhttp.railway._bind import Track

T = TypeVar("T")
IntTrack: TypeAlias = Track[int, str, int]
Step: TypeAlias = Callable[[int], Result[int, str]]
Other: TypeAlias = Callable[[str], Result[int, str]]

LIFTS: Final[tuple[Callable[[Result[int, str]], IntTrack], ...]] = (
    lambda result: result,
    FutureResult.from_result,
    RequiresContextFutureResult.from_result,
)
"""The three containers, as ways to put a result into them."""

values: Final = st.integers(-9, 9)
words: Final = st.text(some.LETTERS, max_size=2)
results: Final[st.SearchStrategy[Result[int, str]]] = st.one_of(
    values.map(Success), words.map(Failure)
)


def _step(value: int) -> Result[int, str]: ...  # type: ignore[empty-body]  # only its signature
def _other(failure: str) -> Result[int, str]: ...  # type: ignore[empty-body]


steps: Final = st.functions(like=_step, returns=results, pure=True)
others: Final = st.functions(like=_other, returns=results, pure=True)
lifts: Final = st.sampled_from(LIFTS)


def land(track: object) -> Result[int, str]:
    """Wait for what comes of a track."""
    if isinstance(track, RequiresContextFutureResult):
        track = track(0)
    if isinstance(track, FutureResult):
        return asyncio.run(run(track))
    assert isinstance(track, Result)
    return track


def through(
    result: Result[int, str], lift: Callable[[Result[int, str]], IntTrack], *way: object
) -> Result[int, str]:
    """Send a result through combinators, inside a container."""
    track: object = lift(result)
    for combinator in way:
        assert callable(combinator)
        track = combinator(track)
    return land(track)


# -- monad ----------------------------------------------------------------------------------


@given(values, words, steps, others, lifts)
def test_left_identity(
    value: int, word: str, step: Step, other: Other, lift: Callable[[Result[int, str]], IntTrack]
) -> None:
    assert through(Success(value), lift, then(step)) == step(value)
    assert through(Failure(word), lift, fallback(other)) == other(word)


def _pure(value: int) -> Result[int, Never]:
    return Success(value)


def _fail(failure: str) -> Result[Never, str]:
    return Failure(failure)


@given(results, lifts)
def test_right_identity(
    result: Result[int, str], lift: Callable[[Result[int, str]], IntTrack]
) -> None:
    assert through(result, lift, then(_pure)) == result
    assert through(result, lift, fallback(_fail)) == result


@given(results, steps, steps, lifts)
def test_then_is_associative(
    result: Result[int, str], f: Step, g: Step, lift: Callable[[Result[int, str]], IntTrack]
) -> None:
    def both(value: int) -> Result[int, str]:
        return then(g)(f(value))

    assert through(result, lift, then(f), then(g)) == through(result, lift, then(both))


@given(results, others, others, lifts)
def test_fallback_is_associative(
    result: Result[int, str], f: Other, g: Other, lift: Callable[[Result[int, str]], IntTrack]
) -> None:
    def both(failure: str) -> Result[int, str]:
        return fallback(g)(f(failure))

    assert through(result, lift, fallback(f), fallback(g)) == through(result, lift, fallback(both))


@given(results, steps, others)
def test_they_are_bind_and_lash_where_these_apply(
    result: Result[int, str], step: Step, other: Other
) -> None:
    assert then(step)(result) == result.bind(step)
    assert fallback(other)(result) == result.lash(other)


# -- functor and alt ------------------------------------------------------------------------


@given(results, lifts)
def test_functor_and_alt_compose(
    result: Result[int, str], lift: Callable[[Result[int, str]], IntTrack]
) -> None:
    def more(value: int) -> Result[int, Never]:
        return Success(value + 1)

    def double(value: int) -> Result[int, Never]:
        return Success(value * 2)

    def louder(failure: str) -> Result[Never, str]:
        return Failure(f"{failure}!")

    mapped = result.map(lambda value: (value + 1) * 2)
    assert through(result, lift, then(more), then(double)) == mapped
    assert through(result, lift, fallback(louder)) == result.alt(lambda failure: f"{failure}!")


@given(values, words, steps, others, lifts)
def test_each_leaves_the_other_track_alone(
    value: int, word: str, step: Step, other: Other, lift: Callable[[Result[int, str]], IntTrack]
) -> None:
    assert through(Failure(word), lift, then(step)) == Failure(word)
    assert through(Success(value), lift, fallback(other)) == Success(value)


@given(results, st.sampled_from(LIFTS[1:]), steps)
def test_a_step_may_be_of_the_tracks_own_container(
    result: Result[int, str], lift: Callable[[Result[int, str]], IntTrack], step: Step
) -> None:
    def later(value: int) -> FutureResult[int, str]:
        return FutureResult.from_result(step(value))

    assert through(result, lift, then(later)) == then(step)(result)


# -- what changes nothing -------------------------------------------------------------------


@given(results, lifts)
def test_taps_are_the_identity(
    result: Result[int, str], lift: Callable[[Result[int, str]], IntTrack]
) -> None:
    seen: list[object] = []
    assert through(result, lift, tap(seen.append), tap_failure(seen.append)) == result
    assert seen == [outcome(result)]


@given(values, words)
def test_an_outcome_undoes_its_container(value: int, word: str) -> None:
    assert outcome(Success(value)) == value
    assert outcome(Failure(word)) == word


@given(some.failures(), st.integers(400, 599), lifts)
def test_on_status_touches_one_status(
    failure: HTTPFailure, status: int, lift: Callable[[Result[int, HTTPFailure]], object]
) -> None:
    def answer(response: object) -> Result[str, Never]:
        return Success("answered")

    result = land(on_status(status, answer)(lift(Failure(failure))))  # type: ignore[call-overload]  # the containers of `lift`
    meant = isinstance(failure, HTTPStatusError) and failure.status == status
    assert result == (Success("answered") if meant else Failure(failure))


@pytest.mark.parametrize("repeatable", [False, True])
@given(result=results | some.failures().map(Failure))
def test_a_retry_of_one_attempt_is_the_identity(
    repeatable: bool, result: Result[int, object]
) -> None:
    reader: RequiresContextFutureResult[int, object, int] = RequiresContextFutureResult.from_result(
        result
    )
    assert land(retry(RetryPolicy(1), repeatable=repeatable)(reader)) == result
