"""Downloads to a file: resumed after a drop, and given the target's name when complete."""

import hashlib
import re
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

PIECE_BYTES: Final = 512 * 1024
"""The least that is written at once: for less, the thread would cost more than the write."""

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

    async def run(self) -> HttpResponse:
        """Complete the file, and return the head of the last response."""
        while True:
            partial = self._part.partial
            try:
                response = await self._request.open(partial.headers)
            except FAILURES as failure:
                await self._wait_for_return(failure)
                continue
            try:
                if is_complete(partial, response.answer()):
                    return response.answer()
                match decide_resume(partial, response.answer()):
                    case Take() as step:
                        if await self._saved(response, step):
                            return response.answer()
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
        partial = Partial(step.start, step.validator, step.total)
        limit = self._limit(response)
        self._check_size(step.total or 0, limit)
        await self._disk.run(lambda: self._part.begin(partial))
        try:
            await self._save(response, step.total, limit)
        except FAILURES as failure:
            response.close()
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

    async def _save(self, response: LimitedResponse, total: int | None, limit: int | None) -> None:
        pieces: list[bytes] = []
        held = 0
        try:
            while chunk := await response.chunk():
                pieces.append(chunk)
                held += len(chunk)
                self._check_size(self._part.partial.size + held, limit)
                self._report(self._part.partial.size + held, total)
                if held >= PIECE_BYTES:
                    await self._write(pieces)
                    held = 0
        except BaseException:
            if pieces:  # the reason for the break matters more than an error of the disk
                self._wrote = True
                await self._disk.finish(lambda: self._part.write(pieces))
            raise
        await self._write(pieces)
        size, info = self._part.partial.size, response.call_info()
        place = content_range(response.answer()) if response.answer().status == 206 else None
        end = total if place is None or place.last is None else place.last + 1
        if end is not None and size > end:  # the part cannot be trusted
            await self._disk.run(lambda: self._part.begin(Partial()))
            message = f"the response has more bytes than its range, which ends at {end}"
            raise HTTPConnectionError(message, kind="protocol", **info)
        expected = total if total is not None else end
        if expected is not None and size != expected:
            if place is None:  # a whole file of another length: one of the two is not this version
                await self._disk.run(lambda: self._part.begin(Partial()))
            message = f"the file has {size} of {expected} bytes"
            raise HTTPConnectionError(message, kind="truncated", **info)

    async def _write(self, pieces: list[bytes]) -> None:
        whole = tuple(pieces)
        pieces.clear()
        if whole:
            self._wrote = True
            await self._disk.run(lambda: self._part.write(whole))

    def _report(self, size: int, total: int | None) -> None:
        if self._progress is None:
            return
        info = self._request.call_info()
        try:
            result: object = self._progress(size, total)
        except Exception as error:
            message = f"progress raised {type(error).__name__}"
            raise HTTPInterceptorError(message, interceptor="progress", **info) from error
        if close_awaitable(result):
            message = "progress returned an awaitable: it must be a plain function"
            raise HTTPInterceptorError(message, interceptor="progress", **info)

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

    async def check(self, expected: Checksum) -> None:
        """Compare the whole file with its checksum."""
        found = await self._disk.run(lambda: self._part.digest(expected.algorithm))
        if found != expected.digest:
            message = f"the file has another {expected.algorithm} checksum"
            raise HTTPDecodeError(message, where="checksum", **self._request.call_info())


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
    info = request.call_info()
    check_limit(max_download_bytes, "max_download_bytes", info)
    try:
        require_function(progress, "progress")
        expected = None if checksum is None else Checksum(checksum)
    except HTTPValidationError as error:
        raise HTTPInvalidRequestError(error.message, field=error.field, **info) from None
    except ValueError as error:
        raise HTTPInvalidRequestError(str(error), field="checksum", **info) from None
    disk = Disk(request)
    part = await disk.run(lambda: PartFile(path, request.url), undo=_abandon)
    keep = resume
    try:
        if not resume:
            await disk.run(lambda: part.begin(Partial()))
        downloading = Downloading(
            request, disk, part, progress, resume=resume, max_bytes=max_download_bytes
        )
        response = await downloading.run()
        if expected is not None:
            await downloading.check(expected)
        await disk.run(part.flush)
        await disk.run(part.commit)
    except (HTTPDecodeError, HTTPResponseTooLargeError):
        keep = False  # the next run would come to the same end
        raise
    finally:
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
