"""Writes plain data as JSON text (RFC 8259): compact, and without `NaN`."""

from collections.abc import Callable, Iterable
from json import JSONEncoder, encoder
from typing import Final, cast

_JSON: Final = JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
)
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_PLAIN: Final = _SCALARS | {dict, list, tuple}


def _writer() -> Callable[[object], str]:
    """Return a function that does the same as `json.dumps` for plain data."""
    # `JSONEncoder.encode` builds an encoder in C for each document, which takes as long as it takes
    # to write a small one (benchmarks: POST of a small document).
    make = getattr(encoder, "c_make_encoder", None)
    if make is None:  # a Python without that encoder
        return _JSON.encode
    write: Callable[[object, int], Iterable[str]] = make(
        None, _JSON.default, encoder.encode_basestring, None, ":", ",", False, False, False
    )
    return lambda document: "".join(write(document, 0))


_write: Final = _writer()


def plain_json(document: object) -> str | None:
    """Return the text of plain data: exactly the types that `json.loads` returns, and tuples.

    Returns:
        The text; None if the document holds anything else.

    Raises:
        RecursionError: The document is nested too deeply, or contains itself.
        ValueError: It contains a number that is not finite.

    Example:
        >>> plain_json({"ids": (1, None)}), plain_json({"ids": {1}})
        ('{"ids":[1,null]}', None)
    """
    if type(document) not in _PLAIN:
        return None  # as most models, for which the failure below would be dear
    try:
        text = _write(document)
    except TypeError:
        return None
    return text if _is_plain(document) else None


def _is_plain(document: object) -> bool:
    # The loop ends: a document that contains itself has no text.
    values: list[object] = [document]
    for value in values:
        kind = type(value)
        if kind in _SCALARS:
            continue
        if kind is dict:
            values += cast("dict[object, object]", value).values()  # a dict indeed
        elif kind is list or kind is tuple:
            values += cast("Iterable[object]", value)  # indeed
        else:
            return False
    return True
