"""Place some orders, with and without faults, and print their outcomes."""

import asyncio

from order_service.apis import Apis
from order_service.domain import Confirmation, Order
from order_service.server import World, serve
from order_service.service import OrderService
from railhttp import HTTPClient, RetryPolicy
from railhttp.railway import outcome, run

ORDERS: tuple[tuple[Order, dict[str, int]], ...] = (
    (Order("o-1", 1, "tea", 2), {}),
    (Order("o-2", 3, "tea", 1), {}),
    (Order("o-3", 2, "tea", 1), {}),
    (Order("o-4", 1, "tea", 9), {}),
    (Order("o-5", 1, "moon rock", 1), {}),
    (Order("o-6", 1, "tea", 1), {"GET users": 503}),
    (Order("o-7", 1, "tea", 1), {"POST payments!": 500}),
    (Order("o-8", 1, "tea", 1), {"POST payments": 500, "DELETE stock": 500}),
)


async def place(order: Order, world: World) -> str:
    """Place an order and return its outcome as a line."""
    apis = Apis(f"{world.url}/users", f"{world.url}/stock", f"{world.url}/payments")
    async with HTTPClient(retry_policy=RetryPolicy(2, base_delay=0.01)) as client:
        match outcome(await run(OrderService(apis).place(order)(client))):
            case Confirmation(payment_id=payment_id):
                return f"✓ {payment_id}"
            case failure:
                return f"✗ {failure}"


async def main() -> None:
    """Place all orders."""
    for order, faults in ORDERS:
        async with serve() as world:
            world.faults.update(faults)
            print(f"{order.id}  {await place(order, world)}")
            print(f"     reserved: {world.reservations}, paid: {world.payments}")


if __name__ == "__main__":
    asyncio.run(main())
