"""The parameters that a plan reads back from a request, and the requests that do not fit it."""

from dataclasses import dataclass
from typing import Annotated

import pytest
from multidict import CIMultiDict
from tests.endpoints.users_api import NewUser

from railhttp.endpoints import Body, Header, post
from railhttp.endpoints.plan import Received
from railhttp.endpoints.target import ParameterError


@dataclass(frozen=True)
class Change:
    user_id: int
    trace: Annotated[str, Header("X-Trace")]
    page: int
    tags: list[str]
    user: Body[NewUser]
    label: str | None
    limit: int = 9


PLAN = post("/users/{user_id}", Change).plan
FITS = Received(
    "/users/7",
    [("page", "2"), ("tags", "a"), ("tags", "b"), ("unknown", "x")],
    CIMultiDict({"X-Trace": "t", "Content-Type": "application/json", "X-Unknown": "x"}),
    b'{"name": "Ann"}',
)


def test_a_request_that_fits_is_read_back() -> None:
    assert PLAN.read(FITS) == {
        "user_id": 7,
        "trace": "t",
        "page": 2,
        "tags": ["a", "b"],
        "user": NewUser("Ann"),
        "label": None,
    }


@pytest.mark.parametrize(
    ("field", "received"),
    [
        ("path", FITS._replace(path="/users")),
        ("user_id", FITS._replace(path="/users/seven")),
        ("trace", FITS._replace(headers=CIMultiDict({"Content-Type": "application/json"}))),
        ("page", FITS._replace(query=[])),
        ("page", FITS._replace(query=[("page", "two")])),
        ("page", FITS._replace(query=[("page", "2"), ("page", "3")])),
        ("user", FITS._replace(body=b"")),
        ("user", FITS._replace(body=b"[]")),
        ("user", FITS._replace(body=b'{"name": "Ann", "unknown": 1}')),
    ],
)
def test_a_request_that_does_not_fit_names_its_field(field: str, received: Received) -> None:
    with pytest.raises(ParameterError) as caught:
        PLAN.read(received)
    assert caught.value.field == field
