"""Digest authentication (RFC 7616) as an interceptor."""

import hashlib
from typing import Final

from railhttp.model.context import RequestContext
from railhttp.model.errors import HTTPValidationError
from railhttp.model.response import HttpResponse
from railhttp.model.secrecy import forgets_arguments
from railhttp.model.url import request_url
from railhttp.model.validation import require_text
from railhttp.pipeline.clock import SYSTEM_CLOCK, random_id
from railhttp.pipeline.interceptors.again import Again
from railhttp.pipeline.interceptors.standard import RequestInterceptor, has_header
from railhttp.wire.challenges import challenges, parameters_of
from railhttp.wire.digest import DigestChallenge, DigestRequest, authorization, hash_name

_MOST_ORIGINS: Final = 100


class _Session:
    """A challenge of an origin, and how often its nonce was used."""

    __slots__ = ("challenge", "count")

    def __init__(self, challenge: DigestChallenge) -> None:
        self.challenge = challenge
        self.count = 0


class DigestAuth(RequestInterceptor):
    """Authenticates with a user name and a password by hashes: SHA-256, SHA-512-256 or MD5.

    A refused request is sent once more with the response to the challenge. After that a nonce is
    used again, with a rising count, until the server calls it stale or names the next one. The
    body is covered if the server asks for `auth-int` only.

    Args:
        username: May be empty.
        password: May be empty.
        origin: The only origin that gets the response; None for that of the base URL.

    Raises:
        HTTPValidationError: An argument is not text, the user name has a colon, or `origin` is not
            a URL.

    Example:
        >>> DigestAuth("Mufasa", "Circle of Life", origin="https://www.example.org")
        <DigestAuth>
    """

    is_credential = True

    @forgets_arguments
    def __init__(self, username: str, password: str, *, origin: str | None = None) -> None:
        super().__init__(origin=origin)
        self._username = require_text(username, "username")
        self._password = require_text(password, "password")
        if ":" in username:
            raise HTTPValidationError("must not contain a colon", field="username")
        self._sessions: dict[str, _Session] = {}

    async def prepare(self, context: RequestContext) -> None:
        """Add the response to the last challenge of the origin, if it has sent one."""
        if has_header(context, "Authorization"):
            return
        session = self._sessions.get(_origin(context))
        if session is None:
            context.notes.setdefault(self, None)
            return
        challenge = session.challenge
        session.count += 1
        context.notes[self] = challenge.nonce, session.count
        clock = SYSTEM_CLOCK if context.client is None else context.client.clock
        body = await _body_digest(context, challenge) if challenge.qop == "auth-int" else ""
        target = request_url(context.url).raw_path_qs
        request = DigestRequest(context.method, target, session.count, random_id(clock), body)
        context.headers["Authorization"] = authorization(
            challenge, self._username, self._password, request
        )

    async def intercept_exchange(
        self, context: RequestContext, response: HttpResponse
    ) -> HttpResponse | Again:
        """Respond to a challenge, or note the next nonce."""
        if self not in context.notes:
            return response
        origin, used = _origin(context), context.notes[self]
        if response.status != 401:
            self._note_next(origin, response)
            return response
        session = self._sessions.get(origin)
        nonce, count = used if isinstance(used, tuple) else ("", 0)
        if session is not None and session.challenge.nonce != nonce:
            return Again(context)  # another call has responded to a newer challenge
        fields = response.headers.getall("WWW-Authenticate", [])
        challenge = DigestChallenge.strongest(challenges(fields))
        if challenge is None:
            return response
        if nonce and not challenge.stale and count == 1:  # refused with a fresh nonce: credentials
            del self._sessions[origin]
            return response
        if challenge.nonce == nonce:
            return response
        while len(self._sessions) >= _MOST_ORIGINS:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[origin] = _Session(challenge)
        return Again(context)

    def _note_next(self, origin: str, response: HttpResponse) -> None:
        session = self._sessions.get(origin)
        info = response.headers.get("Authentication-Info")
        if session is None or info is None:
            return
        if nonce := parameters_of(info).get("nextnonce"):
            self._sessions[origin] = _Session(session.challenge._replace(nonce=nonce))


def _origin(context: RequestContext) -> str:
    return str(request_url(context.url).origin())


async def _body_digest(context: RequestContext, challenge: DigestChallenge) -> str:
    digest = hashlib.new(hash_name(challenge.algorithm), usedforsecurity=False)
    if context.body is not None:
        digest.update(context.body)
    elif context.chunks is not None:
        async for chunk in context.chunks():
            digest.update(chunk)
    else:
        message = "must be readable twice: the server asks for a digest of it (auth-int)"
        raise HTTPValidationError(message, field="data")
    return digest.hexdigest()
