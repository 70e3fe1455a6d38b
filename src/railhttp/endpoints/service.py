"""A service: endpoints that share a client, a base and options."""

from typing import ClassVar, TypeAlias, get_type_hints

from typing_extensions import Unpack

from railhttp.client.http_client import HTTPClient
from railhttp.endpoints.declaration import Binding, Declaration
from railhttp.endpoints.endpoint import Endpoint
from railhttp.endpoints.events import EventsEndpoint
from railhttp.endpoints.paged import PagedEndpoint
from railhttp.endpoints.streamed import StreamedEndpoint
from railhttp.model.options import RequestOptions


class Service:
    """Base of declared services: each endpoint in the body of a subclass is one of its methods.

    A field annotated with another service, `users: Users`, is that service with the same client,
    base and options.

    Args:
        client: The client that sends.
        base_url: The base of every path: a path such as `/v1`, which is joined to the base URL of
            the client, or a whole URL.
        **options: Options of every call, see `RequestOptions`. Those of an endpoint and of a call
            overrule them; header fields are overruled one by one.

    Raises:
        HTTPValidationError: The base URL is neither a path nor a URL.
        TypeError: An option is unknown. The class statement raises it if a declaration of the class
            contradicts itself.

    Example:
        >>> from railhttp.endpoints import get
        >>> class Clock(Service):
        ...     now = get("/now").gives(str)
        >>> Clock(HTTPClient(base_url="https://clock.example"), timeout=2).now
        <BoundEndpoint GET /now>
    """

    _raises_problems: ClassVar = True

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        for name, declared in vars(cls).items():
            plain = declared.endpoint if isinstance(declared, PagedEndpoint) else declared
            if isinstance(plain, Declaration):
                plain.check(f"{cls.__name__}.{name}")

    def __init__(
        self, client: HTTPClient, *, base_url: str = "", **options: Unpack[RequestOptions]
    ) -> None:
        self.binding: Binding = Binding.of(client, base_url, options)
        bound = vars(self)
        for name, declared in _members(type(self)).items():
            bound[name] = declared.bound(self.binding)  # found before the class's own, see __get__
        for name, service in services_of(type(self)).items():
            bound[name] = service(client, base_url=base_url, **options)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.binding.client!r}>"


AnyEndpoint: TypeAlias = (
    Endpoint[..., object, object]
    | EventsEndpoint[..., object, object]
    | StreamedEndpoint[..., object]
)
_Member: TypeAlias = AnyEndpoint | PagedEndpoint[..., object, object]


def endpoints_of(service: type[Service]) -> dict[str, AnyEndpoint]:
    """Find the endpoints of a service and of its bases, in the order of their declaration.

    Returns:
        The endpoints by name; that of a page for one that is `paged`.
    """
    return {
        name: declared.endpoint if isinstance(declared, PagedEndpoint) else declared
        for name, declared in _members(service).items()
    }


def _members(service: type[Service]) -> dict[str, _Member]:
    found: dict[str, _Member] = {}
    for base in reversed(service.__mro__):
        for name, declared in vars(base).items():
            found.pop(name, None)
            if isinstance(declared, Endpoint | EventsEndpoint | StreamedEndpoint | PagedEndpoint):
                found[name] = declared
    return found


def services_of(service: type[Service]) -> dict[str, type[Service]]:
    """Find the services that a service is composed of.

    Raises:
        TypeError: An annotation cannot be looked up.
    """
    try:
        hints = get_type_hints(service)
    except NameError as error:
        raise TypeError(
            f"{service.__name__}: an annotation cannot be looked up ({error}): define the service "
            "at the top of a module"
        ) from None
    return {
        name: hint
        for name, hint in hints.items()
        if isinstance(hint, type) and issubclass(hint, Service)
    }
