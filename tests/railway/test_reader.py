"""Reader verbs and `retry`, on a real server."""

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

import pytest
from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.result import Failure, Success
from tests.servers.echo import EchoServer

from railhttp import (
    BaseURLHTTPClient,
    Delivery,
    HTTPClient,
    HTTPConnectionError,
    HTTPFailure,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    RetryPolicy,
)
from railhttp.railway import ResponseReader, decode, reader, retry, run
from railhttp.testing import ScriptedTransport

T = TypeVar("T")
P = ParamSpec("P")

ONCE = RetryPolicy(1)
QUICKLY = RetryPolicy(3, base_delay=0.001)


@pytest.mark.parametrize("verb", ["get", "post", "put", "delete", "patch", "options"])
async def test_a_reader_sends_each_time_it_is_run(echo: EchoServer, verb: str) -> None:
    described: ResponseReader = getattr(reader, verb)(echo.url("/get"), headers={"X-Id": "7"})
    async with HTTPClient() as client:
        for _ in range(2):
            seen = (await run(described(client))).unwrap().json()
            assert isinstance(seen, dict)
            assert seen["method"] == verb.upper()
            assert ["X-Id", "7"] in seen["headers"]  # type: ignore[operator]  # JSON may be anything


async def test_a_reader_may_be_of_any_method(echo: EchoServer) -> None:
    described = reader.request("query", echo.url("/get"))
    async with HTTPClient() as client:
        assert (await run(described(client))).unwrap().method == "QUERY"


async def test_a_head_has_no_body(echo: EchoServer) -> None:
    async with HTTPClient() as client:
        assert (await run(reader.head(echo.url("/json"))(client))).unwrap().body == b""


async def test_a_form_is_uploaded(echo: EchoServer) -> None:
    upload = reader.post_multipart(echo.url("/upload"), {"note": "hello"})
    async with HTTPClient() as client:
        parts = (await run(upload(client).bind_result(decode(list[dict[str, object]])))).unwrap()
    assert [(part["name"], part["text"]) for part in parts] == [("note", "hello")]


async def test_a_reader_may_be_run_with_another_client(echo: EchoServer) -> None:
    described = reader.get(echo.url("/json"))
    async with HTTPClient() as client:
        assert (await run(described(client))).unwrap().status == 200
    assert (await run(described(client))).failure().label == "closed"


def test_a_reader_says_which_client_it_needs() -> None:
    client: object = BaseURLHTTPClient("http://h")
    with pytest.raises(TypeError, match="give the reader an HTTPClient, not BaseURLHTTPClient"):
        reader.get("/")(client)  # type: ignore[arg-type]  # the mistake under test


# -- retry ----------------------------------------------------------------------------------


async def test_a_reader_is_retried_whole(echo: EchoServer) -> None:
    count = reader.get(echo.url("/flaky/whole/2")).bind_result(decode(dict[str, int]))
    async with HTTPClient(retry_policy=ONCE) as client:
        assert await run(retry(QUICKLY)(count)(client)) == Success({"count": 3})


async def test_a_failure_that_lasts_is_handed_on(echo: EchoServer) -> None:
    async with HTTPClient(retry_policy=ONCE) as client:
        failure = (await run(retry(QUICKLY)(reader.get(echo.url("/status/503")))(client))).failure()
    assert isinstance(failure, HTTPStatusError)


async def test_attempts_without_an_answer_are_exhausted() -> None:
    async with HTTPClient(retry_policy=ONCE) as client:
        failure = (await run(retry(QUICKLY)(reader.get("http://127.0.0.1:1/"))(client))).failure()
    assert isinstance(failure, HTTPRetryExhaustedError)
    assert failure.attempts == 3


@pytest.mark.parametrize(("repeatable", "sends"), [(False, 1), (True, 3)])
async def test_what_may_do_harm_twice_is_not_sent_twice(
    echo: EchoServer, repeatable: bool, sends: int
) -> None:
    order = reader.post(echo.url("/flaky/order/9"))
    async with HTTPClient(retry_policy=ONCE) as client:
        await run(retry(QUICKLY, repeatable=repeatable)(order)(client))
    assert echo.seen["order"] == sends


PAY = reader.post("http://h/pay", json=7)
KEYED = reader.post("http://h/pay", json=7, idempotency_key="7")
LOOK = reader.get("http://h/receipt")
UNSENT = ConnectionRefusedError()


@pytest.mark.parametrize(
    ("described", "refusals_of_pay", "sends"),
    [
        (PAY.bind(lambda _: LOOK), 0, 1),
        (KEYED.bind(lambda _: LOOK), 0, 3),
        (PAY.lash(lambda _: LOOK).bind(lambda _: LOOK), 1, 2),
        (retry(ONCE)(PAY).bind(lambda _: LOOK), 0, 1),
        (LOOK.lash(lambda _: LOOK).bind(lambda _: PAY).bind(lambda _: LOOK), 0, 1),
        (reader.put("http://h/pay", data=iter([b"once"])).bind(lambda _: LOOK), 0, 1),
    ],
    ids=[
        "what was paid is not paid again",
        "a key makes it harmless",
        "what was never sent is harmless",
        "a retry inside hides nothing",
        "however many requests there are",
        "a body that was read is gone",
    ],
)
async def test_every_request_of_a_run_has_a_say_in_whether_it_is_run_again(
    described: ResponseReader, refusals_of_pay: int, sends: int
) -> None:
    script = ScriptedTransport()
    for method in ("POST", "PUT"):
        pay = script.on(method, "/pay")
        for _ in range(refusals_of_pay):
            pay.fail(UNSENT, at="connect")
        pay.reply(201)
    script.on("GET", "/receipt").fail(UNSENT, at="connect").fail(UNSENT, at="connect").reply()
    async with HTTPClient(exchange=script, retry_policy=ONCE) as client:
        await run(retry(QUICKLY)(described)(client))
    assert sum(call.method != "GET" for call in script.calls) == sends


def scripted(*failures: object) -> RequiresContextFutureResult[str, object, list[object]]:
    """A reader that fails so often, and then succeeds; what it meets it writes down."""
    rest = iter(failures)

    def begin(met: list[object]) -> FutureResult[str, object]:
        failure = next(rest, None)
        met.append(failure)
        return FutureResult.from_result(Failure(failure) if failure else Success("done"))

    return RequiresContextFutureResult(begin)


def refused(method: str, delivery: Delivery) -> HTTPFailure:
    return HTTPConnectionError("refused", kind="connect", method=method, delivery=delivery)


@pytest.mark.parametrize(
    ("failure", "attempts"),
    [
        (refused("GET", Delivery.MAYBE_SENT), 2),
        (refused("POST", Delivery.NOT_SENT), 2),
        (refused("POST", Delivery.MAYBE_SENT), 1),
        ("a failure of the domain", 1),
    ],
)
async def test_only_harmless_failures_of_http_are_tried_again(
    failure: object, attempts: int
) -> None:
    met: list[object] = []
    result = await run(retry(QUICKLY)(scripted(failure))(met))
    assert len(met) == attempts
    assert result == (Success("done") if attempts == 2 else Failure(failure))


class Foreign:
    """A policy that raises an exception of its own when it gives up."""

    async def execute(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        for _ in range(2):
            try:
                return await func(*args, **kwargs)
            except HTTPConnectionError:
                pass
        raise LookupError("gave up")


async def test_a_foreign_policys_surrender_is_told_in_our_words() -> None:
    first, second = refused("GET", Delivery.NOT_SENT), refused("GET", Delivery.MAYBE_SENT)
    failure = (await run(retry(Foreign())(scripted(first, second))([]))).failure()
    assert isinstance(failure, HTTPRetryExhaustedError)
    assert failure.failures == (first, second)
    assert failure.delivery is Delivery.MAYBE_SENT
    assert isinstance(failure.__cause__, LookupError)


async def test_a_defect_is_raised_as_it_is() -> None:
    broken = scripted().map(lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await run(retry(QUICKLY)(broken)([]))


async def test_a_foreign_policys_surrender_has_the_details_of_the_last_call() -> None:
    calls = [
        HTTPConnectionError(
            "refused",
            kind="connect",
            method=method,
            url=f"http://h/{method}",
            delivery=delivery,
            attempts=attempts,
            elapsed=attempts / 2,
        )
        for method, delivery, attempts in (
            ("PUT", Delivery.MAYBE_SENT, 7),
            ("GET", Delivery.NOT_SENT, 3),
        )
    ]
    failure = (await run(retry(Foreign())(scripted(*calls))([]))).failure()
    assert isinstance(failure, HTTPRetryExhaustedError)
    assert (failure.method, failure.url, failure.elapsed) == ("GET", "http://h/GET", 1.5)
    assert (failure.attempts, failure.delivery) == (2, Delivery.MAYBE_SENT)


async def test_a_domain_failure_after_a_retry_is_handed_on() -> None:
    lost = refused("GET", Delivery.MAYBE_SENT)
    met: list[object] = []
    result = await run(retry(QUICKLY)(scripted(lost, "no such user"))(met))
    assert (result, met) == (Failure("no such user"), [lost, "no such user"])
