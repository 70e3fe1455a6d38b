"""The `Authorization` field for a digest challenge, by a formula that is written a second time."""

import hashlib
from collections.abc import Callable

import pytest

from railhttp.wire.challenges import Challenge, challenges
from railhttp.wire.digest import DigestChallenge, DigestRequest, authorization, hash_name

HASHES = {
    "MD5": hashlib.md5,
    "md5": hashlib.md5,
    "SHA-256": hashlib.sha256,
    "sha-256": hashlib.sha256,
    "SHA-512-256": lambda data: hashlib.new("sha512_256", data),
}


def field_of(challenge: DigestChallenge, request: DigestRequest) -> dict[str, str]:
    (sent,) = challenges([authorization(challenge, "ann", "s3cret", request)])
    assert sent.scheme == "digest"
    return dict(sent.parameters)


@pytest.mark.parametrize("session", ["", "-sess"])
@pytest.mark.parametrize("algorithm", HASHES)
def test_each_algorithm_hashes_as_rfc_7616_says(algorithm: str, session: str) -> None:
    def hashed(text: str) -> str:
        return make(text.encode()).hexdigest()

    make: Callable[[bytes], hashlib._Hash] = HASHES[algorithm]
    assert hashlib.new(hash_name(algorithm + session), b"x").digest() == make(b"x").digest()
    challenge = DigestChallenge("r", "n", algorithm + session)
    sent = field_of(challenge, DigestRequest("GET", "/a?b", 31, "c"))
    secret = hashed("ann:r:s3cret")
    if session:
        secret = hashed(f"{secret}:n:c")
    expected = hashed(f"{secret}:n:0000001f:c:auth:{hashed('GET:/a?b')}")
    assert sent == {
        "username": "ann",
        "realm": "r",
        "nonce": "n",
        "uri": "/a?b",
        "algorithm": algorithm + session,
        "qop": "auth",
        "nc": "0000001f",
        "cnonce": "c",
        "response": expected,
    }


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def test_the_integrity_of_a_body_is_protected_by_its_digest() -> None:
    sent = field_of(
        DigestChallenge("r", "n", qop="auth-int"), DigestRequest("PUT", "/", 1, "c", "d")
    )
    assert sent["response"] == md5(f"{md5('ann:r:s3cret')}:n:00000001:c:auth-int:{md5('PUT:/:d')}")
    assert (sent["qop"], "algorithm" in sent) == ("auth-int", False)


def test_a_request_without_a_body_protects_an_empty_digest() -> None:
    sent = field_of(DigestChallenge("r", "n", qop="auth-int"), DigestRequest("GET", "/", 1, "c"))
    assert sent["response"] == md5(f"{md5('ann:r:s3cret')}:n:00000001:c:auth-int:{md5('GET:/:')}")


def test_a_server_of_rfc_2069_gets_no_count() -> None:
    sent = field_of(DigestChallenge("r", "n", qop=""), DigestRequest("GET", "/", 1, "c"))
    assert sent == {
        "username": "ann",
        "realm": "r",
        "nonce": "n",
        "uri": "/",
        "response": md5(f"{md5('ann:r:s3cret')}:n:{md5('GET:/')}"),
    }


def test_quotes_and_backslashes_are_escaped_and_the_opaque_text_goes_back() -> None:
    challenge = DigestChallenge('r"\\', 'n"', opaque="", userhash=True)
    sent = field_of(challenge, DigestRequest("GET", '/"', 1, 'c"'))
    assert [sent[name] for name in ("realm", "nonce", "opaque", "uri", "cnonce", "userhash")] == [
        *('r"\\', 'n"', "", '/"', 'c"', "true"),
    ]
    assert sent["username"] == md5('ann:r"\\')


@pytest.mark.parametrize(
    ("username", "field"),
    [
        ("ann", 'username="ann"'),
        ('a"n\\n', 'username="a\\"n\\\\n"'),
        ("Jäs/øn Doe", "username*=UTF-8''J%C3%A4s%2F%C3%B8n%20Doe"),
    ],
)
def test_a_name_beyond_ascii_is_sent_in_the_extended_notation(username: str, field: str) -> None:
    """RFC 7616, section 3.4; RFC 8187."""
    challenge, request = DigestChallenge("r", "n"), DigestRequest("GET", "/", 1, "c")
    sent = authorization(challenge, username, "s3cret", request)
    assert sent.startswith(f'Digest {field}, realm="r", ')


@pytest.mark.parametrize(
    ("parameters", "read"),
    [
        ("", DigestChallenge("r", "n", "", "")),
        (', opaque="o"', DigestChallenge("r", "n", "", "", "o")),
        (", stale=TRUE", DigestChallenge("r", "n", "", "", None, True)),
        (", stale=no", DigestChallenge("r", "n", "", "")),
        (", userhash=True", DigestChallenge("r", "n", "", "", None, False, True)),
        (", userhash=no", DigestChallenge("r", "n", "", "")),
        (', qop=" ,AUTH-INT\t, other"', DigestChallenge("r", "n", "", "auth-int")),
        (', qop=","', DigestChallenge("r", "n", "", "")),
        (', qop="auth"', DigestChallenge("r", "n", "", "auth")),
        (', qop="auth-int, auth"', DigestChallenge("r", "n", "", "auth")),
        (", algorithm=MD5-sess", DigestChallenge("r", "n", "MD5-sess", "")),
    ],
)
def test_the_parameters_of_a_challenge(parameters: str, read: DigestChallenge) -> None:
    assert (
        DigestChallenge.strongest(challenges([f'Digest realm="r", nonce="n"{parameters}'])) == read
    )


@pytest.mark.parametrize(
    "challenge",
    [
        Challenge("basic", {"realm": "r", "nonce": "n"}),
        Challenge("digest", {"realm": "r"}),
        Challenge("digest", {"nonce": "n"}),
        Challenge("digest", {"realm": "r", "nonce": "n", "algorithm": "sha-1"}),
        Challenge("digest", {"realm": "r", "nonce": "n", "qop": "other"}),
    ],
)
def test_a_challenge_that_cannot_be_answered_is_left(challenge: Challenge) -> None:
    assert DigestChallenge.strongest([challenge]) is None
    usable = Challenge("digest", {"realm": "R", "nonce": "N"})
    assert DigestChallenge.strongest([challenge, usable]) == DigestChallenge("R", "N", qop="")


@pytest.mark.parametrize(
    ("weaker", "stronger"), [("MD5", "SHA-256"), ("SHA-256", "SHA-512-256"), ("", "SHA-256-sess")]
)
def test_the_stronger_of_two_is_chosen_in_any_order(weaker: str, stronger: str) -> None:
    both = [
        Challenge("digest", {"realm": "r", "nonce": "n", "algorithm": one})
        for one in (weaker, stronger)
    ]
    for offered in (both, both[::-1]):
        chosen = DigestChallenge.strongest(offered)
        assert chosen is not None
        assert chosen.algorithm == stronger


def test_md5_is_computed_where_it_is_forbidden_for_security(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A system in FIPS mode allows it for other purposes; the server chose it."""
    new = hashlib.new

    def fips(name: str, data: bytes = b"", *, usedforsecurity: bool = True) -> "hashlib._Hash":
        if usedforsecurity:
            raise ValueError("unsupported")
        return new(name, data)

    monkeypatch.setattr(hashlib, "new", fips)
    challenge, request = DigestChallenge("r", "n"), DigestRequest("GET", "/", 1, "c")
    assert "response=" in authorization(challenge, "ann", "s3cret", request)
