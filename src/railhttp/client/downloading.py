"""Downloads to a file: resumed after a drop, and given the target's name when complete."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, assert_never

from railhttp.client.disk import Disk
from railhttp.client.limited_response import LimitedResponse, check_limit
from railhttp.client.part_file import PartFile
from railhttp.client.stream_request import StreamRequest
from railhttp.model.download import Download
from railhttp.model.errors import (
    FAILURES,
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInterceptorError,
    HTTPInvalidRequestError,
    HTTPResponseTooLargeError,
    HTTPValidationError,
)
from railhttp.model.options import ProgressCallback
from railhttp.model.response import HttpResponse
from railhttp.model.validation import close_awaitable, require_function
from railhttp.policy.backoff import Backoff
from railhttp.policy.reconnect import may_pass
from railhttp.policy.resume import (
    Partial,
    StartOver,
    Take,
    Unusable,
    content_range,
    decide_resume,
    is_complete,
    is_encoded,
)

PIECE_BYTES: Final = 1024 * 1024
"""More than this is written at once: for less, the thread would cost more than the write. A body of
at most this size is written, flushed and renamed in one visit to the thread."""

MAX_DROPS: Final = 3
"""How many drops in a row, without any progress, are too many; a server that is unreachable after a
drop counts as one more."""

BACKOFF: Final = Backoff(base=0.5, maximum=20.0)
"""The waits before a transfer is resumed."""


class Checksum:
    """The expected digest of a file.

    Args:
        text: The algorithm and the digest in hexadecimal, such as `sha256:9f86…`.

    Raises:
        ValueError: It does not have this form, or the algorithm is unknown.
    """

    def __init__(self, text: str) -> None:
        algorithm, _, digest = str(text).lower().partition(":")
        if algorithm not in hashlib.algorithms_guaranteed or algorithm.startswith("shake_"):
            raise ValueError("must name an algorithm of hashlib, as in sha256:9f86…")
        size = hashlib.new(algorithm, usedforsecurity=False).digest_size
        if not re.fullmatch(f"[0-9a-f]{{{2 * size}}}", digest):
            raise ValueError(f"must have {2 * size} hexadecimal digits after {algorithm}:")
        self.algorithm: Final = algorithm
        self.digest: Final = digest


class Downloading:
    """One download under way.

    Attributes:
        resumed_from: The number of bytes from an earlier run.
    """

    def __init__(
        self,
        request: StreamRequest,
        disk: Disk,
        part: PartFile,
        progress: ProgressCallback | None,
        *,
        resume: bool,
        max_bytes: int | None,
    ) -> None:
        self._request = request
        self._disk = disk
        self._part = part
        self._progress = progress
        self._resume = resume
        self._max_bytes = max_bytes
        self.resumed_from: int = part.partial.size if part.partial.headers else 0
        self._furthest = self.resumed_from
        self._fruitless = 0
        self._wrote = False
        self._beginning: Partial | None = None
        self._pieces: list[bytes] = []
        self._held = 0

    async def run(self) -> HttpResponse:
        """Complete the file, and return the head of the last response."""
        while True:
            partial = self._part.partial
            try:
                response = await self._request.open(partial.headers)
            except FAILURES as failure:
                await self._wait_for_return(failure)
                continue
            head = response.answer()
            try:
                if is_complete(partial, head):
                    return head
                match decide_resume(partial, head):
                    case Take() as step:
                        if await self._saved(response, step):
                            return head
                    case StartOver():
                        await self._disk.run(lambda: self._part.begin(Partial()))
                    case Unusable():
                        await self._wait_for_return(await _refusal(response))
                    case other:
                        assert_never(other)
            finally:
                response.close()

    async def _saved(self, response: LimitedResponse, step: Take) -> bool:
        self.resumed_from = min(self.resumed_from, step.start)
        limit = self._limit(response)
        self._check_size(step.total or 0, limit)
        self._beginning = Partial(step.start, step.validator, step.total)
        try:
            await self._save(response, step, limit)
        except FAILURES as failure:
            await self._recover(failure)
            return False
        return True

    def _limit(self, response: LimitedResponse) -> int | None:
        """Return the most bytes that the file may have.

        A small body with a content coding can expand without end, and no coding was requested.
        """
        limit = self._max_bytes
        if not is_encoded(response.answer()):
            return limit
        most = self._request.max_response_bytes
        return most if limit is None else min(limit, most)

    def _check_size(self, size: int, limit: int | None) -> None:
        if limit is not None and size > limit:
            message = f"the file is larger than {limit} bytes"
            info = self._request.call_info()
            raise HTTPResponseTooLargeError(message, limit=limit, **info)

    async def _save(self, response: LimitedResponse, step: Take, limit: int | None) -> None:
        """Receive the body; the last `PIECE_BYTES` of a whole file are left to `complete`."""
        size, total = step.start, step.total
        try:
            while chunk := await response.chunk():
                self._pieces.append(chunk)
                self._held += len(chunk)
                size += len(chunk)
                self._check_size(size, limit)
                if self._progress is not None:
                    self._report(self._progress, size, total)
                if self._held > PIECE_BYTES:
                    await self._disk.run(self._writing())
        except BaseException:
            if self._pieces:  # the reason for the break matters more than an error of the disk
                await self._disk.finish(self._writing())
            self._beginning = None
            raise
        head = response.answer()
        place = content_range(head) if head.status == 206 else None
        end = total if place is None or place.last is None else place.last + 1
        if end is not None and size > end:  # the part cannot be trusted
            await self._disk.run(lambda: self._part.begin(Partial()))
            message = f"the response has more bytes than its range, which ends at {end}"
            raise HTTPConnectionError(message, kind="protocol", **response.call_info())
        expected = total if total is not None else end
        if expected is not None and size != expected:
            write = self._writing()
            if place is None:  # a whole file of another length: one of the two is not this version
                await self._disk.run(lambda: self._part.begin(Partial()))
            else:
                await self._disk.run(write)
            message = f"the file has {size} of {expected} bytes"
            raise HTTPConnectionError(message, kind="truncated", **response.call_info())

    def _writing(self, *, keeps_note: bool = True) -> Callable[[], None]:
        """Return a function that writes the received pieces, which are forgotten here.

        The first of a body begins the part, so that it takes no visit to the thread of its own.
        """
        part, pieces, beginning = self._part, tuple(self._pieces), self._beginning
        self._pieces.clear()
        self._held, self._beginning = 0, None
        self._wrote = self._wrote or bool(pieces)

        def write() -> None:
            if beginning is not None:
                part.begin(beginning, keeps_note=keeps_note)
            if pieces:
                part.write(pieces)

        return write

    async def complete(self, checksum: "Checksum | None") -> None:
        """Write the rest, and give the whole file its name when the disk has it.

        Raises:
            HTTPDecodeError: The file has another checksum.
        """
        # A crash loses at most `PIECE_BYTES`, so a file that is complete at once has no note.
        write = self._writing(keeps_note=False)
        if checksum is not None:
            found: list[str] = []
            digest = self._part.digest
            await self._disk.run(write, lambda: found.append(digest(checksum.algorithm)))
            if found != [checksum.digest]:
                message = f"the file has another {checksum.algorithm} checksum"
                raise HTTPDecodeError(message, where="checksum", **self._request.call_info())
            await self._disk.run(self._part.flush, self._part.commit)
        else:
            await self._disk.run(write, self._part.flush, self._part.commit)

    def _report(self, progress: ProgressCallback, size: int, total: int | None) -> None:
        try:
            result: object = progress(size, total)
        except Exception as error:
            raise self._blamed(f"progress raised {type(error).__name__}") from error
        if close_awaitable(result):
            raise self._blamed("progress returned an awaitable: it must be a plain function")

    def _blamed(self, message: str) -> HTTPInterceptorError:
        info = self._request.call_info()
        return HTTPInterceptorError(message, interceptor="progress", **info)

    async def _wait_for_return(self, failure: HTTPFailure) -> None:
        """Wait for a server that sent a part and then went away; raise any other failure."""
        if not self._wrote:  # nothing but the retry policy has to decide
            raise failure
        await self._recover(failure)

    async def _recover(self, failure: HTTPFailure) -> None:
        """Wait until the transfer may be resumed; raise the failure if it may not."""
        if not (self._resume and may_pass(failure)):
            raise failure
        await self._disk.rest()  # a slow disk may still write what came before the drop
        size = self._part.partial.size
        self._fruitless = 0 if size > self._furthest else self._fruitless + 1
        self._furthest = max(size, self._furthest)
        if self._fruitless >= MAX_DROPS:
            raise failure
        await self._request.pause(BACKOFF, self._fruitless + 1)


async def fetch(
    request: StreamRequest,
    path: Path,
    *,
    checksum: str | None,
    progress: ProgressCallback | None,
    resume: bool,
    max_download_bytes: int | None,
) -> Download:
    """Download to a file; see `Streams.download`."""
    check_limit(max_download_bytes, "max_download_bytes", request.call_info)
    try:
        require_function(progress, "progress")
        expected = None if checksum is None else Checksum(checksum)
    except HTTPValidationError as error:
        info = request.call_info()
        raise HTTPInvalidRequestError(error.message, field=error.field, **info) from None
    except ValueError as error:
        info = request.call_info()
        raise HTTPInvalidRequestError(str(error), field="checksum", **info) from None
    disk = Disk(request)
    part = await disk.get(lambda: PartFile(path, request.url), undo=_abandon)
    keep, done = resume, False
    try:
        if not resume:
            await disk.run(lambda: part.begin(Partial()))
        downloading = Downloading(
            request, disk, part, progress, resume=resume, max_bytes=max_download_bytes
        )
        response = await downloading.run()
        await downloading.complete(expected)
        done = True
    except (HTTPDecodeError, HTTPResponseTooLargeError):
        keep = False  # the next run would come to the same end
        raise
    finally:
        if not done:
            await disk.finish(lambda: part.close(keep=keep))
    return Download(path, part.partial.size, downloading.resumed_from, response)


def _abandon(part: PartFile) -> None:
    part.close(keep=True)


async def _refusal(response: LimitedResponse) -> HTTPFailure:
    status = response.answer().status
    if 200 <= status < 300:
        message = f"status {status} does not answer a request for this part of the file"
        return HTTPConnectionError(message, kind="protocol", **response.call_info())
    return await response.status_error()
