"""The picture in docs/architecture.md is the way that a call really goes."""

import ast
import inspect
import re
import sys
from asyncio import Transport
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

from tests.servers.echo import EchoServer

import railhttp
from railhttp import HTTPClient, HTTPClientConfig

DOCUMENT: Final = Path(__file__).parent.parent / "docs" / "architecture.md"
PACKAGE: Final = Path(inspect.getfile(railhttp)).parent
STATION: Final = re.compile(r"^([1-8])  (\S+) +(\S+\.py)", re.MULTILINE)


def stations() -> list[tuple[str, str]]:
    """The numbered stations of the picture: a name, and the file that it stands in."""
    found = STATION.findall(DOCUMENT.read_text())
    assert [number for number, _, _ in found] == [str(number + 1) for number in range(len(found))]
    return [(name, file) for _, name, file in found]


def place(code: CodeType) -> tuple[str, str] | None:
    path = Path(code.co_filename)
    if not path.is_relative_to(PACKAGE):
        return None
    name = code.co_qualname.split(".<locals>")[0]
    return name, path.relative_to(PACKAGE).as_posix()


async def traced(url: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Everything of ours that a warm call enters up to the socket, and what waits there for it."""
    entered: list[tuple[str, str]] = []
    waiting: list[tuple[str, str]] = []

    def profile(frame: FrameType, event: str, argument: object) -> None:
        if event != "call" or waiting:
            return
        if (where := place(frame.f_code)) is not None:
            entered.append(where)
        if (
            frame.f_code.co_name == Transport.write.__name__
            and "asyncio" in frame.f_code.co_filename
        ):
            caller: FrameType | None = frame
            while caller is not None:
                where = place(caller.f_code)
                if where is not None and caller.f_code.co_flags & inspect.CO_COROUTINE:
                    waiting.insert(0, where)
                caller = caller.f_back

    async with HTTPClient(HTTPClientConfig(trust_env=False)) as client:
        await client.get(url)
        sys.setprofile(profile)
        try:
            await client.get(url)
        finally:
            sys.setprofile(None)
    return entered, waiting


async def test_a_call_passes_the_stations_of_the_picture_in_their_order() -> None:
    async with EchoServer() as echo:
        entered, _ = await traced(echo.url("/json"))
    passed = [where for where in dict.fromkeys(entered) if where in stations()]
    assert passed == stations()


async def test_nothing_waits_for_the_socket_that_the_picture_does_not_name() -> None:
    async with EchoServer() as echo:
        _, waiting = await traced(echo.url("/json"))
    files = [file for _, file in stations()]
    assert [file for _, file in waiting] == [file for file in files if "builder" not in file]
    assert len(stations()) <= 8


def test_each_file_of_the_picture_exists() -> None:
    files = re.findall(
        r"`((?:client|pipeline|transport|policy|wire|model)/[\w/]+\.py)`", DOCUMENT.read_text()
    )
    assert files
    assert [file for file in files if not (PACKAGE / file).is_file()] == []


FILES_NOT_WIRE = {"wire/cookie_file.py"}


def test_only_spaces_and_tabs_are_stripped_from_wire_text() -> None:
    """RFC 9110, 5.6.3: `str.strip()` would also take a vertical tab or a no-break space away."""
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for room in ("wire", "transport")
        for path in (PACKAGE / room).rglob("*.py")
        if path.relative_to(PACKAGE).as_posix() not in FILES_NOT_WIRE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in {"strip", "lstrip", "rstrip", "split"} and not node.args
    ]
    assert found == []
