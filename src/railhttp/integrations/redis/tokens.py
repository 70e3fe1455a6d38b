"""Tokens that all processes share, encrypted, and refreshed by one process at a time."""

import hashlib
import secrets
from contextlib import suppress
from typing import Final

import msgspec

from railhttp.extra import provided_by
from railhttp.integrations.redis.link import Link, StoreDown
from railhttp.integrations.redis.scripts import LOAD, RENEW, SAVE
from railhttp.model.tokens import Tokens

with provided_by("railhttp[redis]"):
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

POLL: Final = 0.1
"""Seconds between two looks at a lease that another process holds."""

LONGEST_REFRESH: Final = 30.0
"""Seconds for which a process that lives extends its lease."""

_NONCE: Final = 12


class _Document(msgspec.Struct, tag="tokens"):
    access_token: str
    refresh_token: str


class SharedTokens:
    """Keeps the tokens of a user on the server, for all processes.

    `load` returns new tokens at once. If there are none that the caller does not know yet, the
    caller is about to refresh them: `load` then waits until no other process does. The lease of a
    process that was killed ends after a few seconds. `save` ends it.

    The server sees neither the tokens nor the key: they are encrypted with AES-GCM by a key that
    scrypt derives. Only processes with the same key and name share tokens.

    Args:
        link: The connection.
        key: The secret, at best 32 random bytes.
        name: Whose tokens they are.
        lease: Seconds after which the lease of a killed process ends.
    """

    def __init__(self, link: Link, key: str | bytes, name: str, lease: float) -> None:
        secret = key.encode() if isinstance(key, str) else key
        salt = f"railhttp:{link.prefix}:{name}".encode()
        derived = hashlib.scrypt(secret, salt=salt, n=2**14, r=8, p=1, dklen=48)
        self._cipher = AESGCM(derived[:32])
        self._link = link
        self._keys = [
            link.key(kind, f"{name}:{derived[32:].hex()}") for kind in ("tokens", "lease")
        ]
        self._lease = lease
        self._holder = secrets.token_hex(16)
        self._known = b""
        self._tokens: Tokens | None = None
        self._unsent: bytes | None = None
        link.waiting.append(self._send_unsent)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._link.prefix!r}>"

    async def load(self) -> Tokens | None:
        """Return the tokens; None before the first `save`.

        Raises:
            StoreDown: The server cannot be used, and `when_down` is `raise` or `refuse`.
        """
        if self._unsent is not None:
            return self._tokens
        while True:
            try:
                reply = await self._link.ask(LOAD, self._keys, self._known, self._holder, self._ms)
            except StoreDown:
                if self._link.when_down != "local":
                    raise
                return self._tokens
            if not reply.done:
                await self._link.clock.sleep(POLL * (0.5 + self._link.clock.uniform()))
                continue
            if reply.value == self._known:
                if reply.value:
                    self._link.begin(self._renew())
                return self._tokens
            self._known, self._tokens = reply.value, self._decrypt(reply.value)
            if self._tokens is None or self._tokens.access_token:
                return self._tokens
            # Without an access token the caller refreshes at once, so it needs the lease.

    async def save(self, tokens: Tokens, /) -> None:
        """Keep new tokens, and let the next process refresh them.

        Raises:
            StoreDown: The server cannot be used, and `when_down` is `raise` or `refuse`. The tokens
                are sent when it is back, as for `local`.
        """
        self._tokens = Tokens(tokens.access_token, tokens.refresh_token)
        document = _Document(tokens.access_token, tokens.refresh_token)
        nonce = secrets.token_bytes(_NONCE)
        data = msgspec.json.encode(document)
        self._known = self._unsent = nonce + self._cipher.encrypt(nonce, data, None)
        try:
            await self._send_unsent()
        except StoreDown:
            if self._link.when_down != "local":
                raise

    async def _send_unsent(self) -> None:
        if (unsent := self._unsent) is not None:
            await self._link.ask(SAVE, self._keys, unsent, self._holder)
            if self._unsent is unsent:
                self._unsent = None

    async def _renew(self) -> None:
        """Extend the lease while this process lives and has not saved new tokens."""
        known, clock = self._known, self._link.clock
        end = clock.monotonic() + LONGEST_REFRESH
        while clock.monotonic() < end and self._known == known:
            await clock.sleep(self._lease / 3)
            if self._known == known:
                with suppress(StoreDown):
                    await self._link.run(RENEW, self._keys[1:], self._holder, self._ms)

    @property
    def _ms(self) -> str:
        return str(int(self._lease * 1000))

    def _decrypt(self, data: bytes) -> Tokens | None:
        try:
            plain = self._cipher.decrypt(data[:_NONCE], data[_NONCE:], None)
            document = msgspec.json.decode(plain, type=_Document)
        except (InvalidTag, ValueError, msgspec.DecodeError):  # it was not written with this key
            return None
        return Tokens(document.access_token, document.refresh_token)
