"""Mutated messages: each has a verdict, which does not depend on how its bytes arrive."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from properties import mutations as some
from tests.loops import PatientLoop
from tests.servers.connection import Connection, Received
from tests.servers.scripted import ScriptedServer
from yarl import URL

from railhttp import (
    ConnectionPoolConfig,
    HTTPClient,
    HTTPClientConfig,
    HTTPStatusError,
    HTTPTimeoutError,
    HTTPValidationError,
    RetryPolicy,
)
from railhttp.model.redaction import redact_url
from railhttp.model.url import build_url, origin_of, parse_url_parts, request_url
from railhttp.wire.cookie_store import CookieStore
from railhttp.wire.cookies import cookie_header
from railhttp.wire.lines import LineDecoder, LineSplitter, LineTooLong
from railhttp.wire.set_cookie import CONTROLS
from railhttp.wire.sse import EventStreamDecoder, EventTooLarge

REFUSED: Final = ("refused",)
NOW: Final = 1_700_000_000.0
SITE: Final = URL("https://www.example.com/a/b")


class Wire:
    """A client, and a server that sends it any bytes in any pieces."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._pieces: list[bytes] = []
        self._server = ScriptedServer(self._play)
        config = HTTPClientConfig(
            ConnectionPoolConfig(force_close=True),  # a new connection for each response
            trust_env=False,
            cookie_jar=False,
            timeout=20.0,
            max_redirects=0,
        )
        self._client = HTTPClient(config, retry_policy=RetryPolicy(max_attempts=1, reraise=True))

    async def _play(self, connection: Connection, request: Received) -> None:
        for piece in self._pieces:
            await connection.send(piece)
            for _ in range(4):  # the client reads each piece alone
                await asyncio.sleep(0)

    def start(self) -> None:
        self._runner.run(self._server.__aenter__())
        self._runner.run(self._client.start())

    def stop(self) -> None:
        self._runner.run(self._client.stop())
        self._runner.run(self._server.__aexit__(None, None, None))

    def verdict(self, pieces: list[bytes]) -> tuple[object, ...]:
        """Return the outcome of a call whose response arrives in these pieces."""
        return self._runner.run(self._verdict(pieces))

    async def _verdict(self, pieces: list[bytes]) -> tuple[object, ...]:
        self._pieces = pieces
        result = await self._client.get(self._server.url())
        response = result.value_or(None)
        if response is not None:
            return response.status, sorted(response.headers.items()), response.body
        match result.failure():
            case HTTPStatusError() as failure:
                return failure.status, sorted(failure.response.headers.items()), b""
            case HTTPTimeoutError():
                return ("hangs",)
            case _:  # of several mistakes in a message, the first to arrive is reported
                return REFUSED


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with asyncio.Runner(loop_factory=PatientLoop) as runner:  # a busy machine is no hang
        wire = Wire(runner)
        wire.start()
        yield wire
        wire.stop()


@settings(max_examples=200)
@given(data=st.data(), message=some.mutated(some.HEADS + some.CHUNKED))
def test_a_mutated_response_has_one_verdict_under_any_cut(
    data: st.DataObject, message: bytes, wire: Wire
) -> None:
    at_once, in_pieces = wire.verdict([message]), wire.verdict(data.draw(some.cut(message)))
    # Junk behind a complete response counts only if it came in the same piece.
    assert at_once in (in_pieces, REFUSED)


def fed(feed: Callable[[bytes], list[object]], pieces: list[bytes]) -> tuple[list[object], str]:
    seen: list[object] = []
    try:
        for piece in pieces:
            seen += feed(piece)
    except (EventTooLarge, LineTooLong) as error:
        return [], str(error)
    return seen, ""


@given(data=st.data(), stream=some.mutated(some.EVENTS), limit=st.none() | st.integers(1, 60))
def test_a_mutated_event_stream_has_one_verdict_under_any_cut(
    data: st.DataObject, stream: bytes, limit: int | None
) -> None:
    whole, pieces = EventStreamDecoder(limit), EventStreamDecoder(limit)
    expected = fed(lambda piece: list(whole.feed(piece)), [stream])
    assert fed(lambda piece: list(pieces.feed(piece)), data.draw(some.cut(stream))) == expected
    if not expected[1]:
        assert (whole.last_event_id, whole.retry) == (pieces.last_event_id, pieces.retry)


@given(
    data=st.data(),
    stream=some.mutated(some.EVENTS),
    limit=st.none() | st.integers(1, 40),
    decoder=st.sampled_from([LineDecoder, LineSplitter]),
)
def test_mutated_lines_have_one_verdict_under_any_cut(
    data: st.DataObject,
    stream: bytes,
    limit: int | None,
    decoder: type[LineDecoder] | type[LineSplitter],
) -> None:
    whole, pieces = decoder(limit), decoder(limit)
    expected = fed(lambda piece: list(whole.feed(piece)), [stream])
    assert fed(lambda piece: list(pieces.feed(piece)), data.draw(some.cut(stream))) == expected
    if not expected[1]:
        assert whole.flush() == pieces.flush()


@given(st.lists(some.mutated(some.COOKIES), max_size=3))
def test_a_mutated_cookie_is_ignored_or_sent_in_one_line(fields: list[bytes]) -> None:
    store = CookieStore().receive(fields, SITE, NOW)
    again = CookieStore()
    for field in fields:
        again = again.receive([field], SITE, NOW)
    _, cookies = store.retrieve(SITE, NOW)
    line = cookie_header(cookies)
    assert not CONTROLS.search(line)  # RFC 6265bis, section 5.6, allows tabs
    assert line == cookie_header(again.retrieve(SITE, NOW)[1])
    assert all(c.domain in {"www.example.com", "example.com"} for c in cookies)
    assert store.retrieve(URL("http://evil.example/"), NOW)[1] == ()


def mutated_urls() -> st.SearchStrategy[str]:
    encoded = [url.encode() for url in some.URLS]
    return some.mutated(encoded).map(lambda url: url.decode("utf-8", "replace"))


@given(mutated_urls())
def test_a_mutated_url_is_refused_or_means_one_thing(text: str) -> None:
    try:
        url = request_url(text)
    except HTTPValidationError:
        with pytest.raises(HTTPValidationError):
            parse_url_parts(text)
        return
    again = request_url(str(url))
    assert (str(again), origin_of(again)) == (str(url), origin_of(url))
    assert request_url(build_url(str(url))).raw_path == url.raw_path
    head = f"GET {url.raw_path_qs} HTTP/1.1 {url.host_subcomponent}"
    assert head.isascii()
    assert head.isprintable()
    assert head.count(" ") == 3
    parts = parse_url_parts(text)
    assert (parts["scheme"], parts["host"]) == (url.scheme, url.raw_host)


@given(mutated_urls())
@example("https://s://user:pa%20ss@api.example:8443/v1/items;x=1?q=a+b#top")
@example("https://https://user:pa%20ss@api.example/")
def test_a_mutated_url_is_shown_without_its_secrets(text: str) -> None:
    shown = redact_url(text)
    assert redact_url(shown) == shown
    assert shown.isprintable()
    assert "pa%20ss" not in shown or "@" not in text or "user:" not in text
