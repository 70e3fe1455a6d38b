"""`python -m railhttp.demo`, as a reader of the documents starts it."""

import asyncio
import signal
import subprocess
import sys

import pytest

from railhttp import HTTPClient

DEMO = (sys.executable, "-W", "error", "-m", "railhttp.demo")


async def test_it_prints_the_url_that_it_serves() -> None:
    pipe = asyncio.subprocess.PIPE
    demo = await asyncio.create_subprocess_exec(*DEMO, stdout=pipe, stderr=pipe)
    try:
        assert demo.stdout is not None
        url = (await demo.stdout.readline()).decode().strip()
        async with HTTPClient() as client:
            user = (await client.get(f"{url}/users/7")).unwrap().json()
    finally:
        demo.send_signal(signal.SIGINT)
    _, err = await demo.communicate()
    assert (user, demo.returncode, err) == ({"id": 7, "name": "Ann"}, 0, b"")


@pytest.mark.parametrize("arguments", [["x"], ["70000"], ["1", "2"]])
def test_a_port_that_is_none_is_a_usage_error(arguments: list[str]) -> None:
    done = subprocess.run([*DEMO, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "usage: python -m railhttp.demo [PORT]\n")
