"""The three APIs, as requests that wait for a client and fail in words of the domain."""

from dataclasses import dataclass
from typing import TypeAlias, TypeVar
from urllib.parse import quote

from returns.context import RequiresContextFutureResult

from order_service.domain import (
    Item,
    Order,
    OutOfStock,
    PaymentFailure,
    Quote,
    ServiceFailure,
    UnknownUser,
    User,
    payment_failure,
    service_failure,
    stock_failure,
    user_failure,
)
from railhttp import HTTPClient, HttpResponse
from railhttp.railway import decode, expect, reader

T = TypeVar("T")
E = TypeVar("E")
Request: TypeAlias = RequiresContextFutureResult[T, E, HTTPClient]


@dataclass(frozen=True)
class Receipt:
    """What the payments API answers."""

    id: str


@dataclass(frozen=True)
class Apis:
    """Where the APIs are.

    Attributes:
        users: The base URL of the users API.
        stock: That of the stock API.
        payments: That of the payments API.
    """

    users: str
    stock: str
    payments: str

    def find_user(self, user_id: int) -> Request[User, UnknownUser | ServiceFailure]:
        """Find a user."""
        found = reader.get(f"{self.users}/{user_id}").bind_result(decode(User))
        return found.alt(user_failure(user_id))

    def find_item(self, name: str) -> Request[Item, OutOfStock | ServiceFailure]:
        """Look at an item in stock."""
        return (
            reader.get(f"{self.stock}/{quote(name)}")
            .bind_result(decode(Item))
            .alt(stock_failure(name))
        )

    def reserve(self, order: Order) -> Request[HttpResponse, OutOfStock | ServiceFailure]:
        """Reserve what is ordered; doing it twice reserves once."""
        described = {"item": order.item, "quantity": order.quantity}
        answer = reader.put(f"{self.stock}/reservations/{order.id}", json=described)
        return answer.bind_result(expect(201)).alt(stock_failure(order.item))

    def release(self, order: Order) -> Request[HttpResponse, ServiceFailure]:
        """Give a reservation back; doing it twice gives it back once."""
        answer = reader.delete(f"{self.stock}/reservations/{order.id}")
        return answer.alt(service_failure("stock"))

    def charge(self, quoted: Quote) -> Request[Receipt, PaymentFailure]:
        """Charge a user; the order's id keeps a second send from charging twice."""
        answer = reader.post(
            f"{self.payments}/{quoted.order.id}",
            json={"user_id": quoted.user.id, "cents": quoted.cents},
            headers={"Idempotency-Key": quoted.order.id},
        )
        return answer.bind_result(decode(Receipt)).alt(payment_failure)

    def void(self, order: Order) -> Request[HttpResponse, ServiceFailure]:
        """Take a payment back, if there is one."""
        answer = reader.delete(f"{self.payments}/{order.id}")
        return answer.alt(service_failure("payments"))
