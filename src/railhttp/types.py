"""Type aliases for the arguments and values of a client."""

from railhttp.model.body import BodyData
from railhttp.model.config import Certificate, Resolver, Verify
from railhttp.model.download import Download
from railhttp.model.errors import (
    ConnectionKind,
    TimeoutPhase,
)
from railhttp.model.options import (
    ProgressCallback,
    RequestOptions,
)
from railhttp.model.response import JSON
from railhttp.wire.multipart import (
    FormFields,
    FormValue,
)

__all__ = [
    "JSON",
    "BodyData",
    "Certificate",
    "ConnectionKind",
    "Download",
    "FormFields",
    "FormValue",
    "ProgressCallback",
    "RequestOptions",
    "Resolver",
    "TimeoutPhase",
    "Verify",
]
