"""Digest authentication: the vectors of RFC 7616, and a server that checks every field."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from multidict import CIMultiDict
from returns.result import Success

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HTTPInterceptorError,
    HttpResponse,
    HTTPStatusError,
    HTTPValidationError,
    RequestContext,
)
from railhttp.auth import DigestAuth
from railhttp.model.body import BytesBody
from railhttp.model.request import Request
from railhttp.model.stage import AttemptState, Stage
from railhttp.protocols import IncomingResponse
from railhttp.railway import outcome
from railhttp.testing import ScriptedTransport
from railhttp.wire.challenges import challenges
from railhttp.wire.digest import DigestChallenge, DigestRequest, authorization

CONFIG: Final = HTTPClientConfig(trust_env=False)
URL: Final = "http://h.example/dir/index.html?a=b"
CHALLENGE: Final = 'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"'

RFC: Final = DigestChallenge(
    "http-auth@example.org",
    "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
)
CNONCE: Final = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_vectors_of_the_rfc(algorithm: str, response: str) -> None:
    """RFC 7616, section 3.9.1."""
    request = DigestRequest("GET", "/dir/index.html", 1, CNONCE)
    field = authorization(RFC._replace(algorithm=algorithm), "Mufasa", "Circle of Life", request)
    (sent,) = challenges([field])
    assert sent.parameters == {
        "username": "Mufasa",
        "realm": RFC.realm,
        "uri": "/dir/index.html",
        "algorithm": algorithm,
        "nonce": RFC.nonce,
        "nc": "00000001",
        "cnonce": CNONCE,
        "qop": "auth",
        "response": response,
        "opaque": RFC.opaque,
    }


@pytest.mark.parametrize(
    ("offered", "algorithm", "qop"),
    [
        (['Digest realm="r", nonce="n"'], "", ""),
        (['Digest realm="r", nonce="n", qop="auth-int,auth"'], "", "auth"),
        (['Digest realm="r", nonce="n", qop="auth-int"'], "", "auth-int"),
        (
            [
                'Digest realm="r", nonce="n", algorithm=MD5',
                'Digest nonce="n", algorithm=SHA-256, realm=""',
            ],
            "SHA-256",
            "",
        ),
        (
            [
                'Digest realm="r", nonce="n", algorithm=SHA-256',
                'Digest realm="r", nonce="n", algorithm=SHA-512-256',
                'Digest realm="r", nonce="n", algorithm=MD5',
            ],
            "SHA-512-256",
            "",
        ),
        (['Basic realm="a, Digest b", Digest realm="r", nonce="n", qop=auth'], "", "auth"),
        (['Digest realm="r", nonce="n", algorithm=SHA-1'], None, None),
        (['Digest realm="r", nonce="n", qop="new"'], None, None),
        (['Digest realm="r"'], None, None),
        (["Negotiate YWJj=, Bearer"], None, None),
        (["", ",,,", '"'], None, None),
    ],
)
def test_the_strongest_challenge_that_can_be_answered_is_chosen(
    offered: list[str], algorithm: str | None, qop: str | None
) -> None:
    chosen = DigestChallenge.strongest(challenges(offered))
    if chosen is None:
        assert algorithm is None
    else:
        assert (chosen.algorithm, chosen.qop) == (algorithm, qop)


class Guard:
    """A server in memory that checks digests by its own formula.

    Attributes:
        counts: The nonces and counts that it has accepted.
        streamed: The bytes of a body that is not sent as bytes.
    """

    def __init__(self, name: str = "sha256", qop: str = "auth") -> None:
        self.name, self.qop = name, qop
        self.nonce, self.next_nonce = "n1", ""
        self.password = 'p"w'
        self.counts: list[tuple[str, str]] = []
        self.requests = 0
        self.streamed = b""

    async def send(self, request: Request, attempt: AttemptState) -> HttpResponse:
        attempt.stage = Stage.ANSWERED
        self.requests += 1
        await asyncio.sleep(0)  # other calls are under way
        sent = [*challenges([(request.headers or CIMultiDict()).get("Authorization", "")])]
        if not sent:
            return self._refuse(request, stale=False)
        given = sent[0].parameters
        if given["nonce"] != self.nonce:
            return self._refuse(request, stale=True)
        body = request.body.content if isinstance(request.body, BytesBody) else self.streamed
        target = f"{request.method}:{given['uri']}"
        if self.qop == "auth-int":
            target += f":{hashlib.new(self.name, body).hexdigest()}"
        secret = self._hash(f"ann:r\\1:{self.password}")
        parts = (secret, given["nonce"], given["nc"], given["cnonce"], self.qop, self._hash(target))
        if given["response"] != self._hash(":".join(parts)):
            return self._refuse(request, stale=False)
        assert given["uri"] == request.url.raw_path_qs
        self.counts.append((given["nonce"], given["nc"]))
        headers = {}
        if self.next_nonce:
            headers["Authentication-Info"] = f'nextnonce="{self.next_nonce}", qop=auth'
            self.nonce = self.next_nonce
        return HttpResponse(200, headers, url=request.url_text, method=request.method)

    def _hash(self, text: str) -> str:
        return hashlib.new(self.name, text.encode()).hexdigest()

    def _refuse(self, request: Request, *, stale: bool) -> HttpResponse:
        algorithm = {"sha512_256": "SHA-512-256", "sha256": "SHA-256", "md5": "MD5"}[self.name]
        challenge = (
            f'Digest realm="r\\\\1", nonce="{self.nonce}", algorithm={algorithm}, '
            f'qop="{self.qop}"{", stale=true" if stale else ""}'
        )
        headers = {"WWW-Authenticate": challenge}
        return HttpResponse(401, headers, url=request.url_text, method=request.method)

    async def open(self, request: Request, attempt: AttemptState) -> IncomingResponse:
        raise NotImplementedError


@pytest.mark.parametrize(
    "name", sorted({"sha512_256", "sha256", "md5"} & hashlib.algorithms_available)
)
@pytest.mark.parametrize("qop", ["auth", "auth-int"])
async def test_a_challenge_is_answered_and_its_nonce_used_again(name: str, qop: str) -> None:
    guard = Guard(name, qop)
    auth = DigestAuth("ann", guard.password)
    async with HTTPClient(CONFIG, exchange=guard, interceptors=[auth]) as client:
        for _ in range(3):
            assert isinstance(await client.post(URL, data=b"body"), Success)
    assert guard.counts == [("n1", "00000001"), ("n1", "00000002"), ("n1", "00000003")]
    assert guard.requests == 4


async def test_a_stale_nonce_is_replaced() -> None:
    guard = Guard()
    auth = DigestAuth("ann", guard.password)
    async with HTTPClient(CONFIG, exchange=guard, interceptors=[auth]) as client:
        await client.get(URL)
        guard.nonce = "n2"
        assert isinstance(await client.get(URL), Success)
    assert guard.counts == [("n1", "00000001"), ("n2", "00000001")]


async def test_the_next_nonce_is_used_without_a_refusal() -> None:
    guard = Guard()
    auth = DigestAuth("ann", guard.password)
    async with HTTPClient(CONFIG, exchange=guard, interceptors=[auth]) as client:
        guard.next_nonce = "n2"
        await client.get(URL)
        assert isinstance(await client.get(URL), Success)
    assert (guard.counts, guard.requests) == ([("n1", "00000001"), ("n2", "00000001")], 3)


async def test_wrong_credentials_are_sent_once() -> None:
    guard = Guard()
    async with HTTPClient(CONFIG, exchange=guard, interceptors=[DigestAuth("ann", "no")]) as client:
        for _ in range(2):
            assert isinstance(outcome(await client.get(URL)), HTTPStatusError)
    assert guard.requests == 4


async def test_another_origin_gets_no_answer() -> None:
    guard = Guard()
    auth = DigestAuth("ann", guard.password)
    async with HTTPClient(
        CONFIG, exchange=guard, interceptors=[auth], base_url="http://other.example"
    ) as client:
        assert isinstance(outcome(await client.get(URL)), HTTPStatusError)
    assert guard.requests == 1


def test_names_beyond_ascii_and_hashed_names() -> None:
    request = DigestRequest("GET", "/", 1, "c")
    challenge = DigestChallenge("r", "n", "SHA-256")
    assert "username*=UTF-8''J%C3%A4s%C3%B8n%20Doe" in authorization(
        challenge, "Jäsøn Doe", "x", request
    )
    hashed = hashlib.sha256(b"ann:r").hexdigest()
    assert f'username="{hashed}"' in authorization(
        challenge._replace(userhash=True), "ann", "x", request
    )


async def test_a_context_outside_of_a_client_is_left_alone() -> None:
    context = RequestContext("GET", URL)
    assert (await DigestAuth("ann", "x").intercept_request(context)).headers == {}


async def test_the_digest_of_a_body_that_is_read_in_chunks_covers_all_of_it(
    tmp_path: Path,
) -> None:
    guard = Guard(qop="auth-int")
    guard.streamed = b"body" * 50_000
    file = tmp_path / "body"
    file.write_bytes(guard.streamed)
    auth = DigestAuth("ann", guard.password)
    async with HTTPClient(CONFIG, exchange=guard, interceptors=[auth]) as client:
        with file.open("rb") as opened:
            assert isinstance(await client.post(URL, data=opened), Success)
    assert guard.counts == [("n1", "00000001")]


async def once() -> AsyncIterator[bytes]:
    yield b"body"


async def test_a_body_that_can_be_read_once_is_refused_if_its_digest_is_required() -> None:
    guard = Guard(qop="auth-int")
    auth = DigestAuth("ann", guard.password)
    async with HTTPClient(CONFIG, exchange=guard, interceptors=[auth]) as client:
        await client.get(URL)  # from now on the client knows the challenge
        failure = (await client.post(URL, data=once())).failure()
    assert isinstance(failure, HTTPInterceptorError)
    assert isinstance(failure.__cause__, HTTPValidationError)
    assert failure.__cause__.field == "data"
    assert guard.requests == 2


async def test_an_authorization_of_the_caller_stays() -> None:
    script = ScriptedTransport()
    script.on("GET", "/**").reply(401, headers={"WWW-Authenticate": CHALLENGE})
    async with HTTPClient(CONFIG, exchange=script, interceptors=[DigestAuth("ann", "x")]) as client:
        await client.get(URL)
        await client.get(URL, headers={"Authorization": "Basic YTpi"})
    assert [call.headers.get("Authorization", "")[:6] for call in script.calls] == [
        *("", "Digest", "Basic "),
    ]


@pytest.mark.parametrize("fields", [{}, {"WWW-Authenticate": 'Basic realm="r"'}])
async def test_a_401_without_a_digest_is_the_response(fields: dict[str, str]) -> None:
    script = ScriptedTransport()
    script.on("GET", "/**").reply(401, headers=fields)
    async with HTTPClient(CONFIG, exchange=script, interceptors=[DigestAuth("ann", "x")]) as client:
        assert isinstance(outcome(await client.get(URL)), HTTPStatusError)
    assert len(script.calls) == 1


async def test_a_nonce_that_worked_before_is_not_tried_again_for_a_refusal() -> None:
    """The server takes the nonce, so it is the user who may not see this page."""
    script = ScriptedTransport()
    route = script.on("GET", "/**")
    route.reply(401, headers={"WWW-Authenticate": CHALLENGE}).reply(200)
    route.reply(401, headers={"WWW-Authenticate": CHALLENGE})
    async with HTTPClient(CONFIG, exchange=script, interceptors=[DigestAuth("ann", "x")]) as client:
        assert [outcome(await client.get(URL)).status for _ in range(2)] == [200, 401]  # type: ignore[union-attr]  # both have one
    assert len(script.calls) == 3


async def test_calls_at_the_same_time_respond_to_one_challenge() -> None:
    guard = Guard()
    auth = DigestAuth("ann", guard.password)
    async with HTTPClient(CONFIG, exchange=guard, interceptors=[auth]) as client:
        results = await asyncio.gather(*(client.get(URL) for _ in range(3)))
    assert all(isinstance(result, Success) for result in results)
    assert sorted(guard.counts) == [("n1", f"0000000{number}") for number in (1, 2, 3)]


def test_a_colon_would_end_the_user_name() -> None:
    with pytest.raises(HTTPValidationError) as caught:
        DigestAuth("an:n", "x")
    assert caught.value.field == "username"


@pytest.mark.parametrize(
    ("username", "password", "field"), [(7, "p", "username"), ("ann", b"p", "password")]
)
def test_credentials_that_are_no_text_are_named(
    username: object, password: object, field: str
) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        DigestAuth(username, password)  # type: ignore[arg-type]  # on purpose
    assert caught.value.field == field
