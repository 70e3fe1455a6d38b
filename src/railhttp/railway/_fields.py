"""The fields of dataclasses, attrs classes, named tuples and TypedDicts, generic ones included."""

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from typing import (
    Final,
    Generic,
    NamedTuple,
    NotRequired,
    Protocol,
    Required,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from typing_extensions import get_original_bases, is_typeddict

_ROOTS: Final = frozenset({object, dict, tuple, Generic, Protocol})


class RecordField(NamedTuple):
    """A member of a JSON object, and the argument of the constructor that takes it."""

    name: str
    argument: str
    annotation: object
    required: bool


def class_of(model: object) -> type | None:
    """Return a class, or the origin of a generic one."""
    origin = get_origin(model) or model
    return origin if isinstance(origin, type) else None


def is_named_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def is_record(kind: type) -> bool:
    return (
        is_typeddict(kind)
        or dataclasses.is_dataclass(kind)
        or hasattr(kind, "__attrs_attrs__")
        or is_named_tuple(kind)
    )


def record_fields(model: object, kind: type) -> list[RecordField]:
    """List the fields of a record class, with its type arguments in their annotations.

    Raises:
        TypeError: A name in an annotation cannot be resolved.
    """
    try:
        hints = _hints(model, kind)
    except NameError as error:
        raise TypeError(f"{model!r} cannot be decoded: {error}") from None
    return list(_members(kind, hints) if is_typeddict(kind) else _parameters(kind, hints))


def assigns_fields_only(kind: type) -> bool:
    """Whether a record may be built without its constructor, by assigning each field."""
    if is_typeddict(kind):  # msgspec forgets the arguments of a generic base
        bases = [base for base in get_original_bases(kind) if is_typeddict(class_of(base))]
        return not any(get_args(base) or not assigns_fields_only(base) for base in bases)
    if is_named_tuple(kind):  # msgspec reads an array
        return False
    if not _has_generated_init(kind):
        return False
    if hasattr(kind, "__attrs_attrs__"):
        return all(one.init and not one.converter and one.type for one in kind.__attrs_attrs__)
    names = {field.name for field in dataclasses.fields(kind)}
    return names == {*inspect.signature(kind).parameters}


def _has_generated_init(kind: type) -> bool:
    # dataclasses and attrs leave an `__init__` alone that the class defines
    # (tests/railway/test_structures.py::test_a_constructor_that_does_more_than_assign_is_called).
    code = getattr(inspect.getattr_static(kind, "__init__"), "__code__", None)
    return code is not None and code.co_filename.startswith(("<string>", "<attrs generated"))


def _members(kind: type, hints: Mapping[str, object]) -> Iterator[RecordField]:
    required: frozenset[str] = getattr(kind, "__required_keys__")  # noqa: B009  # not in `type`
    for name, hint in hints.items():
        # `__required_keys__` cannot look into annotations that are strings
        # (tests/railway/test_shapes.py::test_not_required_in_a_postponed_annotation).
        marked = get_origin(hint) in {Required, NotRequired}
        is_required = get_origin(hint) is Required if marked else name in required
        yield RecordField(name, name, hint, is_required)


def _parameters(kind: type, hints: Mapping[str, object]) -> Iterator[RecordField]:
    names = {field.alias: field.name for field in getattr(kind, "__attrs_attrs__", ())}
    for argument, parameter in inspect.signature(kind).parameters.items():
        name = names.get(argument, argument)
        required = parameter.default is parameter.empty
        yield RecordField(name, argument, hints.get(name, object), required)


def _hints(model: object, kind: type) -> dict[str, object]:
    """Resolve the annotations of a class and its bases, each with its own type arguments."""
    parameters: tuple[object, ...] = getattr(kind, "__parameters__", ())
    arguments = dict(zip(parameters, get_args(model), strict=False))
    inherited: dict[str, object] = {}
    for base in reversed(get_original_bases(kind)):
        base_class = class_of(base)
        if base_class is not None and base_class not in _ROOTS:
            inherited |= _hints(substituted(base, arguments), base_class)
    own = [*inspect.get_annotations(kind)]
    if is_typeddict(kind):  # its annotations include those of its bases
        own = [name for name in own if name not in inherited]
    resolved = get_type_hints(kind, include_extras=True) if own else {}
    return inherited | {name: substituted(resolved[name], arguments) for name in own}


def substituted(hint: object, arguments: Mapping[object, object]) -> object:
    """Replace the type variables in a type, and `InitVar[T]` by its type."""
    if isinstance(hint, dataclasses.InitVar):
        return substituted(hint.type, arguments)
    if isinstance(hint, TypeVar):
        return arguments.get(hint, hint)
    parameters: tuple[object, ...] = getattr(hint, "__parameters__", ())
    if get_origin(hint) is None or not parameters:  # a class or an alias without arguments
        return hint
    values = tuple(arguments.get(one, one) for one in parameters)
    return hint[values]  # type: ignore[index]  # what has parameters is a generic alias
