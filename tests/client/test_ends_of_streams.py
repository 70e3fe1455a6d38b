"""A stream of documents is closed at the end of its block, wherever its reader has stopped."""

from collections.abc import AsyncGenerator, Callable
from typing import cast

import pytest
from returns.result import Result, Success

from railhttp import HTTPFailure, HTTPValidationError
from railhttp.client.base_url_client import BaseURLHTTPClient
from railhttp.client.documents import DecodedEvents, Events, EventSource
from railhttp.transport.pool import ConnectionPool


class Source:
    """Stands for a source of events: notes whether it is open."""

    is_open = False

    async def __aenter__(self) -> None:
        self.is_open = True

    async def __aexit__(self, *_: object) -> None:
        self.is_open = False


async def numbers(_: Events) -> AsyncGenerator[Result[int, HTTPFailure], None]:
    for number in range(3):
        yield Success(number)


@pytest.mark.parametrize("most", [0, 1, 3])
async def test_the_end_of_its_block_closes_the_source(most: int) -> None:
    source = Source()
    async with DecodedEvents(cast("EventSource", source), numbers) as results:
        read = 0
        async for _ in results:
            read += 1
            if read >= most:
                break
        assert source.is_open
    assert not source.is_open


async def test_a_block_that_is_left_by_an_error_closes_the_source() -> None:
    source = Source()
    with pytest.raises(KeyError):
        async with DecodedEvents(cast("EventSource", source), numbers):
            raise KeyError
    assert not source.is_open


async def test_an_iteration_without_a_block_closes_the_source_at_its_end() -> None:
    source = Source()
    found = [one.unwrap() async for one in DecodedEvents(cast("EventSource", source), numbers)]
    assert (found, source.is_open) == ([0, 1, 2], False)


def test_a_derived_client_shows_its_own_base_url() -> None:
    client = BaseURLHTTPClient("http://one.test/v1")
    assert "http://one.test/v1" in repr(client.with_options(timeout=1))
    derived = client.with_options(base_url="http://two.test/v2")
    assert "http://two.test/v2" in repr(derived)
    assert "one.test" not in repr(derived)


@pytest.mark.parametrize("setting", [{"verify": False}, {"cert": ("a", "b")}, {"resolver": 7}])
def test_settings_of_connections_reach_the_client(setting: dict[str, object]) -> None:
    """A pool has its own, so they are refused beside one: none of them is dropped."""
    make: Callable[..., object] = BaseURLHTTPClient
    with pytest.raises(HTTPValidationError) as caught:
        make("http://h", pool=ConnectionPool(), **setting)
    assert [caught.value.field] == list(setting)
