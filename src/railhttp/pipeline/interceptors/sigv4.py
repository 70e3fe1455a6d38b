"""AWS Signature Version 4 as an interceptor."""

import hashlib
from datetime import UTC, datetime

from railhttp.model.context import RequestContext
from railhttp.model.errors import HTTPValidationError
from railhttp.model.secrecy import forgets_arguments
from railhttp.model.url import request_url
from railhttp.model.validation import require_text
from railhttp.pipeline.interceptors.standard import RequestInterceptor
from railhttp.wire.sigv4 import ALGORITHM, UNSIGNED, Scope, canonical_request, signature


class SigV4(RequestInterceptor):
    """Signs each attempt for AWS, and services that sign as it does.

    The signature covers the method, the URL, the body and the header fields that the caller and
    earlier interceptors set, so add it last. It is valid for minutes; the client's clock dates it.
    A streamed body is read for its hash first, if it can be read again; if not, only S3 takes it.

    Args:
        access_key: The id of the key.
        secret_key: The key.
        region: Such as `eu-central-1`.
        service: The name of the service in signatures, such as `s3` or `execute-api`.
        session_token: Sent along with temporary keys.
        origin: The only origin whose requests are signed; None for that of the base URL.

    Raises:
        HTTPValidationError: An argument is empty or not text, or `origin` is not a URL.

    Example:
        >>> SigV4("AKIDEXAMPLE", "secret", "us-east-1", "s3", origin="https://s3.example")
        <SigV4>
    """

    is_credential = True

    @forgets_arguments
    def __init__(
        self,
        access_key: str,
        secret_key: str,
        region: str,
        service: str,
        *,
        session_token: str | None = None,
        origin: str | None = None,
    ) -> None:
        super().__init__(origin=origin)
        given = {
            "access_key": access_key,
            "secret_key": secret_key,
            "region": region,
            "service": service,
        }
        for name, text in given.items():
            if not require_text(text, name):
                raise HTTPValidationError("must not be empty", field=name)
        self._access_key = access_key
        self._secret_key = secret_key
        self._region = region
        self._service = service
        self._session_token = session_token

    async def prepare(self, context: RequestContext) -> None:
        """Add the date and the signature; those of an earlier attempt are replaced."""
        url = request_url(context.url)
        scope = Scope(_time(context), self._region, self._service)
        body_hash = await self._body_hash(context)
        added = {"X-Amz-Date": scope.time}
        if self._service == "s3":
            added["X-Amz-Content-SHA256"] = body_hash
        if self._session_token is not None:
            added["X-Amz-Security-Token"] = self._session_token
        replaced = {name.lower() for name in added} | {"authorization"}
        for name in [name for name in context.headers if name.lower() in replaced]:
            del context.headers[name]
        context.headers.update(added)
        fields = dict(context.headers)
        if "host" not in {name.lower() for name in fields}:
            fields["Host"] = url.host_port_subcomponent or ""
        canonical, names = canonical_request(context.method, url, fields, body_hash, self._service)
        context.headers["Authorization"] = (
            f"{ALGORITHM} Credential={self._access_key}/{scope}, SignedHeaders={names}, "
            f"Signature={signature(self._secret_key, scope, canonical)}"
        )

    async def _body_hash(self, context: RequestContext) -> str:
        digest = hashlib.sha256(context.body or b"")
        if context.body is None:
            if context.chunks is None:
                if self._service == "s3":
                    return UNSIGNED
                message = "must be readable twice, because the signature covers it"
                raise HTTPValidationError(message, field="data")
            async for chunk in context.chunks():
                digest.update(chunk)
        return digest.hexdigest()


def _time(context: RequestContext) -> str:
    now = context.start_time or datetime.now(UTC)
    if context.client is not None:  # the attempt may have waited for a token
        now = datetime.fromtimestamp(context.client.clock.wall(), UTC)
    return now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
