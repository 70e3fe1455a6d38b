"""The synchronous client, on a real server in another thread: verbs, streams, threads, its ends."""

import asyncio
import gc
import inspect
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Final

import pytest
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.registry import head
from tests.servers.scripted import ScriptedServer, sends

import railhttp
from railhttp import (
    Delivery,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPError,
    HTTPStatusError,
    HTTPTimeoutError,
    RequestContext,
    RetryPolicy,
)
from railhttp.railway import outcome
from railhttp.sync import HTTPClient

CONFIG: Final = HTTPClientConfig(timeout=5.0, trust_env=False)
ONCE: Final = RetryPolicy(max_attempts=1)
EVENTS: Final = (
    head("Content-Type: text/event-stream", "Connection: close")
    + b"data: 1\n\ndata: 2\n\ndata: 3\n\n"
)


class Servers:
    """The servers of the tests, on a loop in a thread, because the tests themselves block."""

    def __init__(self) -> None:
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._live, args=(ready,))
        self._thread.start()
        ready.wait()

    def _live(self, ready: threading.Event) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        play = sends(EVENTS)
        async with (
            EchoServer() as self.echo,
            FaultServer() as self.faults,
            ScriptedServer(play) as self.events,
        ):
            ready.set()
            await self._end.wait()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()


@pytest.fixture
def servers() -> Iterator[Servers]:
    servers = Servers()
    yield servers
    servers.close()


@pytest.fixture
def client() -> Iterator[HTTPClient]:
    with HTTPClient(CONFIG) as client:
        yield client


def own_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "railhttp"]


def assert_closed(failure: object, url: str) -> None:
    assert isinstance(failure, HTTPConnectionError)
    assert (failure.kind, failure.delivery) == ("closed", Delivery.NOT_SENT)
    assert (failure.url, failure.attempts) == (url, 0)


VERBS: Final = ("get", "post", "put", "delete", "patch", "head", "options")


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_returns_a_result(servers: Servers, client: HTTPClient, verb: str) -> None:
    perform = getattr(client, verb)
    response = perform(servers.echo.url("/get", a=1)).unwrap()
    assert (response.status, response.method) == (200, verb.upper())
    failure = perform(servers.echo.url("/status/404")).failure()
    assert isinstance(failure, HTTPStatusError)


def test_a_form_is_sent_as_multipart(servers: Servers, client: HTTPClient) -> None:
    client.post_multipart(servers.faults.url(), {"a": "1"}).unwrap()
    assert servers.faults.received[0].header("content-type").startswith("multipart/form-data")


def test_its_methods_have_the_arguments_of_the_asynchronous_client() -> None:
    assert inspect.signature(HTTPClient) == inspect.signature(railhttp.HTTPClient)
    for name in (*VERBS, "request", "post_multipart", "download", "stream", "sse"):
        own, other = (getattr(kind, name) for kind in (HTTPClient, railhttp.HTTPClient))
        assert [*inspect.signature(own).parameters.items()] == [
            *inspect.signature(other).parameters.items()
        ], name


def test_a_request_returns_the_response_and_raises_the_failure(
    servers: Servers, client: HTTPClient
) -> None:
    assert client.request("GET", servers.echo.url("/status/404")).status == 404
    with pytest.raises(HTTPTimeoutError):
        client.request("GET", servers.faults.url("/stall-before-head"), timeout=0.05)
    with pytest.raises(TypeError, match="unexpected"):
        client.request("GET", servers.echo.url("/get"), color="red")  # type: ignore[call-arg]


def test_a_client_needs_no_block(servers: Servers) -> None:
    client = HTTPClient(CONFIG, base_url=servers.echo.url(""))
    assert repr(client) == "<sync.HTTPClient not started>"
    assert client.get("json").unwrap().ok
    assert repr(client) == "<sync.HTTPClient started>"
    client.close()
    assert repr(client) == "<sync.HTTPClient closed>"
    assert own_threads() == []


def test_a_closed_client_says_so(servers: Servers, client: HTTPClient, tmp_path: Path) -> None:
    url = servers.echo.url("/get")
    client.close()
    client.close()
    assert_closed(client.get(url).failure(), url)
    assert_closed(client.post_multipart(url, {"a": "1"}).failure(), url)
    assert_closed(client.download(url, tmp_path / "file").failure(), url)
    for use in (
        lambda: client.request("GET", url),
        lambda: client.stream("GET", url).__enter__(),
        lambda: client.sse(url).__enter__(),
    ):
        with pytest.raises(HTTPConnectionError) as caught:
            use()
        assert_closed(caught.value, url)


@pytest.mark.parametrize("verb", VERBS)
def test_a_closed_client_names_the_method(client: HTTPClient, verb: str) -> None:
    client.close()
    assert getattr(client, verb)("http://h.example/").failure().method == verb.upper()


def test_a_client_that_is_started_has_its_thread_before_the_first_call() -> None:
    client = HTTPClient(CONFIG)
    assert own_threads() == []
    client.start()
    assert len(own_threads()) == 1
    client.close()


def test_a_closed_client_can_be_started_again(servers: Servers, client: HTTPClient) -> None:
    for _ in range(3):
        client.stop()
        assert client.get(servers.echo.url("/get")).failure().label == "closed"
        with client:
            assert client.get(servers.echo.url("/get")).unwrap().ok
    assert own_threads() == []


async def test_it_works_while_a_loop_is_running(echo: EchoServer) -> None:
    def call(client: HTTPClient) -> int:
        return client.get(echo.url("/get")).unwrap().status

    with HTTPClient(CONFIG) as client:  # the server runs on this loop, so another thread waits
        assert await asyncio.to_thread(call, client) == 200
        # here the caller is the running loop itself, as in a cell of a notebook
        assert client.get("http://127.0.0.1:1/", timeout=1).failure().label == "connect"


# Streams


def test_a_stream_is_an_iterator_of_chunks(servers: Servers, client: HTTPClient) -> None:
    with client.stream("GET", servers.echo.url("/json", key="s3cret")) as response:
        shown = servers.echo.url("/json") + "?key=***"
        assert repr(response) == f"<sync.StreamContext 200 GET {shown}>"
        assert response.status == 200
        assert response.headers["content-type"].startswith("application/json")
        response.raise_for_status()
        body = b"".join(response)
    assert response.head.url == servers.echo.url("/json", key="s3cret")
    assert body == client.get(servers.echo.url("/json")).unwrap().body


def test_a_stream_has_lines_and_documents(servers: Servers, client: HTTPClient) -> None:
    url = servers.echo.url("/json")
    with client.stream("GET", url) as response:
        assert len([*response.iter_lines()]) == 1
    with client.stream("GET", url) as response:
        (document,) = response.iter_json()
    assert document == client.get(url).unwrap().json()


def test_a_stream_of_an_error_has_its_status(servers: Servers, client: HTTPClient) -> None:
    url = servers.echo.url("/status/404")
    with client.stream("GET", url) as response, pytest.raises(HTTPStatusError):
        response.raise_for_status()


def test_what_the_block_raises_passes_and_closes_the_connection(
    servers: Servers, client: HTTPClient
) -> None:
    url = servers.echo.url("/json")
    with pytest.raises(KeyError, match="mine"), client.stream("GET", url):
        raise KeyError("mine")
    assert client.get(servers.echo.url("/get")).unwrap().ok


@pytest.mark.parametrize("raises", [False, True])
def test_a_stream_that_is_left_early_gives_its_connection_back(
    servers: Servers, client: HTTPClient, raises: bool
) -> None:
    with suppress(KeyError), client.stream("GET", servers.faults.url("/stall-in-body")) as response:
        held = client.pool.gauges
        if raises:
            raise KeyError
    assert (response.status, held.open - held.idle) == (200, 1)
    left = client.pool.gauges
    assert left.open == left.idle


def test_a_body_that_breaks_off_is_raised(servers: Servers, client: HTTPClient) -> None:
    url = servers.faults.url("/short-body")
    with client.stream("GET", url) as response, pytest.raises(HTTPConnectionError) as caught:
        b"".join(response)
    assert caught.value.kind == "truncated"


def test_events_are_iterated(servers: Servers, client: HTTPClient) -> None:
    with client.sse(servers.events.url()) as events:
        first = next(events)
        rest = [*events]
    assert [event.data for event in (first, *rest)] == ["1", "2", "3"]


def test_a_download_is_a_result(servers: Servers, client: HTTPClient, tmp_path: Path) -> None:
    seen: list[int] = []
    url = servers.echo.url("/json")
    done = client.download(
        url, tmp_path / "file", progress=lambda size, total: seen.append(size)
    ).unwrap()
    assert (tmp_path / "file").read_bytes() == client.get(url).unwrap().body
    assert seen[-1] == done.size


def test_a_stream_ends_with_its_client(servers: Servers, client: HTTPClient) -> None:
    with client.stream("GET", servers.echo.url("/json")) as response:
        client.close()
        with pytest.raises(HTTPConnectionError) as caught:
            b"".join(response)
        with pytest.raises(HTTPConnectionError) as read:
            response.read()
    for error in (caught.value, read.value):
        assert (error.kind, error.method) == ("closed", "GET")
        assert error.url == servers.echo.url("/json")


def test_every_line_has_a_limit(servers: Servers, client: HTTPClient) -> None:
    for method in ("iter_lines", "iter_json"):
        with (
            client.stream("GET", servers.echo.url("/ndjson/3")) as response,
            pytest.raises(HTTPError),
        ):
            list(getattr(response, method)(max_line_bytes=1))
    with client.stream("GET", servers.echo.url("/ndjson/3")) as response:
        *_, last = response.decoded(dict[str, int], max_line_bytes=1)
        assert isinstance(last.failure(), HTTPError)


def test_every_option_of_a_download_and_of_events_is_handed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: dict[str, dict[str, object]] = {}

    def note(name: str) -> Callable[..., object]:
        def call(_: object, *arguments: object, **options: object) -> object:
            given[name] = {"arguments": arguments, **options}
            raise LookupError

        return call

    for name in ("download", "sse", "stream", "post_multipart"):
        monkeypatch.setattr(railhttp.HTTPClient, name, note(name))

    def progress(done: int, total: int | None) -> None: ...

    headers = {"A": "1"}
    with HTTPClient(CONFIG) as own:
        for use in (
            lambda: own.download(
                "/a",
                "f",
                checksum="sha256:0",
                progress=progress,
                resume=False,
                max_download_bytes=7,
                headers=headers,
            ),
            lambda: own.sse(
                "/b",
                method="POST",
                reconnect=True,
                last_event_id="7",
                max_event_bytes=8,
                headers=headers,
            ).__enter__(),
            lambda: own.stream("PUT", "/c", headers=headers).__enter__(),
            lambda: own.post_multipart("/d", {"x": "1"}, headers=headers),
        ):
            with pytest.raises(LookupError):
                use()
    assert given == {
        "download": {
            "arguments": ("/a", "f"), "checksum": "sha256:0", "progress": progress,
            "resume": False, "max_download_bytes": 7, "headers": headers,
        },
        "sse": {
            "arguments": ("/b",), "method": "POST", "reconnect": True, "last_event_id": "7",
            "max_event_bytes": 8, "headers": headers,
        },
        "stream": {"arguments": ("PUT", "/c"), "headers": headers},
        "post_multipart": {"arguments": ("/d", {"x": "1"}), "headers": headers},
    }  # fmt: skip


# Threads


def test_many_threads_may_share_a_client(servers: Servers) -> None:
    with HTTPClient(CONFIG) as client, ThreadPoolExecutor(16) as threads:
        urls = [servers.echo.url("/get", number=number) for number in range(64)]
        responses = [*threads.map(client.get, urls)]
    assert [result.unwrap().url for result in responses] == urls
    assert own_threads() == []


def test_many_threads_start_a_client_once(servers: Servers) -> None:
    client = HTTPClient(CONFIG)
    with ThreadPoolExecutor(16) as threads:
        results = [*threads.map(client.get, [servers.echo.url("/get")] * 32)]
        assert len(own_threads()) == 1
    assert all(result.unwrap().ok for result in results)
    client.close()


def test_closing_ends_the_calls_of_other_threads(servers: Servers) -> None:
    client = HTTPClient(CONFIG, None, ONCE)
    with ThreadPoolExecutor(4) as threads:
        calls = [
            threads.submit(client.get, servers.faults.url("/stall-before-head")) for _ in range(4)
        ]
        while len(servers.faults.received) < 4:
            pass
        client.close()
        for call in calls:
            failure = call.result(timeout=60).failure()
            assert isinstance(failure, HTTPConnectionError)
            assert failure.kind == "closed"


def test_a_context_variable_of_the_caller_reaches_interceptors(servers: Servers) -> None:
    request_id: ContextVar[str] = ContextVar("request_id")

    class Label:
        async def intercept_request(self, request: RequestContext) -> RequestContext:
            seen.append(request_id.get())
            return request

        async def intercept_response(
            self, response: railhttp.HttpResponse
        ) -> railhttp.HttpResponse:
            return response

    seen: list[str] = []
    request_id.set("7")
    with HTTPClient(CONFIG, interceptors=[Label()]) as client:
        assert client.get(servers.echo.url("/get")).unwrap().ok
    assert seen == ["7"]


def test_a_call_from_the_own_loop_is_refused_and_does_not_hang(servers: Servers) -> None:
    errors: list[Exception] = []

    with HTTPClient(CONFIG) as own:

        def call_again(sent: int, total: int | None) -> None:
            try:
                own.get(servers.echo.url("/get"))
            except RuntimeError as error:
                errors.append(error)

        done = own.post(servers.echo.url("/get"), data=b"1", upload_progress=call_again)
    assert done.unwrap().ok
    assert all("its own interceptors" in str(error) for error in errors)
    assert errors


# The end


def test_a_client_that_is_forgotten_ends(servers: Servers) -> None:
    client = HTTPClient(CONFIG)
    assert client.get(servers.echo.url("/get")).unwrap().ok
    (thread,) = own_threads()
    del client
    gc.collect()
    thread.join(60)
    assert not thread.is_alive()


def program(body: str, *arguments: str) -> "subprocess.Popen[str]":
    text = f"import sys, os, threading\nfrom railhttp.sync import HTTPClient\n{body}"
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", text, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "body",
    [
        "client = HTTPClient()\nprint(client.get(sys.argv[1]).unwrap().status)",
        "print(HTTPClient().get(sys.argv[1]).unwrap().status)",
        "client = HTTPClient(); client.start(); client.start()\nprint(200)",
        # a call under way in a daemon thread
        "client = HTTPClient(); client.start()\n"
        "threading.Thread(target=client.get, args=(sys.argv[2],), daemon=True).start()\n"
        "print(client.get(sys.argv[1]).unwrap().status)",
    ],
)
def test_nothing_is_left_when_the_program_ends(servers: Servers, body: str) -> None:
    with program(
        body, servers.echo.url("/get"), servers.faults.url("/stall-before-head")
    ) as running:
        out, err = running.communicate(timeout=120)
    assert (out, err, running.returncode) == ("200\n", "", 0)


def test_ctrl_c_cancels_the_call(servers: Servers) -> None:
    body = (
        "client = HTTPClient()\n"
        "try:\n"
        "    client.get(sys.argv[1], timeout=60)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', client.get(sys.argv[2]).unwrap().status)\n"
    )
    with program(
        body, servers.faults.url("/stall-before-head"), servers.echo.url("/get")
    ) as running:
        while not servers.faults.received:
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=120)
    assert (out, err, running.returncode) == ("interrupted 200\n", "", 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_client_in_a_forked_process_fails_instead_of_waiting_for_ever(servers: Servers) -> None:
    body = (
        "client = HTTPClient()\n"
        "client.get(sys.argv[1]).unwrap()\n"
        "if child := os.fork():\n"
        "    _, status = os.waitpid(child, 0)\n"
        "    print(os.waitstatus_to_exitcode(status))\n"
        "else:\n"
        "    os._exit(3 if client.get(sys.argv[1]).failure().kind == 'closed' else 4)\n"
    )
    with program(body, servers.echo.url("/get")) as running:
        out, _ = running.communicate(timeout=120)
    assert out == "3\n"


def test_outcome_and_match_work_as_with_the_asynchronous_client(
    servers: Servers, client: HTTPClient
) -> None:
    match outcome(client.get(servers.echo.url("/status/404"))):
        case HTTPStatusError(404):
            pass
        case other:
            pytest.fail(f"{other}")


def test_a_derived_client_shares_the_thread_and_the_life(servers: Servers) -> None:
    with HTTPClient(CONFIG) as client:
        derived = client.with_options(headers={"X-Derived": "1"}, timeout=3)
        assert derived.config.timeout == 3
        assert derived.pool is client.pool
        assert "X-Derived" in derived.get(servers.echo.url()).unwrap().text
    assert isinstance(failure := derived.get(servers.echo.url()).failure(), HTTPConnectionError)
    assert failure.kind == "closed"


def test_a_stream_is_read_whole_or_document_by_document(
    client: HTTPClient, servers: Servers
) -> None:
    with client.stream("POST", servers.echo.url(), json={"a": 1}) as response:
        body = response.read()
        assert response.head.body == body
        assert isinstance(response.json(), dict)
    with client.stream("GET", servers.echo.url()) as response:
        [document] = response.decoded(dict[str, object])
        assert document.unwrap()["method"] == "GET"
