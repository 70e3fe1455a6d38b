"""The requests that interceptors make themselves, such as those for a token."""

from collections.abc import Awaitable, Callable
from typing import Final

from typing_extensions import Unpack

from railhttp.client.request_builder import RequestBuilder
from railhttp.model.clock import Clock
from railhttp.model.options import RequestOptions
from railhttp.model.response import HttpResponse
from railhttp.pipeline.call_recorder import unrecorded
from railhttp.pipeline.http_call import HTTPCall


class SideClient:
    """Sends requests of interceptors over the connections of a client; see `RequestContext.client`.

    Args:
        builder: Builds the requests: without the base URL and the default fields of the client.
        compose: Composes the chain; called once, with the first request.
        clock: The client's clock.
    """

    def __init__(
        self,
        builder: RequestBuilder,
        compose: Callable[[], Callable[[HTTPCall], Awaitable[HttpResponse]]],
        clock: Clock,
    ) -> None:
        self.clock: Final = clock
        self._builder = builder
        self._compose = compose
        self._send: Callable[[HTTPCall], Awaitable[HttpResponse]] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    async def send(
        self,
        method: str,
        url: str,
        **options: Unpack[RequestOptions],
    ) -> HttpResponse:
        """Make a request; see `railhttp.model.context.SideClient`."""
        if self._send is None:
            self._send = self._compose()
        try:
            prepared = self._builder.prepare(method, url, options)
        finally:
            del url, options
        request, origin, timeout, attempt_timeout, retry, _ = prepared
        call = HTTPCall(request, origin, self.clock, timeout, attempt_timeout)
        call.retry = None if isinstance(retry, int) else retry
        with unrecorded():
            return await self._send(call)
