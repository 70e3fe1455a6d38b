"""Advice for keyword arguments that no call takes."""

import difflib
from collections.abc import Mapping
from typing import Final

from railhttp.model.options import RequestOptions

ELSEWHERE: Final[Mapping[str, str]] = {
    "base_url": "give it to the client: HTTPClient(base_url=...)",
    "body": "use `data`, or `json` for a document",
    "cert": "use `ssl_context`, with `load_cert_chain`",
    "content": "use `data`",
    "extensions": "use `timeout`, `server_hostname` and the other options of a call",
    "fields": "use `post_multipart`, or `params` for a query",
    "files": "use `post_multipart`, or `data` with an aiohttp.FormData",
    "follow_redirects": "use `allow_redirects`",
    "hooks": "give interceptors or observers to the client",
    "preload_content": "use `client.stream`",
    "proxies": "use `proxy`, or HTTPClientConfig(proxy=...)",
    "query": "use `params`",
    "redirect": "use `allow_redirects`",
    "stream": "use `client.stream`",
    "verify": "use `ssl_context` (False disables verification)",
}
"""Names that other clients give to something, and where it is here."""


def advice(name: str) -> str:
    """Return what to use instead of a keyword argument that does not exist.

    Example:
        >>> advice("follow_redirects")
        'follow_redirects: is not an option of a call: use `allow_redirects`'
    """
    if name in ELSEWHERE:
        return f"{name}: is not an option of a call: {ELSEWHERE[name]}"
    near = difflib.get_close_matches(name, RequestOptions.__annotations__)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    return f"{name}: unexpected keyword argument {name!r}{hint}"
