"""The exception map is total, and the nearest base decides."""

from typing import Final, get_args

from aiohttp.http_exceptions import BadStatusLine
from hypothesis import assume, given
from hypothesis import strategies as st

from railhttp import HTTPFailure
from railhttp.model.errors import CallInfo
from railhttp.model.stage import Stage
from railhttp.transport.exception_map import ROWS, to_failure

KNOWN: Final = (*ROWS, BadStatusLine, ConnectionResetError, KeyError, StopIteration)


UNTOLD: Final = {"__init__": lambda self: None, "__str__": lambda self: "?", "truncated": True}
"""Members with which a class can be made without what its base's constructor wants."""


@st.composite
def invented(draw: st.DrawFn) -> type[BaseException]:
    """A class that nobody has heard of, with one to three bases, some levels deep."""
    bases = tuple(draw(st.lists(st.sampled_from(KNOWN), min_size=1, max_size=3, unique=True)))
    for level in range(draw(st.integers(1, 3))):
        try:
            bases = (type(f"Invented{level}", bases, UNTOLD),)
        except TypeError:  # these bases cannot stand together
            assume(False)
    return bases[0]


@given(invented(), st.sampled_from(Stage))
def test_any_exception_is_one_failure_of_the_union(cls: type[BaseException], stage: Stage) -> None:
    call = CallInfo(method="GET", url="http://h/", attempts=2, delivery=stage.delivery)
    failure = to_failure(cls(), stage, call)
    assert type(failure) in get_args(HTTPFailure)
    assert (failure.method, failure.attempts, failure.delivery) == ("GET", 2, stage.delivery)


@given(invented(), st.sampled_from(Stage))
def test_a_subclass_never_means_less_than_a_base(cls: type[BaseException], stage: Stage) -> None:
    failure = to_failure(cls(), stage, {})
    rows = [base for base in cls.__mro__ if base in ROWS]
    nearest = [base for base in rows if not any(base in other.__mro__[1:] for other in rows)]
    expected = [ROWS[base](cls(), stage, {}) for base in nearest]
    assert (type(failure), failure.label) in [(type(one), one.label) for one in expected]
