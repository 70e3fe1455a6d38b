"""Reading the failures that a program declares."""

from collections.abc import Awaitable, Coroutine
from typing import Annotated, Any, Literal, Never, NewType, TypeAlias, TypeVar

import pytest
from returns.future import FutureResult
from returns.io import IOFailure, IOResult, IOSuccess
from returns.result import Failure, Result
from typing_extensions import TypeAliasType

from railhttp.testing.explore.declared import declared_failures, failure_of

E = TypeVar("E")
Id = NewType("Id", int)
Either: TypeAlias = KeyError | OSError


async def one(_: object) -> Result[str, KeyError]: ...  # type: ignore[empty-body]
async def several(_: object) -> Result[str, Either | None]: ...  # type: ignore[empty-body]
async def named(_: object) -> Result[str, Annotated[Id, "doc"]]: ...  # type: ignore[empty-body]
async def literal(_: object) -> Result[str, Literal["a", "b", 1]]: ...  # type: ignore[empty-body]
async def generic(_: object) -> Result[str, list[int]]: ...  # type: ignore[empty-body]
async def never(_: object) -> Result[str, Never]: ...  # type: ignore[empty-body]
async def effect(_: object) -> IOResult[str, KeyError]: ...  # type: ignore[empty-body]
def future(_: object) -> FutureResult[str, KeyError]: ...  # type: ignore[empty-body]
def awaitable(_: object) -> Awaitable[Result[str, KeyError]]: ...  # type: ignore[empty-body]
def coroutine(_: object) -> Coroutine[Any, Any, Result[str, KeyError]]: ...  # type: ignore[empty-body]
async def nothing(_: object) -> Result[str, None]: ...  # type: ignore[empty-body]
async def anything(_: object) -> Result[str, Any]: ...  # type: ignore[empty-body]
async def everything(_: object) -> Result[str, object]: ...  # type: ignore[empty-body]
async def open_(_: object) -> Result[str, E | KeyError]: ...  # type: ignore[empty-body]
async def plain(_: object) -> str: ...  # type: ignore[empty-body]
async def untyped(_): ...  # type: ignore[no-untyped-def]
async def gone(_: object) -> "Result[str, NoSuchName]": ...  # type: ignore[name-defined, empty-body]  # noqa: F821


class Program:
    async def __call__(self, _: object) -> Result[str, KeyError]: ...  # type: ignore[empty-body]


@pytest.mark.parametrize(
    ("program", "classes"),
    [
        (one, (KeyError,)),
        (several, (KeyError, OSError, type(None))),
        (named, (int,)),
        (literal, (str, int)),
        (generic, (list,)),
        (never, ()),
        (effect, (KeyError,)),
        (future, (KeyError,)),
        (awaitable, (KeyError,)),
        (coroutine, (KeyError,)),
        (Program(), (KeyError,)),
        (nothing, (type(None),)),
        (anything, None),
        (everything, None),
        (open_, None),
        (plain, None),
        (untyped, None),
        (gone, None),
        (lambda client: one(client), None),  # noqa: PLW0108  # it has no annotation
    ],
)
def test_the_annotation_declares_the_failures(
    program: Any, classes: tuple[type, ...] | None
) -> None:
    assert declared_failures(program) == classes


def test_a_type_statement_declares_what_it_stands_for() -> None:
    alias = TypeAliasType("alias", KeyError | OSError)

    async def program(_: object) -> Result[str, Any]: ...  # type: ignore[empty-body]

    program.__annotations__["return"] = Result[str, alias]
    assert declared_failures(program) == (KeyError, OSError)


@pytest.mark.parametrize(
    ("outcome", "failure"),
    [
        (Failure(7), (7,)),
        (IOFailure(7), (7,)),
        (IOSuccess(7), ()),
        (Failure(None), (None,)),
        (7, ()),
    ],
)
def test_the_failure_of_an_outcome(outcome: object, failure: tuple[object, ...]) -> None:
    assert failure_of(outcome) == failure
