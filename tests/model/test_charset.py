"""Labels of charsets have the meaning of the WHATWG Encoding standard (section 4.2)."""

import pytest

from railhttp.model.charset import codec_of, decode_text, parameter_of, split_mark

LABELS = [
    # A body that only this charset decodes to this text, the text, and all labels of the charset.
    (b"\xc3\xa9", "é", "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8"),
    (b"\xe9\x00", "é", "utf-16 utf-16le ucs-2 unicode csunicode unicodefeff iso-10646-ucs-2"),
    (b"\x00\xe9", "é", "utf-16be unicodefffe"),
    (
        b"\x80\xfd",
        "€ý",
        "ansi_x3.4-1968 ascii us-ascii cp1252 x-cp1252 windows-1252 cp819 csisolatin1 ibm819 l1 "
        "iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 latin1",
    ),
    (
        b"\x80\xfd",
        "€ı",
        "cp1254 x-cp1254 windows-1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 "
        "iso_8859-9 iso_8859-9:1989 l5 latin5",
    ),
    (b"\x80\xa1", "€ก", "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874"),
    (
        b"\xe0",
        "א",
        "csiso88598i csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-8859-8-i logical visual",
    ),
    (b"\x8a\xe8", "Šč", "cp1250 windows-1250 x-cp1250"),
    (b"\xc0", "А", "cp1251 windows-1251 x-cp1251"),
    (b"\xe1", "α", "cp1253 windows-1253 x-cp1253"),
    (b"\xe0\x80", "א€", "cp1255 windows-1255 x-cp1255"),
    (b"\xc7", "ا", "cp1256 windows-1256 x-cp1256"),
    (b"\xe0\xea", "ąź", "cp1257 windows-1257 x-cp1257"),
    (b"\xd0\xf5", "Đơ", "cp1258 windows-1258 x-cp1258"),
    (b"\xc1\xa4", "ає", "koi8-ru koi8-u"),
    (b"\x80\xdf", "Ая", "x-mac-cyrillic x-mac-ukrainian"),
    (b"\x8e", "é", "macintosh mac csmacintosh x-mac-roman"),
    (
        b"\xd6\xd0",
        "中",
        "gb18030 gb2312 gbk chinese csgb2312 csiso58gb231280 gb_2312 gb_2312-80 iso-ir-58 x-gbk",
    ),
    (b"\xa4\xa4", "中", "big5 big5-hkscs cn-big5 csbig5 x-x-big5"),
    (
        b"\x93\xfa\x87\x40",
        "日①",
        "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
    ),
    (b"\xc6\xfc", "日", "cseucpkdfmtjapanese euc-jp x-euc-jp"),
    (
        b"\xb0\xa1\x8c\x63",
        "가똠",
        "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 "
        "ksc_5601 windows-949",
    ),
]


@pytest.mark.parametrize(
    ("body", "text", "label"),
    [(body, text, label) for body, text, labels in LABELS for label in labels.split()],
)
def test_a_label_means_what_it_means_to_browsers(body: bytes, text: str, label: str) -> None:
    for spelling in (label, label.upper(), f'"{label}"', f"'{label}'", f" {label} "):
        assert decode_text(body, f"text/plain; charset={spelling}") == text


@pytest.mark.parametrize("label", ["latin-1", "iso-8859-8-e"])
def test_a_label_that_only_python_has_is_read_by_the_same_rule(label: str) -> None:
    assert codec_of(f"text/plain; charset={label}") in {"cp1252", "iso8859-8"}


@pytest.mark.parametrize(
    "label", ["punycode", "idna", "undefined", "unicode-escape", "raw-unicode-escape", "no\0ne"]
)
def test_a_codec_that_is_no_charset_is_not_used(label: str) -> None:
    assert codec_of(f"text/plain; charset={label}") is None
    assert decode_text(b"\\u0041\xc3\xa9", f"text/plain; charset={label}") == "\\u0041é"


def test_utf_7_is_not_used_because_it_hides_markup() -> None:
    assert codec_of("text/html; charset=utf-7") is None


@pytest.mark.parametrize(
    ("content_type", "value"),
    [
        ("a/b", None),
        ("a/b; boundary", ""),
        ("a/b; boundary=", ""),
        ("a/b;boundary=x", "x"),
        ("a/b; BOUNDARY=X", "X"),
        ("a/b; boundary \t=\t x \t; c=d", "x"),
        ("a/b; x-boundary=y; boundaryx=z", None),
        ("a/b; boundary=1; boundary=2", "1"),
        ('a/b; boundary="x y"', "x y"),
        ('a/b; boundary="\tx ";c', "x"),
        ('a/b; boundary="x;\\"y\\\\z\\w"', 'x;"y\\zw'),
        ('a/b; boundary="x', "x"),
        ('a/b; boundary=x"y"', 'x"y"'),
        ('a/b; c="; boundary=1"; boundary=2', "2"),
        ("boundary=x", None),
    ],
)
def test_a_parameter_is_found_by_its_name_and_unquoted(
    content_type: str, value: str | None
) -> None:
    """RFC 9110, section 5.6.6."""
    assert parameter_of(content_type, "boundary") == value


@pytest.mark.parametrize(
    ("body", "mark", "rest"),
    [
        (b"\xef\xbb\xbfa", "utf-8", b"a"),
        (b"\xff\xfea\0", "utf-16-le", b"a\0"),
        (b"\xfe\xff\0a", "utf-16-be", b"\0a"),
        (b"a\xef\xbb\xbf", None, b"a\xef\xbb\xbf"),
        (b"\xef\xbb", None, b"\xef\xbb"),
        (b"", None, b""),
    ],
)
def test_a_mark_at_the_start_of_a_body_names_its_codec(
    body: bytes, mark: str | None, rest: bytes
) -> None:
    assert split_mark(body) == (mark, rest)


@pytest.mark.parametrize("label", ["utf-8", "klingon", "hex", "base64", "utf-7", "euc-jp", ""])
def test_undecodable_bytes_become_replacement_characters(label: str) -> None:
    assert decode_text(b"a\xff\xffb", f"text/plain; charset={label}").startswith("a\ufffd")


def test_undecodable_bytes_do_not_change_the_charset() -> None:
    assert decode_text(b"\xa4\xa2\xff", "text/plain; charset=euc-jp") == "あ\ufffd"
    assert decode_text(b"\xff\xfea\0\0\xd8", "text/plain") == "a\ufffd"
