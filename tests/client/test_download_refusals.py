"""The failures of downloads whose response is not the requested file."""

import os
from pathlib import Path
from typing import Final

import pytest
from tests.client.hurried_clock import HurriedClock

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPStatusError,
    RetryPolicy,
)
from railhttp.testing import ScriptedTransport

URL: Final = "https://api.example/file?token=s3cret"
SHOWN: Final = "https://api.example/file?token=***"
CONFIG: Final = HTTPClientConfig(trust_env=False)


@pytest.mark.parametrize(
    ("status", "is_success"),
    [(206, True), (300, False), (304, False), (400, False), (599, False)],
)
async def test_a_part_that_was_not_requested_breaks_the_protocol_and_other_statuses_are_themselves(
    status: int, is_success: bool, tmp_path: Path
) -> None:
    script = ScriptedTransport()
    script.on("GET", "/file").reply(status)
    async with HTTPClient(CONFIG, exchange=script, retry_policy=RetryPolicy(1)) as client:
        failure = (await client.download(URL, tmp_path / "file")).failure()
    if is_success:
        assert isinstance(failure, HTTPConnectionError)
        assert failure.kind == "protocol"
    else:
        assert isinstance(failure, HTTPStatusError)
        assert failure.status == status
    assert (failure.url, failure.method, failure.attempts) == (SHOWN, "GET", 1)
    assert os.listdir(tmp_path) == []


async def test_the_waits_before_a_download_is_resumed_double_until_it_is_given_up(
    tmp_path: Path,
) -> None:
    clock, script = HurriedClock(), ScriptedTransport()
    fields = {"ETag": '"v1"', "Content-Length": "7"}
    route = script.on("GET", "/file")
    route.fail(ConnectionResetError(), at="body", headers=fields, after=b"cont")
    partial = {"ETag": '"v1"', "Content-Range": "bytes 4-6/7", "Content-Length": "3"}
    route.fail(ConnectionResetError(), at="body", status=206, headers=partial)
    async with HTTPClient(
        CONFIG, exchange=script, clock=clock, retry_policy=RetryPolicy(1)
    ) as client:
        failure = (await client.download(URL, tmp_path / "file")).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert (failure.kind, len(route.calls)) == ("disconnected", 4)
    assert clock.slept == [0.25, 0.5, 1.0]
    assert sorted(os.listdir(tmp_path)) == [".file.part", ".file.part.json"]
