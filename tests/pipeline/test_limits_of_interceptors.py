"""The numbers that bound what interceptors and their tokens may do."""

import asyncio
import gc
import traceback
from types import SimpleNamespace

import pytest

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HTTPInterceptorError,
    HttpResponse,
    HTTPValidationError,
    RequestContext,
)
from railhttp.auth import Again, BearerAuth
from railhttp.pipeline.interceptors.token_flight import Issued, TokenFlight
from railhttp.pipeline.observation.observer_queue import MAX_PENDING
from railhttp.railway import outcome
from railhttp.testing import ManualClock, ScriptedTransport


class AsksForMore:
    """Asks for a number of further sends."""

    def __init__(self, most: int) -> None:
        self.left = most

    async def intercept_request(self, context: RequestContext) -> RequestContext:
        self.context = context
        return context

    async def intercept_response(self, response: HttpResponse) -> HttpResponse | Again:
        self.left -= 1
        return Again(self.context) if self.left >= 0 else response


@pytest.mark.parametrize(("asked", "sent", "fails"), [(0, 1, False), (4, 5, False), (5, 5, True)])
async def test_an_attempt_is_sent_again_four_times_at_most(
    asked: int, sent: int, fails: bool
) -> None:
    script = ScriptedTransport()
    script.on("GET", "/").reply(200)
    config = HTTPClientConfig(trust_env=False)
    async with HTTPClient(
        config, exchange=script, base_url="http://h", interceptors=[AsksForMore(asked)]
    ) as client:
        result = outcome(await client.get("/"))
    assert isinstance(result, HTTPInterceptorError) is fails
    assert len(script.calls) == sent


def test_an_observer_may_be_a_thousand_events_behind() -> None:
    assert MAX_PENDING == 1000


async def test_a_failing_token_endpoint_is_asked_after_one_second_and_then_ever_more_rarely() -> (
    None
):
    clock, fetched = ManualClock(), 0

    async def fail(*_: object) -> Issued:
        nonlocal fetched
        fetched += 1
        raise ConnectionError

    flight, client = TokenFlight(fail), SimpleNamespace(clock=clock)

    async def ask() -> int:
        with pytest.raises(ConnectionError):
            await flight.token(client)
        return fetched

    assert await ask() == 1
    for number, quiet in enumerate([1, 2, 4, 8, 16, 32, 60, 60], 1):
        await clock.advance(quiet - 0.5)
        assert await ask() == number
        await clock.advance(0.5)
        assert await ask() == number + 1


@pytest.mark.parametrize(
    ("lifetime", "early", "renewed"), [(100.0, 0.0, 100.0), (100.0, 60.0, 40.0), (60.0, 60.0, 30.0)]
)
async def test_a_token_is_renewed_before_it_expires(
    lifetime: float, early: float, renewed: float
) -> None:
    clock, fetched = ManualClock(), 0

    async def fetch(*_: object) -> Issued:
        nonlocal fetched
        fetched += 1
        return Issued(f"token {fetched}", lifetime)

    flight, client = TokenFlight(fetch, early=early), SimpleNamespace(clock=clock)
    for after, token in ((0.0, "token 1"), (renewed - 0.5, "token 1"), (0.5, "token 2")):
        await clock.advance(after)
        assert await flight.token(client) == token


@pytest.mark.parametrize("end", ["fails", "is cancelled"])
async def test_a_fetch_that_nobody_waits_for_any_more_ends_without_a_report_of_the_loop(
    end: str,
) -> None:
    loop, reports, begun = asyncio.get_running_loop(), list[object](), asyncio.Event()
    loop.set_exception_handler(lambda _, context: reports.append(context))
    fetching: list[asyncio.Task[object]] = []

    async def fetch(*_: object) -> Issued:
        fetching.extend(task for task in [asyncio.current_task()] if task is not None)
        begun.set()
        await let_go.wait()
        raise ConnectionError

    let_go, flight = asyncio.Event(), TokenFlight(fetch)
    caller = asyncio.create_task(flight.token(None))
    await begun.wait()
    caller.cancel()
    await asyncio.wait([caller])
    if end == "fails":
        let_go.set()
    else:
        fetching[0].cancel()
    await asyncio.wait(fetching)
    del flight, caller
    fetching.clear()
    gc.collect()  # a task reports an exception that nobody has seen when it goes
    await asyncio.sleep(0)
    assert not reports


async def test_a_refused_token_is_forgotten_and_no_other_one() -> None:
    asked: list[object] = []

    async def fetch(_: object, refused: str | None) -> Issued:
        asked.append(refused)
        return Issued(f"token {len(asked)}")

    flight = TokenFlight(fetch)
    for refused, token in (
        ("token 1", "token 1"),  # there is none yet
        ("token 0", "token 1"),
        ("token 1", "token 2"),
        ("token 1", "token 2"),  # the answer to an earlier request
    ):
        flight.refuse(refused)
        assert await flight.token(None) == token
    flight.refuse("token 2")
    flight.refuse("token 2")
    assert await flight.token(None) == "token 3"
    assert asked == [None, "token 1", "token 2"]


async def test_a_token_is_shown_without_its_text() -> None:
    """A traceback with the values of variables shows both."""

    async def fetch(*_: object) -> Issued:
        return issued

    issued = Issued("s3cret", 7.0)
    flight = TokenFlight(fetch)
    await flight.token(None)
    shown = repr((issued, flight._current))
    assert "lifetime=7.0" in shown
    assert "expires=" in shown
    assert "s3cret" not in shown


async def test_a_token_that_was_refused_during_a_failed_renewal_is_not_used() -> None:
    clock, fetched = ManualClock(), 0

    async def fetch(*_: object) -> Issued:
        nonlocal fetched
        fetched += 1
        if fetched > 1:
            flight.refuse("token 1")
            raise ConnectionError
        return Issued("token 1", 100.0)

    flight, client = TokenFlight(fetch, early=60.0), SimpleNamespace(clock=clock)
    assert await flight.token(client) == "token 1"
    await clock.advance(50.0)
    with pytest.raises(ConnectionError):
        await flight.token(client)


@pytest.mark.parametrize(("after", "is_valid"), [(99.5, True), (100.0, False), (101.0, False)])
async def test_a_token_that_cannot_be_renewed_is_used_until_it_expires(
    after: float, is_valid: bool
) -> None:
    clock, fetched = ManualClock(), 0

    async def fetch(*_: object) -> Issued:
        nonlocal fetched
        fetched += 1
        if fetched > 1:
            raise ConnectionError
        return Issued("token", 100.0)

    flight, client = TokenFlight(fetch, early=60.0), SimpleNamespace(clock=clock)
    await flight.token(client)
    await clock.advance(after)
    if is_valid:
        assert await flight.token(client) == "token"
    else:
        with pytest.raises(ConnectionError):
            await flight.token(client)
    assert fetched == 2


async def test_a_flight_shows_no_token() -> None:
    async def fetch(client: object, refused: str | None) -> Issued:
        return Issued("t0ken")

    flight = TokenFlight(fetch)
    assert await flight.token(None) == "t0ken"
    assert "t0ken" not in repr(vars(flight))


@pytest.mark.parametrize("origin", ["ftp://h", "no url", "http://"])
def test_a_wrong_origin_is_named(origin: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        BearerAuth("t", origin=origin)
    assert caught.value.field == "origin"


async def test_a_token_that_was_refused_is_not_shown_by_the_failure_of_the_next_fetch() -> None:
    async def fetch(client: object, refused: str | None) -> Issued:
        del refused
        raise ConnectionError

    flight = TokenFlight(fetch)
    with pytest.raises(ConnectionError) as caught:
        await flight.replace("s3cret", None)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in shown.stack if "/railhttp/" in frame.filename]
    assert ours
    for frame in ours:
        assert "s3cret" not in str(frame.locals), frame.name


async def test_while_a_token_is_renewed_others_use_the_one_that_is_still_valid() -> None:
    clock, go_on = ManualClock(), asyncio.Event()
    fetches = 0

    async def fetch(client: object, refused: str | None) -> Issued:
        nonlocal fetches
        fetches += 1
        if fetches > 1:
            await go_on.wait()
        return Issued(f"t{fetches}", 100.0)

    flight, client = TokenFlight(fetch, early=60.0), SimpleNamespace(clock=clock)
    assert await flight.token(client) == "t1"
    await clock.advance(50.0)
    renewing = asyncio.ensure_future(flight.token(client))
    await clock.settle()
    async with asyncio.timeout(10.0):
        assert await flight.token(client) == "t1"
    assert not renewing.done()
    go_on.set()
    assert await renewing == "t2"
    assert fetches == 2
