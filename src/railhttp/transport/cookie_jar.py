"""The cookie jar of a pool, and how it is saved and loaded."""

import os
import tempfile
import time
from collections.abc import Callable, Container, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from yarl import URL

from railhttp.extra import provided_by
from railhttp.model.errors import HTTPValidationError
from railhttp.model.validation import require_flag

if TYPE_CHECKING:
    from railhttp.wire.cookie_rules import CookieRules
    from railhttp.wire.cookie_store import CookieStore
    from railhttp.wire.cookies import Cookie

CookieFormat: TypeAlias = Literal["json", "netscape"]
"""How a jar is written: `netscape` is the `cookies.txt` of Mozilla, curl and wget."""


class CookieJar:
    """Keeps the cookies that servers set, and returns those that a request has to carry.

    A pool makes one itself, `client.pool.cookie_jar`. Make your own to refuse cookies for public
    suffixes, or to share cookies between pools. A jar belongs to one thread; `save` may run in
    another one meanwhile.

    Args:
        public_suffixes: Whether cookies for public suffixes such as `co.uk` or `github.io` are
            refused, by the list of the package `publicsuffixlist`. Without it only suffixes
            without an inner dot, such as `com`, are refused.
        wall: Returns the time in seconds since 1970-01-01 UTC. Requests take the time of their
            client's clock; this one is for everything else.

    Raises:
        ModuleNotFoundError: `publicsuffixlist` is not installed; the error names the extra.

    Example:
        >>> from railhttp.cookies import Cookie, CookieJar
        >>> jar = CookieJar()
        >>> jar.add(Cookie("sid", "7", "shop.test"))
        >>> jar, [cookie.value for cookie in jar]
        (<CookieJar of 1>, ['7'])
    """

    def __init__(
        self, *, public_suffixes: bool = False, wall: Callable[[], float] = time.time
    ) -> None:
        strict = require_flag(public_suffixes, "public_suffixes")
        self._rules = _public_suffix_rules() if strict else None
        self._wall = wall
        self._kept: CookieStore | None = None

    @property
    def _store(self) -> "CookieStore":
        if self._kept is None:
            # Some 6 ms, which a program without cookies does not spend.
            from railhttp.wire.cookie_store import CookieStore  # noqa: PLC0415

            self._kept = CookieStore() if self._rules is None else CookieStore(self._rules)
        return self._kept

    @_store.setter
    def _store(self, store: "CookieStore") -> None:
        self._kept = store

    def __len__(self) -> int:
        return 0 if self._kept is None else self._kept.size

    def is_empty(self) -> bool:
        """Whether the jar has no cookies, as `not jar` says.

        Example:
            >>> from railhttp.cookies import Cookie, CookieJar
            >>> jar = CookieJar()
            >>> jar.is_empty()
            True
            >>> jar.add(Cookie("a", "1", "shop.test"))
            >>> jar.is_empty()
            False
        """
        return self._kept is None or not self._kept.size

    def __iter__(self) -> "Iterator[Cookie]":
        """Iterate over the cookies that have not expired, in the order of their creation."""
        return iter(self._store.cookies(self._wall()))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)}>"

    def add(self, *cookies: "Cookie") -> None:
        """Add cookies; each replaces the one of the same name, domain and path."""
        self._store = self._store.add(cookies, self._wall())

    def clear(self, leaves: "Callable[[Cookie], object]" = lambda _: True) -> None:
        """Remove cookies.

        Args:
            leaves: Returns whether a cookie is removed; without it all are.

        Example:
            >>> from railhttp.cookies import Cookie, CookieJar
            >>> jar = CookieJar()
            >>> jar.add(Cookie("a", "1", "shop.test"), Cookie("b", "2", "other.test"))
            >>> jar.clear(lambda cookie: cookie.domain == "shop.test")
            >>> [cookie.name for cookie in jar]
            ['b']
        """
        self._store = self._store.remove(lambda cookie: bool(leaves(cookie)))

    def receive(self, fields: Iterable[bytes], url: URL, now: float | None = None) -> None:
        """Store the cookies of a response, except those that its server may not set.

        Args:
            fields: The values of its `Set-Cookie` fields.
            url: The URL of the request.
            now: The time; that of `wall` if None.
        """
        self._store = self._store.receive(fields, url, self._wall() if now is None else now)

    def cookies_for(self, url: URL, now: float | None = None) -> "tuple[Cookie, ...]":
        """Return the cookies for a request, in the order in which they are sent.

        Args:
            url: The URL of the request.
            now: The time; that of `wall` if None.

        Example:
            >>> jar = CookieJar()
            >>> jar.receive([b"sid=7; Path=/cart"], URL("http://shop.test/"))
            >>> jar.cookies_for(URL("http://shop.test/cart/1"))
            (Cookie(name='sid', domain='shop.test', path='/cart', expires=None, secure=False,
                    http_only=False, host_only=True, same_site=None),)
        """
        now = self._wall() if now is None else now
        self._store, cookies = self._store.retrieve(url, now)
        return cookies

    def header_for(self, url: URL, now: float, without: Container[str] = ()) -> str:
        """Return the `Cookie` field of a request, empty if there are no cookies for it.

        Args:
            url: The URL of the request.
            now: The time.
            without: Names of cookies that are left out.
        """
        from railhttp.wire.cookies import cookie_header  # noqa: PLC0415

        cookies = self.cookies_for(url, now)
        return cookie_header(cookie for cookie in cookies if cookie.name not in without)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        format: CookieFormat = "json",  # noqa: A002  # the word of everyone who saves
        session_cookies: bool = False,
    ) -> None:
        """Write the cookies to a file that only its owner can read.

        The file is replaced in one step, so a reader sees the old one or the new one. This blocks
        for as long as the disk takes: `await asyncio.to_thread(jar.save, path)` does not.

        Args:
            path: The file; a symbolic link is replaced, not followed.
            format: `json` holds everything. `netscape` is what other programs read; it has no
                `SameSite`.
            session_cookies: Whether cookies without an expiry time are saved too.

        Raises:
            HTTPValidationError: The format is unknown.
            OSError: The file cannot be written.
        """
        from railhttp.wire import cookie_file  # noqa: PLC0415  # most programs save nothing

        writers = {"json": cookie_file.to_json, "netscape": cookie_file.to_netscape}
        if format not in writers:
            raise HTTPValidationError('must be "json" or "netscape"', field="format")
        kept = (cookie for cookie in self if session_cookies or cookie.expires is not None)
        _replace(Path(path), writers[format](kept).encode("latin-1"))

    def load(self, path: str | os.PathLike[str]) -> None:
        """Add the cookies of a file, in either format; those that have expired are left out.

        Args:
            path: The file.

        Raises:
            HTTPValidationError: It has no cookies in a format that is known; nothing is added.
            OSError: It cannot be read.
        """
        from railhttp.wire import cookie_file  # noqa: PLC0415

        self.add(*cookie_file.loads(Path(path).read_bytes().decode("latin-1")))


@cache
def _public_suffix_rules() -> "CookieRules":
    from railhttp.wire.cookie_rules import CookieRules  # noqa: PLC0415

    with provided_by("railhttp[publicsuffix]"):
        from publicsuffixlist import PublicSuffixList  # noqa: PLC0415  # 25 ms, and an extra
    return CookieRules(PublicSuffixList().is_public)


def _replace(path: Path, content: bytes) -> None:
    # Mode 0600 from the start, and a name that an attacker cannot have created before.
    descriptor, name = tempfile.mkstemp(prefix=".cookies-", dir=path.parent)
    temporary = Path(name)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
