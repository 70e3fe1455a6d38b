"""Builds requests at the price of their attributes."""

from collections.abc import Mapping

from yarl import URL

from railhttp.model.body import Body
from railhttp.model.field_lines import FieldLines
from railhttp.model.request import Derived, Request, SendOptions
from railhttp.model.target import Target


class _Draft(Derived):
    """A request whose attributes can still be set.

    In the frozen class each of them costs a call of `object.__setattr__` (benchmarks/README.md).
    """

    __slots__ = Request.__slots__  # the same, or Python refuses to change the class

    method: str
    target: Target
    lines: FieldLines | None
    body: Body | None
    cookies: Mapping[str, str] | None
    options: SendOptions
    redirected_from: URL | None
    url_text: str


def checked_request(
    method: str,
    target: Target,
    lines: FieldLines | None,
    body: Body | None,
    cookies: Mapping[str, str] | None,
    options: SendOptions,
) -> Request:
    """Build a request of parts that are known to be valid; see `Request`."""
    draft = _Draft()
    draft.method = method
    draft.target = target
    draft.lines = lines
    draft.body = body
    draft.cookies = cookies
    draft.options = options
    draft.redirected_from = draft.encoded = None
    site, path_qs, fragment = target
    draft.url_text = f"{site.text}{path_qs}{fragment}"
    draft.__class__ = Request  # type: ignore[assignment]
    return draft  # type: ignore[return-value]  # its class has just become that
