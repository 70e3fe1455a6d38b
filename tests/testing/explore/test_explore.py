"""Defects of small programs that the explorer finds, with a judge and without."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

import pytest
from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from tests.patience import until

from railhttp import (
    CircuitBreaker,
    HTTPClient,
    HTTPClientConfig,
    HTTPFailure,
    HttpResponse,
    HTTPStatusError,
    RetryPolicy,
)
from railhttp.protocols import Exchange
from railhttp.testing import ManualClock, ScriptedTransport, SentRequest
from railhttp.testing.explore import (
    Faults,
    Report,
    Schedule,
    UnstableProgramError,
    explore,
    faults,
    replay,
)
from railhttp.testing.explore.drive import _is_foreign, cancelled, counted_threads

API = "https://api.example"
T = TypeVar("T")
P = ParamSpec("P")


class Bank(ScriptedTransport):
    """Takes payments, with or without a look at the idempotency key."""

    def __init__(self) -> None:
        super().__init__()
        self.payments: list[str] = []
        self.on("GET", "/price").reply(json={"cents": 7})
        self.on("POST", "/payments").does(self.pay)
        self.on("DELETE", "/payments").does(self.void)

    def pay(self, sent: SentRequest) -> HttpResponse:
        self.payments.append(sent.headers.get("Idempotency-Key", ""))
        return HttpResponse(201)

    def void(self, _: SentRequest) -> HttpResponse:
        self.payments.clear()
        return HttpResponse(204)


async def pay(client: HTTPClient) -> Result[HttpResponse, HTTPFailure]:
    return await client.post(f"{API}/payments", json={"cents": 7})


def texts(report: Report[Any]) -> list[str]:
    return [f"{run.schedule} → {run.complaint}" for run in report.minimal]


async def test_a_lost_response_comes_in_both_worlds() -> None:
    def judge(end: Result[HttpResponse, HTTPFailure], bank: Bank) -> str | None:
        return None if is_successful(end) is bool(bank.payments) else "paid, but nobody knows"

    report = await explore(
        pay, Bank, judge, faults=faults.named("disconnected", "disconnected, acted")
    )
    assert texts(report) == ["POST /payments: disconnected, acted → paid, but nobody knows"]
    assert [str(run.schedule) for run in report.runs] == [
        "no fault",
        "POST /payments: disconnected",
        "POST /payments: disconnected, acted",
    ]
    assert report.calls == ("POST /payments",)


async def test_the_first_bad_schedule_is_minimal() -> None:
    async def pay_and_void(client: HTTPClient) -> Result[object, HTTPFailure]:
        paid = await pay(client)
        return paid if is_successful(paid) else await client.delete(f"{API}/payments")

    def judge(end: Result[object, HTTPFailure], bank: Bank) -> str | None:
        return "a payment is left" if bank.payments and not is_successful(end) else None

    some = faults.named("disconnected", "disconnected, acted", "404")
    report = await explore(pay_and_void, Bank, judge, at_once=2, faults=some)
    assert texts(report) == [
        "POST /payments: disconnected, acted; DELETE /payments: disconnected → a payment is left",
        "POST /payments: disconnected, acted; DELETE /payments: 404 → a payment is left",
    ]
    sizes = [len(run.schedule) for run in report.runs]
    assert sizes == sorted(sizes)


async def test_the_real_retries_run_and_waiting_takes_no_time() -> None:
    async def price(client: HTTPClient) -> int:
        return (await client.get(f"{API}/price")).unwrap().attempts

    report = await explore(price, Bank, faults=faults.named("503").once())
    assert [run.outcome for run in report.runs] == [1, 2]


async def test_a_fault_that_a_retry_heals_is_run_only_if_there_was_a_retry() -> None:
    some = faults.named("disconnected, acted", "disconnected, acted, once")
    once = await explore(pay, Bank, faults=some)
    assert [str(run.schedule) for run in once.runs][1:] == ["POST /payments: disconnected, acted"]
    assert "disconnected, acted, once: no call could show it" in once.not_reached

    async def keyed(client: HTTPClient) -> Result[HttpResponse, HTTPFailure]:
        key = {"Idempotency-Key": "7"}
        return await client.post(f"{API}/payments", json={}, headers=key)

    def judge(_: object, bank: Bank) -> str | None:
        return "paid twice" if len(bank.payments) > 1 else None

    twice = await explore(keyed, Bank, judge, faults=some - faults.named("disconnected, acted"))
    assert texts(twice) == ["POST /payments: disconnected, acted, once → paid twice"]


async def test_a_breaker_forgets_between_runs() -> None:
    def with_breaker(exchange: Exchange, clock: ManualClock) -> HTTPClient:
        breaker = CircuitBreaker(failure_threshold=1)
        policy = RetryPolicy(1)
        return HTTPClient(
            HTTPClientConfig(total=True),
            exchange=exchange,
            clock=clock,
            circuit_breaker=breaker,
            retry_policy=policy,
        )

    async def program(client: HTTPClient) -> str:
        first = await client.get(f"{API}/price")
        second = await client.get(f"{API}/price")
        return " ".join(
            "ok" if is_successful(one) else type(one.failure()).__name__ for one in (first, second)
        )

    report = await explore(program, Bank, faults=faults.named("connect"), client=with_breaker)
    assert [run.outcome for run in report.runs] == [
        "ok ok",
        "HTTPConnectionError HTTPCircuitOpenError",
        "ok HTTPConnectionError",
    ]
    assert report.calls == ("GET /price", "GET /price #2")


async def test_each_hop_of_a_redirect_can_fail() -> None:
    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("GET", "/old").reply(302, headers={"Location": "/new"})
        script.on("GET", "/new").reply(json=1)
        return script

    async def program(client: HTTPClient) -> str:
        end = await client.get(f"{API}/old")
        return "ok" if is_successful(end) else str(end.failure().label)

    report = await explore(program, world, faults=faults.named("tls", "redirect"))
    assert {str(run.schedule): run.outcome for run in report.runs} == {
        "no fault": "ok",
        "GET /old: tls": "tls",
        "GET /old: redirect": "redirect",
        "GET /new: tls": "tls",
        "GET /new: redirect": "redirect",
    }


WITHOUT_BODY = {
    *("dns", "connect", "proxy", "tls", "timeout connect", "timeout pool", "circuit open"),
    *("rejected", "closed", "invalid request", "disconnected", "timeout read", "timeout total"),
    *("protocol", "redirect", "400", "401", "403", "404", "422", "429"),
    *("500", "502", "503", "504", "204"),
}
"""The faults that a response without a body can show."""


async def test_a_response_without_a_body_cannot_be_spoilt() -> None:
    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("HEAD", "/").reply()
        return script

    async def program(client: HTTPClient) -> object:
        return await client.head(f"{API}/")

    report = await explore(program, world)
    shown = {fault.name for run in report.runs for fault in run.schedule.values()}
    assert shown == WITHOUT_BODY


# -- complaints that need no judge ----------------------------------------------------------


async def complaints(
    program: Callable[[HTTPClient], Awaitable[object]],
    some: Faults,
    world: Callable[[], Exchange] = Bank,
) -> list[str]:
    return texts(await explore(program, world, faults=some))


async def test_a_program_that_raises() -> None:
    async def program(client: HTTPClient) -> object:
        response = (await client.get(f"{API}/price")).value_or(HttpResponse(200))
        return {"cents": 7}[response.text]

    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("GET", "/price").reply(text="cents")
        return script

    assert await complaints(program, faults.named("dns"), world) == [
        "GET /price: dns → it raised KeyError: ''"
    ]


async def test_a_request_that_the_world_does_not_know() -> None:
    async def program(client: HTTPClient) -> object:
        price = await client.get(f"{API}/price")
        return price if is_successful(price) else await client.get(f"{API}/prices")

    (complaint,) = await complaints(program, faults.named("dns"))
    assert complaint.startswith("GET /price: dns → it raised UnmatchedRequestError: no route for")


async def test_a_world_that_breaks_is_not_taken_for_a_failure_of_http() -> None:
    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("POST", "/payments").does(lambda sent: HttpResponse([201][len(sent.body)]))
        return script

    assert await complaints(pay, faults.named("dns"), world) == [
        "no fault → the world raised IndexError: list index out of range"
    ]


async def test_a_program_that_waits_for_ever() -> None:
    async def program(client: HTTPClient) -> None:
        if not is_successful(await client.get(f"{API}/price")):
            await asyncio.Event().wait()

    assert await complaints(program, faults.named("dns")) == [
        "GET /price: dns → no progress: it waits for something that never comes"
    ]


async def test_a_call_without_a_time_limit_is_cut_off_by_nothing() -> None:
    async def program(client: HTTPClient) -> object:
        return await client.get(f"{API}/price", timeout=None)

    assert await complaints(program, faults.named("timeout total", "timeout read")) == [
        "GET /price: timeout total → no progress: it waits for something that never comes"
    ]


async def test_a_program_that_asks_for_ever() -> None:
    async def program(client: HTTPClient) -> None:
        price = await client.get(f"{API}/price")
        while not is_successful(price):
            await client.get(f"{API}/price")

    assert await complaints(program, faults.named("404")) == [
        "GET /price: 404 → no progress: it made more than 1000 requests"
    ]


async def test_a_program_that_polls_without_an_end() -> None:
    async def program(client: HTTPClient, clock: ManualClock) -> None:
        if not is_successful(await client.get(f"{API}/price")):
            while True:
                await clock.sleep(1)

    clocks: list[ManualClock] = []

    def client(exchange: Exchange, clock: ManualClock) -> HTTPClient:
        clocks.append(clock)
        return HTTPClient(exchange=exchange, clock=clock)

    report = await explore(
        lambda one: program(one, clocks[-1]), Bank, faults=faults.named("404"), client=client
    )
    assert texts(report) == ["GET /price: 404 → no progress: it waited for more than 10000 timers"]


async def test_work_in_threads_is_waited_for() -> None:
    async def program(client: HTTPClient) -> object:
        price = client.get(f"{API}/price", timeout=5)
        await asyncio.to_thread(time.sleep, 0.01)
        return await price

    assert await complaints(program, faults.named("404")) == []


async def test_a_program_may_sleep_in_real_time() -> None:
    async def program(client: HTTPClient) -> object:
        await asyncio.sleep(0.3)  # longer than a program may be idle
        return await client.get(f"{API}/price")

    assert await complaints(program, faults.named("404")) == []


async def in_a_thread_of_its_own() -> None:
    with ThreadPoolExecutor(1) as pool:
        await asyncio.get_running_loop().run_in_executor(pool, time.sleep, 0.3)


async def in_another_process() -> None:
    process = await asyncio.create_subprocess_exec("sleep", "0.3")
    await process.wait()


@pytest.mark.parametrize("wait", [in_a_thread_of_its_own, in_another_process])
async def test_a_program_may_wait_for_what_no_clock_moves(
    wait: Callable[[], Awaitable[None]],
) -> None:
    async def program(client: HTTPClient) -> object:
        await wait()  # longer than a program may be idle
        return await client.get(f"{API}/price")

    assert await complaints(program, faults.named("404")) == []


async def test_an_idle_thread_of_an_exploration_wakes_no_program() -> None:
    with counted_threads():
        idle = await asyncio.to_thread(threading.current_thread)
        assert not _is_foreign(idle)
    assert not _is_foreign(threading.main_thread())
    assert _is_foreign(threading.Thread(name="of the program"))


async def test_a_program_that_is_given_up_is_over_before_the_run_goes_on() -> None:
    done: list[str] = []

    async def stuck() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(5):
                await asyncio.sleep(0)
            done.append("cleaned up")

    task = asyncio.create_task(stuck())
    await asyncio.sleep(0)
    await cancelled(task)
    assert done == ["cleaned up"]


async def test_time_stands_still_until_work_in_a_thread_has_woken_the_program() -> None:
    """The thread gets no CPU between the end of its work and the callbacks of its future."""
    with counted_threads() as threads:
        begin, called, go_on = threading.Event(), threading.Event(), threading.Event()

        def starved(_: object) -> None:
            called.set()
            go_on.wait(60)

        threads.submit(begin.wait, 60).add_done_callback(starved)
        begin.set()
        await until(called.is_set)
        assert threads.is_working
        go_on.set()
        await until(lambda: not threads.is_working)


async def test_a_program_may_not_sleep_longer_than_the_patience() -> None:
    async def program(client: HTTPClient) -> None:
        await asyncio.sleep(60)

    report = await explore(program, Bank, patience=0.05)
    assert texts(report) == ["no fault → no progress: it waits for something that never comes"]


async def test_a_request_that_may_have_acted_is_sent_again() -> None:
    async def stubborn(client: HTTPClient) -> object:
        first = await pay(client)
        return first if is_successful(first) else await pay(client)

    some = faults.named("dns", "500, acted", "disconnected", "timeout total, acted", "truncated")
    assert await complaints(stubborn, some) == [
        f"POST /payments: {fault} → POST /payments #2 was sent again after its response was lost,"
        " without an idempotency key"
        for fault in ("disconnected", "timeout total, acted", "truncated")
    ]


async def test_a_policy_that_repeats_what_may_have_acted() -> None:
    class Twice:
        async def execute(
            self, func: Callable[..., Awaitable[object]], *args: Any, **kwargs: Any
        ) -> Any:
            try:
                return await func(*args, **kwargs)
            except Exception:
                return await func(*args, **kwargs)

    def client(exchange: Exchange, clock: ManualClock) -> HTTPClient:
        return HTTPClient(exchange=exchange, clock=clock, retry_policy=Twice())

    report = await explore(pay, Bank, faults=faults.named("dns", "disconnected"), client=client)
    assert texts(report) == [
        "POST /payments: disconnected → POST /payments was sent again after its response was lost,"
        " without an idempotency key"
    ]


async def test_two_equal_requests_that_are_meant_are_no_second_send() -> None:
    async def both(client: HTTPClient) -> object:
        return [await pay(client), await pay(client)]

    assert await complaints(both, faults.named("disconnected")) == []


async def test_a_task_that_is_left() -> None:
    async def program(client: HTTPClient) -> None:
        if not is_successful(await client.get(f"{API}/price")):
            asyncio.get_running_loop().create_task(forgotten())
            asyncio.get_running_loop().create_task(asyncio.sleep(0))

    async def forgotten() -> None:
        await asyncio.Event().wait()

    (complaint,) = await complaints(program, faults.named("404"))
    assert complaint.startswith("GET /price: 404 → a task was left: ")
    assert complaint.endswith("forgotten")


async def test_a_response_that_is_left_open() -> None:
    kept: list[object] = []

    async def program(client: HTTPClient) -> None:
        stream = client.stream("GET", f"{API}/price")
        kept.append((stream, await stream.__aenter__()))

    assert await complaints(program, faults.named()) == [
        "no fault → the response to GET /price was left open"
    ]


async def test_a_response_that_is_read_in_part_is_left_open_too() -> None:
    kept: list[object] = []

    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("GET", "/lines").reply(body=[b"a", b"b"])
        return script

    async def program(client: HTTPClient) -> None:
        stream = client.stream("GET", f"{API}/lines")
        chunks = aiter(await stream.__aenter__())
        kept.append((stream, chunks, await anext(chunks)))

    assert await complaints(program, faults.named(), world) == [
        "no fault → the response to GET /lines was left open"
    ]


class Declined(Exception):
    """A failure of the domain."""


async def declared(client: HTTPClient) -> Result[str, Declined]:
    end = await client.post(f"{API}/payments")
    if is_successful(end):
        return Success("paid")
    failure = end.failure()
    is_refusal = isinstance(failure, HTTPStatusError) and failure.status == 402
    return Failure(Declined()) if is_refusal else Failure(failure)  # type: ignore[arg-type]


async def test_a_failure_that_the_declared_type_does_not_have() -> None:
    report = await explore(declared, Bank, faults=faults.statuses(402, 404))
    assert texts(report) == [
        "POST /payments: 404 → HTTPStatusError came out, which is not a declared failure"
    ]
    silent = await explore(declared, Bank, faults=faults.named())
    assert "Declined: declared, but no run ended with it" in silent.not_reached


async def test_a_future_result_declares_its_failures_too() -> None:
    def program(client: HTTPClient) -> FutureResult[HttpResponse, KeyError]:
        return client.future.get(f"{API}/price")  # type: ignore[return-value]

    assert await complaints(program, faults.named("dns")) == [
        "GET /price: dns → HTTPConnectionError came out, which is not a declared failure"
    ]


async def test_a_verb_returns_an_open_circuit_unless_the_client_of_the_program_raises_it() -> None:
    async def program(client: HTTPClient) -> object:
        return await client.get(f"{API}/price")

    some = faults.named("circuit open")
    assert not (await explore(program, Bank, faults=some)).minimal
    report = await explore(
        program, Bank, faults=some, client=lambda one, clock: HTTPClient(exchange=one, clock=clock)
    )
    assert texts(report)[0].startswith("GET /price: circuit open → it raised HTTPCircuitOpenError")


# -- what explore and replay refuse ---------------------------------------------------------


async def test_a_program_that_fails_without_a_fault_is_not_explored_further() -> None:
    report = await explore(pay, Bank, lambda _, __: "never good", at_once=2)
    assert texts(report) == ["no fault → never good"]
    assert report.not_reached == ("any failure: the program has a complaint without one",)
    assert str(report).startswith("1 schedule, ")


async def test_an_assertion_of_the_judge_is_a_complaint() -> None:
    def judge(end: object, bank: Bank) -> None:
        assert not bank.payments, "paid"

    assert texts(await explore(pay, Bank, judge)) == ["no fault → paid"]


async def test_a_program_that_is_not_the_same_twice_is_refused() -> None:
    numbers = iter(range(10))

    async def program(client: HTTPClient) -> object:
        return await client.get(f"{API}/{next(numbers)}")

    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("GET", "/*").reply()
        return script

    with pytest.raises(UnstableProgramError, match="first: GET /0\n    then:  GET /1"):
        await explore(program, world)


async def test_a_program_that_is_not_the_same_after_a_fault_is_refused() -> None:
    numbers = iter(range(2, 100))

    async def program(client: HTTPClient) -> object:
        end = await client.get(f"{API}/price")
        return end if is_successful(end) else await client.get(f"{API}/{next(numbers)}")

    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("GET", "/*").reply()
        return script

    with pytest.raises(UnstableProgramError, match="does not make the same calls twice"):
        await explore(program, world, at_once=2, faults=faults.named("404"))


async def test_a_world_is_an_exchange() -> None:
    with pytest.raises(TypeError, match=r"^world: must return an exchange, .* got dict$"):
        await explore(pay, dict)  # type: ignore[type-var]


async def test_a_judge_returns_a_text_or_none() -> None:
    with pytest.raises(TypeError, match=r"^judge: must return a text or None, got bool$"):
        await explore(pay, Bank, lambda end, bank: bool(bank.payments))  # type: ignore[arg-type, return-value]


async def test_a_negative_number_of_failures_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^at_once: must be 0 or more, got -1$"):
        await explore(pay, Bank, at_once=-1)


def paid_in_the_dark(end: Result[HttpResponse, HTTPFailure], bank: Bank) -> str | None:
    return "paid" if bank.payments and not is_successful(end) else None


async def test_a_replay_returns_the_outcome_of_a_handled_schedule() -> None:
    schedule = Schedule.parse("POST /payments: disconnected")
    end = await replay(pay, Bank, paid_in_the_dark, schedule)
    assert end.failure().label == "disconnected"


async def test_a_replay_of_a_bad_schedule_is_an_assertion_error() -> None:
    schedule = Schedule.parse("POST /payments: disconnected, acted")
    with pytest.raises(AssertionError, match=r"^POST /payments: disconnected, acted\n    → paid$"):
        await replay(pay, Bank, paid_in_the_dark, schedule)


async def test_a_replay_shows_where_the_program_raised() -> None:
    async def program(client: HTTPClient) -> object:
        return (await client.get(f"{API}/price")).unwrap()

    with pytest.raises(AssertionError, match="it raised UnwrapFailedError") as caught:
        await replay(program, Bank, None, Schedule.parse("GET /price: dns"))
    assert type(caught.value.__cause__).__name__ == "UnwrapFailedError"


async def test_a_replay_that_proves_nothing_fails() -> None:
    with pytest.raises(AssertionError, match="not reached: GET /x; the calls were: POST /payments"):
        await replay(pay, Bank, None, Schedule.parse("GET /x: dns"))


async def test_an_exploration_that_is_cancelled_ends_its_run() -> None:
    async def program(client: HTTPClient) -> None:
        started.set()
        await asyncio.Event().wait()

    started = asyncio.Event()
    task = asyncio.ensure_future(explore(program, Bank, patience=60))
    await started.wait()
    before = asyncio.all_tasks()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(asyncio.all_tasks()) < len(before)


async def test_programs_work_in_threads_afterwards() -> None:
    before = await asyncio.to_thread(lambda: 1)
    await explore(pay, Bank, faults=faults.named())
    assert await asyncio.to_thread(lambda: 2) == before + 1
