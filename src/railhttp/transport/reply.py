"""A response on its connection: the head is read, the body is still to come."""

from typing import Final

from aiohttp import ClientConnectionError, StreamReader
from aiohttp.http import HttpVersion, RawResponseMessage
from multidict import CIMultiDictProxy

from railhttp.transport.connector import Lease
from railhttp.transport.upload import Upload

STOPPED: Final = "the client was stopped"


class Reply:
    """A response that holds its connection until the body ends, or until `close`.

    Args:
        message: The head, as aiohttp's parser returns it.
        content: The body, as aiohttp's parser fills it.
        lease: The connection.
        upload: The request body if it is still being sent, else None.
    """

    __slots__ = ("_lease", "_upload", "content", "headers", "status", "version")

    def __init__(
        self,
        message: RawResponseMessage,
        content: StreamReader,
        lease: Lease,
        upload: Upload | None,
    ) -> None:
        self.status: int = message.code
        self.version: HttpVersion = message.version
        self.headers: CIMultiDictProxy[str] = message.headers
        self.content = content
        self._upload = upload
        self._lease: Lease | None = lease
        content.on_eof(self.close)  # called at once if the body arrived with its head

    def without_idle_limit(self) -> None:
        """Switch aiohttp's read timeout off, since it counts the consumer's own time too.

        tests/client/test_streams.py::test_the_time_that_the_consumer_takes_does_not_count
        """
        if self._lease is not None:
            self._lease.protocol.read_timeout = None
            self._lease.protocol.start_timeout()

    def close(self) -> None:
        """Release the connection; it is closed unless request and response are complete."""
        lease, self._lease = self._lease, None
        if lease is None:
            return
        if not self.content.is_eof():  # else a task that is reading would never wake up
            self.content.set_exception(ClientConnectionError("the response was closed"))
        sent = self._upload is None or self._upload.is_done
        if self._upload is not None and not sent:
            self._upload.cancel()
        lease.give_back(reusable=sent)
