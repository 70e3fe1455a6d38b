"""Every credential is sent to one origin."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from railhttp import Clock, HttpResponse, RequestContext
from railhttp.auth import (
    ApiKey,
    BasicAuth,
    BearerAuth,
    DigestAuth,
    NetrcAuth,
    OAuth2ClientCredentials,
    OAuth2Refresh,
    SigV4,
    TokenAuth,
    Tokens,
)
from railhttp.interceptors import MessageSigning, RequestInterceptor
from railhttp.pipeline.clock import SYSTEM_CLOCK

OWN: Final = "https://api.example"


class Endpoint:
    """The client of a call; each of its requests gets a token."""

    clock: Clock = SYSTEM_CLOCK

    async def send(self, method: str, url: str, **options: object) -> HttpResponse:
        return HttpResponse(200, body=b'{"access_token": "t"}')


class Kept:
    """The tokens of a user."""

    async def load(self) -> Tokens | None:
        return Tokens("", "r")

    async def save(self, tokens: Tokens) -> None: ...


def netrc_file(folder: Path) -> Path:
    (folder / "netrc").write_text("default login ann password s3cret")
    return folder / "netrc"


Make = Callable[[Path, str | None], RequestInterceptor]
MAKERS: Final[dict[str, Make]] = {
    "ApiKey": lambda _, origin: ApiKey("k", origin=origin),
    "BasicAuth": lambda _, origin: BasicAuth("ann", "s3cret", origin=origin),
    "BearerAuth": lambda _, origin: BearerAuth("t", origin=origin),
    "DigestAuth": lambda _, origin: DigestAuth("ann", "s3cret", origin=origin),
    "MessageSigning": lambda _, origin: MessageSigning("id", b"s3cret", origin=origin),
    "NetrcAuth": lambda path, origin: NetrcAuth(netrc_file(path), origin=origin),
    "OAuth2ClientCredentials": lambda _, origin: OAuth2ClientCredentials(
        "https://login.example/", "shop", "s3cret", origin=origin
    ),
    "OAuth2Refresh": lambda _, origin: OAuth2Refresh(
        "https://login.example/", "shop", tokens=Kept(), origin=origin
    ),
    "SigV4": lambda _, origin: SigV4("id", "s3cret", "r", "s3", origin=origin),
    "TokenAuth": lambda _, origin: TokenAuth(lambda: "t", origin=origin),
}


async def is_added(auth: RequestInterceptor, url: str, base_origin: str = "") -> bool:
    context = RequestContext("GET", url, base_origin=base_origin, client=Endpoint())
    assert await auth.intercept_request(context) is context
    return bool(context.headers or context.notes)  # a digest waits for a challenge


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(
    ("url", "is_own"),
    [
        (f"{OWN}/v1", True),
        (f"{OWN}:443/v1", True),
        ("https://API.example/", True),
        ("http://api.example/", False),
        (f"{OWN}:444/", False),
        ("https://api.example.evil.example/", False),
    ],
)
async def test_a_credential_is_added_for_the_origin_that_is_named_for_it(
    kind: str, url: str, is_own: bool, tmp_path: Path
) -> None:
    auth = MAKERS[kind](tmp_path, OWN)
    assert await is_added(auth, url) is is_own
    assert await is_added(auth, url, "https://other.example") is is_own


@pytest.mark.parametrize("kind", MAKERS)
async def test_without_a_named_origin_it_is_added_for_that_of_the_base_url(
    kind: str, tmp_path: Path
) -> None:
    auth = MAKERS[kind](tmp_path, None)
    assert await is_added(auth, f"{OWN}/v1", OWN)
    assert not await is_added(auth, "https://other.example/v1", OWN)
    if kind != "NetrcAuth":  # its default entry is for the base URL only
        assert await is_added(auth, "https://other.example/v1")
