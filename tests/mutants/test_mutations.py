"""The changes that make mutants, and the places that stay as they are."""

import pytest
from tests.mutants.__main__ import draw
from tests.mutants.mutations import mutants


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ("x = a < b", ["x = a <= b", "x = a >= b"]),
        ("x = a is not b", ["x = a is b"]),
        ("x = a and b", ["x = a or b"]),
        ("x = not a", ["x = (a)"]),
        ("x = 7", ["x = 8"]),
        ("x = 0.0", ["x = 1.0"]),
        ("x = b'gzip'", ["x = b'gzi'"]),
        ("x = ''", ["x = 'x'"]),
        ("x = max(a, b)", ["x = min(a, b)"]),
        ("x = f(a, b)", ["x = f(b, a)"]),
        ("x = f(a, a)", []),
        ("x = f(a, k=b)", ["x = f(a, )"]),
        ("x += a", ["pass", "x -= a"]),
        ("x.y = a", ["pass"]),
        ("raise X", ["pass"]),
        ("async def f():\n    await g()", ["async def f():\n    pass"]),
        ("def f(): return a", ["def f(): return None"]),
        ("if a: b", ["if (not (a)): b"]),
    ],
)
def test_a_mutant_has_one_change(source: str, after: list[str]) -> None:
    assert [mutant.mutated for mutant in mutants("a.py", source)] == after


@pytest.mark.parametrize(
    "source",
    [
        "'a docstring'",
        "x: Literal['a']",
        "raise X('a message')",
        "logger.info('a message')",
        "x = f'{a} texts'",
        "x = 'a text of several words'",
        "Name: TypeAlias = 'int | str'",
        "if TYPE_CHECKING: f()",
    ],
)
def test_what_only_people_read_and_type_checkers_is_left_alone(source: str) -> None:
    assert all("pass" in mutant.mutated for mutant in mutants("a.py", source))


def test_a_seed_draws_the_same_mutants_again() -> None:
    assert draw("policy/backoff.py", 5, 1) == draw("policy/backoff.py", 5, 1)
    assert draw("policy/backoff.py", 5, 1) != draw("policy/backoff.py", 5, 2)
