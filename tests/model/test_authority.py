"""The authority of a URL: its normal form, or the rule that it breaks."""

import pytest

from railhttp.model.authority import normal_authority, normal_host


@pytest.mark.parametrize(
    ("authority", "normal"),
    {
        "H.Example": "h.example",
        "[0::1]:8080": "[::1]:8080",
        "ann@h:00001": "ann@h:1",
        "ann:@h:65535": "ann:@h:65535",
        "añ:pä@h": "a%C3%B1:p%C3%A4@h",
        "a b:c/d@h": "a%20b:c%2Fd@h",
    }.items(),
)
def test_an_authority_has_a_normal_form_and_breaks_no_rule(authority: str, normal: str) -> None:
    assert normal_authority(authority) == (normal, "")


@pytest.mark.parametrize(
    ("authority", "rule"),
    [
        *((text, "host:port") for text in ("a@b@h", ":pw@h", "@h", r"a\b@h", "h[]")),
        *((text, "zone") for text in ("[fe80::1%eth0]", "ann@[::1%25e]:80", "[::1%]")),
        *((text, "host: ") for text in ("", ":80", "ann@", "::1", "a..b", "[h]")),
        *((f"h{port}", "port from") for port in (":", ":0", ":65536", ":000001", ":-1", ":1:2")),
        *((text, "non-ASCII") for text in ("a\u2100@h", "\u2100a@h", "ann:ä\u2100@h")),
    ],
)
def test_a_refused_authority_has_no_normal_form_but_names_its_rule(
    authority: str, rule: str
) -> None:
    """U+2100 is `a/c` after NFKC, so a reader of the URL could see another host."""
    normal, problem = normal_authority(authority)
    assert normal == ""
    assert rule in problem


DECOMPOSED = ".".join(["u\u0308" * 24] * 5) + "." + "u\u0308" * 4
LONGEST = ".".join(["a" * 49] * 5) + ".abc"


@pytest.mark.parametrize("name", [LONGEST, DECOMPOSED])
def test_a_name_has_at_most_253_characters_and_a_dot(name: str) -> None:
    assert len(name) == 253
    assert normal_host(name)
    assert normal_host(f"{name}.")
    assert normal_host(f"{name}a.") == ""
    assert normal_host(f"a{name}.") == ""


@pytest.mark.parametrize("label", ["a" * 63, "a", "_", "a-b", "0a", "xn--bcher-kva"])
def test_a_label_has_at_most_63_letters_digits_hyphens_and_underscores(label: str) -> None:
    assert normal_host(f"{label}.example") == f"{label}.example"
    assert normal_host(f"h.{label}") == f"h.{label}"
    for broken in (label.ljust(64, "a"), f"-{label}", f"{label}-", f"{label}!", f"{label} "):
        assert normal_host(f"{broken}.example") == ""
        assert normal_host(f"h.{broken}") == ""
