"""The closed catalogue: every kind, phase and spoilt body, how far it gets, and how it is played.

A test compares it with the union of failures: a kind, a phase or a class that no entry shows has a
written reason (tests/testing/explore/test_faults.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from railhttp.model.errors import (
    ConnectionKind,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPTimeoutError,
    TimeoutPhase,
)
from railhttp.model.response import HttpResponse, freeze_headers
from railhttp.model.stage import Stage
from railhttp.testing.scripted.route import ScriptedRoute

Play: TypeAlias = Callable[[ScriptedRoute, Stage, HttpResponse], object]
"""Adds the fault to a route, given its stage and the response that is lost."""

Stages: TypeAlias = tuple[Stage | None, Stage | None]
"""How far an attempt gets if the server did not act, and if it acted; None if that cannot be."""

_JSON: Final = {"Content-Type": "application/json"}
_LOGIN_PAGE: Final = b"<!doctype html><title>Sign in</title><p>Please sign in.</p>"
_EMPTY: Final = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Kind:
    """An entry of the catalogue.

    Attributes:
        stages: How far an attempt gets, see `Stages`.
        play: Adds the fault to a route.
        in_body: Whether only a response with a body can show it.
        reply: The response, if the fault is one.
    """

    stages: Stages
    play: Play
    in_body: bool = False
    reply: HttpResponse | None = None


def _fails(make: Callable[[], HTTPFailure]) -> Play:
    def play(route: ScriptedRoute, stage: Stage, lost: HttpResponse) -> None:
        if stage is not Stage.ANSWERED:
            route.fail(make(), "head" if stage is Stage.SENDING else "connect")
            return
        status = 200 if lost.status in _EMPTY else lost.status
        half = lost.body[: len(lost.body) // 2]
        route.fail(make(), "body", status=status, headers=lost.headers, after=half)

    return play


def _is_silent(route: ScriptedRoute, _: Stage, __: HttpResponse) -> None:
    route.hang("head")


def _replying(
    stages: Stages,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    status: int = 200,
) -> Kind:
    def play(route: ScriptedRoute, _: Stage, __: HttpResponse) -> None:
        route.reply(status, body=body, headers=headers)

    reply = HttpResponse(status, freeze_headers(headers or {}), body)
    return Kind(stages, play, in_body=bool(body), reply=reply)


def _connection(kind: ConnectionKind) -> Play:
    return _fails(partial(HTTPConnectionError, "injected", kind=kind))


def _timeout(phase: TimeoutPhase) -> Play:
    return _fails(partial(HTTPTimeoutError, "injected", phase=phase))


_QUEUED: Final[Stages] = (Stage.QUEUED, None)
_CONNECTING: Final[Stages] = (Stage.CONNECTING, None)
_SENDING: Final[Stages] = (Stage.SENDING, Stage.SENDING)
_ANSWERED: Final[Stages] = (Stage.ANSWERED, Stage.ANSWERED)
_REFUSED: Final[Stages] = (Stage.ANSWERED, None)
_SPOILT: Final[Stages] = (None, Stage.ANSWERED)

KINDS: Final[Mapping[str, Kind]] = {
    "dns": Kind(_CONNECTING, _connection("dns")),
    "connect": Kind(_CONNECTING, _connection("connect")),
    "proxy": Kind(_CONNECTING, _connection("proxy")),
    "tls": Kind(_CONNECTING, _connection("tls")),
    "timeout connect": Kind(_CONNECTING, _timeout("connect")),
    "timeout pool": Kind(_QUEUED, _timeout("pool")),
    "circuit open": Kind(_QUEUED, _fails(partial(HTTPCircuitOpenError, retry_after=1.0))),
    "rejected": Kind(_QUEUED, _connection("rejected")),
    "closed": Kind(_QUEUED, _connection("closed")),
    "invalid request": Kind(_QUEUED, _fails(partial(HTTPInvalidRequestError, "injected"))),
    "disconnected": Kind(_SENDING, _connection("disconnected")),
    "timeout read": Kind(_SENDING, _timeout("read")),
    "timeout total": Kind(_SENDING, _is_silent),
    "protocol": Kind(_SENDING, _connection("protocol")),
    # An interceptor fails before the request is sent, or when it sees the response.
    "interceptor": Kind(
        (Stage.QUEUED, Stage.ANSWERED),
        _fails(partial(HTTPInterceptorError, "injected")),
        in_body=True,
    ),
    "truncated": Kind(_ANSWERED, _connection("truncated"), in_body=True),
    "too large": Kind(
        _SPOILT, _fails(partial(HTTPResponseTooLargeError, "injected", limit=1)), in_body=True
    ),
    "decode": Kind(
        _SPOILT,
        _fails(partial(HTTPDecodeError, "injected", where="Content-Encoding")),
        in_body=True,
    ),
    "redirect": _replying(_REFUSED, headers={"Location": "ftp://login.invalid/"}, status=302),
    "html": _replying(_ANSWERED, _LOGIN_PAGE, {"Content-Type": "text/html"}),
    "broken json": _replying(_SPOILT, b'{"id": ', _JSON),
    "null": _replying(_SPOILT, b"null", _JSON),
    "empty object": _replying(_SPOILT, b"{}", _JSON),
}
"""All kinds of faults except statuses, by name: requests that are not sent come first."""

USUAL_STATUSES: Final = (400, 401, 403, 404, 422, 429, 500, 502, 503, 504, 204)
"""Statuses that a server or proxy may send even if the API does not define them."""


def status_kind(name: str) -> Kind | None:
    """Return the entry of a status; None if the name is not a status that a response can have.

    A 3xx or 4xx comes from a server that did not act, a 2xx from one that acted. A 5xx comes from
    either: a proxy sends it as well if the server acted and its response was lost.

    Example:
        >>> [kind and kind.stages for kind in map(status_kind, ["204", "404", "500", "99"])]
        [(None, <Stage.ANSWERED: 3>), (<Stage.ANSWERED: 3>, None),
         (<Stage.ANSWERED: 3>, <Stage.ANSWERED: 3>), None]
    """
    if not (name.isascii() and name.isdigit() and len(name) == 3 and 200 <= int(name) <= 599):
        return None
    status = int(name)
    if status < 300:
        return _replying(_SPOILT, status=status)
    return _replying(_ANSWERED if status >= 500 else _REFUSED, status=status)
