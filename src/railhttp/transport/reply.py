"""What comes back on a connection."""

from typing import Final

from aiohttp import ClientConnectionError, StreamReader
from aiohttp.http import HttpVersion, RawResponseMessage
from multidict import CIMultiDictProxy

from railhttp.transport.connector import Lease
from railhttp.transport.upload import Upload

STOPPED: Final = "the client was stopped"


class Reply:
    """A response whose head was read and whose body is still to come; it holds its connection.

    The connection is given back when the body has come to its end, or by `close`.

    Args:
        message: The head.
        content: The body.
        lease: The connection that they come by.
        upload: What is still being sent of the request; None where it has gone.

    Attributes:
        status: The status.
        version: The HTTP version.
        headers: The header fields.
        content: The body.
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
        content.on_eof(self.close)  # at once where the body has come with its head

    def without_idle_limit(self) -> None:
        """Stop aiohttp's watch over silence: it counts the time in which nobody asks for more.

        tests/client/test_streams.py::test_the_time_that_the_consumer_takes_does_not_count
        """
        if self._lease is not None:
            self._lease.protocol.read_timeout = None
            self._lease.protocol.start_timeout()

    def close(self) -> None:
        """Give the connection back; it is closed unless everything was sent and has come."""
        lease, self._lease = self._lease, None
        if lease is None:
            return
        if not self.content.is_eof():  # whoever still waits for more would wait for ever
            self.content.set_exception(ClientConnectionError("the response was closed"))
        sent = self._upload is None or self._upload.is_done
        if self._upload is not None and not sent:
            self._upload.cancel()
        lease.give_back(reusable=sent)
