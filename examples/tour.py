"""A tour of the outcomes of a call, on loopback. Exits with 1 if an outcome is unexpected.

Run it with `make demo`.
"""

import asyncio
import hashlib
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from returns.methods import unwrap_or_failure
from returns.result import Result

from railhttp import (
    CircuitBreaker,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPFailure,
    HttpResponse,
    RetryPolicy,
)
from railhttp.demo import DemoServer
from railhttp.demo.bodies import pattern
from railhttp.railway import collect, decode, run, then


@dataclass(frozen=True)
class User:
    """A user of the tour's server."""

    id: int
    name: str


Outcome = Result[HttpResponse, HTTPFailure]


@dataclass(frozen=True)
class Stop:
    """One stop of the tour.

    Attributes:
        title: The text in the first column.
        call: Makes the call, given a client and the server's base URL.
        track: The expected outcome: `Success`, or the failure's class with its label.
        attempts: The expected number of attempts.
    """

    title: str
    call: Callable[[HTTPClient, str], Awaitable[Outcome]]
    track: str
    attempts: int = 1


STOPS = (
    Stop("a document", lambda c, url: c.get(f"{url}/users/7"), "Success 200"),
    Stop("an unknown user", lambda c, url: c.get(f"{url}/users/404"), "HTTPStatusError 404"),
    Stop(
        "a 503 that recovers",
        lambda c, url: c.get(f"{url}/flaky/tour/2"),
        "Success 200",
        attempts=3,
    ),
    Stop("a redirect", lambda c, url: c.get(f"{url}/redirect/1"), "Success 200"),
    Stop(
        "a multipart upload",
        lambda c, url: c.post_multipart(
            f"{url}/upload", {"title": "Q3", "report": ("q3.pdf", b"%PDF", "application/pdf")}
        ),
        "Success 200",
    ),
    Stop(
        "a GET that is reset",
        lambda c, url: c.get(f"{url}/reset"),
        "HTTPConnectionError disconnected",
        attempts=3,
    ),
    Stop(
        "a POST that is reset",
        lambda c, url: c.post(f"{url}/reset", json={"pay": 1}),
        "HTTPConnectionError disconnected",
    ),
    Stop(
        "a late response",
        lambda c, url: c.get(f"{url}/slow/30000", timeout=0.2),
        "HTTPTimeoutError total",
    ),
    Stop(
        "a refused port",
        lambda c, url: c.get("http://127.0.0.1:1/"),
        "HTTPConnectionError connect",
        attempts=3,
    ),
    Stop("an invalid URL", lambda c, url: c.get("ftp://h/"), "HTTPInvalidRequestError url", 0),
)


def track_of(result: Outcome) -> str:
    """Name the class of an outcome and its status or label."""
    match unwrap_or_failure(result):
        case HttpResponse() as response:
            return f"Success {response.status}"
        case failure:
            return f"{type(failure).__name__} {failure.label}"


async def visit(stop: Stop, client: HTTPClient, url: str) -> bool:
    """Make a call, print it as a row, and return whether the outcome was the expected one."""
    began = time.perf_counter()
    outcome = await stop.call(client, url)
    seconds = time.perf_counter() - began
    value = unwrap_or_failure(outcome)
    delivery = "answered" if isinstance(value, HttpResponse) else value.delivery.value
    expected = (track_of(outcome), value.attempts) == (stop.track, stop.attempts)
    print(
        f"{'✓' if expected else '✗'} {stop.title:<24}{track_of(outcome):<34}"
        f"{delivery:<12}{value.attempts:>8}{seconds:>9.3f} s"
    )
    return expected


@dataclass(frozen=True)
class Ability:
    """Another ability of a client.

    Attributes:
        title: The text in the first column.
        show: Uses the ability and returns a short description of the result.
        expected: The expected description.
    """

    title: str
    show: Callable[[HTTPClient, str], Awaitable[str]]
    expected: str


async def read_lines(client: HTTPClient, url: str) -> str:
    """Read a stream line by line."""
    async with client.stream("GET", f"{url}/ndjson/3") as stream:
        return " ".join([line async for line in stream.aiter_lines()])


async def read_broken(client: HTTPClient, url: str) -> str:
    """Read a stream that breaks off; this is a typed failure too."""
    try:
        async with client.stream("GET", f"{url}/broken") as stream:
            return str(sum([len(chunk) async for chunk in stream]))
    except HTTPConnectionError as failure:
        return f"HTTPConnectionError {failure.kind}"


async def read_events(client: HTTPClient, url: str) -> str:
    """Read server-sent events over two connections, each event once."""
    async with client.sse(f"{url}/events", reconnect=True) as events:
        return ", ".join([event.data async for event in events])


async def fetch_file(client: HTTPClient, url: str) -> str:
    """Download a file and verify its digest."""
    digest = hashlib.sha256(pattern(100_000)).hexdigest()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        result = await client.download(f"{url}/file/100000", path, checksum=f"sha256:{digest}")
        return result.map(lambda download: f"{download.size} bytes").value_or("failed")


async def at_once(client: HTTPClient, url: str) -> str:
    """Make three calls at the same time and decode them into one value."""
    users = [client.future.get(f"{url}/users/{number}") for number in (1, 2, 3)]
    result = await run(collect(map(then(decode(User)), users)))
    return result.map(lambda found: " ".join(f"{user.name} {user.id}" for user in found)).value_or(
        "failed"
    )


async def break_circuit(client: HTTPClient, url: str) -> str:
    """Open a circuit with two server errors; close it with a successful probe after a pause."""
    breaker = CircuitBreaker(failure_threshold=2, recovery_timeout=0.05, name="tour")
    config = HTTPClientConfig(timeout=10, total=True)
    async with HTTPClient(config, retry_policy=RetryPolicy(1), circuit_breaker=breaker) as guarded:
        states = []
        for pause in (0.0, 0.0, 0.0, 0.1):
            await asyncio.sleep(pause)
            outcome = await guarded.get(f"{url}/flaky/failing/2?status=500")
            states.append(f"{track_of(outcome)} ({breaker.state})")
    return " → ".join(states)


ABILITIES = (
    Ability("lines as they come", read_lines, '{"n": 0} {"n": 1} {"n": 2}'),
    Ability("a body that breaks off", read_broken, "HTTPConnectionError truncated"),
    Ability("events, reconnecting", read_events, "event 1, event 2, event 3, event 4"),
    Ability("a download, checked", fetch_file, "100000 bytes"),
    Ability("three calls at once", at_once, "Ann 1 Ann 2 Ann 3"),
    Ability(
        "a circuit breaker",
        break_circuit,
        "HTTPStatusError 500 (closed) → HTTPStatusError 500 (open) → "
        "HTTPCircuitOpenError tour (open) → Success 200 (closed)",
    ),
)


async def try_out(ability: Ability, client: HTTPClient, url: str) -> bool:
    """Print an ability as a row, and return whether the result was the expected one."""
    words = await ability.show(client, url)
    print(f"{'✓' if words == ability.expected else '✗'} {ability.title:<24}{words}")
    return words == ability.expected


async def main() -> int:
    """Take the tour."""
    print(f"  {'call':<24}{'track':<34}{'delivery':<12}{'attempts':>8}{'time':>11}")
    async with DemoServer() as server, HTTPClient(HTTPClientConfig(timeout=10)) as client:
        url = server.url("")
        visited = [await visit(stop, client, url) for stop in STOPS]
        print()
        visited += [await try_out(ability, client, url) for ability in ABILITIES]
    print(f"\n{sum(visited)} of {len(visited)} had the expected outcome")
    return 0 if all(visited) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
