"""Every Python block of the documents runs, in order, against real servers.

The blocks of one document are one program: they share their names, may `await` at the top, and
find the addresses of the servers in `NAMES`. `CA_FILE` is the certificate of the authority that
signed those of `SECURE_URL` and `MUTUAL_URL`; the latter wants a client's, as in `CERT_FILE`.
`REDIS_URL` is a Redis server.
"""

import ast
import inspect
import re
import sys
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

import pytest
from mypy import api
from tests.servers.echo import EchoServer
from tests.servers.proxy import ProxyServer
from tests.servers.redis import redis_server
from tests.servers.socks import SocksServer
from tests.servers.tls import TlsContexts
from tests.servers.unix import UnixServer

from railhttp.model.options import OwnOptions

# The document of the explorer takes 8 s alone, and 100 s where four programs share a processor.
pytestmark = pytest.mark.timeout(1200)
ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES: Final = (
    *("BASE_URL", "PROXY_URL", "SOCKS_URL", "SECURE_URL", "MUTUAL_URL", "UNIX_SOCKET"),
    *("CA_FILE", "CERT_FILE", "KEY_FILE", "REDIS_URL"),
)
_BLOCK: Final = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name_of(document: Path) -> str:
    return document.relative_to(ROOT).with_suffix("").as_posix().replace("/", "_")


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


WITH_BLOCKS: Final = [path for path in DOCUMENTS if any(sources(path))]


@pytest.fixture
async def addresses(
    echo: EchoServer, proxy: ProxyServer, tls: TlsContexts, tmp_path: Path
) -> AsyncIterator[dict[str, str]]:
    contents = {
        "CA_FILE": tls.authority_pem,
        "CERT_FILE": tls.certificate_pem,
        "KEY_FILE": tls.key_pem,
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    async with (
        EchoServer(ssl_context=tls.trusted) as secure,
        EchoServer(ssl_context=tls.mutual_1_3) as mutual,
        SocksServer() as socks,
        UnixServer(tmp_path / "api.sock") as unix,
    ):
        yield {
            "BASE_URL": echo.url(""),
            "PROXY_URL": proxy.url(""),
            "SOCKS_URL": f"socks5h://127.0.0.1:{socks.port}",
            "SECURE_URL": secure.url(""),
            "MUTUAL_URL": mutual.url(""),
            "UNIX_SOCKET": str(unix.path),
            **{name: str(tmp_path / name) for name in contents},
        }


@pytest.mark.parametrize("document", WITH_BLOCKS, ids=name_of)
async def test_every_block_of_a_document_runs(
    document: Path, addresses: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        if any("REDIS_URL" in source for source in sources(document)):
            addresses["REDIS_URL"] = stack.enter_context(redis_server(tmp_path)).url
        await run_blocks(document, addresses, monkeypatch)


async def run_blocks(
    document: Path, addresses: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType(f"the_blocks_of_{document.stem}")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where classes look up their types
    vars(module).update(addresses)
    for block in blocks(document):
        running = eval(block, vars(module))
        if inspect.iscoroutine(running):
            await running


def test_the_documents_have_blocks() -> None:
    assert {path.name for path in WITH_BLOCKS} >= {"README.md", "railway.md", "script.md"}


def test_the_readme_shows_code_after_at_most_120_words() -> None:
    before, _, _ = (ROOT / "README.md").read_text(encoding="utf-8").partition("```python")
    assert len(before.split()) <= 120


def test_the_readme_names_every_option_of_our_own_and_every_extra() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {name for name, needs in project["optional-dependencies"].items() if needs}
    assert {name for name in extras if f"`{name}`" not in readme} == set()
    options = readme.partition("Every call takes `")[2].partition("`")[0].split()
    assert sorted(options) == sorted(["data", *OwnOptions.__annotations__])


def test_the_blocks_type_check_strictly(tmp_path: Path) -> None:
    parameters = ", ".join(f"{name}: str" for name in NAMES)
    programs = []
    for document in WITH_BLOCKS:
        lines = [f"    {line}" for source in sources(document) for line in source.split("\n")]
        program = tmp_path / f"blocks_of_{name_of(document).lower().replace('-', '_')}.py"
        program.write_text("\n".join([f"async def main({parameters}) -> None:", *lines, "    ..."]))
        programs.append(str(program))
    output, _, status = api.run(["--config-file", str(ROOT / "mypy.ini"), *programs])
    assert status == 0, output
