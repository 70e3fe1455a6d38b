"""Sends a large or streamed body in a task, while the caller waits for the response."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from functools import partial
from typing import Final

from aiohttp.http import StreamWriter

from railhttp.model.body import StreamBody
from railhttp.model.options import ProgressCallback
from railhttp.transport.connection import StrictResponseHandler
from railhttp.transport.request_body import RequestBodyError, read_stream, report, slices

_PIECE: Final = 64 * 1024
"""Bytes that a server must accept within `read_timeout`, if there is one."""


class Upload:
    """The task that sends a body after its head; without a `length` it is sent chunked.

    If `waits`, it waits for a `100 Continue` first, for at most `patience` seconds (RFC 9110,
    section 10.1.1). Its errors are raised in the task that waits for the response
    (tests/transport/test_exchange.py::test_no_exception_is_left_in_a_task).

    Attributes:
        ended_at: When the task ended, by `now`; None before, and without `now`.
        error: The fault of the caller's body, if there was one.
    """

    __slots__ = ("_asked_for", "_now", "_task", "ended_at", "error")

    def __init__(
        self,
        protocol: StrictResponseHandler,
        body: StreamBody,
        length: int | None,
        progress: ProgressCallback | None,
        *,
        waits: bool,
        patience: float | None,
        now: Callable[[], float] | None = None,
    ) -> None:
        self._now = now
        self.ended_at: float | None = None
        self.error: RequestBodyError | None = None
        self._asked_for = asyncio.Event()
        if not waits:
            self._asked_for.set()
        elif patience is None:
            protocol.expect_more()
        write = partial(_write, protocol, body, length, progress)
        self._task = asyncio.create_task(self._run(protocol, write, patience))

    @property
    def is_done(self) -> bool:
        """Whether the task has ended, with or without an error."""
        return self._task.done()

    @property
    def is_sending(self) -> bool:
        """Whether bytes are being sent: the body is neither complete nor held back."""
        return self._asked_for.is_set() and not self._task.done()

    def go_ahead(self) -> None:
        """Start to send: the server has sent its `100 Continue`."""
        self._asked_for.set()

    def cancel(self) -> None:
        """Stop sending."""
        self._task.cancel()

    async def finished(self) -> None:
        """Wait until everything is sent, or cannot be sent any more.

        Raises:
            RequestBodyError: The caller's body failed.
        """
        await asyncio.wait([self._task])
        if self.error is not None:
            raise self.error

    async def _run(
        self,
        protocol: StrictResponseHandler,
        write: Callable[[], Awaitable[None]],
        patience: float | None,
    ) -> None:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._asked_for.wait()
            self._asked_for.set()
            await write()
            protocol.expect_more()
        except RequestBodyError as error:
            self.error = error
            protocol.fail(error)
        except Exception as error:  # noqa: BLE001  # see the class
            protocol.set_exception(error)
        finally:
            if self._now is not None:
                self.ended_at = self._now()


async def _write(
    protocol: StrictResponseHandler,
    body: StreamBody,
    length: int | None,
    progress: ProgressCallback | None,
) -> None:
    writer = StreamWriter(protocol, asyncio.get_running_loop())
    watched = protocol.read_timeout is not None
    if watched and writer.transport is not None:
        writer.transport.set_write_buffer_limits(_PIECE)  # TLS buffers more by default
    if length is None:
        writer.enable_chunking()
    written = 0
    async with aclosing(read_stream(body)) as chunks:
        async for chunk in chunks:
            written += len(chunk)
            if length is not None and written > length:
                raise RequestBodyError(f"is longer than the {length} bytes announced")
            for piece in slices(chunk, _PIECE) if watched else (chunk,):
                await writer.write(piece)
            report(progress, written, length)
    if length is not None and written < length:
        raise RequestBodyError(f"ended after {written} of {length} bytes")
    await writer.write_eof()
