"""Many calls against the chaos server, each checked against what the server saw."""

import asyncio
import gc
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from returns.result import Failure, Result, Success
from tests.soak.chaos import EVENTS, ChaosServer, Ledger
from tests.soak.plans import STATUSES, WHOLE, Plan, body_of, plan, upload_of

from railhttp import (
    CircuitBreaker,
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPClientError,
    HttpResponse,
    HTTPTimeoutError,
    RetryPolicy,
)
from railhttp.headers import freeze_headers
from railhttp.model.config import ConnectionPoolConfig
from railhttp.model.errors import FAILURES
from railhttp.resilience import AttemptTimeout, Bulkhead, ResiliencePipeline

TIMEOUT: Final = 2.0
ATTEMPT: Final = 0.25
SLACK: Final = 30.0
"""Seconds that a busy machine may add to the time limit."""

PLACES: Final = 32
CONCURRENCY: Final = 64
LONGEST: Final = 0.5
"""The most CPU time, in seconds, of one callback."""

GROWTH: Final = 3 * PLACES
"""How many more objects of a class there may be after many calls than after few."""

CACHED: Final = 3 * 1024
"""The size of the caches by URL in three clients."""

_CACHED_CLASSES: Final = (".Prepared", ".Request", ".Target", ".Address")

ONCE: Final = frozenset({"post", "put"})
"""The calls that are never repeated: without a key, or with a body that can be read once."""


@dataclass(slots=True)
class Report:
    """The findings of a soak.

    Attributes:
        defects: Each broken promise, with the number of its call.
        outcomes: How often each outcome occurred.
        longest: The CPU time of the longest callback, in seconds; 0 if it was not measured.
    """

    defects: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0

    def add(self, call: Plan, text: str) -> None:
        self.defects.append(f"call {call.number} ({call.kind}: {', '.join(call.faults)}): {text}")


class Soak:
    """One run.

    Args:
        count: The number of calls.
        seed: Determines every call.
    """

    def __init__(self, count: int, seed: int) -> None:
        self._count = count
        self._seed = seed
        self.report = Report()

    async def run(self) -> Report:
        """Make all calls, and check what is left."""
        before = _descriptors()
        with ChaosServer(self._count + 1, PLACES) as server:
            with tempfile.TemporaryDirectory() as folder:
                await self._calls(server, Path(folder))
                left = os.listdir(folder)
            self._check_ledger(server.ledger)
        if left:
            self.report.defects.append(f"files left: {left[:5]}")
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if tasks:
            self.report.defects.append(f"tasks left: {tasks}")
        await self._check_descriptors(before)
        return self.report

    async def _calls(self, server: ChaosServer, folder: Path) -> None:
        numbers = iter(range(self._count))
        clients = _clients()
        for client in clients:
            await client.start()
        try:
            await self._work(numbers, 64, server, clients, folder)  # fills caches
            objects = _objects()
            with _measured(self.report):
                await self._work(numbers, self._count, server, clients, folder)
            await asyncio.sleep(0)
            grown = {
                name: number - objects[name]
                for name, number in _objects().items()
                if number - objects[name] > GROWTH + CACHED * name.endswith(_CACHED_CLASSES)
            }
            if grown:
                self.report.defects.append(f"objects left: {grown}")
            await self._check_places(server, clients[0])
        finally:
            for client in clients:
                await client.stop()

    async def _work(
        self,
        numbers: Iterator[int],
        most: int,
        server: ChaosServer,
        clients: list[HTTPClient],
        folder: Path,
    ) -> None:
        left = most

        async def worker() -> None:
            nonlocal left
            while left > 0 and (number := next(numbers, None)) is not None:
                left -= 1
                call = plan(self._seed, number)
                client = clients[1 if number % 10 == 0 else 2 if number % 10 == 1 else 0]
                await self._checked(Caller(client, server.url, folder, call), server.ledger)

        await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))

    async def _checked(self, caller: "Caller", ledger: Ledger) -> None:
        call, began = caller.call, time.monotonic()
        try:
            async with asyncio.timeout(TIMEOUT + SLACK):
                outcome = await caller.run()
        except TimeoutError:
            self.report.add(call, f"did not end within {TIMEOUT} s")
            return
        except Exception as error:
            self.report.add(call, f"raised {error!r}")
            return
        took = time.monotonic() - began
        if took > TIMEOUT + SLACK:
            self.report.add(call, f"took {took:.1f} s")
        match outcome:
            case Success(response):
                self.report.outcomes[f"{call.kind} {response.status}"] += 1
                self._check_response(call, response, ledger)
            case Failure(failure):
                self.report.outcomes[f"{call.kind} {type(failure).__name__} {failure.label}"] += 1
                self._check_failure(call, failure, ledger)
            case None:
                self.report.outcomes[f"{call.kind} cancelled"] += 1

    def _check_response(self, call: Plan, response: HttpResponse, ledger: Ledger) -> None:
        number = call.number
        if response.status == 200 and response.body != body_of(number):
            self.report.add(
                call, f"has the body {response.body[:40]!r}, {len(response.body)} bytes"
            )
        if response.headers.get("X-Call") != str(number):
            self.report.add(call, f"has the response of {response.headers.get('X-Call')}")
        if ledger.requests[number] > response.attempts:
            self.report.add(call, f"{ledger.requests[number]} > attempts {response.attempts}")

    def _check_failure(self, call: Plan, failure: HTTPClientError, ledger: Ledger) -> None:
        number = call.number
        received, answered = ledger.requests[number], ledger.answers[number]
        if not isinstance(failure, FAILURES):
            self.report.add(call, f"is no HTTPFailure: {failure!r}")
        if failure.delivery is Delivery.NOT_SENT and received:
            self.report.add(call, f"NOT_SENT, but received {received} times: {failure!r}")
        if failure.delivery is Delivery.ANSWERED and not answered:
            self.report.add(call, f"ANSWERED, but nothing was sent back: {failure!r}")
        if received > failure.attempts:
            self.report.add(call, f"received {received} times, but {failure!r}")
        if failure.elapsed > TIMEOUT + SLACK:
            self.report.add(call, f"elapsed {failure.elapsed}")
        must_succeed = call.number % 10 > 1 and WHOLE.issuperset(call.faults)
        # On a busy machine, an attempt may take longer than its limit.
        is_late = isinstance(failure, HTTPTimeoutError)
        if must_succeed and not is_late and call.kind not in ONCE:
            self.report.add(call, f"nothing was wrong, but {failure!r}")
        status = getattr(failure, "status", None)
        if status is not None and status not in {STATUSES.get(fault) for fault in call.faults}:
            self.report.add(call, f"has a status that nobody sent: {failure!r}")

    def _check_ledger(self, ledger: Ledger) -> None:
        self.report.defects += ledger.wrong
        for number in range(self._count):
            call = plan(self._seed, number)
            if call.kind in ONCE and ledger.requests[number] > 1:
                self.report.add(call, f"was sent {ledger.requests[number]} times")

    async def _check_places(self, server: ChaosServer, client: HTTPClient) -> None:
        """The pool has lost no place if this number of calls reaches the server at once."""
        url = f"{server.url}/{self._count}/ok/barrier"
        results = await asyncio.gather(
            *(client.get(url, attempt_timeout=None) for _ in range(PLACES))
        )
        if failed := [result for result in results if isinstance(result, Failure)]:
            self.report.defects.append(f"places lost: {len(failed)}, {failed[0]}")

    async def _check_descriptors(self, before: set[str]) -> None:
        until = time.monotonic() + SLACK
        while (left := _descriptors() - before) and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if left:
            self.report.defects.append(f"descriptors left: {sorted(left)}")


class Caller:
    """Makes one call in the way of its plan."""

    def __init__(self, client: HTTPClient, url: str, folder: Path, call: Plan) -> None:
        self.call = call
        self._client = client
        self._url = url + call.path
        self._folder = folder

    async def run(self) -> Result[HttpResponse, HTTPClientError] | None:
        """Return the outcome; None if the call was cancelled, as planned."""
        way: Callable[[], Awaitable[Result[HttpResponse, HTTPClientError] | None]]
        way = getattr(self, f"_{self.call.kind}")
        try:
            return await way()
        except HTTPClientError as failure:
            return Failure(failure)

    async def _get(self) -> Result[HttpResponse, HTTPClientError]:
        return await self._client.get(self._url)

    async def _post(self) -> Result[HttpResponse, HTTPClientError]:
        return await self._client.post(self._url, data=upload_of(self.call.number))

    async def _keyed(self) -> Result[HttpResponse, HTTPClientError]:
        data = upload_of(self.call.number)
        return await self._client.post(self._url, data=data, idempotency_key=True)

    async def _put(self) -> Result[HttpResponse, HTTPClientError]:
        # An iterator can be read only once, so this is sent once.
        return await self._client.put(self._url, data=iter([upload_of(self.call.number)]))

    async def _stream(self) -> Result[HttpResponse, HTTPClientError]:
        async with self._client.stream("GET", self._url, timeout=TIMEOUT) as response:
            response.raise_for_status()
            body = b"".join([chunk async for chunk in response])
            return Success(replace(response.head, body=body))

    async def _lines(self) -> Result[HttpResponse, HTTPClientError]:
        async with self._client.stream("GET", self._url, timeout=TIMEOUT) as response:
            response.raise_for_status()
            lines = [line async for line in response.aiter_lines()]
            return Success(replace(response.head, body="".join(f"{x}\n" for x in lines).encode()))

    async def _left(self) -> Result[HttpResponse, HTTPClientError]:
        async with self._client.stream("GET", self._url, timeout=TIMEOUT) as response:
            response.raise_for_status()
            first = await anext(response.aiter_bytes())
            whole = body_of(self.call.number)
            return Success(replace(response.head, body=whole if whole.startswith(first) else first))

    async def _events(self) -> Result[HttpResponse, HTTPClientError]:
        number = self.call.number
        async with self._client.sse(self._url, reconnect=True, timeout=TIMEOUT) as events:
            seen = [event.data async for event in events]
        expected = [f"{number}/{event}" for event in range(1, EVENTS + 1)]
        body = body_of(number) if seen == expected else repr(seen).encode()
        # The attempts of a stream of several connections are not part of its events.
        headers = freeze_headers({"X-Call": str(number)})
        return Success(HttpResponse(200, headers, body, attempts=255))

    async def _download(self) -> Result[HttpResponse, HTTPClientError]:
        path = self._folder / f"{self.call.number}.bin"
        result = await self._client.download(self._url, path, timeout=TIMEOUT)
        body = _taken(path)
        for end in ("", ".json"):
            _taken(path.with_name(f".{path.name}.part{end}"))
        return result.map(lambda done: replace(done.response, status=200, body=body))

    async def _cancelled(self) -> Result[HttpResponse, HTTPClientError] | None:
        task = asyncio.ensure_future(self._client.get(self._url))
        await asyncio.sleep(self.call.chance**3 * 0.05)
        if not task.cancel():
            return task.result()
        try:
            await task
        except asyncio.CancelledError:
            return None
        raise AssertionError("the cancellation was swallowed")


def _taken(path: Path) -> bytes:
    """Read a file, if it exists, and remove it."""
    with suppress(FileNotFoundError):
        body = path.read_bytes()
        path.unlink()
        return body
    return b""


def _clients() -> list[HTTPClient]:
    """Return a client that retries, one with the standard pipeline, and one without policies."""
    pool = ConnectionPoolConfig(PLACES, PLACES, PLACES)
    config = HTTPClientConfig(
        pool, trust_env=False, timeout=TIMEOUT, attempt_timeout=ATTEMPT, total=True
    )
    # Without a budget, so that the many faults do not use it up.
    retry = RetryPolicy(3, 0.005, 0.02, throttle_delay=0.005, reraise=True, budget=None)
    pipeline = ResiliencePipeline(
        RetryPolicy(3, 0.005, 0.02, throttle_delay=0.005, budget=None),
        CircuitBreaker(20, recovery_timeout=0.05),
        Bulkhead(PLACES, max_wait=TIMEOUT),
        AttemptTimeout(ATTEMPT),
    )
    once = RetryPolicy(max_attempts=1)
    return [
        HTTPClient(config, retry_policy=retry),
        HTTPClient(config, resilience=pipeline),
        HTTPClient(config, retry_policy=once),
    ]


def _descriptors() -> set[str]:
    """Return the open sockets, pipes and files; not what the loop itself keeps."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            target = os.readlink(f"/proc/self/fd/{name}")
            if target.startswith(("socket:", "pipe:", "/")) and "/dev/" not in target:
                found.add(f"{name} {target}")
    return found


def _objects() -> Counter[str]:
    """Count the living objects of our modules and of the event loop."""
    gc.collect()
    found: Counter[str] = Counter()
    for thing in gc.get_objects():
        kind = type(thing)
        if str(kind.__module__).startswith(("railhttp", "aiohttp", "asyncio", "_asyncio")):
            found[f"{kind.__module__}.{kind.__qualname__}"] += 1
    return found


@contextmanager
def _measured(report: Report) -> Iterator[None]:
    """Measure each callback of this thread; uvloop runs them in C, so they are not measured."""
    thread = threading.get_ident()
    collecting = 0.0
    began_collecting = 0.0
    handle = asyncio.Handle
    run = handle._run

    def collected(phase: str, _: object) -> None:
        nonlocal collecting, began_collecting
        if threading.get_ident() == thread:
            if phase == "start":
                began_collecting = time.thread_time()
            else:
                collecting += time.thread_time() - began_collecting

    def measured(self: asyncio.Handle) -> None:
        if threading.get_ident() != thread:
            return run(self)
        began, collected_before = time.thread_time(), collecting
        run(self)
        took = time.thread_time() - began - (collecting - collected_before)
        if took > report.longest:
            report.longest = took
            if took > LONGEST:
                report.defects.append(f"a callback took {took * 1000:.0f} ms: {self!r}")
        return None

    gc.callbacks.append(collected)
    handle._run = measured  # type: ignore[method-assign]  # no hook exists
    try:
        yield
    finally:
        handle._run = run  # type: ignore[method-assign]  # as before
        gc.callbacks.remove(collected)
