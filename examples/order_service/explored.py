"""The order service under every failure of each of its calls.

Run it: `make explore`, or `cd examples && python -m order_service.explored report.html`.
"""

import asyncio
import sys
from pathlib import Path
from typing import Final

from returns.pipeline import is_successful
from returns.result import Result

from order_service.apis import Apis
from order_service.domain import CompensationFailed, Confirmation, Order, OrderFailure
from order_service.service import OrderService
from railhttp import HTTPClient, HttpResponse
from railhttp.headers import freeze_headers
from railhttp.railway import run
from railhttp.testing import ScriptedTransport, SentRequest
from railhttp.testing.explore import Report, explore, faults

API: Final = "https://api.example"
FAULTS: Final = faults.all() | faults.statuses(402, 409)
ORDER: Final = Order("o", 1, "tea", 2)


class World(ScriptedTransport):
    """The three APIs in memory, and what they have done.

    Attributes:
        reservations: The URLs of the reservations that are held.
        payments: The URLs of the payments that were taken.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reservations: set[str] = set()
        self.payments: set[str] = set()
        self.on("GET", "/users/1").reply(json={"id": 1, "name": "Ann"})
        self.on("GET", "/stock/tea").reply(json={"name": "tea", "cents": 450, "left": 5})
        self.on("PUT", "/stock/reservations/o").does(self.reserve)
        self.on("DELETE", "/stock/reservations/o").does(self.release)
        self.on("POST", "/payments/o").does(self.charge)
        self.on("DELETE", "/payments/o").does(self.void)

    def reserve(self, sent: SentRequest) -> HttpResponse:
        """Reserve, once for each order."""
        self.reservations.add(sent.url)
        return HttpResponse(201)

    def release(self, sent: SentRequest) -> HttpResponse:
        """Cancel a reservation, if it exists."""
        self.reservations.discard(sent.url)
        return HttpResponse(204)

    def charge(self, sent: SentRequest) -> HttpResponse:
        """Take a payment, once for each order."""
        self.payments.add(sent.url)
        fields = freeze_headers({"Content-Type": "application/json"})
        return HttpResponse(200, fields, b'{"id": "payment of o"}')

    def void(self, sent: SentRequest) -> HttpResponse:
        """Refund a payment, if it exists."""
        self.payments.discard(sent.url)
        return HttpResponse(204)

    def snapshot(self) -> object:
        """Return the state, so that failures that leave the same one are explored once."""
        return self.reservations, self.payments


async def place_order(client: HTTPClient) -> Result[Confirmation, OrderFailure]:
    """Place an order: two look-ups at the same time, a reservation, a payment."""
    apis = Apis(f"{API}/users", f"{API}/stock", f"{API}/payments")
    return await run(OrderService(apis).place(ORDER)(client))


def judge(end: Result[Confirmation, OrderFailure], world: World) -> str | None:
    """Complain about an order that is half done without a `CompensationFailed`."""
    left = [name for name in ("reservations", "payments") if getattr(world, name)]
    if is_successful(end):
        return None if len(left) == 2 else f"confirmed, but there are only {left}"
    if left and not isinstance(end.failure(), CompensationFailed):
        return f"failed without a word about its {' and '.join(left)}"
    return None


async def explored(at_once: int) -> Report[Result[Confirmation, OrderFailure]]:
    """Explore the order service.

    Args:
        at_once: The greatest number of failures in one run.
    """
    return await explore(place_order, World, judge, at_once=at_once, faults=FAULTS)


def main() -> None:
    """Explore two failures at once, and print the report; write its page if a path is given."""
    report = asyncio.run(explored(2))
    print(report)
    for path in sys.argv[1:]:
        Path(path).write_text(report.html(), encoding="utf-8")
    report.assert_handled()


if __name__ == "__main__":
    main()
