"""Documents as files: JSON and YAML, valid or not, and the output of the command."""

import json
from pathlib import Path
from typing import Final

import pytest

from railhttp.integrations.openapi.command import main
from railhttp.integrations.openapi.document import Document, DocumentError
from railhttp.model.response import JSON

YAML: Final = """
openapi: 3.1.0
info: {title: Dated, version: 2024-01-31}
paths:
  /a:
    get:
      operationId: a
      responses:
        200:
          description: ok
          content: {application/json: {schema: {$ref: "#/components/schemas/A"}}}
        404: {description: nowhere}
components:
  schemas:
    A: {type: object, properties: {day: {type: string, enum: [2024-01-31]}}}
"""
INVALID: Final = json.dumps(
    {
        "openapi": "3.1.0",
        "info": {"title": "Odd"},
        "paths": {"/a": {"get": {"operationId": "a", "responses": {"204": {}}}}},
    }
)


def test_keys_and_dates_of_yaml_are_texts(tmp_path: Path) -> None:
    spec = tmp_path / "dated.yaml"
    spec.write_text(YAML, encoding="utf-8")
    found = Document.load(str(spec))
    assert (found.title, found.version) == ("Dated", "2024-01-31")
    [(path, method, operation)] = found.operations()
    assert (path, method, list(operation["responses"])) == ("/a", "get", ["200", "404"])  # type: ignore[arg-type]  # an object
    assert found.schemas["A"] == {
        "type": "object",
        "properties": {"day": {"type": "string", "enum": ["2024-01-31"]}},
    }


def test_a_document_that_is_not_valid_can_be_used_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "odd.json"
    spec.write_text(INVALID, encoding="utf-8")
    with pytest.raises(DocumentError, match="is not valid"):
        Document.load(str(spec))
    with pytest.raises(DocumentError, match="is not valid"):
        Document(json.loads(INVALID))
    assert Document.load(str(spec), check=False).title == "Odd"
    assert main([str(spec)]) == 1
    shown = capsys.readouterr()
    assert (shown.out, "version" in shown.err) == ("", True)
    assert main([str(spec), "--no-validate"]) == 0
    assert 'a = get("/a").gives(None, status=204)' in capsys.readouterr().out


@pytest.mark.parametrize("version", ["3.0.0", "3.0.3", "3.1.0", "3.1.1"])
def test_both_versions_are_taken(version: str) -> None:
    assert Document({"openapi": version}, check=False).root == {"openapi": version}


@pytest.mark.parametrize("arguments", [[], ["-o", "-"]])
def test_without_a_file_the_module_goes_to_standard_output(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "dated.yaml"
    spec.write_text(YAML, encoding="utf-8")
    assert main([str(spec), *arguments]) == 0
    assert "@dataclass(frozen=True, kw_only=True)\nclass A:" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["dated.yaml"]


def test_with_a_file_nothing_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, output = tmp_path / "odd.json", tmp_path / "api.py"
    text = INVALID.replace("Odd", "café")
    spec.write_text(text, encoding="utf-8")
    assert main([str(spec), "--output", str(output), "--models", "msgspec", "--no-validate"]) == 0
    assert "café" in output.read_text(encoding="utf-8")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "arguments", [[], ["a.json", "--models", "attrs"], ["a.json", "--other"], ["a.json", "-o"]]
)
def test_wrong_arguments_are_the_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: railhttp openapi")


def test_the_help_names_the_kinds_of_models(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: railhttp openapi")
    assert "{dataclass,msgspec,pydantic}" in shown
    assert "OpenAPI document" in shown


@pytest.mark.parametrize("root", [[], "text", 7, None])
def test_a_file_must_hold_an_object(root: JSON, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(root), encoding="utf-8")
    with pytest.raises(DocumentError, match=r"must be an object|cannot be read"):
        Document.load(str(spec))
