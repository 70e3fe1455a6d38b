r"""From a Python type to the function that reads it from JSON: what decoders need of no package.

| type | JSON |
|---|---|
| `str`, `int`, `float`, `bool`, `None` | itself; `float` takes integers, `int` takes no booleans |
| `datetime`, `date`, `time`, `UUID`, `Decimal` | a string |
| `list[T]`, `Sequence[T]`, `tuple[T, ...]`, `tuple[A, B]` | an array |
| `dict[str, T]`, `Mapping[str, T]` | an object |
| dataclasses, attrs classes, named tuples, TypedDicts | an object; unknown members are ignored |
| `A \| B` | the first that fits, but an integer fits `int` before it fits `float` |
| `Literal`, `Enum`, `NewType`, `Annotated`, `object` | what they stand for |
"""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from enum import Enum
from types import UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from typing_extensions import ReadOnly, is_typeddict

from railhttp.model.response import JSON
from railhttp.railway.json_path import PathSegment
from railhttp.railway.scalars import (
    SCALARS,
    MismatchError,
    Shape,
    members_of,
    mismatch,
    one_of,
    read_anything,
)


def shape_of(model: object) -> Shape:
    """Find out how a type is read from JSON.

    Args:
        model: A type of the table above.

    Returns:
        A function that makes a value of that type of a JSON value, and raises `MismatchError`
        where it cannot.

    Raises:
        TypeError: It is none of these types, or has a part that is none.

    Example:
        >>> shape_of(dict[str, list[int]])({"a": [1, 2]})
        {'a': [1, 2]}
    """
    return _Compiler().shape(model)


class _Compiler:
    """Compiles one type; remembers its classes, so that they may contain themselves."""

    def __init__(self) -> None:
        self._classes: dict[object, Shape] = {}

    def shape(self, model: object) -> Shape:
        if model is Any:
            return read_anything
        if isinstance(model, type) and issubclass(model, Enum):
            return members_of(model)
        if is_typeddict(model) or _is_record(model):
            return self._class(cast("type", model))  # both are classes
        if (scalar := _scalar(model)) is not None:
            return scalar
        return self._composed(model, get_origin(model) or model, get_args(model))

    def _composed(self, model: object, origin: object, args: tuple[object, ...]) -> Shape:
        if origin in {Annotated, Required, NotRequired, ReadOnly}:
            return self.shape(args[0])
        if origin in {Union, UnionType}:
            return self._union(args)
        if origin is Literal:
            return one_of(args, " or ".join(map(repr, args)))
        if origin in {list, Sequence}:
            return _array(self.shape(args[0] if args else object))
        if origin in {dict, Mapping}:
            return self._mapping(model, args or (str, object))
        if origin is tuple:
            is_bare = not hasattr(model, "__args__")  # `tuple[()]` has none, and says so
            return self._tuple((object, ...) if is_bare else args)
        for alias in ("__supertype__", "__value__"):  # NewType, and `type X = ...`
            if hasattr(model, alias):
                return self.shape(getattr(model, alias))
        raise TypeError(f"{model!r} cannot be decoded, see railhttp.railway.shapes for what can")

    def _union(self, args: tuple[object, ...]) -> Shape:
        if type(None) in args and len(args) == 2:
            [inner] = [self.shape(arg) for arg in args if arg is not type(None)]
            return lambda value: None if value is None else inner(value)
        names = " or ".join(getattr(arg, "__name__", str(arg)) for arg in args)
        return _first_that_fits(_exact_first([self.shape(arg) for arg in args]), names)

    def _mapping(self, model: object, args: tuple[object, ...]) -> Shape:
        if args[0] is not str:
            raise TypeError(f"{model!r} cannot be decoded: the names in a JSON object are str")
        return _object(self.shape(args[1]))

    def _tuple(self, args: tuple[object, ...]) -> Shape:
        if len(args) == 2 and args[1] is ...:
            items = _array(self.shape(args[0]))
            return lambda value: tuple(cast("list[object]", items(value)))  # what _array makes
        return _fixed_array([self.shape(arg) for arg in args])

    def _class(self, model: type) -> Shape:
        if model not in self._classes:

            def itself(value: JSON) -> object:
                return self._classes[model](value)  # by now it is compiled

            self._classes[model] = itself
            self._classes[model] = self._compile_class(model)
        return self._classes[model]

    def _compile_class(self, model: type) -> Shape:
        try:
            hints = get_type_hints(model, include_extras=True)
        except NameError as error:
            raise TypeError(f"{model!r} cannot be decoded: {error}") from None
        if is_typeddict(model):
            required = frozenset(name for name in hints if _is_required(model, name, hints[name]))
            fields = [
                _Field(name, name, self.shape(hints[name]), name in required) for name in hints
            ]
            return _record(fields, dict)
        return _record(list(self._parameters(model, hints)), _guarded(model))

    def _parameters(self, model: type, hints: Mapping[str, object]) -> Iterable["_Field"]:
        names = {field.alias: field.name for field in getattr(model, "__attrs_attrs__", ())}
        for argument, parameter in inspect.signature(model).parameters.items():
            name = names.get(argument, argument)
            required = parameter.default is parameter.empty
            yield _Field(name, argument, self.shape(hints.get(name, object)), required)


@dataclass(frozen=True, slots=True)
class _Field:
    """A member of a JSON object and where it goes.

    Attributes:
        name: The member's name.
        argument: The constructor's argument.
        shape: How it is read.
        required: Whether it may not be absent.
    """

    name: str
    argument: str
    shape: Shape
    required: bool


def _is_record(model: object) -> bool:
    return isinstance(model, type) and (
        is_dataclass(model)
        or hasattr(model, "__attrs_attrs__")
        or (issubclass(model, tuple) and hasattr(model, "_fields"))
    )


def _scalar(model: object) -> Shape | None:
    try:
        return SCALARS.get(model)
    except TypeError:  # a Literal or Annotated of what has no hash
        return None


def _is_required(model: type, name: str, hint: object) -> bool:
    # `__required_keys__` cannot look into annotations that are strings
    # (tests/railway/test_shapes.py::test_not_required_in_a_postponed_annotation).
    if get_origin(hint) in {Required, NotRequired}:
        return get_origin(hint) is Required
    required: frozenset[str] = getattr(model, "__required_keys__")  # noqa: B009  # not in `type`
    return name in required


def _within(step: PathSegment, shape: Shape, value: JSON) -> object:
    try:
        return shape(value)
    except MismatchError as error:
        error.steps.append(step)
        raise


def _array(item: Shape) -> Shape:
    def read(value: JSON) -> list[object]:
        if not isinstance(value, list):
            raise mismatch("an array", value)
        return [_within(index, item, part) for index, part in enumerate(value)]

    return read


def _fixed_array(items: Sequence[Shape]) -> Shape:
    def read(value: JSON) -> tuple[object, ...]:
        if not isinstance(value, list) or len(value) != len(items):
            raise mismatch(f"an array of {len(items)}", value)
        parts = zip(items, value, strict=True)
        return tuple(_within(index, item, part) for index, (item, part) in enumerate(parts))

    return read


def _object(member: Shape) -> Shape:
    def read(value: JSON) -> dict[str, object]:
        if not isinstance(value, dict):
            raise mismatch("an object", value)
        return {name: _within(name, member, part) for name, part in value.items()}

    return read


def _exact_first(shapes: Sequence[Shape]) -> list[Shape]:
    """Put int before float, which takes integers too, but converts them."""
    ordered = list(shapes)
    if SCALARS[int] in ordered and SCALARS[float] in ordered:
        exact, converting = ordered.index(SCALARS[int]), ordered.index(SCALARS[float])
        if converting < exact:
            ordered.insert(converting, ordered.pop(exact))
    return ordered


def _first_that_fits(shapes: Sequence[Shape], names: str) -> Shape:
    def read(value: JSON) -> object:
        for shape in shapes:
            try:
                return shape(value)
            except MismatchError:
                continue
        raise mismatch(names, value)

    return read


def _record(fields: Sequence[_Field], build: Callable[..., object]) -> Shape:
    def read(value: JSON) -> object:
        if not isinstance(value, dict):
            raise mismatch("an object", value)
        arguments = {}
        for field in fields:
            if field.name in value:
                part = value[field.name]
                arguments[field.argument] = _within(field.name, field.shape, part)
            elif field.required:
                raise MismatchError(f"expected a member {field.name!r}, found none")
        return build(**arguments)

    return read


def _guarded(model: type) -> Callable[..., object]:
    def build(**arguments: object) -> object:
        try:
            return model(**arguments)
        except Exception as error:  # noqa: BLE001  # a model's own checks may raise anything
            # What they say may hold the data, so only the class of it is told.
            name = type(error).__name__
            raise MismatchError(f"expected a valid {model.__name__}, got a {name}") from None

    return build
