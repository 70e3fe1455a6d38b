"""The tour: every track that a call can take, on loopback. Exits 1 if one takes another.

Run it with `make demo`.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from returns.methods import unwrap_or_failure
from returns.result import Result

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HTTPFailure,
    HttpResponse,
)
from tour_server import tour_server

Outcome = Result[HttpResponse, HTTPFailure]


@dataclass(frozen=True)
class Stop:
    """One stop of the tour.

    Attributes:
        title: What is shown.
        call: Makes the call, given a client and the server's base URL.
        track: The expected outcome: `Success`, or the failure's class with its label.
        attempts: How many attempts it takes.
    """

    title: str
    call: Callable[[HTTPClient, str], Awaitable[Outcome]]
    track: str
    attempts: int = 1


STOPS = (
    Stop("a document", lambda c, url: c.get(f"{url}/users/7"), "Success 200"),
    Stop("nothing there", lambda c, url: c.get(f"{url}/users/404"), "HTTPStatusError 404"),
    Stop("a 503 that heals", lambda c, url: c.get(f"{url}/flaky"), "Success 200", attempts=3),
    Stop("a redirect", lambda c, url: c.get(f"{url}/moved"), "Success 200"),
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
        "an answer too late",
        lambda c, url: c.get(f"{url}/slow", timeout=0.2),
        "HTTPTimeoutError total",
    ),
    Stop(
        "a refused port",
        lambda c, url: c.get("http://127.0.0.1:1/"),
        "HTTPConnectionError connect",
        attempts=3,
    ),
    Stop("no URL at all", lambda c, url: c.get("ftp://h/"), "HTTPInvalidRequestError url", 0),
)


def track_of(result: Outcome) -> str:
    """Say which track an outcome is on."""
    match unwrap_or_failure(result):
        case HttpResponse() as response:
            return f"Success {response.status}"
        case failure:
            label = getattr(failure, "status", failure.label)
            return f"{type(failure).__name__} {label}"


async def visit(stop: Stop, client: HTTPClient, url: str) -> bool:
    """Make one call, show it as a row, and tell whether it took the expected track."""
    began = time.perf_counter()
    outcome = await stop.call(client, url)
    seconds = time.perf_counter() - began
    value = unwrap_or_failure(outcome)
    delivery = "answered" if isinstance(value, HttpResponse) else value.delivery.value
    expected = (track_of(outcome), value.attempts) == (stop.track, stop.attempts)
    print(
        f"{'✓' if expected else '✗'} {stop.title:<22}{track_of(outcome):<34}"
        f"{delivery:<12}{value.attempts:>8}{seconds:>9.3f} s"
    )
    return expected


async def main() -> int:
    """Take the tour."""
    print(f"  {'call':<22}{'track':<34}{'delivery':<12}{'attempts':>8}{'time':>11}")
    async with tour_server() as url, HTTPClient(HTTPClientConfig(timeout=10)) as client:
        visited = [await visit(stop, client, url) for stop in STOPS]
    print(f"{sum(visited)} of {len(visited)} calls took the expected track")
    return 0 if all(visited) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
