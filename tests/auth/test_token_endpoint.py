"""The responses of a token endpoint: lifetimes, refusals and retries."""

from typing import Final

import pytest
from returns.result import Success

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPInterceptorError,
    HTTPStatusError,
    HTTPValidationError,
    RetryPolicy,
)
from railhttp.auth import OAuth2ClientCredentials, OAuth2Refresh, OAuthError, TokenAuth, Tokens
from railhttp.testing import ManualClock, ScriptedTransport

CONFIG: Final = HTTPClientConfig(trust_env=False, timeout=None)
ONCE: Final = RetryPolicy(1, reraise=True)


class Store:
    """Keeps the tokens of a user."""

    def __init__(self, tokens: Tokens | None) -> None:
        self.tokens = tokens

    async def load(self) -> Tokens | None:
        return self.tokens

    async def save(self, tokens: Tokens) -> None:
        self.tokens = tokens


LONG: Final = 1e11
"""Seconds that no lifetime of a token reaches."""


@pytest.mark.parametrize(
    ("expires_in", "is_known"),
    [
        (3600, True),
        (0.5, True),
        ("3600", True),
        ("99999999999", True),
        (99999999999, True),
        (0, True),
        ("0", True),
        ("999999999999", False),  # twelve digits
        (100000000000, False),
        ("1.5", False),
        ("", False),
        ("-1", False),
        ("\uff11\uff12", False),  # digits of another script
        ("\u00b2", False),
        (-1, False),
        (True, False),
        (None, False),
        ([60], False),
    ],
)
async def test_a_token_whose_lifetime_makes_no_sense_is_used_until_it_is_refused(
    expires_in: object, is_known: bool
) -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.on("GET", "/").reply(200)
    endpoint = script.on("POST", "/token").reply(
        json={"access_token": "t", "expires_in": expires_in}
    )
    auth = OAuth2ClientCredentials("http://login/token", "shop", "x")

    async def main() -> None:
        async with HTTPClient(CONFIG, exchange=script, clock=clock, interceptors=[auth]) as client:
            (await client.get("http://h/")).unwrap()
            await clock.sleep(LONG)
            (await client.get("http://h/")).unwrap()

    await clock.run(main())
    assert len(endpoint.calls) == 1 + is_known


@pytest.mark.parametrize(
    ("status", "document", "code", "description"),
    [
        (400, {"error": "invalid_client"}, "invalid_client", ""),
        (401, {"error": "e", "error_description": "d"}, "e", "d"),
        (400, {"error": "e", "error_description": 7}, "e", ""),
        (503, {"error": "e"}, "e", ""),
        (400, {"error": 7}, "invalid_response", ""),
        (400, {}, "invalid_response", ""),
        (400, [], "invalid_response", ""),
        (428, {}, "invalid_response", ""),
        (430, {}, "invalid_response", ""),
        (499, {}, "invalid_response", ""),
        (302, {}, "invalid_response", ""),
        (429, {}, "temporarily_unavailable", ""),
        (503, {}, "temporarily_unavailable", ""),
        (500, {}, "server_error", ""),
        (502, {}, "server_error", ""),
        (504, {}, "server_error", ""),
    ],
)
async def test_a_refusal_has_the_code_of_its_document_or_of_its_status(
    status: int, document: object, code: str, description: str
) -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.on("POST", "/token").reply(status, json=document)
    auth = OAuth2ClientCredentials("http://login/token", "shop", "x")

    async def main() -> HTTPInterceptorError:
        async with HTTPClient(
            CONFIG, exchange=script, clock=clock, interceptors=[auth], retry_policy=ONCE
        ) as client:
            failure = (await client.get("http://h/")).failure()
        assert isinstance(failure, HTTPInterceptorError)
        return failure

    failure = await clock.run(main())
    cause = failure.__cause__
    assert isinstance(cause, OAuthError)
    assert (cause.code, cause.description, cause.status) == (code, description, status)
    assert failure.interceptor == "OAuth2ClientCredentials"
    assert isinstance(cause.__cause__, HTTPStatusError)
    assert cause.__cause__.status == status


@pytest.mark.parametrize(
    ("status", "for_the_program", "for_a_user"),
    [(429, 3, 3), (503, 3, 3), (502, 3, 1), (504, 3, 1), (400, 1, 1), (401, 1, 1)],
)
async def test_a_refresh_is_asked_again_only_if_the_server_did_not_process_it(
    status: int, for_the_program: int, for_a_user: int
) -> None:
    """A refresh token that was used twice may count as stolen."""
    store = Store(Tokens("", "r"))
    asked = []
    for auth in (
        OAuth2ClientCredentials("http://login/token", "shop", "x"),
        OAuth2Refresh("http://login/token", "shop", "x", tokens=store),
    ):
        clock = ManualClock()
        script = ScriptedTransport(clock=clock)
        endpoint = script.on("POST", "/token").reply(status)
        async with HTTPClient(
            CONFIG, exchange=script, clock=clock, interceptors=[auth], retry_policy=ONCE
        ) as client:
            result = await clock.run(client.get("http://h/"))
        assert not isinstance(result, Success)
        asked.append(len(endpoint.calls))
    assert asked == [for_the_program, for_a_user]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"access_token": "t", "token_type": "BEARER"}, None),
        ({"access_token": "t"}, None),
        ({"access_token": "t", "token_type": "mac"}, "unsupported_token_type"),
        ({"access_token": "t", "token_type": 7}, "unsupported_token_type"),
        ({"access_token": "t", "token_type": None}, "unsupported_token_type"),
        ({"access_token": ""}, "invalid_response"),
        ({"access_token": 7}, "invalid_response"),
        ({"token": "t"}, "invalid_response"),
        (["t"], "invalid_response"),
        ("t", "invalid_response"),
    ],
)
async def test_a_token_is_a_text_of_the_type_bearer(document: object, code: str | None) -> None:
    script = ScriptedTransport()
    script.on("POST", "/token").reply(201, json=document)
    script.on("GET", "/").reply(200)
    auth = OAuth2ClientCredentials("http://login/token", "shop", "x")
    async with HTTPClient(CONFIG, exchange=script, interceptors=[auth]) as client:
        result = await client.get("http://h/")
    if code is None:
        assert isinstance(result, Success)
    else:
        cause = result.failure().__cause__
        assert isinstance(cause, OAuthError)
        assert (cause.code, cause.status) == (code, 201)


@pytest.mark.parametrize(("rotated", "kept"), [("r2", "r2"), ("", "r1"), (None, "r1"), (7, "r1")])
async def test_a_refresh_token_is_kept_until_the_server_names_the_next_one(
    rotated: object, kept: str
) -> None:
    store, seen = Store(Tokens("", "r1")), []
    script = ScriptedTransport()
    script.on("POST", "/token").reply(json={"access_token": "t", "refresh_token": rotated})
    script.on("GET", "/").reply(200)

    async def on_rotated(tokens: Tokens) -> None:
        seen.append((tokens, store.tokens))

    for function in (on_rotated, lambda tokens: seen.append((tokens, store.tokens))):
        store.tokens = Tokens("", "r1")
        auth = OAuth2Refresh("http://login/token", "shop", tokens=store, on_rotated=function)
        async with HTTPClient(CONFIG, exchange=script, interceptors=[auth]) as client:
            (await client.get("http://h/")).unwrap()
    assert seen == [(Tokens("t", kept), Tokens("t", kept))] * 2


async def test_an_access_token_that_was_stored_is_used_before_another_is_fetched() -> None:
    script = ScriptedTransport()
    script.on("GET", "/").reply(200).reply(401).reply(200)
    endpoint = script.on("POST", "/token").reply(json={"access_token": "new"})
    auth = OAuth2Refresh("http://login/token", "shop", tokens=Store(Tokens("old", "r")))
    async with HTTPClient(CONFIG, exchange=script, interceptors=[auth]) as client:
        (await client.get("http://h/")).unwrap()
        assert not endpoint.calls
        (await client.get("http://h/")).unwrap()
    sent = [call.headers["Authorization"] for call in script.calls if call.method == "GET"]
    assert sent == ["Bearer old", "Bearer old", "Bearer new"]
    assert len(endpoint.calls) == 1


@pytest.mark.parametrize("stored", [None, Tokens("", ""), Tokens("old", "")])
async def test_a_user_who_has_no_refresh_token_has_to_log_in(stored: Tokens | None) -> None:
    script = ScriptedTransport()
    script.on("GET", "/").reply(401)
    auth = OAuth2Refresh("http://login/token", "shop", tokens=Store(stored))
    async with HTTPClient(CONFIG, exchange=script, interceptors=[auth]) as client:
        failure = (await client.get("http://h/")).failure()
    assert isinstance(failure.__cause__, OAuthError)
    assert failure.__cause__.code == "invalid_grant"


async def test_the_name_and_the_secret_of_a_program_are_encoded_before_they_are_joined() -> None:
    """As in a form (RFC 6749, section 2.3.1)."""
    script = ScriptedTransport()
    script.on("GET", "/").reply(200)
    endpoint = script.on("POST", "/token").reply(json={"access_token": "t"})
    auth = OAuth2ClientCredentials("http://login/token", "my shop", "a:b c")
    async with HTTPClient(CONFIG, exchange=script, interceptors=[auth]) as client:
        (await client.get("http://h/")).unwrap()
    (call,) = endpoint.calls
    assert call.headers["Accept"] == "application/json"
    assert call.headers["Authorization"] == "Basic bXkrc2hvcDphJTNBYitj"
    assert call.body == b"grant_type=client_credentials"


async def test_a_function_is_asked_again_by_the_clock_of_the_client() -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.on("GET", "/").reply(200)
    failures = [HTTPConnectionError("refused", kind="connect")] * 2

    async def fetch() -> str:
        if failures:
            raise failures.pop()
        return "t"

    async with HTTPClient(
        CONFIG, exchange=script, clock=clock, interceptors=[TokenAuth(fetch)], retry_policy=ONCE
    ) as client:
        (await clock.run(client.get("http://h/"))).unwrap()
    assert not failures
    assert len(clock.slept) == 2


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"fetch": "t"}, "fetch"),
        ({"fetch": None}, "fetch"),
        ({"fetch": str, "timeout": 0}, "timeout"),
        ({"fetch": str, "timeout": -1.0}, "timeout"),
        ({"fetch": str, "origin": "api.example"}, "origin"),
    ],
)
def test_a_wrong_argument_of_a_token_is_named(arguments: dict[str, object], field: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        TokenAuth(**arguments)  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.field == field


async def test_a_function_that_keeps_failing_is_its_last_failure() -> None:
    clock = ManualClock()

    async def fetch() -> str:
        raise HTTPConnectionError("refused", kind="connect")

    script = ScriptedTransport(clock=clock)
    async with HTTPClient(
        CONFIG, exchange=script, clock=clock, interceptors=[TokenAuth(fetch)], retry_policy=ONCE
    ) as client:
        failure = (await clock.run(client.get("http://h/"))).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert failure.kind == "connect"
    assert len(clock.slept) == 2
