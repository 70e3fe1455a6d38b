"""Tokens: fetched once, replaced once, and never in a rush."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

import pytest
from returns.primitives.exceptions import UnwrapFailedError
from returns.result import Failure, Success
from tests.patience import until
from tests.servers.tokens import TokenServer

from railhttp import (
    Delivery,
    HTTPClient,
    HTTPClientConfig,
    HTTPConnectionError,
    HTTPFailure,
    HTTPInterceptorError,
    HttpResponse,
    HTTPStatusError,
    HTTPTimeoutError,
    HTTPValidationError,
    RequestContext,
    RetryPolicy,
)
from railhttp.auth import OAuth2ClientCredentials, OAuth2Refresh, OAuthError, TokenAuth, Tokens
from railhttp.railway import outcome
from railhttp.testing import ManualClock, ScriptedTransport
from railhttp.testing.scripted.route import FailurePoint
from railhttp.types import ConnectionKind

CONFIG: Final = HTTPClientConfig(trust_env=False)


@pytest.fixture
async def server() -> AsyncIterator[TokenServer]:
    async with TokenServer() as running:
        yield running


def client_credentials(server: TokenServer) -> OAuth2ClientCredentials:
    return OAuth2ClientCredentials(server.url("/token"), *server.client, scope="a b")


class Store:
    """Keeps tokens in memory."""

    def __init__(self, tokens: Tokens | None) -> None:
        self.tokens = tokens
        self.saved: list[Tokens] = []
        self.broken = False

    async def load(self) -> Tokens | None:
        return self.tokens

    async def save(self, tokens: Tokens) -> None:
        if self.broken:
            raise OSError("the disk is full")
        self.tokens = tokens
        self.saved.append(tokens)


def refreshing(server: TokenServer, store: Store) -> OAuth2Refresh:
    return OAuth2Refresh(server.url("/token"), *server.client, tokens=store)


def refused(failure: HttpResponse | HTTPFailure) -> OAuthError:
    """Return the reason of a token failure."""
    assert isinstance(failure, HTTPInterceptorError)
    assert isinstance(failure.__cause__, OAuthError)
    return failure.__cause__


async def test_a_hundred_concurrent_401s_make_one_refresh(server: TokenServer) -> None:
    async with HTTPClient(CONFIG, interceptors=[client_credentials(server)]) as client:
        assert isinstance(await client.get(server.url()), Success)
        server.revoke()
        server.delay = 0.05
        results = await asyncio.gather(*(client.post(server.url(), data=b"x") for _ in range(100)))
    assert all(isinstance(result, Success) for result in results)
    assert server.seen["client_credentials"] == 2
    assert server.seen["POST 200"] == 100


async def test_a_hundred_concurrent_calls_share_the_first_token(server: TokenServer) -> None:
    async with HTTPClient(CONFIG, interceptors=[client_credentials(server)]) as client:
        results = await asyncio.gather(*(client.get(server.url()) for _ in range(100)))
    assert all(isinstance(result, Success) for result in results)
    assert (server.seen["client_credentials"], server.seen["GET 401"]) == (1, 0)


async def test_a_token_that_is_refused_at_once_is_replaced_once_a_call() -> None:
    script = ScriptedTransport()
    script.on("GET", "/").reply(401)
    numbers = iter("abcdef")

    async def fetch() -> str:
        return next(numbers)

    async with HTTPClient(CONFIG, exchange=script, interceptors=[TokenAuth(fetch)]) as client:
        for _ in range(2):
            assert isinstance(outcome(await client.get("http://h/")), HTTPStatusError)
    sent = [call.headers["Authorization"] for call in script.calls]
    assert sent == ["Bearer a", "Bearer b", "Bearer c", "Bearer d"]


async def test_only_the_token_that_was_used_is_invalidated() -> None:
    script = ScriptedTransport()
    slow = script.on("GET", "/slow").reply(401, delay=0.05).reply(200)
    script.on("GET", "/fast").reply(401).reply(200)
    fetched = 0

    async def fetch() -> str:
        nonlocal fetched
        fetched += 1
        return f"t{fetched}"

    async with HTTPClient(CONFIG, exchange=script, interceptors=[TokenAuth(fetch)]) as client:
        late = asyncio.ensure_future(client.get("http://h/slow"))
        await until(lambda: slow.called == 1)
        assert isinstance(await client.get("http://h/fast"), Success)
        assert isinstance(await late, Success)
    assert fetched == 2
    assert slow.calls[1].headers["Authorization"] == "Bearer t2"


async def test_a_field_of_the_caller_is_left_alone(server: TokenServer) -> None:
    async with HTTPClient(CONFIG, interceptors=[client_credentials(server)]) as client:
        result = await client.get(server.url(), headers={"Authorization": "Bearer mine"})
    assert isinstance(outcome(result), HTTPStatusError)
    assert server.seen["client_credentials"] == 0


async def test_a_leader_that_is_cancelled_does_not_cancel_its_followers(
    server: TokenServer,
) -> None:
    server.delay = 0.05
    async with HTTPClient(CONFIG, interceptors=[client_credentials(server)]) as client:
        leader = asyncio.ensure_future(client.get(server.url()))
        await until(lambda: server.seen["client_credentials"] == 1)
        follower = asyncio.ensure_future(client.get(server.url()))
        hurried = await client.get(server.url(), timeout=0.005)
        leader.cancel()
        assert isinstance(await follower, Success)
        assert leader.cancelled()
    assert isinstance(hurried.failure(), HTTPTimeoutError)
    assert hurried.failure().delivery is Delivery.NOT_SENT
    assert server.seen["client_credentials"] == 1


async def test_a_refusal_is_typed_and_remembered_for_a_while(server: TokenServer) -> None:
    server.refusals = [(400, "invalid_scope")]
    async with HTTPClient(CONFIG, interceptors=[client_credentials(server)]) as client:
        results = await asyncio.gather(*(client.get(server.url()) for _ in range(10)))
        results += [await client.get(server.url())]
    codes = [refused(outcome(result)).code for result in results]
    assert codes == ["invalid_scope"] * 11
    assert server.seen["client_credentials"] == 1
    failure = results[0].failure()
    assert (failure.delivery, "hush" in repr(failure)) == (Delivery.NOT_SENT, False)


async def test_after_the_back_off_the_token_is_fetched_again() -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.on("GET", "/").reply(200)
    script.on("POST", "/token").reply(400, json={"error": "invalid_scope"}).reply(
        json={"access_token": "t"}
    )

    async def main() -> list[bool]:
        auth = OAuth2ClientCredentials("http://login/token", "shop", "")
        async with HTTPClient(CONFIG, exchange=script, clock=clock, interceptors=[auth]) as client:
            seen = []
            for _ in range(3):
                seen.append(isinstance(await client.get("http://h/"), Success))
                await clock.sleep(0.6)
        return seen

    assert await clock.run(main()) == [False, False, True]
    assert [call.method for call in script.calls] == ["POST", "POST", "GET"]


@pytest.mark.parametrize("status", [500, 502, 503, 429])
async def test_a_transient_failure_of_the_token_endpoint_is_retried(
    server: TokenServer, status: int
) -> None:
    server.refusals = [(status, "")]
    async with HTTPClient(
        CONFIG, interceptors=[client_credentials(server)], retry_policy=RetryPolicy(1)
    ) as client:
        assert isinstance(await client.get(server.url()), Success)
    assert server.seen["client_credentials"] == 2


async def test_a_token_endpoint_that_cannot_be_reached_is_a_transport_failure(
    server: TokenServer, unused_tcp_port: int
) -> None:
    auth = OAuth2ClientCredentials(f"http://127.0.0.1:{unused_tcp_port}/token", "shop", "x")
    async with HTTPClient(CONFIG, interceptors=[auth]) as client:
        failure = (await client.post(server.url(), json=[1])).failure()
    assert isinstance(failure, HTTPConnectionError)
    assert (failure.kind, failure.url) == ("connect", server.url())
    assert failure.delivery is Delivery.NOT_SENT
    assert isinstance(failure.__cause__, HTTPConnectionError)


@pytest.mark.parametrize(
    ("early", "lifetime", "seconds", "fetches"),
    [
        (60, 3600, 3539, 1),
        (60, 3600, 3541, 2),
        (60, 3600, 4000, 2),
        (60, 40, 19, 1),
        (60, 40, 21, 2),
        (0, 40, 39, 1),
        (0, 40, 41, 2),
    ],
)
async def test_a_token_is_replaced_before_it_expires(
    early: float, lifetime: int, seconds: float, fetches: int
) -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.on("GET", "/").reply(200)
    token = script.on("POST", "/token")
    for number in (1, 2):
        token.reply(json={"access_token": f"t{number}", "expires_in": str(lifetime)})

    async def main() -> None:
        auth = OAuth2ClientCredentials("http://login/token", "shop", "x", early=early)
        async with HTTPClient(CONFIG, exchange=script, clock=clock, interceptors=[auth]) as client:
            await client.get("http://h/")
            await clock.sleep(seconds)
            await client.get("http://h/")

    await clock.run(main())
    assert script.calls[-1].headers["Authorization"] == f"Bearer t{fetches}"


async def test_a_failed_early_refresh_leaves_the_token_that_is_still_valid() -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    script.on("GET", "/").reply(200)
    script.on("POST", "/token").reply(json={"access_token": "t1", "expires_in": 100}).reply(
        400, json={"error": "invalid_client"}
    )

    async def main() -> None:
        auth = OAuth2ClientCredentials("http://login/token", "shop", "x")
        async with HTTPClient(CONFIG, exchange=script, clock=clock, interceptors=[auth]) as client:
            for _ in range(3):
                await client.get("http://h/")
                await clock.sleep(45)

    await clock.run(main())
    assert [call.headers["Authorization"] for call in script.calls if call.method == "GET"] == [
        "Bearer t1"
    ] * 3


async def test_rotated_tokens_are_saved_before_they_are_used(server: TokenServer) -> None:
    store = Store(Tokens("", "refresh-0"))
    told: list[tuple[Tokens, int]] = []

    async def told_of(tokens: Tokens) -> None:
        told.append((tokens, server.seen["GET 200"]))

    auth = OAuth2Refresh(server.url("/token"), *server.client, tokens=store, on_rotated=told_of)
    async with HTTPClient(CONFIG, interceptors=[auth]) as client:
        await client.get(server.url())
        server.revoke()
        results = await asyncio.gather(*(client.get(server.url()) for _ in range(20)))
    assert all(isinstance(result, Success) for result in results)
    pairs = [Tokens("access-1", "refresh-1"), Tokens("access-2", "refresh-2")]
    assert (store.saved, told) == (pairs, [(pairs[0], 0), (pairs[1], 1)])
    assert (server.reused, server.seen["refresh_token"]) == (False, 2)


async def test_tokens_that_another_process_saved_are_used(server: TokenServer) -> None:
    store = Store(Tokens("", "refresh-0"))
    here, there = refreshing(server, store), refreshing(server, store)
    async with HTTPClient(CONFIG, interceptors=[here]) as first:
        await first.get(server.url())
        async with HTTPClient(CONFIG, interceptors=[there]) as second:
            assert isinstance(await second.get(server.url()), Success)
            server.revoke()
            assert isinstance(await second.get(server.url()), Success)
        assert isinstance(await first.get(server.url()), Success)
    assert (server.seen["refresh_token"], server.reused) == (2, False)


async def test_tokens_that_could_not_be_saved_are_not_lost(server: TokenServer) -> None:
    store = Store(Tokens("", "refresh-0"))
    auth = refreshing(server, store)
    store.broken = True
    async with HTTPClient(CONFIG, interceptors=[auth]) as client:
        failure = (await client.get(server.url())).failure()
        assert isinstance(failure.__cause__, OSError)
        store.broken = False
        await asyncio.sleep(1.01)
        assert isinstance(await client.get(server.url()), Success)
    assert (server.seen["refresh_token"], server.reused) == (1, False)


async def test_a_refresh_token_is_not_sent_twice_in_doubt(server: TokenServer) -> None:
    server.refusals = [(502, "")]
    store = Store(Tokens("", "refresh-0"))
    async with HTTPClient(CONFIG, interceptors=[refreshing(server, store)]) as client:
        assert refused(outcome(await client.get(server.url()))).code == "server_error"
    assert server.seen["refresh_token"] == 1


@pytest.mark.parametrize("store", [Store(None), Store(Tokens(""))])
async def test_a_user_without_a_refresh_token_is_refused(server: TokenServer, store: Store) -> None:
    async with HTTPClient(CONFIG, interceptors=[refreshing(server, store)]) as client:
        assert refused(outcome(await client.get(server.url()))).code == "invalid_grant"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({}, "invalid_response"),
        ([], "invalid_response"),
        ({"access_token": ""}, "invalid_response"),
        ({"access_token": "t", "token_type": "mac"}, "unsupported_token_type"),
    ],
)
async def test_a_response_that_makes_no_sense_is_typed(document: object, code: str) -> None:
    script = ScriptedTransport()
    script.on("POST", "/token").reply(json=document)
    auth = OAuth2ClientCredentials("http://login/token", "shop", "x")
    async with HTTPClient(CONFIG, exchange=script, interceptors=[auth]) as client:
        failure = refused(outcome(await client.get("http://h/")))
    assert (failure.code, failure.status) == (code, 200)


async def test_a_redirect_of_the_token_endpoint_is_not_followed() -> None:
    script = ScriptedTransport()
    script.on("POST", "/token").reply(307, headers={"Location": "https://evil.example/token"})
    auth = OAuth2ClientCredentials("http://login/token", "shop", "x")
    async with HTTPClient(CONFIG, exchange=script, interceptors=[auth]) as client:
        assert refused(outcome(await client.get("http://h/"))).code == "invalid_response"
    assert len(script.calls) == 1


def _unwrapping(fetches: list[int]) -> Callable[[], str]:
    def fetch() -> str:
        fetches.append(1)
        if len(fetches) < 3:
            Failure(HTTPConnectionError("refused", kind="connect")).unwrap()
        return "t"

    return fetch


async def test_a_transient_failure_of_a_function_is_retried() -> None:
    fetches: list[int] = []
    script = ScriptedTransport()
    script.on("GET", "/").reply(200)
    auth = TokenAuth(_unwrapping(fetches))
    async with HTTPClient(CONFIG, exchange=script, interceptors=[auth]) as client:
        assert isinstance(await client.get("http://h/"), Success)
    assert len(fetches) == 3


async def test_a_stream_is_opened_with_a_new_token(server: TokenServer) -> None:
    async with HTTPClient(CONFIG, interceptors=[client_credentials(server)]) as client:
        await client.get(server.url())
        server.revoke()
        async with client.stream("GET", server.url()) as answer:
            assert answer.status == 200


async def test_a_function_that_hangs_holds_nobody_for_ever() -> None:
    async def fetch() -> str:
        await asyncio.sleep(60)
        return "late"

    auth = TokenAuth(fetch, timeout=0.02)
    async with HTTPClient(CONFIG, exchange=ScriptedTransport(), interceptors=[auth]) as client:
        failure = (await client.get("http://h/")).failure()
    assert isinstance(failure, HTTPTimeoutError)


def test_tokens_and_interceptors_do_not_show_secrets() -> None:
    auth = OAuth2ClientCredentials("http://login/token?k=v", "shop", "s3cret")
    shown = repr([Tokens("acc", "ref"), auth, TokenAuth(lambda: "t")])
    assert "s3cret" not in shown
    assert shown == (
        "[Tokens(access_token=***, refresh_token=***), "
        "<OAuth2ClientCredentials of http://login/token?k=***>, <TokenAuth>]"
    )


@pytest.mark.parametrize(
    ("kind", "at", "sends"),
    [
        ("connect", "connect", 2),
        ("disconnected", "head", 1),
        ("tls", "connect", 1),  # it will not pass
    ],
)
async def test_a_refresh_token_is_sent_again_only_if_it_was_never_sent(
    kind: ConnectionKind, at: FailurePoint, sends: int
) -> None:
    clock = ManualClock()
    script = ScriptedTransport(clock=clock)
    token = {"access_token": "new", "token_type": "Bearer"}
    lost = HTTPConnectionError(kind=kind)
    endpoint = script.on("POST", "/token").fail(lost, at).reply(json=token)
    script.on("GET", "/").reply()
    auth = OAuth2Refresh("http://h/token", "id", tokens=Store(Tokens("", "refresh")))
    once = RetryPolicy(1, reraise=True)
    async with HTTPClient(
        exchange=script, clock=clock, interceptors=[auth], retry_policy=once
    ) as client:
        result = await clock.run(client.get("http://h/"))
    assert (len(endpoint.calls), isinstance(result, Success)) == (sends, sends == 2)


def test_tokens_with_further_fields_are_not_shown_either() -> None:
    @dataclass(frozen=True)
    class Scoped(Tokens):
        scope: str = ""

    assert repr(Scoped("s3cret", "s3cret", "a")).endswith("Scoped(scope='a')")


@pytest.mark.parametrize("early", [-1, float("nan"), "5", True, None])
def test_a_time_that_is_no_number_of_seconds_is_refused_by_name(early: float) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        OAuth2ClientCredentials("http://login/token", "shop", "", early=early)
    assert caught.value.field == "early"


@pytest.mark.parametrize(("status", "taken"), [(200, True), (201, True), (299, True), (300, False)])
async def test_a_token_comes_with_a_success_only(status: int, taken: bool) -> None:
    script = ScriptedTransport()
    script.on("GET", "/").reply()
    script.on("POST", "/token").reply(status, json={"access_token": "t"})
    auth = OAuth2ClientCredentials("http://login/token", "shop", "")
    async with HTTPClient(CONFIG, exchange=script, interceptors=[auth]) as client:
        assert isinstance(await client.get("http://h/"), Success) is taken
    assert len(script.calls) == 1 + taken


@pytest.mark.parametrize("given", [7, None, b"t"])
async def test_a_function_that_returns_no_text_is_refused(given: object) -> None:
    auth = TokenAuth(lambda: given)  # type: ignore[arg-type,return-value]  # the mistake
    async with HTTPClient(CONFIG, exchange=ScriptedTransport(), interceptors=[auth]) as client:
        failure = (await client.get("http://h/")).failure()
    assert isinstance(failure, HTTPInterceptorError)
    assert isinstance(failure.__cause__, HTTPValidationError)
    assert failure.__cause__.field == "fetch"


async def test_an_unwrapped_failure_of_another_kind_is_that_of_the_interceptor() -> None:
    def fetch() -> str:
        return str(Failure("no token").unwrap())

    auth = TokenAuth(fetch)
    async with HTTPClient(CONFIG, exchange=ScriptedTransport(), interceptors=[auth]) as client:
        failure = (await client.get("http://h/")).failure()
    assert isinstance(failure, HTTPInterceptorError)
    assert isinstance(failure.__cause__, UnwrapFailedError)


async def test_a_time_limit_of_the_function_itself_is_its_failure() -> None:
    async def fetch() -> str:
        raise TimeoutError

    auth = TokenAuth(fetch, timeout=60.0)
    async with HTTPClient(CONFIG, exchange=ScriptedTransport(), interceptors=[auth]) as client:
        failure = (await client.get("http://h/")).failure()
    assert isinstance(failure, HTTPInterceptorError)
    assert isinstance(failure.__cause__, TimeoutError)


async def test_a_token_of_a_token_endpoint_needs_a_client() -> None:
    auth = OAuth2ClientCredentials("http://login/token", "shop", "s3cret")
    with pytest.raises(HTTPValidationError, match="needs a client") as caught:
        await auth.prepare(RequestContext("GET", "http://h/"))
    assert caught.value.field == "context"


WRONG: Final[dict[str, object]] = {
    "token_url": "x",
    "client_id": 7,
    "secret": 7,
    "scope": 7,
    "early": -1.0,
    "tokens": object(),
    "on_rotated": 7,
}


@pytest.mark.parametrize("argument", WRONG)
def test_a_wrong_argument_of_a_token_endpoint_is_named(argument: str) -> None:
    usual: dict[str, object] = {"token_url": "http://login/token", "client_id": "shop"}
    usual |= {"secret": "s3cret", "tokens": Store(None), argument: WRONG[argument]}
    own = {"tokens", "on_rotated"}
    with pytest.raises(HTTPValidationError) as caught:
        OAuth2Refresh(**usual)  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.field == argument
    if argument not in own:
        usual.pop("tokens")
        with pytest.raises(HTTPValidationError) as caught:
            OAuth2ClientCredentials(**usual)  # type: ignore[arg-type]  # wrong on purpose
        assert caught.value.field == argument


async def test_a_program_without_a_secret_names_itself_in_the_form() -> None:
    script = ScriptedTransport()
    script.on("POST", "/token").reply(json={"access_token": "t"})
    script.on("GET", "/").reply(200)
    auths = [
        OAuth2ClientCredentials("http://login/token", "shop", "", scope="a b"),
        OAuth2Refresh("http://login/token", "shop", tokens=Store(Tokens("", "r")), scope="a b"),
    ]
    for auth in auths:
        async with HTTPClient(CONFIG, exchange=script, interceptors=[auth]) as client:
            (await client.get("http://h/")).unwrap()
    forms = [parse_qs(call.body.decode()) for call in script.calls if call.method == "POST"]
    shared = {"client_id": ["shop"], "scope": ["a b"]}
    assert forms == [
        {"grant_type": ["client_credentials"], **shared},
        {"grant_type": ["refresh_token"], "refresh_token": ["r"], **shared},
    ]
    assert not any("Authorization" in call.headers for call in script.calls if call.body)
