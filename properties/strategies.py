"""One strategy per kind of value. Whoever adds a kind of value adds its strategy here."""

import string
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Final, get_args

from hypothesis import strategies as st

from railhttp.model.errors import (
    CallInfo,
    ConnectionKind,
    Delivery,
    HTTPCircuitOpenError,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
    TimeoutPhase,
)
from railhttp.model.response import JSON, HttpResponse, freeze_headers
from railhttp.model.url import QueryParams, QueryValue
from railhttp.policy.backoff import Backoff
from railhttp.policy.breaker import BreakerRule
from railhttp.policy.retry import RetryRule
from railhttp.wire.multipart import FormValue
from railhttp.wire.sse import ServerSentEvent

LETTERS: Final = string.ascii_lowercase
TOKEN: Final = string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~"

# -- anything -------------------------------------------------------------------------------

any_text: Final = st.text(st.characters())  # surrogates among it
huge_integers: Final = st.sampled_from([1, -1]).map(lambda sign: sign * 10**5000)
huge: Final = huge_integers | st.sampled_from(
    ["a" * 100_000, "http://" + "a." * 40_000, b"a" * 100_000]
)
objects: Final[st.SearchStrategy[object]] = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), any_text, st.binary(), huge),
    *(st.complex_numbers(), st.decimals(), st.lists(st.text()), st.builds(object)),
    st.dictionaries(any_text, st.none() | any_text),
)
"""Anything that may be handed to a function by mistake."""

# -- hosts and URLs -------------------------------------------------------------------------

labels: Final = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True).filter(
    lambda label: not label.startswith("xn--")
)
names: Final = st.lists(labels, min_size=1, max_size=4).map(".".join)
unicode_names: Final = st.sampled_from(["bücher", "例え", "παράδειγμα", "straße", "☃"]).map(
    lambda label: f"{label}.example"
)
hard_names: Final = st.one_of(
    names.map(str.upper),
    names.map(str.title),
    names.map(lambda name: f"{name}."),
    names.map(lambda name: f"_dmarc.{name.replace('-', '_')}"),
    labels.map(lambda label: f"{label}{'a' * (63 - len(label))}.example"),
    st.sampled_from(["xn--bcher-kva.example", "XN--STRAE-OQA.example"]),
    st.sampled_from(["www.xn--n3h.example", "xn--n3h"]),
    unicode_names.map(lambda name: f"API.{name.upper()}"),
)
"""Names in another case, with a root, underscores, the longest label, or in punycode."""
ipv4: Final = st.ip_addresses(v=4).map(str)
ipv6: Final = st.ip_addresses(v=6).map(lambda address: address.compressed)
hosts: Final = st.one_of(names, hard_names, unicode_names, ipv4, ipv6)
ports: Final = st.integers(1, 65_535)


@st.composite
def origins(draw: st.DrawFn) -> str:
    """Scheme, host and perhaps a port."""
    host = draw(hosts)
    port = draw(st.none() | ports | st.sampled_from([80, 443]))
    scheme = draw(st.sampled_from(["http", "https", "HTTP"]))
    return f"{scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"


segments: Final = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/?#"))
paths: Final = st.lists(segments, max_size=3).map("/".join)
query_values: Final[st.SearchStrategy[QueryValue]] = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    *(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    *(st.decimals(allow_nan=False, allow_infinity=False), st.dates(), st.datetimes(), st.uuids()),
    st.sampled_from(Delivery),
)
query_params: Final[st.SearchStrategy[QueryParams]] = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"])),
    query_values | st.lists(query_values) | st.lists(query_values).map(tuple),
    max_size=4,
)


def query_text(value: object) -> str:
    """The documented form of a value, said a second time: the reference of `extend_query`."""
    if isinstance(value, Delivery):
        value = value.value
    if isinstance(value, bool):
        return {True: "true", False: "false"}[value]
    return value.isoformat() if isinstance(value, datetime) else f"{value}"


_pchars: Final = st.sampled_from("azAZ09-._~!$&'()*+,;=:@") | st.from_regex(
    r"%[0-9A-Fa-f]{2}", fullmatch=True
)
_path: Final = st.lists(_pchars | st.just("/"), max_size=12).map("".join)
_query: Final = st.lists(_pchars | st.sampled_from("/?"), max_size=12).map("".join)
rfc3986_targets: Final = st.builds("/{}{}{}".format, _path, st.just(""), st.just("")) | st.builds(
    "/{}{}{}".format, _path, st.just("?"), _query
)
"""An absolute path and perhaps a query, as RFC 3986, sections 3.3 and 3.4, allows them."""


hard_paths: Final = st.lists(
    st.sampled_from(["..", ".", "%2e%2E", "%2F", "%7e", "a", "B", ""]), min_size=1, max_size=5
).map("/".join)
"""Paths of dot segments and percent pairs, also of characters that need none."""


@st.composite
def urls(draw: st.DrawFn) -> str:
    """A URL that can be sent, with what a URL may have."""
    path = draw(st.text(LETTERS + "/%.~:@é-", max_size=12) | hard_paths)
    query = draw(st.none() | st.text(LETTERS + "=&+%é?/", max_size=12))
    fragment = draw(st.none() | st.text(LETTERS + "=?/é%", max_size=6))
    user = draw(st.sampled_from(["", "", "ann@", "ann:p%40w@", "Ann:@"]))
    scheme, _, server = draw(origins()).partition("://")
    start = f"{scheme}://{user}{server}/{path}"
    return "".join(
        [start, "" if query is None else f"?{query}", "" if fragment is None else f"#{fragment}"]
    )


# -- header fields --------------------------------------------------------------------------

header_names: Final = st.text(TOKEN, min_size=1, max_size=12)
header_values: Final = st.text(
    st.characters(exclude_categories=["Cc", "Cs"]) | st.just("\t"), max_size=12
)
headers: Final = st.dictionaries(header_names, header_values | st.integers(), max_size=5)
any_headers: Final = st.one_of(
    st.dictionaries(any_text, any_text | st.integers() | st.binary(), max_size=5),
    st.dictionaries(header_names, header_values | st.integers(), min_size=1, max_size=5),
    st.dictionaries(header_names, any_text | st.binary(), min_size=1, max_size=2),
)


@st.composite
def respelt_fields(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Fields of which some have names that are equal but for case."""
    names = st.lists(header_names, min_size=1, max_size=2)
    name = draw(names.flatmap(st.sampled_from))
    spelling = st.sampled_from([name, name.lower(), name.upper(), name.swapcase()])
    return draw(st.lists(st.tuples(spelling | header_names, header_values), min_size=1, max_size=5))


# -- secrets and failures -------------------------------------------------------------------

secrets: Final = st.text(string.ascii_uppercase, min_size=8, max_size=12)
"""In upper case, so that no other part of a failure holds one by chance."""


@st.composite
def secret_urls(draw: st.DrawFn, secret: str) -> str:
    """A URL, be it broken, that may hold a secret in user-info, query and fragment."""
    if draw(st.booleans()):  # as most URLs are, which `redact_url` takes a shorter way with
        return f"https://{draw(labels)}.example/{draw(labels)}?k={secret}&b=1{secret}"
    mark = draw(st.sampled_from(["", "/", "?", "#", "@", ":", "\\", "//", "%40", "[", "\n", "é"]))
    user = draw(st.sampled_from([f"ann:{secret}{mark}{secret}@", f"{secret}@", ""]))
    scheme = draw(st.sampled_from(["http://", "HTTPS://", "ftp://", "//", "http:///", "http:/"]))
    query = draw(st.sampled_from([f"?{secret}", f"?k={secret}&{secret}", f"?k=={secret}=", ""]))
    fragment = draw(st.sampled_from([f"#{secret}", f"#a?b={secret}", ""]))
    return f"{scheme}{user}{draw(names)}/{draw(labels)}{query}{fragment}"


@st.composite
def calls(draw: st.DrawFn, url: str) -> CallInfo:
    """What a failure knows of its call."""
    return {
        "method": draw(st.sampled_from(["GET", "POST"])),
        "url": url,
        "delivery": draw(st.none() | st.sampled_from(Delivery)),
        "attempts": draw(st.integers(0, 9)),
        "elapsed": draw(st.floats(0, 1e6)),
    }


@st.composite
def responses(draw: st.DrawFn, url: str, secret: str) -> HttpResponse:
    """An answer, some header fields of which hold a secret."""
    fields = {"Set-Cookie": f"id={secret}", "Authorization": secret, "X-Id": "7"}
    return HttpResponse(draw(st.integers(100, 599)), freeze_headers(fields), b"body", url)


@st.composite
def secret_failures(draw: st.DrawFn, url: str, secret: str) -> HTTPFailure:
    """Any failure of one attempt, in a call with secrets."""
    call = draw(calls(url))
    kind: ConnectionKind = draw(st.sampled_from(get_args(ConnectionKind)))
    phase: TimeoutPhase = draw(st.sampled_from(get_args(TimeoutPhase)))
    choices: list[HTTPFailure] = [
        HTTPInvalidRequestError("is refused", field="url", **call),
        HTTPConnectionError("failed", kind=kind, **call),
        HTTPTimeoutError("too late", phase=phase, **call),
        HTTPStatusError(draw(responses(url, secret))),
        HTTPDecodeError("no JSON", where="$.id", content_type="application/json", **call),
        HTTPResponseTooLargeError("too large", limit=9, **call),
        HTTPInterceptorError("raised", interceptor="Sign", **call),
        HTTPCircuitOpenError(retry_after=1.5, name="stock", **call),
    ]
    return draw(st.sampled_from(choices))


@st.composite
def failures(draw: st.DrawFn, url: str = "http://h/", secret: str = "none") -> HTTPFailure:
    """Any failure, in a call with secrets."""
    one = secret_failures(url, secret)
    attempts = draw(st.none() | st.lists(one, max_size=3))
    if attempts is None:
        return draw(one)
    return HTTPRetryExhaustedError(failures=attempts, **draw(calls(url)))


# -- policies -------------------------------------------------------------------------------

chances: Final = st.floats(0, 1, exclude_max=True)
"""What `Clock.uniform` gives."""

delays: Final = st.floats(0, 1e4)
backoffs: Final = st.builds(Backoff, base=delays, maximum=delays, jitter=st.booleans())
retry_rules: Final = st.builds(
    RetryRule,
    max_attempts=st.integers(1, 20),
    backoff=backoffs,
    throttling=backoffs,
    retry_after_cap=delays,
)
breaker_rules: Final = st.builds(
    BreakerRule,
    failure_threshold=st.integers(1, 6),
    recovery_timeout=st.sampled_from([1.0, 5.0]),
    failure_ratio=st.none() | st.sampled_from([0.25, 0.5, 1.0]),
    minimum_calls=st.integers(1, 8),
    window=st.sampled_from([2.5, 30.0]),
    max_recovery_timeout=st.sampled_from([5.0, 20.0]),
    half_open_max_calls=st.integers(1, 3),
    probe_lease=st.sampled_from([2.0, 10.0]),
    slow_call=st.none() | st.just(3.0),
)
attempt_failures: Final[st.SearchStrategy[HTTPFailure]] = st.one_of(
    st.builds(
        HTTPConnectionError,
        kind=st.sampled_from(get_args(ConnectionKind)),
        delivery=st.sampled_from(Delivery),
    ),
    st.builds(
        HTTPTimeoutError,
        phase=st.sampled_from(get_args(TimeoutPhase)),
        delivery=st.sampled_from(Delivery),
    ),
    st.builds(HTTPStatusError, st.builds(HttpResponse, st.sampled_from([404, 429, 500, 501, 503]))),
    st.sampled_from(
        [HTTPDecodeError, HTTPCircuitOpenError, HTTPInterceptorError, HTTPInvalidRequestError]
    ).flatmap(st.builds),
)
"""What one attempt may end with, apart from an answer."""

attempt_outcomes: Final = attempt_failures | st.builds(
    HttpResponse, st.sampled_from([200, 404, 429, 500, 501, 503])
)
"""What one attempt may end with."""

# -- bytes on the wire ----------------------------------------------------------------------


@st.composite
def cut(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """The same bytes in chunks, empty ones among them."""
    cuts = draw(st.lists(st.integers(0, len(data)), max_size=12).map(sorted))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


line_streams: Final = st.lists(
    st.sampled_from([b"\n", b"\r", b"\r\n", "é".encode(), b"\xc3", b"\xef\xbb\xbf", b"{}"])
    | st.binary(max_size=3)
).map(b"".join)

event_streams: Final = st.builds(
    bytes.__add__,
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.lists(
        st.sampled_from([b"\n", b"\n\n", b"\r", b"\r\n", b":", b" ", b"\0", b"\xc3", b"7", b"x"])
        | st.sampled_from([b"data", b"event", b"id", b"retry"]).map(lambda name: b"\n" + name)
        | st.sampled_from([b"\ndata: ", b"\nevent: ", b"\nid: ", b"\nretry: 5", b"\xef\xbb\xbf"]),
        max_size=40,
    ).map(b"".join),
)
"""Mostly sensible event streams, with every rule of the standard at stake."""

one_line: Final = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=8
)
server_sent_events: Final = st.builds(
    ServerSentEvent,
    data=st.lists(one_line, min_size=1, max_size=3).map("\n".join),
    event=one_line.map(lambda name: name or "message"),
    event_id=one_line,
    retry=st.none() | st.integers(0, 10**15 - 1),
)

scalar_text: Final = st.text(st.characters(exclude_categories=["Cs"]))
media_types: Final = st.sampled_from(["text/plain", "image/png", "application/json"])
form_values: Final[st.SearchStrategy[FormValue]] = st.one_of(
    scalar_text,
    st.binary(),
    st.tuples(
        scalar_text, scalar_text | st.binary() | st.builds(BytesIO, st.binary()), media_types
    ),
    st.builds(BytesIO, st.binary()),
)
form_fields: Final = st.lists(st.tuples(scalar_text, form_values), max_size=4)

# -- documents ------------------------------------------------------------------------------


def documents(names: Sequence[str], *scalars: JSON) -> st.SearchStrategy[JSON]:
    """JSON documents in which some names and scalars come up often."""
    numbers = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
    leaves = st.sampled_from([None, True, *scalars]) | numbers | scalar_text
    keys = st.sampled_from(names) | scalar_text
    return st.recursive(
        leaves,
        lambda parts: st.lists(parts, max_size=3) | st.dictionaries(keys, parts, max_size=4),
        max_leaves=12,
    )
