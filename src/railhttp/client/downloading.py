"""Downloads to a file: resumed after a drop, and given the target's name when complete."""

import asyncio
import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar, assert_never

from railhttp.client.limited_response import LimitedResponse
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
)

T = TypeVar("T")

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
        part: PartFile,
        progress: ProgressCallback | None,
        *,
        resume: bool,
    ) -> None:
        self._request = request
        self._part = part
        self._progress = progress
        self._resume = resume
        self.resumed_from = part.partial.size if part.partial.headers else 0
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
                        await on_disk(self._request, lambda: self._part.begin(Partial()))
                    case Unusable():
                        await self._wait_for_return(await _refusal(response))
                    case other:
                        assert_never(other)
            finally:
                response.close()

    async def _saved(self, response: LimitedResponse, step: Take) -> bool:
        self.resumed_from = min(self.resumed_from, step.start)
        partial = Partial(step.start, step.validator, step.total)
        await on_disk(self._request, lambda: self._part.begin(partial))
        try:
            await self._save(response, step.total)
        except FAILURES as failure:
            response.close()
            await self._recover(failure)
            return False
        return True

    async def _save(self, response: LimitedResponse, total: int | None) -> None:
        pieces: list[bytes] = []
        held = 0
        try:
            while chunk := await response.chunk():
                pieces.append(chunk)
                held += len(chunk)
                self._report(self._part.partial.size + held, total)
                if held >= PIECE_BYTES:
                    await self._write(pieces)
                    held = 0
        except BaseException:
            with suppress(*FAILURES):  # the reason for the break matters more
                await self._write(pieces)
            raise
        await self._write(pieces)
        size, info = self._part.partial.size, response.call_info()
        place = content_range(response.answer()) if response.answer().status == 206 else None
        end = total if place is None or place.last is None else place.last + 1
        if end is not None and size > end:  # the part cannot be trusted
            await on_disk(self._request, lambda: self._part.begin(Partial()))
            message = f"the response has more bytes than its range, which ends at {end}"
            raise HTTPConnectionError(message, kind="protocol", **info)
        expected = total if total is not None else end
        if expected is not None and size != expected:
            message = f"the file has {size} of {expected} bytes"
            raise HTTPConnectionError(message, kind="truncated", **info)

    async def _write(self, pieces: list[bytes]) -> None:
        whole = tuple(pieces)
        pieces.clear()
        if whole:
            self._wrote = True
            await on_disk(self._request, lambda: self._part.write(whole))

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
        size = self._part.partial.size
        self._fruitless = 0 if size > self._furthest else self._fruitless + 1
        self._furthest = max(size, self._furthest)
        if self._fruitless >= MAX_DROPS:
            raise failure
        await self._request.pause(BACKOFF, self._fruitless + 1)

    async def check(self, expected: Checksum) -> None:
        """Compare the whole file with its checksum."""
        found = await on_disk(self._request, lambda: self._part.digest(expected.algorithm))
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
) -> Download:
    """Download to a file; see `Streams.download`."""
    info = request.call_info()
    try:
        require_function(progress, "progress")
        expected = None if checksum is None else Checksum(checksum)
    except HTTPValidationError as error:
        raise HTTPInvalidRequestError(error.message, field=error.field, **info) from None
    except ValueError as error:
        raise HTTPInvalidRequestError(str(error), field="checksum", **info) from None
    part = await on_disk(request, lambda: PartFile(path, request.url), undo=_abandon)
    keep = resume
    try:
        if not resume:
            await on_disk(request, lambda: part.begin(Partial()))
        downloading = Downloading(request, part, progress, resume=resume)
        response = await downloading.run()
        if expected is not None:
            keep = False  # unless it fits, but then there is nothing left to keep
            await downloading.check(expected)
        await on_disk(request, part.commit)
    finally:
        await on_disk(request, lambda: part.close(keep=keep))
    return Download(path, part.partial.size, downloading.resumed_from, response)


def _abandon(part: PartFile) -> None:
    part.close(keep=True)


async def on_disk(
    request: StreamRequest, act: Callable[[], T], undo: Callable[[T], object] | None = None
) -> T:
    """Run a blocking function in a thread."""
    # No `asyncio.to_thread`: at the end of the loop its task would be cancelled as well
    # (tests/client/test_download.py::test_at_the_end_of_the_loop_no_file_is_closed).
    work = asyncio.get_running_loop().run_in_executor(None, act)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        # A file must not be closed while a thread still writes to it.
        while not work.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([work])
        if work.exception() is None and undo is not None:
            undo(work.result())
        raise
    except BlockingIOError as error:
        message = "another download of it is under way"
        raise HTTPInvalidRequestError(message, field="path", **request.call_info()) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error  # a NUL in the path
        message = f"cannot be written: {reason}"
        raise HTTPInvalidRequestError(message, field="path", **request.call_info()) from error


async def _refusal(response: LimitedResponse) -> HTTPFailure:
    status = response.answer().status
    if 200 <= status < 300:
        message = f"status {status} does not answer a request for this part of the file"
        return HTTPConnectionError(message, kind="protocol", **response.call_info())
    return await response.status_error()
