"""The way of one attempt through the interceptors of a client, there and back."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from railhttp.model.context import RequestContext
from railhttp.model.errors import FAILURES
from railhttp.model.request import Request
from railhttp.model.response import HttpResponse
from railhttp.pipeline.http_call import HTTPCall, Send
from railhttp.pipeline.interceptors.again import Again
from railhttp.pipeline.interceptors.chain import Chained, fail, passed, returned_no
from railhttp.pipeline.interceptors.request_context import same_fields, taken_over

_Step: TypeAlias = tuple[str, str, dict[str, str], RequestContext]
"""The method, the URL and the fields that an interceptor was given, and what it returned."""


class Asked(NamedTuple):
    """An interceptor's wish for one more send.

    Attributes:
        place: Its index in the chain.
        name: Its name.
    """

    place: int
    name: str
    context: RequestContext


class Passage:
    """The way of one attempt through the interceptors, there and back."""

    __slots__ = ("_call", "_chained", "_sent", "_steps")
    _sent: Request

    def __init__(self, call: HTTPCall, chained: Chained) -> None:
        self._call = call
        self._chained = chained
        self._steps: list[_Step] = []

    async def once(
        self, send: Send, context: RequestContext, first: int = 0
    ) -> HttpResponse | Asked:
        """Pass a request through the interceptors, send it, and pass the response back.

        Args:
            context: The request.
            first: The index of the interceptor that it begins with.

        Returns:
            The response; or the wish for one more send, if the body can be sent again.
        """
        # One coroutine for both ways: two more cost 6 thousand instructions (benchmarks/README.md).
        steps, call, requests = self._steps, self._call, self._chained.requests
        if steps:
            del steps[first:]
            requests = requests[first:]
        for one, intercept in requests:
            method, url, headers = context.method, context.url, context.headers.copy()
            try:
                given = await intercept(context)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # translated
                fail(one, context, error)
            if not isinstance(given, RequestContext):
                raise returned_no(RequestContext, given, one, context)
            context = given
            steps.append((method, url, headers, context))
        self._take_over(context, steps[0][2])
        response = await send(call)
        for place, one, see, exchange in self._chained.responses:
            try:
                if exchange is None:
                    seen = await see(response)
                else:
                    seen = await exchange(steps[place][3], response)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # translated
                fail(one, response, error)
            if isinstance(seen, HttpResponse):
                response = seen
            elif (asked := self._asked(seen, place, response)) is not None:
                return asked
        return response

    def _asked(self, seen: object, place: int, response: HttpResponse) -> Asked | None:
        """Return the wish of an interceptor; None if the body cannot be sent again."""
        one = self._chained.interceptors[place]
        if not isinstance(seen, Again):
            raise returned_no(HttpResponse, seen, one, response)
        if not self._call.original.replayable:
            return None
        return Asked(place, type(one).__name__, seen.context)

    def _take_over(self, context: RequestContext, before: Mapping[str, str]) -> None:
        """Let the call send the request that the interceptors returned."""
        call, original = self._call, self._call.original
        self._sent = call.request = sent = taken_over(original, context, before)
        if sent.target is not original.target:
            call.origin = sent.target.site.text

    async def again(self, send: Send, asked: Asked) -> HttpResponse | Asked:
        """Send a request once more, see `Again`."""
        context, place = asked.context, asked.place
        if not same_fields(self._sent, taken_over(self._call.original, context)):
            return await self.once(send, context, place + 1)
        context.method, context.url, context.headers, _ = self._steps[place]
        return await self.once(send, context, place)

    async def redirected(self, context: RequestContext, response: HttpResponse) -> RequestContext:
        """Pass the next request of a redirect through the interceptors that see redirects."""
        context.notes = self._steps[-1][3].notes
        for one, intercept in self._chained.redirects:
            try:
                context = await passed(RequestContext, one, context, intercept, context, response)
            except FAILURES as failure:
                fail(one, context, failure)
        return context
