"""The spelling of URLs: only what RFC 3986 does not allow is percent-encoded.

Everything else stays as it was given: reserved characters, encoded or not, mean different things
(section 2.2), and a signature covers the hexadecimal digits too.
"""

import re
from typing import Final, NamedTuple, Self
from urllib.parse import unquote

_PCHAR: Final = r"A-Za-z0-9._~!$&'()*+,;=:@\-"
_STRAY_PERCENT: Final = "%(?![0-9A-Fa-f]{2})"
_NOT_IN_USER: Final = re.compile(rf"{_STRAY_PERCENT}|[^A-Za-z0-9._~!$&'()*+,;=:%-]+")
_NOT_IN_PATH: Final = re.compile(rf"{_STRAY_PERCENT}|[^{_PCHAR}/%]+")
_NOT_IN_QUERY: Final = re.compile(rf"{_STRAY_PERCENT}|[^{_PCHAR}/?%]+")
_PAIR: Final = "%[0-9A-Fa-f]{2}"
_PATH: Final = rf"(?:[{_PCHAR}/]++|{_PAIR})*+"
_QUERY: Final = rf"(?:\?(?:[{_PCHAR}/?]++|{_PAIR})*+)?"
_SERVER: Final = r"[A-Za-z0-9.:\-]++"
CLEAN_START: Final = re.compile(rf"(https?)://({_SERVER})")
"""The start of a URL, up to its path, that has no user-info and no IPv6 host."""
CLEAN_PATH_QS: Final = re.compile(f"/{_PATH}{_QUERY}")
"""A path and a query that need no encoding. Most need none, and one match is fast."""
_CLEAN: Final = re.compile(
    rf"(?:(https?:)(//{_SERVER})|(?!//))(?=[/?#]|$)"
    rf"({_PATH})({_QUERY})((?:#(?:[{_PCHAR}/?]++|{_PAIR})*+)?)"
)
_TWO_DOTS: Final = re.compile(r"(?:\.|%(?:25)*2[Ee]){2}")
_ENCODED_PERCENT: Final = re.compile("%(?:25)+")
_REFERENCE: Final = (
    r"(?s)(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*:)?(?P<authority>//[^/?#]*)?"
    r"(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?P<fragment>#.*)?"
)


class Reference(NamedTuple):
    """A URI reference in its five parts, each with its delimiter (RFC 3986, appendix B).

    A part that is missing is empty, so the text of the parts is the reference.
    """

    scheme: str
    authority: str
    path: str
    query: str
    fragment: str

    @classmethod
    def clean(cls, text: str) -> Self | None:
        """Split a reference that needs no encoding and has no user-info, port name or IPv6 host.

        Returns:
            The parts; None for any other text, which may be a reference too.
        """
        parts = _CLEAN.fullmatch(text)
        return None if parts is None else cls(*parts.groups(""))

    @classmethod
    def of(cls, text: str) -> Self:
        """Split a reference, and percent-encode what its path, query and fragment may not contain.

        Raises:
            ValueError: The text has a surrogate that stands for no byte.

        Example:
            >>> "".join(Reference.of("http://h/a b%3b?x=%7E|"))
            'http://h/a%20b%3b?x=%7E%7C'
        """
        if clean := cls.clean(text):
            return clean
        scheme, authority, path, query, fragment = re.fullmatch(_REFERENCE, text).groups("")  # type: ignore[union-attr]  # it matches any text
        return cls(
            scheme,
            authority,
            spelled_path(path),
            spelled_query(query),
            fragment and "#" + spelled_query(fragment[1:]),
        )

    def resolve(self, reference: "Reference") -> "Reference":
        """Resolve a reference against this URL (RFC 3986, section 5.2).

        Example:
            >>> base = Reference.of("https://h/a/b?x#top")
            >>> "".join(base.resolve(Reference.of("../c")))
            'https://h/c'
        """
        if reference.scheme:
            return reference._replace(path=without_dot_segments(reference.path))
        if reference.authority:
            path = without_dot_segments(reference.path)
            return reference._replace(scheme=self.scheme, path=path)
        if not reference.path:
            query = reference.query or self.query
            return self._replace(query=query, fragment=reference.fragment)
        folder = "" if reference.path.startswith("/") else self.path.rpartition("/")[0] + "/"
        path = without_dot_segments(folder + reference.path)
        return reference._replace(scheme=self.scheme, authority=self.authority, path=path)


def spelled_user(user: str) -> str:
    """Percent-encode what the user-info of a URL may not contain."""
    return _NOT_IN_USER.sub(_encoded, user)


def spelled_path(path: str) -> str:
    """Percent-encode what the path of a URL may not contain."""
    return _NOT_IN_PATH.sub(_encoded, path)


def spelled_query(query: str) -> str:
    """Percent-encode what the query of a URL may not contain."""
    return _NOT_IN_QUERY.sub(_encoded, query)


def without_dot_segments(path: str) -> str:
    """Resolve the segments `.` and `..` of an absolute path (RFC 3986, section 5.2.4).

    Example:
        >>> without_dot_segments("/a/b/../%2e/./c/..")
        '/a/%2e/'
    """
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/".join([segments[0], *kept])


def climbs(path: str) -> bool:
    """Whether a relative path leaves the folder it is appended to, in any spelling.

    A server may decode `%2e`, `%2f` and `%5c` (more than once, behind a proxy), cut off `;`
    parameters and join slashes before it resolves `..`.

    Example:
        >>> climbs("a/../b"), climbs("a/%2E./..%2Fb")
        (False, True)
    """
    if not _TWO_DOTS.search(path):
        return False
    depth = 0
    for segment in re.split(r"[/\\]", unquote(_ENCODED_PERCENT.sub("%", path))):
        match segment.partition(";")[0]:
            case "" | ".":
                pass
            case "..":
                depth -= 1
                if depth < 0:
                    return True
            case _:
                depth += 1
    return False


def _encoded(forbidden: re.Match[str]) -> str:
    # The parser of heads writes a byte that is not UTF-8 as a surrogate.
    octets = forbidden[0].encode("utf-8", "surrogateescape")
    return "".join(f"%{octet:02X}" for octet in octets)
