"""The documents refer only to tests and files that exist."""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TESTS: Final = [*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("properties/test_*.py")]
_TEST: Final = re.compile(r"\b([\w/]*test_\w+\.py)(?:::(test_\w+))?")
_LINK: Final = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def missing(document: Path) -> list[str]:
    """The references of a document that lead nowhere."""
    text = document.read_text(encoding="utf-8")
    tests = [match[0] for match in _TEST.finditer(text) if not exists(match[1], match[2])]
    return tests + [link for link in _LINK.findall(text) if not (document.parent / link).exists()]


def exists(file: str, test: str | None) -> bool:
    found = [path for path in TESTS if path.as_posix().endswith("/" + file)]
    return any(test is None or f"def {test}(" in path.read_text("utf-8") for path in found)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_and_file_that_a_document_names_exists(document: Path) -> None:
    assert missing(document) == []


def test_a_reference_to_nothing_is_found(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("`test_retry.py::test_nothing`, `tests/test_no.py`, [a](b.md), [c](a.md)")
    assert missing(document) == ["test_retry.py::test_nothing", "tests/test_no.py", "b.md"]
