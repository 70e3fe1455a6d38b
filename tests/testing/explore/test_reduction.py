"""Merging runs that leave equal states loses no group of defects: compared with the full search."""

from typing import Any

import pytest
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from railhttp import Delivery, HTTPClient, HTTPClientError, HTTPFailure, HttpResponse
from railhttp.testing import ScriptedTransport, SentRequest
from railhttp.testing.explore import Program, Report, explore, faults

API = "https://api.example"


class Shop(ScriptedTransport):
    """Reserves and charges; both can be undone."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: set[str] = set()
        for method in ("PUT", "POST"):
            self.on(method, "/*").does(self.keep)
        self.on("DELETE", "/*").does(self.drop)

    def keep(self, sent: SentRequest) -> HttpResponse:
        self.kept.add(sent.url)
        return HttpResponse(201)

    def drop(self, sent: SentRequest) -> HttpResponse:
        self.kept.discard(sent.url)
        return HttpResponse(204)


class ShopWithSnapshot(Shop):
    def snapshot(self) -> object:
        return self.kept


async def careless(client: HTTPClient) -> Result[HttpResponse, Delivery]:
    """Undoes only what was certainly done, and takes any 2xx for an undoing."""
    reserved = await client.put(f"{API}/reservation", json={})
    if not is_successful(reserved):
        if reserved.failure().delivery is Delivery.ANSWERED:
            await client.delete(f"{API}/reservation")
        return reserved.alt(lambda failure: failure.delivery)
    paid = await client.post(f"{API}/payment", json={})
    if not is_successful(paid):
        await client.delete(f"{API}/reservation")
        await client.delete(f"{API}/payment")
    return paid.alt(lambda failure: failure.delivery)


async def silent(client: HTTPClient) -> Result[HttpResponse, None]:
    """Undoes everything after a failure, and returns no reason."""
    for method, path in (("PUT", "reservation"), ("POST", "payment")):
        try:
            (await client.request(method, f"{API}/{path}")).raise_for_status()
        except HTTPClientError:
            await client.delete(f"{API}/payment")
            await client.delete(f"{API}/reservation")
            return Failure(None)
    return Success(HttpResponse(200))


async def forgetful(client: HTTPClient) -> Result[HttpResponse, HTTPFailure]:
    """Returns the first failure, so that runs with different failures are never equal."""
    first = await client.put(f"{API}/reservation", json={})
    second = await client.post(f"{API}/payment", json={})
    if is_successful(first) and is_successful(second):
        return second
    for thing in ("reservation", "payment"):
        await client.delete(f"{API}/{thing}")
    return first if not is_successful(first) else second


def judge(end: Result[HttpResponse, object], shop: Shop) -> str | None:
    if is_successful(end):
        return None if len(shop.kept) == 2 else "done, but not all of it"
    left = sorted(url.rpartition("/")[2] for url in shop.kept)
    return f"left behind: {' and '.join(left)}" if left else None


def groups(report: Report[Any]) -> set[tuple[tuple[str, ...], str]]:
    return {(tuple(group.runs[0].schedule), group.complaint) for group in report.groups}


@pytest.mark.parametrize(("program", "merges"), [(careless, 7), (silent, 15), (forgetful, 0)])
async def test_no_group_of_defects_is_lost(
    program: Program[Result[HttpResponse, object]], merges: int
) -> None:
    some = faults.named(
        *("rejected", "dns", "connect", "disconnected", "disconnected, acted", "protocol, acted"),
        *("truncated, acted", "too large, acted", "404", "500, acted", "503", "html", "204"),
    )
    full = await explore(program, Shop, judge, at_once=2, faults=some)
    merged = await explore(program, ShopWithSnapshot, judge, at_once=2, faults=some)
    assert merged.merged == merges
    assert len(groups(full)) >= 3
    assert groups(merged) == groups(full)
    assert {str(run.schedule) for run in merged.runs} <= {str(run.schedule) for run in full.runs}


async def test_equal_states_are_explored_once() -> None:
    async def program(client: HTTPClient) -> bool:
        reserved = await client.put(f"{API}/reservation", json={})
        paid = await client.post(f"{API}/payment", json={})
        return is_successful(reserved) and is_successful(paid)

    some = faults.named("404", "422", "500, acted", "html")
    full = await explore(program, Shop, at_once=2, faults=some)
    merged = await explore(program, ShopWithSnapshot, at_once=2, faults=some)
    assert (len(full.runs), full.merged) == (1 + 8 + 16, 0)
    # 422 is like 404; 500 is repeated, so time passes; html leaves no reservation, but success.
    assert (len(merged.runs), merged.merged) == (1 + 8 + 12, 1 + 1)
