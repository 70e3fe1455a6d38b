"""A script on a real socket: it plays what it plays in memory, and leaves nothing behind."""

import asyncio

import pytest
from returns.result import Failure, Success
from tests.endpoints.users_api import NewUser, User, UserNotFound, Users

from railhttp import HTTPClient, HTTPConnectionError, HTTPTimeoutError, RetryPolicy
from railhttp.testing import ContractBroken, ScriptedTransport, serve

ANN = User(7, "Ann")


async def exchange(url: str, *requests: bytes) -> bytes:
    """Send bytes to a server on one connection, and return all that comes back."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for request in requests:
        writer.write(request)
        await writer.drain()
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_declaration_is_a_server() -> None:
    script = ScriptedTransport()
    script.serve(Users.find).replies(ANN).refuses(UserNotFound(7))
    async with serve(script) as server, HTTPClient(base_url=server.url) as client:
        users = Users(client)
        assert await users.find(7) == Success(ANN)
        assert await users.find(7) == Failure(UserNotFound(7))
    assert script.calls[0].url.endswith("/users/7?expand=false")


async def test_a_connection_serves_one_request_after_another() -> None:
    script = ScriptedTransport()
    route = script.on("POST", "/a").reply(text="one").reply(204).reply(text="three")
    chunked = b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n"
    async with serve(script) as server:
        answer = await exchange(
            server.url,
            b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
            b"POST /a HTTP/1.1\r\nHost: h\r\n" + chunked,
            b"POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        )
    assert [call.body for call in route.calls] == [b"abc", b"abcde", b""]
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.count(b"HTTP/1.1 204 No Content") == 1
    assert answer.endswith(b"5\r\nthree\r\n0\r\n\r\n")


@pytest.mark.parametrize(("field", "kind"), [(b"Content-Type: a/b\r\n", "a/b"), (b"", None)])
async def test_a_body_has_the_type_that_the_client_names(field: bytes, kind: str | None) -> None:
    script = ScriptedTransport()
    route = script.on("POST", "/a").reply(204)
    async with serve(script) as server:
        head = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n" + field
        await exchange(server.url, head + b"\r\nx")
    assert route.calls[0].headers.get("Content-Type") == kind


async def test_a_head_has_no_body() -> None:
    script = ScriptedTransport()
    script.on("HEAD", "/a").reply(text="one")
    async with serve(script) as server:
        answer = await exchange(server.url, b"HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n")
        missed = await exchange(server.url, b"HEAD /b HTTP/1.1\r\nHost: h\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\n")
    assert missed.startswith(b"HTTP/1.1 501 ")
    assert missed.endswith(b"\r\n\r\n")


async def test_an_old_client_gets_a_body_until_the_connection_ends() -> None:
    script = ScriptedTransport()
    script.on("GET", "/a").reply(text="one")
    async with serve(script) as server:
        answer = await exchange(server.url, b"GET /a HTTP/1.0\r\n\r\n")
    assert b"Transfer-Encoding" not in answer
    assert answer.endswith(b"\r\n\r\none")


async def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    script = ScriptedTransport()
    script.on("POST", "/a").reply(204)
    async with serve(script) as server:
        head = b"POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
        answer = await exchange(server.url, head, b"x")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 ")


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_not_http_gets_a_400(request_: bytes) -> None:
    async with serve(ScriptedTransport()) as server:
        answer = await exchange(server.url, request_)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def test_a_request_without_a_route_gets_a_501() -> None:
    script = ScriptedTransport()
    async with serve(script) as server, HTTPClient(base_url=server.url) as client:
        response = await client.request("GET", "/nowhere")
    assert response.status == 501
    assert script.misses == [response.text]


async def test_a_broken_contract_is_raised_at_the_end_of_the_block() -> None:
    script = ScriptedTransport()
    script.serve(Users.find).replies(User("7", "Ann"))  # type: ignore[arg-type]  # no int
    with pytest.raises(ContractBroken, match="does not come back"):
        async with serve(script) as server, HTTPClient(base_url=server.url) as client:
            await Users(client).find(7)


async def test_an_error_of_the_block_comes_before_a_broken_contract() -> None:
    async def failing() -> None:
        script = ScriptedTransport()
        script.serve(Users.find).replies(User("7", "Ann"))  # type: ignore[arg-type]  # no int
        async with serve(script) as server, HTTPClient(base_url=server.url) as client:
            await Users(client).find(7)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()


async def test_a_failure_resets_the_connection() -> None:
    script = ScriptedTransport()
    script.serve(Users.add).fails(ConnectionResetError()).fails(ConnectionResetError(), "body")
    once = RetryPolicy(1)
    async with (
        serve(script) as server,
        HTTPClient(base_url=server.url, retry_policy=once) as client,
    ):
        for _ in range(2):
            failure = (await Users(client).add(NewUser("x"))).failure()
            assert isinstance(failure, HTTPConnectionError)


async def test_two_servers_have_ports_of_their_own() -> None:
    one, two = ScriptedTransport(), ScriptedTransport()
    one.on("GET", "/").reply(text="one")
    two.on("GET", "/").reply(text="two")
    async with serve(one) as first, serve(two) as second, HTTPClient() as client:
        texts = [(await client.get(server.url)).unwrap().text for server in (first, second)]
    assert texts == ["one", "two"]


async def test_nothing_is_left_running() -> None:
    before = asyncio.all_tasks()
    script = ScriptedTransport()
    script.on("GET", "/silent").hang()
    script.on("GET", "/").reply(200)
    async with serve(script) as server, HTTPClient(base_url=server.url) as client:
        assert (await client.get("/")).unwrap().ok
        silent = (await client.get("/silent", timeout=0.05)).failure()
    assert isinstance(silent, HTTPTimeoutError)
    assert asyncio.all_tasks() == before
    with pytest.raises(RuntimeError, match="async with"):
        print(server.url)


async def test_a_server_says_what_it_serves_and_where() -> None:
    script = ScriptedTransport()
    script.on("GET", "/a").reply(204)
    server = serve(script)
    assert repr(server) == "<ScriptServer of <ScriptedTransport of 1 route>, not running>"
    async with server:
        script.on("GET", "/b").reply(204)
        shown = f"<ScriptServer of <ScriptedTransport of 2 routes>, at {server.url}>"
        assert repr(server) == shown
