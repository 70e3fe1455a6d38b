"""How the response to a request is read."""

from typing import Final, NamedTuple

from aiohttp.helpers import DEFAULT_CHUNK_SIZE

from railhttp.model.request import Request, WireOptions
from railhttp.wire.response_reader import USUAL_LIMITS, HeadLimits


class Expected(NamedTuple):
    """How a response is read; see `WireOptions`."""

    with_body: bool = True
    read_until_eof: bool = True
    read_bufsize: int = DEFAULT_CHUNK_SIZE
    limits: HeadLimits = USUAL_LIMITS

    @classmethod
    def of(cls, wire: WireOptions, *, with_body: bool) -> "Expected":
        """Return how a response to a request with `WireOptions` is read."""
        usual = USUAL_LIMITS
        limits = HeadLimits(
            wire.max_line_size or usual.line,
            wire.max_field_size or usual.field,
            wire.max_headers or usual.fields,
        )
        size = wire.read_bufsize or DEFAULT_CHUNK_SIZE
        return cls(with_body, wire.read_until_eof, size, limits)


USUAL: Final = Expected()
WITHOUT_BODY: Final = Expected(with_body=False)


def expected_by(request: Request) -> Expected:
    """Return how the response to a request is read."""
    with_body = request.method != "HEAD"
    if (wire := request.options.wire) is not None:
        return Expected.of(wire, with_body=with_body)
    return USUAL if with_body else WITHOUT_BODY
