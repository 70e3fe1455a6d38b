"""How many digest challenges are remembered."""

from railhttp import HTTPClient, HTTPClientConfig
from railhttp.auth import DigestAuth
from railhttp.testing import ScriptedTransport

CHALLENGE = {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop=auth'}


async def test_the_challenges_of_a_hundred_origins_are_remembered() -> None:
    script = ScriptedTransport()
    route = script.on("GET", "/**")
    for _ in range(101):
        route.reply(401, headers=CHALLENGE).reply(200)
    route.reply(200).reply(401, headers=CHALLENGE).reply(200)
    config = HTTPClientConfig(trust_env=False)
    async with HTTPClient(config, exchange=script, interceptors=[DigestAuth("ann", "x")]) as client:
        for number in (*range(101), 1, 0):
            response = await client.request("GET", f"http://h{number}.test/")
            assert response.status == 200
    known = ["Authorization" in call.headers for call in script.calls]
    assert known == [False, True] * 101 + [True] + [False, True]
