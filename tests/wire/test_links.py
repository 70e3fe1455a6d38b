"""The links of a response (RFC 8288)."""

import pytest

from railhttp.wire.links import links, next_target


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ([], []),
        ([""], []),
        (["/a; rel=next"], []),
        (["</a>"], [("/a", {})]),
        (["<>"], [("", {})]),
        (["</a>;rel=next"], [("/a", {"rel": "next"})]),
        (["\t,</a> ;\tREL\t=\tnext ;x"], [("/a", {"rel": "next", "x": ""})]),
        (['</a>; rel="a \\"b\\" \\\\"'], [("/a", {"rel": 'a "b" \\'})]),
        (["</a>; rel=one; rel=two"], [("/a", {"rel": "one"})]),
        (["</a>; ; rel="], [("/a", {"rel": ""})]),
        (["</a,b;c>; x=y, </d>"], [("/a,b;c", {"x": "y"}), ("/d", {})]),
        (["</a>", "</b>"], [("/a", {}), ("/b", {})]),
        (["</a> x, </b>"], [("/a", {})]),
    ],
)
def test_links_and_their_parameters(
    fields: list[str], found: list[tuple[str, dict[str, str]]]
) -> None:
    assert [(one.target, dict(one.parameters)) for one in links(fields)] == found


@pytest.mark.parametrize(
    ("field", "relations"),
    [
        ("</>", set()),
        ("</>; rel=Next", {"next"}),
        ('</>; rel="  Next  LAST "', {"next", "last"}),
    ],
)
def test_relations_compare_without_case(field: str, relations: set[str]) -> None:
    (link,) = links([field])
    assert link.relations == relations


@pytest.mark.parametrize(
    ("fields", "target"),
    [
        ([], None),
        (["</a>; rel=prev"], None),
        (["</a>; rel=nextly"], None),
        (["</a>; rel=prev, </b>; rel=next, </c>; rel=next"], "/b"),
        (["</a>; rel=prev", '</b>; rel="last next"'], "/b"),
        (["</a>; rel=next; anchor=x, </b>; rel=next"], "/b"),
        (["</a>; rel=next; anchor"], "/a"),
    ],
)
def test_the_next_page(fields: list[str], target: str | None) -> None:
    assert next_target(fields) == target
