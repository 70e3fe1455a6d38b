"""The code of functions in memory is exchanged, and code that runs at import is refused."""

from types import FunctionType

import pytest
from tests.mutants.exchange import Place, exchange

SOURCE = """
LIMIT = 1

def named(f):
    def inner():
        return f() + 1
    return inner

def one():
    return [number for number in range(1)]

@named
def two(step=2):
    return step * 3

class Three:
    def three(self):
        return super().__init__() or 3
"""


def loaded() -> tuple[dict[str, object], dict[Place, list[FunctionType]]]:
    names: dict[str, object] = {}
    exec(compile(SOURCE, "a.py", "exec"), names)
    one, two, three = names["one"], names["two"], names["Three"].three  # type: ignore[attr-defined]
    known: dict[Place, list[FunctionType]] = {}
    assert isinstance(two, FunctionType)
    assert two.__closure__ is not None
    inside = two.__closure__[0].cell_contents
    for function in (one, two, inside, three, names["named"]):
        assert isinstance(function, FunctionType)
        code = function.__code__
        place = Place("a.py", code.co_qualname, code.co_firstlineno)
        known.setdefault(place, []).append(function)
    return names, known


@pytest.mark.parametrize(
    ("before", "after", "call", "result"),
    [
        ("range(1)", "range(2)", "one()", [0, 1]),
        ("number for number", "number + 1 for number", "one()", [1]),
        ("* 3", "* 4", "two()", 9),
        ("+ 1", "+ 2", "two()", 8),
        ("or 3", "or 4", "Three().three()", 4),
    ],
)
def test_functions_get_the_code_of_a_mutant(
    before: str, after: str, call: str, result: object
) -> None:
    names, known = loaded()
    assert exchange(known, "a.py", SOURCE, SOURCE.replace(before, after))
    assert eval(call, names) == result


@pytest.mark.parametrize(
    ("before", "after"),
    [("LIMIT = 1", "LIMIT = 2"), ("step=2", "step=3"), ("class Three:", "class Three(list):")],
)
def test_code_that_runs_at_import_is_not_exchanged(before: str, after: str) -> None:
    _, known = loaded()
    assert not exchange(known, "a.py", SOURCE, SOURCE.replace(before, after))


def test_a_function_that_nothing_holds_is_not_exchanged() -> None:
    assert not exchange({}, "a.py", SOURCE, SOURCE.replace("range(1)", "range(2)"))
