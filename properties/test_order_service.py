"""The decisions of the order service in examples/, for every failure that the union can hold."""

from hypothesis import example, given
from hypothesis import strategies as st
from properties import strategies as some
from returns.result import Failure, Success

from order_service.apis import judged
from order_service.domain import (
    BlockedUser,
    CompensationFailed,
    FulfilmentFailure,
    Item,
    Order,
    OutOfStock,
    PaymentDeclined,
    Quote,
    Service,
    ServiceDown,
    UnknownUser,
    User,
    after_undoing,
    quote,
    trouble,
    what_to_undo,
)
from railhttp import (
    Delivery,
    HTTPFailure,
    HttpResponse,
    HTTPStatusError,
)


def answered(status: int) -> HTTPStatusError:
    return HTTPStatusError(HttpResponse(status))


@given(some.failures(), st.sampled_from(["users", "stock", "payments"]))
def test_every_failure_means_that_a_service_is_down_or_broken(
    failure: HTTPFailure, service: Service
) -> None:
    meaning = trouble(service)(failure)
    assert meaning.service == service
    if isinstance(meaning, ServiceDown):
        assert meaning.may_have_acted is (failure.delivery is not Delivery.NOT_SENT)


@given(some.failures())
def test_only_a_declared_refusal_stays_what_it_is(failure: HTTPFailure) -> None:
    declined = PaymentDeclined("not enough credit")
    assert judged("payments", PaymentDeclined)(declined) is declined
    assert judged("users", UnknownUser)(UnknownUser(1)) == UnknownUser(1)
    assert judged("stock", OutOfStock)(failure) == trouble("stock")(failure)


@given(some.failures())
@example(answered(402))
def test_a_payment_that_may_have_happened_is_always_undone(failure: HTTPFailure) -> None:
    meaning = trouble("payments")(failure)
    certain = isinstance(meaning, ServiceDown) and failure.delivery is Delivery.NOT_SENT
    assert what_to_undo(meaning) == (("stock",) if certain else ("stock", "payments"))


@given(some.failures())
def test_a_reservation_that_may_have_happened_is_always_undone(failure: HTTPFailure) -> None:
    meaning = trouble("stock")(failure)
    certain = isinstance(meaning, ServiceDown) and failure.delivery is Delivery.NOT_SENT
    assert what_to_undo(meaning) == (() if certain else ("stock",))


@given(some.failures(), st.lists(st.none() | some.failures(), max_size=3))
def test_why_an_order_failed_is_never_lost(
    failure: HTTPFailure, undoings: list[HTTPFailure | None]
) -> None:
    cause: FulfilmentFailure = trouble("payments")(failure)
    results = [Failure(trouble("stock")(one)) if one else Success(None) for one in undoings]
    end = after_undoing(cause)(results).failure()
    if any(undoings):
        assert isinstance(end, CompensationFailed)
        assert (end.cause, len(end.left)) == (cause, sum(map(bool, undoings)))
    else:
        assert end == cause


@given(st.integers(1, 99), st.integers(0, 99), st.integers(1, 999), st.booleans())
def test_an_order_is_quoted_if_the_user_may_and_the_stock_lasts(
    quantity: int, left: int, cents: int, blocked: bool
) -> None:
    order, user = Order("o", 1, "tea", quantity), User(1, "Ann", blocked)
    quoted = quote(order)((user, Item("tea", cents, left)))
    if blocked:
        assert quoted == Failure(BlockedUser(user))
    elif left < quantity:
        assert quoted == Failure(OutOfStock("tea"))
    else:
        assert quoted == Success(Quote(order, user, cents * quantity))
