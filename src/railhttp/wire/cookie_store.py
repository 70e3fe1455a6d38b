"""Which cookies are kept and which are sent (RFC 6265, sections 5.3 and 5.4; RFC 6265bis, 5.7)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

from yarl import URL

from railhttp.model.url import path_of
from railhttp.wire.cookie_rules import CookieRules, SecureCookies
from railhttp.wire.cookies import (
    Cookie,
    is_address,
    path_matches,
    request_host,
)
from railhttp.wire.set_cookie import parse_set_cookie

_Key: TypeAlias = tuple[str, str]  # path and name: with the domain they identify a cookie


class _Entry(NamedTuple):
    """A cookie, and the order in which it was created and last sent."""

    cookie: Cookie
    created: int
    used: int


_Bucket: TypeAlias = dict[_Key, _Entry]
_created: Final = attrgetter("created")
_used: Final = attrgetter("used")


@dataclass(frozen=True, slots=True)
class CookieStore:
    """The cookies of a client, as a value: each method returns a new store.

    Times are seconds since 1970-01-01 UTC.

    Example:
        >>> url, store = URL("https://shop.test/cart"), CookieStore()
        >>> store = store.receive([b"sid=7; Secure", b"view=wide; Max-Age=60"], url, now=0.0)
        >>> store, cookies = store.retrieve(url, now=30.0)
        >>> [(cookie.name, cookie.value) for cookie in cookies]
        [('sid', '7'), ('view', 'wide')]
        >>> store, cookies = store.retrieve(URL("http://shop.test/"), now=60.0)
        >>> cookies
        ()
    """

    rules: CookieRules = field(default_factory=CookieRules)
    _buckets: Mapping[str, _Bucket] = field(default_factory=dict, repr=False)
    size: int = 0
    _turn: int = 0
    _due: float = inf  # when the first cookie expires

    def __len__(self) -> int:
        return self.size

    def cookies(self, now: float) -> tuple[Cookie, ...]:
        """Return all cookies that have not expired, in the order in which they were created."""
        entries = sorted(self._entries(), key=_created)
        return tuple(entry.cookie for entry in entries if not entry.cookie.is_expired(now))

    def receive(self, fields: Iterable[bytes], url: URL, now: float) -> "CookieStore":
        """Store the cookies that a response sets, except those that it may not set.

        Args:
            fields: The values of its `Set-Cookie` fields.
            url: The URL of the request.
            now: The time.
        """
        store = self.purge(now)
        draft = _Draft(store)
        protected = SecureCookies(
            (entry.cookie for entry in store._entries()) if url.scheme == "http" else ()
        )
        for one in fields:
            asked = parse_set_cookie(one, now)
            cookie = None if asked is None else self.rules.accept(asked, url)
            if cookie is not None and not protected.overlap(cookie):
                draft.put(cookie, now)
        draft.evict(self.rules)
        return draft.store(self.rules)

    def retrieve(self, url: URL, now: float) -> "tuple[CookieStore, tuple[Cookie, ...]]":
        """Find the cookies for a request: longer paths first, then those created earlier.

        Args:
            url: The URL of the request.
            now: The time.

        Returns:
            The store, in which these cookies are the last to be evicted, and the cookies.
        """
        store = self.purge(now)
        host, path, secure = request_host(url), path_of(url), url.scheme == "https"
        found = [
            entry
            for domain in _domains_of(host)
            for entry in store._buckets.get(domain, _NOTHING).values()
            if (domain == host or not entry.cookie.host_only)
            and (secure or not entry.cookie.secure)
            and path_matches(path, entry.cookie.path)
        ]
        if not found:
            return store, ()
        found.sort(key=lambda entry: (-len(entry.cookie.path), entry.created))
        cookies = tuple([entry.cookie for entry in found])
        if min(map(_used, found)) > store._turn - len(found):  # no other was sent since
            return store, cookies
        draft = _Draft(store)
        for entry in found:
            draft.touch(entry)
        return draft.store(self.rules), cookies

    def add(self, cookies: Iterable[Cookie], now: float) -> "CookieStore":
        """Store cookies without checks; one of the same name, domain and path is replaced."""
        draft = _Draft(self.purge(now))
        for cookie in cookies:
            draft.put(cookie, now)
        draft.evict(self.rules)
        return draft.store(self.rules)

    def remove(self, leaves: Callable[[Cookie], bool]) -> "CookieStore":
        """Remove the cookies for which `leaves` returns true."""
        draft = _Draft(self)
        draft.due = inf
        for entry in self._entries():
            if leaves(entry.cookie):
                draft.discard(entry.cookie)
            elif entry.cookie.expires is not None:
                draft.due = min(draft.due, entry.cookie.expires)
        return draft.store(self.rules)

    def purge(self, now: float) -> "CookieStore":
        """Remove the cookies that have expired."""
        return self if now < self._due else self.remove(lambda cookie: cookie.is_expired(now))

    def _entries(self) -> Iterator[_Entry]:
        return (entry for bucket in self._buckets.values() for entry in bucket.values())


_NOTHING: Final[_Bucket] = {}


def _domains_of(host: str) -> Iterator[str]:
    """The domains whose cookies a host may get: itself, those above it, and the empty one."""
    yield host
    if not is_address(host):
        rest = host.partition(".")[2]
        while rest:
            yield rest
            rest = rest.partition(".")[2]
    yield ""


class _Draft:
    """A store that is being changed; buckets are copied when they are first written to."""

    def __init__(self, store: CookieStore) -> None:
        self.buckets: dict[str, _Bucket] = dict(store._buckets)
        self.size = store.size
        self.turn = store._turn
        self._own: set[str] = set()
        self.due = store._due  # may be that of a cookie that was removed: then nothing expires

    def store(self, rules: CookieRules) -> CookieStore:
        """Return the changed store; the draft must not be used after that."""
        return CookieStore(rules, self.buckets, self.size, self.turn, self.due)

    def put(self, cookie: Cookie, now: float) -> None:
        """Store a cookie; one that has expired only removes its predecessor (5.3, step 11)."""
        if cookie.is_expired(now):
            self.discard(cookie)
            return
        bucket, key = self._bucket(cookie.domain), (cookie.path, cookie.name)
        old = bucket.get(key)
        self.turn += 1
        self.size += old is None
        created = self.turn if old is None else old.created
        bucket[key] = _Entry(cookie, created, self.turn)
        if cookie.expires is not None:
            self.due = min(self.due, cookie.expires)

    def touch(self, entry: _Entry) -> None:
        """Note that a cookie is sent."""
        self.turn += 1
        cookie = entry.cookie
        bucket = self._bucket(cookie.domain)
        bucket[cookie.path, cookie.name] = entry._replace(used=self.turn)

    def discard(self, cookie: Cookie) -> None:
        """Remove the cookie of this name, domain and path."""
        key = (cookie.path, cookie.name)
        if key not in self.buckets.get(cookie.domain, _NOTHING):
            return
        bucket = self._bucket(cookie.domain)
        del bucket[key]
        self.size -= 1
        if not bucket:
            del self.buckets[cookie.domain]
            self._own.discard(cookie.domain)

    def evict(self, rules: CookieRules) -> None:
        """Remove what is beyond the limits, in the order of RFC 6265bis, section 5.7."""
        for domain in list(self._own):
            excess = len(self.buckets[domain]) - rules.max_per_domain
            if excess > 0:
                order = sorted(self.buckets[domain].values(), key=_insecure_first)
                self._discard_all(order[:excess])
        if self.size > rules.max_cookies:
            entries = [entry for bucket in self.buckets.values() for entry in bucket.values()]
            self._discard_all(sorted(entries, key=_used)[: self.size - rules.max_cookies])

    def _discard_all(self, entries: Iterable[_Entry]) -> None:
        for entry in entries:
            self.discard(entry.cookie)

    def _bucket(self, domain: str) -> _Bucket:
        if domain not in self._own:
            self._own.add(domain)
            self.buckets[domain] = dict(self.buckets.get(domain, _NOTHING))
        return self.buckets[domain]


def _insecure_first(entry: _Entry) -> tuple[bool, int]:
    return entry.cookie.secure, entry.used
