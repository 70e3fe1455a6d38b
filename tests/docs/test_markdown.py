"""Every Python block of the documents runs, in order, against a real server.

The blocks of one document are one program: they share their names, may `await` at the top, and
find the server's address in `BASE_URL`.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

import pytest
from mypy import api
from tests.servers.echo import EchoServer

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TYPED: Final = (
    "railway",
    "resilience",
    "streams",
    "cookies",
    "testing",
    "dependency-injection",
    "observability",
)
_BLOCK: Final = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sources(document: Path) -> Iterator[str]:
    """The blocks of a document, each with as many blank lines as stand before it there."""
    text = document.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        yield "\n" * text.count("\n", 0, match.start(1)) + match[1]


def blocks(document: Path) -> Iterator[CodeType]:
    """The compiled blocks of a document; tracebacks show the document's own lines."""
    for source in sources(document):
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        yield compile(source, str(document), "exec", flags, dont_inherit=True)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
async def test_every_block_of_a_document_runs(
    document: Path, echo: EchoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType(f"the_blocks_of_{document.stem}")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where classes look up their types
    vars(module)["BASE_URL"] = echo.url("")
    for block in blocks(document):
        running = eval(block, vars(module))
        if inspect.iscoroutine(running):
            await running


def test_the_documents_have_blocks() -> None:
    assert {path.name for path in DOCUMENTS if any(blocks(path))} >= {"README.md", "railway.md"}


def test_the_blocks_about_types_type_check_strictly(tmp_path: Path) -> None:
    programs = []
    for document in (ROOT / "README.md", *(ROOT / f"docs/{name}.md" for name in TYPED)):
        lines = [f"    {line}" for source in sources(document) for line in source.split("\n")]
        program = tmp_path / f"blocks_of_{document.stem.lower()}.py"
        program.write_text("\n".join(["async def main(BASE_URL: str) -> None:", *lines, "    ..."]))
        programs.append(str(program))
    output, _, status = api.run(["--config-file", str(ROOT / "mypy.ini"), *programs])
    assert status == 0, output
