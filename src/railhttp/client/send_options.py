"""The options of a call that say how its request is sent."""

import ssl
from typing import Final

from yarl import URL

from railhttp.model.errors import HTTPValidationError
from railhttp.model.options import ProgressCallback, RequestOptions
from railhttp.model.proxy import require_proxy
from railhttp.model.request import SendOptions
from railhttp.model.validation import (
    require_count,
    require_flag,
    require_function,
    require_text,
    require_timeout,
)

_SEND_OPTIONS: Final = frozenset(SendOptions._fields) & RequestOptions.__annotations__.keys()


def send_options(default: SendOptions, options: RequestOptions) -> SendOptions:
    """Return how a request with these options is sent; `default` has the settings of its client."""
    if _SEND_OPTIONS.isdisjoint(options):
        return default
    given = default._replace(
        connect_timeout=options.get("connect_timeout", default.connect_timeout),
        read_timeout=options.get("read_timeout", default.read_timeout),
        proxy=_proxy(options.get("proxy")),
        ssl_context=_tls(options.get("ssl_context")),
        allow_redirects=require_flag(options.get("allow_redirects", True), "allow_redirects"),
        max_redirects=options.get("max_redirects", default.max_redirects),
        allow_insecure_redirects=default.allow_insecure_redirects
        if (insecure := options.get("allow_insecure_redirects")) is None
        else require_flag(insecure, "allow_insecure_redirects"),
        upload_progress=_callback(options.get("upload_progress")),
        idempotent=require_flag(options.get("idempotent", False), "idempotent"),
        url_template=require_text(options.get("url_template", ""), field="url_template"),
    )
    require_timeout(given.connect_timeout, "connect_timeout")
    require_timeout(given.read_timeout, "read_timeout")
    require_count(given.max_redirects, "max_redirects")
    return given


def _callback(callback: ProgressCallback | None) -> ProgressCallback | None:
    require_function(callback, "upload_progress")
    return callback


def _proxy(proxy: str | URL | None) -> str | None:
    if isinstance(proxy, URL):
        proxy = str(proxy)
    return proxy if proxy is None or proxy == "" else require_proxy(proxy)


def _tls(context: ssl.SSLContext | bool | None) -> ssl.SSLContext | bool | None:
    if context is True or context is None:
        return None
    if context is False or isinstance(context, ssl.SSLContext):
        return context
    raise HTTPValidationError("must be an ssl.SSLContext or a bool", field="ssl_context")
