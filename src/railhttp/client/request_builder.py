"""Builds checked requests from the arguments of a verb."""

from collections.abc import KeysView, Mapping
from types import NoneType
from typing import Final, NamedTuple

from multidict import MultiDict
from yarl import URL

from railhttp.client.cookie_option import require_cookies
from railhttp.client.send_options import send_options
from railhttp.model.base_url import BaseURL
from railhttp.model.body import Body, data_body, json_body
from railhttp.model.clock import Clock
from railhttp.model.config import HTTPClientConfig
from railhttp.model.errors import HTTPInvalidRequestError, HTTPValidationError
from railhttp.model.field_lines import FieldLines, plain_lines
from railhttp.model.headers import require_headers
from railhttp.model.memo import Recurring
from railhttp.model.options import (
    HeaderFields,
    OwnOptions,
    Query,
    RequestOptions,
    StatusCheck,
    paired,
    with_default_headers,
)
from railhttp.model.request import Request, SendOptions, require_framing, require_method
from railhttp.model.request_draft import checked_request
from railhttp.model.retrying import RetryPolicyProtocol
from railhttp.model.spelling import spelled_query
from railhttp.model.target import TARGETS, Target, parse_target
from railhttp.model.url import encode_query
from railhttp.model.validation import (
    describe,
    mismatch,
    require_count,
    require_methods,
    require_text,
    require_timeout,
)
from railhttp.pipeline.clock import random_id
from railhttp.transport.request_body import measure_file
from railhttp.wire.multipart import FormFields, encode_multipart, with_boundary

_OWN: Final = frozenset({*OwnOptions.__annotations__, "data"})
"""The options that need no translation."""

_SEQUENCES: Final = (list, tuple)
_SECONDS: Final = frozenset({NoneType, int, float})
_PLAIN_DATA: Final = frozenset({NoneType, bytes, str, dict, bytearray, memoryview})
_ONE_BODY: Final = "a request has one body: json, data or fields"
_LIMITS: Final = frozenset({"timeout", "retries"})
_EVERYDAY: Final = frozenset({"params", "headers", "json"}) | _LIMITS
"""The options of most calls."""


class Prepared(NamedTuple):
    """A request, its time limits, and what is particular to its call.

    Attributes:
        retry: The retry policy of this call, or its number of retries; None for the client's.
        check: A function that looks at the response.
    """

    request: Request
    origin: str
    timeout: float | None
    attempt_timeout: float | None
    retry: RetryPolicyProtocol | int | None = None
    check: StatusCheck | None = None


class RequestBuilder:
    """Builds the requests of a client.

    Args:
        limits: The time limits of a pipeline, for a call and for an attempt: of two limits the
            shorter one counts.
    """

    def __init__(
        self,
        config: HTTPClientConfig,
        clock: Clock,
        base: BaseURL | None = None,
        limits: tuple[float | None, float | None] = (None, None),
    ) -> None:
        self._clock = clock
        self._base = base
        self._limits = limits
        self._timeout = _shorter(config.pool.timeout, limits[0])
        self._attempt_timeout = _shorter(config.attempt_timeout, limits[1])
        self._options = SendOptions(
            connect_timeout=config.connect_timeout,
            read_timeout=config.read_timeout,
            expect_continue_timeout=config.expect_continue_timeout,
            max_redirects=config.max_redirects,
            allow_insecure_redirects=config.allow_insecure_redirects,
            max_response_bytes=config.max_response_bytes,
            secret_headers=config.secret_headers,
            mask_path=config.mask_path,
        )
        # Requests are values, so one without options is kept (benchmarks: the same URL).
        self._plain = Recurring(self._build_plain, size=1024)

    def prepare(
        self,
        method: object,
        url: object,
        options: RequestOptions,
        form: "FormFields | None" = None,
    ) -> Prepared:
        """Build a request.

        Raises:
            HTTPInvalidRequestError: An argument cannot be sent; the error names it.
            TypeError: An option does not exist.
        """
        everyday = not options or (
            _EVERYDAY.issuperset(options) and type(options.get("timeout")) in _SECONDS
        )
        foreign = not everyday and not options.keys() <= _OWN
        if foreign and (unknown := _unknown(options.keys())):
            del url, options, form
            raise unknown
        try:
            # An enum that is a str equals its text, but would be cached as what it prints.
            if not options and form is None and type(url) is str and type(method) is str:
                return self._plain[method, url]
            body = (
                None
                if form is None
                else encode_multipart(form, random_id(self._clock), measure_file)
            )
            if foreign or not (everyday or _is_ours(options)):
                return self._build_translated(method, url, options, body)
            return self._build(method, url, options, body, everyday=everyday)
        except HTTPValidationError as error:
            failure = _unbuilt(error.message, error.field, method, url)
        except Exception as error:  # noqa: BLE001  # it is the cause of the failure
            message = f"an argument raised {type(error).__name__} while it was read"
            failure = _unbuilt(message, "", method, url)
            failure.__cause__ = error
        # Raised here, without the frames of an error in its traceback: they hold the arguments.
        del url, options, form
        raise failure

    def _build_plain(self, method_and_url: tuple[str, str]) -> Prepared:
        method, url = method_and_url
        if self._base is None:
            target, credentials = parse_target(url)
            lines = None if credentials is None else FieldLines.of(credentials)
            method = require_method(method)
            return self._usual(checked_request(method, target, lines, None, None, self._options))
        return self._build(method, url, {}, None, everyday=True)

    def _build_translated(
        self, method: object, url: object, options: RequestOptions, body: Body | None
    ) -> Prepared:
        """Build a request from options of aiohttp."""
        # Imported when it is needed: most programs use none of them.
        from railhttp.transport.aiohttp_options import translate  # noqa: PLC0415

        translated = translate(options, url)
        if body is not None and translated.body is not None:
            raise HTTPValidationError(_ONE_BODY, field="data")
        prepared = self._build(method, url, translated.options, body or translated.body)
        request = translated.applied(prepared.request)
        return prepared._replace(request=request, check=translated.check)

    def _build(
        self,
        method: object,
        url: object,
        options: RequestOptions,
        body: Body | None,
        *,
        everyday: bool = False,
    ) -> Prepared:
        parsed = None
        if type(url) is not str:
            if not isinstance(url, str):
                parsed = _require_parsed(url)
                url = str(parsed)
            url = str.__str__(url)  # an enum's text, not its name
        if self._base is None:
            target, credentials = TARGETS[url]
            defaults = None
        else:
            target, credentials, defaults = self._base.resolve(url)
        if parsed is not None and parsed.absolute:  # it is sent exactly as it encodes its parts
            target = Target.of(parsed.with_user(None))
        method = require_method(method)
        if everyday:
            request = self._request(method, target, defaults, credentials, options, body)
            if _LIMITS.isdisjoint(options):
                return self._usual(request)
            return self._limited(request, options)
        options = self._keyed(options)
        request = self._request(
            method,
            target,
            defaults,
            credentials,
            options,
            body,
            require_cookies(options.get("cookies")),
            send_options(self._options, options),
        )
        return self._limited(request, options)

    def _limited(self, request: Request, options: RequestOptions) -> Prepared:
        total, each = self._limits
        timeout = require_timeout(options.get("timeout", self._timeout), "timeout")
        attempt_timeout = options.get("attempt_timeout", self._attempt_timeout)
        require_timeout(attempt_timeout, "attempt_timeout")
        return Prepared(
            request,
            request.target.site.text,
            _shorter(timeout, total),
            _shorter(attempt_timeout, each),
            _retry(options),
        )

    def _usual(self, request: Request) -> Prepared:
        site, timeout, attempt_timeout = request.target.site, self._timeout, self._attempt_timeout
        usual = request, site.text, timeout, attempt_timeout, None, None
        return tuple.__new__(Prepared, usual)  # half as dear as `Prepared(*usual)`

    def _request(
        self,
        method: str,
        target: Target,
        defaults: FieldLines | None,
        credentials: Mapping[str, str] | None,
        options: RequestOptions,
        body: Body | None,
        cookies: Mapping[str, str] | None = None,
        sending: SendOptions | None = None,
    ) -> Request:
        params = options.get("params")
        if body is not None or "json" in options or "data" in options:
            body = _body(options, body)
        return checked_request(
            method,
            target if params is None else _extended(target, params),
            _headers(options.get("headers"), defaults, credentials, body),
            body,
            cookies,
            sending or self._options,
        )

    def _keyed(self, options: RequestOptions) -> RequestOptions:
        key = options.get("idempotency_key")
        if key is None or key is False:
            return options
        text = random_id(self._clock) if key is True else require_text(key, field="idempotency_key")
        return with_default_headers(options, {"Idempotency-Key": text})


def _shorter(first: float | None, second: float | None) -> float | None:
    if first is None or second is None:
        return second if first is None else first
    return min(first, second)


def _retry(options: RequestOptions) -> RetryPolicyProtocol | int | None:
    retries, policy = options.get("retries"), options.get("retry_policy")
    if retries is not None:
        require_count(retries, "retries")
        if policy is not None:
            raise HTTPValidationError("must not be given with `retry_policy`", field="retries")
        return retries
    if policy is not None:
        require_methods(policy, "execute", field="retry_policy")
    return policy


def _require_parsed(url: object) -> URL:
    if isinstance(url, URL):
        return url
    raise HTTPValidationError(f"must be a str or a URL, got {describe(url)}", field="url")


def _is_ours(options: RequestOptions) -> bool:
    timeout, data = options.get("timeout"), options.get("data")
    if type(timeout) in _SECONDS and type(data) in _PLAIN_DATA:
        return True
    # Imported when it is needed, as in `_build_translated`.
    from railhttp.transport.aiohttp_options import is_of_aiohttp  # noqa: PLC0415

    return not (is_of_aiohttp(timeout) or is_of_aiohttp(data))


def _unknown(names: KeysView[str]) -> TypeError | None:
    """Return the error of an option that does not exist."""
    if not (unknown := names - RequestOptions.__annotations__.keys()):
        return None
    from railhttp.model.option_advice import advice  # noqa: PLC0415  # mistakes only

    return TypeError(advice(min(unknown)))


def _unbuilt(message: str, field: str, method: object, url: object) -> HTTPInvalidRequestError:
    """Build the failure of a call that never became a request; it begins with the argument."""
    if field:
        message = f"{field}: {message}"
    return HTTPInvalidRequestError(
        message, field=field, method=_text(method), url=_text(url), attempts=0
    )


def _text(value: object) -> str:
    """Return the text of a `str` or a URL, or '' for others: even their `str()` may raise."""
    if isinstance(value, URL):
        return str(value)
    return str.__str__(value) if isinstance(value, str) else ""


def _extended(target: Target, params: Query) -> Target:
    if isinstance(params, str):
        text = require_text(params, "params")
        return target.with_query(f"?{spelled_query(text)}" if text else "")
    pairs = _mapped(params, "params") if isinstance(params, _SEQUENCES) else params
    return target.with_query(encode_query(pairs))  # type: ignore[arg-type]  # it refuses others


def _mapped(given: object, field: str) -> MultiDict[str]:
    if (pairs := paired(given)) is None:
        raise mismatch("a mapping or a list of pairs", given, field)
    return pairs


def _headers(
    given: HeaderFields | None,
    defaults: FieldLines | None,
    credentials: Mapping[str, str] | None,
    body: Body | None,
) -> FieldLines | None:
    if given is None and defaults is None:
        return None if credentials is None else FieldLines.of(credentials)
    if credentials is None and (given is None or type(given) is dict):
        lines = plain_lines(given, defaults)
        if lines is not None:
            return lines
    fields = _mapped(given, "headers") if isinstance(given, _SEQUENCES) else given
    if defaults is None:
        headers = require_headers(fields)
    else:
        headers = defaults.fields
        if fields is not None:
            headers.update(require_headers(fields))
    require_framing(headers, body)
    if body is not None and "Content-Type" in headers:
        headers["Content-Type"] = with_boundary(headers["Content-Type"], body.content_type)
    if credentials is not None and "Authorization" not in headers:
        headers.update(credentials)
    return FieldLines.of(headers)


def _body(options: RequestOptions, body: Body | None) -> Body | None:
    document, data = options.get("json"), options.get("data")
    if (body is not None) + (document is not None) + (data is not None) > 1:
        raise HTTPValidationError(_ONE_BODY, field="data")
    if document is not None:
        return json_body(document)
    if isinstance(data, _SEQUENCES):
        data = paired(data) or data  # pairs are a form, and bytes are chunks
    return body if data is None else data_body(data, measure_file)
