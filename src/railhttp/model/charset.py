"""The charset of a body: what its label means (WHATWG Encoding), and its byte-order mark."""

import codecs
import re
from functools import lru_cache
from typing import Final

_PARAMETER: Final = r';[ \t]*([^ \t=;"]*)[ \t]*(?:=[ \t]*("(?:[^"\\]|\\.)*"?|[^;]*))?'

_NO_CHARSETS: Final = {
    *("punycode", "idna", "undefined", "unicode-escape", "raw-unicode-escape"),
    "utf-7",
}
"""Codecs that are not charsets of any document; punycode takes seconds for 300 kB.

UTF-7 hides markup from filters, so the WHATWG Encoding Standard forbids it.
"""

_LABELS: Final = {
    label: codec
    for codec, labels in {
        "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8",
        "utf-16-le": "utf-16 utf-16le ucs-2 unicode csunicode unicodefeff iso-10646-ucs-2",
        "utf-16-be": "utf-16be unicodefffe",
        "cp1252": """
            ansi_x3.4-1968 ascii us-ascii cp1252 x-cp1252 cp819 csisolatin1 ibm819 iso-8859-1
            iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 latin-1
            """,
        "cp1254": """
            x-cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9
            iso_8859-9:1989 l5 latin5
            """,
        "cp874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874",
        "iso8859-8": "iso-8859-8-i logical csiso88598i csisolatinhebrew visual iso-8859-8-e",
        "cp1250": "x-cp1250",
        "cp1251": "x-cp1251",
        "cp1253": "x-cp1253",
        "cp1255": "x-cp1255",
        "cp1256": "x-cp1256",
        "cp1257": "x-cp1257",
        "cp1258": "x-cp1258",
        "koi8-u": "koi8-ru",
        "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
        "mac-roman": "macintosh mac csmacintosh x-mac-roman",
        "gb18030": """
            gb2312 gbk chinese csgb2312 csiso58gb231280 gb_2312 gb_2312-80 iso-ir-58 x-gbk
            """,
        "big5hkscs": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
        "cp932": "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
        "euc-jp": "cseucpkdfmtjapanese x-euc-jp",
        "cp949": """
            cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601
            ksc_5601 windows-949
            """,
    }.items()
    for label in labels.split()
}
"""Labels that browsers read otherwise than Python does, or that Python does not have."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def charset_of(content_type: str) -> str:
    """Return the charset parameter of a `Content-Type` value; `utf-8` by default.

    Example:
        >>> charset_of('text/plain; title="; charset=x"; Charset="ISO-8859-1"')
        'iso-8859-1'
    """
    charset = parameter_of(content_type, "charset") or ""
    return charset.strip("'").lower() or "utf-8"


def parameter_of(content_type: str, name: str) -> str | None:
    """Return a parameter of a `Content-Type` value, unquoted (RFC 9110, 5.6.6), or None.

    Example:
        >>> parameter_of('multipart/form-data; a="; boundary=x"; Boundary="b 1"', "boundary")
        'b 1'
    """
    for key, value in re.findall(_PARAMETER, content_type):
        if key.lower() == name:
            is_quoted = value.startswith('"')
            text = re.sub(r"\\(.)", r"\1", value[1:].removesuffix('"')) if is_quoted else value
            return str(text.strip(" \t"))
    return None


@lru_cache(maxsize=64)
def codec_of(content_type: str) -> str | None:
    """Return Python's name of the codec for the charset of a `Content-Type` value, or None.

    Example:
        >>> codec_of("text/html; charset=latin1")
        'cp1252'
    """
    label = charset_of(content_type)
    try:
        name = codecs.lookup(_LABELS.get(label, label)).name
    except (LookupError, ValueError):  # ValueError: the name has a null character
        return None
    return None if name in _NO_CHARSETS else name


def split_mark(body: bytes) -> tuple[str | None, bytes]:
    """Return the codec that the byte-order mark of a body names, or None, and the rest."""
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return codec, body[len(mark) :]
    return None, body


def decode_text(body: bytes, content_type: str) -> str:
    """Decode a body as browsers do: by its byte-order mark, or else by its charset.

    An unknown charset is read as UTF-8, and undecodable bytes become U+FFFD.

    Example:
        >>> decode_text("né".encode("utf-8-sig"), "text/plain; charset=latin1")
        'né'
    """
    marked, rest = split_mark(body)
    try:
        return rest.decode(marked or codec_of(content_type) or "utf-8", "replace")
    except (LookupError, ValueError):  # codecs such as base64 do not decode to text
        return body.decode("utf-8", "replace")
