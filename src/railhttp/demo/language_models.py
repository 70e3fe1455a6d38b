"""Routes that look like the APIs of OpenAI and Anthropic, for their SDKs.

A model named `busy` is a 429, `slow` responds after half a minute; any other returns `Hello`.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Final

from aiohttp import web

LANGUAGE_MODELS: Final = web.RouteTableDef()

_WORDS: Final = ("Hel", "lo")
_USAGE: Final = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


@LANGUAGE_MODELS.post("/v1/chat/completions")
async def chat(request: web.Request) -> web.StreamResponse:
    """A chat completion, in one document or as a stream."""
    wish = await request.json()
    refused = await _refused(wish["model"])
    if refused is not None:
        return refused
    head = {"id": "chatcmpl-1", "created": 1, "model": wish["model"]}
    if wish.get("stream"):
        chunks = [
            {"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}
            for word in _WORDS
        ]
        documents = [
            head | {"object": "chat.completion.chunk", "choices": [chunk]} for chunk in chunks
        ]
        return await _events(
            request, [("", json.dumps(one)) for one in documents] + [("", "[DONE]")]
        )
    message = {"role": "assistant", "content": "".join(_WORDS)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return web.json_response(
        head | {"object": "chat.completion", "choices": [choice], "usage": _USAGE}
    )


@LANGUAGE_MODELS.post("/v1/messages")
async def messages(request: web.Request) -> web.StreamResponse:
    """A message, in one document or as a stream."""
    wish = await request.json()
    refused = await _refused(wish["model"])
    if refused is not None:
        return refused
    usage = {"input_tokens": 1, "output_tokens": 2}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": wish["model"]}
    end = {"stop_reason": "end_turn", "stop_sequence": None, "usage": usage}
    if not wish.get("stream"):
        content = [{"type": "text", "text": "".join(_WORDS)}]
        return web.json_response(message | {"content": content} | end)
    start = message | end | {"content": [], "stop_reason": None}
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    documents: list[Mapping[str, object]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": word},
            }
            for word in _WORDS
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ]
    return await _events(request, [(str(one["type"]), json.dumps(one)) for one in documents])


async def _refused(model: str) -> web.Response | None:
    if model == "slow":
        await asyncio.sleep(30)
    if model != "busy":
        return None
    error = {"type": "rate_limit_error", "message": "too many requests"}
    return web.json_response(
        {"type": "error", "error": error}, status=429, headers={"Retry-After": "0"}
    )


async def _events(request: web.Request, events: Iterable[tuple[str, str]]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for name, data in events:
        field = f"event: {name}\n" if name else ""
        await response.write(f"{field}data: {data}\n\n".encode())
    return response
