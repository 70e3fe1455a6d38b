"""Events that are built as drafts are the events that their classes build."""

import pickle
import weakref
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest
from yarl import URL

from railhttp.model.body import BytesBody
from railhttp.model.event_drafts import request_sent, response_came
from railhttp.model.events import (
    HTTPEvent,
    HTTPRequestSentHook,
    HTTPResponseReceivedHook,
    RequestCompletedEvent,
)
from railhttp.model.request import Request, SendOptions

REQUEST = Request("GET", URL("http://h/?a=s3cret"), None, None, None, SendOptions())


@pytest.mark.parametrize(
    ("draft", "event"),
    [
        (
            request_sent(REQUEST, "7"),
            HTTPRequestSentHook(method="GET", url="http://h/?a=***", call_id="7"),
        ),
        (
            response_came(HTTPResponseReceivedHook, REQUEST, 200, "7"),
            HTTPResponseReceivedHook(
                method="GET", url="http://h/?a=***", status_code=200, call_id="7"
            ),
        ),
        (
            response_came(RequestCompletedEvent, REQUEST, 200, "7"),
            RequestCompletedEvent(
                method="GET", url="http://h/?a=***", status_code=200, call_id="7"
            ),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_draft_becomes_the_event(draft: HTTPEvent, event: HTTPEvent) -> None:
    assert type(draft) is type(event)
    assert (draft, repr(draft), hash(draft)) == (event, repr(event), hash(event))
    with pytest.raises(AttributeError):
        setattr(draft, "url", "")  # noqa: B010  # a checker refuses the plain assignment


def sent() -> HTTPRequestSentHook:
    request = Request("GET", URL("http://h/?a=s3cret"), None, None, None, SendOptions())
    return request_sent(request, "7")


def test_an_event_whose_url_is_not_read_yet_shows_no_secret() -> None:
    shown = "http://h/?a=***"
    assert sent().url == shown
    assert asdict(sent())["url"] == shown
    assert replace(sent(), method="PUT").url == shown
    assert b"s3cret" not in pickle.dumps(sent())
    assert pickle.loads(pickle.dumps(sent())) == sent()  # our own bytes


@pytest.mark.parametrize(
    "draft",
    [
        lambda request: request_sent(request, "7"),
        lambda request: response_came(HTTPResponseReceivedHook, request, 200, "7"),
        lambda request: response_came(RequestCompletedEvent, request, 200, "7"),
    ],
    ids=["sent", "received", "completed"],
)
def test_an_event_keeps_its_request_until_its_url_is_read_and_never_a_body(
    draft: Callable[[Request], HTTPRequestSentHook],
) -> None:
    request = Request("GET", URL("http://h/?a=s3cret"), None, None, None, SendOptions())
    event, kept = draft(request), weakref.ref(request)
    del request
    assert kept() is not None
    assert event.url
    assert kept() is None
    body = BytesBody(b"a large body", "text/plain")
    request = Request("PUT", URL("http://h/?a=s3cret"), None, body, None, SendOptions())
    event, kept = draft(request), weakref.ref(request)
    del request
    assert kept() is None
    assert event.url == "http://h/?a=***"


def test_an_event_has_no_other_attributes() -> None:
    with pytest.raises(AttributeError, match="'HTTPRequestSentHook' object has no attribute 'uri'"):
        getattr(sent(), "uri")  # noqa: B009  # a checker refuses the plain one


def test_the_event_of_a_request_with_a_body_is_the_same() -> None:
    body = BytesBody(b"a large body", "text/plain")
    request = Request("PUT", URL("http://h/?a=s3cret"), None, body, None, SendOptions())
    shown = "http://h/?a=***"
    assert request_sent(request, "7") == HTTPRequestSentHook(method="PUT", url=shown)
    received = response_came(HTTPResponseReceivedHook, request, 201, "7")
    completed = response_came(RequestCompletedEvent, request, 201, "7")
    assert received == HTTPResponseReceivedHook(method="PUT", url=shown, status_code=201)
    assert completed == RequestCompletedEvent(method="PUT", url=shown, status_code=201)
    assert (received.call_id, completed.call_id) == ("7", "7")
    assert request_sent(request, "7").call_id == "7"


def test_the_error_for_a_wrong_attribute_knows_what_was_asked_of_what() -> None:
    """Python suggests a name by them."""
    event = sent()
    with pytest.raises(AttributeError) as caught:
        getattr(event, "ur")  # noqa: B009  # a checker refuses the plain one
    assert (caught.value.name, caught.value.obj) == ("ur", event)
