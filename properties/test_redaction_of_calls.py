"""Whatever a secret looks like, no failure of a call that was really made shows it."""

import asyncio
import pickle
import traceback
from typing import Final
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st
from properties.strategies import secrets
from tests.servers.faults import FaultServer

from railhttp import HTTPClient, HTTPClientConfig, HTTPClientError, RetryPolicy
from railhttp.headers import basic_auth

PATHS: Final = st.sampled_from(
    [
        *("/close-before-head", "/reset-in-body", "/garbage", "/bad-header-line"),
        *("/gzip-corrupt", "/redirect-ftp", "/redirect-loop", "/early-413", "/unasked-101"),
    ]
)
MARKS: Final = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=4)


async def failure_of(path: str, secret: str, marked: str) -> HTTPClientError:
    config = HTTPClientConfig(trust_env=False, total=True, timeout=5.0)
    policy = RetryPolicy(max_attempts=2, base_delay=0.0001, max_delay=0.0001)
    async with FaultServer() as server, HTTPClient(config, retry_policy=policy) as client:
        user = f"{quote(secret)}:{quote(marked, safe='')}@"
        url = server.url(path).replace("//", f"//{user}") + f"?{quote(marked)}&a={quote(marked)}"
        result = await client.put(
            f"{url}#{quote(marked)}",
            params={"token": marked},
            headers={**basic_auth("ann", secret), "X-Api-Key": secret},
            cookies={"session": secret},
            json={"password": marked},
        )
        return result.failure()


@settings(max_examples=50)
@given(PATHS, secrets, MARKS)
def test_no_failure_of_a_call_shows_a_secret(path: str, secret: str, mark: str) -> None:
    failure = asyncio.run(failure_of(path, secret, f"{mark}{secret}{mark}"))
    for text in (
        *(str(failure), repr(failure), repr(failure.args), repr(vars(failure))),
        *traceback.format_exception(failure),
        repr(pickle.dumps(failure)),
        repr(pickle.loads(pickle.dumps(failure))),
    ):
        assert secret not in text
