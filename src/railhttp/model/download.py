"""The result of a download."""

from dataclasses import dataclass
from pathlib import Path

from railhttp.model.response import HttpResponse


@dataclass(frozen=True, slots=True)
class Download:
    """A completely downloaded file.

    Attributes:
        path: The location of the file.
        size: The size of the file in bytes.
        resumed_from: The number of bytes that an earlier, interrupted download had stored.
        response: The head of the last response, with an empty body.

    Example:
        >>> Download(Path("data.bin"), 1000, 400, HttpResponse(206)).resumed_from
        400
    """

    path: Path
    size: int
    resumed_from: int
    response: HttpResponse
