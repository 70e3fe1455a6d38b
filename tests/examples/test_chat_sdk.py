"""The SDK of the chat API against a real server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from returns.result import Failure, Success

from chat_sdk import sdk
from chat_sdk.__main__ import main
from chat_sdk.sdk import Chat, Chunk, Completion, File, Message, Refusal
from chat_sdk.server import ChatServer
from railhttp import HTTPDecodeError
from railhttp.railway import outcome

HELLO = Message("hello there")


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    async with ChatServer().running() as running:
        yield running


@pytest.fixture
async def chat(server: ChatServer) -> AsyncIterator[Chat]:
    async with Chat.connect(server.url, "demo", "s3cret") as chat:
        yield chat


def test_the_sdk_is_short() -> None:
    assert len(Path(sdk.__file__).read_text(encoding="utf-8").splitlines()) <= 120


async def test_a_completion_survives_faults_and_an_expired_token(
    server: ChatServer, chat: Chat
) -> None:
    answer = Success(Completion("c1", Message("hello there", "assistant")))
    assert await chat.complete(HELLO) == answer
    server.expire()
    server.faults = [503]
    assert await chat.complete(HELLO) == answer
    assert server.tokens == 3
    assert (server.keys[1], None in server.keys) == (server.keys[2], False)


async def test_a_stream_comes_word_by_word(server: ChatServer, chat: Chat) -> None:
    await chat.complete(HELLO)
    server.expire()
    chunks = [chunk async for chunk in chat.stream(HELLO)]
    assert chunks == [Success(Chunk("hello")), Success(Chunk("there"))]


async def test_a_refusal_is_a_value(chat: Chat) -> None:
    refusal = Failure(Refusal("nothing to say", {"at": "messages"}))
    assert await chat.complete(Message("")) == refusal
    assert [chunk async for chunk in chat.stream(Message(""))] == [refusal]


async def test_an_error_in_place_of_a_stream_is_at_hand(server: ChatServer, chat: Chat) -> None:
    server.quota = True
    (only,) = [chunk async for chunk in chat.stream(HELLO)]
    failure = outcome(only)
    assert isinstance(failure, HTTPDecodeError)
    assert failure.response is not None
    assert failure.response.json() == {"error": "the quota is used up"}


async def test_files_go_up_and_come_down_with_progress(
    server: ChatServer, chat: Chat, tmp_path: Path
) -> None:
    data = bytes(300_000)
    up: list[int] = []
    down: list[int] = []
    file = (await chat.upload(data, lambda sent, _: up.append(sent))).unwrap()
    assert (file, up[-1]) == (File("f1", 300_000), 300_000)
    target = tmp_path / "file"
    (await chat.download(file, target, lambda size, _: down.append(size))).unwrap()
    assert (target.read_bytes() == data, down[-1]) == (True, 300_000)


async def test_all_pages_of_files_are_listed(server: ChatServer, chat: Chat) -> None:
    server.files = {f"f{number}": bytes(number) for number in range(5)}
    files = (await chat.files()).unwrap()
    assert files == [File(f"f{number}", number) for number in range(5)]


async def test_the_demo_prints(capsys: pytest.CaptureFixture[str]) -> None:
    await main()
    assert "nothing to say" in capsys.readouterr().out
