"""Placing an order as one track, which undoes its steps after a failure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Never

from returns.context import RequiresContextFutureResult
from returns.pipeline import flow

from order_service.apis import Apis, Request
from order_service.domain import (
    CompensationFailed,
    Confirmation,
    FulfilmentFailure,
    Item,
    Order,
    OrderFailure,
    OutOfStock,
    PaymentFailure,
    Quote,
    ServiceFailure,
    UnknownUser,
    User,
    after_undoing,
    quote,
    what_to_undo,
)
from railhttp.railway import collect, fallback, gather, settled, then


@dataclass(frozen=True)
class OrderService:
    """Places orders.

    Attributes:
        apis: The APIs that it calls.
    """

    apis: Apis

    def place(self, order: Order) -> Request[Confirmation, OrderFailure]:
        """Describe how to place an order; calling the result with a client places it."""
        return flow(self._look_up(order), then(quote(order)), then(self._fulfil))

    def _look_up(
        self, order: Order
    ) -> Request[tuple[User, Item], UnknownUser | OutOfStock | ServiceFailure]:
        """Call two APIs at the same time."""
        user, item = self.apis.find_user(order.user_id), self.apis.find_item(order.item)
        return RequiresContextFutureResult(lambda client: gather(user(client), item(client)))

    def _fulfil(
        self, quoted: Quote
    ) -> Request[Confirmation, FulfilmentFailure | CompensationFailed]:
        def charge(_: object) -> Request[Confirmation, PaymentFailure]:
            return self.apis.charge(quoted).map(lambda receipt: Confirmation(quoted, receipt.id))

        return flow(
            self.apis.reserve(quoted.order), then(charge), fallback(self._undo(quoted.order))
        )

    def _undo(
        self, order: Order
    ) -> Callable[[FulfilmentFailure], Request[Never, FulfilmentFailure | CompensationFailed]]:
        """Undo every step, even if undoing one of them fails."""
        undoings = {"stock": self.apis.release(order), "payments": self.apis.void(order)}

        def undo(
            cause: FulfilmentFailure,
        ) -> Request[Never, FulfilmentFailure | CompensationFailed]:
            finish = then(after_undoing(cause))
            return RequiresContextFutureResult(
                lambda client: finish(
                    collect(settled(undoings[one](client)) for one in what_to_undo(cause))
                )
            )

        return undo
