"""Certificates as bytes: the forms that RFC 5280 and DER allow, and that no tool here makes."""

import pytest

from railhttp.wire.certificate import parse_certificate

SUBJECT_ALT_NAME = b"\x55\x1d\x11"
COMMON_NAME = b"\x55\x04\x03"
ORGANIZATION = b"\x55\x04\x0a"


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(digits)]) + digits + content


def name(*attributes: tuple[bytes, bytes]) -> bytes:
    return der(
        0x30, *(der(0x31, der(0x30, der(6, kind), der(12, value))) for kind, value in attributes)
    )


def extensions(*names: bytes, critical: bytes = b"", kind: bytes = SUBJECT_ALT_NAME) -> bytes:
    one = der(0x30, der(6, kind), critical, der(4, der(0x30, *names)))
    usage = der(0x30, der(6, b"\x55\x1d\x0f"), der(4, der(3, b"\x05\xa0")))
    return der(0xA3, der(0x30, usage, one))


def certificate(
    *more: bytes,
    issuer: bytes = name((COMMON_NAME, b"The issuer")),
    subject: bytes = name((ORGANIZATION, b"An organization"), (COMMON_NAME, b"h.example")),
    dates: tuple[bytes, bytes] = (der(0x17, b"700101000000Z"), der(0x18, b"20500101000001Z")),
    version: bytes = der(0xA0, der(2, b"\2")),
) -> bytes:
    algorithm = der(0x30, der(6, b"\x2a"))
    fields = (der(2, b"\1"), algorithm, issuer, der(0x30, *dates), subject, der(0x30, b""))
    return der(0x30, der(0x30, version, *fields, *more), algorithm, der(3, b"\0signature"))


def test_issuer_subject_and_dates_are_each_at_their_place() -> None:
    found = parse_certificate(certificate())
    assert (found.subject, found.issuer, found.names) == ("h.example", "The issuer", ())
    assert (found.not_before, found.not_after) == (0.0, 2524608001.0)


def test_a_certificate_of_version_1_has_no_version() -> None:
    assert parse_certificate(certificate(version=b"")).subject == "h.example"


@pytest.mark.parametrize("attributes", [(), ((ORGANIZATION, b"An organization"),)])
def test_a_name_without_a_common_name_is_empty(attributes: tuple[tuple[bytes, bytes], ...]) -> None:
    found = parse_certificate(certificate(issuer=name(*attributes), subject=name(*attributes)))
    assert (found.subject, found.issuer) == ("", "")


@pytest.mark.parametrize(
    ("general_name", "names"),
    [
        (der(0x82, b"a.example"), ("a.example",)),
        (der(0x82, b"\xff"), ("\ufffd",)),
        (der(0x87, b"\x7f\0\0\1"), ("127.0.0.1",)),
        (der(0x87, bytes(15) + b"\1"), ("::1",)),
        *((der(tag, b"a.example"), ()) for tag in (0x80, 0x81, 0x83, 0x85, 0x86, 0x88)),
    ],
)
@pytest.mark.parametrize("critical", [b"", der(1, b"\xff")])
def test_hosts_and_addresses_are_names_and_nothing_else_is(
    general_name: bytes, names: tuple[str, ...], critical: bytes
) -> None:
    more = extensions(general_name, der(0x82, b"last.example"), critical=critical)
    assert parse_certificate(certificate(more)).names == (*names, "last.example")


def test_the_names_of_another_extension_are_not_those_of_the_subject() -> None:
    more = extensions(der(0x82, b"a.example"), kind=b"\x55\x1d\x12")
    assert parse_certificate(certificate(more)).names == ()


def test_unique_identifiers_before_the_extensions_are_skipped() -> None:
    found = parse_certificate(certificate(der(0x81, b"\0x"), extensions(der(0x82, b"a.example"))))
    assert found.names == ("a.example",)


@pytest.mark.parametrize("size", [1, 127, 128, 255, 256, 65_535, 65_536])
def test_lengths_have_a_short_and_a_long_form(size: int) -> None:
    text = b"x" * size
    found = parse_certificate(certificate(subject=name((COMMON_NAME, text))))
    assert found.subject == text.decode()


def test_a_name_that_is_not_utf_8_is_read_as_far_as_possible() -> None:
    assert (
        parse_certificate(certificate(subject=name((COMMON_NAME, b"a\xff")))).subject == "a\ufffd"
    )


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        (der(0x17, b"490101000000Z"), 2493072000.0),
        (der(0x17, b"500101000000Z"), -631152000.0),
        (der(0x18, b"20200229235959Z"), 1583020799.0),
    ],
)
def test_the_century_of_a_date(date: bytes, seconds: float) -> None:
    assert parse_certificate(certificate(dates=(date, date))).not_before == seconds


@pytest.mark.parametrize("cut", [1, 2, 10, 50])
def test_a_certificate_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="not a certificate"):
        parse_certificate(certificate()[:-cut])


@pytest.mark.usefixtures("far_from_greenwich")
def test_dates_are_in_utc_wherever_the_program_runs() -> None:
    found = parse_certificate(certificate())
    assert (found.not_before, found.not_after) == (0.0, 2524608001.0)
