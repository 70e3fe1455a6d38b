"""The catalogue of faults: closed, complete, and without what cannot be."""

from typing import get_args

import pytest

from railhttp import (
    HTTPClient,
    HTTPClientError,
    HTTPConnectionError,
    HttpResponse,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
    RetryPolicy,
)
from railhttp.model.errors import FAILURES, ConnectionKind, TimeoutPhase
from railhttp.model.stage import Stage
from railhttp.testing import ScriptedTransport
from railhttp.testing.explore import Fault, Faults, Schedule, faults, replay


@pytest.mark.parametrize(
    "text",
    [
        "dns",
        "tls",
        "connect",
        "disconnected",
        "disconnected, acted",
        "disconnected, acted, once",
        "truncated, acted",
        "html",
        "circuit open",
        "timeout read",
        "503",
        "204, acted",
    ],
)
def test_a_fault_has_its_kind_as_text(text: str) -> None:
    assert str(Fault.parse(text)) == text
    assert Fault.parse(text) in faults.all()


@pytest.mark.parametrize(
    "text", ["connect, acted", "circuit open, acted", "dns, acted", "404, acted"]
)
def test_a_server_that_was_not_reached_or_refused_did_not_act(text: str) -> None:
    with pytest.raises(ValueError, match="cannot happen to a server that acted"):
        Fault.parse(text)


@pytest.mark.parametrize("text", ["", "dns, twice", "no such thing", "99", "600", "²00", "acted"])
def test_what_the_catalogue_does_not_have_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^fault: there is no .* there are dns, "):
        Fault.parse(text)


def test_a_success_comes_from_a_server_that_acted() -> None:
    assert Fault.parse("204") == Fault("204", acted=True)
    with pytest.raises(ValueError, match="happens only to a server that acted"):
        Fault("204")


def test_every_fault_of_the_catalogue_can_be() -> None:
    for fault in faults.all():
        early = fault.stage in {Stage.QUEUED, Stage.CONNECTING}
        assert not (early and fault.acted), fault


def test_each_lost_response_comes_in_both_worlds() -> None:
    lost = {fault.name for fault in faults.all() if fault.stage is Stage.SENDING}
    assert lost == {"disconnected", "timeout read", "timeout total", "protocol"}
    for name in (*lost, "truncated", "html", "500", "502", "504"):
        assert {Fault(name), Fault(name, acted=True)} <= set(faults.all())


def test_sets_of_faults_combine() -> None:
    more = faults.all() | faults.statuses(402, 409, 503)
    assert list(more - faults.all()) == [Fault("402"), Fault("409")]
    assert len(more) == len(faults.all()) + 2
    assert faults.named("dns") == Faults([Fault("dns")])
    assert faults.named("dns") != faults.named("tls")
    assert hash(faults.named("dns", "tls")) == hash(faults.named("tls", "dns"))
    assert repr(faults.statuses(500).once()) == "<Faults 500, once; 500, acted, once>"
    assert list(faults.statuses(200)) == [Fault("200", acted=True)]


@pytest.mark.parametrize("code", [99, 199, 600])
def test_a_status_is_one_that_a_response_can_have(code: int) -> None:
    with pytest.raises(ValueError, match="codes: must be from 200 to 599, got"):
        faults.statuses(code)


async def shown(fault: Fault) -> HTTPClientError | None:
    """Return the failure that a fault causes in a program without retries."""

    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("GET", "/").reply(json={"id": 7})
        return script

    async def program(client: HTTPClient) -> HTTPClientError | None:
        try:
            (await client.request("GET", "http://h/")).raise_for_status()
        except HTTPClientError as failure:
            return failure
        return None

    return await replay(
        program,
        world,
        None,
        Schedule({"GET /": fault}),
        client=lambda exchange, clock: HTTPClient(
            exchange=exchange, clock=clock, retry_policy=RetryPolicy(1)
        ),
    )


async def test_the_catalogue_shows_every_class_kind_and_phase_of_the_union() -> None:
    failures = [failure for fault in faults.all() if (failure := await shown(fault))]
    kinds = {failure.kind for failure in failures if isinstance(failure, HTTPConnectionError)}
    phases = {failure.phase for failure in failures if isinstance(failure, HTTPTimeoutError)}
    assert kinds == set(get_args(ConnectionKind))
    assert phases == set(get_args(TimeoutPhase))
    # HTTPRetryExhaustedError comes from the retry policy, which is the real one.
    assert {type(failure) for failure in failures} == {*FAILURES} - {HTTPRetryExhaustedError}


async def test_a_failure_proves_what_its_stage_proves() -> None:
    for fault in faults.all():
        failure = await shown(fault)
        if failure is not None:
            assert failure.delivery is fault.stage.delivery, fault


async def test_a_status_is_a_response_with_this_status() -> None:
    failure = await shown(Fault("503"))
    assert isinstance(failure, HTTPStatusError)
    assert failure.status == 503


@pytest.mark.parametrize("status", [200, 204, 299, 300, 304, 404, 499, 500, 599])
async def test_each_status_is_played_without_a_body(status: int) -> None:
    (fault, *_) = faults.statuses(status)

    async def program(client: HTTPClient) -> tuple[int, bytes]:
        response = await client.request("GET", "http://h/", allow_redirects=False)
        return response.status, response.body

    def world() -> ScriptedTransport:
        script = ScriptedTransport()
        script.on("GET", "/").reply(201, text="a body")
        return script

    assert await replay(program, world, None, Schedule({"GET /": fault})) == (status, b"")


@pytest.mark.parametrize(
    ("name", "status", "fields", "start"),
    [
        ("redirect", 302, {"Location": "ftp://login.invalid/"}, b""),
        ("html", 200, {"Content-Type": "text/html"}, b"<!doctype html>"),
        ("broken json", 200, {"Content-Type": "application/json"}, b'{"id": '),
        ("null", 200, {"Content-Type": "application/json"}, b"null"),
        ("empty object", 200, {"Content-Type": "application/json"}, b"{}"),
    ],
)
def test_a_spoilt_response_looks_like_a_real_one(
    name: str, status: int, fields: dict[str, str], start: bytes
) -> None:
    reply = Fault.parse(name).kind.reply
    assert reply is not None
    assert (reply.status, dict(reply.headers)) == (status, fields)
    assert reply.body.startswith(start)


BEFORE = (
    *("dns", "connect", "proxy", "tls", "timeout connect", "timeout pool", "circuit open"),
    *("rejected", "closed", "invalid request", "redirect"),
    *("400", "401", "403", "404", "422", "429"),
)
"""Faults of requests that no server acted on."""
AFTER = ("too large", "decode", "broken json", "null", "empty object", "204")
"""Faults of responses to requests that a server acted on."""
EITHER = ("timeout total", "protocol", "interceptor", "html")
"""Faults with which nobody knows."""
HEALED = ("disconnected", "timeout read", "truncated", "500", "502", "503", "504")
"""Faults with which nobody knows, and which a retry may heal."""


def test_the_catalogue_has_each_fault_in_the_worlds_in_which_it_can_happen() -> None:
    expected = {
        *BEFORE,
        *(f"{name}, acted" for name in (*AFTER, *EITHER, *HEALED)),
        *EITHER,
        *HEALED,
        *(f"{name}, acted, once" for name in HEALED),
    }
    assert {str(fault) for fault in faults.all()} == expected
    assert len(faults.all()) == len(expected)


@pytest.mark.parametrize(
    ("name", "details"),
    [
        ("circuit open", {"retry_after": 1.0}),
        ("invalid request", {"label": "invalid request"}),
        ("decode", {"where": "Content-Encoding"}),
        ("too large", {"limit": 1}),
        ("interceptor", {"interceptor": ""}),
        ("timeout pool", {"phase": "pool"}),
        ("timeout connect", {"phase": "connect"}),
        ("timeout read", {"phase": "read"}),
        *((kind, {"kind": kind}) for kind in ("dns", "connect", "proxy", "tls", "rejected")),
        *((kind, {"kind": kind}) for kind in ("closed", "disconnected", "protocol", "truncated")),
    ],
)
async def test_a_fault_has_the_details_of_its_failure(
    name: str, details: dict[str, object]
) -> None:
    fault = next(one for one in faults.all() if one.name == name)
    transport = ScriptedTransport()
    route = transport.on("GET", "/")
    stage = fault.kind.stages[fault.acted]
    assert stage is not None
    fault.kind.play(route, stage, HttpResponse(200, body=b"x"))
    async with HTTPClient(exchange=transport, retry_policy=RetryPolicy(1, reraise=True)) as client:
        with pytest.raises(HTTPClientError) as caught:
            await client.request("GET", "http://h/")
    assert {key: getattr(caught.value, key) for key in details} == details
