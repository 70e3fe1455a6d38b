"""Events that are built as drafts are the events that their classes build."""

import pytest

from railhttp.model.event_drafts import request_completed, request_sent, response_received
from railhttp.model.events import (
    HTTPEvent,
    HTTPRequestSentHook,
    HTTPResponseReceivedHook,
    RequestCompletedEvent,
)


@pytest.mark.parametrize(
    ("draft", "event"),
    [
        (
            request_sent("GET", "http://h/", "7"),
            HTTPRequestSentHook(method="GET", url="http://h/", call_id="7"),
        ),
        (
            response_received("GET", "http://h/", 200, "7"),
            HTTPResponseReceivedHook(method="GET", url="http://h/", status_code=200, call_id="7"),
        ),
        (
            request_completed("GET", "http://h/", 200, "7"),
            RequestCompletedEvent(method="GET", url="http://h/", status_code=200, call_id="7"),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_draft_becomes_the_event(draft: HTTPEvent, event: HTTPEvent) -> None:
    assert type(draft) is type(event)
    assert (draft, repr(draft), hash(draft)) == (event, repr(event), hash(event))
    with pytest.raises(AttributeError):
        setattr(draft, "url", "")  # noqa: B010  # a checker refuses the plain assignment
