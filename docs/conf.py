"""Settings of the documentation site; `make docs` builds it into site/.

The pages are plain Markdown, so that GitHub shows them too. The API reference and llms.txt are
generated here: the first from the names that the public modules export, the second from the guides.
"""

import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.nodes import make_refnode

import railhttp

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE))
import drawing  # noqa: E402  # the module beside this one

MODULES: Final = (
    "railhttp",
    "railhttp.railway",
    "railhttp.railway.reader",
    "railhttp.resilience",
    "railhttp.interceptors",
    "railhttp.auth",
    "railhttp.events",
    "railhttp.headers",
    "railhttp.urls",
    "railhttp.validation",
    "railhttp.types",
    "railhttp.protocols",
    "railhttp.di",
    "railhttp.doctor",
    "railhttp.cookies",
    "railhttp.egress",
    "railhttp.sync",
    "railhttp.endpoints",
    "railhttp.testing",
    "railhttp.testing.strategies",
    "railhttp.testing.explore",
    "railhttp.integrations.httpx2",
    "railhttp.integrations.opentelemetry",
    "railhttp.integrations.prometheus",
    "railhttp.integrations.redis",
    "railhttp.integrations.svcs",
)

FOREIGN: Final = "BaseException, Enum, Generic, Protocol, dict, object, str, tuple"  # left out

GLUED: Final = re.compile(r"(?<!`)`([^`]+)`(?=\w)")

project = "railhttp"
author = "The railhttp developers"
project_copyright = author
version = release = railhttp.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["README.md", "tests"]  # the table of contents on GitHub; index.md is the site's
html_theme = "furo"
html_title = f"railhttp {release}"
html_copy_source = False
html_show_sphinx = False
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
myst_heading_anchors = 3
default_role = "code"  # docstrings are written with single backticks
pygments_style = "friendly"

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_use_ivar = True
napoleon_use_rtype = False
napoleon_numpy_docstring = False


def setup(app: Sphinx) -> None:
    """Generate the API reference before the build, and llms.txt after it."""
    app.connect("builder-inited", write_diagrams)
    app.connect("builder-inited", write_reference)
    app.connect("autodoc-process-docstring", read_backticks)
    app.connect("missing-reference", find_public_name)
    app.connect("build-finished", write_llms)


def write_diagrams(_: Sphinx) -> None:
    """Draw each text in diagrams/; a page includes the SVG, so that it follows the theme."""
    for text in (HERE / "diagrams").glob("*.txt"):
        svg = drawing.drawn(text.read_text(encoding="utf-8"), text.stem)
        text.with_suffix(".svg").write_text(svg, encoding="utf-8")


def write_reference(_: Sphinx) -> None:
    """Write one page for each public module; each name is on one page only."""
    folder = HERE / "api"
    folder.mkdir(exist_ok=True)
    for page in folder.glob("*.rst"):
        page.unlink()
    shown: set[str] = set()
    known: set[str] = set()
    pages = []
    for name in filter(is_there, MODULES):
        module = importlib.import_module(name)
        names = [each for each in exported(module) if key(module, each) not in shown]
        shown |= {key(module, each) for each in names}
        if names:
            entries = "\n".join(directive(module, each, known) for each in names)
            known |= {*names}
            text = f"{name}\n{'=' * len(name)}\n\n{summary(module)}\n\n{entries}"
            (folder / f"{name}.rst").write_text(text, encoding="utf-8")
            pages.append(name)
    toctree = "\n".join(f"   {page}" for page in pages)
    title = "API reference\n============="
    index = f"{title}\n\nEach public name is on one page.\n\n.. toctree::\n\n{toctree}\n"
    (folder / "index.rst").write_text(index, encoding="utf-8")


def is_there(name: str) -> bool:
    """Check whether a module exists; some come with later versions."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def exported(module: ModuleType) -> list[str]:
    """The public names of a module, in the order of its `__all__`."""
    names: list[str] = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]
    return [name for name in names if not name.startswith("__")]


def key(module: ModuleType, name: str) -> str:
    """Identify a name, so that two modules with the same object share one page."""
    value = getattr(module, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        return f"{value.__module__}.{name}"
    return name


def summary(module: ModuleType) -> str:
    """The first paragraph of a module's docstring."""
    return (inspect.getdoc(module) or "").partition("\n\n")[0]


def directive(module: ModuleType, name: str, known: set[str]) -> str:
    """The directive that documents a name; a second class of one name is not linked by it."""
    value, path = getattr(module, name), f"{module.__name__}.{name}"
    if inspect.isclass(value) and value.__name__ == name:
        unlinked = "   :no-index:\n" if name in known else ""
        return (
            f".. autoclass:: {path}\n   :members:\n{unlinked}"
            f"   :inherited-members: {FOREIGN}\n   :show-inheritance:\n"
        )
    if inspect.isfunction(value):
        return f".. autofunction:: {path}\n"
    text = "\n".join(f"   {line}" for line in alias_text(name, value))
    return f".. py:data:: {path}\n\n{text}\n"


def alias_text(name: str, value: object) -> list[str]:
    """The text below an alias, in the module that defines it."""
    if inspect.isclass(value):
        return [f"The same class as `{value.__name__}`."]
    for module in every_module():
        analyzer = ModuleAnalyzer.for_module(module)
        analyzer.analyze()
        if lines := analyzer.attr_docs.get(("", name)):
            return lines
    return []


def every_module() -> Iterator[str]:
    """The names of all modules of the package."""
    for found in pkgutil.walk_packages(railhttp.__path__, "railhttp.", onerror=lambda _: None):
        if not found.name.startswith("railhttp.integrations.openapi."):  # needs its extra
            yield found.name


def read_backticks(*event: object) -> None:
    """Let a word follow single backticks, as in Markdown: "the `Result`s"."""
    lines = event[-1]
    if isinstance(lines, list):
        lines[:] = [line if ">>>" in line else GLUED.sub(r"`\1`\\ ", line) for line in lines]


def find_public_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Link a class of an internal module to the page of its public name."""
    target = node.get("reftarget", "")
    if not target.startswith("railhttp."):
        return None
    name = target.rpartition(".")[2]
    for path, entry in env.domains["py"].data["objects"].items():
        if path.rpartition(".")[2] == name and entry.objtype in {"class", "exception", "data"}:
            source = node.get("refdoc", "")
            return make_refnode(app.builder, source, entry.docname, entry.node_id, content, path)
    return None


def write_llms(app: Sphinx, error: Exception | None) -> None:
    """Write the guides into one file, for programs that read."""
    if error is None:
        guides = sorted(page for page in HERE.rglob("*.md") if page.name != "README.md")
        texts = [(HERE / "index.md"), *(page for page in guides if page.name != "index.md")]
        whole = "\n\n".join(page.read_text(encoding="utf-8") for page in texts)
        prose = re.sub(r"```\{toctree\}.*?```\n*", "", whole, flags=re.DOTALL)
        (Path(app.outdir) / "llms.txt").write_text(prose, encoding="utf-8")
