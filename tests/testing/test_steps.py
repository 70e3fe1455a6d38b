"""Steps that are refused, and the bytes of scripts and applications."""

import asyncio
import gc
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from returns.result import Result, Success
from yarl import URL

from railhttp import (
    HTTPClient,
    HttpResponse,
    HTTPValidationError,
)
from railhttp.endpoints import get
from railhttp.headers import freeze_headers
from railhttp.railway import run
from railhttp.testing import (
    ASGITransport,
    ContractBroken,
    ScriptedTransport,
    SentRequest,
    UnmatchedRequestError,
    serve,
)
from railhttp.testing.asgi_app import Message, Receive, Send

API = "http://h"


@pytest.mark.parametrize(
    ("value", "is_kept"),
    [(HttpResponse(202, body=b"a"), True), (HttpResponse(200), False), ("a text", False)],
)
async def test_a_response_as_a_value_has_a_declared_status(value: object, is_kept: bool) -> None:
    endpoint = get("/x").gives(HttpResponse, status=202)
    script = ScriptedTransport()
    script.serve(endpoint).replies(value)  # type: ignore[arg-type]  # that is the case
    async with HTTPClient(exchange=script, base_url=API) as client:
        if is_kept:
            assert (await run(endpoint()(client))).unwrap().body == b"a"
        else:
            with pytest.raises(ContractBroken, match="must be an HttpResponse of a declared"):
                await run(endpoint()(client))


@dataclass(frozen=True)
class Page:
    number: int

    def __post_init__(self) -> None:
        if self.number < 1:
            raise LookupError


async def test_parameters_that_their_class_refuses_do_not_fit() -> None:
    seen: list[int] = []

    def page(number: int) -> Result[str, object]:
        seen.append(number)
        return Success("a")

    script = ScriptedTransport()
    script.serve(get("/pages/{number}", Page).gives(str)).does(page)  # type: ignore[arg-type]  # no refusal
    async with HTTPClient(exchange=script, base_url=API) as client:
        (await client.get("/pages/1")).unwrap()
        with pytest.raises(UnmatchedRequestError, match=r"parameters: .* refuses it: LookupError"):
            await client.get("/pages/0")
    assert seen == [1]


async def test_a_streamed_endpoint_without_a_status_is_a_200() -> None:
    endpoint = get("/x").streamed()
    script = ScriptedTransport()
    script.serve(endpoint).replies(b"a", headers={"X-A": "1"})
    async with HTTPClient(exchange=script, base_url=API) as client:
        response = (await client.get("/x")).unwrap()
    assert (response.status, response.headers["X-A"], response.body) == (200, "1", b"a")


def test_an_argument_that_is_refused_is_named() -> None:
    script = ScriptedTransport()
    with pytest.raises(HTTPValidationError) as wrong_url:
        script.on("GET", "users")
    with pytest.raises(HTTPValidationError) as wrong_status:
        script.on("GET", "/").reply(99)
    assert (wrong_url.value.field, wrong_status.value.field) == ("url", "status")


async def test_an_application_without_a_lifespan_leaves_no_error_behind() -> None:
    errors: list[object] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError

    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    async with ASGITransport(app):
        pass
    gc.collect()
    await asyncio.sleep(0)
    assert errors == []


@pytest.mark.parametrize(("answers", "name"), [((str, int), "str or int"), ((str,), "str")])
async def test_a_broken_contract_names_what_was_declared(
    answers: tuple[type[object], ...], name: str
) -> None:
    endpoint = get("/x").gives(answers[0])
    script = ScriptedTransport()
    if len(answers) == 1:
        script.serve(endpoint).replies(None)
    else:
        both = endpoint.or_gives(202, answers[1])
        script.serve(both).replies(None)
    async with HTTPClient(exchange=script, base_url=API) as client:
        with pytest.raises(ContractBroken, match=f"NoneType does not come back as {name}: "):
            await client.get("/x")


def test_a_request_shows_no_secret_and_no_body() -> None:
    fields = freeze_headers({"Authorization": "Bearer s3cret", "X-A": "1"})
    sent = SentRequest("POST", f"{API}/?token=s3cret", fields, b"s3cret")
    shown = repr(sent)
    assert "s3cret" not in shown
    assert "6 bytes" in shown
    assert "token=***" in shown
    assert "'X-A': '1'" in shown


async def test_a_streamed_endpoint_has_the_first_of_its_statuses() -> None:
    endpoint = get("/x").gives(str, status={206, 203}).streamed()
    script = ScriptedTransport()
    script.serve(endpoint).replies(b"a")
    async with HTTPClient(exchange=script, base_url=API) as client:
        assert (await client.get("/x")).unwrap().status == 203


async def test_bytes_that_are_no_text_pass_through_a_server_unchanged() -> None:
    seen: list[SentRequest] = []

    def echo(sent: SentRequest) -> HttpResponse:
        seen.append(sent)
        return HttpResponse(200, {"X-B": sent.headers["X-A"]}, b"")

    script = ScriptedTransport()
    script.on("GET", "/").does(echo)
    async with serve(script) as server, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", URL(server.url).port)
        writer.write(b"GET / HTTP/1.1\r\nX-A: a\xffb\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
    assert seen[0].headers["X-A"] == "a\udcffb"
    assert b"\r\nX-B: a\xffb\r\n" in head


async def test_a_text_has_a_type_and_a_charset_unless_it_has_its_own() -> None:
    script = ScriptedTransport()
    script.on("GET", "/a").reply(text="né")
    script.on("GET", "/b").reply(text="n", headers={"content-type": "text/x"})
    script.on("GET", "/c").reply(json=[], headers={"content-type": "a/b"})
    script.on("GET", "/d").reply(json=[])
    async with HTTPClient(exchange=script, base_url=API) as client:
        kinds = [(await client.get(f"/{name}")).unwrap().headers["Content-Type"] for name in "abcd"]
    assert kinds == ["text/plain; charset=utf-8", "text/x", "a/b", "application/json"]


async def raw(url: str, request: bytes) -> bytes:
    """Send bytes to a server; return all bytes up to the end of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", URL(url).port)
    writer.write(request)
    async with asyncio.timeout(60):
        response = await reader.read()
    writer.close()
    return response


@pytest.mark.parametrize(
    ("request_", "status"),
    [(b"GET /b HTTP/1.1\r\n\r\n", b"501"), (b"GET / HTTP/1\r\n\r\n", b"400")],
)
async def test_a_server_explains_itself_in_plain_text(request_: bytes, status: bytes) -> None:
    async with serve(ScriptedTransport()) as server:
        response = await raw(server.url, request_)
    assert response.startswith(b"HTTP/1.1 " + status)
    assert b"\r\nContent-Type: text/plain; charset=utf-8\r\n" in response


async def test_a_refusal_of_an_endpoint_that_declares_none_breaks_the_contract() -> None:
    script = ScriptedTransport()
    script.serve(get("/x").gives(str)).refuses("no")  # type: ignore[arg-type]  # that is the case
    async with HTTPClient(exchange=script, base_url=API) as client:
        with pytest.raises(ContractBroken, match=r"str does not come back as nothing$"):
            await client.get("/x")


async def test_a_message_without_a_body_has_an_empty_one() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    async with HTTPClient(exchange=ASGITransport(app)) as client:
        assert (await client.get(API)).unwrap().body == b""


async def test_cookies_are_one_field() -> None:
    script = ScriptedTransport()
    script.on("GET", "/").reply()
    async with HTTPClient(exchange=script) as client:
        (await client.get(API, cookies={"a": "1", "b": "2"})).unwrap()
        (await client.get(API, cookies={"a": "1"}, headers={"Cookie": "c=3"})).unwrap()
    assert [call.headers.getall("Cookie") for call in script.calls] == [["a=1; b=2"], ["c=3"]]


async def test_a_body_is_not_read_for_routes_of_other_requests() -> None:
    read: list[bytes] = []

    def body() -> Iterator[bytes]:
        read.append(b"a")
        yield b"a"

    script = ScriptedTransport()
    script.on("POST", "/other")
    script.on("PUT", "/", body=b"b")
    script.on("POST", "/").fail(ConnectionRefusedError(), at="connect")
    async with HTTPClient(exchange=script) as client:
        assert (await client.post(API, data=body())).failure().label == "connect"
    assert read == []


@pytest.mark.parametrize("url", ["http:/h/a", "h:/a", "a://"])
def test_a_pattern_is_a_path_or_a_whole_url(url: str) -> None:
    script = ScriptedTransport()
    if "://" in url:
        assert script.on("GET", url) in script.routes
        return
    with pytest.raises(HTTPValidationError, match=r"^url: "):
        script.on("GET", url)
