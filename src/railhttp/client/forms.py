"""The bodies of multipart forms."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from railhttp.model.body import Body
from railhttp.model.clock import Clock
from railhttp.pipeline.clock import random_id
from railhttp.transport.request_body import measure_file

if TYPE_CHECKING:
    from railhttp.wire.multipart import FormFields


def form_of(fields: "FormFields", clock: Clock) -> Callable[[], Body]:
    """Return a function that encodes a form, with a random boundary."""
    from railhttp.wire.multipart import encode_multipart  # noqa: PLC0415  # few send forms

    return partial(encode_multipart, fields, random_id(clock), measure_file)
