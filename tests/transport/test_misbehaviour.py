"""Each misbehaviour has one outcome; afterwards the same client works, and nothing leaks.

The calls are POSTs, which are never retried, so the server counts one request for each call.
"""

from typing import Final, TypeAlias

import pytest
from returns.methods import unwrap_or_failure
from tests.servers.faults import FaultServer
from tests.servers.leaks import nothing_left
from tests.servers.registry import FAULTS

from railhttp import (
    HTTPClient,
    HTTPClientConfig,
    HTTPDecodeError,
    HttpResponse,
    HTTPStatusError,
    RequestOptions,
)

Outcome: TypeAlias = int | str
"""A status, or the failure's label; `large` and `decode` for those that have none."""

OUTCOMES: Final[dict[Outcome, str]] = {
    200: """
        /ok /body-until-close /long-body /chunk-line-too-long /trailers /long-line
        /close-after-answer /close-on-next /reset-on-next /unsolicited-answer /says-close-but-stays
        /invalid-charset /invalid-utf8 /bad-json /invalid-utf8-json /deep-json /huge-int-json
        /empty-json /json-as-html /no-content-type /repeated-set-cookie /bad-set-cookie
        /gzip-members /gzip-empty /gzip-twice /deflate-raw /unknown-encoding
        /folded-header /continue-then-ok /early-hints /slow-drip /slow-head /slow-answer
        /redirect-to /redirect-downgrade /redirect-other-origin /redirect-with-userinfo
        /redirect-header-injection /redirect-raw-utf8 /redirect-before-body
        /redirect-short-body /stall-in-redirect
        """,
    204: "/no-content-with-body",
    302: "/redirect-without-location",
    304: "/not-modified-with-length",
    413: "/early-413 /early-413-reset",
    417: "/expect100-refused",
    "disconnected": """
        /reset-before-head /reset-in-head /close-before-head /close-in-head /empty-answer
        /redirect-to-reset
        """,
    "truncated": """
        /short-body /truncated-chunk /missing-final-chunk /missing-final-crlf
        /reset-in-body /reset-in-chunks /reset-in-endless-body
        /gzip-truncated /gzip-without-trailer /deflate-truncated /br-truncated /zstd-truncated
        /br-corrupt
        """,
    "protocol": """
        /bad-chunk-size /negative-chunk-size /huge-chunk-size /bad-chunk-in-body
        /bad-chunk-then-close /chunk-overruns /malformed-status-line /status-out-of-range
        /unknown-version /garbage /http09 /http2-preface /wrong-protocol /bad-header-line
        /bad-header-name /empty-header-name /nul-in-header /cr-in-header /header-line-too-long
        /too-many-headers /endless-head /conflicting-lengths /chunked-and-length /negative-length
        /length-no-number /unasked-101 /transfer-coding-gzip
        /endless-continue /endless-processing
        """,
    "redirect": """
        /redirect-loop /redirect-forever /redirect-empty-location /redirect-bad-url
        /redirect-bad-port /redirect-no-host /redirect-ftp /redirect-file /redirect-data
        """,
    "Content-Encoding": """
        /gzip-corrupt /gzip-not-gzip /gzip-bad-checksum /gzip-trailing-garbage /zstd-corrupt
        """,
    "response too large": "/endless-body /gzip-bomb /br-bomb /zstd-bomb",
    "read": """
        /stalled-upload /close-in-upload /reset-in-upload /expect100-never /stall-before-head
        /stall-in-head /stall-after-head /stall-in-body /stall-in-chunks
        """,
}

IMPATIENT: Final[dict[Outcome, RequestOptions]] = {
    "read": {"read_timeout": 0.1},
}

CASES: Final = {path: outcome for outcome, paths in OUTCOMES.items() for path in paths.split()}


def test_every_misbehaviour_has_its_outcome() -> None:
    assert CASES.keys() == FAULTS.keys()


@pytest.mark.parametrize("path", CASES)
async def test_a_misbehaviour_has_one_outcome_and_the_client_goes_on(path: str) -> None:
    expected = CASES[path]
    config = HTTPClientConfig(timeout=60.0, max_response_bytes=2**20, trust_env=False)
    async with nothing_left(), FaultServer() as server, HTTPClient(config) as client:
        url = server.url(path, interval=0.001)
        found = unwrap_or_failure(await client.post(url, **IMPATIENT.get(expected, {})))
        match found:
            case HttpResponse() | HTTPStatusError():
                assert found.status == expected
            case HTTPDecodeError():
                assert found.where == expected
            case _:
                assert found.label == expected
        assert [seen.path for seen in server.received].count(path) in {1, 11}
        again = await client.get(server.url("/ok"))
        assert again.unwrap().body == b"ok"
