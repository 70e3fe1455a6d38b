"""An event loop in a thread, for callers that do not await."""

import asyncio
import concurrent.futures
import threading
import weakref
from collections.abc import AsyncIterator, Coroutine, Generator, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from typing import Final, TypeVar

from yarl import URL

from railhttp.client.http_client import HTTPClient
from railhttp.model.errors import Delivery, HTTPConnectionError

T = TypeVar("T")

_EXIT_SECONDS: Final = 5.0  # the longest time that the end of a program waits for its connections
_CLOSED: Final = "the client is closed: call `start()`, or use a new one"


class ThreadClosedError(Exception):
    """The thread of a client has ended, so nothing can run on its loop."""


def closed_failure(method: str, url: str) -> HTTPConnectionError:
    """Build the failure of a call of a closed client."""
    return HTTPConnectionError(
        _CLOSED, kind="closed", delivery=Delivery.NOT_SENT, attempts=0, method=method, url=url
    )


class LoopThread:
    """A client and its event loop, in a daemon thread that starts at once.

    Args:
        client: The client; it is started and stopped on the loop.
    """

    def __init__(self, client: HTTPClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._closed = False
        self._stop = asyncio.Event()
        started: concurrent.futures.Future[asyncio.AbstractEventLoop] = concurrent.futures.Future()
        self._thread = threading.Thread(
            target=self._live, args=(started,), name="railhttp", daemon=True
        )
        self._thread.start()
        self._loop = started.result()

    def _live(self, started: "concurrent.futures.Future[asyncio.AbstractEventLoop]") -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._serve(started))
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
            elif not (self._closed and isinstance(error, RuntimeError)):
                raise
            # else: the program ends, and no new thread can shut down the pool of threads

    async def _serve(self, started: "concurrent.futures.Future[asyncio.AbstractEventLoop]") -> None:
        async with self._client:
            started.set_result(asyncio.get_running_loop())
            await self._stop.wait()

    def run(self, coroutine: Coroutine[object, object, T]) -> T:
        """Run a coroutine on the loop and wait for its result.

        If the wait is interrupted, by Ctrl-C for instance, the coroutine is cancelled.

        Raises:
            ThreadClosedError: The thread has ended, or ended meanwhile.
            RuntimeError: The caller runs on the loop itself, and would wait for itself.
        """
        try:
            future = self._submitted(coroutine)
        except BaseException:
            coroutine.close()
            raise
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            if self._closed:
                raise ThreadClosedError from None
            raise
        except BaseException:
            future.cancel()  # does nothing if the coroutine itself raised
            raise

    def _submitted(self, coroutine: Coroutine[object, object, T]) -> "concurrent.futures.Future[T]":
        if threading.current_thread() is self._thread:
            raise RuntimeError(
                "a synchronous client cannot be called by its own interceptors, observers and "
                "callbacks: they run on its event loop"
            )
        with self._lock:
            if self._closed or not self._thread.is_alive():  # a fork does not copy the thread
                raise ThreadClosedError
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def iterate(self, source: AsyncIterator[T], method: str, url: str) -> Iterator[T]:
        """Yield the items of an async iterator; each one is awaited on the loop.

        Raises:
            HTTPConnectionError: The thread has ended (kind `closed`).
        """

        async def advance() -> tuple[T, ...]:
            async for item in source:
                return (item,)
            return ()

        while True:
            try:
                items = self.run(advance())
            except ThreadClosedError:
                raise closed_failure(method, url) from None
            if not items:
                return
            yield from items

    def close(self, seconds: float | None = None) -> None:
        """Stop the client, end the loop and wait for the thread; may be called twice.

        Args:
            seconds: The longest wait; None is no limit. The thread is a daemon, so a program can
                end without it.
        """
        with self._lock:
            is_first, self._closed = not self._closed, True
            if is_first and self._thread.is_alive():
                self._loop.call_soon_threadsafe(self._stop.set)
        # The garbage collector may call this on any thread.
        if threading.current_thread() is not self._thread:
            self._thread.join(seconds)


class ThreadLife:
    """Starts the thread of a client when it is needed, and ends it with the client.

    Args:
        client: The client that lives on the loop of the thread.
    """

    def __init__(self, client: HTTPClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._thread: LoopThread | None = None
        self._closed = False

    @property
    def state(self) -> str:
        """The state, in words."""
        return "closed" if self._closed else "started" if self._thread else "not started"

    def start(self) -> None:
        """Start the thread, also after `close`."""
        with self._lock:
            self._closed = False
        self.thread()

    def thread(self) -> LoopThread:
        """Return the thread, and start it if it has not been needed before.

        Raises:
            ThreadClosedError: The client is closed.
        """
        with self._lock:
            if self._closed:
                raise ThreadClosedError
            if self._thread is None:
                self._thread = LoopThread(self._client)
                weakref.finalize(self, self._thread.close, _EXIT_SECONDS)
            return self._thread

    def close(self) -> None:
        """Stop the client and end the thread; may be called twice, and by any thread."""
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.close()

    def run(self, call: Coroutine[object, object, T], method: str, url: str | URL) -> T:
        """Run a call on the thread.

        Raises:
            HTTPConnectionError: The client is closed.
        """
        try:
            return self.thread().run(call)
        except ThreadClosedError:
            call.close()
            raise closed_failure(method, str(url)) from None
        finally:
            del url  # a traceback would show it

    @contextmanager
    def entered(
        self, opened: AbstractAsyncContextManager[T], method: str, url: str | URL
    ) -> Generator[tuple[T, LoopThread], None, None]:
        """Enter an async context on the loop, and leave it with this block."""

        async def enter() -> T:
            return await opened.__aenter__()

        async def leave(error: BaseException | None) -> bool | None:
            kind, trace = (None, None) if error is None else (type(error), error.__traceback__)
            return await opened.__aexit__(kind, error, trace)

        try:
            value, thread = self.run(enter(), method, url), self.thread()
        finally:
            del url
        try:
            yield value, thread
        except BaseException as error:
            with suppress(ThreadClosedError):
                thread.run(leave(error))
            raise
        with suppress(ThreadClosedError):
            thread.run(leave(None))
