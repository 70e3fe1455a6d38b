"""What an order is, what can become of it, and what follows from a failure. No I/O here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Never, TypeAlias, assert_never

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from railhttp import (
    Delivery,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
)
from railhttp.railway import problem

Service: TypeAlias = Literal["users", "stock", "payments"]


@dataclass(frozen=True)
class Order:
    """What somebody wants; its id makes every request for it repeatable."""

    id: str
    user_id: int
    item: str
    quantity: int


@dataclass(frozen=True)
class User:
    """Who orders."""

    id: int
    name: str
    blocked: bool = False


@dataclass(frozen=True)
class Item:
    """What is ordered."""

    name: str
    cents: int
    left: int


@dataclass(frozen=True)
class Quote:
    """An order that may be placed, and its price."""

    order: Order
    user: User
    cents: int


@dataclass(frozen=True)
class Confirmation:
    """An order that was placed."""

    quote: Quote
    payment_id: str


# -- failures -------------------------------------------------------------------------------


@dataclass(frozen=True)
class UnknownUser:
    """There is no such user."""

    user_id: int


@dataclass(frozen=True)
class BlockedUser:
    """The user may not order."""

    user: User


@dataclass(frozen=True)
class OutOfStock:
    """There is not enough of the item, or no such item."""

    item: str


@dataclass(frozen=True)
class PaymentDeclined:
    """The user's bank said no."""

    reason: str


@dataclass(frozen=True)
class ServiceDown:
    """A service could not be reached or used; later it may be.

    Attributes:
        service: Which one.
        may_have_acted: Whether it may have done what it was asked to do.
    """

    service: Service
    may_have_acted: bool


@dataclass(frozen=True)
class ServiceBroken:
    """A service and we do not understand each other; somebody has to look at it."""

    service: Service
    reason: str


@dataclass(frozen=True)
class CompensationFailed:
    """An order failed, and so did undoing what had been done for it.

    Attributes:
        cause: Why the order failed.
        left: What is left undone.
    """

    cause: "FulfilmentFailure"
    left: tuple["ServiceFailure", ...]


ServiceFailure: TypeAlias = ServiceDown | ServiceBroken
PaymentFailure: TypeAlias = PaymentDeclined | ServiceFailure
FulfilmentFailure: TypeAlias = OutOfStock | PaymentFailure
OrderFailure: TypeAlias = UnknownUser | BlockedUser | FulfilmentFailure | CompensationFailed


# -- what a failure of HTTP means here ------------------------------------------------------


def service_failure(service: Service) -> Callable[[HTTPFailure], ServiceFailure]:
    """Say what any failure of HTTP means, where no status has a meaning of its own."""

    def judge(failure: HTTPFailure) -> ServiceFailure:
        match failure:
            case HTTPStatusError(status=status) if status < 500 and status != 429:
                return ServiceBroken(service, f"status {status}")
            case HTTPStatusError() | HTTPConnectionError() | HTTPTimeoutError():
                return ServiceDown(service, failure.delivery is not Delivery.NOT_SENT)
            case HTTPCircuitOpenError() | HTTPRetryExhaustedError():
                return ServiceDown(service, failure.delivery is not Delivery.NOT_SENT)
            case HTTPDecodeError() | HTTPResponseTooLargeError():
                return ServiceBroken(service, f"answer: {failure.message}")
            case HTTPInvalidRequestError() | HTTPInterceptorError():
                return ServiceBroken(service, f"request: {failure.message}")
            case _:
                assert_never(failure)

    return judge


def user_failure(user_id: int) -> Callable[[HTTPFailure], UnknownUser | ServiceFailure]:
    """Say what a failure to find a user means."""

    def judge(failure: HTTPFailure) -> UnknownUser | ServiceFailure:
        if isinstance(failure, HTTPStatusError) and failure.status == 404:
            return UnknownUser(user_id)
        return service_failure("users")(failure)

    return judge


def stock_failure(item: str) -> Callable[[HTTPFailure], OutOfStock | ServiceFailure]:
    """Say what a failure to look at or reserve an item means."""

    def judge(failure: HTTPFailure) -> OutOfStock | ServiceFailure:
        if isinstance(failure, HTTPStatusError) and failure.status in {404, 409}:
            return OutOfStock(item)
        return service_failure("stock")(failure)

    return judge


def payment_failure(failure: HTTPFailure) -> PaymentFailure:
    """Say what a failure to charge means; the reason stands in the problem details."""
    if isinstance(failure, HTTPStatusError) and failure.status == 402:
        return PaymentDeclined(
            problem(failure)
            .bind_optional(lambda details: details.title)
            .value_or("no reason given")
        )
    return service_failure("payments")(failure)


# -- decisions ------------------------------------------------------------------------------


def quote(order: Order) -> Callable[[tuple[User, Item]], Result[Quote, BlockedUser | OutOfStock]]:
    """Decide whether an order may be placed, and what it costs."""

    def decide(found: tuple[User, Item]) -> Result[Quote, BlockedUser | OutOfStock]:
        user, item = found
        if user.blocked:
            return Failure(BlockedUser(user))
        if item.left < order.quantity:
            return Failure(OutOfStock(item.name))
        return Success(Quote(order, user, item.cents * order.quantity))

    return decide


def what_to_undo(failure: FulfilmentFailure) -> tuple[Service, ...]:
    """Decide where something may have been done for an order that has failed now.

    What is not certain is undone: to take back what was never done does no harm.
    """
    match failure:
        case OutOfStock() | ServiceDown(service="stock", may_have_acted=False):
            return ()
        case PaymentDeclined() | ServiceDown(service="payments", may_have_acted=False):
            return ("stock",)
        case ServiceDown(service="payments") | ServiceBroken(service="payments"):
            return ("stock", "payments")
        case ServiceDown() | ServiceBroken():
            return ("stock",)
        case _:
            assert_never(failure)


def after_undoing(
    cause: FulfilmentFailure,
) -> Callable[
    [Iterable[Result[object, ServiceFailure]]],
    Result[Never, FulfilmentFailure | CompensationFailed],
]:
    """Say how an order ends, once everything was tried to undo it."""

    def end(
        outcomes: Iterable[Result[object, ServiceFailure]],
    ) -> Result[Never, FulfilmentFailure | CompensationFailed]:
        left = tuple(outcome.failure() for outcome in outcomes if not is_successful(outcome))
        return Failure(CompensationFailed(cause, left) if left else cause)

    return end
