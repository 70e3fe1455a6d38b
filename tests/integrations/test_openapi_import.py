"""Services generated from OpenAPI documents: they type-check strictly, and can be called."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest
from mypy import api
from returns.result import Failure, Success
from tests.endpoints.users_api import Api

from railhttp import HTTPClient
from railhttp.endpoints import Service, openapi
from railhttp.endpoints.service import endpoints_of
from railhttp.integrations.openapi.command import main
from railhttp.model.response import JSON
from railhttp.testing import ScriptedTransport

ROOT: Final = Path(__file__).parents[2]
SPECS: Final = Path(__file__).parent / "specs"
MODELS: Final = ("dataclass", "msgspec", "pydantic")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module for each document and each kind of models."""
    folder = tmp_path_factory.mktemp("generated")
    own = folder / "own.json"
    own.write_text(json.dumps(openapi(Api, title="Own", version="1")), encoding="utf-8")
    for spec in (*SPECS.iterdir(), own):
        for models in MODELS:
            output = folder / f"{spec.stem}_{models}.py"
            assert main([str(spec), "-o", str(output), "--models", models]) == 0
    own.unlink()
    return folder


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_generated_passes_mypy_strictly(generated: Path) -> None:
    paths = [str(path) for path in generated.glob("*.py")]
    output, problems, status = api.run(["--config-file", str(ROOT / "mypy.ini"), *paths])
    assert (status, problems) == (0, ""), output


def test_what_is_generated_passes_pyright(generated: Path) -> None:
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, str(generated)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("models", MODELS)
async def test_a_generated_service_can_be_called(generated: Path, models: str) -> None:
    petstore = load(generated / f"petstore_{models}.py")
    rex = petstore.Pet(id=7, name="Rex", tag="dog")
    error = petstore.Error(code=1, message="no such pet")
    script = ScriptedTransport()
    pets = petstore.PetsService
    script.serve(pets.show_pet_by_id).replies(rex).refuses(error, status=404)
    script.serve(pets.create_pets).replies(None)
    script.serve(pets.list_pets).replies([rex])
    async with HTTPClient(exchange=script, base_url=petstore.BASE_URL) as client:
        service = pets(client)
        assert await service.show_pet_by_id("7") == Success(rex)
        assert await service.show_pet_by_id("8") == Failure(error)
        assert await service.create_pets(rex) == Success(None)
        assert await service.list_pets(limit=3) == Success([rex])


@pytest.mark.parametrize("models", MODELS)
def test_every_part_of_an_operation_is_declared(generated: Path, models: str) -> None:
    zoo = load(generated / f"zoo_{models}.py")
    find = endpoints_of(zoo.Animals)["find_animal"]
    assert [one.statuses for one in find.answers.values] == [(200,), (202,)]
    refused = {one.model.__name__: one.statuses for one in find.answers.refusals}  # type: ignore[attr-defined]  # classes
    assert refused["ProblemDetails"] == (404,)
    assert refused["ListModel"] == tuple(range(500, 600))
    plan = find.plan
    assert [one.wire for one in plan.in_headers] == ["X-Trace"]
    assert {one.wire for one in plan.in_query} == {
        *("page-size", "kind", "order", "tags", "ids", "filter", "since"),
    }
    assert not endpoints_of(zoo.Animals)["change_animal"].answers.refusals
    assert {name: str(one) for name, one in endpoints_of(zoo.KeepersClub).items()} == {
        "feed": "GET /feed",
        "class_": "GET /class",
        "ask": "OPTIONS /class",
    }


@pytest.mark.parametrize("models", MODELS)
def test_no_name_hides_another(generated: Path, models: str) -> None:
    zoo = load(generated / f"zoo_{models}.py")
    assert {name: str(one) for name, one in endpoints_of(zoo.ColoursService).items()} == {
        "list_": "GET /colours"
    }
    (parameter,) = endpoints_of(zoo.ColoursService)["list_"].plan.in_query
    assert (parameter.name, parameter.wire) == ("list_", "list")
    assert not issubclass(zoo.Feathers, zoo.Fur)  # it changes the type of a member


@pytest.mark.parametrize("models", MODELS)
def test_what_was_exported_comes_back(generated: Path, models: str) -> None:
    own = load(generated / f"own_{models}.py")
    exported = openapi(Api, title="Own", version="1")
    again = openapi(own.Api, title="Own", version="1")
    assert operations(again) == operations(exported)


def operations(document: dict[str, JSON]) -> dict[str, list[str]]:
    paths: dict[str, dict[str, dict[str, list[str]]]]
    paths = json.loads(json.dumps(document["paths"]))
    return {
        f"{method} {path}": sorted(operation["responses"])
        for path, item in paths.items()
        for method, operation in item.items()
    }


def test_the_command_writes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(SPECS / "petstore.json")]) == 0
    assert "class PetsService(Service):" in capsys.readouterr().out


def test_the_package_is_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "railhttp", "openapi", str(SPECS / "petstore.json")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stderr
    assert "class PetsService(Service):" in done.stdout


BROKEN: Final = {
    "no JSON": "{",
    "no object": "[]",
    "an old version": '{"swagger": "2.0"}',
    "an invalid document": '{"openapi": "3.1.0", "info": {}}',
    "a reference to elsewhere": json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "x", "version": "1"},
            "paths": {"/x": {"$ref": "other.json#/x"}},
        }
    ),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_used_is_an_error(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(text, encoding="utf-8")
    assert main([str(spec), "--no-validate"] if "$ref" in text else [str(spec)]) == 1
    assert capsys.readouterr().err.startswith(f"railhttp openapi: {spec} ")


def test_no_file_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no-such.json"]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_services_of_a_document_are_services(generated: Path) -> None:
    assert issubclass(load(generated / "zoo_dataclass.py").Api, Service)


@pytest.mark.parametrize("models", MODELS)
@pytest.mark.parametrize("version", ["nulls30", "nulls31"])
async def test_null_is_a_value_where_the_document_allows_it(
    generated: Path, version: str, models: str
) -> None:
    notes = load(generated / f"{version}_{models}.py")
    nulls = {"text": None, "title": None, "lines": [None, "a"], "mood": None, "size": None}
    texts = {"text": "a", "title": "b", "lines": None, "mood": "calm", "size": "small"}
    script = ScriptedTransport()
    script.on("GET", "/notes").reply(json=nulls).reply(json=texts)
    async with HTTPClient(exchange=script, base_url="https://notes.example") as client:
        service = notes.Nulls(client)
        empty = (await service.find_note()).unwrap()
        full = (await service.find_note(limit=3, tags=["a", "b"], mood="calm")).unwrap()
    assert (empty.text, empty.title, empty.lines, empty.mood) == (None, None, [None, "a"], None)
    assert (full.text, full.lines, full.mood.value) == ("a", None, "calm")
    assert script.calls[1].url == "https://notes.example/notes?limit=3&tags=a&tags=b&mood=calm"


def test_a_parameter_that_may_be_null_has_the_type_of_the_rest(generated: Path) -> None:
    source = (generated / "nulls31_dataclass.py").read_text(encoding="utf-8")
    for field in (
        "limit: int | None = None",
        "tags: list[str] | None = None",
        "mood: Literal['calm'] | None = None",
        "word: str | None = None",
    ):
        assert f"    {field}\n" in source
