"""Certificates and TLS contexts, good and bad, made afresh with trustme."""

import hashlib
import ssl
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import trustme
from tests.servers.listener import LOOPBACK, LOOPBACK_6

_NAMES: Final = ("localhost", LOOPBACK, LOOPBACK_6)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsContexts:
    """Contexts for a server (`FaultServer(ssl_context=...)`) and for a client.

    What comes of each pair: `trusted` with `client` works; `untrusted`, `wrong_host` and `expired`
    fail `client`'s check; `at_most_1_2` and `client_at_least_1_3` have no version in common;
    `mutual_1_2` and `mutual_1_3` refuse `client`, the one inside and the other after the client's
    handshake, and take `client_with_certificate`.
    """

    trusted: ssl.SSLContext
    untrusted: ssl.SSLContext
    wrong_host: ssl.SSLContext
    expired: ssl.SSLContext
    at_most_1_2: ssl.SSLContext
    mutual_1_2: ssl.SSLContext
    mutual_1_3: ssl.SSLContext
    client: ssl.SSLContext
    client_at_least_1_3: ssl.SSLContext
    client_with_certificate: ssl.SSLContext
    fingerprint: bytes
    """SHA-256 of the certificate that `trusted` shows, for pinning."""
    authority_pem: bytes
    """The certificate of the authority that `client` trusts."""
    certificate_pem: bytes
    """The certificate of `client_with_certificate`."""
    key_pem: bytes
    """The key of that certificate."""


def make_contexts() -> TlsContexts:
    """Found two authorities, of which the client trusts one, and make every context."""
    authority, stranger = trustme.CA(), trustme.CA()
    leaf = authority.issue_cert(*_NAMES)
    past = datetime(2001, 1, 1)
    at_most_1_2 = _server(leaf)
    at_most_1_2.maximum_version = ssl.TLSVersion.TLSv1_2
    mutual_1_3 = _mutual(leaf, authority)
    mutual_1_2 = _mutual(leaf, authority)
    mutual_1_2.maximum_version = ssl.TLSVersion.TLSv1_2
    client_at_least_1_3 = _client(authority)
    client_at_least_1_3.minimum_version = ssl.TLSVersion.TLSv1_3
    client_with_certificate = _client(authority)
    own = authority.issue_cert("ann@client.example")
    own.configure_cert(client_with_certificate)
    certificate = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode("ascii"))
    return TlsContexts(
        trusted=_server(leaf),
        untrusted=_server(stranger.issue_cert(*_NAMES)),
        wrong_host=_server(authority.issue_cert("other.example")),
        expired=_server(authority.issue_cert(*_NAMES, not_after=past)),
        at_most_1_2=at_most_1_2,
        mutual_1_2=mutual_1_2,
        mutual_1_3=mutual_1_3,
        client=_client(authority),
        client_at_least_1_3=client_at_least_1_3,
        client_with_certificate=client_with_certificate,
        fingerprint=hashlib.sha256(certificate).digest(),
        authority_pem=authority.cert_pem.bytes(),
        certificate_pem=own.cert_chain_pems[0].bytes(),
        key_pem=own.private_key_pem.bytes(),
    )


def _server(leaf: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


def _mutual(leaf: trustme.LeafCert, authority: trustme.CA) -> ssl.SSLContext:
    context = _server(leaf)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _client(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context
