"""Templates of paths: which are refused, how they are filled and matched."""

import pytest

from railhttp.endpoints.template import PathTemplate, SegmentError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must begin with a slash"),
        ("users", "must begin with a slash"),
        ("/a?b", "declare query parameters as fields"),
        ("/a#b", "declare query parameters as fields"),
        ("/{a}/{a}", "^a: the path names it twice"),
        ("/{a}/x{b}y{a}", "^a: the path names it twice"),
        ("/{a", "without its partner"),
        ("/a}", "without its partner"),
        ("/{{a}}", "without its partner"),
        ("/{}", "must be the name of a field"),
        ("/{a b}", "must be the name of a field"),
        ("/{1}", "must be the name of a field"),
        ("/{a}{b}", "need text between them"),
        ("/{a}{b}-{c}", "need text between them"),
        ("/{a}-{b}{c}", "need text between them"),
        ("/{a}-{b}-{c}{d}", "need text between them"),
        ("/.", "must not have the segments"),
        ("/a/..", "must not have the segments"),
    ],
)
def test_a_template_that_is_no_path_is_refused(text: str, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        PathTemplate(text)


@pytest.mark.parametrize(
    ("text", "texts", "path"),
    [
        ("/", {}, "/"),
        ("/a", {}, "/a"),
        ("/a/", {}, "/a/"),
        ("/a//b", {}, "/a//b"),
        ("/...", {}, "/..."),
        ("/ä b", {}, "/%C3%A4%20b"),
        ("/{a}", {"a": "x"}, "/x"),
        ("/{a}/", {"a": "x"}, "/x/"),
        ("/{a}/{b}", {"a": "x", "b": "y"}, "/x/y"),
        ("/{a}-{b}.txt", {"a": "x", "b": "y"}, "/x-y.txt"),
        ("/x{a}", {"a": "y"}, "/xy"),
        ("/{a}", {"a": "a/b?c#d%é ~"}, "/a%2Fb%3Fc%23d%25%C3%A9%20~"),
        ("/{a}", {"a": "..."}, "/..."),
        ("/.{a}", {"a": "x"}, "/.x"),
    ],
)
def test_a_path_is_filled_and_matched(text: str, texts: dict[str, str], path: str) -> None:
    template = PathTemplate(text)
    assert template.names == tuple(texts)
    assert template.fill(texts) == path
    assert template.match(path) == texts
    assert template.match(f"/base{path}") == texts


@pytest.mark.parametrize(
    ("text", "texts", "field", "message"),
    [
        ("/{a}/{b}", {"a": "x", "b": ""}, "b", "must not be empty"),
        ("/{a}", {"a": "."}, "a", r"must not be \. or"),
        ("/{a}", {"a": ".."}, "a", r"must not be \. or"),
        ("/.{a}", {"a": "."}, "a", r"must not be \. or"),
        ("/{a}.", {"a": "."}, "a", r"must not be \. or"),
        ("/{a}", {"a": "\ud800"}, "a", "surrogate"),
        ("/{a}-{b}", {"a": "x", "b": "\udfff"}, "b", "surrogate"),
    ],
)
def test_a_text_that_would_change_the_path_is_refused_by_name(
    text: str, texts: dict[str, str], field: str, message: str
) -> None:
    with pytest.raises(SegmentError, match=message) as caught:
        PathTemplate(text).fill(texts)
    assert caught.value.name == field


@pytest.mark.parametrize("path", ["/users", "/users/", "/users/7/x", "/user/7", "users/7", "/7"])
def test_another_path_does_not_match(path: str) -> None:
    assert PathTemplate("/users/{id}").match(path) is None


def test_text_is_matched_literally() -> None:
    template = PathTemplate("/a.b/{id}.x")
    assert template.match("/a.b/7.x") == {"id": "7"}
    assert template.match("/axb/7.x") is None
    assert template.match("/a.b/7yx") is None


def test_longer_templates_and_fixed_segments_come_first() -> None:
    texts = ["/{a}", "/users", "/users/{id}", "/users/me", "/{a}/{b}", "/{a}/me"]
    ordered = sorted(map(PathTemplate, texts), key=lambda one: one.specificity)
    assert [one.text for one in ordered] == [
        *("/users/me", "/users/{id}", "/{a}/me", "/{a}/{b}", "/users", "/{a}"),
    ]
    whole = PathTemplate("/{a}/x{b}")
    assert [segment.is_whole for segment in whole.segments] == [True, False]
