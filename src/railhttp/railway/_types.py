"""The types of the functions that the combinators return, with an overload for each container.

The failure types of the track and of the step are joined in a union.
"""

from typing import Never, Protocol, TypeVar, overload

from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.result import Result

A = TypeVar("A")
E = TypeVar("E")
N = TypeVar("N")
A_contra = TypeVar("A_contra", contravariant=True)
E_contra = TypeVar("E_contra", contravariant=True)
B_co = TypeVar("B_co", covariant=True)
F_co = TypeVar("F_co", covariant=True)

AnyTrack = TypeVar(
    "AnyTrack",
    bound=Result[object, object]
    | FutureResult[object, object]
    | RequiresContextFutureResult[object, object, Never],
)


class ThenResult(Protocol[A_contra, B_co, F_co]):
    @overload
    def __call__(self, track: Result[A_contra, E], /) -> Result[B_co, E | F_co]: ...
    @overload
    def __call__(self, track: FutureResult[A_contra, E], /) -> FutureResult[B_co, E | F_co]: ...
    @overload
    def __call__(
        self, track: RequiresContextFutureResult[A_contra, E, N], /
    ) -> RequiresContextFutureResult[B_co, E | F_co, N]: ...


class ThenFuture(Protocol[A_contra, B_co, F_co]):
    @overload
    def __call__(self, track: FutureResult[A_contra, E], /) -> FutureResult[B_co, E | F_co]: ...
    @overload
    def __call__(
        self, track: RequiresContextFutureResult[A_contra, E, N], /
    ) -> RequiresContextFutureResult[B_co, E | F_co, N]: ...


class ThenReader(Protocol[A_contra, B_co, F_co, N]):
    def __call__(
        self, track: RequiresContextFutureResult[A_contra, E, N], /
    ) -> RequiresContextFutureResult[B_co, E | F_co, N]: ...


class FallbackResult(Protocol[E_contra, B_co, F_co]):
    @overload
    def __call__(self, track: Result[A, E_contra], /) -> Result[A | B_co, F_co]: ...
    @overload
    def __call__(self, track: FutureResult[A, E_contra], /) -> FutureResult[A | B_co, F_co]: ...
    @overload
    def __call__(
        self, track: RequiresContextFutureResult[A, E_contra, N], /
    ) -> RequiresContextFutureResult[A | B_co, F_co, N]: ...


class FallbackFuture(Protocol[E_contra, B_co, F_co]):
    @overload
    def __call__(self, track: FutureResult[A, E_contra], /) -> FutureResult[A | B_co, F_co]: ...
    @overload
    def __call__(
        self, track: RequiresContextFutureResult[A, E_contra, N], /
    ) -> RequiresContextFutureResult[A | B_co, F_co, N]: ...


class FallbackReader(Protocol[E_contra, B_co, F_co, N]):
    def __call__(
        self, track: RequiresContextFutureResult[A, E_contra, N], /
    ) -> RequiresContextFutureResult[A | B_co, F_co, N]: ...


class OnStatus(Protocol[B_co, F_co]):
    @overload
    def __call__(self, track: Result[A, E], /) -> Result[A | B_co, E | F_co]: ...
    @overload
    def __call__(self, track: FutureResult[A, E], /) -> FutureResult[A | B_co, E | F_co]: ...
    @overload
    def __call__(
        self, track: RequiresContextFutureResult[A, E, N], /
    ) -> RequiresContextFutureResult[A | B_co, E | F_co, N]: ...


class Tap(Protocol[A]):
    @overload
    def __call__(self, track: Result[A, E], /) -> Result[A, E]: ...
    @overload
    def __call__(self, track: FutureResult[A, E], /) -> FutureResult[A, E]: ...
    @overload
    def __call__(
        self, track: RequiresContextFutureResult[A, E, N], /
    ) -> RequiresContextFutureResult[A, E, N]: ...


class TapFailure(Protocol[E]):
    @overload
    def __call__(self, track: Result[A, E], /) -> Result[A, E]: ...
    @overload
    def __call__(self, track: FutureResult[A, E], /) -> FutureResult[A, E]: ...
    @overload
    def __call__(
        self, track: RequiresContextFutureResult[A, E, N], /
    ) -> RequiresContextFutureResult[A, E, N]: ...


class TapAnything(Protocol):
    def __call__(self, track: AnyTrack, /) -> AnyTrack: ...
