"""A whole body, decoded piece by piece up to a limit, as an exchange does it."""

from typing import Final

from railhttp.wire.content import decoder_for


class ContentTooLarge(ValueError):
    """There is more than allowed."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"is larger than {limit} bytes")
        self.limit: Final = limit


def decode_body(content_encoding: str, body: bytes, max_bytes: int) -> bytes:
    """Undo the content codings of a body that is in memory."""
    decoder = decoder_for(content_encoding)
    pieces = []
    total = 0
    for piece in (body,) if decoder is None else decoder.feed(body):
        total += len(piece)
        if total > max_bytes:
            raise ContentTooLarge(max_bytes)
        pieces.append(piece)
    if decoder is not None:
        decoder.finish()
    return b"".join(pieces)
