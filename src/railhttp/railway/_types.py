"""The types of the combinators in `tracks`, said once for each container that they work on.

They are what makes an error union grow: the failure of the track and that of the step stay apart.
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
    """`then` of a step that gives a `Result`."""

    @overload
    def __call__(self, track: Result[A_contra, E], /) -> Result[B_co, E | F_co]: ...
    @overload
    def __call__(self, track: FutureResult[A_contra, E], /) -> FutureResult[B_co, E | F_co]: ...
    @overload
    def __call__(
        self, track: RequiresContextFutureResult[A_contra, E, N], /
    ) -> RequiresContextFutureResult[B_co, E | F_co, N]: ...


class ThenFuture(Protocol[A_contra, B_co, F_co]):
    """`then` of a step that gives a `FutureResult`."""

    @overload
    def __call__(self, track: FutureResult[A_contra, E], /) -> FutureResult[B_co, E | F_co]: ...
    @overload
    def __call__(
        self, track: RequiresContextFutureResult[A_contra, E, N], /
    ) -> RequiresContextFutureResult[B_co, E | F_co, N]: ...


class ThenReader(Protocol[A_contra, B_co, F_co, N]):
    """`then` of a step that gives a `RequiresContextFutureResult`."""

    def __call__(
        self, track: RequiresContextFutureResult[A_contra, E, N], /
    ) -> RequiresContextFutureResult[B_co, E | F_co, N]:
        """Go on with the step."""
        ...


class FallbackResult(Protocol[E_contra, B_co, F_co]):
    """`fallback` to a `Result`."""

    @overload
    def __call__(self, track: Result[A, E_contra], /) -> Result[A | B_co, F_co]: ...
    @overload
    def __call__(self, track: FutureResult[A, E_contra], /) -> FutureResult[A | B_co, F_co]: ...
    @overload
    def __call__(
        self, track: RequiresContextFutureResult[A, E_contra, N], /
    ) -> RequiresContextFutureResult[A | B_co, F_co, N]: ...


class FallbackFuture(Protocol[E_contra, B_co, F_co]):
    """`fallback` to a `FutureResult`."""

    @overload
    def __call__(self, track: FutureResult[A, E_contra], /) -> FutureResult[A | B_co, F_co]: ...
    @overload
    def __call__(
        self, track: RequiresContextFutureResult[A, E_contra, N], /
    ) -> RequiresContextFutureResult[A | B_co, F_co, N]: ...


class FallbackReader(Protocol[E_contra, B_co, F_co, N]):
    """`fallback` to a `RequiresContextFutureResult`."""

    def __call__(
        self, track: RequiresContextFutureResult[A, E_contra, N], /
    ) -> RequiresContextFutureResult[A | B_co, F_co, N]:
        """Go on with the other track after a failure."""
        ...


class OnStatus(Protocol[B_co, F_co]):
    """`on_status`."""

    @overload
    def __call__(self, track: Result[A, E], /) -> Result[A | B_co, E | F_co]: ...
    @overload
    def __call__(self, track: FutureResult[A, E], /) -> FutureResult[A | B_co, E | F_co]: ...
    @overload
    def __call__(
        self, track: RequiresContextFutureResult[A, E, N], /
    ) -> RequiresContextFutureResult[A | B_co, E | F_co, N]: ...


class Tap(Protocol[A]):
    """`tap` of a function that takes certain values."""

    @overload
    def __call__(self, track: Result[A, E], /) -> Result[A, E]: ...
    @overload
    def __call__(self, track: FutureResult[A, E], /) -> FutureResult[A, E]: ...
    @overload
    def __call__(
        self, track: RequiresContextFutureResult[A, E, N], /
    ) -> RequiresContextFutureResult[A, E, N]: ...


class TapFailure(Protocol[E]):
    """`tap_failure` of a function that takes certain failures."""

    @overload
    def __call__(self, track: Result[A, E], /) -> Result[A, E]: ...
    @overload
    def __call__(self, track: FutureResult[A, E], /) -> FutureResult[A, E]: ...
    @overload
    def __call__(
        self, track: RequiresContextFutureResult[A, E, N], /
    ) -> RequiresContextFutureResult[A, E, N]: ...


class TapAnything(Protocol):
    """`tap` and `tap_failure` of a function that takes every object."""

    def __call__(self, track: AnyTrack, /) -> AnyTrack:
        """Look, and hand the track on."""
        ...
