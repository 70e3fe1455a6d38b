"""The parameter class of an endpoint: its fields, and where each of them is sent."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import InitVar, dataclass
from functools import reduce
from operator import attrgetter, itemgetter, or_
from types import UnionType
from typing import Annotated, Final, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Header:
    """Marks a field that is sent as a header field: `trace: Annotated[str, Header("X-Trace")]`.

    Args:
        name: The name of the header field, in any case.

    Example:
        >>> Header("X-Trace")
        Header(name='X-Trace')
    """

    name: str


@dataclass(frozen=True, slots=True)
class Query:
    """Renames a query parameter: `page_size: Annotated[int, Query("page-size")]`.

    Args:
        name: The name of the parameter in the query.

    Example:
        >>> Query("page-size")
        Query(name='page-size')
    """

    name: str


@dataclass(frozen=True, slots=True)
class Document:
    """Marks the field that is sent as the body; see `Body`."""


Body: TypeAlias = Annotated[T, Document()]
"""The type of the field that is sent as the body: `user: Body[NewUser]`. It is sent as JSON, but
`Body[bytes]` is sent unchanged. None sends no body."""

Marker: TypeAlias = Header | Query | Document


@dataclass(frozen=True, slots=True)
class Parameter:
    """A field of a parameter class.

    Attributes:
        name: The argument of the constructor.
        wire: The name in the query or in a header field.
        hint: The declared type, without the marker.
        marker: The marker of the declaration; None if the field has none.
        get: Reads the field's value from the parameter object.
        default: The value if the argument is absent; `NO_DEFAULT` if it is required, `COMPUTED`
            if the class makes one at each call.
        positional: Whether the argument cannot be passed by name.
    """

    name: str
    wire: str
    hint: object
    marker: Marker | None
    get: Callable[[object], object]
    default: object
    positional: bool = False

    @property
    def required(self) -> bool:
        """Whether the constructor demands the argument."""
        return self.default is NO_DEFAULT


NO_DEFAULT: Final = inspect.Parameter.empty
COMPUTED: Final = object()


def no_parameters() -> None:
    """Make the parameters of an endpoint that has none."""


def parameters_of(make: Callable[..., object]) -> tuple[Parameter, ...]:
    """Read the fields of a parameter class, or the parameters of a function that returns a dict.

    Args:
        make: A dataclass, an attrs class, a NamedTuple, a msgspec Struct, a pydantic model, or a
            function that returns its arguments as a dict.

    Raises:
        TypeError: A field has no type, or a type that cannot be looked up.

    Example:
        >>> def find(user_id: int, expand: bool = False) -> dict[str, object]:
        ...     return {"user_id": user_id, "expand": expand}
        >>> [(one.name, one.hint, one.required) for one in parameters_of(find)]
        [('user_id', <class 'int'>, True), ('expand', <class 'bool'>, False)]
    """
    if not callable(make):
        raise TypeError(f"needs a class or a function for its parameters, got {make!r}")
    hints = _hints(make)
    return tuple(_parameter(make, one, hints) for one in _arguments(make))


def _arguments(make: Callable[..., object]) -> Iterator[inspect.Parameter]:
    try:
        signature = inspect.signature(make)
    except ValueError:
        raise TypeError(f"{_name(make)} has no signature") from None
    for argument in signature.parameters.values():
        if argument.kind is argument.VAR_KEYWORD and hasattr(make, "__pydantic_validator__"):
            continue  # `extra="allow"`
        if argument.kind in {argument.VAR_KEYWORD, argument.VAR_POSITIONAL}:
            raise TypeError(f"{argument.name}: {_name(make)} must name each of its arguments")
        yield argument


def _hints(make: Callable[..., object]) -> Mapping[str, object]:
    try:
        hints = get_type_hints(make, include_extras=True)
        if isinstance(make, type) and not hints:
            hints = get_type_hints(vars(make).get("__init__"), include_extras=True)
    except NameError as error:
        raise TypeError(
            f"{_name(make)} has a type that cannot be looked up ({error}): define the type at the "
            "top of a module"
        ) from None
    return hints


def _parameter(
    make: Callable[..., object], argument: inspect.Parameter, hints: Mapping[str, object]
) -> Parameter:
    attribute, wire = _names(make, argument.name)
    if attribute not in hints and argument.name not in hints:
        raise TypeError(f"{argument.name}: {_name(make)} must declare its type")
    hint, marker = split_marker(hints.get(attribute, hints.get(argument.name)))
    if isinstance(marker, Header | Query):
        wire = marker.name
    if isinstance(hint, InitVar):
        raise TypeError(f"{argument.name}: {_name(make)} must keep it as an attribute")
    getter: Callable[[object], object]
    getter = attrgetter(attribute) if isinstance(make, type) else itemgetter(argument.name)  # type: ignore[assignment]  # a function returns a dict
    positional = argument.kind is argument.POSITIONAL_ONLY
    default = _default(make, argument, attribute)
    return Parameter(argument.name, wire, hint, marker, getter, default, positional)


def _names(make: Callable[..., object], argument: str) -> tuple[str, str]:
    """Find the attribute that keeps an argument, and its name on the wire."""
    for field in getattr(make, "__attrs_attrs__", ()):
        if field.alias == argument:
            return field.name, argument
    attributes: tuple[str, ...] = getattr(make, "__struct_fields__", ())
    encoded: tuple[str, ...] = getattr(make, "__struct_encode_fields__", ())
    wires = dict(zip(attributes, encoded, strict=True))
    for name, field in _model_fields(make).items():
        if argument in (name, field.alias, field.validation_alias):  # no hash
            return name, field.serialization_alias or field.alias or name
    return argument, wires.get(argument, argument)


def _model_fields(make: Callable[..., object]) -> Mapping[str, "_ModelField"]:
    if not hasattr(make, "__pydantic_validator__"):
        return {}
    fields: Mapping[str, _ModelField] | None = getattr(make, "__pydantic_fields__", None)
    return fields if fields is not None else getattr(make, "model_fields", {})  # pydantic < 2.10


class _ModelField:
    """The part of pydantic's `FieldInfo` that is read."""

    alias: str | None
    validation_alias: object
    serialization_alias: str | None


def _default(make: Callable[..., object], argument: inspect.Parameter, attribute: str) -> object:
    if argument.default is argument.empty:
        return NO_DEFAULT
    # In the signature of a model, pydantic 2.8 shows a factory as None.
    if getattr(_model_fields(make).get(attribute), "default_factory", None) is not None:
        return COMPUTED
    # In the signature of an attrs class, a factory is an enum with a value.
    for field in getattr(make, "__attrs_attrs__", ()):
        if field.name == attribute and hasattr(field.default, "factory"):
            return COMPUTED
    default: object = getattr(argument.default, "value", argument.default)
    return default if isinstance(default, str | int | float | bool | None) else COMPUTED


def split_marker(hint: object) -> tuple[object, Marker | None]:
    """Take the marker off a type.

    Example:
        >>> split_marker(Annotated[str | None, Header("X-Trace")])
        (str | None, Header(name='X-Trace'))
        >>> split_marker(int)
        (<class 'int'>, None)
    """
    if get_origin(hint) is Annotated:
        inner, *metadata = get_args(hint)
        markers = [one for one in metadata if isinstance(one, Header | Query | Document)]
        others = [one for one in metadata if not isinstance(one, Header | Query | Document)]
        if len(markers) > 1:
            raise TypeError("a field can be sent in one place only")
        if markers:
            return (Annotated[(inner, *others)] if others else inner), markers[0]
    if get_origin(hint) in {Union, UnionType}:
        parts = [split_marker(part) for part in get_args(hint)]
        found = [marker for _, marker in parts if marker is not None]
        if found:
            return reduce(or_, (part for part, _ in parts)), found[0]
    return hint, None


def _name(make: object) -> str:
    return str(getattr(make, "__qualname__", make))
