"""What all kinds of endpoints have in common: a declaration, and the requests it makes."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple, NoReturn, Protocol, Self, cast

from railhttp.endpoints.plan import RequestPlan, Written
from railhttp.endpoints.responses import Answers
from railhttp.endpoints.target import ParameterError
from railhttp.model.errors import HTTPInvalidRequestError, HTTPValidationError
from railhttp.model.option_advice import advice
from railhttp.model.options import RequestOptions, with_default_headers
from railhttp.model.url import is_absolute
from railhttp.model.validation import require_text, require_url

if TYPE_CHECKING:
    from railhttp.client.http_client import HTTPClient


class Binding(NamedTuple):
    """What a service adds to the requests of its endpoints.

    Attributes:
        client: The client that sends.
        prefix: The base path or base URL, without a slash at its end.
        query: The query of the base URL.
        options: The options of every call.
    """

    client: "HTTPClient"
    prefix: str
    query: str
    options: RequestOptions

    @classmethod
    def of(cls, client: "HTTPClient", base_url: str, options: RequestOptions) -> Self:
        """Check what a service was given.

        Raises:
            HTTPValidationError: The base URL is neither a URL nor a path.
            TypeError: An option is unknown.
        """
        require_text(base_url, "base_url")
        if is_absolute(base_url):
            require_url(base_url, "base_url")
        elif base_url and not base_url.startswith("/"):
            raise HTTPValidationError("must be a URL, or a path with a slash", field="base_url")
        base, _, query = base_url.partition("#")[0].partition("?")
        return cls(client, base.rstrip("/"), query, checked_options(options))

    def url(self, target: str) -> str:
        """Join the base and the target of a request.

        Example:
            >>> from railhttp import HTTPClient
            >>> Binding.of(HTTPClient(), "https://h/v1/?key=7", {}).url("/users?page=2")
            'https://h/v1/users?key=7&page=2'
        """
        if not self.query:
            return self.prefix + target
        path, _, query = target.partition("?")
        return f"{self.prefix}{path}?{self.query}{'&' if query else ''}{query}"


def checked_options(options: RequestOptions) -> RequestOptions:
    """Refuse options that do not exist.

    Raises:
        TypeError: An option is unknown.
    """
    if unknown := options.keys() - RequestOptions.__annotations__.keys():
        raise TypeError(advice(min(unknown)))
    return options


def merged(defaults: RequestOptions, options: RequestOptions) -> RequestOptions:
    """Overrule options by more specific ones; header fields are overruled one by one.

    Example:
        >>> merged({"timeout": 5, "max_redirects": 1}, {"timeout": 2})
        {'timeout': 2, 'max_redirects': 1}
    """
    both: RequestOptions = {**defaults, **options}
    headers = defaults.get("headers")
    return with_default_headers(both, headers) if headers and "headers" in options else both


@dataclass(frozen=True, slots=True, repr=False)
class Declaration:
    """An endpoint as it was declared.

    Attributes:
        method: The method.
        path: The template of the path.
        make: The parameter class.
        answers: The declared responses, by status.
        options: Options of every call of this endpoint.
        problem: The contradiction in the declaration; empty if it has none. In the body of a class
            it is kept until the class is complete, so that the error can name the endpoint.
    """

    method: str
    path: str
    make: Callable[..., object]
    answers: Answers = field(default_factory=Answers)
    options: RequestOptions = field(default_factory=RequestOptions, hash=False)
    problem: str = ""
    _plan: RequestPlan | None = field(default=None, compare=False)

    @classmethod
    def declared(
        cls, method: str, path: str, make: Callable[..., object], frame: FrameType
    ) -> Self:
        """Declare an endpoint.

        Args:
            method: The method, upper-case.
            path: The template of the path.
            make: The parameter class.
            frame: The frame of the declaration.

        Raises:
            TypeError: The declaration contradicts itself.
        """
        declared = cls(method, path, make)
        try:
            return replace(declared, _plan=RequestPlan(method, path, make))
        except TypeError as error:
            return declared._refused(error, frame)

    def _answering(self, change: Callable[[Answers], Answers], frame: FrameType) -> Self:
        if self.problem:
            return self
        try:
            return replace(self, answers=change(self.answers))
        except TypeError as error:
            return self._refused(error, frame)

    def _refused(self, error: TypeError, frame: FrameType) -> Self:
        if _is_class_body(frame):
            return replace(self, problem=str(error))
        raise TypeError(f"{self}: {error}") from None

    def _having(self, options: RequestOptions) -> Self:
        return replace(self, options=merged(self.options, checked_options(options)))

    def __set_name__(self, owner: type, name: str) -> None:
        # A Service raises itself, because Python 3.11 wraps what is raised here
        # (tests/endpoints/test_declarations.py::test_the_class_statement_raises_it_plainly).
        if self.problem and not hasattr(owner, "_raises_problems"):
            self.check(f"{owner.__name__}.{name}")

    def check(self, name: str) -> None:
        """Raise if the declaration contradicts itself.

        Args:
            name: The name of the endpoint.

        Raises:
            TypeError: It does.
        """
        if self.problem:
            raise TypeError(f"{name} ({self}): {self.problem}")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} cannot be pickled, because it has compiled decoders: "
            "import it from the module that declares it, and pickle its name or its arguments"
        )

    @property
    def plan(self) -> RequestPlan:
        """The plan of its requests.

        Raises:
            TypeError: The declaration contradicts itself.
        """
        if self._plan is None or self.problem:
            raise TypeError(f"{self}: {self.problem}")
        return self._plan

    def parameters(self, *args: object, **kwargs: object) -> object:
        """Make the parameter object of a call.

        Raises:
            TypeError: An argument is missing, or unknown.
            HTTPInvalidRequestError: The parameter class refuses a value.
        """
        try:
            return self.make(*args, **kwargs)
        except TypeError:
            raise
        except Exception as error:  # noqa: BLE001  # a parameter class may raise anything
            refusal = self.refusal(error)
            raise refusal from refusal.__cause__

    def request(
        self, binding: Binding, options: RequestOptions, parameters: object
    ) -> tuple[str, RequestOptions]:
        """Write the request of a call: its URL and its options.

        Raises:
            HTTPInvalidRequestError: A parameter cannot be sent.
        """
        plan = self.plan
        try:
            if plan.is_bare:
                return binding.url(plan.target(parameters)), options
            written = plan.write(parameters)
        except ParameterError as error:
            refusal = self.refusal(error)
            raise refusal from refusal.__cause__
        return binding.url(written.target), _with_content(options, written)

    def named(self, options: RequestOptions) -> RequestOptions:
        """Add the template of the path, which names the spans of a call."""
        return {"url_template": self.path, **options}

    def refusal(self, error: Exception) -> HTTPInvalidRequestError:
        """Build the failure of parameters that a class refused, or that cannot be sent."""
        if isinstance(error, ParameterError):
            message, field, cause = error.message, error.field, error.__cause__
        else:
            message = f"the parameter class refuses it: {type(error).__name__}"
            field, cause = _refused_field(error), error
        failure = HTTPInvalidRequestError(
            message, field=field, method=self.method, url=self.path, attempts=0
        )
        failure.__cause__ = cause
        return failure


def _with_content(options: RequestOptions, written: Written) -> RequestOptions:
    if written.document is not None:
        options = {**options, "json": written.document}
    elif written.data is not None:
        options = {**options, "data": written.data}
    return merged(options, {"headers": written.headers}) if written.headers else options


class _ValidationError(Protocol):
    """The part of pydantic's `ValidationError` that is read; its message may quote the value."""

    def errors(self) -> Sequence[Mapping[str, Sequence[object]]]: ...


def _refused_field(error: Exception) -> str:
    if type(error).__name__ != "ValidationError" or not hasattr(error, "errors"):
        return ""
    found = cast("_ValidationError", error).errors()  # by its name; pydantic may not be installed
    location = found[0].get("loc", ()) if found else ()
    return str(location[0]) if location else ""


def _is_class_body(frame: FrameType) -> bool:
    names = frame.f_locals
    return names is not frame.f_globals and "__module__" in names and "__qualname__" in names


def caller() -> FrameType:
    """Return the frame that called the function that calls this."""
    return sys._getframe(2)
