"""TLS between a protocol and the transport of an event loop, by OpenSSL in memory.

For a call, asyncio's own `SSLProtocol` takes 61 thousand instructions, and this takes 26
(benchmarks/README.md).
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol, cast

from typing_extensions import override

HANDSHAKE_SECONDS: Final = 60.0
"""How long a handshake may take, as with asyncio."""

_RECORD: Final = 16 * 1024
"""The most that a record holds (RFC 8446, section 5.1)."""


class _Sized(Protocol):
    max_size: int


class TLSTransport(asyncio.Transport, asyncio.Protocol):
    """The transport of a protocol that speaks over TLS, and the protocol of the transport below.

    Args:
        loop: The event loop.
        context: Says whom to trust and what to offer.
        server_hostname: The name that the certificate must have.
        factory: Makes the protocol that speaks over TLS, when the handshake begins.

    Raises:
        ValueError: No certificate can have this name.
    """

    __slots__ = (
        *("_backlog", "_context", "_factory", "_handshake", "_incoming", "_is_closing"),
        *("_is_open", "_is_paused", "_loop", "_outgoing", "_protocol", "_tls", "_transport"),
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        context: ssl.SSLContext,
        server_hostname: str,
        factory: Callable[[], asyncio.Protocol],
    ) -> None:
        super().__init__()
        self._loop = loop
        self._context = context
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_hostname
        )
        self._factory = factory
        self._handshake: asyncio.Future[None] = loop.create_future()
        self._backlog: list[bytes] = []
        self._is_open = self._is_paused = self._is_closing = False

    async def shaken(self) -> asyncio.Protocol:
        """Wait for the handshake; a cancellation or a failure aborts the connection.

        Raises:
            ssl.SSLError: One side refused.
            OSError: The connection was lost.
        """
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                await self._handshake
        except BaseException:
            self.abort()
            raise
        return self._protocol

    # Called by the transport below

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has no common class
        self._protocol = self._factory()
        self._shake()

    @override
    def data_received(self, data: bytes) -> None:
        self._incoming.write(data)
        if not self._is_open:
            self._shake()
        elif not self._is_paused:
            self._read()

    @override
    def eof_received(self) -> None:
        if self._is_open:
            self._protocol.eof_received()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._is_closing = True
        if self._is_open:
            self._is_open = False
            self._protocol.connection_lost(exc)
        else:
            self._refused(exc or ConnectionResetError())

    @override
    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    @override
    def resume_writing(self) -> None:
        self._protocol.resume_writing()

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError as error:  # a certificate that does not fit, too
            self._flush()  # the alert
            self._refused(error)
            self.abort()
        else:
            self._is_open = True
            self._flush()
            self._protocol.connection_made(self)
            if not self._handshake.done():
                self._handshake.set_result(None)
            self._read()

    def _refused(self, error: Exception) -> None:
        if not self._handshake.done():
            self._handshake.set_exception(error)
            self._handshake.exception()  # seen, also if the caller has gone meanwhile

    def _read(self) -> None:
        tls, incoming = self._tls, self._incoming
        pieces: list[bytes] = []
        is_ended, broken = False, None
        try:
            while incoming.pending:
                piece = tls.read(_RECORD)  # a whole one, so OpenSSL keeps nothing decrypted
                if not piece:
                    is_ended = True
                    break
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            broken = error
        if self._backlog:
            self._write_backlog()
        elif self._outgoing.pending:  # OpenSSL has answered by itself
            self._flush()
        if pieces:
            self._protocol.data_received(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if broken is not None:
            self._fail(broken)
        elif is_ended and not self._is_closing:
            self._protocol.eof_received()
            self.close()

    def _fail(self, error: Exception) -> None:
        if self._is_open:
            self._is_open = False
            self._loop.call_soon(self._protocol.connection_lost, error)
            self.abort()

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self._transport.write(data)

    # Called by the protocol above

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._is_closing or not data:
            return
        if self._backlog:
            self._backlog.append(bytes(data))
            return
        try:
            # OpenSSL writes one record of 16 KiB at a time.
            written = self._tls.write(data)
            if written < len(data):
                self._write_records(memoryview(data)[written:])
        except ssl.SSLWantReadError:  # in a new handshake of TLS 1.2
            self._backlog.append(bytes(data))
        except ssl.SSLError as error:
            self._fail(error)
            return
        self._transport.write(self._outgoing.read())

    def _write_records(self, rest: memoryview) -> None:
        while rest:
            try:
                rest = rest[self._tls.write(rest) :]
            except ssl.SSLWantReadError:
                self._backlog.append(bytes(rest))
                return

    def _write_backlog(self) -> None:
        backlog, self._backlog = self._backlog, []
        for data in backlog:
            self.write(data)

    @override
    def is_closing(self) -> bool:
        return self._is_closing

    @override
    def close(self) -> None:
        if self._is_closing:
            return
        self._is_closing = True
        # The peer's answer is not waited for (RFC 8446, section 6.1).
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        self._flush()
        self._transport.close()

    @override
    def abort(self) -> None:
        self._is_closing = True
        self._transport.abort()

    @override
    def pause_reading(self) -> None:
        self._is_paused = True
        self._transport.pause_reading()

    @override
    def resume_reading(self) -> None:
        self._is_paused = False
        if not self._is_closing:
            self._transport.resume_reading()
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if self._is_open and not self._is_paused and not self._is_closing:
            self._read()

    @override
    def is_reading(self) -> bool:
        return not (self._is_paused or self._is_closing)

    @property
    def max_size(self) -> int:
        """How many bytes are read from the socket at once; only asyncio's transports have it."""
        return cast("_Sized", self._transport).max_size

    @max_size.setter
    def max_size(self, size: int) -> None:
        cast("_Sized", self._transport).max_size = size

    @override
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._transport.set_write_buffer_limits(high, low)

    @override
    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size() + sum(map(len, self._backlog))

    @override
    def can_write_eof(self) -> bool:
        return False

    @override
    def get_protocol(self) -> asyncio.Protocol:
        return self._protocol

    @override
    def get_extra_info(self, name: str, default: object = None) -> object:
        match name:
            case "ssl_object":
                return self._tls
            case "sslcontext":
                return self._context
            case "peercert":
                return self._tls.getpeercert()
            case "cipher":
                return self._tls.cipher()
            case "compression":
                return self._tls.compression()
            case _:
                return self._transport.get_extra_info(name, default)
