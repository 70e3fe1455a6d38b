"""Orders, their failures, and the decisions after a failure. No I/O here."""

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

Service: TypeAlias = Literal["users", "stock", "payments"]


@dataclass(frozen=True)
class Order:
    """An order; its id makes every request for it repeatable."""

    id: str
    user_id: int
    item: str
    quantity: int


@dataclass(frozen=True)
class User:
    """The user who orders."""

    id: int
    name: str
    blocked: bool = False


@dataclass(frozen=True)
class Item:
    """An item in stock."""

    name: str
    cents: int
    left: int


@dataclass(frozen=True)
class Quote:
    """A valid order and its price."""

    order: Order
    user: User
    cents: int


@dataclass(frozen=True)
class Confirmation:
    """A paid order."""

    quote: Quote
    payment_id: str


# -- failures -------------------------------------------------------------------------------


@dataclass(frozen=True)
class UnknownUser:
    """The user does not exist."""

    user_id: int


@dataclass(frozen=True)
class BlockedUser:
    """The user may not order."""

    user: User


@dataclass(frozen=True)
class OutOfStock:
    """The stock is too low, or the item does not exist."""

    item: str


@dataclass(frozen=True)
class PaymentDeclined:
    """The user's bank declined; the title is that of the problem (RFC 9457)."""

    title: str


@dataclass(frozen=True)
class ServiceDown:
    """A service is temporarily unavailable.

    Attributes:
        service: The service that failed.
        may_have_acted: Whether it may have carried out the request.
    """

    service: Service
    may_have_acted: bool


@dataclass(frozen=True)
class ServiceBroken:
    """A service and this program disagree about their protocol; a developer must fix it."""

    service: Service
    reason: str


@dataclass(frozen=True)
class CompensationFailed:
    """An order failed, and undoing it failed too.

    Attributes:
        cause: Why the order failed.
        left: The failures of the steps that could not be undone.
    """

    cause: "FulfilmentFailure"
    left: tuple["ServiceFailure", ...]


ServiceFailure: TypeAlias = ServiceDown | ServiceBroken
PaymentFailure: TypeAlias = PaymentDeclined | ServiceFailure
FulfilmentFailure: TypeAlias = OutOfStock | PaymentFailure
OrderFailure: TypeAlias = UnknownUser | BlockedUser | FulfilmentFailure | CompensationFailed


# -- from HTTP failures to domain failures --------------------------------------------------


def trouble(service: Service) -> Callable[[HTTPFailure], ServiceFailure]:
    """Translate a failure of HTTP that the service did not declare."""

    def judge(failure: HTTPFailure) -> ServiceFailure:
        match failure:
            case HTTPStatusError(status=status) if status < 500 and status != 429:
                return ServiceBroken(service, f"status {status}")
            case HTTPStatusError() | HTTPConnectionError() | HTTPTimeoutError():
                return ServiceDown(service, failure.delivery is not Delivery.NOT_SENT)
            case HTTPCircuitOpenError() | HTTPRetryExhaustedError():
                return ServiceDown(service, failure.delivery is not Delivery.NOT_SENT)
            case HTTPDecodeError() | HTTPResponseTooLargeError():
                return ServiceBroken(service, f"response: {failure.message}")
            case HTTPInvalidRequestError() | HTTPInterceptorError():
                return ServiceBroken(service, f"request: {failure.message}")
            case _:
                assert_never(failure)

    return judge


# -- decisions ------------------------------------------------------------------------------


def quote(order: Order) -> Callable[[tuple[User, Item]], Result[Quote, BlockedUser | OutOfStock]]:
    """Decide whether an order is valid, and compute its price."""

    def decide(found: tuple[User, Item]) -> Result[Quote, BlockedUser | OutOfStock]:
        user, item = found
        if user.blocked:
            return Failure(BlockedUser(user))
        if item.left < order.quantity:
            return Failure(OutOfStock(item.name))
        return Success(Quote(order, user, item.cents * order.quantity))

    return decide


def what_to_undo(failure: FulfilmentFailure) -> tuple[Service, ...]:
    """Decide which services to undo for a failed order.

    If a service may have acted, undo it: undoing a step that never happened is harmless.
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
    """Decide the outcome of a failed order from the outcomes of undoing it."""

    def end(
        outcomes: Iterable[Result[object, ServiceFailure]],
    ) -> Result[Never, FulfilmentFailure | CompensationFailed]:
        left = tuple(outcome.failure() for outcome in outcomes if not is_successful(outcome))
        return Failure(CompensationFailed(cause, left) if left else cause)

    return end
