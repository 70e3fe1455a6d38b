"""A POST that its caller declares idempotent is retried, and nothing is sent for it."""

import pytest

from railhttp import HTTPClient, RetryPolicy
from railhttp.testing import ScriptedTransport


@pytest.mark.parametrize(("idempotent", "attempts"), [(True, 2), (False, 1)])
async def test_a_post_is_retried_if_it_is_declared_idempotent(
    idempotent: bool, attempts: int
) -> None:
    script = ScriptedTransport()
    route = script.on("POST", "/search").reply(503).reply(200)
    policy = RetryPolicy(3, base_delay=0.0, reraise=True)
    async with HTTPClient(exchange=script, retry_policy=policy) as client:
        response = await client.request("POST", "https://h/search", idempotent=idempotent)
    assert response.attempts == attempts
    assert not route.calls[0].headers


@pytest.mark.parametrize(
    "blank", ["", " ", "\t", "\xa0", "\u2003", "\u200b", "\u3000 \t", "\ufeff"]
)
async def test_a_blank_key_is_no_key(blank: str) -> None:
    script = ScriptedTransport()
    script.on("POST", "/pay").reply(503).reply(200)
    policy = RetryPolicy(3, base_delay=0.0, reraise=True)
    async with HTTPClient(exchange=script, retry_policy=policy) as client:
        headers = {"Idempotency-Key": blank}
        response = await client.request("POST", "https://h/pay", headers=headers)
    assert response.attempts == 1
