"""Run it: `cd examples && python -m chat_sdk`."""

import asyncio

from chat_sdk.sdk import Chat, Message
from chat_sdk.server import ChatServer


async def main() -> None:
    """Show an answer, a stream and a refusal."""
    async with (
        ChatServer().running() as server,
        Chat.connect(server.url, "demo", "s3cret") as chat,
    ):
        print(await chat.complete(Message("one answer, please")))
        async for chunk in chat.stream(Message("word by word")):
            print(chunk)
        print(await chat.complete(Message("")))


if __name__ == "__main__":
    asyncio.run(main())
