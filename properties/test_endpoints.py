"""Endpoints: what a client writes, the plan of the same endpoint reads back."""

import asyncio
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal
from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st
from returns.result import Failure, Result, Success

from railhttp import HTTPClient
from railhttp.endpoints import Body, Endpoint, Header, Query, get, post
from railhttp.railway import run
from railhttp.testing import ScriptedTransport


class Colour(Enum):
    RED = "red/é?"
    BLUE = 2


@dataclass(frozen=True)
class Everything:
    name: str
    number: int
    text: str
    maybe: str | None = None
    texts: list[str] = field(default_factory=list)
    numbers: tuple[int, ...] = ()
    flag: bool = True
    ratio: float = 0.5
    price: Decimal = Decimal(1)
    when: datetime | None = None
    day: date | None = None
    id: UUID | None = None
    colour: Colour = Colour.RED
    kind: Literal["a b", 3] = 3
    renamed: Annotated[str | None, Query("a name&=?")] = None
    trace: Annotated[int | None, Header("X-Trace")] = None


@dataclass(frozen=True)
class Leaf:
    name: str
    ratio: float | None
    colour: Colour


@dataclass(frozen=True)
class Document:
    id: UUID
    leaves: list[Leaf]
    table: dict[str, int | None]
    when: datetime | date | None = None
    price: Decimal = Decimal(0)
    inner: "Document | None" = None


@dataclass(frozen=True)
class Send:
    name: str
    document: Body[Document]


finite = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.decimals(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]))
segments = texts.filter(lambda text: text not in {"", ".", ".."})
everything = st.builds(
    Everything,
    segments,
    st.integers(),
    texts,
    maybe=st.none() | texts,
    texts=st.lists(texts),
    numbers=st.lists(st.integers()).map(tuple),
    flag=st.booleans(),
    ratio=finite,
    price=decimals,
    when=st.none() | st.datetimes(),
    day=st.none() | st.dates(),
    id=st.none() | st.uuids(),
    colour=st.sampled_from(Colour),
    kind=st.sampled_from(["a b", 3]),
    renamed=st.none() | texts,
    trace=st.none() | st.integers(),
)
leaves = st.builds(Leaf, texts, st.none() | finite, st.sampled_from(Colour))
documents = st.recursive(
    st.builds(
        Document,
        st.uuids(),
        st.lists(leaves, max_size=3),
        st.dictionaries(texts, st.none() | st.integers(-(2**53), 2**53), max_size=3),
        st.none() | st.datetimes(),
        decimals,
    ),
    lambda inner: st.builds(
        Document, st.uuids(), st.just([]), st.just({}), st.none(), decimals, inner
    ),
    max_leaves=3,
)


def echoed(endpoint: Endpoint[..., None, object], base: str, parameters: object) -> object:
    """Send parameters, and return what the plan makes of the request."""
    seen: list[object] = []
    script = ScriptedTransport()
    fields = vars(parameters)

    def keep(**values: object) -> Result[None, object]:
        seen.append(type(parameters)(**values))
        return Success(None)

    script.serve(endpoint).does(keep)

    async def main() -> None:
        async with HTTPClient(exchange=script, base_url=base) as client:
            assert await run(endpoint(**fields)(client)) == Success(None)

    asyncio.run(main())
    (only,) = seen
    return only


bases = st.sampled_from(["http://h", "http://h/v1", "https://h/a%2Fb/?key=7"])


@given(everything, bases)
def test_any_value_in_path_query_and_header_comes_back(parameters: Everything, base: str) -> None:
    endpoint = get("/things/{name}/{number}", Everything).gives(None)
    assert echoed(endpoint, base, parameters) == parameters


@given(segments, documents)
def test_any_document_comes_back(name: str, document: Document) -> None:
    assert echoed(post("/{name}.json", Send).gives(None), "http://h", Send(name, document)) == Send(
        name, document
    )


@given(documents)
def test_any_value_and_any_refusal_comes_back(document: Document) -> None:
    value = get("/value").gives(Document)
    refusal = get("/refusal").fails(409, Document)
    script = ScriptedTransport()
    script.serve(value).replies(document)
    script.serve(refusal).refuses(document)

    async def main() -> None:
        async with HTTPClient(exchange=script, base_url="http://h") as client:
            assert await run(value()(client)) == Success(document)
            assert await run(refusal()(client)) == Failure(document)

    asyncio.run(main())


@given(st.text(), st.sampled_from(["/a/{name}", "/a/{name}/b", "/{name}"]))
def test_no_value_reaches_another_path(name: str, path: str) -> None:
    @dataclass
    class Named:
        name: str

    endpoint = get(path, Named)
    script = ScriptedTransport()
    script.on("GET", "/**").reply(200)

    async def main() -> bool:
        async with HTTPClient(exchange=script, base_url="http://h") as client:
            result = await run(endpoint(name)(client))
            return not isinstance(result, Failure)

    assume(asyncio.run(main()))
    (call,) = script.calls
    assert call.url.count("/") == 2 + path.count("/")
    assert "?" not in call.url
    assert "#" not in call.url
