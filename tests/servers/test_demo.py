"""`python -m railhttp.demo`, as a reader of the documents starts it."""

import signal
import subprocess
import sys

import pytest

from railhttp import HTTPClient

DEMO = (sys.executable, "-W", "error", "-m", "railhttp.demo")


async def test_it_prints_the_url_that_it_serves() -> None:
    with subprocess.Popen(DEMO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        try:
            assert demo.stdout is not None
            url = demo.stdout.readline().strip()
            async with HTTPClient() as client:
                user = (await client.get(f"{url}/users/7")).unwrap().json()
        finally:
            demo.send_signal(signal.SIGINT)
        _, err = demo.communicate(timeout=20)
    assert (user, demo.returncode, err) == ({"id": 7, "name": "Ann"}, 0, "")


@pytest.mark.parametrize("arguments", [["x"], ["70000"], ["1", "2"]])
def test_a_port_that_is_none_is_a_usage_error(arguments: list[str]) -> None:
    done = subprocess.run([*DEMO, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "usage: python -m railhttp.demo [PORT]\n")
