"""Decoders, an encoder, requests as values, and combinators for domain code."""

from railhttp.model.document_encoder import encode
from railhttp.railway import reader
from railhttp.railway.combinators import fallback, tap, tap_failure, then
from railhttp.railway.concurrency import collect, first_success, gather, race, settled
from railhttp.railway.decoders import Decoder, decode, decode_json, decode_lines, decode_text
from railhttp.railway.outcome import catching, outcome, run
from railhttp.railway.paging import PageReader, Pages, next_link, numbered, pages
from railhttp.railway.problem import ProblemDetails, problem
from railhttp.railway.reader import ResponseReader, retry
from railhttp.railway.sharing import shared
from railhttp.railway.status import expect, on_status

__all__ = [
    "Decoder",
    "PageReader",
    "Pages",
    "ProblemDetails",
    "ResponseReader",
    "catching",
    "collect",
    "decode",
    "decode_json",
    "decode_lines",
    "decode_text",
    "encode",
    "expect",
    "fallback",
    "first_success",
    "gather",
    "next_link",
    "numbered",
    "on_status",
    "outcome",
    "pages",
    "problem",
    "race",
    "reader",
    "retry",
    "run",
    "settled",
    "shared",
    "tap",
    "tap_failure",
    "then",
]
