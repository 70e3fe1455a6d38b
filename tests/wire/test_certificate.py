"""Certificates as trustme makes them, read without OpenSSL; and bytes that are none."""

import ssl
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from railhttp.wire.certificate import parse_certificate


def der_of(leaf: trustme.LeafCert) -> bytes:
    return ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode("ascii"))


def test_a_certificate_says_for_whom_and_until_when_it_is_valid() -> None:
    authority = trustme.CA(organization_name="Test")
    end = datetime(2049, 5, 6, 7, 8, 9)
    names = ("api.example", "127.0.0.1", "::1")
    leaf = authority.issue_cert(*names, common_name="api.example", not_after=end)
    found = parse_certificate(der_of(leaf))
    assert (found.subject, found.names) == ("api.example", names)
    assert found.not_after == end.replace(tzinfo=UTC).timestamp()
    assert found.not_before < found.not_after


def test_a_date_beyond_2049_is_written_in_full() -> None:
    end = datetime(2051, 1, 1)
    found = parse_certificate(der_of(trustme.CA().issue_cert("h.example", not_after=end)))
    assert found.not_after == end.replace(tzinfo=UTC).timestamp()


def test_a_year_of_two_digits_from_50_on_is_of_the_last_century() -> None:
    """RFC 5280, 4.1.2.5.1."""
    begin, end = datetime(1950, 1, 1), datetime(1999, 12, 31)
    leaf = trustme.CA().issue_cert("h.example", not_before=begin, not_after=end)
    found = parse_certificate(der_of(leaf))
    assert found.not_before == begin.replace(tzinfo=UTC).timestamp()
    assert found.not_after == end.replace(tzinfo=UTC).timestamp()


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a certificate"):
        parse_certificate(data)


@given(st.data())
def test_a_damaged_certificate_is_read_or_refused(data: st.DataObject) -> None:
    der = bytearray(DER)
    der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    # Any other exception fails the test.
    with suppress(ValueError):
        assert len(parse_certificate(bytes(der))) == 5


DER = der_of(trustme.CA().issue_cert("h.example", "127.0.0.1"))
