"""Declaring endpoints: one function for each method."""

import sys
from collections.abc import Callable
from typing import Never, ParamSpec, overload

from railhttp.endpoints.endpoint import Endpoint
from railhttp.endpoints.parameters import no_parameters
from railhttp.model.request import require_method
from railhttp.model.response import HttpResponse

P = ParamSpec("P")


@overload
def get(path: str, /) -> Endpoint[[], HttpResponse, Never]: ...
@overload
def get(path: str, params: Callable[P, object], /) -> Endpoint[P, HttpResponse, Never]: ...
def get(path: str, params: Callable[..., object] = no_parameters, /) -> object:
    """Declare an endpoint of the method GET.

    Args:
        path: The path, with its fields in braces: `/users/{user_id}`.
        params: The parameter class: a dataclass, an attrs class, a NamedTuple, a msgspec Struct, a
            pydantic model, or a function that returns its arguments as a dict. A field that the
            path names is a segment of the path; other fields are query parameters, unless they are
            marked by `Body` or `Header`. A field that is None is left out.

    Returns:
        The endpoint. Without `gives` it returns the `HttpResponse` of any status below 400.

    Raises:
        TypeError: The declaration contradicts itself. In the body of a `Service`, the class
            statement raises it, and its message names the endpoint and the field.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class FindUser:
        ...     user_id: int
        >>> get("/users/{user_id}", FindUser).gives(dict[str, str]).fails(404, str)
        <Endpoint GET /users/{user_id}>
        >>> get("/users/{id}", FindUser)
        Traceback (most recent call last):
        TypeError: GET /users/{id}: id: the path names it, but the parameters have no such field
    """
    return Endpoint.declared("GET", path, params, sys._getframe(1))


@overload
def post(path: str, /) -> Endpoint[[], HttpResponse, Never]: ...
@overload
def post(path: str, params: Callable[P, object], /) -> Endpoint[P, HttpResponse, Never]: ...
def post(path: str, params: Callable[..., object] = no_parameters, /) -> object:
    """Declare an endpoint of the method POST; see `get`."""
    return Endpoint.declared("POST", path, params, sys._getframe(1))


@overload
def put(path: str, /) -> Endpoint[[], HttpResponse, Never]: ...
@overload
def put(path: str, params: Callable[P, object], /) -> Endpoint[P, HttpResponse, Never]: ...
def put(path: str, params: Callable[..., object] = no_parameters, /) -> object:
    """Declare an endpoint of the method PUT; see `get`."""
    return Endpoint.declared("PUT", path, params, sys._getframe(1))


@overload
def delete(path: str, /) -> Endpoint[[], HttpResponse, Never]: ...
@overload
def delete(path: str, params: Callable[P, object], /) -> Endpoint[P, HttpResponse, Never]: ...
def delete(path: str, params: Callable[..., object] = no_parameters, /) -> object:
    """Declare an endpoint of the method DELETE; see `get`."""
    return Endpoint.declared("DELETE", path, params, sys._getframe(1))


@overload
def patch(path: str, /) -> Endpoint[[], HttpResponse, Never]: ...
@overload
def patch(path: str, params: Callable[P, object], /) -> Endpoint[P, HttpResponse, Never]: ...
def patch(path: str, params: Callable[..., object] = no_parameters, /) -> object:
    """Declare an endpoint of the method PATCH; see `get`."""
    return Endpoint.declared("PATCH", path, params, sys._getframe(1))


@overload
def head(path: str, /) -> Endpoint[[], HttpResponse, Never]: ...
@overload
def head(path: str, params: Callable[P, object], /) -> Endpoint[P, HttpResponse, Never]: ...
def head(path: str, params: Callable[..., object] = no_parameters, /) -> object:
    """Declare an endpoint of the method HEAD; see `get`."""
    return Endpoint.declared("HEAD", path, params, sys._getframe(1))


@overload
def request(method: str, path: str, /) -> Endpoint[[], HttpResponse, Never]: ...
@overload
def request(
    method: str, path: str, params: Callable[P, object], /
) -> Endpoint[P, HttpResponse, Never]: ...
def request(method: str, path: str, params: Callable[..., object] = no_parameters, /) -> object:
    """Declare an endpoint of any method, such as `QUERY` or `OPTIONS`; see `get`.

    Raises:
        HTTPValidationError: The method is not a token (RFC 9110, section 9.1).
    """
    return Endpoint.declared(require_method(method), path, params, sys._getframe(1))
