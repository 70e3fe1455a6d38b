"""Reads a certificate (RFC 5280) without verifying it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final, NamedTuple

from railhttp.model.diagnosis import Certificate

_VERSION: Final = 0xA0
_EXTENSIONS: Final = 0xA3
_UTC_TIME: Final = 0x17
_DNS_NAME: Final = 0x82
_IP_ADDRESS: Final = 0x87
_COMMON_NAME: Final = bytes.fromhex("550403")  # 2.5.4.3
_SUBJECT_ALT_NAME: Final = bytes.fromhex("551d11")  # 2.5.29.17


class _Value(NamedTuple):
    tag: int
    content: bytes


def parse_certificate(der: bytes) -> Certificate:
    """Read a certificate in DER.

    Raises:
        ValueError: It is not a certificate.

    Example:
        >>> parse_certificate(b"no certificate")
        Traceback (most recent call last):
        ValueError: not a certificate
    """
    try:
        return _certificate(der)
    except (IndexError, StopIteration, RuntimeError, ValueError):
        raise ValueError("not a certificate") from None


def _certificate(der: bytes) -> Certificate:
    (outer,) = _values(der)
    body = next(_values(outer.content))
    fields = [value for value in _values(body.content) if value.tag != _VERSION]
    _, _, issuer, validity, subject, *rest = fields
    not_before, not_after = map(_seconds, _values(validity.content))
    extensions = [value for value in rest if value.tag == _EXTENSIONS]
    names = tuple(_alternative_names(extensions[0].content)) if extensions else ()
    return Certificate(
        _common_name(subject.content), _common_name(issuer.content), names, not_before, not_after
    )


def _values(data: bytes) -> Iterator[_Value]:
    position = 0
    while position < len(data):
        tag, length = data[position], data[position + 1]
        position += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[position : position + size])
            position += size
        if position + length > len(data):
            raise ValueError("cut off")
        yield _Value(tag, data[position : position + length])
        position += length


def _common_name(name: bytes) -> str:
    for group in _values(name):
        for attribute in _values(group.content):
            kind, value = _values(attribute.content)
            if kind.content == _COMMON_NAME:
                return value.content.decode("utf-8", "replace")
    return ""


def _seconds(value: _Value) -> float:
    text = value.content.decode("ascii")
    if value.tag == _UTC_TIME:  # RFC 5280, 4.1.2.5.1: 50 and above is the last century
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _alternative_names(extensions: bytes) -> Iterator[str]:
    (sequence,) = _values(extensions)
    for extension in _values(sequence.content):
        kind, *_, value = _values(extension.content)
        if kind.content == _SUBJECT_ALT_NAME:
            (names,) = _values(value.content)
            for name in _values(names.content):
                if name.tag == _DNS_NAME:
                    yield name.content.decode("ascii", "replace")
                elif name.tag == _IP_ADDRESS:
                    yield str(ip_address(name.content))
