"""Translates the options of aiohttp's `ClientSession.request` into our own.

A request builder imports this module when a call first uses one of them. Each option of aiohttp
that has another name here must be given in one of the two spellings only.
"""

from collections.abc import Iterable, Mapping
from ssl import SSLContext
from typing import Final, NamedTuple, NoReturn

from aiohttp import BasicAuth, ClientTimeout, Fingerprint, FormData, Payload
from multidict import CIMultiDict
from yarl import URL

from railhttp.model.authorization import basic_auth
from railhttp.model.body import Body, BytesBody, StreamBody
from railhttp.model.errors import HTTPValidationError
from railhttp.model.headers import require_headers
from railhttp.model.options import RequestOptions, StatusCheck, paired, with_default_headers
from railhttp.model.request import Request, WireOptions
from railhttp.model.response import HttpResponse
from railhttp.model.validation import (
    TOKEN,
    mismatch,
    require,
    require_flag,
    require_positive_int,
    require_text,
    require_timeout,
)
from railhttp.transport.payload_body import payload_body

_REFUSED: Final[Mapping[str, str]] = {
    "middlewares": "use interceptors, which see every attempt, or `pool.session`",
    "trace_request_ctx": "use instruments or observers, or `pool.session`",
    "upload_tracker": "use `upload_progress`",
}
_CODINGS: Final = frozenset({"gzip", "deflate"})
_TLS_WORDS: Final = ("ssl", "ssl_context", "verify_ssl", "fingerprint")


class Translated(NamedTuple):
    """A call in our own words.

    Attributes:
        options: The options that have a place in `RequestOptions` of our own.
        wire: Options that only the transport reads.
        body: The body of an aiohttp payload.
        coding: The content coding for the body; an empty string means none.
        check: Looks at the response; None to take any.
    """

    options: RequestOptions
    wire: WireOptions
    body: Body | None
    coding: str
    chunked: bool
    expects: bool
    check: StatusCheck | None

    def applied(self, request: Request) -> Request:
        """Return the request with what is not an option of our own.

        Raises:
            HTTPValidationError: A header field says the same as an option.
        """
        body, fields = request.body, CIMultiDict(request.headers or {})
        if body is not None and (body.length != 0 or not isinstance(body, BytesBody)):
            body = self._encoded(body, fields)
        if body is not None and "content-type" in self.wire.skip_auto_headers:
            body = body._replace(content_type="")
        if body is not None and self.expects:
            _add(fields, "Expect", "100-continue", field="expect100")
        options = request.options
        if self.wire != WireOptions():
            options = options._replace(wire=self.wire)
        headers = fields or request.headers
        return Request(request.method, request.url, headers, body, request.cookies, options)

    def _encoded(self, body: Body, fields: CIMultiDict[str]) -> Body:
        if not self.coding and not self.chunked:
            return body
        option = "compress" if self.coding else "chunked"
        if "Content-Length" in fields:
            _twice(option, "a Content-Length in `headers`: the body is sent chunked")
        if self.coding:
            _add(fields, "Content-Encoding", self.coding, field="compress")
        segments = (body.content,) if isinstance(body, BytesBody) else body.segments
        return StreamBody(segments, body.content_type, self.coding, chunked=True)


def is_of_aiohttp(value: object) -> bool:
    """Whether a time limit or a body is an object of aiohttp."""
    return isinstance(value, ClientTimeout | FormData | Payload)


def translate(options: RequestOptions, url: object) -> Translated:
    """Translate the options of a call.

    Raises:
        HTTPValidationError: An option is refused, or one thing is said in two spellings.
    """
    for name, advice in _REFUSED.items():
        if options.get(name) is not None:
            raise HTTPValidationError(f"cannot be honoured: {advice}", field=name)
    _check_flags(options)
    own = with_limits(options)
    own, fingerprint = _with_tls(own)
    own = _with_auth(own, url)
    body = None
    if (payload := payload_body(own.get("data"))) is not None:
        body, fields = payload
        own = with_default_headers({**own, "data": None}, fields)
    timeout = options.get("timeout")
    connect = timeout.sock_connect if isinstance(timeout, ClientTimeout) else None
    return Translated(
        own,
        _wire(options, _limit(connect, "sock_connect"), fingerprint),
        body,
        _coding(options.get("compress")),
        options.get("chunked") is True,
        options.get("expect100") is True,
        _check(options.get("raise_for_status")),
    )


def _twice(option: str, other: str) -> NoReturn:
    raise HTTPValidationError(f"must not be given together with {other}", field=option)


def _add(fields: CIMultiDict[str], name: str, text: str, *, field: str) -> None:
    if name in fields:
        _twice(field, f"{name} in `headers`, which says the same")
    fields[name] = text


_FLAGS: Final = ("auto_decompress", "chunked", "expect100", "read_until_eof", "verify_ssl")


def _check_flags(options: RequestOptions) -> None:
    given: Mapping[str, object] = {**options}
    for name in _FLAGS:
        if given.get(name) is not None:
            require_flag(given[name], name)


def with_limits(options: RequestOptions) -> RequestOptions:
    """Return the options with the parts of a `ClientTimeout` in their places.

    Raises:
        HTTPValidationError: A part is also given in our own spelling, or is not a time limit.
    """
    timeout = options.get("timeout")
    if not isinstance(timeout, ClientTimeout):
        return options
    if timeout.connect and options.get("connect_timeout") is not None:
        _twice("timeout", "`connect_timeout`: its `connect` says the same")
    if timeout.sock_read and options.get("read_timeout") is not None:
        _twice("timeout", "`read_timeout`: its `sock_read` says the same")
    limits: RequestOptions = {
        "connect_timeout": _limit(timeout.connect, "connect"),
        "read_timeout": _limit(timeout.sock_read, "sock_read"),
    }
    return {**limits, **options, "timeout": _limit(timeout.total, "total")}


def _limit(seconds: float | None, name: str) -> float | None:
    """Return a time limit of a `ClientTimeout`, in which 0 is no limit too."""
    if not seconds:
        return None
    try:
        return require_timeout(seconds)
    except HTTPValidationError as error:
        raise HTTPValidationError(f"{name} {error.message}", field="timeout") from None


def _with_tls(options: RequestOptions) -> tuple[RequestOptions, bytes | None]:
    given: Mapping[str, object] = {**options}
    names = [name for name in _TLS_WORDS if given.get(name) is not None]
    if len(names) > 1:
        _twice(names[0], f"`{names[1]}`, which says the same")
    if not names or names == ["ssl_context"]:
        return options, None
    value = given[names[0]]
    match names[0], value:
        case "ssl", Fingerprint(fingerprint=digest):
            return options, digest
        case "ssl", bool() | SSLContext():
            return {**options, "ssl_context": value}, None
        case "verify_ssl", bool():
            return {**options, "ssl_context": value}, None
        case "fingerprint", bytes() if len(value) == 32:
            return options, value
        case "fingerprint", _:
            raise mismatch("the 32 bytes of a SHA-256", value, "fingerprint")
    raise mismatch("a bool, an ssl.SSLContext or an aiohttp.Fingerprint", value, "ssl")


def _credentials(value: object, field: str) -> str:
    try:
        match value:
            case BasicAuth():
                return value.encode()
            case (str() as name, str() as password):
                return basic_auth(name, password)["Authorization"]
    except ValueError:  # its text may show the password
        message = "must be a name without a colon and a password, in characters of its encoding"
        raise HTTPValidationError(message, field=field) from None
    raise mismatch("an aiohttp.BasicAuth or a pair of str", value, field)


def _with_auth(options: RequestOptions, url: object) -> RequestOptions:
    if (auth := options.get("auth")) is None:
        return options
    credentials = _credentials(auth, "auth")
    fields = _fields(options.get("headers"), "headers")
    if "Authorization" in fields:
        _twice("auth", "Authorization in `headers`, which says the same")
    if _has_user(url):
        _twice("auth", "a user in `url`, which says the same")
    fields["Authorization"] = credentials
    return {**options, "headers": fields}


def _has_user(url: object) -> bool:
    try:
        return (url if isinstance(url, URL) else URL(str(url))).raw_user is not None
    except ValueError:
        return False  # refused later


def _wire(
    options: RequestOptions, sock_connect: float | None, fingerprint: bytes | None
) -> WireOptions:
    fields = _fields(options.get("proxy_headers"), "proxy_headers")
    proxy_auth = _proxy_auth(options, fields.pop("Proxy-Authorization", ""))
    sizes: Mapping[str, object] = {**options}
    for size in ("read_bufsize", "max_line_size", "max_field_size", "max_headers"):
        if sizes.get(size) is not None:
            require_positive_int(sizes[size], size)
    name = options.get("server_hostname")
    return WireOptions(
        sock_connect,
        fingerprint,
        None if name is None else require_text(name, "server_hostname"),
        proxy_auth,
        tuple(fields.items()),
        _names(options.get("skip_auto_headers")),
        options.get("auto_decompress") is not False,
        options.get("read_until_eof") is not False,
        options.get("read_bufsize"),
        options.get("max_line_size"),
        options.get("max_field_size"),
        options.get("max_headers"),
    )


def _fields(given: object, field: str) -> CIMultiDict[str]:
    """Return header fields that are given as a mapping, as pairs, or not at all."""
    fields = {} if given is None else given if isinstance(given, Mapping) else paired(given)
    try:
        return require_headers(given if fields is None else fields)
    except HTTPValidationError as error:
        raise HTTPValidationError(error.message, field=field) from None


def _proxy_auth(options: RequestOptions, named: str) -> str:
    """Return the credentials for the proxy, which its fields may name too."""
    if (given := options.get("proxy_auth")) is None:
        return named
    if named:
        _twice("proxy_auth", "Proxy-Authorization in `proxy_headers`, which says the same")
    if "Proxy-Authorization" in _fields(options.get("headers"), "headers"):
        _twice("proxy_auth", "Proxy-Authorization in `headers`, which says the same")
    if _has_user(options.get("proxy") or ""):
        _twice("proxy_auth", "a user in `proxy`, which says the same")
    return _credentials(given, "proxy_auth")


def _names(names: object) -> frozenset[str]:
    if names is None:
        return frozenset()
    # A str is an iterable of its letters.
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise mismatch("an iterable of names of header fields", names, "skip_auto_headers")
    given = list(names)
    named = all(isinstance(name, str) and TOKEN.fullmatch(name) for name in given)
    require(named, "must be names of header fields", "skip_auto_headers")
    return frozenset(str(name).lower() for name in given)


def _coding(compress: object) -> str:
    match compress:
        case None | False | "":
            return ""
        case True:
            return "deflate"
        case str() if compress.lower() in _CODINGS:
            return compress.lower()
    raise mismatch("a bool, `gzip` or `deflate`", compress, "compress")


def _check(given: bool | StatusCheck | None) -> StatusCheck | None:
    if given is None or given is False:
        return None
    if given is True:
        return _raise_for_status
    if callable(given):
        return given
    raise mismatch("a bool or an async function", given, "raise_for_status")


async def _raise_for_status(response: HttpResponse) -> None:
    response.raise_for_status()
