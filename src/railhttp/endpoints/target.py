"""Writing the path and the query of an endpoint's requests."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import quote_plus

from railhttp.endpoints.parameters import Parameter
from railhttp.endpoints.template import PathTemplate, Segment, SegmentError, fill_segment
from railhttp.endpoints.texts import text_of, texts_of


class ParameterError(ValueError):
    """A parameter cannot be sent, or a request cannot be read back.

    Attributes:
        field: The parameter.
        message: The problem, and what would be right.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field: Final = field
        self.message: Final = message


def compile_target(
    template: PathTemplate,
    in_path: Sequence[Parameter],
    in_query: Sequence[Parameter],
) -> Callable[[object], str]:
    """Make the function that writes the path and the query for parameters."""
    write_path = _compiled_path(template, {one.name: one for one in in_path})
    if not in_query:
        return write_path
    named = [(one, quote_plus(one.wire)) for one in in_query]

    def write(parameters: object) -> str:
        path = write_path(parameters)
        query = "&".join(
            [
                f"{name}={text}"
                for one, name in named
                for text in _query_texts(one, one.get(parameters))
            ]
        )
        return f"{path}?{query}" if query else path

    return write


def _compiled_path(
    template: PathTemplate, by_name: Mapping[str, Parameter]
) -> Callable[[object], str]:
    segments = template.segments
    fields = [index for index, segment in enumerate(segments) if segment.names]
    if not fields:
        fixed = template.fill({})
        return lambda _: fixed
    if len(fields) == 1 and segments[fields[0]].is_whole:
        start, after = (
            "".join([f"/{segment.texts[0]}" for segment in part])
            for part in (segments[: fields[0]], segments[fields[0] + 1 :])
        )
        return _one_segment(f"{start}/", by_name[template.names[0]], after)

    def write(parameters: object) -> str:
        texts = {name: parameter_text(one, one.get(parameters)) for name, one in by_name.items()}
        try:
            return template.fill(texts)
        except SegmentError as error:
            raise ParameterError(error.name, str(error)) from None

    return write


def _one_segment(start: str, field: Parameter, after: str) -> Callable[[object], str]:
    """Write the usual path, of one field, with few steps (benchmarks: layers in memory)."""
    get = field.get
    whole = Segment(("", ""), (field.name,))

    def write(parameters: object) -> str:
        value = get(parameters)
        if type(value) is int and -_SMALL < value < _SMALL:
            return f"{start}{value}{after}"  # needs no encoding
        try:
            return (
                f"{start}{fill_segment(whole, {field.name: parameter_text(field, value)})}{after}"
            )
        except SegmentError as error:
            raise ParameterError(error.name, str(error)) from None

    return write


_SMALL: Final = 10**18


def parameter_text(one: Parameter, value: object) -> str:
    """Write the value of a parameter as text.

    Raises:
        ParameterError: The value has no form as text.
    """
    try:
        return text_of(value)
    except ValueError as error:
        raise ParameterError(one.name, str(error)) from None


def _query_texts(one: Parameter, value: object) -> list[str]:
    try:
        return [quote_plus(text) for text in texts_of(value)]
    except UnicodeEncodeError:
        raise ParameterError(one.name, "must not contain a lone surrogate") from None
    except ValueError as error:
        raise ParameterError(one.name, str(error)) from None
