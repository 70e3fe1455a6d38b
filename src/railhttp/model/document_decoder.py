"""Parses JSON documents by msgspec, and by the standard library those that msgspec refuses.

msgspec is imported when the first document is parsed.
"""

import json
from collections.abc import Callable
from functools import cache
from math import isinf
from typing import Final, NoReturn


def decode_document(body: bytes) -> object:
    """Parse JSON in any Unicode encoding (RFC 8259).

    msgspec is several times as fast. The standard library also reads other encodings and lone
    surrogates, and its errors name the place, so it decides about everything that msgspec refuses.

    Raises:
        ValueError: The document is malformed, or has a number that neither JSON nor Python has.
        RecursionError: It is nested too deeply.

    Example:
        >>> decode_document(b"[1e9]")
        [1000000000.0]
        >>> decode_document(b"[1e999]")
        Traceback (most recent call last):
        ValueError: a number is too large
    """
    try:
        return _by_msgspec()(body)
    except Exception:  # noqa: BLE001  # whatever it is, the standard library has the last word
        start = body[:4]
        usual = start.isascii() and 0 not in start  # then it is UTF-8 (RFC 8259, 8.1)
        encoding = "utf-8" if usual else json.detect_encoding(body)
        return _BY_PYTHON.decode(body.decode(encoding))


@cache
def _by_msgspec() -> Callable[[bytes], object]:
    from msgspec.json import Decoder  # noqa: PLC0415  # only programs that read JSON need it

    return Decoder().decode


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise ValueError("a number is too large")
    return value


_BY_PYTHON: Final = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
