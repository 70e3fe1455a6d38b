"""Which nonce a digest uses for each send, and when it gives up."""

import re
from typing import Final

import pytest
from returns.result import Success

from railhttp import HTTPClient, HTTPClientConfig
from railhttp.auth import DigestAuth
from railhttp.testing import ScriptedTransport

URL: Final = "http://api.example/"
CONFIG: Final = HTTPClientConfig(trust_env=False)


def refuses(nonce: str, stale: bool = False) -> tuple[int, dict[str, str]]:
    text = f'Digest realm="r", nonce="{nonce}", qop="auth"{", stale=true" if stale else ""}'
    return 401, {"WWW-Authenticate": text}


FINE: Final[tuple[int, dict[str, str]]] = (200, {})
NAMES_NEXT: Final = (200, {"Authentication-Info": 'nextnonce="n3"'})
NAMES_NONE: Final = (200, {"Authentication-Info": "qop=auth"})


@pytest.mark.parametrize(
    ("replies", "used", "succeeds"),
    [
        pytest.param(
            [refuses("n1"), FINE], [None, "n1 1"], [True], id="a challenge is responded to"
        ),
        pytest.param(
            [refuses("n1", stale=True), FINE],
            [None, "n1 1"],
            [True],
            id="the first challenge may be called stale",
        ),
        pytest.param(
            [refuses("n1"), refuses("n2", stale=True), FINE],
            [None, "n1 1", "n2 1"],
            [True],
            id="a fresh nonce may be stale",
        ),
        pytest.param(
            [refuses("n1"), refuses("n2"), refuses("n3"), FINE],
            [None, "n1 1", None, "n3 1"],
            [False, True],
            id="credentials that are refused with a fresh nonce are not sent again",
        ),
        pytest.param(
            [refuses("n1"), FINE, refuses("n2"), FINE],
            [None, "n1 1", "n1 2", "n2 1"],
            [True, True],
            id="a used nonce may be replaced by a challenge that calls nothing stale",
        ),
        pytest.param(
            [refuses("n1"), FINE, refuses("n1"), FINE],
            [None, "n1 1", "n1 2", "n1 3"],
            [True, False, True],
            id="a used nonce that is refused and named again is refused",
        ),
        pytest.param(
            [refuses("n1"), FINE, refuses("n1", stale=True), FINE],
            [None, "n1 1", "n1 2", "n1 3"],
            [True, False, True],
            id="a nonce that is stale and named again is refused",
        ),
        pytest.param(
            [refuses("n1"), NAMES_NEXT, FINE, FINE],
            [None, "n1 1", "n3 1", "n3 2"],
            [True, True, True],
            id="the next nonce is used",
        ),
        pytest.param(
            [refuses("n1"), NAMES_NONE, FINE],
            [None, "n1 1", "n1 2"],
            [True, True],
            id="no next nonce is named",
        ),
        pytest.param([NAMES_NEXT, FINE], [None, None], [True, True], id="nothing was asked"),
        pytest.param(
            [refuses("n1"), (403, {}), FINE],
            [None, "n1 1", "n1 2"],
            [False, True],
            id="another refusal says nothing about the nonce",
        ),
    ],
)
async def test_each_send_uses_the_nonce_that_the_server_expects(
    replies: list[tuple[int, dict[str, str]]], used: list[str | None], succeeds: list[bool]
) -> None:
    script = ScriptedTransport()
    route = script.on("GET", "/")
    for status, headers in replies:
        route.reply(status, headers=headers)
    auth = DigestAuth("ann", "s3cret")
    async with HTTPClient(CONFIG, exchange=script, interceptors=[auth]) as client:
        results = [isinstance(await client.get(URL), Success) for _ in succeeds]
    assert results == succeeds
    assert [nonce_of(call.headers.get("Authorization")) for call in script.calls] == used


def nonce_of(authorization: str | None) -> str | None:
    if authorization is None:
        return None
    found = re.search(r'nonce="(\w+)".*nc=(\w+)', authorization)
    assert found is not None
    return f"{found[1]} {int(found[2], 16)}"
