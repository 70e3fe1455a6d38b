"""Judges why a URL cannot be requested: measurements in, findings out.

`railhttp.doctor` measures. Each `judge_…` looks at one step on the way to a response,
so that each can be tested without a network.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, assert_never

from railhttp.model.diagnosis import (
    Diagnosis,
    Facts,
    Finding,
    NameFacts,
    ProxyFacts,
    RouteFacts,
    Step,
)
from railhttp.model.errors import (
    Delivery,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.model.redaction import redact_url
from railhttp.model.response import HttpResponse
from railhttp.policy.advice import advise, advise_on_status
from railhttp.policy.tls_diagnosis import LARGEST_SKEW, judge_tls

FALLBACK: Final = 0.25
"""Seconds after which a connection to the next address is tried (RFC 8305, section 5)."""


def judge(facts: Facts) -> Diagnosis:
    """Judge all measurements together.

    The client's own call decides: if it succeeded, what a probe alone ran into is a warning; if it
    failed and every probe succeeded, the failure itself is a finding.
    """
    failure = _failure_of(facts.outcome)
    findings = tuple(_findings(facts, failure))
    if failure is None:
        findings = tuple(_at_most_warning(found) for found in findings)
    elif not any(found.severity == "fault" for found in findings):
        step = step_of(failure)
        findings += (Finding(step, failure.message, "fault", advise(failure)),)
    ordered = sorted(findings, key=lambda found: _ORDER.index(found.step))
    return Diagnosis(redact_url(facts.url), tuple(ordered), failure)


_ORDER: Final[tuple[Step, ...]] = ("name", "proxy", "route", "tls", "http", "content")


def _findings(facts: Facts, failure: HTTPFailure | None) -> Iterator[Finding]:
    yield judge_proxy(facts.proxy)
    if not facts.proxy.error:
        way = [judge_name(facts.name), *([judge_routes(facts.routes)] if facts.routes else [])]
        # The client blames the proxy as well if it cannot be reached.
        yield from (replace(found, step="proxy") for found in way) if facts.proxy.url else way
    if facts.tls is not None:
        yield judge_tls(facts.tls, facts.name.host, facts.now)
    if facts.skew is not None and abs(facts.skew) > LARGEST_SKEW:
        yield judge_clock(facts.skew)
    if isinstance(facts.outcome, HttpResponse):
        yield judge_status(facts.outcome)
        yield judge_content(facts.outcome, failure)
    elif isinstance(facts.outcome, HTTPResponseTooLargeError):
        yield Finding("content", f"more than {facts.outcome.limit} bytes, not read to the end")


def _failure_of(outcome: HttpResponse | HTTPFailure) -> HTTPFailure | None:
    match outcome:
        case HTTPResponseTooLargeError():
            return None  # the doctor's own limit
        case HttpResponse():
            return HTTPStatusError(outcome) if outcome.status >= 400 else _decode_failure(outcome)
        case _:
            return outcome


def _decode_failure(response: HttpResponse) -> HTTPDecodeError | None:
    kind = response.content_type
    if not response.body or not (kind == "application/json" or kind.endswith("+json")):
        return None
    try:
        response.json()
    except HTTPDecodeError as failure:
        return failure
    return None


def _at_most_warning(found: Finding) -> Finding:
    return replace(found, severity="warning") if found.severity == "fault" else found


def judge_proxy(facts: ProxyFacts) -> Finding:
    """Judge which proxy a call takes.

    Example:
        >>> judge_proxy(ProxyFacts(bypassed=True)).what
        'none (NO_PROXY matches)'
    """
    if facts.error:
        advice = f"correct {facts.source}, or unset it"
        return Finding("proxy", f"{facts.source}: {facts.error}", "fault", advice)
    if facts.url:
        return Finding("proxy", f"{facts.url} ({facts.source})")
    return Finding("proxy", "none (NO_PROXY matches)" if facts.bypassed else "none")


def judge_name(facts: NameFacts) -> Finding:
    """Judge whether the name of a host resolves.

    Example:
        >>> judge_name(NameFacts("api.example", error="Name or service not known")).severity
        'fault'
    """
    if facts.error:
        failure = HTTPConnectionError(kind="dns", delivery=Delivery.NOT_SENT)
        what = f"{facts.host}: {facts.error}"
        return Finding("name", what, "fault", advise(failure), facts.seconds)
    if facts.addresses == (facts.host,):
        return Finding("name", f"{facts.host} is an address")
    what = f"{facts.host} → {', '.join(facts.addresses)}"
    return Finding("name", what, seconds=facts.seconds)


def judge_routes(routes: tuple[RouteFacts, ...]) -> Finding:
    """Judge whether the addresses of a host accept connections.

    Example:
        >>> broken = RouteFacts("2001:db8::1", 443, error="no route to host")
        >>> judge_routes((RouteFacts("192.0.2.1", 443), broken)).severity
        'warning'
    """
    broken = [route for route in routes if route.error]
    what = "connect " + "; ".join(
        f"{route} {route.error}" if route.error else f"{route}" for route in routes
    )
    fastest = min((route.seconds for route in routes if not route.error), default=None)
    if not broken:
        return Finding("route", what, seconds=fastest)
    if fastest is not None:
        advice = (
            f"repair the route to {', '.join(map(str, broken))}: until then calls fall back to "
            f"the next address after {FALLBACK * 1000:.0f} ms"
        )
        return Finding("route", what, "warning", advice, fastest)
    if any(route.timed_out for route in broken):
        advice = "check the firewall and the route: no response comes from there"
    else:
        advice = "check that the server runs, and that the port is right"
    return Finding("route", what, "fault", advice)


def judge_clock(skew: float) -> Finding:
    """Judge the clock of this machine by the server's.

    Example:
        >>> judge_clock(-300.0).what
        'the clocks differ: the server is -300 s ahead'
    """
    what = f"the clocks differ: the server is {skew:+.0f} s ahead"
    return Finding("http", what, "warning", "set the clock: tokens and certificates depend on it")


def judge_status(response: HttpResponse) -> Finding:
    """Judge the status of a response.

    Example:
        >>> judge_status(HttpResponse(503)).severity
        'fault'
    """
    what = f"{response.status}, HTTP/{response.http_version}, {redact_url(response.url)}"
    if response.status < 400:
        return Finding("http", what, seconds=response.elapsed)
    advice = advise_on_status(response.status)
    return Finding("http", what, "fault", advice, response.elapsed)


def judge_content(response: HttpResponse, failure: HTTPFailure | None) -> Finding:
    """Judge whether a body is what its header fields promise.

    Example:
        >>> judge_content(HttpResponse(200, body=b"x"), None).severity
        'warning'
    """
    size = len(response.body)
    kind = response.content_type
    if isinstance(failure, HTTPDecodeError):
        advice = "look at the body: the server may have sent an error page"
        return Finding("content", f"{kind}, but {failure.message}", "fault", advice)
    if size and not kind:
        advice = "have the server send a Content-Type"
        return Finding("content", f"{size} bytes of no media type", "warning", advice)
    return Finding("content", f"{kind or 'no body'}, {size} bytes")


def step_of(failure: HTTPFailure) -> Step:
    """Find the step at which a call failed.

    Example:
        >>> step_of(HTTPTimeoutError(phase="connect"))
        'route'
    """
    match failure:
        case HTTPConnectionError(kind):
            return _STEP_OF_KIND.get(kind, "http")
        case HTTPTimeoutError("pool" | "connect"):
            return "route"
        case HTTPTimeoutError():
            return "content" if failure.delivery is Delivery.ANSWERED else "http"
        case HTTPDecodeError() | HTTPResponseTooLargeError():
            return "content"
        case HTTPRetryExhaustedError():
            return "http" if failure.last is None else step_of(failure.last)
        case (
            HTTPStatusError()
            | HTTPInvalidRequestError()
            | HTTPInterceptorError()
            | HTTPCircuitOpenError()
        ):
            return "http"
        case _:
            assert_never(failure)


_STEP_OF_KIND: Final[dict[str, Step]] = {
    "dns": "name",
    "connect": "route",
    "proxy": "proxy",
    "tls": "tls",
    "truncated": "content",
}
