"""The three APIs, declared with their parameters, values and refusals."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from returns.context import RequiresContextFutureResult
from returns.future import FutureResult

from order_service.domain import (
    Item,
    Order,
    OutOfStock,
    PaymentDeclined,
    PaymentFailure,
    Quote,
    ServiceFailure,
    UnknownUser,
    User,
    trouble,
)
from order_service.domain import Service as ServiceName
from railhttp import HTTPClient, HTTPFailure
from railhttp.endpoints import Body, Service, delete, get, post, put

T = TypeVar("T")
E = TypeVar("E")
Refusal = TypeVar("Refusal", UnknownUser, OutOfStock, PaymentDeclined)
Request: TypeAlias = RequiresContextFutureResult[T, E, HTTPClient]


@dataclass(frozen=True)
class FindUser:
    """The parameters of a search for a user."""

    user_id: int


@dataclass(frozen=True)
class FindItem:
    """The parameters of a search for an item."""

    name: str


@dataclass(frozen=True)
class OneOrder:
    """The order that a reservation or a payment is for."""

    order_id: str


@dataclass(frozen=True)
class Reservation:
    """The item of a reservation."""

    item: str
    quantity: int


@dataclass(frozen=True)
class Reserve:
    """A reservation for an order."""

    order_id: str
    reservation: Body[Reservation]


@dataclass(frozen=True)
class Payment:
    """The payer and the price."""

    user_id: int
    cents: int


@dataclass(frozen=True)
class Charge:
    """A payment for an order."""

    order_id: str
    payment: Body[Payment]


@dataclass(frozen=True)
class Receipt:
    """The response of the payments API."""

    id: str


class Users(Service):
    """The users API."""

    find = get("/{user_id}", FindUser).gives(User).fails(404, UnknownUser)


class Stock(Service):
    """The stock API. Reserving twice reserves once, and so does giving back."""

    item = get("/{name}", FindItem).gives(Item).fails(404, OutOfStock)
    reserve = (
        put("/reservations/{order_id}", Reserve)
        .gives(None, status=201)
        .fails({404, 409}, OutOfStock)
    )
    release = delete("/reservations/{order_id}", OneOrder).gives(None, status=204)


class Payments(Service):
    """The payments API."""

    charge = post("/{order_id}", Charge).gives(Receipt).fails(402, PaymentDeclined)
    void = delete("/{order_id}", OneOrder).gives(None, status=204)


def judged(
    service: ServiceName, _refusal: type[Refusal]
) -> Callable[[Refusal | HTTPFailure], Refusal | ServiceFailure]:
    """Keep a declared refusal, and translate any other failure into one of the domain.

    Args:
        service: The called service.
        _refusal: The class of the refusal that it declares.
    """

    def judge(failure: Refusal | HTTPFailure) -> Refusal | ServiceFailure:
        if isinstance(failure, UnknownUser | OutOfStock | PaymentDeclined):
            return failure
        return trouble(service)(failure)

    return judge


@dataclass(frozen=True)
class Apis:
    """Requests to the APIs that wait for a client.

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

        def find(client: HTTPClient) -> FutureResult[User, UnknownUser | HTTPFailure]:
            return Users(client, base_url=self.users).find.future(user_id)

        return RequiresContextFutureResult(find).alt(judged("users", UnknownUser))

    def find_item(self, name: str) -> Request[Item, OutOfStock | ServiceFailure]:
        """Look at an item in stock."""

        def find(client: HTTPClient) -> FutureResult[Item, OutOfStock | HTTPFailure]:
            return Stock(client, base_url=self.stock).item.future(name)

        return RequiresContextFutureResult(find).alt(judged("stock", OutOfStock))

    def reserve(self, order: Order) -> Request[None, OutOfStock | ServiceFailure]:
        """Reserve what is ordered."""

        def reserve(client: HTTPClient) -> FutureResult[None, OutOfStock | HTTPFailure]:
            stock = Stock(client, base_url=self.stock)
            return stock.reserve.future(order.id, Reservation(order.item, order.quantity))

        return RequiresContextFutureResult(reserve).alt(judged("stock", OutOfStock))

    def release(self, order: Order) -> Request[None, ServiceFailure]:
        """Cancel a reservation."""

        def release(client: HTTPClient) -> FutureResult[None, HTTPFailure]:
            return Stock(client, base_url=self.stock).release.future(order.id)

        return RequiresContextFutureResult(release).alt(trouble("stock"))

    def charge(self, quoted: Quote) -> Request[Receipt, PaymentFailure]:
        """Charge a user; the order's id keeps a second send from charging twice."""

        def charge(client: HTTPClient) -> FutureResult[Receipt, PaymentDeclined | HTTPFailure]:
            payments = Payments(client, base_url=self.payments)
            keyed = payments.charge.with_options(idempotency_key=quoted.order.id)
            return keyed.future(quoted.order.id, Payment(quoted.user.id, quoted.cents))

        return RequiresContextFutureResult(charge).alt(judged("payments", PaymentDeclined))

    def void(self, order: Order) -> Request[None, ServiceFailure]:
        """Take a payment back, if there is one."""

        def void(client: HTTPClient) -> FutureResult[None, HTTPFailure]:
            return Payments(client, base_url=self.payments).void.future(order.id)

        return RequiresContextFutureResult(void).alt(trouble("payments"))
