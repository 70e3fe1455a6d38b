"""Laws of the failures: copies are equal in all but identity, and every failure has a delivery."""

import copy
import pickle

from hypothesis import given
from properties import strategies as some

from railhttp.model.errors import Delivery, HTTPClientError, HTTPFailure, HTTPRetryExhaustedError


@given(some.failures())
def test_a_copy_tells_the_same(failure: HTTPFailure) -> None:
    for other in (copy.copy(failure), copy.deepcopy(failure), pickle.loads(pickle.dumps(failure))):
        assert type(other) is type(failure)
        assert (str(other), repr(other), other.args) == (str(failure), repr(failure), failure.args)
        assert vars(other).keys() == vars(failure).keys()
        assert other not in {failure}


@given(some.failures())
def test_every_failure_knows_its_call(failure: HTTPFailure) -> None:
    assert isinstance(failure, HTTPClientError)
    assert isinstance(failure.delivery, Delivery)
    assert failure.attempts >= 0
    assert failure.elapsed >= 0


@given(some.failures())
def test_an_exhausted_retry_ends_with_its_last_failure(failure: HTTPFailure) -> None:
    if isinstance(failure, HTTPRetryExhaustedError) and failure.failures:
        assert failure.last is failure.failures[-1]
