"""A hypothesis strategy for schedules with more faults than `explore` can try one by one."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from railhttp.extra import provided_by
from railhttp.testing.explore import faults as catalogue
from railhttp.testing.explore.fault import Fault
from railhttp.testing.explore.schedule import Schedule

if TYPE_CHECKING:
    from hypothesis import strategies as st


def schedules(
    calls: Collection[str],
    *,
    faults: Iterable[Fault] | None = None,
    at_least: int = 0,
    at_once: int = 3,
) -> "st.SearchStrategy[Schedule]":
    """Return a hypothesis strategy of schedules.

    It shrinks to fewer faults, then to earlier calls and to earlier faults of the catalogue. A
    schedule may name calls that the program does not make under the other faults.

    Args:
        calls: The calls that may fail, for example `report.calls`.
        faults: The faults; `faults.all()` if None.
        at_least: The least number of faults.
        at_once: The greatest number of faults.

    Raises:
        ModuleNotFoundError: hypothesis is not installed.

    Example:
        >>> from hypothesis import find
        >>> some = schedules(["GET /users/1", "PUT /stock"])
        >>> print(find(some, lambda schedule: len(schedule) == 2))
        GET /users/1: dns; PUT /stock: dns
    """
    with provided_by("hypothesis"):
        from hypothesis import strategies as st  # noqa: PLC0415  # an optional dependency

    chosen = list(catalogue.all() if faults is None else faults)
    named = st.lists(
        st.tuples(st.sampled_from(list(calls)), st.sampled_from(chosen)),
        min_size=at_least,
        max_size=min(at_once, len(calls)),
        unique_by=lambda pair: pair[0],
    )
    return named.map(lambda pairs: Schedule(dict(pairs)))
