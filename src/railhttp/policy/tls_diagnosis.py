"""Judges a TLS handshake, and the certificate that the server showed."""

from typing import Final

from railhttp.model.diagnosis import Certificate, Finding, TlsFacts, TlsReason

LARGEST_SKEW: Final = 120.0
"""Seconds by which this clock and the server's may differ; certificates and tokens allow for it."""

_DAY: Final = 86400.0


def judge_tls(facts: TlsFacts, host: str, now: float) -> Finding:
    """Judge a TLS handshake, and the certificate that the server showed.

    Example:
        >>> judge_tls(TlsFacts(reason="not TLS"), "api.example", 0.0).what
        'the server does not speak TLS at this port'
    """
    if facts.reason is None:
        return _trusted(facts, now)
    what = _TLS_WORDS[facts.reason]
    certificate = facts.certificate
    if certificate is not None:
        what = _of_certificate(facts.reason, certificate, host, now)
    notes = []
    if facts.otherwise_trusted:
        notes.append("the certificate is otherwise trusted")
    if facts.skew is not None and facts.reason in {"expired", "not yet valid"}:
        right = abs(facts.skew) <= LARGEST_SKEW
        notes.append(f"the clock here is {'right' if right else 'wrong'} ({facts.skew:+.1f} s)")
    if facts.reason == "other" and facts.detail:
        notes.append(facts.detail)
    return Finding("tls", "; ".join([what, *notes]), "fault", _tls_advice(facts))


def _trusted(facts: TlsFacts, now: float) -> Finding:
    what = facts.version
    certificate = facts.certificate
    if certificate is None:
        return Finding("tls", what, seconds=facts.seconds)
    left = (certificate.not_after - now) / _DAY
    what += f", certificate of {certificate.subject or ', '.join(certificate.names)}"
    if left < 7:
        advice = "renew the certificate soon"
        return Finding("tls", f"{what} ends in {left:.0f} days", "warning", advice, facts.seconds)
    return Finding("tls", f"{what}, {left:.0f} days left", seconds=facts.seconds)


def _of_certificate(reason: TlsReason, certificate: Certificate, host: str, now: float) -> str:
    subject = f" (CN={certificate.subject})" if certificate.subject else ""
    match reason:
        case "expired":
            return f"certificate expired {_days(now - certificate.not_after)} ago{subject}"
        case "not yet valid":
            return f"certificate valid only in {_days(certificate.not_before - now)}{subject}"
        case "wrong host":
            return f"certificate is for {', '.join(certificate.names) or 'no host'}, not for {host}"
        case "unknown authority":
            return f"certificate of an authority that is not trusted ({certificate.issuer})"
        case _:
            return _TLS_WORDS[reason] + subject


def _days(seconds: float) -> str:
    days = max(int(seconds / _DAY), 0)
    return f"{days} day{'' if days == 1 else 's'}"


_TLS_WORDS: Final[dict[TlsReason, str]] = {
    "expired": "certificate expired",
    "not yet valid": "certificate not valid yet",
    "self-signed": "certificate signed by itself, or by an authority that is not trusted",
    "unknown authority": "certificate of an authority that is not trusted",
    "wrong host": "certificate of another host",
    "no common version": "no version of TLS in common",
    "client certificate": "the server wants a certificate of the client",
    "not TLS": "the server does not speak TLS at this port",
    "broken off": "the server broke off the handshake",
    "timed out": "the server did not finish the handshake",
    "other": "the handshake failed",
}

_VERIFY: Final = "; do not switch verification off"


def _tls_advice(facts: TlsFacts) -> str:
    match facts.reason:
        case "expired" | "not yet valid":
            if facts.skew is not None and abs(facts.skew) > LARGEST_SKEW:
                return "set the clock of this machine"
            return "renew the certificate" + _VERIFY
        case "self-signed" | "unknown authority":
            return "trust its authority with `ssl_context`, or `--cacert`" + _VERIFY
        case "wrong host":
            return "use a name of the certificate, or have one issued for this name" + _VERIFY
        case "no common version":
            return "allow TLS 1.2 or 1.3 on both sides"
        case "client certificate":
            return "load one into the `ssl_context`"
        case "not TLS":
            return "use http://, or the port that serves https"
        case "broken off":
            return "look into the server's log: it may want another TLS version or a certificate"
        case _:
            return "look into the server's log, and at what stands between: proxies, firewalls"
