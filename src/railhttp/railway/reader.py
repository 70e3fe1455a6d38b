"""Requests as values: described once, and sent each time they are called with a client.

So a reader can be retried as a whole, and tested with another client.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeAlias, TypeVar

from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result
from typing_extensions import Unpack, override
from yarl import URL

from railhttp.client.future_verbs import FutureVerbs
from railhttp.client.http_client import HTTPClient
from railhttp.client.verbs import Verbs
from railhttp.model.errors import FAILURES, Delivery, HTTPFailure
from railhttp.model.options import RequestOptions
from railhttp.model.request import IDEMPOTENT_METHODS
from railhttp.model.response import HttpResponse
from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.pipeline.call_recorder import is_repeatable, recorded_calls
from railhttp.pipeline.http_call import HTTPCall
from railhttp.policy.retry import exhausted
from railhttp.railway.outcome import run
from railhttp.wire.multipart import FormFields

T = TypeVar("T")
E = TypeVar("E")
N = TypeVar("N")

ResponseReader: TypeAlias = RequiresContextFutureResult[HttpResponse, HTTPFailure, HTTPClient]
"""A function from a client to the outcome of a request."""


class _ReaderVerbs(Verbs[ResponseReader]):
    __slots__ = ()

    @override
    def request(
        self, method: str, url: str | URL, **options: Unpack[RequestOptions]
    ) -> ResponseReader:
        """Describe a request with any method; see `get` and `FutureVerbs.request`.

        Example:
            >>> import asyncio
            >>> async def main() -> str:
            ...     waiting = request("QUERY", "http://127.0.0.1:1/")
            ...     async with HTTPClient() as client:
            ...         return (await run(waiting(client))).failure().label
            >>> asyncio.run(main())
            'connect'
        """
        return RequiresContextFutureResult(
            lambda client: _verbs(client).request(method, url, **options)
        )

    @override
    def post_multipart(
        self, url: str | URL, fields: FormFields, **options: Unpack[RequestOptions]
    ) -> ResponseReader:
        """Describe the upload of a form; see `get` and `HTTPClient.post_multipart`."""
        return RequiresContextFutureResult(
            lambda client: _verbs(client).post_multipart(url, fields, **options)
        )


class _Verb(Protocol):
    def __call__(self, url: str | URL, **options: Unpack[RequestOptions]) -> ResponseReader: ...


class _Request(Protocol):
    def __call__(
        self, method: str, url: str | URL, **options: Unpack[RequestOptions]
    ) -> ResponseReader: ...


class _Upload(Protocol):
    def __call__(
        self, url: str | URL, fields: FormFields, **options: Unpack[RequestOptions]
    ) -> ResponseReader: ...


# Each with its type: checkers need not agree on what they infer of a method.
_VERBS: Final = _ReaderVerbs()
get: _Verb = _VERBS.get
post: _Verb = _VERBS.post
put: _Verb = _VERBS.put
delete: _Verb = _VERBS.delete
patch: _Verb = _VERBS.patch
head: _Verb = _VERBS.head
options: _Verb = _VERBS.options
request: _Request = _VERBS.request
post_multipart: _Upload = _VERBS.post_multipart


def _verbs(client: HTTPClient) -> FutureVerbs:
    try:
        return client.future
    except AttributeError:
        kind = type(client).__name__
        raise TypeError(f"give the reader an HTTPClient, not {kind}") from None


def retry(
    policy: RetryPolicyProtocol, *, repeatable: bool = False
) -> Callable[
    [RequiresContextFutureResult[T, E, N]], RequiresContextFutureResult[T, E | HTTPFailure, N]
]:
    """Retry a whole reader, with all its steps, by a policy.

    A run is retried only if each request that it made is safe to repeat: the method is idempotent,
    the request has an `Idempotency-Key`, or it did not reach the server; and its body can be read
    again. Failures outside of `HTTPFailure` are not retried.

    Args:
        policy: Decides and waits. The client's retries happen inside each run.
        repeatable: Retry even if the requests are not safe to repeat.

    Returns:
        A function from reader to reader.

    Example:
        >>> import asyncio
        >>> from railhttp.pipeline.policies.retry import RetryPolicy
        >>> patient = retry(RetryPolicy(base_delay=0.001))(get("http://127.0.0.1:1/"))
        >>> async def main() -> int:
        ...     async with HTTPClient(retry_policy=RetryPolicy(1)) as client:
        ...         return (await run(patient(client))).failure().attempts
        >>> asyncio.run(main())
        3
    """

    def retrying(
        reader: RequiresContextFutureResult[T, E, N],
    ) -> RequiresContextFutureResult[T, E | HTTPFailure, N]:
        def start(env: N) -> FutureResult[T, E | HTTPFailure]:
            return FutureResult(_retried(policy, repeatable, lambda: reader(env)))

        return RequiresContextFutureResult(start)

    return retrying


async def _retried(
    policy: RetryPolicyProtocol, repeatable: bool, begin: Callable[[], FutureResult[T, E]]
) -> Result[T, E | HTTPFailure]:
    seen: list[HTTPFailure] = []

    async def attempt() -> Result[T, E]:
        with recorded_calls() as calls:
            result = await run(begin())
        if not is_successful(result):
            failure = result.failure()
            if isinstance(failure, FAILURES) and (repeatable or _is_harmless(calls, failure)):
                seen.append(failure)
                raise failure
        return result

    try:
        return await policy.execute(attempt)
    except FAILURES as failure:
        return Failure(failure)
    except Exception as error:
        if not seen:
            raise
        whole = exhausted("a policy gave up", seen)
        whole.__cause__ = error
        return Failure(whole)


def _is_harmless(calls: Sequence[HTTPCall], failure: HTTPFailure) -> bool:
    if calls:
        return all(map(is_repeatable, calls))
    # The failure has another origin, or the request could not be built.
    return failure.delivery is Delivery.NOT_SENT or failure.method in IDEMPOTENT_METHODS
