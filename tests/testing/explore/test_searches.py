"""A search tries each combination, and keeps no more of its runs than a report shows."""

import asyncio
import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Annotated, Any

import pytest
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from rich.console import Console
from rich.progress import Progress
from typing_extensions import TypeAliasType

from railhttp import (
    HTTPClient,
    HTTPConnectionError,
    HTTPFailure,
    HttpResponse,
    HTTPStatusError,
    RetryPolicy,
)
from railhttp.protocols import Exchange
from railhttp.testing import (
    ASGITransport,
    ManualClock,
    ScriptedTransport,
    SentRequest,
    serve,
)
from railhttp.testing.asgi_app import Message, Receive, Send
from railhttp.testing.explore import Report, Schedule, drive, explore, faults, kept, replay, search
from railhttp.testing.explore.declared import declared_failures
from railhttp.testing.explore.drive import _is_foreign
from railhttp.testing.explore.progress import NoProgress
from railhttp.testing.explore.rich_progress import RichProgress

API = "http://h"


async def test_a_front_passes_on_chunks_of_any_size() -> None:
    script = ScriptedTransport()
    script.on("POST", "/").does(lambda sent: HttpResponse(200, body=sent.body))
    pieces = [b"a" * size for size in (1, 15, 16, 17, 300, 70_000)]
    async with (
        serve(script) as behind,
        faults.play(behind) as front,
        HTTPClient() as client,
    ):
        response = await client.request("POST", front.url, data=iter(pieces))
    assert response.body == b"".join(pieces)


def three_paths() -> ScriptedTransport:
    script = ScriptedTransport()
    script.on("GET", "/*").reply(json=7)
    return script


async def three(client: HTTPClient) -> None:
    for name in "abc":
        await client.get(f"{API}/{name}")


async def test_a_search_tries_each_combination_once_those_with_fewer_failures_first() -> None:
    report = await explore(three, three_paths, at_once=3, faults=faults.named("dns"))
    found = ["".join(call[-1] for call in run.schedule) for run in report.runs]
    assert found == ["", "a", "b", "c", "ab", "ac", "bc", "abc"]
    assert report.at_once == 3


async def test_a_report_has_no_details_of_its_runs() -> None:
    async def program(client: HTTPClient) -> object:
        return await client.post(f"{API}/a")

    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("POST", "/*").reply(201)
        return script

    report = await explore(program, world, faults=faults.named("dns"))
    assert len(report.runs) == 2
    for each in report.runs:
        assert (each.injected, each.log, each.effects, each.state) == ((), (), {}, None)


class Branches(ScriptedTransport):
    """After a failure of `/a` the program goes one way or the other, and ends the same."""

    def __init__(self) -> None:
        super().__init__()
        self.on("GET", "/*").reply(json=7)

    def snapshot(self) -> object:
        return "always the same"


async def test_runs_that_go_different_ways_are_not_equivalent() -> None:
    async def program(client: HTTPClient) -> str:
        first = await client.get(f"{API}/a")
        if not is_successful(first):
            failure = first.failure()
            refused = isinstance(failure, HTTPStatusError) and failure.status == 404
            await client.get(f"{API}/{'x' if refused else 'y'}")
        await client.get(f"{API}/z")
        return "done"

    some = faults.named("404", "422", "403")
    report = await explore(program, Branches, at_once=2, faults=some)
    assert report.merged == 1 + 2  # at /a 403 is like 422, but 404 is not; at /z all are alike
    tried = {tuple(run.schedule) for run in report.runs}
    assert ("GET /a", "GET /x") in tried
    assert ("GET /a", "GET /y") in tried


async def test_a_stream_that_broke_off_is_not_sent_again_unnoticed() -> None:
    async def program(client: HTTPClient) -> bytes:
        for _ in range(2):
            try:
                async with client.stream("POST", f"{API}/a", data=b"7") as stream:
                    return b"".join([chunk async for chunk in stream])
            except HTTPConnectionError:
                continue
        return b""

    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("POST", "/a").reply(text="abcdef")
        return script

    report = await explore(program, world, faults=faults.named("truncated, acted", "dns"))
    assert {str(run.schedule): run.complaint for run in report.runs} == {
        "no fault": None,
        "POST /a: dns": None,
        "POST /a: truncated, acted": "POST /a #2 was sent again after its response was lost,"
        " without an idempotency key",
    }


async def test_a_program_that_cancels_itself_has_raised() -> None:
    async def program(client: HTTPClient) -> None:
        raise asyncio.CancelledError

    report = await explore(program, three_paths)
    assert [run.complaint for run in report.runs] == ["it raised CancelledError"]
    assert isinstance(report.runs[0].error, asyncio.CancelledError)


async def test_a_program_without_calls_has_a_report() -> None:
    async def program(client: HTTPClient) -> None: ...

    report = await explore(program, three_paths, faults=faults.named("dns"))
    assert report.calls == ()
    assert "call  failures  handled  unhandled" in str(report)
    assert "call" in report.html()


async def test_an_application_is_told_when_a_program_closes_its_response() -> None:
    told: list[bool] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"a", "more_body": True})
        except ConnectionResetError:
            told.append(True)

    async def program(client: HTTPClient) -> bytes:
        async with client.stream("GET", API) as stream:
            first = await anext(aiter(stream))
        for _ in range(50):
            await asyncio.sleep(0)
        assert told
        return first

    assert await replay(program, lambda: ASGITransport(app), None, Schedule()) == b"a"


async def test_a_refused_stream_of_events_has_its_body() -> None:
    async def program(client: HTTPClient) -> Result[str, HTTPFailure]:
        try:
            async with client.sse(f"{API}/a") as stream:
                return Success("".join([event.data async for event in stream]))
        except HTTPStatusError as failure:
            return Success(failure.response.text)

    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("GET", "/a").reply(404, text="not here")
        return script

    assert await replay(program, world, None, Schedule()) == Success("not here")


async def test_a_failure_of_a_retried_call_is_at_its_last_attempt() -> None:
    def body(_: SentRequest) -> HttpResponse:
        return HttpResponse(201)

    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("GET", "/a").does(body)
        return script

    async def program(client: HTTPClient) -> int:
        result = await client.get(f"{API}/a")
        return result.unwrap().attempts if is_successful(result) else -result.failure().attempts

    assert await replay(program, world, None, Schedule.parse("GET /a: 503, once")) == 2
    assert await replay(program, world, None, Schedule.parse("GET /a: connect")) == -3
    once = RetryPolicy(1)
    outcome = await replay(
        program,
        world,
        None,
        Schedule.parse("GET /a: connect"),
        client=lambda exchange, clock: HTTPClient(
            exchange=exchange, clock=clock, retry_policy=once
        ),
    )
    assert outcome == -1


def test_progress_begins_with_what_has_been_run() -> None:
    bars = Progress(console=Console(file=io.StringIO()), disable=True)
    shown = RichProgress(bars)
    shown.begin(1, 10)
    shown.advance(4)
    assert [(task.total, task.completed) for task in bars.tasks] == [(10, 4)]


async def test_an_explorer_passes_everything_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, object] = {}
    report: Report[None] = Report((), 1, 0.0, faults.named())

    async def note(program: object, world: object, judge: object, **options: object) -> object:
        given.update(options, program=program, world=world, judge=judge)
        return report

    def judge(outcome: object, world: object) -> None: ...

    def client(exchange: Exchange, clock: ManualClock) -> HTTPClient:
        return HTTPClient(exchange=exchange, clock=clock)

    monkeypatch.setattr(kept, "explore", note)
    some = faults.named("dns")
    path = tmp_path / "kept.txt"
    path.write_text("GET /a: dns  # bad\n")
    found = await kept.Explorer(path)(
        three, three_paths, judge, at_once=3, faults=some, client=client, patience=7.0
    )
    assert found is report
    assert given == {
        "program": three,
        "world": three_paths,
        "judge": judge,
        "at_once": 3,
        "faults": some,
        "client": client,
        "first": [Schedule.parse("GET /a: dns")],
        "patience": 7.0,
    }


async def test_a_body_that_can_be_read_once_is_read_by_the_server_that_acts() -> None:
    async def program(client: HTTPClient) -> str:
        result = await client.post(f"{API}/a", data=iter([b"a", b"b"]))
        return "done" if is_successful(result) else result.failure().label

    worlds: list[ScriptedTransport] = []

    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("POST", "/a").reply(201)
        worlds.append(script)
        return script

    acted = await replay(program, world, None, Schedule.parse("POST /a: disconnected, acted"))
    assert acted == "disconnected"
    assert [call.body for call in worlds[-1].calls] == [b"ab"]
    lost = await replay(program, world, None, Schedule.parse("POST /a: disconnected"))
    assert (lost, worlds[-1].calls) == ("disconnected", ())


async def test_a_silence_takes_no_time_either() -> None:
    async def program(client: HTTPClient) -> tuple[str, float]:
        result = await client.post(f"{API}/a", read_timeout=3000, timeout=4000)
        if is_successful(result):
            return "done", 0.0
        return result.failure().label, result.failure().elapsed

    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("POST", "/a").reply(201)
        return script

    schedule = Schedule.parse("POST /a: timeout total")
    assert await replay(program, world, None, schedule, patience=1.0) == ("read", 3000)


REPLAY = """
import asyncio, sys
from railhttp.testing import ScriptedTransport
from railhttp.testing.explore import Schedule, replay

async def program(client): ...

try:
    asyncio.run(replay(program, ScriptedTransport, None, Schedule.parse("GET /a: dns")))
except AssertionError as error:
    assert "not reached: GET /a; the calls were: none" in str(error)
    assert "hypothesis" not in sys.modules
    sys.exit(7)
"""


async def test_what_a_thread_raises_is_raised_by_the_program() -> None:
    def work() -> None:
        raise LookupError("in a thread")

    async def program(client: HTTPClient) -> None:
        await asyncio.to_thread(work)

    report = await explore(program, three_paths, patience=60.0)
    assert [run.complaint for run in report.runs] == ["it raised LookupError: in a thread"]


def test_neither_the_thread_of_an_exploration_nor_the_main_one_is_foreign() -> None:
    found: list[bool] = []

    def look() -> None:
        found.extend(map(_is_foreign, (threading.current_thread(), threading.main_thread())))

    thread = threading.Thread(target=look, name="of an exploration")
    thread.start()
    thread.join()
    assert found == [False, False]
    assert _is_foreign(thread)


async def test_a_report_knows_its_time_and_keeps_no_frames() -> None:
    async def program(client: HTTPClient) -> Result[object, HTTPFailure]:
        return await client.get(f"{API}/a")

    report = await explore(program, three_paths, faults=faults.named("dns"))
    assert 0 < report.seconds < 60
    outcome = report.runs[1].outcome
    assert outcome is not None
    failure: BaseException | None = outcome.failure()
    while failure is not None:
        assert failure.__traceback__ is None
        failure = failure.__cause__ or failure.__context__


async def test_a_program_may_send_a_thousand_requests() -> None:
    async def program(client: HTTPClient) -> int:
        statuses = [(await client.request("GET", f"{API}/a")).status for _ in range(1000)]
        return len(statuses)

    report = await explore(program, three_paths, faults=faults.named())
    assert [(run.complaint, run.outcome) for run in report.runs] == [(None, 1000)]


async def test_a_program_that_nothing_may_wake_is_given_up_after_a_tenth_of_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float] = []
    wait = asyncio.wait

    async def counted(tasks: set[asyncio.Future[object]], timeout: float) -> object:
        waited.append(timeout)
        return await wait(tasks, timeout=timeout)

    monkeypatch.setattr(asyncio, "wait", counted)
    monkeypatch.setattr(drive, "_is_foreign", lambda _: False)  # pytest has threads

    async def program(client: HTTPClient) -> None:
        await asyncio.Event().wait()

    report = await explore(program, three_paths, patience=60.0)
    assert report.runs[0].complaint == "no progress: it waits for something that never comes"
    shorter = [seconds for seconds in waited if seconds < 1]
    assert sum(shorter) == pytest.approx(2 * 0.1, abs=0.01)  # a program is run twice


async def test_a_task_that_refuses_its_end_holds_nobody() -> None:
    go_on = asyncio.Event()

    async def stubborn() -> None:
        while not go_on.is_set():
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                continue

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await drive.cancelled(task)
    assert not task.done()
    go_on.set()
    await task


async def test_a_server_behind_is_not_asked_whether_to_go_on() -> None:
    heads: list[bytes] = []

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as behind:
        port = behind.sockets[0].getsockname()[1]
        async with faults.play(f"http://127.0.0.1:{port}") as front:
            own = int(front.url.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", own)
            writer.write(b"POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n")
            async with asyncio.timeout(60):
                assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
                writer.write(b"a")
                assert (await reader.read()).startswith(b"\r\nHTTP/1.1 204 ")
            writer.close()
    (head,) = heads
    assert b"expect" not in head.lower()
    assert b"Content-Length: 1\r\n" in head


def test_a_type_statement_may_stand_for_an_annotated_type() -> None:
    alias = TypeAliasType("alias", Annotated[KeyError, "doc"])

    async def program(_: object) -> Result[str, Any]: ...  # type: ignore[empty-body]

    program.__annotations__["return"] = Result[str, alias]
    assert declared_failures(program) == (KeyError,)


async def test_a_declared_class_is_reached_by_each_class_below_it() -> None:
    async def program(client: HTTPClient) -> Result[str, LookupError | OSError]:
        return Failure(KeyError())

    report = await explore(program, three_paths, faults=faults.named())
    declared = [gap for gap in report.not_reached if "declared" in gap]
    assert declared == ["OSError: declared, but no run ended with it"]


class Rows(HTMLParser):
    """Collects the text that stands in a table, but in no cell of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.between = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"table", "thead", "tbody", "tr", "ul", "main", "head"}:
            self.between += data


async def test_a_page_has_no_text_between_its_cells() -> None:
    report = await explore(three, three_paths, faults=faults.named("dns", "tls", "404"))
    page = report.html()
    assert Rows(page).between.strip() == ""
    assert page.endswith("</html>\n")


class Noted(NoProgress):
    """Keeps what is shown."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, int]] = []
        self.done: list[int] = []

    def begin(self, depth: int, total: int) -> None:
        self.begun.append((depth, total))

    def advance(self, done: int) -> None:
        self.done.append(done)


async def test_progress_knows_how_many_schedules_there_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noted = Noted()
    wanted: list[bool | None] = []

    @contextmanager
    def shown(progress: bool | None) -> Iterator[Noted]:
        wanted.append(progress)
        yield noted

    monkeypatch.setattr(search, "shown_progress", shown)
    some = faults.named("dns", "tls")
    report = await explore(three, three_paths, at_once=2, faults=some, progress=True)
    assert wanted == [True]
    # Of each of three calls two faults; then of each pair of calls four of them.
    assert noted.begun == [(1, 3 * 2), (2, 2 * (2 + 1) * 2)]
    assert len(report.runs) == 1 + 6 + 12
    assert noted.done == [*range(1, len(report.runs))]


async def test_only_an_equal_request_is_the_same_request_again() -> None:
    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("POST", "/*").reply(201)
        script.on("PATCH", "/*").reply(201)
        return script

    async def others(client: HTTPClient) -> None:
        await client.post(f"{API}/a", data=b"1")
        await client.post(f"{API}/b", data=b"1")
        await client.post(f"{API}/a", data=b"2")
        await client.patch(f"{API}/a", data=b"1")
        await client.post(f"{API}/a?b=c", data=b"1")

    async def same(client: HTTPClient) -> None:
        if not is_successful(await client.post(f"{API}/a", data=b"1")):
            await client.post(f"{API}/a", data=b"1")

    some = faults.named("disconnected, acted")
    report = await explore(others, world, faults=some)
    assert [run.complaint for run in report.runs] == [None] * 6
    report = await explore(same, world, faults=some)
    (bad,) = report.minimal
    assert str(bad.schedule) == "POST /a: disconnected, acted"


async def test_kept_schedules_are_lines_that_can_be_read_again(tmp_path: Path) -> None:
    async def program(client: HTTPClient) -> object:
        return (await client.get(f"{API}/a")).unwrap()

    some = faults.named("dns", "tls", "connect")
    path = tmp_path / "kept.txt"
    await kept.Explorer(path)(program, three_paths, faults=some)
    lines = path.read_text(encoding="utf-8").splitlines()
    read = [Schedule.parse(line.partition("  # ")[0]) for line in lines]
    assert [str(schedule) for schedule in read] == [f"GET /a: {fault}" for fault in some]


def test_a_replay_needs_no_hypothesis() -> None:
    done = subprocess.run([sys.executable, "-c", REPLAY], check=False, capture_output=True)
    assert done.returncode == 7, done.stderr.decode()
