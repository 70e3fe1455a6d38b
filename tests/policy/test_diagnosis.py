"""Diagnoses from measurements, without a network."""

from dataclasses import replace
from typing import Final, get_args

import pytest

from railhttp import (
    Delivery,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.headers import freeze_headers
from railhttp.model.diagnosis import (
    Certificate,
    Facts,
    NameFacts,
    ProxyFacts,
    RouteFacts,
    Severity,
    Step,
    TlsFacts,
    TlsReason,
)
from railhttp.policy.diagnosis import judge, judge_content, judge_proxy, judge_routes, step_of
from railhttp.policy.tls_diagnosis import judge_tls
from railhttp.types import ConnectionKind

DAY: Final = 86400.0
NOW: Final = 1000 * DAY
V4: Final = RouteFacts("192.0.2.1", 443, 0.009)
V6: Final = RouteFacts("2001:db8::1", 443, error="network is unreachable")
CERTIFICATE: Final = Certificate("api.example", "CA", ("api.example",), 0.0, NOW + 90 * DAY)
JSON_FIELDS: Final = freeze_headers({"Content-Type": "application/json"})
WELL: Final = Facts(
    url="https://ann:s3cret@api.example/?token=s3cret",
    proxy=ProxyFacts(),
    name=NameFacts("api.example", ("192.0.2.1",), 0.004),
    routes=(V4,),
    tls=TlsFacts("TLSv1.3", 0.018, certificate=CERTIFICATE),
    outcome=HttpResponse(200, JSON_FIELDS, b"[]"),
    now=NOW,
)


def test_well_facts_have_no_fault_and_show_no_secret() -> None:
    diagnosis = judge(WELL)
    assert (diagnosis.ok, diagnosis.failure) == (True, None)
    assert "s3cret" not in repr(diagnosis)


def test_the_client_decides_what_a_probe_only_suspects() -> None:
    suspected = replace(WELL, routes=(V6,))
    diagnosis = judge(suspected)
    assert diagnosis.ok
    assert "warning" in {finding.severity for finding in diagnosis.findings}


def test_a_failure_that_no_probe_explains_is_a_finding_itself() -> None:
    failure = HTTPConnectionError("cannot connect", kind="connect", delivery=Delivery.NOT_SENT)
    diagnosis = judge(replace(WELL, outcome=failure))
    assert diagnosis.fault is not None
    assert (diagnosis.at_fault, diagnosis.fault.what) == ("route", "cannot connect")
    assert diagnosis.failure is failure


@pytest.mark.parametrize(
    ("routes", "severity", "words"),
    [
        ((V4,), "ok", "connect 192.0.2.1:443"),
        ((V4, V6), "warning", "[2001:db8::1]:443 network is unreachable"),
        ((V6,), "fault", "network is unreachable"),
    ],
)
def test_routes(routes: tuple[RouteFacts, ...], severity: Severity, words: str) -> None:
    found = judge_routes(routes)
    assert found.severity == severity
    assert words in found.what


def test_a_broken_address_says_what_calls_do_meanwhile() -> None:
    assert "calls fall back to the next address after 250 ms" in judge_routes((V4, V6)).advice


def test_the_fastest_address_that_accepts_gives_the_time_of_the_step() -> None:
    slow = replace(V4, seconds=0.5)
    assert judge_routes((slow, V4, slow)).seconds == V4.seconds
    assert judge_routes((V6, slow)).seconds == 0.5


@pytest.mark.parametrize("silent", [(True, False), (False, True), (True, True)])
def test_one_address_that_does_not_respond_points_at_a_firewall(silent: tuple[bool, bool]) -> None:
    found = judge_routes(tuple(replace(V6, timed_out=one) for one in silent))
    assert "firewall" in found.advice
    assert "firewall" not in judge_routes((V6, V6)).advice


@pytest.mark.parametrize(("status", "fails"), [(399, False), (400, True), (503, True)])
def test_a_status_from_400_on_is_the_failure_of_the_diagnosis(status: int, fails: bool) -> None:
    diagnosis = judge(replace(WELL, outcome=HttpResponse(status)))
    assert isinstance(diagnosis.failure, HTTPStatusError) is fails
    assert (diagnosis.at_fault == "http") is fails


def test_proxies() -> None:
    assert judge_proxy(ProxyFacts()).what == "none"
    assert judge_proxy(ProxyFacts("http://proxy:3128", "HTTPS_PROXY")).what.endswith(
        "(HTTPS_PROXY)"
    )
    broken = judge_proxy(ProxyFacts(source="HTTPS_PROXY", error="must be an http:// proxy"))
    assert (broken.severity, broken.advice) == ("fault", "correct HTTPS_PROXY, or unset it")


def test_a_proxy_that_cannot_be_reached_is_the_proxys_fault() -> None:
    proxied = replace(
        WELL,
        proxy=ProxyFacts("http://proxy:3128", "config"),
        routes=(V6,),
        tls=None,
        outcome=HTTPConnectionError("cannot connect to the proxy", kind="proxy"),
    )
    assert judge(proxied).at_fault == "proxy"


@pytest.mark.parametrize("reason", get_args(TlsReason))
def test_every_reason_of_tls_has_words_and_advice(reason: TlsReason) -> None:
    for certificate in (None, CERTIFICATE):
        facts = TlsFacts(reason=reason, certificate=certificate)
        found = judge_tls(facts, "www.example", NOW)
        assert (found.severity, found.step) == ("fault", "tls")
        assert found.what
        assert found.advice


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (
            TlsFacts(
                reason="expired",
                certificate=CERTIFICATE._replace(not_after=NOW - 3.5 * DAY),
                otherwise_trusted=True,
                skew=0.4,
            ),
            "certificate expired 3 days ago (CN=api.example); the certificate is otherwise "
            "trusted; the clock here is right (+0.4 s)",
        ),
        (
            TlsFacts(
                reason="not yet valid",
                certificate=CERTIFICATE._replace(not_before=NOW + 1.5 * DAY),
                skew=2 * DAY,
            ),
            "certificate valid only in 1 day (CN=api.example); the clock here is wrong "
            "(+172800.0 s)",
        ),
        (
            TlsFacts(reason="wrong host", certificate=CERTIFICATE),
            "certificate is for api.example, not for www.example",
        ),
        (TlsFacts(reason="other", detail="bad signature"), "the handshake failed; bad signature"),
    ],
)
def test_certificates(facts: TlsFacts, words: str) -> None:
    assert judge_tls(facts, "www.example", NOW).what == words


def test_a_wrong_clock_is_to_be_set_and_not_the_certificate_renewed() -> None:
    facts = TlsFacts(reason="expired", certificate=CERTIFICATE, skew=-2 * DAY)
    assert judge_tls(facts, "h", NOW).advice == "set the clock of this machine"


def test_a_certificate_near_its_end_is_a_warning() -> None:
    ending = CERTIFICATE._replace(not_after=NOW + 2 * DAY)
    assert judge_tls(TlsFacts("TLSv1.3", certificate=ending), "h", NOW).severity == "warning"


@pytest.mark.parametrize(("days", "severity"), [(6.9, "warning"), (7.0, "ok"), (7.1, "ok")])
def test_a_certificate_is_renewed_in_its_last_week(days: float, severity: Severity) -> None:
    ending = CERTIFICATE._replace(not_after=NOW + days * DAY)
    assert judge_tls(TlsFacts("TLSv1.3", certificate=ending), "h", NOW).severity == severity


@pytest.mark.parametrize(
    ("skew", "right"), [(120.0, True), (-120.0, True), (120.1, False), (-120.1, False)]
)
def test_a_clock_is_wrong_from_two_minutes_on(skew: float, right: bool) -> None:
    found = judge_tls(TlsFacts(reason="expired", skew=skew), "h", NOW)
    assert ("the clock here is right" in found.what) is right
    assert ("set the clock" in found.advice) is not right
    differ = any("clocks differ" in one.what for one in judge(replace(WELL, skew=skew)).findings)
    assert differ is not right


@pytest.mark.parametrize(
    ("ago", "words"),
    [(-5.0, "0 days"), (0.5, "0 days"), (1.0, "1 day"), (1.9, "1 day"), (2.0, "2 days")],
)
def test_days_are_counted_whole(ago: float, words: str) -> None:
    expired = CERTIFICATE._replace(not_after=NOW - ago * DAY)
    found = judge_tls(TlsFacts(reason="expired", certificate=expired), "h", NOW)
    assert found.what == f"certificate expired {words} ago (CN=api.example)"


def test_clocks_that_differ_are_a_warning() -> None:
    assert any("clocks differ" in found.what for found in judge(replace(WELL, skew=300.0)).findings)


@pytest.mark.parametrize(
    ("response", "severity"),
    [
        (HttpResponse(200, JSON_FIELDS, b"[1]"), "ok"),
        (HttpResponse(204), "ok"),
        (HttpResponse(200, body=b"x"), "warning"),
    ],
)
def test_contents(response: HttpResponse, severity: Severity) -> None:
    assert judge_content(response, None).severity == severity


def test_json_that_is_not_json_is_a_decode_error() -> None:
    diagnosis = judge(replace(WELL, outcome=HttpResponse(200, JSON_FIELDS, b"<html>")))
    assert diagnosis.at_fault == "content"
    assert isinstance(diagnosis.failure, HTTPDecodeError)
    lines = freeze_headers({"Content-Type": "application/x-ndjson"})
    assert judge(replace(WELL, outcome=HttpResponse(200, lines, b"1\n2\n"))).ok


STEPS: Final[dict[ConnectionKind, Step]] = {
    "dns": "name",
    "connect": "route",
    "proxy": "proxy",
    "tls": "tls",
    "disconnected": "http",
    "truncated": "content",
    "protocol": "http",
    "redirect": "http",
    "closed": "http",
    "rejected": "http",
}


def test_every_kind_has_a_step() -> None:
    assert STEPS.keys() == set(get_args(ConnectionKind))


@pytest.mark.parametrize(("kind", "step"), STEPS.items())
def test_a_kind_has_its_step(kind: ConnectionKind, step: Step) -> None:
    assert step_of(HTTPConnectionError(kind=kind)) == step


@pytest.mark.parametrize(
    ("failure", "step"),
    [
        (HTTPTimeoutError(phase="pool"), "route"),
        (HTTPTimeoutError(phase="connect"), "route"),
        (HTTPTimeoutError(phase="read"), "http"),
        (HTTPTimeoutError(phase="read", delivery=Delivery.ANSWERED), "content"),
        (HTTPTimeoutError(phase="total"), "http"),
    ],
)
def test_a_timeout_has_the_step_at_which_it_struck(failure: HTTPFailure, step: Step) -> None:
    assert step_of(failure) == step


LAST: Final = HTTPConnectionError(kind="dns")


@pytest.mark.parametrize(
    ("failure", "step"),
    [
        (HTTPRetryExhaustedError(failures=[HTTPTimeoutError(phase="read"), LAST]), "name"),
        (HTTPRetryExhaustedError(), "http"),
        (HTTPDecodeError(), "content"),
        (HTTPResponseTooLargeError(limit=1), "content"),
        (HTTPStatusError(HttpResponse(404)), "http"),
        (HTTPInvalidRequestError(), "http"),
        (HTTPInterceptorError(), "http"),
        (HTTPCircuitOpenError(), "http"),
    ],
)
def test_any_other_failure_has_the_step_that_was_reached(failure: HTTPFailure, step: Step) -> None:
    assert step_of(failure) == step
