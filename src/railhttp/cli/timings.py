"""Times the phases of a call, and draws a waterfall of them.

The client does not time the phases of a connection. So the name, TCP and TLS are timed on a
separate connection, made just before the call; `wait` is what remains of the last attempt.
`phases_of` is the one place to change once a response carries its own timings.
"""

from typing import Final, NamedTuple

from yarl import URL

from railhttp import HTTPClientConfig
from railhttp.cli import probe
from railhttp.cli.units import milliseconds
from railhttp.doctor import context_of, proxy_of

_BLOCK: Final = "▇"
_PROBE_TIMEOUT: Final = 10.0
_WIDTH: Final = 40


class Phases(NamedTuple):
    """The phases of a call, in seconds; None for one that did not happen or was not timed.

    Attributes:
        queue: Waiting for a place in the pool.
        dns: Resolving the name.
        tcp: Connecting.
        tls: The TLS handshake.
        send: Sending the request.
        wait: Waiting for the head of the response; with `queue` and `send`, if these are None.
        body: Reading the body.
    """

    queue: float | None = None
    dns: float | None = None
    tcp: float | None = None
    tls: float | None = None
    send: float | None = None
    wait: float | None = None
    body: float | None = None

    def document(self) -> dict[str, float]:
        """Make the JSON object of it: the phases that were timed.

        Example:
            >>> Phases(dns=0.004, wait=0.02).document()
            {'dns': 0.004, 'wait': 0.02}
        """
        return {name: value for name, value in self._asdict().items() if value is not None}


async def connection_phases(url: str, config: HTTPClientConfig) -> Phases:
    """Time the name, TCP and TLS on a separate connection; through a proxy, those to it."""
    target = URL(url)
    proxy, proxy_url = proxy_of(target, config)
    end = URL(proxy_url) if proxy_url else target
    if proxy.error or not end.host:
        return Phases()
    port = end.port or 0
    name = await probe.resolve(end.host, port, _PROBE_TIMEOUT)
    if not name.addresses:
        return Phases(dns=name.seconds)
    address = name.addresses[0]
    looked_up = 0.0 if address == end.host else name.seconds  # an address needs no resolver
    route = await probe.connect(address, port, _PROBE_TIMEOUT)
    if route.error or proxy_url or target.scheme != "https":
        return Phases(dns=looked_up, tcp=route.seconds)
    context = context_of(config)
    tls = await probe.handshake(end.host, address, port, context, _PROBE_TIMEOUT)
    # The handshake includes a TCP connection.
    return Phases(dns=looked_up, tcp=route.seconds, tls=max(tls.seconds - route.seconds, 0.0))


def phases_of(connection: Phases, head_seconds: float, body: float) -> Phases:
    """Put the phases of a call together.

    Args:
        connection: The phases of a connection like that of the call.
        head_seconds: The time of the last attempt up to the head of its response.
        body: The time from there to the end of its body.
    """
    made = sum(filter(None, (connection.dns, connection.tcp, connection.tls)))
    return connection._replace(wait=max(head_seconds - made, 0.0), body=body)


def waterfall(phases: Phases) -> list[str]:
    r"""Draw one bar for each phase; each begins at the end of the one above.

    Example:
        >>> print(*waterfall(Phases(dns=0.01, wait=0.03)), sep="\n")
        dns   ▇▇▇▇▇▇▇▇▇▇                                 10 ms
        wait            ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇   30 ms
    """
    timed = phases.document()
    whole = sum(timed.values()) or 1.0
    lines = []
    start = 0.0
    for name, value in timed.items():
        first = round(start / whole * _WIDTH)
        start += value
        last = round(start / whole * _WIDTH)
        bar = " " * min(first, _WIDTH - 1) + _BLOCK * max(last - first, 1)
        lines.append(f"{name:<5} {bar:<{_WIDTH}} {milliseconds(value):>7}")
    return lines
