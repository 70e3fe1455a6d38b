"""Each misbehaviour of a server ends the command with its exit code."""

import json
from typing import Final

import pytest
from tests.cli.processes import Forks
from tests.servers.faults import FaultServer
from tests.transport.test_misbehaviour import CASES, Outcome

CODES: Final[dict[Outcome, int]] = {
    200: 0,
    204: 0,
    302: 0,
    304: 0,
    413: 4,
    417: 4,
    "disconnected": 24,
    "truncated": 25,
    "protocol": 26,
    "redirect": 27,
    "Content-Encoding": 40,
    "response too large": 41,
    "read": 32,
}
LIMITS: Final[dict[Outcome, tuple[str, ...]]] = {
    "read": ("--read-timeout", "0.1"),
    "response too large": ("--max-bytes", "1048576"),
}


def test_every_outcome_has_its_code() -> None:
    assert CODES.keys() == set(CASES.values())


@pytest.mark.parametrize("path", CASES)
async def test_a_misbehaviour_has_its_exit_code(path: str, command: Forks) -> None:
    outcome = CASES[path]
    async with FaultServer() as server:
        url = server.url(path, interval=0.001)
        limits = LIMITS.get(outcome, ())
        ended = await command.railhttp("post", url, "--json", "--timeout", "5", *limits)
    document = json.loads(ended.stdout)
    expected = CODES[outcome]
    if outcome in {200, 204, 302, 304}:
        assert (ended.code, document["status"]) == (expected, outcome)
        return
    maybe = 64 if document["delivery"] == "maybe sent" else 0
    assert (ended.code, document["exit_code"]) == (expected + maybe, expected + maybe)
    assert document["attempts"] == 1
