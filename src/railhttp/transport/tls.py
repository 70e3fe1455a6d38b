"""The TLS contexts of pools."""

import ssl
from functools import cache

from railhttp.extra import provided_by
from railhttp.model.config import ConnectionPoolConfig
from railhttp.model.errors import HTTPValidationError


def tls_context(config: ConnectionPoolConfig) -> ssl.SSLContext:
    """Return the TLS context of a pool.

    Raises:
        HTTPValidationError: The client certificate cannot be loaded (field `cert`).
        ModuleNotFoundError: `verify="system"` needs a package that is not installed.
    """
    if config.ssl_context is not None:
        return config.ssl_context
    verify = config.verify_ssl
    if config.cert is None and verify != "system":
        return shared_context(verify=verify)
    context = _system_context() if verify == "system" else _context(verify=verify)
    if config.cert is not None:
        certificate, key = config.cert if isinstance(config.cert, tuple) else (config.cert, None)
        try:
            # Without a password OpenSSL would ask for one on the terminal.
            context.load_cert_chain(certificate, key, password="")
        except OSError as error:  # an ssl.SSLError too
            reason = error.strerror or "not a PEM file with a certificate and its key"
            raise HTTPValidationError(f"cannot be loaded: {reason}", field="cert") from error
    return context


def _system_context() -> ssl.SSLContext:
    with provided_by("railhttp[truststore]"):
        import truststore  # noqa: PLC0415  # an extra
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@cache
def shared_context(*, verify: bool) -> ssl.SSLContext:
    """Return the context that pools share unless they have TLS settings.

    Making one takes about 36 ms, so it is made once per process.
    """
    return _context(verify=verify)


def _context(*, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
