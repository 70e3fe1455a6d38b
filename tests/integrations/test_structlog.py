"""The log through structlog, configured for foreign records as structlog documents it."""

import io
import json
import logging

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level

from railhttp.client.http_client import HTTPClient
from railhttp.testing import ScriptedTransport


async def test_a_call_is_one_structured_entry() -> None:
    script = ScriptedTransport()
    script.on("GET", "/v1").reply(404)
    formatter = ProcessorFormatter(
        foreign_pre_chain=[add_log_level, ExtraAdder()],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter)
    logger = logging.getLogger("railhttp.request")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        async with HTTPClient(exchange=script) as client:
            await client.get("https://api.example/v1?token=s3cret")
    finally:
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(handler)
    [entry] = map(json.loads, written.getvalue().splitlines())
    shown = "https://api.example/v1?token=***"
    assert entry.pop("seconds") >= 0
    assert len(entry.pop("call_id")) == 32
    assert entry.pop("event").startswith(f"GET {shown}: 404 after 1 attempt,")
    assert entry == {
        "level": "info",
        "method": "GET",
        "url": shown,
        "host": "api.example",
        "status": 404,
        "error_type": "404",
        "attempts": 1,
    }
