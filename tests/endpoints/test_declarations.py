"""Declarations are checked when they are made, and the error names the endpoint and the field."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import InitVar, dataclass
from functools import partial
from typing import Annotated, Final, Never

import pytest
from tests.endpoints.users_api import AddUser, Api, FindUser, NewUser, Problem, User, Users

from railhttp import HTTPClient, HttpResponse, HTTPValidationError
from railhttp.endpoints import (
    Body,
    Endpoint,
    Header,
    Query,
    Service,
    delete,
    get,
    head,
    patch,
    post,
    put,
    request,
)
from railhttp.endpoints.declaration import Declaration


@dataclass
class TwoBodies:
    first: Body[NewUser]
    second: Body[NewUser]


@dataclass
class Nested:
    user: NewUser


@dataclass
class Forgotten:
    secret: InitVar[str]


@dataclass
class Twice:
    a: Annotated[str, Query("x")]
    x: str


@dataclass
class BadHeader:
    trace: Annotated[str, Header("X Trace")]


@dataclass
class Marked:
    user_id: Annotated[int, Query("id")]


@dataclass
class Optional:
    user_id: int | None


@dataclass
class TwoPlaces:
    trace: Annotated[str, Header("X-Trace"), Query("trace")]


def untyped(user_id):  # type: ignore[no-untyped-def]  # that is the case
    return {"user_id": user_id}


def variadic(*user_ids: int) -> dict[str, object]:
    return {"user_ids": user_ids}


@pytest.mark.parametrize(
    ("declare", "field"),
    [
        pytest.param(lambda: get("/users/{id}", FindUser), "id", id="a name without a field"),
        pytest.param(lambda: get("/users/{id}"), "id", id="a name without parameters"),
        pytest.param(lambda: get("/{user_id}/{user_id}", FindUser), "user_id", id="a name twice"),
        pytest.param(lambda: post("/users", TwoBodies), "second", id="two bodies"),
        pytest.param(lambda: get("/users", AddUser), "user", id="a body on GET"),
        pytest.param(lambda: get("/users", Nested), "user", id="a document in the query"),
        pytest.param(lambda: get("/users", Twice), "x", id="one query parameter twice"),
        pytest.param(lambda: get("/users", BadHeader), "trace", id="no name of a header field"),
        pytest.param(lambda: get("/users/{user_id}", Marked), "user_id", id="marked and in path"),
        pytest.param(lambda: get("/users/{user_id}", Optional), "user_id", id="None in the path"),
        pytest.param(lambda: get("/users", Forgotten), "secret", id="an argument that is not kept"),
        pytest.param(lambda: get("/{user_id}", untyped), "user_id", id="a parameter without type"),
        pytest.param(lambda: get("/users", variadic), "user_ids", id="a variadic function"),
        pytest.param(lambda: get("/users", TwoPlaces), "one place", id="two markers"),
        pytest.param(lambda: get("/users", 7), "parameters", id="no parameter class"),  # type: ignore[call-overload]  # refused
        pytest.param(lambda: get("users"), "path", id="no slash"),
        pytest.param(lambda: get("/users?page=1"), "path", id="a query in the path"),
        pytest.param(lambda: get("/users/../x"), "path", id="dots in the path"),
        pytest.param(lambda: get("/users/{user_id", FindUser), "path", id="half a brace"),
        pytest.param(lambda: get("/{user_id}{expand}", FindUser), "path", id="nothing between"),
        pytest.param(lambda: get("/").gives(complex), "status 200", id="no type to decode"),
        pytest.param(lambda: get("/").fails(404, complex), "status 404", id="no refusal to decode"),
        pytest.param(lambda: get("/").events(complex), "complex", id="no event to decode"),
        pytest.param(
            lambda: get("/").gives(User).or_gives(200, Problem), "status 200", id="a value twice"
        ),
        pytest.param(
            lambda: get("/").fails(range(400, 500), Problem).fails(404, User),
            "status 404",
            id="a refusal twice",
        ),
        pytest.param(
            lambda: get("/").gives(User).fails(200, Problem), "status 200", id="value and refusal"
        ),
        pytest.param(
            lambda: get("/").gives(User).fails(404, User), "User", id="the success as a refusal"
        ),
        pytest.param(
            lambda: get("/").gives(User | None).fails(404, User | Problem),
            "User",
            id="a part of the success as a refusal",
        ),
        *(
            pytest.param(
                lambda status=status: get("/").fails(status, Problem), "status", id=f"{status}"
            )
            for status in (0, 199, 600, {404, 1000}, True, "404", ())
        ),
    ],
)
def test_a_contradiction_is_a_type_error(declare: Callable[[], object], field: str) -> None:
    with pytest.raises(TypeError) as caught:
        declare()
    text = str(caught.value)
    assert text.startswith(("GET /", "POST /", "GET users"))
    assert field in text


def test_the_class_statement_raises_it_plainly() -> None:
    with pytest.raises(TypeError) as caught:

        class _Broken(Service):
            find = get("/users/{id}", FindUser).gives(User).fails(404, Problem)

    assert str(caught.value) == (
        "_Broken.find (GET /users/{id}): id: the path names it, but the parameters have no such "
        "field"
    )


VERBS: Final[dict[str, Callable[..., Endpoint[..., HttpResponse, Never]]]] = {
    "GET": get,
    "POST": post,
    "PUT": put,
    "DELETE": delete,
    "PATCH": patch,
    "HEAD": head,
    "QUERY": partial(request, "query"),
}


@pytest.mark.parametrize("method", VERBS)
def test_each_verb_declares_its_method(method: str) -> None:
    endpoint = VERBS[method]("/users/{user_id}", FindUser)
    assert (endpoint.method, endpoint.path) == (method, "/users/{user_id}")


@pytest.mark.parametrize("method", VERBS)
def test_a_problem_of_any_verb_is_raised_with_the_name_of_the_endpoint(method: str) -> None:
    declare = VERBS[method]
    with pytest.raises(TypeError, match=f"^{method} /users/{{id}}: id: "):
        declare("/users/{id}", FindUser)
    with pytest.raises(TypeError, match=rf"^_Broken.find \({method} /users/{{id}}\): id: "):

        class _Broken(Service):
            find = declare("/users/{id}", FindUser)


def test_a_problem_of_any_part_of_a_declaration_is_raised_with_the_name_of_the_endpoint() -> None:
    with pytest.raises(TypeError, match=r"^_Value\.of "):

        class _Value(Service):
            of = get("/users").gives(complex)

    with pytest.raises(TypeError, match=r"^_OtherValue\.of "):

        class _OtherValue(Service):
            of = get("/users").or_gives(202, complex)

    with pytest.raises(TypeError, match=r"^_Refusal\.of "):

        class _Refusal(Service):
            of = get("/users").fails(1, User)

    with pytest.raises(TypeError, match=r"^_Events\.of "):

        class _Events(Service):
            of = get("/users").events(complex)

    with pytest.raises(TypeError, match=r"^_RefusedEvents\.of "):

        class _RefusedEvents(Service):
            of = get("/users").events(User).fails(1, User)

    with pytest.raises(TypeError, match=r"^_RefusedStream\.of "):

        class _RefusedStream(Service):
            of = get("/users").streamed().fails(1, User)


@pytest.mark.parametrize("late", [lambda one: one.gives(complex), lambda one: one.fails(1, User)])
def test_the_class_statement_raises_for_each_part(
    late: Callable[[Endpoint[[], HttpResponse, object]], object],
) -> None:
    with pytest.raises(TypeError):

        class _Broken(Service):
            find = late(get("/users"))


def test_a_type_that_cannot_be_looked_up_is_named() -> None:
    @dataclass
    class Unknown:
        page: "Nowhere"  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(TypeError, match="at the top of a module"):
        get("/users", Unknown)


def test_an_endpoint_is_a_frozen_value() -> None:
    one, other = get("/users").gives(User), get("/users").gives(User)
    assert one == other
    assert hash(one) == hash(other)
    assert one != get("/users").gives(User, status=201)
    assert one != one.keyed()
    with pytest.raises(AttributeError):
        one.method = "PUT"  # type: ignore[misc]  # frozen
    assert repr(one) == "<Endpoint GET /users>"


def test_any_method_can_be_declared() -> None:
    assert str(request("query", "/users")) == "QUERY /users"
    with pytest.raises(HTTPValidationError):
        request("GE T", "/users")


@pytest.mark.parametrize("base_url", ["v1", "http://", 5])
def test_a_base_url_is_checked(base_url: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        Users(HTTPClient(), base_url=base_url)
    assert caught.value.field == "base_url"


def test_an_option_that_does_not_exist_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="tiemout"):
        Users(HTTPClient(), tiemout=1)  # type: ignore[call-arg]  # misspelt
    with pytest.raises(TypeError, match="tiemout"):
        get("/").with_options(tiemout=1)  # type: ignore[call-arg]  # misspelt
    with pytest.raises(TypeError, match="tiemout"):
        Users(HTTPClient()).find.with_options(tiemout=1)  # type: ignore[call-arg]  # misspelt


def test_a_service_that_cannot_be_looked_up_is_named() -> None:
    class Broken(Service):
        users: "Nowhere"  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(TypeError, match="Broken"):
        Broken(HTTPClient())


def test_services_show_their_client() -> None:
    assert repr(Api(HTTPClient()).users) == "<Users of <HTTPClient not started>>"
    assert repr(Users(HTTPClient()).find) == "<BoundEndpoint GET /users/{user_id}>"
    assert repr(Users(HTTPClient()).feed) == "<BoundEvents GET /feed>"
    assert repr(Users(HTTPClient()).export) == "<BoundStream GET /users.csv>"


@dataclass
class Unsendable:
    user: Body[complex]


def test_a_body_that_no_document_can_hold_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"^POST /users: user: "):
        post("/users", Unsendable)


@dataclass
class MarkedPart:
    trace: Annotated[str, Header("X-Trace")] | None = None
    page: Annotated[int, Query("p")] | None = None


def test_a_part_of_a_union_may_be_marked() -> None:
    plan = get("/users", MarkedPart).plan
    assert [(one.name, one.wire) for one in plan.in_headers] == [("trace", "X-Trace")]
    assert [(one.name, one.wire) for one in plan.in_query] == [("page", "p")]
    assert [one.hint for one in plan.parameters] == [str | None, int | None]


@pytest.mark.parametrize(
    "endpoint", [get("/x").gives(int), get("/x"), get("/x").events(int), get("/x").streamed()]
)
def test_an_endpoint_is_its_own_copy_and_says_why_it_cannot_be_pickled(
    endpoint: Declaration,
) -> None:
    assert copy.copy(endpoint) is copy.deepcopy([endpoint])[0] is endpoint
    with pytest.raises(TypeError, match=r"<\w+ GET /x> cannot be pickled.*: import it from"):
        pickle.dumps({"endpoint": endpoint})
