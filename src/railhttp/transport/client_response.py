"""Reads a response of `aiohttp.ClientSession` as one of our own."""

from typing import TypeAlias

from aiohttp import ClientResponse

from railhttp.model.errors import CallInfo, Delivery, HTTPValidationError
from railhttp.model.response import HttpResponse
from railhttp.model.stage import Stage
from railhttp.model.validation import describe
from railhttp.transport.exception_map import safe_cause, to_failure
from railhttp.wire.body_buffer import BodyBuffer

AiohttpResponse: TypeAlias = ClientResponse


class SessionResponse:
    """A response of aiohttp whose body is unread; its session remains responsible for it."""

    def __init__(self, resp: ClientResponse) -> None:
        self._resp = resp

    def answer(self, body: bytes = b"") -> HttpResponse:
        """Return the response as a value, with the part of its body that was read."""
        resp, version = self._resp, self._resp.version
        return HttpResponse(
            resp.status,
            resp.headers,
            body,
            str(resp.url),
            resp.method,
            http_version="1.1" if version is None else f"{version.major}.{version.minor}",
        )

    def call_info(self) -> CallInfo:
        """Return the details that a failure of this response carries."""
        resp = self._resp
        return {
            "method": resp.method,
            "url": str(resp.url),
            "delivery": Delivery.ANSWERED,
            "attempts": 1,
        }

    async def chunk(self) -> bytes:
        """Read the next piece of the body; empty at its end.

        Raises:
            HTTPClientError: The body broke off; always one of `HTTPFailure`.
        """
        try:
            return await self._resp.content.readany()
        except Exception as error:  # noqa: BLE001  # the table below is total
            failure = to_failure(error, Stage.ANSWERED, self.call_info())
            try:
                raise failure from safe_cause(error)
            finally:
                failure.__context__ = None  # it holds header fields and URLs

    async def read(self) -> bytes:
        """Read what is left of the body; see `chunk`."""
        body = BodyBuffer(self._resp.content_length)
        while chunk := await self.chunk():
            body.add(chunk)
        return body.body()

    async def page(self) -> HttpResponse:
        """Return the response with its body."""
        return self.answer(await self.read())


def session_response(resp: object) -> SessionResponse:
    """Require a response of aiohttp.

    Raises:
        HTTPValidationError: It is another object.
    """
    if isinstance(resp, ClientResponse):
        return SessionResponse(resp)
    message = f"must be an open response or an aiohttp.ClientResponse, got {describe(resp)}"
    raise HTTPValidationError(message, field="resp")
