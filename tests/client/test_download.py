"""Downloads: whole files only, resumed after a drop and over runs."""

import asyncio
import errno
import fcntl
import hashlib
import json
import os
import resource
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG

import pytest
from tests.client.hurried_clock import HurriedClock
from tests.patience import until
from tests.servers.connection import Connection, Received
from tests.servers.echo import EchoServer
from tests.servers.faults import FaultServer
from tests.servers.leaks import nothing_left
from tests.servers.registry import answer, head
from tests.servers.scripted import Play, ScriptedServer, sends

from railhttp import (
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPStatusError,
    HTTPTimeoutError,
    RetryPolicy,
)
from railhttp.client.base_url_client import BaseURLHTTPClient
from railhttp.client.downloading import MAX_DROPS, Checksum
from railhttp.client.part_file import PartFile
from railhttp.model.download import Download
from railhttp.policy.resume import Partial
from railhttp.testing import ManualClock, ScriptedTransport

pytestmark = pytest.mark.usefixtures("patient_disk")

CONTENT = bytes(range(256)) * 8192  # 2 MiB, more than is written at once
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
V1 = 'ETag: "v1"'


@pytest.fixture
async def client() -> AsyncIterator[HTTPClient]:
    """A client that does not wait before it goes on."""
    config = HTTPClientConfig(timeout=60.0, trust_env=False)
    async with HTTPClient(config, clock=HurriedClock()) as client:
        yield client


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file.bin"


def part_of(target: Path) -> Path:
    return target.with_name(".file.bin.part")


def leave_part(
    target: Path, url: str, content: bytes, validator: str = '"v1"', total: int | None = None
) -> None:
    """What an earlier run leaves behind."""
    part = PartFile(target, url)
    part.begin(Partial(0, validator, total))
    part.write([content])
    part.close(keep=True)


class Telling:
    """AttemptState that tells the server when so many bytes are there."""

    def __init__(self, size: int) -> None:
        self.calls: list[tuple[int, int | None]] = []
        self.told = asyncio.Event()
        self._size = size

    def __call__(self, size: int, total: int | None) -> None:
        self.calls.append((size, total))
        if size >= self._size:
            self.told.set()


def serves(content: bytes, *fields: str) -> Play:
    """A file server that knows ranges; the fields are those of a whole answer."""
    etag = next((field.partition(": ")[2] for field in fields if field.startswith("ETag")), "")

    async def play(connection: Connection, request: Received) -> None:
        asked = request.header("Range").removeprefix("bytes=").removesuffix("-")
        if not asked or request.header("If-Range") not in ("", etag):
            await connection.send(answer(content, *fields))
        elif int(asked) >= len(content):
            field = f"Content-Range: bytes */{len(content)}"
            await connection.send(answer(b"", field, status="416 Range Not Satisfiable"))
        else:
            start = int(asked)
            field = f"Content-Range: bytes {start}-{len(content) - 1}/{len(content)}"
            await connection.send(
                answer(content[start:], field, *fields, status="206 Partial Content")
            )

    return play


def drops(content: bytes, size: int, told: asyncio.Event, *fields: str) -> Play:
    """Send so many bytes of the file, wait until they are there, and break off."""

    async def play(connection: Connection, _: Received) -> None:
        await connection.send(head(f"Content-Length: {len(content)}", *fields) + content[:size])
        await told.wait()
        connection.reset()

    return play


def read(path: Path) -> bytes:
    return path.read_bytes()


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def exists(path: Path) -> bool:
    return path.exists()


def remove(path: Path) -> None:
    path.unlink()


def left_beside(target: Path) -> set[str]:
    return {path.name for path in target.parent.iterdir()} - {target.name}


# -- whole files ----------------------------------------------------------------------------


async def test_a_file_is_there_when_it_is_whole(client: HTTPClient, target: Path) -> None:
    async with ScriptedServer(serves(CONTENT, V1)) as server:
        result = await client.download(server.url(), target, checksum=SHA256)
    download = result.unwrap()
    assert read(target) == CONTENT
    assert left_beside(target) == set()
    assert download == Download(target, len(CONTENT), 0, download.response)
    assert (download.response.status, download.response.body) == (200, b"")
    assert server.received[0].all("Accept-Encoding") == ["identity"]
    assert server.received[0].all("Range") == []


async def test_a_path_may_be_text_and_the_file_empty(client: HTTPClient, target: Path) -> None:
    async with ScriptedServer(sends(answer(b""))) as server:
        assert (await client.download(server.url(), str(target))).unwrap().size == 0
    assert read(target) == b""


async def test_an_existing_file_is_replaced(client: HTTPClient, target: Path) -> None:
    write(target, b"old")
    async with ScriptedServer(sends(answer(b"new"))) as server:
        assert (await client.download(server.url(), target)).unwrap().size == 3
    assert read(target) == b"new"


async def test_progress_knows_the_size_in_all(client: HTTPClient, target: Path) -> None:
    telling = Telling(0)
    async with ScriptedServer(sends(answer(CONTENT))) as server:
        await client.download(server.url(), target, progress=telling)
    assert telling.calls[-1] == (len(CONTENT), len(CONTENT))
    assert telling.calls == sorted(telling.calls)


async def test_a_body_without_a_length_is_taken_to_its_end(
    client: HTTPClient, faults: FaultServer, target: Path
) -> None:
    telling = Telling(0)
    await client.download(faults.url("/body-until-close"), target, progress=telling)
    assert read(target) == b"ok"
    assert telling.calls == [(2, None)]


async def test_a_coding_that_nobody_asked_for_is_undone(
    client: HTTPClient, echo: EchoServer, target: Path
) -> None:
    telling = Telling(0)
    result = await client.download(echo.url("/gzip"), target, progress=telling)
    assert result.unwrap().size == len(read(target))
    assert json.loads(read(target))["numbers"] == [1, 2, 3]
    assert telling.calls[-1] == (result.unwrap().size, None)


async def test_a_client_of_one_service_downloads_too(target: Path) -> None:
    async with (
        ScriptedServer(serves(CONTENT)) as server,
        BaseURLHTTPClient(server.url("/v1"), {"X-Id": "7"}) as client,
    ):
        assert (await client.download("/file", target)).unwrap().size == len(CONTENT)
    assert server.received[0].path == "/v1/file"
    assert server.received[0].header("X-Id") == "7"


# -- resuming -------------------------------------------------------------------------------


async def test_after_a_drop_the_download_goes_on(client: HTTPClient, target: Path) -> None:
    size = 700_000
    telling = Telling(size)
    async with ScriptedServer(
        drops(CONTENT, size, telling.told, V1), serves(CONTENT, V1)
    ) as server:
        result = await client.download(server.url(), target, progress=telling, checksum=SHA256)
    assert (result.unwrap().size, result.unwrap().resumed_from) == (len(CONTENT), 0)
    assert read(target) == CONTENT
    again = server.received[1]
    assert (again.header("Range"), again.header("If-Range")) == (f"bytes={size}-", '"v1"')
    assert left_beside(target) == set()


async def test_what_came_together_with_the_drop_counts(client: HTTPClient, target: Path) -> None:
    drop = sends(head("Content-Length: 7", V1) + b"cont")
    async with ScriptedServer(drop, serves(b"content", V1)) as server:
        assert (await client.download(server.url(), target)).unwrap().size == 7
    assert [request.header("Range") for request in server.received] == ["", "bytes=4-"]


BUSY = sends(answer(b"sorry", "Connection: close", status="503 Busy"))


@pytest.mark.parametrize(("attempts", "waits"), [(1, [0.25, 0.5, 1.0]), (2, [0.25, 0.5])])
@pytest.mark.parametrize("away", [sends(b""), BUSY], ids=["no answer", "503"])
async def test_a_server_that_is_away_after_a_drop_is_asked_again(
    target: Path, away: Play, attempts: int, waits: list[float]
) -> None:
    telling, clock = Telling(4), HurriedClock()
    policy = RetryPolicy(max_attempts=attempts, base_delay=0.0)
    plays = [drops(b"content", 4, telling.told, V1), *[away] * 2, serves(b"content", V1)]
    async with (
        ScriptedServer(*plays) as server,
        HTTPClient(retry_policy=policy, clock=clock) as client,
    ):
        result = await client.download(server.url(), target, progress=telling)
    assert [seconds for seconds in clock.slept if seconds] == waits
    assert result.unwrap().size == 7
    assert [request.header("Range") for request in server.received] == ["", *["bytes=4-"] * 3]


async def test_a_refusal_after_a_drop_ends_the_download(client: HTTPClient, target: Path) -> None:
    telling = Telling(4)
    gone = sends(answer(b"gone", status="410 Gone"))
    async with ScriptedServer(drops(b"content", 4, telling.told, V1), gone) as server:
        failure = (await client.download(server.url(), target, progress=telling)).failure()
    assert isinstance(failure, HTTPStatusError)
    assert (failure.status, len(server.received)) == (410, 2)
    assert read(part_of(target)) == b"cont"


async def test_a_server_that_stays_away_ends_the_download(client: HTTPClient, target: Path) -> None:
    telling = Telling(4)
    async with ScriptedServer(drops(b"content", 4, telling.told, V1), BUSY) as server:
        failure = (await client.download(server.url(), target, progress=telling)).failure()
    assert isinstance(failure, HTTPStatusError)
    assert failure.status == 503
    assert read(part_of(target)) == b"cont"


async def test_a_run_goes_on_where_an_earlier_one_broke_off(target: Path) -> None:
    telling = Telling(4)
    away = [sends(b"")] * MAX_DROPS
    plays = [drops(b"content", 4, telling.told, V1), *away, serves(b"content", V1)]
    policy = RetryPolicy(max_attempts=1)
    async with (
        ScriptedServer(*plays) as server,
        HTTPClient(retry_policy=policy, clock=HurriedClock()) as client,
    ):
        url = server.url("/file", token="s3cret")
        failure = (await client.download(url, target, progress=telling)).failure()
        assert isinstance(failure, HTTPConnectionError)
        assert not exists(target)
        assert read(part_of(target)) == b"cont"
        assert "s3cret" not in part_of(target).with_suffix(".part.json").read_text()
        result = await client.download(url, target)
    assert (result.unwrap().size, result.unwrap().resumed_from) == (7, 4)
    assert result.unwrap().response.status == 206
    assert read(target) == b"content"
    assert left_beside(target) == set()


@pytest.mark.parametrize(
    ("play", "asked"),
    [
        (serves(b"newer content", 'ETag: "v2"'), ["bytes=4-"]),
        (sends(answer(b"newer content")), ["bytes=4-"]),
        (serves(b"newer content", 'ETag: W/"v1"'), ["bytes=4-"]),
    ],
    ids=["changed", "no ranges", "weak"],
)
async def test_where_the_version_changed_the_file_is_fetched_anew(
    client: HTTPClient, target: Path, play: Play, asked: list[str]
) -> None:
    async with ScriptedServer(play) as server:
        leave_part(target, server.url(), b"cont")
        result = await client.download(server.url(), target)
    assert read(target) == b"newer content"
    assert result.unwrap().size == 13
    assert [request.header("Range") for request in server.received] == asked


@pytest.mark.parametrize(
    "first",
    [
        sends(answer(b"ent", "Content-Range: bytes 3-5/7", status="206 Partial")),
        sends(answer(b"ent", status="206 Partial")),
        sends(answer(b"ent", "Content-Range: bytes 4-6/7", 'ETag: "v2"', status="206 Partial")),
        sends(answer(b"ents", "Content-Range: bytes 4-7/8", V1, status="206 Partial")),
        sends(
            answer(
                b"ent", "Content-Range: bytes 4-6/7", "Content-Encoding: x", status="206 Partial"
            )
        ),
        sends(answer(b"", "Content-Range: bytes */4", status="416 Range Not Satisfiable")),
    ],
    ids=["other start", "no range", "other version", "other length", "encoded", "416"],
)
async def test_a_part_that_does_not_fit_is_thrown_away(
    client: HTTPClient, target: Path, first: Play
) -> None:
    async with ScriptedServer(first, serves(b"content", V1)) as server:
        leave_part(target, server.url(), b"cont", total=7)
        assert (await client.download(server.url(), target)).unwrap().size == 7
    assert read(target) == b"content"
    assert [request.header("Range") for request in server.received] == ["bytes=4-", ""]


async def test_parts_may_come_in_any_number(client: HTTPClient, target: Path) -> None:
    """A server that gives less than it was asked for is asked for the rest."""
    partial = "206 Partial Content"
    plays = [
        sends(answer(b"ab", "Content-Range: bytes 4-5/8", V1, status=partial)),
        sends(answer(b"cd", "Content-Range: bytes 6-7/8", V1, status=partial)),
    ]
    async with ScriptedServer(*plays) as server:
        leave_part(target, server.url(), b"cont")
        assert (await client.download(server.url(), target)).unwrap().resumed_from == 4
    assert read(target) == b"contabcd"


async def test_a_range_in_the_coding_identity_is_in_none(client: HTTPClient, target: Path) -> None:
    fields = ("Content-Range: bytes 4-6/7", "Content-Encoding: Identity", V1)
    async with ScriptedServer(sends(answer(b"ent", *fields, status="206 Partial"))) as server:
        leave_part(target, server.url(), b"cont")
        assert (await client.download(server.url(), target)).unwrap().resumed_from == 4
    assert read(target) == b"content"


async def test_a_range_of_unknown_length_is_taken_to_its_end(
    client: HTTPClient, target: Path
) -> None:
    fields = ("Content-Range: bytes 4-6/*", V1)
    async with ScriptedServer(sends(answer(b"ent", *fields, status="206 Partial"))) as server:
        leave_part(target, server.url(), b"cont")
        assert (await client.download(server.url(), target)).unwrap().size == 7
    assert read(target) == b"content"


async def test_a_date_is_a_validator_too(client: HTTPClient, target: Path) -> None:
    telling = Telling(4)
    modified = "Mon, 01 Jan 2024 00:00:00 GMT"
    fields = (f"Last-Modified: {modified}", "Date: Mon, 01 Jan 2024 00:01:00 GMT")
    plays = [
        drops(b"content", 4, telling.told, *fields),
        sends(answer(b"ent", "Content-Range: bytes 4-6/7", *fields, status="206 Partial")),
    ]
    async with ScriptedServer(*plays) as server:
        assert (await client.download(server.url(), target, progress=telling)).unwrap().size == 7
    assert server.received[1].header("If-Range") == modified


async def test_a_part_of_another_date_is_thrown_away(client: HTTPClient, target: Path) -> None:
    now = "Date: Mon, 01 Jan 2024 00:02:00 GMT"
    dates = [f"Last-Modified: Mon, 01 Jan 2024 00:0{minute}:00 GMT" for minute in range(2)]
    telling = Telling(4)
    plays = [
        drops(b"content", 4, telling.told, dates[0], now),
        sends(answer(b"her", "Content-Range: bytes 4-6/7", dates[1], now, status="206 Partial")),
        sends(answer(b"another", dates[1], now)),
    ]
    async with ScriptedServer(*plays) as server:
        assert (await client.download(server.url(), target, progress=telling)).unwrap().size == 7
    assert read(target) == b"another"


async def test_a_length_that_was_known_holds_for_a_range_of_unknown_length(
    client: HTTPClient, target: Path
) -> None:
    short = sends(answer(b"e", "Content-Range: bytes 4-4/*", V1, status="206 Partial"))
    async with ScriptedServer(short, serves(b"content", V1)) as server:
        leave_part(target, server.url(), b"cont", total=7)
        assert (await client.download(server.url(), target)).unwrap().size == 7
    assert read(target) == b"content"


async def test_without_a_validator_a_drop_means_to_begin_anew(
    client: HTTPClient, target: Path
) -> None:
    telling = Telling(4)
    plays = [drops(b"content", 4, telling.told), serves(b"content")]
    async with ScriptedServer(*plays) as server:
        assert (await client.download(server.url(), target, progress=telling)).unwrap().size == 7
    assert server.received[1].all("Range") == []
    assert read(target) == b"content"


@pytest.mark.parametrize(
    "note", [b"{", b"[]", b'{"url": "another", "validator": "v"}', b'{"validator": 7}', None]
)
async def test_a_part_of_something_else_is_thrown_away(
    client: HTTPClient, target: Path, note: bytes | None
) -> None:
    path = part_of(target).with_suffix(".part.json")
    async with ScriptedServer(serves(b"content", V1)) as server:
        leave_part(target, server.url(), b"something else")
        remove(path) if note is None else write(path, note)
        assert (await client.download(server.url(), target)).unwrap().resumed_from == 0
    assert read(target) == b"content"
    assert server.received[0].all("Range") == []


async def test_without_resuming_nothing_is_used_and_nothing_left(
    client: HTTPClient, target: Path
) -> None:
    telling = Telling(4)
    plays = [serves(b"content", V1), drops(b"content", 4, telling.told, V1)]
    async with ScriptedServer(*plays) as server:
        leave_part(target, server.url(), b"cont")
        result = await client.download(server.url(), target, resume=False)
        assert result.unwrap().resumed_from == 0
        remove(target)
        result = await client.download(server.url(), target, resume=False, progress=telling)
    assert isinstance(result.failure(), HTTPConnectionError)
    assert [request.header("Range") for request in server.received] == ["", ""]
    assert list(target.parent.iterdir()) == []


async def test_drops_that_lead_nowhere_come_to_an_end(client: HTTPClient, target: Path) -> None:
    async with ScriptedServer(sends(head("Content-Length: 7", V1))) as server:
        failure = (await client.download(server.url(), target)).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.kind == "truncated"
    assert len(server.received) == 3
    assert list(target.parent.iterdir()) == []


async def test_too_many_bytes_are_a_failure(client: HTTPClient, target: Path) -> None:
    wrong = sends(answer(b"entry", "Content-Range: bytes 4-6/7", V1, status="206 Partial"))
    async with ScriptedServer(wrong, serves(b"content", V1)) as server:
        leave_part(target, server.url(), b"cont")
        assert (await client.download(server.url(), target)).unwrap().size == 7
    assert read(target) == b"content"


async def test_a_part_that_is_the_whole_file_is_taken_and_not_fetched_again(
    client: HTTPClient, target: Path
) -> None:
    async with ScriptedServer(serves(b"content", V1)) as server:
        leave_part(target, server.url(), b"content", total=7)
        done = (await client.download(server.url(), target)).unwrap()
    assert (done.size, done.resumed_from, done.response.status) == (7, 7, 416)
    assert (read(target), len(server.received)) == (b"content", 1)


@pytest.mark.parametrize(
    "status", ["200 OK", "202 Accepted", "204 No Content", "226 IM Used", "201 Created"]
)
async def test_a_response_that_contradicts_the_request_for_a_part_is_never_committed(
    client: HTTPClient, target: Path, status: str
) -> None:
    contradiction = [] if status == "204 No Content" else ["Content-Range: bytes 0-2/7"]
    wrong = sends(answer(b"ent", *contradiction, V1, status=status))
    async with ScriptedServer(wrong) as server:
        leave_part(target, server.url(), b"cont")
        failure = (await client.download(server.url(), target)).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.kind == "protocol"
    assert not exists(target)


async def test_another_length_under_the_same_validator_is_never_committed(
    client: HTTPClient, target: Path
) -> None:
    chunked = b"Transfer-Encoding: chunked\r\n\r\n3\r\nent\r\n0\r\n\r\n"
    short = sends(b"HTTP/1.1 200 OK\r\n" + V1.encode() + b"\r\n" + chunked)
    async with ScriptedServer(short, serves(b"content", V1)) as server:
        leave_part(target, server.url(), b"cont", total=7)
        assert (await client.download(server.url(), target)).unwrap().size == 7
    assert read(target) == b"content"
    assert [bool(one.all("Range")) for one in server.received] == [True, False]


async def test_a_range_with_more_bytes_than_it_announces_is_not_trusted(
    client: HTTPClient, target: Path
) -> None:
    long = sends(
        head("Content-Range: bytes 4-6/*", V1, "Transfer-Encoding: chunked", status="206 Partial")
        + b"5\r\nent!!\r\n0\r\n\r\n"
    )
    async with ScriptedServer(long) as server:
        leave_part(target, server.url(), b"cont")
        failure = (await client.download(server.url(), target)).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.kind == "protocol"
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("validator", "resumed_from"), [('"v1"', 4), ("Tue, 14 Nov 2023 22:13:20 GMT", 0)]
)
async def test_a_new_signature_resumes_where_a_strong_etag_proves_the_version(
    client: HTTPClient, target: Path, validator: str, resumed_from: int
) -> None:
    async with ScriptedServer(serves(b"content", V1)) as server:
        leave_part(target, server.url("/f", **{"X-Amz-Signature": "old"}), b"cont", validator)
        url = server.url("/f", **{"X-Amz-Signature": "new"})
        done = (await client.download(url, target)).unwrap()
    assert (done.size, done.resumed_from) == (7, resumed_from)


async def test_an_async_progress_function_is_refused(client: HTTPClient, target: Path) -> None:
    async def progress(size: int, total: int | None) -> None: ...

    failure = (await client.download("http://127.0.0.1:1/", target, progress=progress)).failure()  # type: ignore[arg-type]  # on purpose
    assert isinstance(failure, HTTPInvalidRequestError)
    assert failure.field == "progress"


# -- failures -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["404 Not Found", "304 Not Modified", "503 Busy"])
async def test_any_status_but_2xx_is_a_failure_that_keeps_what_is_there(
    target: Path, status: str
) -> None:
    body = b"" if status.startswith("304") else b"sorry"
    policy = RetryPolicy(max_attempts=1)
    async with (
        ScriptedServer(sends(answer(body, status=status))) as server,
        HTTPClient(retry_policy=policy) as client,
    ):
        leave_part(target, server.url(), b"cont")
        failure = (await client.download(server.url(), target)).failure()
    assert isinstance(failure, HTTPStatusError)
    assert (f"{failure.status}", failure.response.body) == (status[:3], body)
    assert read(part_of(target)) == b"cont"
    assert len(server.received) == 1


async def test_a_part_that_nobody_asked_for_is_a_failure(client: HTTPClient, target: Path) -> None:
    async with ScriptedServer(sends(answer(b"a", status="206 Partial"))) as server:
        failure = (await client.download(server.url(), target)).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.kind == "protocol"
    assert list(target.parent.iterdir()) == []


async def test_another_checksum_is_a_failure_and_leaves_nothing(
    client: HTTPClient, target: Path
) -> None:
    write(target, b"old")
    async with ScriptedServer(serves(b"content", V1)) as server:
        result = await client.download(server.url(), target, checksum=SHA256)
    failure = result.failure()
    assert isinstance(failure, HTTPDecodeError)
    assert failure.where == "checksum"
    assert read(target) == b"old"
    assert left_beside(target) == set()


@pytest.mark.parametrize(
    "text",
    [
        *("sha256", "sha256:00", "crc:00", "crc:", "shake_128:00", "shake_128:", "shake_256:"),
        "md5:" + "g" * 32,
    ],
)
async def test_a_checksum_that_is_none_is_refused(
    client: HTTPClient, target: Path, text: str
) -> None:
    failure = (await client.download("http://h/", target, checksum=text)).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, failure.attempts) == ("checksum", 0)
    assert list(target.parent.iterdir()) == []


async def test_a_checksum_that_is_no_text_is_refused(client: HTTPClient, target: Path) -> None:
    checksum: str = 7  # type: ignore[assignment]  # wrong
    failure = (await client.download("http://h/", target, checksum=checksum)).failure()
    assert (failure.label, failure.attempts) == ("checksum", 0)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha512", "blake2b", "sha3_256"])
def test_any_algorithm_of_fixed_length_will_do(algorithm: str) -> None:
    assert (
        Checksum(f"{algorithm}:{hashlib.new(algorithm, b'a').hexdigest()}").algorithm == algorithm
    )


@pytest.mark.parametrize(
    ("path", "code"),
    [("missing/file.bin", errno.ENOENT), ("", errno.EISDIR), ("a" * 300, errno.ENAMETOOLONG)],
)
async def test_a_path_that_cannot_be_written_is_refused_before_anything_is_sent(
    client: HTTPClient, tmp_path: Path, path: str, code: int
) -> None:
    failure = (await client.download("http://127.0.0.1:1/", tmp_path / path)).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert (failure.field, failure.delivery) == ("path", Delivery.NOT_SENT)
    assert isinstance(failure.__cause__, OSError)
    assert failure.__cause__.errno == code


@pytest.mark.parametrize("name", ["a" * 244, "a" * 245, "a" * 250, "a" * 255, "é" * 127])
async def test_a_name_may_be_as_long_as_the_system_allows(
    client: HTTPClient, tmp_path: Path, name: str
) -> None:
    target = tmp_path / name
    async with ScriptedServer(serves(b"content", V1)) as server:
        leave_part(target, server.url(), b"cont")
        result = await client.download(server.url(), target)
    assert (result.unwrap().size, result.unwrap().resumed_from) == (7, 4)
    assert read(target) == b"content"
    assert left_beside(target) == set()


async def test_a_path_with_a_nul_is_refused(client: HTTPClient) -> None:
    failure = (await client.download("http://127.0.0.1:1/", "a\0b")).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert failure.field == "path"


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file grows beyond so many bytes: as good as a full disk, without one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_is_a_failure_that_keeps_what_is_there(
    client: HTTPClient, target: Path
) -> None:
    async with ScriptedServer(serves(CONTENT, V1)) as server:
        with full_disk(600_000):
            failure = (await client.download(server.url(), target)).failure()
        assert isinstance(failure, HTTPInvalidRequestError)
        assert (failure.field, failure.delivery) == ("path", Delivery.ANSWERED)
        assert isinstance(failure.__cause__, OSError)
        assert failure.__cause__.errno == errno.EFBIG
        assert not exists(target)
        assert read(part_of(target)) == CONTENT[:600_000]
        result = await client.download(server.url(), target, checksum=SHA256)
    assert result.unwrap().resumed_from == 600_000


async def test_a_full_disk_does_not_swallow_a_cancellation(
    client: HTTPClient, target: Path
) -> None:
    came = asyncio.Event()
    async with ScriptedServer(drops(CONTENT, 300_000, asyncio.Event(), V1)) as server:
        task = asyncio.create_task(
            client.download(server.url(), target, progress=lambda size, _: came.set())
        )
        await came.wait()
        with full_disk(1):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_a_note_nested_too_deep_is_no_note(client: HTTPClient, target: Path) -> None:
    async with ScriptedServer(serves(CONTENT, V1)) as server:
        leave_part(target, server.url(), CONTENT[:4])
        write(target.with_name(f".{target.name}.part.json"), b"[" * 100_000)
        result = await client.download(server.url(), target, checksum=SHA256)
    assert result.unwrap().resumed_from == 0


async def test_progress_that_raises_fails_the_download(client: HTTPClient, target: Path) -> None:
    def progress(size: int, total: int | None) -> None:
        raise KeyError(size)

    async with ScriptedServer(serves(b"content")) as server:
        failure = (await client.download(server.url(), target, progress=progress)).failure()
    assert isinstance(failure, HTTPInterceptorError)
    assert (failure.interceptor, type(failure.__cause__)) == ("progress", KeyError)


async def test_an_unknown_option_is_a_type_error(client: HTTPClient, target: Path) -> None:
    with pytest.raises(TypeError, match="colour"):
        await client.download("http://h/", target, colour="red")  # type: ignore[call-arg]  # wrong


async def test_a_url_that_cannot_be_sent_is_a_failure(client: HTTPClient, target: Path) -> None:
    failure = (await client.download("ftp://h/", target)).failure()
    assert isinstance(failure, HTTPInvalidRequestError)
    assert failure.field == "url"


async def test_nobody_to_connect_to_is_a_failure(client: HTTPClient, target: Path) -> None:
    failure = (await client.download("http://127.0.0.1:1/", target)).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert list(target.parent.iterdir()) == []


async def test_the_calls_timeout_is_for_the_whole_download(
    client: HTTPClient, faults: FaultServer, target: Path
) -> None:
    url = faults.url("/slow-drip", bytes=500, interval=0.01)
    failure = (await client.download(url, target, timeout=0.1)).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert failure.phase == "total"


async def test_silence_is_a_drop(client: HTTPClient, target: Path) -> None:
    async def stalls(connection: Connection, _: Received) -> None:
        await connection.send(head("Content-Length: 7", V1) + b"cont")
        await connection.until_gone()

    async with ScriptedServer(stalls, serves(b"content", V1)) as server:
        result = await client.download(server.url(), target, read_timeout=0.05)
    assert result.unwrap().size == 7
    assert server.received[1].header("Range") == "bytes=4-"


async def test_stopping_the_client_ends_a_download(
    client: HTTPClient, faults: FaultServer, target: Path
) -> None:
    asyncio.get_running_loop().call_later(0.05, lambda: asyncio.ensure_future(client.stop()))
    failure = (await client.download(faults.url("/stall-in-body"), target)).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.kind == "closed"


# -- who else is there ----------------------------------------------------------------------


async def test_a_cancelled_download_keeps_what_came(target: Path) -> None:
    telling = Telling(4)
    async with nothing_left():
        server = ScriptedServer(drops(b"content", 4, asyncio.Event(), V1))
        async with server, HTTPClient(HTTPClientConfig(timeout=60)) as client:
            task = asyncio.create_task(client.download(server.url(), target, progress=telling))
            await telling.told.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    assert read(part_of(target)) == b"cont"
    assert not exists(target)


async def test_two_downloads_of_one_target_do_not_mix(client: HTTPClient, target: Path) -> None:
    telling = Telling(4)
    go = asyncio.Event()

    async def play(connection: Connection, _: Received) -> None:
        await connection.send(head("Content-Length: 7") + b"cont")
        await go.wait()
        await connection.send(b"ent")

    async with ScriptedServer(play) as server:
        first = asyncio.create_task(client.download(server.url(), target, progress=telling))
        await telling.told.wait()
        failure = (await client.download(server.url(), target)).failure()
        go.set()
        assert (await first).unwrap().size == 7
    assert isinstance(failure, HTTPInvalidRequestError)
    assert failure.message == "another download of it is under way"
    assert read(target) == b"content"


def test_a_part_that_moved_before_it_was_locked_is_opened_anew(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another download ends between our opening of the file and our lock on it."""
    part = part_of(target)
    moves: list[Callable[[], object]] = [lambda: part.replace(target), part.unlink]
    locked = fcntl.flock

    def flock(file: int, flags: int) -> None:
        if moves:
            moves.pop(0)()
        locked(file, flags)

    monkeypatch.setattr(fcntl, "flock", flock)
    ours = PartFile(target, "http://h/")
    ours.begin(Partial())
    ours.write([b"ours"])
    assert (read(target), read(part)) == (b"", b"ours")
    ours.close(keep=False)


async def test_it_works_where_there_are_no_locks(
    client: HTTPClient, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows has no fcntl, and moves no files that are open."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    async with ScriptedServer(serves(b"content")) as server:
        assert (await client.download(server.url(), target)).unwrap().size == 7
    assert read(target) == b"content"


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS])
async def test_it_works_where_the_file_system_has_no_locks(
    client: HTTPClient, target: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def flock(file: int, flags: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", flock)
    async with ScriptedServer(serves(b"content")) as server:
        assert (await client.download(server.url(), target)).unwrap().size == 7
    assert read(target) == b"content"


class Slow:
    """Takes the place of a function that blocks, and lasts until it is told to go on.

    Only for files: the folder is looked at before anything is open that a test could wait for.
    """

    def __init__(self, function: Callable[[int], object]) -> None:
        self.entered, self.go = asyncio.Event(), threading.Event()
        self._function = function
        self._status = os.fstat
        self._loop = asyncio.get_running_loop()

    def __call__(self, descriptor: int) -> object:
        if S_ISREG(self._status(descriptor).st_mode):
            self._loop.call_soon_threadsafe(self.entered.set)
            self.go.wait(60)
        return self._function(descriptor)


async def cancel_twice(task: "asyncio.Task[object]", slow: Slow) -> None:
    """Once while a thread works, and once more while it is waited for."""
    await slow.entered.wait()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    slow.go.set()
    with pytest.raises(asyncio.CancelledError):
        await task


async def settled(target: Path, names: set[str]) -> None:
    """Wait until the threads of a cancelled download have left these files."""
    await until(lambda: left_beside(target) == names)


async def test_a_download_cancelled_while_its_file_opens_leaves_nothing_open(
    client: HTTPClient, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with nothing_left():
        with monkeypatch.context() as patch:
            slow = Slow(os.fstat)
            patch.setattr(os, "fstat", slow)
            task = asyncio.create_task(client.download("http://h/", target))
            await cancel_twice(task, slow)
            await settled(target, set())


async def test_a_download_cancelled_while_it_opens_its_part_keeps_it(
    client: HTTPClient, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ScriptedServer(serves(b"content", V1)) as server:
        leave_part(target, server.url(), b"cont")
        async with nothing_left():  # until then the part is locked
            with monkeypatch.context() as patch:
                slow = Slow(os.fstat)
                patch.setattr(os, "fstat", slow)
                task = asyncio.create_task(client.download(server.url(), target))
                await cancel_twice(task, slow)
        assert left_beside(target) == {".file.bin.part", ".file.bin.part.json"}
        done = (await client.download(server.url(), target)).unwrap()
    assert (done.size, done.resumed_from) == (7, 4)


async def test_a_download_cancelled_while_the_disk_is_flushed_is_no_file(
    client: HTTPClient, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(os.fsync)
    monkeypatch.setattr(os, "fsync", slow)
    async with nothing_left(), ScriptedServer(serves(b"content", V1)) as server:
        task = asyncio.create_task(client.download(server.url(), target))
        await cancel_twice(task, slow)
    assert not exists(target)
    assert read(part_of(target)) == b"content"


def test_at_the_end_of_the_loop_no_file_is_closed(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`asyncio.run` cancels every task that is left, those too that others wait for."""
    seen: list[str] = []
    began, closed = threading.Event(), threading.Event()
    write, close = PartFile.write, PartFile.close

    def slow(part: PartFile, pieces: Iterable[bytes]) -> None:
        began.set()
        time.sleep(0.1)
        write(part, pieces)
        seen.append("written")

    def closes(part: PartFile, *, keep: bool) -> None:
        seen.append("close")
        close(part, keep=keep)
        closed.set()

    async def main() -> None:
        script = ScriptedTransport()
        script.on("GET", "/file").reply(body=b"content", headers={"ETag": '"v1"'})
        async with HTTPClient(exchange=script) as client:
            downloading = asyncio.create_task(client.download("http://h/file", target))
            await asyncio.to_thread(began.wait)
        assert not downloading.done()

    monkeypatch.setattr(PartFile, "write", slow)
    monkeypatch.setattr(PartFile, "close", closes)
    asyncio.run(main())
    assert closed.wait(60)
    assert seen == ["written", "close"]
    assert read(part_of(target)) == b"content"


async def test_time_that_was_up_between_two_requests_is_noticed(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, begun, go = PartFile.begin, threading.Event(), threading.Event()

    def slow(part: PartFile, partial: Partial) -> None:
        begun.set()
        go.wait(60)
        begin(part, partial)

    clock, status = ManualClock(), "416 Range Not Satisfiable"
    async with (
        ScriptedServer(sends(answer(b"", status=status))) as server,
        HTTPClient(HTTPClientConfig(trust_env=False), clock=clock) as client,
    ):
        leave_part(target, server.url(), b"cont")
        monkeypatch.setattr(PartFile, "begin", slow)
        task = asyncio.ensure_future(client.download(server.url(), target, timeout=0.1))
        await until(begun.is_set)
        await clock.advance(0.1)
        go.set()
        failure = (await task).failure()
    assert isinstance(failure, HTTPTimeoutError)
    assert (failure.phase, len(server.received)) == ("total", 1)


async def test_progress_that_returns_an_awaitable_fails_the_download(
    client: HTTPClient, target: Path
) -> None:
    reported: list[int] = []

    async def report(size: int, _: int | None) -> None:
        reported.append(size)

    async with ScriptedServer(sends(answer(b"abc"))) as server:
        result = await client.download(
            server.url(),
            target,
            progress=lambda size, total: report(size, total),  # type: ignore[arg-type,return-value]  # noqa: PLW0108  # it looks like a plain function
        )
    failure = result.failure()
    assert isinstance(failure, HTTPInterceptorError)
    assert (failure.interceptor, reported) == ("progress", [])
    assert os.listdir(target.parent) == []
