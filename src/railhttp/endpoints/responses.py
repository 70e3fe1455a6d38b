"""The declared responses of an endpoint, and what each status means."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Annotated, Final, TypeAlias, Union, get_args, get_origin

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from railhttp.endpoints.codec import Reader, reader_of
from railhttp.model.errors import HTTPStatusError
from railhttp.model.response import HttpResponse

Statuses: TypeAlias = int | Iterable[int]
"""A status, or several: a set or a range."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A declared response.

    Attributes:
        statuses: Its statuses, ascending.
        model: The type of its value.
        read: Reads the value.
    """

    statuses: tuple[int, ...]
    model: object
    read: Reader = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Answers:
    """The values and the refusals of an endpoint.

    Attributes:
        values: The responses that are values; with none, any status below 400 is the response.
        refusals: The responses that are failures of the endpoint's own.

    Example:
        >>> answers = Answers().with_value(200, int).with_refusal(404, str)
        >>> answers.judge(HttpResponse(404, body=b'"nobody"'))
        <Failure: nobody>
        >>> answers.judge(HttpResponse(202)).failure().message
        'status 202, expected 200'
    """

    values: tuple[Answer, ...] = ()
    refusals: tuple[Answer, ...] = ()
    _table: Mapping[int, tuple[bool, Reader]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def without_values(self) -> "Answers":
        """Drop the declared values."""
        return _checked((), self.refusals)

    def with_value(self, statuses: Statuses, model: object) -> "Answers":
        """Add a response that is a value.

        Raises:
            TypeError: A status is declared twice, or the type cannot be decoded.
        """
        return _checked((*self.values, _answer(statuses, model)), self.refusals)

    def with_refusal(self, statuses: Statuses, model: object) -> "Answers":
        """Add a response that is a failure.

        Raises:
            TypeError: See `with_value`; or the type is that of a value too.
        """
        return _checked(self.values, (*self.refusals, _answer(statuses, model)))

    def judge(self, response: HttpResponse) -> Result[object, object]:
        """Read a response as its status is declared.

        Returns:
            The value, the refusal, an `HTTPDecodeError` if the body of a value does not fit, or an
            `HTTPStatusError` for anything else: its cause is the `HTTPDecodeError` if the body of
            a refusal does not fit.
        """
        known = self._table.get(response.status)
        if known is None:
            return self._undeclared(response)
        is_value, read = known
        if is_value:
            return read(response)
        return Failure(self.refusal(HTTPStatusError(response)))

    def refusal(self, failure: HTTPStatusError) -> object:
        """Read the declared refusal of a status.

        Returns:
            The refusal; `failure` itself if none is declared, or if its body does not fit.
        """
        known = self._table.get(failure.status)
        if known is None or known[0]:
            return failure
        result = known[1](failure.response)
        if is_successful(result):
            return result.unwrap()
        failure.__cause__ = result.failure()
        return failure

    def _undeclared(self, response: HttpResponse) -> Result[object, object]:
        if response.status >= 400:
            return Failure(HTTPStatusError(response))
        if not self.values:
            return Success(response)
        return Failure(HTTPStatusError(response, expected=self.expected))

    @property
    def expected(self) -> tuple[int, ...]:
        """The statuses of the values."""
        return tuple(status for one in self.values for status in one.statuses)


def _checked(values: tuple[Answer, ...], refusals: tuple[Answer, ...]) -> Answers:
    table: dict[int, tuple[bool, Reader]] = {}
    for is_value, declared in ((True, values), (False, refusals)):
        for one in declared:
            for status in one.statuses:
                if status in table:
                    raise TypeError(f"status {status}: is declared twice")
                table[status] = (is_value, one.read)
    returned = [part for one in values for part in _parts(one.model)]
    for one in refusals:
        for part in _parts(one.model):
            if part in returned:
                raise TypeError(
                    f"status {one.statuses[0]}: {_name(part)} is the type of a value too, so "
                    "`outcome` could not tell the two apart"
                )
    return Answers(values, refusals, table)


def _answer(statuses: Statuses, model: object) -> Answer:
    codes = _codes(statuses)
    try:
        return Answer(codes, model, reader_of(model))
    except TypeError as error:
        raise TypeError(f"status {codes[0]}: {error}") from None


def _codes(statuses: object) -> tuple[int, ...]:
    given = list(statuses) if isinstance(statuses, Iterable) else [statuses]
    if not given:
        raise TypeError("status: needs at least one status")
    codes = []
    for status in given:
        if not isinstance(status, int) or isinstance(status, bool):
            raise TypeError(f"status: must be an int, got {type(status).__name__}")
        if not _FIRST <= status <= _LAST:
            raise TypeError(f"status {int(status)}: must be from {_FIRST} to {_LAST}")
        codes.append(int(status))
    return tuple(sorted(codes))


_FIRST: Final = 200
_LAST: Final = 599


def _parts(model: object) -> Iterator[object]:
    origin = get_origin(model)
    if origin in {Union, UnionType}:
        for part in get_args(model):
            yield from _parts(part)
    elif origin is Annotated:
        yield from _parts(get_args(model)[0])
    else:
        yield type(None) if model is None else model


def _name(model: object) -> str:
    return model.__name__ if isinstance(model, type) else str(model)
