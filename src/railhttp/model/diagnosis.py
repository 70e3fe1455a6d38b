"""The measurements of `railhttp.doctor` and the findings that follow from them."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from railhttp.model.errors import HTTPFailure
from railhttp.model.response import HttpResponse

Step: TypeAlias = Literal["name", "proxy", "route", "tls", "http", "content"]
"""The steps to a response, in their order."""

Severity: TypeAlias = Literal["ok", "warning", "fault"]

TlsReason: TypeAlias = Literal[
    "expired",
    "not yet valid",
    "self-signed",
    "unknown authority",
    "wrong host",
    "no common version",
    "client certificate",
    "not TLS",
    "broken off",
    "timed out",
    "other",
]
"""Why a TLS handshake failed."""


class Certificate(NamedTuple):
    """The fields of a certificate (RFC 5280) that matter to people.

    Attributes:
        subject: The common name of its subject, or an empty string.
        issuer: The common name of its issuer.
        names: The host names and addresses that it is valid for.
        not_before: Since when it is valid, in seconds since 1970.
        not_after: Until when it is valid.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: float
    not_after: float


@dataclass(frozen=True, slots=True)
class NameFacts:
    """A host name and its addresses; `error` is the resolver's reason, empty if it found any."""

    host: str
    addresses: tuple[str, ...] = ()
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class ProxyFacts:
    """The proxy of the URL.

    Attributes:
        url: Its URL, redacted; empty for a direct connection.
        source: The place that sets it: `config`, or an environment variable.
        bypassed: Whether NO_PROXY exempts this URL from one.
        error: Why its URL is not valid; empty if it is.
    """

    url: str = ""
    source: str = ""
    bypassed: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """One attempt to connect by TCP; `error` is the system's reason, empty if it connected."""

    address: str
    port: int
    seconds: float = 0.0
    error: str = ""
    timed_out: bool = False

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """A TLS handshake.

    Attributes:
        version: The version of the protocol, such as `TLSv1.3`.
        seconds: How long it took.
        reason: Why it failed; None if it succeeded.
        detail: The words of OpenSSL for it.
        certificate: The certificate of the server.
        otherwise_trusted: Whether the certificate is trusted but for its dates or its names; None
            if that was not found out.
        skew: How far the server's clock is ahead, in seconds, by a `Date` that came over an
            unverified connection.
    """

    version: str = ""
    seconds: float = 0.0
    reason: TlsReason | None = None
    detail: str = ""
    certificate: Certificate | None = None
    otherwise_trusted: bool | None = None
    skew: float | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was found out about a URL.

    Attributes:
        url: The URL.
        proxy: Its proxy.
        name: The host that is connected to: the proxy's if there is one.
        routes: A TCP connection to each of its addresses.
        tls: The handshake; None without one.
        outcome: The outcome of a client's GET.
        now: The time here, in seconds since 1970.
        skew: How far the server's clock is ahead, in seconds, by the `Date` of its response.
    """

    url: str
    proxy: ProxyFacts
    name: NameFacts
    routes: tuple[RouteFacts, ...]
    tls: TlsFacts | None
    outcome: HttpResponse | HTTPFailure
    now: float
    skew: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding about one step.

    Attributes:
        step: The step.
        what: A description of what was found.
        severity: `ok`, `warning` (calls work, or work slowly) or `fault` (calls fail).
        advice: The remedy; empty if all is well.
        seconds: How long the step took; None if it was not timed.
    """

    step: Step
    what: str
    severity: Severity = "ok"
    advice: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The findings about a URL.

    Attributes:
        url: The URL, redacted.
        findings: One or more for each step that was reached, in order.
        failure: The failure that a client's call comes to; None if it succeeds.

    Example:
        >>> found = Finding("name", "no such host", "fault", "check the spelling")
        >>> Diagnosis("http://h/", (found,)).at_fault
        'name'
    """

    url: str
    findings: tuple[Finding, ...]
    failure: HTTPFailure | None = None

    @property
    def fault(self) -> Finding | None:
        """The first finding that makes calls fail, or None."""
        return next((found for found in self.findings if found.severity == "fault"), None)

    @property
    def at_fault(self) -> Step | None:
        """The step of that finding."""
        return None if self.fault is None else self.fault.step

    @property
    def ok(self) -> bool:
        """Whether a call succeeds."""
        return self.fault is None

    @property
    def advice(self) -> tuple[str, ...]:
        """The remedies, each once, in the order of the steps."""
        return tuple(dict.fromkeys(found.advice for found in self.findings if found.advice))
