"""`railhttp tail`: server-sent events and NDJSON, line by line as they come."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Final

from multidict import CIMultiDict

from railhttp import HTTPClient, HTTPDecodeError, RequestOptions, ServerSentEvent
from railhttp.cli.arguments import Parser, Setup, add_call_options, add_retries, count
from railhttp.cli.attempts import AttemptLog
from railhttp.cli.exit_code import OK
from railhttp.cli.sending import client_of, report_failure, say_setup
from railhttp.cli.terminal import Terminal, printable
from railhttp.model.errors import FAILURES

NDJSON: Final = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines"}
)
_ACCEPT: Final = "text/event-stream, application/x-ndjson;q=0.9"


def run(argv: Sequence[str], terminal: Terminal) -> int:
    """Follow a stream to its end, and return the exit code."""
    parser = Parser(
        "tail",
        "Follow server-sent events or NDJSON. A stream of events is opened again when its\n"
        "connection ends, from the last event on, until the server responds with 204.",
        epilog="With --json each event is one line: an object with id, event and data. NDJSON is\n"
        "printed as it is, one document a line, with or without it.",
    )
    add_call_options(parser)
    add_retries(parser)
    add = parser.add_argument
    add("--last-event-id", metavar="ID", default="", help="go on after this event")
    add("-n", "--count", metavar="N", type=count, help="stop after N events")
    add("--no-reconnect", action="store_true", help="stop when the connection ends")
    given = parser.read(argv)
    setup = Setup.of(parser, given)
    say_setup(setup, terminal)
    follow = _follow(setup, terminal, given.last_event_id, not given.no_reconnect, given.count)
    try:
        asyncio.run(follow)
    except FAILURES as failure:
        return report_failure(failure, terminal, as_json=setup.as_json)
    return OK


async def _follow(
    setup: Setup, terminal: Terminal, last_event_id: str, reconnect: bool, limit: int | None
) -> None:
    headers = CIMultiDict(setup.headers)
    headers.setdefault("Accept", _ACCEPT)
    # Silence is expected here: the next event may come tomorrow.
    options = RequestOptions(headers=headers, read_timeout=None)
    async with client_of(setup, AttemptLog(terminal)) as client:
        try:
            async with client.sse(
                setup.url, reconnect=reconnect, last_event_id=last_event_id, **options
            ) as events:
                await _print_events(events, terminal, limit, as_json=setup.as_json)
        except HTTPDecodeError as failure:
            if failure.content_type not in NDJSON:
                raise
            await _print_lines(client, setup.url, options, terminal, limit)


async def _print_events(
    events: AsyncIterator[ServerSentEvent], terminal: Terminal, limit: int | None, *, as_json: bool
) -> None:
    number = 0
    while limit is None or number < limit:
        event = await anext(events, None)
        if event is None:
            return
        number += 1
        terminal.print(_event_line(event) if as_json else _shown(event.data, terminal))


def _event_line(event: ServerSentEvent) -> str:
    document = {"id": event.event_id, "event": event.event, "data": event.data}
    return json.dumps(document, ensure_ascii=False)


async def _print_lines(
    client: HTTPClient, url: str, options: RequestOptions, terminal: Terminal, limit: int | None
) -> None:
    number = 0
    async with client.stream("GET", url, **options) as stream:
        stream.raise_for_status()
        if limit == 0:
            return
        async for document in stream.aiter_json():
            terminal.print(_shown(json.dumps(document, ensure_ascii=False), terminal))
            number += 1
            if number == limit:
                return


def _shown(text: str, terminal: Terminal) -> str:
    return printable(text) if terminal.shows_body else text
