"""A call that ends with the head of its response, for streams."""

from typing_extensions import override

from railhttp.model.errors import HTTPInterceptorError
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.pipeline.call import Call
from railhttp.protocols import IncomingResponse


class Opening(Call):
    """A call whose attempts return the response with an empty body, and leave the body unread.

    So policies, breakers and interceptors see streams as they see any other call. Of all the
    responses of a call (redirects, attempts) only the last one stays open.

    Args:
        request: What to send.
        host: The request's origin as text.
        layers: What it goes through.
        timeout: Seconds until the head; None is no limit.
        attempt_timeout: Seconds for one attempt; None is no limit.
    """

    _incoming: IncomingResponse | None = None

    @property
    def incoming(self) -> IncomingResponse:
        """The open response.

        Raises:
            HTTPInterceptorError: A policy made up an answer of its own, which has no body to read.
        """
        if self._incoming is None:
            raise HTTPInterceptorError(
                "a policy answered in place of the server", **self.call_info()
            )
        return self._incoming

    @override
    def release(self) -> None:
        """Close the response that is open, if there is one; its head stays."""
        if self._incoming is not None:
            self._incoming.close()

    def discard(self) -> None:
        """Close the response that is open, if there is one, and forget it."""
        self.release()
        self._incoming = None

    @override
    async def _exchange(self, request: Request) -> HttpResponse:
        self.discard()
        self._incoming = await self._layers.exchange.open(request, self)
        return self._incoming.answer()
