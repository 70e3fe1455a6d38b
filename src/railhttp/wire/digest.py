"""Digest authentication: the response to a challenge (RFC 7616, section 3.4)."""

import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import quote

from railhttp.model.validation import OWS
from railhttp.wire.challenges import Challenge

_ALGORITHMS: Final = {"sha-512-256": "sha512_256", "sha-256": "sha256", "md5": "md5"}
"""The hash functions that can be used, strongest first."""


class DigestChallenge(NamedTuple):
    """A digest challenge with an algorithm that we know.

    Attributes:
        algorithm: The name of the algorithm as the server wrote it.
        qop: `auth`, `auth-int`, or empty for a server of RFC 2069.
        stale: Whether the server refused only the nonce, and not the credentials.
        userhash: Whether the server wants the user name hashed.
    """

    realm: str
    nonce: str
    algorithm: str = ""
    qop: str = "auth"
    opaque: str | None = None
    stale: bool = False
    userhash: bool = False

    @classmethod
    def strongest(cls, offered: Iterable[Challenge]) -> "DigestChallenge | None":
        """Return the challenge with the strongest algorithm; None if we know none."""
        known = [one for one in map(_read, offered) if one is not None]
        order = list(_ALGORITHMS)
        return min(known, key=lambda one: order.index(_base(one.algorithm)), default=None)


class DigestRequest(NamedTuple):
    """The request that the field is computed for.

    Attributes:
        uri: The target of the request line.
        uses: How often the nonce was used, this time included.
        cnonce: The client's nonce.
        body_digest: The hash of the body in hex, by `hash_name`; used for `auth-int`.
    """

    method: str
    uri: str
    uses: int
    cnonce: str
    body_digest: str = ""


def hash_name(algorithm: str) -> str:
    """Return the name that `hashlib` has for the hash of an algorithm.

    Example:
        >>> hash_name("SHA-256-sess"), hash_name("")
        ('sha256', 'md5')
    """
    return _ALGORITHMS[_base(algorithm)]


def authorization(
    challenge: DigestChallenge, username: str, password: str, request: DigestRequest
) -> str:
    """Return the value of the `Authorization` field.

    Example:
        >>> challenge = DigestChallenge("a@b", "7", algorithm="MD5")
        >>> authorization(challenge, "ann", "x", DigestRequest("GET", "/", 1, "c"))[:43]
        'Digest username="ann", realm="a@b", nonce="'
    """
    name = hash_name(challenge.algorithm)
    cnonce, count = request.cnonce, f"{request.uses:08x}"
    secret = _hash(name, f"{username}:{challenge.realm}:{password}")
    if challenge.algorithm.lower().endswith("-sess"):
        secret = _hash(name, f"{secret}:{challenge.nonce}:{cnonce}")
    target = f"{request.method}:{request.uri}"
    if challenge.qop == "auth-int":
        target += f":{request.body_digest}"
    used = f":{count}:{cnonce}:{challenge.qop}" if challenge.qop else ""
    response = _hash(name, f"{secret}:{challenge.nonce}{used}:{_hash(name, target)}")
    fields = [
        _user(challenge, name, username),
        f"realm={_quoted(challenge.realm)}",
        f"nonce={_quoted(challenge.nonce)}",
        f"uri={_quoted(request.uri)}",
        f'response="{response}"',
    ]
    if challenge.algorithm:
        fields.append(f"algorithm={challenge.algorithm}")
    if challenge.qop:
        fields += [f"qop={challenge.qop}", f"nc={count}", f"cnonce={_quoted(cnonce)}"]
    if challenge.opaque is not None:
        fields.append(f"opaque={_quoted(challenge.opaque)}")
    if challenge.userhash:
        fields.append("userhash=true")
    return f"Digest {', '.join(fields)}"


def _read(challenge: Challenge) -> DigestChallenge | None:
    given = challenge.parameters
    algorithm = given.get("algorithm", "")
    offered = [one.strip(OWS).lower() for one in given.get("qop", "").split(",") if one.strip(OWS)]
    qop = next((one for one in ("auth", "auth-int") if one in offered), "")
    if challenge.scheme != "digest" or (offered and not qop):
        return None
    if _ALGORITHMS.get(_base(algorithm)) not in hashlib.algorithms_available:
        return None
    if "nonce" not in given or "realm" not in given:
        return None
    true = {name for name, text in given.items() if text.lower() == "true"}
    return DigestChallenge(
        given["realm"],
        given["nonce"],
        algorithm,
        qop,
        given.get("opaque"),
        stale="stale" in true,
        userhash="userhash" in true,
    )


def _base(algorithm: str) -> str:
    return (algorithm.lower() or "md5").removesuffix("-sess")


def _user(challenge: DigestChallenge, name: str, username: str) -> str:
    if challenge.userhash:
        return f'username="{_hash(name, f"{username}:{challenge.realm}")}"'
    if username.isascii():
        return f"username={_quoted(username)}"
    return f"username*=UTF-8''{quote(username, safe='')}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _hash(name: str, text: str) -> str:
    return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()
