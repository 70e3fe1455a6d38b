"""The challenges of `WWW-Authenticate` fields (RFC 9110, sections 11.3 and 11.6.1)."""

import pytest

from railhttp.wire.challenges import challenges, parameters_of


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([], []),
        ([""], []),
        (["Negotiate"], [("negotiate", {})]),
        (["Negotiate YII=, Digest a=b"], [("negotiate", {}), ("digest", {"a": "b"})]),
        (["Negotiate YII==,Negotiate a/+._~-b"], [("negotiate", {})] * 2),
        (["Digest a=b, Negotiate YII="], [("digest", {"a": "b"}), ("negotiate", {})]),
        (
            ['Basic realm="a, b", Digest a=b'],
            [("basic", {"realm": "a, b"}), ("digest", {"a": "b"})],
        ),
        (["Basic x=y", "Digest a=b"], [("basic", {"x": "y"}), ("digest", {"a": "b"})]),
        ([r'Basic realm="a\"b\\c"'], [("basic", {"realm": 'a"b\\c'})]),
        (['Basic realm=""'], [("basic", {"realm": ""})]),
        (["Digest A=1,a=2 , \tb =\t3"], [("digest", {"a": "1", "b": "3"})]),
        ([", ,Digest a=b"], [("digest", {"a": "b"})]),
        (["Digest =b, Basic x=y"], [("digest", {})]),
    ],
)
def test_challenges(fields: list[str], expected: list[tuple[str, dict[str, str]]]) -> None:
    assert [(one.scheme, dict(one.parameters)) for one in challenges(fields)] == expected


def test_parameters_without_a_scheme() -> None:
    assert dict(parameters_of('nextnonce="n", qop=auth')) == {"nextnonce": "n", "qop": "auth"}
