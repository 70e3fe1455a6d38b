"""Programs wait for threads and sockets, and leave tasks; specific stubs come first."""

import asyncio
import gc
import gzip
import io
import random
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from returns.pipeline import is_successful
from returns.result import Result, Success
from tests.patience import until

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HttpResponse,
    HTTPResponseTooLargeError,
)
from railhttp.endpoints import Service, get
from railhttp.model.stage import Stage
from railhttp.protocols import Exchange
from railhttp.railway import run
from railhttp.testing import ASGITransport, ContractBroken, ManualClock, ScriptedTransport, serve
from railhttp.testing.asgi_app import Message, Receive, Send
from railhttp.testing.explore import Fault, Schedule, drive, explore, faults, replay, schedules
from railhttp.testing.explore.drive import counted_threads
from railhttp.testing.explore.kept import Explorer
from railhttp.testing.explore.progress import PlainProgress

API = "http://h"
PATIENCE = 60


@dataclass(frozen=True)
class Search:
    name: str
    more: str = "none"


async def test_a_parameter_may_be_empty() -> None:
    seen: list[tuple[str, str]] = []

    def search(name: str, more: str = "none") -> Result[str, object]:
        seen.append((name, more))
        return Success("found")

    endpoint = get("/search", Search).gives(str)
    script = ScriptedTransport()
    script.serve(endpoint).does(search)  # type: ignore[arg-type]  # no refusal is declared
    async with HTTPClient(exchange=script, base_url=API) as client:
        assert await run(endpoint("", more="")(client)) == Success("found")
    assert seen == [("", "")]


async def test_only_none_stands_for_no_value() -> None:
    endpoint = get("/nothing").gives(None)
    script = ScriptedTransport()
    script.serve(endpoint).replies(None).replies(7)  # type: ignore[arg-type]  # that is the case
    async with HTTPClient(exchange=script, base_url=API) as client:
        assert await run(endpoint()(client)) == Success(None)
        with pytest.raises(ContractBroken, match="does not come back as"):
            await run(endpoint()(client))


def one_user(name: str) -> dict[str, object]:
    return {"name": name}


class Names(Service):
    one = get("/users/{name}", one_user).gives(str)
    me = get("/users/me").gives(str)


@pytest.mark.parametrize("specific_first", [True, False])
async def test_specific_paths_come_before_others_but_not_before_plain_routes(
    specific_first: bool,
) -> None:
    script = ScriptedTransport()
    plain = script.on("GET", "/users/plain").reply(json="plain")
    if specific_first:
        script.serve(Names.me).replies("me")
    script.serve(Names.one).replies("one")
    if not specific_first:
        script.serve(Names.me).replies("me")
    async with HTTPClient(exchange=script, base_url=API) as client:
        names = Names(client)
        assert await names.me() == Success("me")
        assert await names.one("you") == Success("one")
        assert await names.one("plain") == Success("plain")
    assert plain.called == 1
    assert script.routes[0] is plain


def test_progress_is_shown_at_once() -> None:
    raw = io.BytesIO()
    shown = PlainProgress(io.TextIOWrapper(io.BufferedWriter(raw)))
    shown.begin(1, 2)
    shown.advance(2)
    assert raw.getvalue() == b"exploring, 1 failure at once: 2 schedules\n"


async def test_an_exploration_does_not_wait_for_the_threads_that_a_program_left() -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(PATIENCE)
        ended.set()

    with counted_threads() as threads:
        threads.submit(work)
        begun.wait(PATIENCE)
    assert not ended.is_set()
    go_on.set()
    assert ended.wait(PATIENCE)


@given(schedules(["GET /a", "GET /b"], at_least=2))
def test_a_schedule_has_as_many_calls_as_faults(schedule: Schedule) -> None:
    assert sorted(schedule) == ["GET /a", "GET /b"]


# Explorations.


def priced() -> ScriptedTransport:
    script = ScriptedTransport()
    script.on("GET", "/price").reply(text="seven")
    return script


async def test_a_response_that_is_read_to_its_end_is_not_left_open() -> None:
    kept: list[object] = []

    async def program(client: HTTPClient) -> bytes:
        stream = client.stream("GET", f"{API}/price")
        kept.append(stream)
        return await (await stream.__aenter__()).read()

    report = await explore(program, priced, faults=faults.named())
    assert [(run.complaint, run.outcome) for run in report.runs] == [(None, b"seven")]


async def a_timer() -> None:
    await asyncio.sleep(0.05)


async def a_thread() -> None:
    with ThreadPoolExecutor(1) as pool:
        await asyncio.get_running_loop().run_in_executor(pool, time.sleep, 0.05)


async def a_socket() -> None:
    command = ["sh", "-c", "sleep 0.05; echo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: ASYNC220  # no thread may watch it
        assert process.stdout is not None
        loop, readable = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(process.stdout, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(process.stdout)


@pytest.mark.parametrize("wait", [a_timer, a_thread, a_socket])
async def test_a_program_is_not_idle_while_anything_may_wake_it(
    wait: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drive, "_MOST_IDLE_CHECKS", 1)
    is_foreign = drive._is_foreign

    def is_of_the_program(thread: threading.Thread) -> bool:
        return is_foreign(thread) and "timeout" not in thread.name  # pytest has one of that name

    monkeypatch.setattr(drive, "_is_foreign", is_of_the_program)

    async def program(client: HTTPClient) -> None:
        await wait()

    report = await explore(program, priced, faults=faults.named(), patience=60.0)
    assert [run.complaint for run in report.runs] == [None]


async def test_time_stands_still_while_a_thread_works() -> None:
    clocks: list[ManualClock] = []

    def client_of(exchange: Exchange, clock: ManualClock) -> HTTPClient:
        clocks.append(clock)
        return HTTPClient(exchange=exchange, clock=clock)

    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("GET", "/price").reply(delay=5)
        return script

    async def program(client: HTTPClient) -> tuple[float, bool, float]:
        call = asyncio.create_task(client.request("GET", f"{API}/price"))
        await asyncio.to_thread(time.sleep, 0.1)
        while_it_worked = clocks[-1].monotonic(), call.done()
        await call
        return *while_it_worked, clocks[-1].monotonic()

    report = await explore(program, world, faults=faults.named(), client=client_of)
    assert [(run.complaint, run.outcome) for run in report.runs] == [(None, (0.0, False, 5.0))]


PROGRAM = """
import asyncio
from railhttp.testing import ScriptedTransport
from railhttp.testing.explore import explore

async def program(client):
    raise {error}

asyncio.run(explore(program, ScriptedTransport))
"""


@pytest.mark.parametrize(
    ("error", "code"), [("SystemExit(3)", 3), ("KeyboardInterrupt", -signal.SIGINT)]
)
def test_what_ends_a_process_ends_an_exploration(error: str, code: int) -> None:
    command = [sys.executable, "-c", PROGRAM.format(error=error)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == code


async def test_a_server_behind_may_send_a_long_head() -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nX-A: " + b"a" * 200_000)
        writer.write(b"\r\nContent-Length: 1\r\n\r\nb")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0, limit=2**20) as behind:
        port = behind.sockets[0].getsockname()[1]
        async with faults.play(f"http://127.0.0.1:{port}") as front:
            host, _, own = front.url.removeprefix("http://").partition(":")
            reader, writer = await asyncio.open_connection(host, int(own))
            writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nX-B: " + b"b" * 200_000 + b"\r\n\r\n")
            async with asyncio.timeout(PATIENCE):
                response = await reader.read()
            writer.close()
    assert response.startswith(b"HTTP/1.1 200 OK\r\n")
    assert response.endswith(b"\r\n\r\nb")


async def test_a_broken_contract_names_what_does_not_fit_whatever_the_status() -> None:
    script = ScriptedTransport()
    endpoint = get("/names").gives(list[str])
    script.serve(endpoint).replies(["a", 7], status=200)  # type: ignore[list-item]  # that is the case
    async with HTTPClient(exchange=script, base_url=API) as client:
        with pytest.raises(ContractBroken, match=r"\$\[1\]"):
            await run(endpoint()(client))


@pytest.mark.parametrize(("limit", "fits"), [(5, True), (4, False)])
async def test_a_script_keeps_to_the_limit_of_a_body(limit: int, fits: bool) -> None:
    config = HTTPClientConfig(max_response_bytes=limit)
    async with HTTPClient(config, exchange=priced()) as client:
        result = await client.get(f"{API}/price")
        assert is_successful(result) is fits
        if not fits:
            failure = result.failure()
            assert isinstance(failure, HTTPResponseTooLargeError)
            assert (failure.limit, failure.method, failure.attempts) == (limit, "GET", 1)


async def test_a_program_may_wait_for_nearly_ten_thousand_timers() -> None:
    clocks: list[ManualClock] = []

    def client_of(exchange: Exchange, clock: ManualClock) -> HTTPClient:
        clocks.append(clock)
        return HTTPClient(exchange=exchange, clock=clock)

    async def program(client: HTTPClient) -> None:
        for _ in range(9_990):
            await clocks[-1].sleep(1)

    report = await explore(program, priced, faults=faults.named(), client=client_of)
    assert [run.complaint for run in report.runs] == [None]
    assert clocks[-1].monotonic() == 9_990


async def test_a_program_that_is_given_up_leaves_no_error_behind() -> None:
    errors: list[object] = []

    async def program(client: HTTPClient) -> None:
        await asyncio.Event().wait()

    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    report = await explore(program, priced)
    assert report.runs[0].complaint is not None
    gc.collect()
    await asyncio.sleep(0)
    assert errors == []


class Big:
    """Something that a program holds while it runs."""


async def test_a_report_keeps_no_object_of_its_programs() -> None:
    held: list[weakref.ref[Big]] = []

    async def returns(client: HTTPClient) -> Result[object, object]:
        big = Big()
        held.append(weakref.ref(big))
        return await client.get(f"{API}/price")

    async def raises(client: HTTPClient) -> object:
        big = Big()
        held.append(weakref.ref(big))
        try:
            return (await client.get(f"{API}/price")).unwrap()
        except Exception as error:
            raise LookupError from error

    async def raises_meanwhile(client: HTTPClient) -> object:
        big = Big()
        held.append(weakref.ref(big))
        try:
            return (await client.get(f"{API}/price")).unwrap()
        except Exception:
            raise LookupError  # noqa: B904  # it has a context, but no cause

    reports = [
        await explore(program, priced, faults=faults.named("dns"))
        for program in (returns, raises, raises_meanwhile)
    ]
    gc.collect()
    assert len(held) >= 6
    assert [ref() for ref in held] == [None] * len(held)
    assert isinstance(reports[1].runs[1].error, LookupError)


async def test_schedules_are_kept_in_folders_that_are_not_there_yet(tmp_path: Path) -> None:
    async def program(client: HTTPClient) -> object:
        return (await client.get(f"{API}/price")).unwrap()

    path = tmp_path / "deep" / "deeper" / "test.txt"
    await Explorer(path)(program, priced, faults=faults.named("dns"))
    assert path.read_text(encoding="utf-8").startswith("GET /price: dns  # ")


async def test_a_front_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    async with serve(priced()) as behind, faults.play(behind) as front:
        host, _, port = front.url.removeprefix("http://").partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        await until(lambda: len(asyncio.all_tasks()) > len(before))
    assert asyncio.all_tasks() == before
    writer.close()


@pytest.mark.parametrize(("status", "lengths"), [(200, 1), (204, 0), (205, 1), (304, 0), (503, 1)])
async def test_only_a_status_with_a_body_has_a_length(status: int, lengths: int) -> None:
    """RFC 9110, section 8.6."""
    (fault, *_) = faults.statuses(status)
    schedule = Schedule({"GET /price": fault})
    async with serve(priced()) as behind, faults.play(behind, schedule) as front:
        host, _, port = front.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /price HTTP/1.1\r\nHost: h\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            response = await reader.read()
        writer.close()
    assert response.startswith(f"HTTP/1.1 {status} ".encode())
    assert response.lower().count(b"content-length: 0") == lengths


async def test_other_tasks_run_while_a_long_body_is_decoded() -> None:
    content = gzip.compress(random.Random(1).randbytes(2**21))
    turns = 0

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        fields = [(b"Content-Encoding", b"gzip")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": content})

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with HTTPClient(exchange=ASGITransport(app)) as client:
        counting = asyncio.create_task(count())
        assert len((await client.get(API)).unwrap().body) == 2**21
        counting.cancel()
    assert turns >= 2**21 // 2**16 - 1


async def test_an_exploration_without_failures_runs_the_program_alone() -> None:
    async def program(client: HTTPClient) -> object:
        return (await client.get(f"{API}/price")).unwrap()

    report = await explore(program, priced, at_once=0)
    assert [str(run.schedule) for run in report.runs] == ["no fault"]
    report.assert_handled()


async def test_of_two_stubs_of_an_endpoint_the_first_one_is_asked() -> None:
    script = ScriptedTransport()
    first = script.serve(Names.me).replies("first")
    second = script.serve(Names.me).replies("second")
    async with HTTPClient(exchange=script, base_url=API) as client:
        assert await Names(client).me() == Success("first")
    assert (first.called, second.called) == (1, 0)


async def test_secret_fields_of_a_script_are_hidden() -> None:
    script = ScriptedTransport()
    script.on("GET", "/").reply(headers={"X-Odd": "s3cret"})
    async with HTTPClient(HTTPClientConfig(secret_headers=["X-Odd"]), exchange=script) as client:
        response = (await client.get(API)).unwrap()
    assert response.headers["X-Odd"] == "s3cret"
    assert "s3cret" not in str(response.redacted().headers)


async def test_a_body_that_breaks_off_has_come_by_half() -> None:
    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("GET", "/").reply(201, text="abcdef", headers={"X-A": "1"})
        return script

    async def program(client: HTTPClient) -> tuple[int, str | None, bytes]:
        seen = b""
        async with client.stream("GET", API) as stream:
            try:
                async for chunk in stream:
                    seen += chunk
            except HTTPConnectionError:
                return stream.status, stream.headers.get("X-A"), seen
        raise AssertionError("the body did not break off")

    schedule = Schedule.parse("GET /: truncated, acted")
    assert await replay(program, world, None, schedule) == (201, "1", b"abc")


@pytest.mark.parametrize(
    ("status", "worlds"),
    [
        (200, [True]), (299, [True]), (300, [False]), (399, [False]), (400, [False]),
        (499, [False]), (500, [False, True]), (599, [False, True]),
    ],
)  # fmt: skip
def test_a_status_shows_whether_a_server_acted(status: int, worlds: list[bool]) -> None:
    assert [fault.acted for fault in faults.statuses(status)] == worlds
    for acted in worlds:
        assert Fault(str(status), acted).stage is Stage.ANSWERED


async def test_the_port_of_a_server_behind_is_80_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []
    connect = asyncio.open_connection

    async def note(host: str, port: int, **options: Any) -> object:
        if port != own:
            asked.append((host, port))
            raise ConnectionRefusedError
        return await connect(host, port, **options)

    async with faults.play("http://127.0.0.1") as front:
        own = int(front.url.rpartition(":")[2])
        monkeypatch.setattr(asyncio, "open_connection", note)
        reader, writer = await asyncio.open_connection("127.0.0.1", own)
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
    assert asked == [("127.0.0.1", 80)]


async def test_the_state_of_an_application_ends_with_its_block() -> None:
    states: list[object] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for name in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{name}.complete"})
            return
        states.append(scope.get("state"))
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    transport = ASGITransport(app)
    async with HTTPClient(exchange=transport) as client:
        async with transport:
            (await client.get(API)).unwrap()
        (await client.get(API)).unwrap()
    assert states == [{}, None]


class SendsOnly:
    async def send(self, request: object, attempt: object) -> HttpResponse:
        return HttpResponse(204)


class OpensOnly:
    async def open(self, request: object, attempt: object) -> object:
        return HttpResponse(204)


@pytest.mark.parametrize("world", [SendsOnly, OpensOnly])
async def test_a_world_sends_and_opens(world: type[object]) -> None:
    async def program(client: HTTPClient) -> None: ...

    with pytest.raises(TypeError, match=r"^world: must return an exchange"):
        await explore(program, world)  # type: ignore[type-var]
