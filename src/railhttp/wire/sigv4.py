"""AWS Signature Version 4: the canonical request, and its signature.

Source: AWS General Reference, "Signature Version 4 signing process".
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from yarl import URL

from railhttp.model.url import path_of
from railhttp.model.validation import OWS

ALGORITHM: Final = "AWS4-HMAC-SHA256"
UNSIGNED: Final = "UNSIGNED-PAYLOAD"

NOT_SIGNED: Final = frozenset(
    {
        *("authorization", "connection", "expect", "transfer-encoding", "user-agent"),
        *("accept-encoding", "x-amzn-trace-id", "content-length"),
    }
)
"""Header fields that a proxy or the transport may change."""

_SPACES: Final = re.compile(" +")


class Scope(NamedTuple):
    """The time, region and service that a signature is valid for.

    Attributes:
        time: The time in UTC, as `20150830T123600Z`.
    """

    time: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.time[:8]}/{self.region}/{self.service}/aws4_request"


def canonical_request(
    method: str, url: URL, headers: Mapping[str, str], body_hash: str, service: str
) -> tuple[str, str]:
    """Return the canonical request, and the names of the signed header fields.

    Args:
        method: The method, in upper case.
        url: The URL as it is sent.
        headers: The header fields, `Host` included.
        body_hash: The SHA-256 of the body in hex, or `UNSIGNED`.
        service: The name of the service; for `s3` the path is used as it is.

    Example:
        >>> text, names = canonical_request("GET", URL("http://h/a"), {"Host": "h"}, "", "x")
        >>> text.splitlines()[:4], names
        (['GET', '/a', '', 'host:h'], 'host')
    """
    fields = sorted(
        (name.lower(), _SPACES.sub(" ", value.strip(OWS)))
        for name, value in headers.items()
        if name.lower() not in NOT_SIGNED
    )
    names = ";".join(dict(fields))
    lines = "".join(f"{name}:{value}\n" for name, value in fields)
    path = _path(path_of(url), service)
    query = _query(url.raw_query_string)
    return f"{method}\n{path}\n{query}\n{lines}\n{names}\n{body_hash}", names


def signature(secret_key: str, scope: Scope, canonical: str) -> str:
    """Return the signature of a canonical request in hex."""
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{ALGORITHM}\n{scope.time}\n{scope}\n{hashed}"
    key = f"AWS4{secret_key}".encode()
    for part in (scope.time[:8], scope.region, scope.service, "aws4_request"):
        key = _hmac(key, part)
    return _hmac(key, text).hex()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _path(raw: str, service: str) -> str:
    if service == "s3":
        return quote(unquote(raw))
    # Other services encode the path that is sent once more.
    return quote("/".join(_normal(raw.split("/"))))


def _normal(segments: Iterable[str]) -> list[str]:
    """Remove dot segments and empty ones (RFC 3986, section 6.2.2.3)."""
    kept: list[str] = []
    last = ""
    for last in segments:
        if last == "..":
            del kept[-1:]
        elif last not in {"", "."}:
            kept.append(last)
    ends = kept and last in {"", ".", ".."}
    return ["", *kept, *([""] if ends else [])] if kept else ["", ""]


def _query(raw: str) -> str:
    pairs = []
    for part in raw.split("&") if raw else ():
        name, _, value = part.partition("=")
        pairs.append((_encoded(name), _encoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _encoded(text: str) -> str:
    return quote(unquote(text.replace("+", " ")), safe="")
