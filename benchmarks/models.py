"""JSON decoded into models: `decode` beside the library that it calls."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import GenericAlias
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


PAGE: Final = 20
"""The records of a page: in a single record, nearly all is the fixed cost of a `Result`."""


def _by_railhttp(model: Any, items: int = 1) -> Decode:
    """Decode responses as users of `decode` do; each has so many items."""

    async def decoded(chunks: Sequence[bytes]) -> int:
        to_model, headers = decode(model), freeze_headers({"Content-Type": "application/json"})
        for chunk in chunks:
            to_model(HttpResponse(200, headers, chunk)).unwrap()
        return items * len(chunks)

    return decoded


def _by_library(new: Callable[[], Callable[[bytes], object]], items: int = 1) -> Decode:
    """Call a library with the body of a response that costs the same to make."""

    async def decoded(chunks: Sequence[bytes]) -> int:
        to_model, headers = new(), freeze_headers({"Content-Type": "application/json"})
        for chunk in chunks:
            to_model(HttpResponse(200, headers, chunk).body)
        return items * len(chunks)

    return decoded


def _pydantic_model() -> Any:
    fields = {"id": int, "name": str, "email": str, "tags": list[str]}
    return import_module("pydantic").create_model("Record", **fields)


def _pydantic_list() -> Any:
    return GenericAlias(list, (_pydantic_model(),))


def _page_adapter() -> Callable[[bytes], object]:
    decoded: Callable[[bytes], object] = (
        import_module("pydantic").TypeAdapter(_pydantic_list()).validate_json
    )
    return decoded


async def pydantic_by_railhttp(chunks: Sequence[bytes]) -> int:
    """`decode` with a pydantic model."""
    return await _by_railhttp(_pydantic_model())(chunks)


async def pydantic_page_by_railhttp(chunks: Sequence[bytes]) -> int:
    """`decode` with a list of a pydantic model."""
    return await _by_railhttp(_pydantic_list(), PAGE)(chunks)


def _msgspec(model: Any, items: int = 1) -> Decode:
    return _by_library(lambda: msgspec.json.Decoder(model).decode, items)


SETTINGS: Final[Mapping[str, Mapping[str, tuple[str, Decode]]]] = {
    "a msgspec Struct": {
        "railhttp": ("railhttp", _by_railhttp(Struct)),
        "msgspec": ("msgspec", _msgspec(Struct)),
    },
    "a dataclass": {
        "railhttp": ("railhttp", _by_railhttp(Dataclass)),
        "msgspec": ("msgspec", _msgspec(Dataclass)),
    },
    "a pydantic model": {
        "railhttp": ("pydantic", pydantic_by_railhttp),
        "pydantic": ("pydantic", _by_library(lambda: _pydantic_model().model_validate_json)),
    },
}
"""For each kind of model the package and the function of each case."""

PAGES: Final[Mapping[str, Mapping[str, tuple[str, Decode]]]] = {
    f"{PAGE} msgspec Structs": {
        "railhttp": ("railhttp", _by_railhttp(list[Struct], PAGE)),
        "msgspec": ("msgspec", _msgspec(list[Struct], PAGE)),
    },
    f"{PAGE} dataclasses": {
        "railhttp": ("railhttp", _by_railhttp(list[Dataclass], PAGE)),
        "msgspec": ("msgspec", _msgspec(list[Dataclass], PAGE)),
    },
    f"{PAGE} pydantic models": {
        "railhttp": ("pydantic", pydantic_page_by_railhttp),
        "pydantic": ("pydantic", _by_library(_page_adapter, PAGE)),
    },
}
"""The same for a page of them, some kilobytes."""
