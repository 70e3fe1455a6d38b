"""What mypy sees with the plugin of `returns`: `flow`, do-notation, and what pyright sees less of.

Nothing here is run; `make types` checks it.
"""

from typing import Never, assert_type

from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.pipeline import flow
from returns.result import Result
from tests.typing.everywhere import (
    Item,
    Parcel,
    Refused,
    Stock,
    Unknown,
    User,
    cached,
    known,
    look_at_user,
    no_such_user,
    parcel,
    stock,
)

from railhttp import HTTPClient, HTTPFailure, RetryPolicy
from railhttp.railway import (
    decode,
    expect,
    fallback,
    gather,
    on_status,
    reader,
    retry,
    settled,
    tap,
    then,
)


def a_flow_of_futures(client: HTTPClient) -> None:
    assert_type(
        flow(
            client.future.get("http://h/"),
            then(expect(200)),
            then(decode(User)),
            tap(look_at_user),
            then(known),
            then(stock),
        ),
        FutureResult[Stock, HTTPFailure | Unknown | Refused],
    )


def a_flow_of_readers() -> None:
    assert_type(
        flow(
            reader.get("http://h/"),
            retry(RetryPolicy()),
            then(decode(User)),
            then(known),
            then(stock),
            then(parcel),
        ),
        RequiresContextFutureResult[Parcel, HTTPFailure | Unknown | Refused, HTTPClient],
    )


def a_flow_with_ways_back(
    user: FutureResult[User, Unknown], answer: Result[User, HTTPFailure]
) -> None:
    assert_type(flow(user, fallback(cached)), FutureResult[User | Item, Refused])
    assert_type(
        flow(answer, on_status(404, no_such_user)),
        Result[User | None, HTTPFailure],
    )


async def what_pyright_does_not_see(
    client: HTTPClient, user: FutureResult[User, Unknown], item: FutureResult[Item, Refused]
) -> None:
    assert_type((await client.get("http://h/")).bind(decode(User)), Result[User, HTTPFailure])
    assert_type(
        gather(settled(user), settled(item)),
        FutureResult[tuple[Result[User, Unknown], Result[Item, Refused]], Never],
    )


def do_notation(client: HTTPClient, name: str) -> None:
    assert_type(
        FutureResult.do(
            (user, left["left"])
            async for user in client.future.get("http://h/").bind_result(decode(User))
            async for left in stock(name)
        ),
        FutureResult[tuple[User, int], HTTPFailure | Refused],
    )
