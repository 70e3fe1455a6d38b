"""The options of a call, and default header fields among them."""

from collections import deque
from collections.abc import Callable
from typing import Final

import pytest
from multidict import CIMultiDict, MultiDict

from railhttp.model.options import (
    BodilessOptions,
    OwnOptions,
    RequestOptions,
    paired,
    with_default_headers,
)

DEFAULTS: Final = {"Accept": "a/b", "X-Id": "7"}
merged: Callable[..., RequestOptions] = with_default_headers


def test_every_option_may_be_left_out() -> None:
    for options in (OwnOptions, BodilessOptions, RequestOptions):
        assert options.__required_keys__ == frozenset()
        assert "headers" in options.__optional_keys__


@pytest.mark.parametrize("defaults", [DEFAULTS, [*DEFAULTS.items()], CIMultiDict(DEFAULTS)])
@pytest.mark.parametrize(
    ("given", "fields"),
    [
        (None, [("Accept", "a/b"), ("X-Id", "7")]),
        ({}, [("Accept", "a/b"), ("X-Id", "7")]),
        ([], [("Accept", "a/b"), ("X-Id", "7")]),
        ({"accept": "c/d"}, [("X-Id", "7"), ("accept", "c/d")]),
        ({"X-ID": "8", "ACCEPT": ""}, [("X-ID", "8"), ("ACCEPT", "")]),
        ([("X", "1"), ("x", "2")], [*DEFAULTS.items(), ("X", "1"), ("x", "2")]),
        (
            CIMultiDict([("X-Id", "8"), ("x-id", "9")]),
            [("Accept", "a/b"), ("X-Id", "8"), ("x-id", "9")],
        ),
    ],
)
def test_a_field_of_the_call_takes_the_place_of_a_default_in_any_case(
    given: object, fields: list[tuple[str, str]], defaults: object
) -> None:
    options = {"timeout": 5, "headers": given}
    result = merged(options, defaults)
    assert [*CIMultiDict(result["headers"] or ()).items()] == fields
    assert isinstance(result["headers"], CIMultiDict)
    assert result["timeout"] == 5
    assert options == {"timeout": 5, "headers": given}
    assert [*CIMultiDict(merged({}, defaults)["headers"] or ()).items()] == [*DEFAULTS.items()]


@pytest.mark.parametrize("given", [{1: "a"}, {"X": "1", None: "2"}, ["X"], ["X", "1"], "X: 1", 5])
def test_invalid_fields_of_a_call_stay_as_they_are_and_are_refused_later(given: object) -> None:
    options = {"headers": given}
    assert merged(options, DEFAULTS) is options


@pytest.mark.parametrize(
    ("given", "pairs"),
    [
        ([], []),
        ((), []),
        ([("X-Id", "7"), ("X-Id", 8)], [("X-Id", "7"), ("X-Id", 8)]),
        ((("X-Id", "7"), ["x-id", None]), [("X-Id", "7"), ("x-id", None)]),
        (["X-Id", "7"], None),
        (("X-Id", "7"), None),
        ([("X-Id",)], None),
        ([("X-Id", "7", "8")], None),
        ([("X-Id", "7"), (1, "8")], None),
        ([("X-Id", "7"), None], None),
        ("ab", None),
        ({"X-Id": "7"}, None),
        (iter([("X-Id", "7")]), None),
        (deque(["X-Id", "7"]), None),
        (None, None),
    ],
)
def test_pairs_are_a_list_or_a_tuple_of_names_with_values(
    given: object, pairs: list[tuple[str, object]] | None
) -> None:
    found = paired(given)
    assert (None if found is None else [*found.items()]) == pairs
    assert found is None or type(found) is MultiDict
