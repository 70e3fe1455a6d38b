"""An attempt of a call as a function, for policies that know functions only."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Generic, ParamSpec, TypeVar

from typing_extensions import override

from railhttp.model.clock import Clock
from railhttp.pipeline.call import Call

T = TypeVar("T")
P = ParamSpec("P")


class ReplayAware:
    """A policy that repeats only calls whose body can be sent again."""

    __slots__ = ()


class Attempt(Generic[T]):
    """One attempt of a call as a function, for the `execute` or `call` of a policy.

    A policy of another library calls it like any function. One of ours finds the call in it, also
    if it was wrapped by another policy, so that it knows the deadline and what may be repeated.
    """

    __slots__ = ("_send", "call")

    def __init__(self, call: Call, send: Callable[[], Awaitable[T]]) -> None:
        self.call: Final = call
        self._send: Final = send

    # A coroutine function, because tenacity calls any other function without awaiting it.
    async def __call__(self) -> T:
        """Make the attempt."""
        return await self.send(self.call)

    def send(self, call: Call) -> Awaitable[T]:
        """Make the attempt, as the innermost layer."""
        return self._send()


class FunctionAttempt(Attempt[T]):
    """An attempt of a plain function, with a new call."""

    __slots__ = ()

    @override
    def send(self, call: Call) -> Awaitable[T]:
        """Count and make the attempt."""
        call.attempts += 1
        return self._send()


def attempt_of(
    func: Callable[P, Awaitable[T]], clock: Clock, *args: P.args, **kwargs: P.kwargs
) -> Attempt[T]:
    """Return the attempt that a client passed; a plain function gets a new call."""
    if isinstance(func, Attempt):
        return func
    return FunctionAttempt(Call(clock), partial(func, *args, **kwargs))
