"""The API that the tests of endpoints share."""

from dataclasses import dataclass
from typing import Annotated

from railhttp.endpoints import Body, Header, Query, Service, delete, get, patch, post, put


@dataclass(frozen=True)
class User:
    id: int
    name: str


@dataclass(frozen=True)
class NewUser:
    name: str


@dataclass(frozen=True)
class UserNotFound:
    user_id: int


@dataclass(frozen=True)
class RateLimited:
    retry_after: int


@dataclass(frozen=True)
class Taken:
    name: str


@dataclass(frozen=True)
class Problem:
    title: str


@dataclass(frozen=True)
class Accepted:
    job: str


@dataclass(frozen=True)
class FindUser:
    user_id: int
    expand: bool = False
    trace: Annotated[str | None, Header("X-Trace")] = None


@dataclass(frozen=True)
class ListUsers:
    tags: list[str]
    page_size: Annotated[int | None, Query("page-size")] = None


@dataclass(frozen=True)
class AddUser:
    user: Body[NewUser]


@dataclass(frozen=True)
class ChangeUser:
    user_id: int
    user: Body[NewUser]


@dataclass(frozen=True)
class Since:
    since: int = 0


class Users(Service):
    """The users API."""

    find = (
        get("/users/{user_id}", FindUser)
        .gives(User)
        .fails(404, UserNotFound)
        .fails(429, RateLimited)
    )
    search = get("/users", ListUsers).gives(list[User])
    add = (
        post("/users", AddUser).gives(User, status=201).fails(409, Taken).fails({400, 422}, Problem)
    )
    change = put("/users/{user_id}", ChangeUser).gives(User).or_gives(202, Accepted)
    touch = patch("/users/{user_id}", ChangeUser).gives(None, status=204)
    remove = delete("/users/{user_id}", FindUser).gives(None, status=204).fails(404, UserNotFound)
    health = get("/health")
    feed = get("/feed", Since).events(User).fails(404, UserNotFound)
    export = get("/users.csv").fails(403, Problem).streamed()


class Orders(Service):
    """Another API."""

    count = get("/orders/count").gives(int)


class Api(Service):
    """Both."""

    users: Users
    orders: Orders
