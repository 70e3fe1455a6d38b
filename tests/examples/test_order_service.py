"""The order service on a real server: how each order ends, and what is left in the world."""

from dataclasses import dataclass, field
from typing import Literal

import pytest
from returns.result import Failure, Result

from order_service.__main__ import main
from order_service.apis import Apis, Payments
from order_service.domain import (
    BlockedUser,
    CompensationFailed,
    Confirmation,
    Order,
    OrderFailure,
    OutOfStock,
    PaymentDeclined,
    Quote,
    ServiceBroken,
    ServiceDown,
    UnknownUser,
    User,
)
from order_service.server import serve
from order_service.service import OrderService
from railhttp import HTTPClient, RetryPolicy
from railhttp.railway import outcome, run
from railhttp.testing import ScriptedTransport

ANN = User(1, "Ann")


async def test_the_reason_of_a_decline_is_the_title_of_its_problem() -> None:
    script = ScriptedTransport()
    declined = PaymentDeclined("not enough credit")
    script.serve(Payments.charge).refuses(declined).reply(402, text="<html>")
    quoted = Quote(TWO_TEAS, ANN, 900)
    charge = Apis("http://h/users", "http://h/stock", "http://h/payments").charge(quoted)
    async with HTTPClient(exchange=script) as client:
        assert await run(charge(client)) == Failure(declined)
        assert await run(charge(client)) == Failure(ServiceBroken("payments", "status 402"))
    assert [call.headers["Idempotency-Key"] for call in script.calls] == ["o", "o"]


TWO_TEAS = Order("o", 1, "tea", 2)
DOWN = ServiceDown("payments", may_have_acted=True)


@dataclass(frozen=True)
class Case:
    """An order, what goes wrong, how it ends, and what is left in the world."""

    end: OrderFailure | Literal["confirmed"]
    order: Order = TWO_TEAS
    faults: dict[str, int] = field(default_factory=dict)
    reserved: bool = False
    paid: bool = False


CASES = {
    "all goes well": Case("confirmed", reserved=True, paid=True),
    "nobody orders": Case(UnknownUser(3), Order("o", 3, "tea", 2)),
    "somebody who may not": Case(
        BlockedUser(User(2, "Bob", blocked=True)), Order("o", 2, "tea", 2)
    ),
    "nothing is left": Case(OutOfStock("tea"), Order("o", 1, "tea", 9)),
    "no such item": Case(OutOfStock("coffee"), Order("o", 1, "coffee", 1)),
    "too dear": Case(PaymentDeclined("not enough credit"), Order("o", 1, "moon rock", 1)),
    "users are down": Case(ServiceDown("users", True), faults={"GET users": 503}),
    "users are odd": Case(ServiceBroken("users", "status 418"), faults={"GET users": 418}),
    "reserved, but not said so": Case(ServiceDown("stock", True), faults={"PUT stock!": 500}),
    "charged, but not said so": Case(DOWN, faults={"POST payments!": 500}),
    "not charged": Case(DOWN, faults={"POST payments": 500}),
    "the stock cannot undo it": Case(
        CompensationFailed(DOWN, (ServiceDown("stock", True),)),
        faults={"POST payments!": 500, "DELETE stock": 500},
        reserved=True,
    ),
    "nobody can undo it": Case(
        CompensationFailed(DOWN, (ServiceDown("stock", True), ServiceDown("payments", True))),
        faults={"POST payments!": 500, "DELETE stock": 500, "DELETE payments": 500},
        reserved=True,
        paid=True,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_an_order_ends_as_it_must_and_leaves_nothing_behind(case: Case) -> None:
    async with serve() as world, HTTPClient(retry_policy=RetryPolicy(1)) as client:
        world.faults.update(case.faults)
        apis = Apis(f"{world.url}/users", f"{world.url}/stock", f"{world.url}/payments")
        result: Result[Confirmation, OrderFailure] = await run(
            OrderService(apis).place(case.order)(client)
        )
        end = outcome(result)
        assert end == (
            Confirmation(Quote(case.order, ANN, 900), "payment of o")
            if case.end == "confirmed"
            else case.end
        )
        assert (bool(world.reservations), bool(world.payments)) == (case.reserved, case.paid)


async def test_the_demonstration_runs(capsys: pytest.CaptureFixture[str]) -> None:
    await main()
    assert capsys.readouterr().out.count("✗") == 7
