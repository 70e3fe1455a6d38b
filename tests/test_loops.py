"""The event loops of the tests: however late the machine is, what is ready goes before timers."""

import asyncio
import socket
import time

import pytest
from tests.loops import LOOPS


@pytest.mark.parametrize(("name", "nap"), [("asyncio", 0.005), ("uvloop", 0.0)])
def test_a_machine_that_stands_still_makes_no_timer_fire_before_what_is_ready(
    name: str, nap: float
) -> None:
    async def answer(end: socket.socket) -> None:
        for _ in range(5):
            await asyncio.sleep(nap)
            time.sleep(0.03)  # noqa: ASYNC251  # the process gets no CPU
            await asyncio.get_running_loop().sock_sendall(end, b"a")

    async def ask() -> bytes:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.setblocking(False)
            answering = asyncio.create_task(answer(theirs))
            async with asyncio.timeout(0.1):
                time.sleep(0.15)  # noqa: ASYNC251
                body = [await asyncio.get_running_loop().sock_recv(ours, 1) for _ in range(5)]
            await answering
            return b"".join(body)

    with asyncio.Runner(loop_factory=LOOPS[name]) as runner:
        assert runner.run(ask()) == b"aaaaa"


@pytest.mark.parametrize("name", LOOPS)
def test_waiting_takes_its_time_and_timers_fire_in_order(name: str) -> None:
    fired: list[int] = []

    async def wait() -> float:
        loop = asyncio.get_running_loop()
        for number, delay in ((3, 0.03), (1, 0.01), (2, 0.02)):
            loop.call_later(delay, fired.append, number)
        loop.call_later(0.015, fired.append, 0).cancel()
        began = loop.time()
        await asyncio.sleep(0.05)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        return loop.time() - began

    began = time.monotonic()
    with asyncio.Runner(loop_factory=LOOPS[name]) as runner:
        waited = runner.run(wait())
    assert waited > 0.055
    if name == "asyncio":  # uvloop cannot tell work from waiting
        assert waited < 0.1
    assert time.monotonic() - began > 0.055
    assert fired == [1, 2, 3]
