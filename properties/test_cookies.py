"""Cookies against a model that is written down from RFC 6265, sections 5.1.3 to 5.4, alone.

The model keeps one list, searches it for everything, and knows nothing of the store.
"""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from railhttp import HTTPValidationError
from railhttp.wire.cookie_file import loads, to_json
from railhttp.wire.cookie_store import CookieStore
from railhttp.wire.cookies import cookie_header


@dataclass
class Kept:
    """A row of the model."""

    name: str
    value: str
    domain: str
    path: str
    host_only: bool
    secure: bool
    expires: float | None
    created: int


class Model:
    """RFC 6265 word by word, with the rules for secure cookies of RFC 6265bis, 5.7."""

    def __init__(self) -> None:
        self.rows: list[Kept] = []
        self.clock = 0

    def live(self, now: float) -> list[Kept]:
        self.rows = [row for row in self.rows if row.expires is None or row.expires > now]
        return self.rows

    def receive(self, field: "Field", host: str, path: str, https: bool, now: float) -> None:
        self.clock += 1
        domain = (field.domain or "").removeprefix(".").lower()
        if domain and "." not in domain and domain != host:
            return
        if domain and "." in domain and not matches(host, domain):
            return
        host_only = not domain or "." not in domain
        cut = path[: path.rindex("/")]
        cookie_path = field.path if (field.path or "").startswith("/") else cut or "/"
        assert cookie_path is not None
        domain = host if host_only else domain
        if field.secure and not https:
            return
        if not https:
            for row in self.live(now):
                related = matches(row.domain, domain) or matches(domain, row.domain)
                if (
                    row.secure
                    and row.name == field.name
                    and related
                    and covers(row.path, cookie_path)
                ):
                    return
        expires = None
        if field.max_age is not None:
            expires = now + field.max_age if field.max_age > 0 else float("-inf")
        created = self.clock
        for row in self.live(now):
            if (row.name, row.domain, row.path) == (field.name, domain, cookie_path):
                created = row.created
                self.rows.remove(row)
                break
        row = Kept(
            field.name, field.value, domain, cookie_path, host_only, field.secure, expires, created
        )
        self.rows.append(row)
        self.live(now)

    def header(self, host: str, path: str, https: bool, now: float) -> str:
        found = [
            row
            for row in self.live(now)
            if (row.domain == host if row.host_only else matches(host, row.domain))
            and covers(row.path, path)
            and (https or not row.secure)
        ]
        found.sort(key=lambda row: (-len(row.path), row.created))
        return "; ".join(f"{row.name}={row.value}" for row in found)


def matches(host: str, domain: str) -> bool:
    """5.1.3."""
    if host == domain:
        return True
    is_name = not all(part.isdigit() for part in host.split("."))
    return is_name and host[: -len(domain)].endswith(".") and host.endswith(domain)


def covers(cookie_path: str, path: str) -> bool:
    """5.1.4: does a cookie's path cover a request's?"""
    if cookie_path == path:
        return True
    if path[: len(cookie_path)] != cookie_path:
        return False
    return cookie_path[-1] == "/" or path[len(cookie_path) :][:1] == "/"


@dataclass(frozen=True)
class Field:
    """A `Set-Cookie` field before it is written down."""

    name: str
    value: str
    domain: str | None
    path: str | None
    max_age: int | None
    secure: bool

    def written(self) -> bytes:
        parts = [f"{self.name}={self.value}"]
        parts += [] if self.domain is None else [f"DOMAIN={self.domain}"]
        parts += [] if self.path is None else [f"path = {self.path}"]
        parts += [] if self.max_age is None else [f"Max-Age={self.max_age}"]
        parts += ["secure"] * self.secure
        return "; ".join(parts).encode()


HOSTS = ["shop.test", "a.shop.test", "b.a.shop.test", "myshop.test", "localhost", "10.0.0.1"]
PATHS = ["/", "/a", "/a/", "/a/b", "/ab", "/a%2Fb", "/a/b/c"]
hosts, paths = st.sampled_from(HOSTS), st.sampled_from(PATHS)
fields = st.builds(
    Field,
    st.sampled_from(["x", "y"]),
    st.sampled_from(["1", "2", '"3"', ""]),
    st.none() | st.sampled_from([*HOSTS, ".shop.test", "A.Shop.Test", "test", "0.0.1", "op.test"]),
    st.none() | st.sampled_from([*PATHS, "a", ""]),
    st.none() | st.sampled_from([-1, 0, 5, 20]),
    st.booleans(),
)
received = st.tuples(st.lists(fields, max_size=3), hosts, paths, st.booleans())
asked = st.tuples(st.none(), hosts, paths, st.booleans())


@given(st.lists(st.tuples(received | asked, st.sampled_from([0, 1, 5, 15])), max_size=30))
def test_a_store_sends_what_the_model_of_the_rfc_sends(
    events: list[tuple[tuple[list[Field] | None, str, str, bool], int]],
) -> None:
    store, model, now = CookieStore(), Model(), 1000.0
    for (set_cookies, host, path, https), pause in events:
        now += pause
        url = URL.build(scheme="https" if https else "http", host=host, path=path, encoded=True)
        if set_cookies is None:
            store, cookies = store.retrieve(url, now)
            assert cookie_header(cookies) == model.header(host, path, https, now)
        else:
            store = store.receive([one.written() for one in set_cookies], url, now)
            for one in set_cookies:
                model.receive(one, host, path, https, now)
        assert len(store.cookies(now)) == len(model.live(now))


@given(st.lists(st.tuples(fields, hosts, paths), max_size=20))
def test_a_saved_store_sends_the_same(events: list[tuple[Field, str, str]]) -> None:
    store = CookieStore()
    for field, host, path in events:
        url = URL.build(scheme="https", host=host, path=path, encoded=True)
        store = store.receive([field.written()], url, 0.0)
    loaded = CookieStore().add(loads(to_json(store.cookies(0.0))), 0.0)
    for host in HOSTS:
        for path in PATHS:
            url = URL.build(scheme="https", host=host, path=path, encoded=True)
            assert loaded.retrieve(url, 0.0)[1] == store.retrieve(url, 0.0)[1]


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text_is_a_file_of_cookies_or_refused(text: str) -> None:
    for written in (text, f"{{{text}", f"h\tFALSE\t/\tFALSE\t0\t{text}"):
        try:
            cookies = loads(written)
        except HTTPValidationError:
            continue
        assert loads(to_json(cookies)) == cookies


pieces = st.sampled_from(
    [
        *(
            b"a",
            b"=",
            b";",
            b" ",
            b"\t",
            b'"',
            b"\xff",
            b"\x00",
            b"/",
            b"h",
            b".",
            b",",
            b"__Host-",
        ),
        *(b"Domain", b"Path", b"Expires", b"01 Jan 1970 00:00:00", b"Max-Age", b"-1", b"9" * 400),
        b"Secure",
    ]
)


@given(st.lists(pieces).map(b"".join) | st.binary(), st.booleans())
def test_any_bytes_are_no_cookie_or_one_that_goes_back_in_the_same_bytes(
    field: bytes, https: bool
) -> None:
    url = URL(f"{'https' if https else 'http'}://h/a")
    _, cookies = CookieStore().receive([field], url, 0.0).retrieve(url, 0.0)
    for cookie in cookies:
        header = cookie_header([cookie]).encode("utf-8", "surrogateescape")
        name, _, value = header.partition(b"=")
        assert field.lstrip(b" \t").startswith(name)
        assert field.partition(b"=")[2].lstrip(b" \t").startswith(value)
        assert not set(header) & {*range(9), *range(10, 32), 127, ord(";")}
