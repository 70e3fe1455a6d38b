"""A value that is computed on first use."""

from railhttp.model.lazy import lazy


class Square:
    side = 3

    def __init__(self) -> None:
        self.computed = 0

    @lazy
    def area(self) -> int:
        """The area, in square metres."""
        self.computed += 1
        return self.side**2


def test_a_value_is_computed_once_for_each_object() -> None:
    first, second = Square(), Square()
    assert (first.area, first.area, first.computed) == (9, 9, 1)
    assert second.computed == 0
    assert second.area == 9


def test_the_class_shows_the_docstring_of_the_value() -> None:
    assert Square.area.__doc__ == "The area, in square metres."
