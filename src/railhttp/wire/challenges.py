"""The challenges of a `WWW-Authenticate` field (RFC 9110, section 11.6.1)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

_NAME: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED: Final = r'"((?:[^"\\]|\\.)*)"'
_PARAMETER: Final = re.compile(rf"[ \t]*({_NAME})[ \t]*=[ \t]*(?:{_QUOTED}|({_NAME}))[ \t]*(?:,|$)")
_SCHEME: Final = re.compile(rf"[ \t,]*({_NAME})(?:[ \t]+|$)")
_TOKEN68: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*[ \t]*(?:,|$)")


class Challenge(NamedTuple):
    """A way to authenticate that a server offers.

    Attributes:
        scheme: The scheme in lower case.
        parameters: The parameters, with names in lower case.
    """

    scheme: str
    parameters: Mapping[str, str]


def challenges(fields: Iterable[str]) -> Iterator[Challenge]:
    """Yield the challenges of a response; a malformed challenge ends its field.

    Example:
        >>> [one.scheme for one in challenges(['Basic realm="a, b", Digest nonce="c", qop=auth'])]
        ['basic', 'digest']
    """
    for field in fields:
        position = 0
        while scheme := _SCHEME.match(field, position):
            position = scheme.end()
            parameters: dict[str, str] = {}
            while found := _PARAMETER.match(field, position):
                name, quoted, plain = found.groups()
                value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                parameters.setdefault(name.lower(), value)
                position = found.end()
            if not parameters and (token := _TOKEN68.match(field, position)):
                position = token.end()
            yield Challenge(scheme[1].lower(), parameters)


def parameters_of(field: str) -> Mapping[str, str]:
    """Return the parameters of a field without a scheme, such as `Authentication-Info`."""
    return next(challenges([f"x {field}"])).parameters
