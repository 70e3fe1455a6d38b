"""The call of an SDK: base URL, default headers, a path with an id, JSON in, a model out."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Final

import aiohttp
import msgspec

from benchmarks.cases.case import CONNECTIONS, Case, Send
from benchmarks.cases.clients import POOL
from benchmarks.cases.everyday import named
from benchmarks.server import BASE
from railhttp import HTTPClient, HTTPClientConfig
from railhttp.endpoints import Body, Service, patch
from railhttp.railway import decode

SDK: Final = "an SDK's call"
DEFAULTS: Final = {
    "Authorization": "Bearer abc",
    "Accept": "application/json",
    "X-SDK": "users/1.0",
}


class User(msgspec.Struct):
    """A user: the fields of `canned.DOCUMENT` that an SDK needs."""

    id: int
    name: str
    mail: str
    tags: list[str]
    active: bool


class Change(msgspec.Struct):
    """A new state of a user."""

    name: str
    tags: list[str]


class Edit(msgspec.Struct):
    """The parameters of the declared endpoint."""

    user_id: int
    change: Body[Change]


class Users(Service):
    """The API, declared."""

    edit = patch("/users/{user_id}", Edit).gives(User)


def base() -> str:
    return os.environ[BASE]


def path(number: int) -> str:
    return f"/users/{number}"


def change(number: int) -> dict[str, object]:
    return {"name": f"Ann {number}", "tags": ["a", "b"]}


@asynccontextmanager
async def sdk_on_aiohttp() -> AsyncIterator[Send]:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(base(), headers=DEFAULTS, connector=connector) as session:
        numbers = count()

        async def send(url: str) -> object:
            number = next(numbers)
            async with session.patch(path(number), json=change(number)) as response:
                body = await response.read()
            return msgspec.json.decode(body, type=User).id

        yield send


@asynccontextmanager
async def sdk_on_railhttp() -> AsyncIterator[Send]:
    config, to_user = HTTPClientConfig(pool=POOL), decode(User)
    async with HTTPClient(config, base_url=base(), headers=DEFAULTS) as client:
        numbers = count()

        async def send(url: str) -> object:
            number = next(numbers)
            response = await client.patch(path(number), json=change(number))
            return response.bind(to_user).unwrap().id

        yield send


@asynccontextmanager
async def sdk_of_endpoints() -> AsyncIterator[Send]:
    config = HTTPClientConfig(pool=POOL)
    async with HTTPClient(config, base_url=base(), headers=DEFAULTS) as client:
        users = Users(client)
        numbers = count()

        async def send(url: str) -> object:
            number = next(numbers)
            result = await users.edit(number, Change(f"Ann {number}", ["a", "b"]))
            return result.unwrap().id

        yield send


CASES: Final[Mapping[str, Case]] = {
    named("raw aiohttp", SDK): sdk_on_aiohttp,
    named("railhttp", SDK): sdk_on_railhttp,
    named("railhttp endpoint", SDK): sdk_of_endpoints,
}
