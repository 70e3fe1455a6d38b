"""A base URL and default fields for every face of the client: verbs, futures, readers, streams."""

from typing import Final

import pytest
from returns.result import Result

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HTTPFailure,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPValidationError,
    RequestOptions,
)
from railhttp.railway import reader, run
from railhttp.testing import ScriptedTransport

BASE: Final = "http://api.example/v1?key=7"
FIELDS: Final = {"X-Id": "7", "Authorization": "Bearer s3cret"}


def client_of(script: ScriptedTransport, *, share_credentials: bool = False) -> HTTPClient:
    return HTTPClient(
        HTTPClientConfig(trust_env=False),
        exchange=script,
        base_url=BASE,
        headers=FIELDS,
        share_credentials=share_credentials,
    )


async def by_verb(client: HTTPClient) -> Result[HttpResponse, HTTPFailure]:
    return await client.get("users")


async def by_request(client: HTTPClient) -> object:
    return await client.request("get", "/users")


async def by_future(client: HTTPClient) -> object:
    return await run(client.future.get("users"))


async def by_reader(client: HTTPClient) -> object:
    return await run(reader.get("users")(client))


async def by_stream(client: HTTPClient) -> object:
    async with client.stream("GET", "users") as chunks:
        return [chunk async for chunk in chunks]


@pytest.mark.parametrize("face", [by_verb, by_request, by_future, by_reader, by_stream])
async def test_each_face_puts_paths_behind_the_base_url(face: object) -> None:
    script = ScriptedTransport()
    route = script.on("GET", "http://api.example/v1/users").reply(200)
    async with client_of(script) as client:
        for _ in range(2):  # what is remembered of the first request is what it was
            await face(client)  # type: ignore[operator]  # one of those above
    for call in route.calls:
        assert call.url == "http://api.example/v1/users?key=7"
        assert dict(call.headers) == FIELDS


async def test_a_calls_own_field_takes_the_place_of_a_default() -> None:
    script = ScriptedTransport()
    route = script.on("POST", "/v1/users").reply(201)
    async with client_of(script) as client:
        await client.post("users", headers={"x-id": "8"}, json={})
        await client.post_multipart("users", {"a": "b"}, headers={"x-id": "8"})
    for call in route.calls:
        assert call.headers.getall("X-Id") == ["8"]
        assert call.headers["Authorization"] == "Bearer s3cret"


@pytest.mark.parametrize(("share", "sent"), [(False, {"X-Id": "7"}), (True, FIELDS)])
async def test_secret_defaults_stay_at_their_origin(share: bool, sent: dict[str, str]) -> None:
    script = ScriptedTransport()
    route = script.on("GET", "http://other.example/").reply(200)
    async with client_of(script, share_credentials=share) as client:
        await client.get("http://other.example/")
        await client.get("http://other.example/", timeout=5.0)
    assert [dict(call.headers) for call in route.calls] == [sent] * 2


async def test_defaults_without_a_base_url_go_everywhere() -> None:
    script = ScriptedTransport()
    route = script.on("GET", "/").reply(200)
    async with HTTPClient(exchange=script, headers=FIELDS) as client:
        await client.get("http://a/")
        assert isinstance((await client.get("/")).failure(), HTTPInvalidRequestError)
    assert dict(route.calls[0].headers) == FIELDS


async def test_what_is_no_option_is_still_a_wrong_call() -> None:
    async with client_of(ScriptedTransport()) as client:
        options: RequestOptions = {"colour": "red"}  # type: ignore[typeddict-unknown-key]
        with pytest.raises(TypeError, match="colour"):
            await client.get("users", **options)


@pytest.mark.parametrize(
    ("base", "headers", "field"),
    [
        ("ftp://h/", {}, "base_url"),
        ("h/v1", {}, "base_url"),
        ("http://h/", {"a b": "c"}, "headers"),
    ],
)
def test_both_are_checked_when_the_client_is_built(
    base: str, headers: dict[str, str], field: str
) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        HTTPClient(base_url=base, headers=headers)
    assert caught.value.field == field
