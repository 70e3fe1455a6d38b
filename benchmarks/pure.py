"""What pure functions cost."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from time import process_time
from timeit import Timer
from typing import Final

from returns.result import Success
from yarl import URL

from benchmarks.report import Measurement, Topic
from benchmarks.rounds import Effort
from railhttp import (
    HTTPClient,
    HTTPConnectionError,
    HttpResponse,
    build_url,
    merge_headers,
    parse_headers,
    validate_url,
)
from railhttp.headers import freeze_headers, validate_headers
from railhttp.model.request import Request, SendOptions
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.bulkhead import BulkheadRule
from railhttp.policy.retry import RetryRule, Trial
from railhttp.urls import redact_url

_URL: Final = "https://api.example.com/v1/users/4711?page=2&token=secret"
_FIELDS: Final = {"Accept": "application/json", "X-Request-Id": "4711", "X-Trace": "a, b"}
_HEADERS: Final = freeze_headers({"Content-Type": "application/json", "Content-Length": "2"})
_RESPONSE: Final = HttpResponse(200, _HEADERS, b'{"id": 4711, "name": "Ann"}')
_BUILDER: Final = HTTPClient()._builder
_TRIAL: Final = Trial(1, HTTPConnectionError("refused", kind="connect"))
_CLOSED, _ = BreakerRule().admit(None, None, 0.0)

FUNCTIONS: Final[Mapping[str, Callable[[], object]]] = {
    "nothing": lambda: None,
    "validate_url": partial(validate_url, _URL),
    "build_url": partial(build_url, "https://api.example.com", "v1/users", {"page": 2, "tag": "a"}),
    "redact_url": partial(redact_url, _URL),
    "parse_headers": partial(parse_headers, _FIELDS),
    "merge_headers": partial(merge_headers, _FIELDS, {"accept": "text/html"}),
    "validate_headers": partial(validate_headers, _FIELDS),
    "a request without options": partial(_BUILDER.prepare, "GET", _URL, {}),
    "a request with three fields": partial(_BUILDER.prepare, "GET", _URL, {"headers": _FIELDS}),
    "a request with JSON": partial(_BUILDER.prepare, "POST", _URL, {"json": _FIELDS}),
    "Request": partial(Request, "GET", URL(_URL), None, None, None, SendOptions()),
    "HttpResponse": partial(HttpResponse, 200, _HEADERS, b"", _URL, "GET", 0.1, "1.1", 1),
    "response.json": _RESPONSE.json,
    "response.text": lambda: _RESPONSE.text,
    "Success": partial(Success, _RESPONSE),
    "the retry rule's delay": partial(RetryRule().delay, _TRIAL, now=0.0, wall=0.0, chance=0.5),
    "the breaker's admission": partial(BreakerRule().admit, _CLOSED, None, 1.0),
    "the bulkhead's place": partial(BulkheadRule(10).place, 3, 0),
}


def measure(effort: Effort) -> Iterator[Measurement]:
    """Call each function many times, all of them in turn."""
    timers = {name: Timer(function, timer=process_time) for name, function in FUNCTIONS.items()}
    numbers = {name: _often(timer, effort) for name, timer in timers.items()}
    rounds = [
        {name: 1e6 * timer.timeit(numbers[name]) / numbers[name] for name, timer in timers.items()}
        for _ in range(effort.rounds)
    ]
    topic = Topic("pure functions", "in memory", "CPU per call", "µs")
    for name in FUNCTIONS:
        yield topic.of(name, [one[name] for one in rounds])


def _often(timer: Timer, effort: Effort) -> int:
    few = min(1000, effort.most)
    return max(few, int(few * effort.seconds / max(timer.timeit(few), 1e-6)))
