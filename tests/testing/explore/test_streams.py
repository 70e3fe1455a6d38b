"""Streams, event streams and downloads under every failure."""

import time
from pathlib import Path
from typing import Any

import pytest

from railhttp import HTTPClient, HTTPClientError, HttpResponse
from railhttp.client.part_file import PartFile
from railhttp.headers import freeze_headers
from railhttp.policy.resume import Partial
from railhttp.testing import ScriptedTransport, SentRequest
from railhttp.testing.explore import Report, explore, faults

API = "https://api.example"
LINES = b"".join(b"line %d\n" % number for number in range(10))
EVENTS = [b"id: 1\ndata: a\n\n", b"id: 2\ndata: b\n\n"]


def library() -> ScriptedTransport:
    script = ScriptedTransport()
    script.on("GET", "/lines").reply(body=[LINES[:7], LINES[7:]])
    script.on("GET", "/events").does(events)
    script.on("GET", "/file").does(part)
    return script


def events(sent: SentRequest) -> HttpResponse:
    seen = int(sent.headers.get("Last-Event-ID", "0"))
    if seen == len(EVENTS):
        return HttpResponse(204)
    fields = freeze_headers({"Content-Type": "text/event-stream"})
    return HttpResponse(200, fields, b"".join(EVENTS[seen:]))


def part(sent: SentRequest) -> HttpResponse:
    fields = {"ETag": '"1"', "Accept-Ranges": "bytes"}
    wanted = sent.headers.get("Range", "")
    if not wanted:
        return HttpResponse(200, freeze_headers(fields), LINES)
    start = int(wanted.removeprefix("bytes=").partition("-")[0])
    fields["Content-Range"] = f"bytes {start}-{len(LINES) - 1}/{len(LINES)}"
    return HttpResponse(206, freeze_headers(fields), LINES[start:])


def ends(report: Report[Any]) -> dict[str, object]:
    return {str(run.schedule): run.complaint or run.outcome for run in report.runs}


async def test_a_stream_breaks_within_its_body() -> None:
    async def program(client: HTTPClient) -> str:
        lines = []
        try:
            async with client.stream("GET", f"{API}/lines") as answer:
                lines = [line async for line in answer.aiter_lines()]
        except HTTPClientError as failure:
            return f"{failure.label}, {failure.delivery.value}"
        return f"{len(lines)} lines"

    some = faults.named("dns", "disconnected, acted", "truncated, acted", "html", "decode, acted")
    assert ends(await explore(program, library, faults=some)) == {
        "no fault": "10 lines",
        "GET /lines: dns": "dns, not sent",
        "GET /lines: disconnected, acted": "disconnected, maybe sent",
        "GET /lines: truncated, acted": "truncated, answered",
        "GET /lines: html": "1 lines",
        "GET /lines: decode, acted": "decode, answered",
    }


async def test_an_event_stream_that_reconnects_has_a_call_for_each_connection() -> None:
    async def program(client: HTTPClient) -> str:
        found = []
        try:
            async with client.sse(f"{API}/events", reconnect=True) as stream:
                found = [event.data async for event in stream]
        except HTTPClientError as failure:
            return failure.label
        return " ".join(found)

    some = faults.named("truncated, acted", "tls", "503")
    report = await explore(program, library, faults=some)
    assert ends(report) == {
        "no fault": "a b",
        "GET /events: truncated, acted": "a b",
        "GET /events: tls": "tls",
        "GET /events: 503": "503",
        "GET /events #2: truncated, acted": "decode",
        "GET /events #2: tls": "tls",
        "GET /events #2: 503": "a b",
    }
    assert report.calls == ("GET /events", "GET /events #2", "GET /events #3")


@pytest.mark.parametrize("late", [0.0, 0.2], ids=["a quick disk", "a disk slower than all limits"])
async def test_a_download_goes_on_where_it_broke_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: float
) -> None:
    begin = PartFile.begin

    def slow_begin(part: PartFile, partial: Partial, *, keeps_note: bool = True) -> None:
        time.sleep(late)
        begin(part, partial, keeps_note=keeps_note)

    monkeypatch.setattr(PartFile, "begin", slow_begin)
    path = tmp_path / "file"

    async def program(client: HTTPClient) -> bytes:
        path.unlink(missing_ok=True)
        await client.download(f"{API}/file", path)
        return path.read_bytes() if path.exists() else b""

    some = faults.named("dns", "truncated, acted", "404")
    report = await explore(program, library, faults=some, at_once=1 if late else 2, patience=60.0)
    assert not report.minimal
    assert report.calls[:2] == ("GET /file", "GET /file #2")
    broken = next(run for run in report.runs if str(run.schedule) == "GET /file: truncated, acted")
    assert broken.outcome == LINES
