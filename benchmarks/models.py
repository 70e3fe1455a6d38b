"""JSON decoded into models: `decode` beside the library that it calls."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, TypeAlias

import msgspec

from railhttp import HttpResponse
from railhttp.headers import freeze_headers
from railhttp.railway import decode

Decode: TypeAlias = Callable[[Sequence[bytes]], Awaitable[int]]
"""Decodes the chunks of a body, and counts the items in them."""


class Struct(msgspec.Struct):
    """A record, by msgspec."""

    id: int
    name: str
    email: str
    tags: list[str]


@dataclass(frozen=True)
class Dataclass:
    """A record of the standard library."""

    id: int
    name: str
    email: str
    tags: list[str]


def _by_railhttp(model: type[object]) -> Decode:
    """Decode responses as users of `decode` do."""

    async def decoded(chunks: Sequence[bytes]) -> int:
        to_model, headers = decode(model), freeze_headers({"Content-Type": "application/json"})
        for chunk in chunks:
            to_model(HttpResponse(200, headers, chunk)).unwrap()
        return len(chunks)

    return decoded


def _by_library(new: Callable[[], Callable[[bytes], object]]) -> Decode:
    """Call a library with the body of a response that costs the same to make."""

    async def decoded(chunks: Sequence[bytes]) -> int:
        to_model, headers = new(), freeze_headers({"Content-Type": "application/json"})
        for chunk in chunks:
            to_model(HttpResponse(200, headers, chunk).body)
        return len(chunks)

    return decoded


def _pydantic_model() -> Any:
    fields = {"id": int, "name": str, "email": str, "tags": list[str]}
    return import_module("pydantic").create_model("Record", **fields)


async def pydantic_by_railhttp(chunks: Sequence[bytes]) -> int:
    """`decode` with a pydantic model."""
    return await _by_railhttp(_pydantic_model())(chunks)


SETTINGS: Final[Mapping[str, Mapping[str, tuple[str, Decode]]]] = {
    "a msgspec Struct": {
        "railhttp": ("railhttp", _by_railhttp(Struct)),
        "msgspec": ("msgspec", _by_library(lambda: msgspec.json.Decoder(Struct).decode)),
    },
    "a dataclass": {
        "railhttp": ("railhttp", _by_railhttp(Dataclass)),
        "msgspec": ("msgspec", _by_library(lambda: msgspec.json.Decoder(Dataclass).decode)),
    },
    "a pydantic model": {
        "railhttp": ("pydantic", pydantic_by_railhttp),
        "pydantic": ("pydantic", _by_library(lambda: _pydantic_model().model_validate_json)),
    },
}
"""For each kind of model the package and the function of each case."""
