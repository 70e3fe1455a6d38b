"""The findings about a URL, and the defaults of what they follow from."""

import pytest

from railhttp.model.diagnosis import (
    Diagnosis,
    Facts,
    Finding,
    NameFacts,
    ProxyFacts,
    RouteFacts,
    TlsFacts,
)
from railhttp.model.response import HttpResponse


def test_what_was_not_found_out_is_empty() -> None:
    assert NameFacts("h") == NameFacts("h", addresses=(), seconds=0.0, error="")
    assert ProxyFacts() == ProxyFacts(url="", source="", bypassed=False, error="")
    assert RouteFacts("::1", 80) == RouteFacts("::1", 80, seconds=0.0, error="", timed_out=False)
    assert TlsFacts() == TlsFacts(
        version="",
        seconds=0.0,
        reason=None,
        detail="",
        certificate=None,
        otherwise_trusted=None,
        skew=None,
    )
    facts = Facts("http://h", ProxyFacts(), NameFacts("h"), (), None, HttpResponse(200), 0.0)
    assert facts.skew is None


@pytest.mark.parametrize(
    ("route", "text"),
    [
        (RouteFacts("192.0.2.1", 443), "192.0.2.1:443"),
        (RouteFacts("2001:db8::1", 80), "[2001:db8::1]:80"),
    ],
)
def test_a_route_is_shown_as_the_authority_of_a_url(route: RouteFacts, text: str) -> None:
    assert str(route) == text


WELL = Finding("name", "192.0.2.1")
SLOW = Finding("route", "2 s", "warning", "try another network")
EXPIRED = Finding("tls", "expired", "fault", "renew it")
TWICE = Finding("http", "no response", "fault", "try another network")


def test_a_finding_is_well_unless_it_says_otherwise() -> None:
    assert (WELL.severity, WELL.advice, WELL.seconds) == ("ok", "", None)


@pytest.mark.parametrize(
    ("findings", "fault", "advice"),
    [
        ((), None, ()),
        ((WELL,), None, ()),
        ((WELL, SLOW), None, ("try another network",)),
        ((WELL, EXPIRED), EXPIRED, ("renew it",)),
        ((SLOW, EXPIRED, TWICE), EXPIRED, ("try another network", "renew it")),
        ((EXPIRED, TWICE, EXPIRED), EXPIRED, ("renew it", "try another network")),
    ],
)
def test_the_first_fault_decides_and_each_advice_is_given_once(
    findings: tuple[Finding, ...], fault: Finding | None, advice: tuple[str, ...]
) -> None:
    diagnosis = Diagnosis("http://h/", findings)
    assert diagnosis.failure is None
    assert diagnosis.fault is fault
    assert diagnosis.ok is (fault is None)
    assert diagnosis.at_fault == (None if fault is None else fault.step)
    assert diagnosis.advice == advice
