"""The log: silent until it is asked for, structured, and without secrets."""

import logging
import subprocess
import sys

import pytest

from railhttp.client.http_client import HTTPClient
from railhttp.testing import ManualClock, ScriptedTransport

URL = "https://ann:s3cret@api.example/v1?token=s3cret"
SHOWN = "https://api.example/v1?token=***"


async def call(status: int = 200) -> None:
    clock = ManualClock()
    transport = ScriptedTransport(clock=clock)
    transport.on("GET", "/v1").fail(ConnectionResetError()).reply(
        status, headers={"Set-Cookie": "s3cret"}, delay=1
    )
    async with HTTPClient(exchange=transport, clock=clock) as client:
        await clock.run(client.get(URL, headers={"Authorization": "s3cret", "X-Other": "s3cret"}))


async def test_at_info_each_call_is_a_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "railhttp.request"):
        await call(404)
    [record] = caplog.records
    assert record.getMessage() == f"GET {SHOWN}: 404 after 2 attempts, 1.025 s"
    facts = vars(record)
    assert {
        name: facts[name] for name in ("method", "url", "status", "error_type", "attempts")
    } == {
        "method": "GET",
        "url": SHOWN,
        "status": 404,
        "error_type": "404",
        "attempts": 2,
    }
    assert facts["seconds"] == pytest.approx(1.025)


async def test_at_debug_each_attempt_is_two_more(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "railhttp.request"):
        await call()
    assert [f"{record.levelname} {record.getMessage()}" for record in caplog.records] == [
        f"DEBUG GET {SHOWN}: attempt 1",
        f"DEBUG GET {SHOWN}: attempt 1 ended with HTTPConnectionError.disconnected, 0.000 s",
        f"DEBUG GET {SHOWN}: attempt 2",
        f"DEBUG GET {SHOWN}: attempt 2 ended with 200, 1.000 s",
        f"INFO GET {SHOWN}: 200 after 2 attempts, 1.025 s",
    ]
    assert not any("s3cret" in str(vars(record)) for record in caplog.records)


async def test_above_info_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "railhttp"):
        await call(500)
    assert caplog.records == []


def test_a_program_that_configures_no_logging_sees_none() -> None:
    program = (
        "import logging, railhttp; logging.getLogger('railhttp').error('said'); "
        "logging.getLogger('railhttp.request').error('said')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("", "")
