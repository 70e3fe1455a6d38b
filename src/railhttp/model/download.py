"""What a download leaves behind."""

from dataclasses import dataclass
from pathlib import Path

from railhttp.model.response import HttpResponse


@dataclass(frozen=True, slots=True)
class Download:
    """A file that was downloaded, whole.

    Attributes:
        path: Where it is.
        size: The number of its bytes.
        resumed_from: How many of them an earlier run had left behind.
        response: The head of the last answer, with an empty body.

    Example:
        >>> Download(Path("data.bin"), 1000, 400, HttpResponse(206)).resumed_from
        400
    """

    path: Path
    size: int
    resumed_from: int
    response: HttpResponse
