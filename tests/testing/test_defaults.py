"""What a step of a script, a server and an exploration do unless they are told otherwise."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from returns.result import Result, Success
from tests.endpoints.users_api import User, UserNotFound, Users

from railhttp import Delivery, HTTPClient, HTTPClientError, HttpResponse, RetryPolicy
from railhttp.endpoints import get
from railhttp.railway import run
from railhttp.testing import (
    ASGITransport,
    ContractBroken,
    ManualClock,
    ScriptedTransport,
    SentRequest,
    serve,
)
from railhttp.testing.asgi_app import Message, Receive, Send
from railhttp.testing.explore import Fault, Report, Schedule, drive, explore, faults, replay
from railhttp.testing.explore.kept import Explorer
from railhttp.testing.scripted.route import ScriptedRoute

API = "http://h"
ANN = User(7, "Ann")


# Steps of a route.


def replies(route: ScriptedRoute) -> None:
    route.reply(text="a")


def fails(route: ScriptedRoute) -> None:
    route.fail(ConnectionResetError())


def breaks(route: ScriptedRoute) -> None:
    route.fail(ConnectionResetError(), at="body")


def does(route: ScriptedRoute) -> None:
    route.does(lambda _: HttpResponse(204))


def nothing(route: ScriptedRoute) -> None:
    """Leave the route as it is."""


@pytest.mark.parametrize("step", [replies, fails, breaks, does, nothing])
async def test_a_step_takes_no_time(step: Callable[[ScriptedRoute], None]) -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    step(script.on("GET", "/"))
    async with HTTPClient(exchange=script, clock=clock, retry_policy=RetryPolicy(1)) as client:
        await clock.run(client.get(API))
    assert (clock.slept, clock.monotonic()) == ([], 0.0)


def find(
    user_id: int, expand: bool = False, trace: str | None = None
) -> Result[User, UserNotFound]:
    return Success(ANN)


async def test_a_step_of_an_endpoint_takes_no_time() -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.serve(Users.find).replies(ANN).refuses(UserNotFound(7)).does(find)
    script.serve(Users.health).replies(HttpResponse(204))
    script.serve(Users.feed).replies(ANN)
    script.serve(Users.export).replies(b"a")

    async def calls() -> None:
        async with HTTPClient(exchange=script, clock=clock, base_url=API) as client:
            users = Users(client)
            for _ in range(3):
                await users.find(7)
            await users.health()
            assert [event async for event in users.feed()] == [Success(ANN)]
            async with users.export() as opened:
                assert [chunk async for chunk in opened.unwrap()] == [b"a"]

    await clock.run(calls())
    assert (clock.slept, clock.monotonic()) == ([], 0.0)


async def test_a_step_of_an_endpoint_may_take_its_time() -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.serve(Users.find).replies(ANN, delay=2).refuses(UserNotFound(7), delay=3)
    script.serve(Users.health).replies(HttpResponse(204), delay=4)

    async def times() -> list[float]:
        found = []
        async with HTTPClient(exchange=script, clock=clock, base_url=API) as client:
            users = Users(client)
            for call in (users.find(7), users.find(7), users.health()):
                before = clock.monotonic()
                await call
                found.append(clock.monotonic() - before)
        return found

    assert await clock.run(times()) == [2, 3, 4]


@pytest.mark.parametrize("hangs", [True, False])
async def test_a_response_that_fails_in_its_body_is_an_empty_200_before(hangs: bool) -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    route = script.on("GET", "/")
    if hangs:
        route.hang("body")
    else:
        route.fail(ConnectionResetError(), "body")

    async def pieces() -> tuple[int, list[bytes], bytes]:
        seen = []
        async with (
            HTTPClient(exchange=script, clock=clock) as client,
            client.stream("GET", API, read_timeout=1) as stream,
        ):
            try:
                seen += [chunk async for chunk in stream]
            except HTTPClientError:
                return stream.head.status, seen, stream.head.body
        raise AssertionError("the body did not fail")

    assert await clock.run(pieces()) == (200, [], b"")


async def test_the_head_of_a_response_has_no_body_yet() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"a"})

    script = ScriptedTransport()
    script.on("GET", "/").reply(text="a")
    for exchange in (script, ASGITransport(app)):
        async with (
            HTTPClient(exchange=exchange) as client,
            client.stream("GET", API) as stream,
        ):
            assert stream.head.body == b""
            assert [chunk async for chunk in stream] == [b"a"]


async def test_a_stream_of_an_exploration_has_a_head_without_a_body() -> None:
    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("GET", "/").reply(text="a")
        return script

    async def program(client: HTTPClient) -> bytes:
        async with client.stream("GET", API) as stream:
            return stream.head.body

    assert await replay(program, world, None, Schedule()) == b""


def test_a_request_without_a_body_has_an_empty_one() -> None:
    sent = SentRequest("GET", API)
    assert (sent.body, dict(sent.headers)) == (b"", {})


async def test_an_application_that_started_later_has_taken_its_time_only() -> None:
    clock = ManualClock(now=100.0)

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await clock.sleep(2)
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    script = ScriptedTransport(clock=clock)
    script.on("GET", "/").reply(204, delay=2)
    for exchange in (ASGITransport(app, clock=clock), script):
        async with HTTPClient(exchange=exchange, clock=clock) as client:
            response = (await clock.run(client.get(API))).unwrap()
        assert response.elapsed == 2


# Contracts.


@pytest.mark.parametrize("status", [204, 304])
async def test_a_value_needs_a_status_with_a_body(status: int) -> None:
    script = ScriptedTransport()
    endpoint = get("/x").gives(int, status=status)
    script.serve(endpoint).replies(7)
    async with HTTPClient(exchange=script, base_url=API) as client:
        with pytest.raises(ContractBroken, match=f"a {status} has no body"):
            await run(endpoint()(client))


# Servers.


async def test_a_server_is_on_this_machine_at_a_free_port() -> None:
    async with serve(ScriptedTransport()) as one, serve(ScriptedTransport()) as other:
        assert one.url.startswith("http://127.0.0.1:")
        assert one.url != other.url


async def test_a_silent_step_is_silent_for_longer_than_clients_wait() -> None:
    script = ScriptedTransport(clock=(clock := ManualClock()))
    for at in ("connect", "head", "body"):
        script.on("GET", f"/{at}").hang(at)
    async with serve(script) as server, HTTPClient(base_url=server.url) as client:
        for at in ("connect", "head", "body"):
            failure = (await client.get(f"/{at}", timeout=0.1)).failure()
            assert failure.label == "total"
    assert clock.slept == []  # no limit of its own


# Explorations.


class Shop(ScriptedTransport):
    def __init__(self) -> None:
        super().__init__()
        self.on("GET", "/*").reply(json=7)


async def both(client: HTTPClient) -> None:
    await client.get(f"{API}/a")
    await client.get(f"{API}/b")


async def test_one_call_fails_at_once(tmp_path: Path) -> None:
    some = faults.named("dns")
    explored = await explore(both, Shop, faults=some)
    kept = await Explorer(tmp_path / "kept.txt")(both, Shop, faults=some)
    for report in (explored, kept):
        assert [str(run.schedule) for run in report.runs] == [
            "no fault",
            "GET /a: dns",
            "GET /b: dns",
        ]
        assert report.at_once == 1


async def test_a_program_may_wait_two_seconds_for_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    wait = asyncio.wait

    async def counted(tasks: set[asyncio.Future[object]], timeout: float) -> object:
        if timeout == drive._INTERVAL:
            waited.append(timeout)
            timeout = 0
        return await wait(tasks, timeout=timeout)

    monkeypatch.setattr(asyncio, "wait", counted)

    async def stuck(client: HTTPClient) -> None:
        await asyncio.sleep(3600)

    def seconds() -> float:
        total = sum(waited)
        waited.clear()
        return total

    await explore(stuck, Shop)
    assert seconds() == pytest.approx(2 * 2.0, abs=0.01)  # a program is run twice
    await Explorer(tmp_path / "kept.txt")(stuck, Shop)
    assert seconds() == pytest.approx(2 * 2.0, abs=0.01)
    with pytest.raises(AssertionError, match="no progress"):
        await replay(stuck, Shop, None, Schedule())
    assert seconds() == pytest.approx(2 * 2.0, abs=0.01)


def test_a_report_has_merged_nothing_and_found_no_route_unless_it_says_so() -> None:
    report: Report[None] = Report((), 1, 0.0, faults.named())
    assert (report.merged, report.unplayed, report.declared) == (0, (), None)


async def test_a_run_shows_its_schedule_and_its_end_but_not_its_requests() -> None:
    report = await explore(both, Shop, faults=faults.named())
    assert repr(report.runs[0]) == (
        "Run(schedule=<Schedule no fault>, calls=('GET /a', 'GET /b'),"
        " outcome=None, complaint=None)"
    )


def test_sockets_show_what_a_server_does() -> None:
    early = {
        *("dns", "connect", "proxy", "tls", "timeout connect", "timeout pool", "circuit open"),
        *("rejected", "closed", "invalid request", "interceptor", "too large"),
    }
    shown = {fault.name for fault in faults.on_sockets()}
    assert {fault.name for fault in faults.all()} - shown == early


@pytest.mark.parametrize("text", ["503, acted", "503, once", "503, acted, once"])
def test_a_fault_lasts_and_did_not_act_unless_it_says_so(text: str) -> None:
    assert Fault("503") == Fault.parse("503") != Fault.parse(text)
    assert (Fault("503").acted, Fault("503").once) == (False, False)


@pytest.mark.parametrize("is_stub", [True, False])
@pytest.mark.parametrize("hangs", [True, False])
async def test_a_failure_comes_before_the_head_of_a_response(is_stub: bool, hangs: bool) -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    if is_stub:
        stub = script.serve(Users.health)
        stub.hangs() if hangs else stub.fails(ConnectionResetError())
    else:
        route = script.on("GET", "/health")
        route.hang() if hangs else route.fail(ConnectionResetError())
    async with HTTPClient(exchange=script, clock=clock, retry_policy=RetryPolicy(1)) as client:
        call = client.get(f"{API}/health", read_timeout=1, connect_timeout=2)
        failure = (await clock.run(call)).failure()
    assert failure.label == ("read" if hangs else "disconnected")
    assert failure.delivery is Delivery.MAYBE_SENT
