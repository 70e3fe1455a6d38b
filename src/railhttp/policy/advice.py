"""Advice for people on each failure, without any part of the request."""

from typing import Final, assert_never

from railhttp.model.errors import (
    ConnectionKind,
    Delivery,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
    TimeoutPhase,
)


def advise(failure: HTTPFailure) -> str:
    """Advise on a failure.

    The sentence warns of a second send if the request may have reached the server.

    Example:
        >>> advise(HTTPConnectionError(kind="dns", delivery=Delivery.NOT_SENT))
        'check the spelling of the host name, and that this machine can resolve names'
        >>> advise(HTTPTimeoutError(phase="read"))
        'allow more time, or ask why the server is slow; the request may have taken effect, so ask
        the server before you send it again'
    """
    advice = _advise(failure)
    if failure.delivery is not Delivery.MAYBE_SENT:
        return advice
    return (
        f"{advice}; the request may have taken effect, so ask the server before you send it again"
    )


def _advise(failure: HTTPFailure) -> str:
    match failure:
        case HTTPInvalidRequestError():
            return "correct the request; nothing was sent"
        case HTTPConnectionError(kind):
            return _CONNECTION[kind]
        case HTTPTimeoutError(phase):
            return _TIMEOUT[phase]
        case HTTPStatusError(status):
            return advise_on_status(status)
        case HTTPDecodeError():
            return "compare the body with what its header fields promise"
        case HTTPResponseTooLargeError():
            return "raise the limit, or read the body as a stream or a download"
        case HTTPInterceptorError():
            return "correct the code that was plugged into the client"
        case HTTPCircuitOpenError():
            return "wait until the circuit breaker lets a request through"
        case HTTPRetryExhaustedError():
            last = failure.last
            return "try again later" if last is None else f"every attempt failed: {_advise(last)}"
        case _:
            assert_never(failure)


_CONNECTION: Final[dict[ConnectionKind, str]] = {
    "dns": "check the spelling of the host name, and that this machine can resolve names",
    "connect": "check that the server runs, and the port, the firewall and the route to it",
    "proxy": "check the proxy and its credentials, or bypass it with NO_PROXY",
    "tls": "check the certificate, the host name and the trusted authorities",
    "disconnected": "look into the server's log: it closed the connection instead of responding",
    "truncated": "request it again: the body ended too early",
    "protocol": "check that an HTTP/1.1 server listens at this port",
    "redirect": "correct the redirect at the server, or request its target yourself",
    "closed": "start the client, and keep it started until the call is done",
    "rejected": "send less at once, or raise the client's limit",
}

_TIMEOUT: Final[dict[TimeoutPhase, str]] = {
    "pool": "raise the number of connections, or send less at once",
    "connect": "check the firewall and the route: the server does not accept the connection",
    "read": "allow more time, or ask why the server is slow",
    "total": "allow more time for the whole call",
}


def advise_on_status(status: int) -> str:
    """Advise on a 4xx or 5xx (RFC 9110, sections 15.5 and 15.6; RFC 6585).

    Example:
        >>> advise_on_status(429)
        'send less often; `Retry-After` may name the time'
    """
    if status in _STATUSES:
        return _STATUSES[status]
    return "look into the server's log" if status >= 500 else "correct the request"


_STATUSES: Final = {
    401: "send valid credentials",
    403: "ask for permission: the credentials do not allow this",
    404: "check the path",
    405: "use another method; `Allow` names those that there are",
    407: "send valid credentials for the proxy",
    408: "send it faster, or again",
    413: "send a smaller body",
    429: "send less often; `Retry-After` may name the time",
    502: "look at the server behind the gateway",
    503: "try again later; `Retry-After` may name the time",
    504: "look at the server behind the gateway",
}
