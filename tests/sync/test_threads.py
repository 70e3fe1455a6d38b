"""What a thread of a client does when it is interrupted, and what its failures show."""

import asyncio
import gc
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from operator import methodcaller
from pathlib import Path
from typing import cast

import pytest
from tests.client.test_tracebacks import CONFIG, SECRET, revealed_by

from railhttp import HTTPClient as AsyncClient
from railhttp import HTTPConnectionError
from railhttp.sync import HTTPClient
from railhttp.sync.loop_thread import LoopThread, ThreadClosedError, ThreadLife

URL = f"http://ann:{SECRET}@h.example/?token={SECRET}"


def stream(client: HTTPClient) -> object:
    return client.stream("PUT", URL, headers={"X-Api-Key": SECRET}).__enter__()


def events(client: HTTPClient) -> object:
    return client.sse(URL, method="POST", headers={"X-Api-Key": SECRET}).__enter__()


def request(client: HTTPClient) -> object:
    return client.request("PUT", URL, headers={"X-Api-Key": SECRET})


CALLS = [
    *(
        (verb.upper(), methodcaller(verb, URL, cookies={"a": SECRET}))
        for verb in ("get", "post", "put", "delete", "patch", "head", "options")
    ),
    ("POST", lambda client: client.post_multipart(URL, {"a": SECRET}, cookies={"a": SECRET})),
    ("GET", lambda client: client.download(URL, Path("f"), cookies={"a": SECRET})),
    ("PUT", stream),
    ("POST", events),
    ("PUT", request),
]


@pytest.mark.parametrize(("method", "call"), CALLS)
def test_a_failure_of_a_closed_client_names_its_request_and_shows_no_secret(
    method: str, call: Callable[[HTTPClient], object]
) -> None:
    client = HTTPClient(CONFIG)
    client.close()
    try:
        failure = call(client).failure()  # type: ignore[attr-defined]  # a Result
    except HTTPConnectionError as error:
        failure = error
    assert isinstance(failure, HTTPConnectionError)
    assert (failure.kind, failure.method) == ("closed", method)
    assert failure.url == "http://h.example/?token=***"
    assert revealed_by(failure) == set()


@pytest.mark.parametrize("call", [call for _, call in CALLS])
def test_an_interruption_shows_no_secret_either(
    call: Callable[[HTTPClient], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object, call: Coroutine[object, object, object], *__: object) -> object:
        call.close()
        raise KeyboardInterrupt

    client = HTTPClient(CONFIG)
    monkeypatch.setattr(ThreadLife, "run", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        call(client)
    assert revealed_by(caught.value) == set()


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    found = LoopThread(AsyncClient(CONFIG))
    yield found
    found.close()


def test_a_call_that_is_interrupted_is_cancelled(thread: LoopThread) -> None:
    cancelled = threading.Event()

    async def interrupting() -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(KeyboardInterrupt):
        thread.run(interrupting())
    assert cancelled.wait(60)


def test_a_call_that_cancels_itself_is_cancelled_and_not_closed(thread: LoopThread) -> None:
    async def cancelling() -> None:
        raise asyncio.CancelledError

    with pytest.raises(BaseException) as caught:  # noqa: PT011  # the class is the assertion
        thread.run(cancelling())
    assert type(caught.value).__name__ == "CancelledError"


def test_a_thread_that_has_ended_runs_nothing(thread: LoopThread) -> None:
    thread.close()
    ran: list[str] = []

    async def work() -> None:
        ran.append("ran")

    with pytest.raises(ThreadClosedError):
        thread.run(work())
    assert ran == []


class Client:
    """A client that fails when it starts, or when it stops."""

    def __init__(self, at: str) -> None:
        self._at = at

    async def __aenter__(self) -> None:
        if self._at == "start":
            raise LookupError("start")

    async def __aexit__(self, *_: object) -> None:
        raise (RuntimeError if self._at == "program end" else LookupError)("stop")


def test_a_client_that_does_not_start_is_an_error_at_once() -> None:
    with pytest.raises(LookupError, match="start"):
        LoopThread(cast("AsyncClient", Client("start")))


@pytest.mark.parametrize(("at", "told"), [("stop", [LookupError]), ("program end", [])])
def test_an_error_of_a_stop_is_told_unless_the_program_ends(
    at: str, told: list[type[Exception]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: seen.append(args.exc_type))
    LoopThread(cast("AsyncClient", Client(at))).close()
    assert seen == told


def test_a_thread_is_a_daemon_with_a_name(thread: LoopThread) -> None:
    assert thread.run(asyncio.sleep(0, "ran")) == "ran"
    [own] = [one for one in threading.enumerate() if one.name == "railhttp"]
    assert own.daemon


def test_a_wait_for_the_end_has_a_limit(thread: LoopThread) -> None:
    entered, leave = threading.Event(), threading.Event()

    async def block() -> None:
        entered.set()
        leave.wait(60)

    running = threading.Thread(target=lambda: thread.run(block()))
    running.start()
    entered.wait(60)
    thread.close(0.01)  # returns although the loop is busy
    assert running.is_alive()
    leave.set()
    running.join(60)
    thread.close()
    assert not [one for one in threading.enumerate() if one.name == "railhttp"]


def test_the_end_of_a_program_waits_5_s_at_most_for_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A program ends like a client that nobody holds: neither may wait for a silent server."""
    waits: list[float | None] = []
    close = LoopThread.close

    def noted(thread: LoopThread, seconds: float | None = None) -> None:
        waits.append(seconds)
        close(thread, seconds)

    monkeypatch.setattr(LoopThread, "close", noted)
    life = ThreadLife(AsyncClient())
    life.start()
    del life
    gc.collect()
    assert waits == [5.0]
