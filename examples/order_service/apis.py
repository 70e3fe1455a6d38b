"""The three APIs, as readers with domain failures."""

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
    """The response of the payments API."""

    id: str


@dataclass(frozen=True)
class Apis:
    """The addresses of the APIs.

    Attributes:
        users: The base URL of the users API.
        stock: The base URL of the stock API.
        payments: The base URL of the payments API.
    """

    users: str
    stock: str
    payments: str

    def find_user(self, user_id: int) -> Request[User, UnknownUser | ServiceFailure]:
        """Find a user."""
        found = reader.get(f"{self.users}/{user_id}").bind_result(decode(User))
        return found.alt(user_failure(user_id))

    def find_item(self, name: str) -> Request[Item, OutOfStock | ServiceFailure]:
        """Find an item in stock."""
        return (
            reader.get(f"{self.stock}/{quote(name)}")
            .bind_result(decode(Item))
            .alt(stock_failure(name))
        )

    def reserve(self, order: Order) -> Request[HttpResponse, OutOfStock | ServiceFailure]:
        """Reserve the items of an order; repeating it reserves once."""
        described = {"item": order.item, "quantity": order.quantity}
        response = reader.put(f"{self.stock}/reservations/{order.id}", json=described)
        return response.bind_result(expect(201)).alt(stock_failure(order.item))

    def release(self, order: Order) -> Request[HttpResponse, ServiceFailure]:
        """Release a reservation; repeating it releases once."""
        response = reader.delete(f"{self.stock}/reservations/{order.id}")
        return response.bind_result(expect(204)).alt(service_failure("stock"))

    def charge(self, quoted: Quote) -> Request[Receipt, PaymentFailure]:
        """Charge a user; the order's id as key prevents a second charge."""
        response = reader.post(
            f"{self.payments}/{quoted.order.id}",
            json={"user_id": quoted.user.id, "cents": quoted.cents},
            headers={"Idempotency-Key": quoted.order.id},
        )
        return response.bind_result(decode(Receipt)).alt(payment_failure)

    def void(self, order: Order) -> Request[HttpResponse, ServiceFailure]:
        """Void a payment if it exists."""
        response = reader.delete(f"{self.payments}/{order.id}")
        return response.bind_result(expect(204)).alt(service_failure("payments"))
