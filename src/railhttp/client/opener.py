"""Opens responses whose bodies are read piece by piece."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from railhttp.client.limited_response import LimitedResponse, Limits
from railhttp.client.request_builder import Prepared
from railhttp.model.errors import CallInfo, HTTPInvalidRequestError, HTTPValidationError
from railhttp.model.headers import require_headers
from railhttp.model.response import HttpResponse
from railhttp.pipeline.call import Layers
from railhttp.pipeline.opening import Opening
from railhttp.pipeline.timeouts import ClosedError, ExpiredError
from railhttp.policy.backoff import Backoff

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Opener:
    """Opens the response to one request, as often as need be, within one time limit.

    Args:
        prepared: The request and its time.
        layers: What its calls go through.
        perform: Makes a call, with all its attempts.
        bounded: Whether the time is for everything that is opened, bodies and waits included, and
            not for each head alone.
    """

    __slots__ = ("_facts", "_layers", "_limits", "_perform", "_prepared")

    def __init__(
        self,
        prepared: Prepared,
        layers: Layers,
        perform: Callable[[Opening], Awaitable[HttpResponse]],
        *,
        bounded: bool,
    ) -> None:
        self._prepared = prepared
        self._layers = layers
        self._perform = perform
        route = prepared.request.options
        total = prepared.timeout if bounded else None
        self._limits = Limits(
            layers, route.read_timeout, total, prepared.timeout, route.max_response_bytes
        )
        self._facts: Callable[[], CallInfo] | None = None

    @property
    def url(self) -> str:
        """The URL that is asked for."""
        return str(self._prepared.request.url)

    def call_info(self) -> CallInfo:
        """Say what a failure has to know of the latest call."""
        if self._facts is not None:
            return self._facts()
        return {"method": self._prepared.request.method, "url": self.url, "attempts": 0}

    async def open(self, headers: Mapping[str, str] = _NO_HEADERS) -> LimitedResponse:
        """Send the request and wait for the head of its response.

        Args:
            headers: Fields for this time; they take the place of those of the same name.

        Raises:
            HTTPClientError: There was no response; always one of the union.
        """
        call = self._call(headers)
        self._facts = call.call_info
        try:
            head = await self._perform(call)
            return LimitedResponse(call.incoming, head, self._limits)
        except BaseException:
            call.discard()
            raise

    def _call(self, headers: Mapping[str, str]) -> Opening:
        request, host, timeout, attempt_timeout = self._prepared
        try:
            left = self._limits.left()
            if headers:
                request = request.with_headers(require_headers(headers))
        except ExpiredError as error:
            raise self._limits.failure(error, self.call_info()) from None
        except HTTPValidationError as error:
            raise HTTPInvalidRequestError(
                error.message, field=error.field, **self.call_info()
            ) from None
        if self._facts is not None and left is not None:
            timeout = left
        return Opening(request, host, self._layers, timeout, attempt_timeout)

    async def pause(self, backoff: Backoff, number: int, at_least: float = 0.0) -> None:
        """Wait before opening again.

        Args:
            backoff: The waits.
            number: Which of them, counted from 1.
            at_least: Seconds that come on top.

        Raises:
            HTTPTimeoutError: The time is over.
            HTTPConnectionError: The client was stopped (kind `closed`).
        """
        clock = self._layers.clock
        seconds = at_least + backoff.delay(number, clock.uniform())
        try:
            with self._limits.watch():
                await clock.sleep(seconds)
        except (ExpiredError, ClosedError) as error:
            raise self._limits.failure(error, self.call_info()) from None
