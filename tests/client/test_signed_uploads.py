"""Signing what is streamed: read once for its digest, and once more to be sent."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from io import BytesIO
from typing import Final

import pytest
from tests.servers.faults import FaultServer

from railhttp import HTTPClient, HTTPClientConfig
from railhttp.interceptors import MessageSigning

CONTENT: Final = b"a report" * 100_000
DIGEST: Final = f"sha-256=:{b64encode(hashlib.sha256(CONTENT).digest()).decode()}:"


@pytest.mark.parametrize(
    ("data", "digest"),
    [(BytesIO(CONTENT), DIGEST), ([CONTENT], DIGEST), (iter([CONTENT]), "")],
    ids=["a file", "a list", "an iterator, which can be read only once"],
)
async def test_a_streamed_body_is_signed_where_it_can_be_read_again(
    faults: FaultServer, data: Iterable[bytes], digest: str
) -> None:
    config = HTTPClientConfig(trust_env=False)
    async with HTTPClient(config, interceptors=[MessageSigning("shop", b"s3cret")]) as client:
        (await client.put(faults.url(), data=data)).unwrap()
    (received,) = faults.received
    assert received.body == CONTENT
    assert received.header("Content-Digest") == digest
    assert ("content-digest" in (received.header("Signature-Input") or "")) == bool(digest)
