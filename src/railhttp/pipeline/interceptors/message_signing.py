"""Signs requests: HTTP Message Signatures with HMAC and SHA-256 (RFC 9421, section 3.3.3)."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Sequence
from typing import Final

from railhttp.model.clock import Clock
from railhttp.model.context import RequestContext
from railhttp.model.errors import HTTPValidationError
from railhttp.model.url import path_of, request_url
from railhttp.model.validation import OWS
from railhttp.pipeline.clock import SYSTEM_CLOCK
from railhttp.pipeline.interceptors.standard import RequestInterceptor

DIGEST: Final = "content-digest"
COVERED: Final = ("@method", "@target-uri", DIGEST)


class MessageSigning(RequestInterceptor):
    """Signs each attempt, and its body, with a shared secret.

    The signature covers a body by its `Content-Digest` (RFC 9530). A streamed body is read for the
    digest first, if it can be read again; otherwise the signature does not list the digest. A
    `Content-Digest` of the caller is replaced. Add this interceptor after all interceptors that
    change what it covers.

    Args:
        key_id: Names the secret to the server.
        covered: The parts to sign: `@method`, `@target-uri`, `@authority`, `@scheme`, `@path`,
            `@query`, and names of header fields in lower case, which the request must have.
        label: The name of the signature among several.
        origin: The only origin whose requests are signed; None for that of the base URL.
        clock: The source of the signature's date.

    Raises:
        HTTPValidationError: `key_id` or `label` has characters other than printable ASCII, or a
            quote or a backslash; the secret is empty; `origin` is not a URL.

    Example:
        >>> import asyncio
        >>> signing = MessageSigning("shop", b"s3cret", covered=("@method", "@path"))
        >>> context = RequestContext("GET", "https://api.example/v1")
        >>> sorted(asyncio.run(signing.intercept_request(context)).headers)
        ['Signature', 'Signature-Input']
    """

    is_credential = True

    def __init__(
        self,
        key_id: str,
        secret: bytes,
        *,
        covered: Sequence[str] = COVERED,
        label: str = "railhttp",
        origin: str | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__(origin=origin)
        for field, text in (("key_id", key_id), ("label", label)):
            if not text.isascii() or not text.isprintable() or set(text) & {'"', "\\"}:
                raise HTTPValidationError("must be printable ASCII without quotes", field=field)
        if not secret:
            raise HTTPValidationError("must not be empty", field="secret")
        self._key_id = key_id
        self._secret = secret
        self._covered = tuple(covered)
        self._label = label
        self._clock = clock

    async def prepare(self, context: RequestContext) -> None:
        """Add the signature to the request."""
        covered = self._covered
        if DIGEST in covered:
            covered = await self._with_digest(context)
        names = " ".join(f'"{name}"' for name in covered)
        created = int(self._clock.wall())
        parameters = f'({names});created={created};keyid="{self._key_id}"'
        base = signature_base(context, covered, parameters)
        signature = hmac.digest(self._secret, base.encode(), "sha256")
        context.headers["Signature-Input"] = f"{self._label}={parameters}"
        context.headers["Signature"] = f"{self._label}=:{b64encode(signature).decode()}:"

    async def _with_digest(self, context: RequestContext) -> tuple[str, ...]:
        digest = hashlib.sha256(context.body or b"")
        if context.body is None:
            if context.chunks is None:
                return tuple(name for name in self._covered if name != DIGEST)
            async for chunk in context.chunks():
                digest.update(chunk)
        text = b64encode(digest.digest()).decode()
        for known in [name for name in context.headers if name.lower() == DIGEST]:
            del context.headers[known]
        context.headers["Content-Digest"] = f"sha-256=:{text}:"
        return self._covered


def signature_base(context: RequestContext, covered: Sequence[str], parameters: str) -> str:
    """Return the text to sign (RFC 9421, section 2.5), with the URL in normal form."""
    url = request_url(context.url)
    # As the Host field has it, without a default port (RFC 9421, section 2.2.3).
    host = (_values(context, "host") or [url.host_port_subcomponent or ""])[0].lower()
    authority = host.removesuffix(":443" if url.scheme == "https" else ":80")
    derived = {
        "@method": context.method.upper(),
        "@target-uri": f"{url.scheme}://{authority}{url.raw_path_qs}",
        "@authority": authority,
        "@scheme": url.scheme,
        "@path": path_of(url),
        "@query": f"?{url.raw_query_string}",
    }
    lines = [f'"{name}": {derived.get(name) or _field(context, name)}' for name in covered]
    return "\n".join([*lines, f'"@signature-params": {parameters}'])


def _field(context: RequestContext, name: str) -> str:
    values = _values(context, name)
    if not values:
        raise HTTPValidationError(f"there is no field {name!r} to sign", field="covered")
    return ", ".join(values)  # RFC 9421, section 2.1


def _values(context: RequestContext, name: str) -> list[str]:
    return [value.strip(OWS) for known, value in context.headers.items() if known.lower() == name]
