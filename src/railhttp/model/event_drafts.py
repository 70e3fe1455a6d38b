"""Builds the three events of every call at the price of their attributes.

In a frozen class each attribute costs a call of `object.__setattr__`: an event takes 7 thousand
instructions, and a draft 2 thousand (benchmarks/README.md). See also `model/response_draft.py`.

Redacting a URL with a query takes 11 thousand, and few observers read it in every event. So the
event of a request without a body keeps the request, until its `url` is read. One with a body would
keep the body too, for as long as an observer keeps the event.
"""

from typing import TypeVar

from railhttp.model.events import (
    HTTPRequestSentHook,
    HTTPResponseReceivedHook,
    LateURL,
    RequestCompletedEvent,
)
from railhttp.model.request import Request

E = TypeVar("E", HTTPResponseReceivedHook, RequestCompletedEvent)


class _Sent(LateURL):
    __slots__ = HTTPRequestSentHook.__slots__  # the same, or Python refuses to change the class

    method: str
    url: str
    call_id: str


class _Received(LateURL):
    __slots__ = HTTPResponseReceivedHook.__slots__  # `RequestCompletedEvent` has the same

    method: str
    url: str
    status_code: int
    call_id: str


def request_sent(request: Request, call_id: str) -> HTTPRequestSentHook:
    """Build the event of a request that is sent."""
    draft = _Sent()
    draft.method = request.method
    if request.body is None:
        draft._request = request
    else:
        draft.url = request.shown_url
    draft.call_id = call_id
    draft.__class__ = HTTPRequestSentHook  # type: ignore[assignment]
    return draft  # type: ignore[return-value]  # its class has just become that


def response_came(event: type[E], request: Request, status_code: int, call_id: str) -> E:
    """Build the event of a response, to an attempt or to a call."""
    draft = _Received()
    draft.method = request.method
    if request.body is None:
        draft._request = request
    else:
        draft.url = request.shown_url
    draft.status_code = status_code
    draft.call_id = call_id
    draft.__class__ = event  # type: ignore[assignment]
    return draft  # type: ignore[return-value]  # its class has just become that
