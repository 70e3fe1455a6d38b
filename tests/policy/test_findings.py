"""Each finding of a diagnosis: its step, its time, and whether it has advice."""

from dataclasses import replace
from typing import Final

import pytest

from railhttp import (
    Delivery,
    HTTPConnectionError,
    HTTPDecodeError,
    HttpResponse,
    HTTPResponseTooLargeError,
)
from railhttp.headers import freeze_headers
from railhttp.model.diagnosis import (
    Certificate,
    Facts,
    Finding,
    NameFacts,
    ProxyFacts,
    RouteFacts,
    Step,
    TlsFacts,
)
from railhttp.policy.diagnosis import (
    judge,
    judge_clock,
    judge_content,
    judge_name,
    judge_proxy,
    judge_routes,
    judge_status,
)
from railhttp.policy.tls_diagnosis import judge_tls

DAY: Final = 86400.0
NOW: Final = 1000 * DAY
V4: Final = RouteFacts("192.0.2.1", 443, 0.009)
BROKEN: Final = RouteFacts("2001:db8::1", 443, error="no route")
CERTIFICATE: Final = Certificate(
    "api.example", "CA", ("a.example", "b.example"), 0.0, NOW + 9 * DAY
)
FACTS: Final = Facts(
    url="https://api.example/",
    proxy=ProxyFacts(),
    name=NameFacts("api.example", ("192.0.2.1", "2001:db8::1"), 0.004),
    routes=(V4,),
    tls=TlsFacts("TLSv1.3", 0.018, certificate=CERTIFICATE),
    outcome=HttpResponse(200),
    now=NOW,
)


def steps(facts: Facts) -> list[Step]:
    return [found.step for found in judge(facts).findings]


def test_findings_are_in_the_order_of_the_steps() -> None:
    assert steps(replace(FACTS, skew=300.0)) == [
        *("name", "proxy", "route", "tls", "http", "http", "content")
    ]
    assert steps(replace(FACTS, routes=(), tls=None)) == ["name", "proxy", "http", "content"]


def test_behind_a_proxy_its_name_and_its_routes_are_findings_about_it() -> None:
    proxied = replace(FACTS, proxy=ProxyFacts("http://proxy:3128", "config"))
    assert steps(proxied) == ["proxy", "proxy", "proxy", "tls", "http", "content"]


def test_of_a_proxy_that_cannot_be_used_nothing_more_is_known() -> None:
    failure = HTTPConnectionError("no proxy", kind="proxy", delivery=Delivery.NOT_SENT)
    facts = replace(
        FACTS, proxy=ProxyFacts(source="config", error="no URL"), tls=None, outcome=failure
    )
    [found] = judge(facts).findings
    assert found == Finding("proxy", "config: no URL", "fault", "correct config, or unset it")


def test_a_failure_has_no_finding_of_its_own_if_a_probe_explains_it() -> None:
    failure = HTTPConnectionError("cannot connect", kind="connect", delivery=Delivery.NOT_SENT)
    diagnosis = judge(replace(FACTS, routes=(BROKEN,), tls=None, outcome=failure))
    assert [found.severity for found in diagnosis.findings] == ["ok", "ok", "fault"]
    unexplained = judge(replace(FACTS, outcome=failure)).findings
    assert [found.what for found in unexplained if found.severity == "fault"] == ["cannot connect"]


@pytest.mark.parametrize("limit", [1, 1_000])
def test_a_body_that_the_doctor_does_not_read_to_its_end_is_no_failure(limit: int) -> None:
    diagnosis = judge(replace(FACTS, outcome=HTTPResponseTooLargeError(limit=limit)))
    assert (diagnosis.ok, diagnosis.failure) == (True, None)
    last = diagnosis.findings[-1]
    assert (last.step, last.severity) == ("content", "ok")
    assert str(limit) in last.what


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (judge_proxy(ProxyFacts("http://p:1", "HTTPS_PROXY")), ("proxy", "ok", False, None)),
        (judge_proxy(ProxyFacts(source="a", error="b")), ("proxy", "fault", True, None)),
        (judge_name(NameFacts("h", ("192.0.2.1",), 0.5)), ("name", "ok", False, 0.5)),
        (judge_name(NameFacts("192.0.2.1", ("192.0.2.1",), 0.5)), ("name", "ok", False, None)),
        (judge_name(NameFacts("h", (), 0.5, error="unknown")), ("name", "fault", True, 0.5)),
        (judge_routes((V4,)), ("route", "ok", False, 0.009)),
        (judge_routes((V4, BROKEN)), ("route", "warning", True, 0.009)),
        (judge_routes((BROKEN,)), ("route", "fault", True, None)),
        (judge_clock(300.0), ("http", "warning", True, None)),
        (judge_status(HttpResponse(399, elapsed=0.5)), ("http", "ok", False, 0.5)),
        (judge_status(HttpResponse(400, elapsed=0.5)), ("http", "fault", True, 0.5)),
        (judge_content(HttpResponse(200), None), ("content", "ok", False, None)),
        (judge_content(HttpResponse(200, body=b"x"), None), ("content", "warning", True, None)),
        (judge_content(HttpResponse(200), HTTPDecodeError("x")), ("content", "fault", True, None)),
        (judge_tls(TlsFacts("TLSv1.3", 0.5), "h", NOW), ("tls", "ok", False, 0.5)),
        (judge_tls(FACTS.tls or TlsFacts(), "h", NOW), ("tls", "ok", False, 0.018)),
        (judge_tls(FACTS.tls or TlsFacts(), "h", NOW + 5 * DAY), ("tls", "warning", True, 0.018)),
        (judge_tls(TlsFacts(reason="not TLS"), "h", NOW), ("tls", "fault", True, None)),
    ],
)
def test_a_finding_has_the_time_of_its_step_and_advice_unless_all_is_well(
    found: Finding, expected: tuple[str, str, bool, float | None]
) -> None:
    assert (found.step, found.severity, bool(found.advice), found.seconds) == expected


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (judge_proxy(ProxyFacts(bypassed=True)), "none (NO_PROXY matches)"),
        (judge_proxy(ProxyFacts("http://p:1", "HTTPS_PROXY")), "http://p:1 (HTTPS_PROXY)"),
        (judge_name(FACTS.name), "api.example → 192.0.2.1, 2001:db8::1"),
        (judge_name(NameFacts("192.0.2.1", ("192.0.2.1",))), "192.0.2.1 is an address"),
        (judge_name(NameFacts("h", error="unknown")), "h: unknown"),
        (judge_routes((V4, BROKEN)), "connect 192.0.2.1:443; [2001:db8::1]:443 no route"),
        (judge_clock(300.4), "the clocks differ: the server is +300 s ahead"),
        (judge_tls(TlsFacts("TLSv1.3"), "h", NOW), "TLSv1.3"),
        (
            judge_tls(TlsFacts("TLSv1.3", certificate=CERTIFICATE), "h", NOW),
            "TLSv1.3, certificate of api.example, 9 days left",
        ),
        (
            judge_tls(TlsFacts("TLSv1.3", certificate=CERTIFICATE._replace(subject="")), "h", NOW),
            "TLSv1.3, certificate of a.example, b.example, 9 days left",
        ),
        (
            judge_tls(TlsFacts("TLSv1.3", certificate=CERTIFICATE), "h", NOW + 4 * DAY),
            "TLSv1.3, certificate of api.example ends in 5 days",
        ),
        (
            judge_tls(TlsFacts(reason="wrong host", certificate=CERTIFICATE), "h", NOW),
            "certificate is for a.example, b.example, not for h",
        ),
        (
            judge_tls(
                TlsFacts(reason="wrong host", certificate=CERTIFICATE._replace(names=())), "h", NOW
            ),
            "certificate is for no host, not for h",
        ),
        (
            judge_tls(TlsFacts(reason="unknown authority", certificate=CERTIFICATE), "h", NOW),
            "certificate of an authority that is not trusted (CA)",
        ),
        (
            judge_tls(TlsFacts(reason="self-signed", certificate=CERTIFICATE), "h", NOW),
            "certificate signed by itself, or by an authority that is not trusted (CN=api.example)",
        ),
        (
            judge_tls(
                TlsFacts(reason="expired", certificate=CERTIFICATE._replace(subject="")),
                "h",
                NOW + 10 * DAY,
            ),
            "certificate expired 1 day ago",
        ),
        (judge_tls(TlsFacts(reason="not TLS", skew=500.0, detail="x"), "h", NOW),
         "the server does not speak TLS at this port"),
        (judge_tls(TlsFacts(reason="other"), "h", NOW), "the handshake failed"),
    ],
)  # fmt: skip
def test_a_finding_shows_what_was_measured(found: Finding, words: str) -> None:
    assert found.what == words


@pytest.mark.parametrize(
    ("kind", "body", "fails"),
    [
        ("application/json", b"<", True),
        ("application/problem+json", b"<", True),
        ("application/json; charset=utf-8", b"<", True),
        ("application/json", b"", False),
        ("application/json", b"[]", False),
        ("text/html", b"<", False),
        ("application/json-seq", b"<", False),
    ],
)
def test_a_body_of_json_must_be_json(kind: str, body: bytes, fails: bool) -> None:
    response = HttpResponse(200, freeze_headers({"Content-Type": kind}), body)
    diagnosis = judge(replace(FACTS, outcome=response))
    assert isinstance(diagnosis.failure, HTTPDecodeError) is fails
    assert (diagnosis.at_fault == "content") is fails


@pytest.mark.parametrize(
    "reason",
    ["expired", "not yet valid", "self-signed", "unknown authority", "wrong host"],
)
def test_nobody_is_advised_to_switch_verification_off(reason: str) -> None:
    facts = TlsFacts(reason=reason)  # type: ignore[arg-type]  # of its values
    assert judge_tls(facts, "h", NOW).advice.endswith("; do not switch verification off")


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("no common version", "TLS 1.2"),
        ("client certificate", "ssl_context"),
        ("not TLS", "http://"),
        ("broken off", "log"),
        ("timed out", "proxies"),
        ("other", "proxies"),
        ("self-signed", "--cacert"),
        ("unknown authority", "--cacert"),
        ("wrong host", "name"),
        ("expired", "renew"),
        ("not yet valid", "renew"),
    ],
)
def test_each_reason_has_its_own_advice(reason: str, word: str) -> None:
    facts = TlsFacts(reason=reason)  # type: ignore[arg-type]  # of its values
    assert word in judge_tls(facts, "h", NOW).advice
