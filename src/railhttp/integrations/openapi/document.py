"""An OpenAPI document: read, checked, and with a name for each schema that needs a class."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

from railhttp.extra import provided_by
from railhttp.integrations.openapi.naming import pascal, unique
from railhttp.model.response import JSON

with provided_by("railhttp[openapi]"):
    import openapi_pydantic
    from openapi_spec_validator import validate
    from openapi_spec_validator.readers import read_from_filename

JSONObject: TypeAlias = dict[str, JSON]

SCHEMAS: Final = "#/components/schemas/"
METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class DocumentError(Exception):
    """A file is not an OpenAPI document that endpoints can be generated from."""


class Document:
    """An OpenAPI document whose schemas are named like Python classes.

    Args:
        root: The parsed document.
        check: Whether to validate the document first.

    Raises:
        DocumentError: It is not a valid document of OpenAPI 3.0 or 3.1.
    """

    def __init__(self, root: JSONObject, *, check: bool = True) -> None:
        if not str(root.get("openapi", "")).startswith(("3.0", "3.1")):
            raise DocumentError("must be an OpenAPI document of version 3.0 or 3.1")
        if check:
            _check(root)
        self.root: Final = root
        self.schemas: Final[JSONObject] = {}
        self._renamed: dict[str, str] = {}
        schemas = members(members(root, "components"), "schemas")
        taken: set[str] = set()
        for name in schemas:
            self._renamed[SCHEMAS + name] = unique(pascal(name), taken)
        for name, schema in schemas.items():
            self.schemas[self._renamed[SCHEMAS + name]] = self.renamed(schema)

    @classmethod
    def load(cls, path: str, *, check: bool = True) -> "Document":
        """Read a document from a file of JSON or YAML.

        Raises:
            DocumentError: It cannot be read.
        """
        try:
            root: object = read_from_filename(str(Path(path).resolve()))[0]
        except Exception as error:  # parsers have their own kinds
            raise DocumentError(f"cannot be read: {error}") from error
        return cls(_with_text_keys(root), check=check)

    @property
    def title(self) -> str:
        """The title of the API."""
        return str(members(self.root, "info").get("title", ""))

    @property
    def version(self) -> str:
        """The version of the API."""
        return str(members(self.root, "info").get("version", ""))

    @property
    def base_url(self) -> str:
        """The URL of the first server; empty if it is relative or has variables."""
        servers = self.root.get("servers")
        if not isinstance(servers, list) or not servers or not isinstance(servers[0], dict):
            return ""
        url = str(servers[0].get("url", ""))
        return url if "://" in url and "{" not in url else ""

    def operations(self) -> Iterator[tuple[str, str, JSONObject]]:
        """Yield path, method and operation, each with the parameters of its path."""
        for path, item in members(self.root, "paths").items():
            resolved = self.resolve(item)
            shared = resolved.get("parameters")
            for method in METHODS:
                operation = resolved.get(method)
                if isinstance(operation, dict):
                    own = operation.get("parameters")
                    both = [*_items(shared), *_items(own)]
                    yield path, method, {**operation, "parameters": both}

    def resolve(self, value: JSON) -> JSONObject:
        """Follow references inside the document.

        Raises:
            DocumentError: A reference leads out of the document, or nowhere.
        """
        seen: set[str] = set()
        while isinstance(value, dict) and isinstance(reference := value.get("$ref"), str):
            if reference in seen:
                raise DocumentError(f"the reference {reference} leads to itself")
            seen.add(reference)
            value = self._find(reference)
        return value if isinstance(value, dict) else {}

    def _find(self, reference: str) -> JSON:
        if reference.startswith(SCHEMAS) and reference.removeprefix(SCHEMAS) in self.schemas:
            return self.schemas[reference.removeprefix(SCHEMAS)]
        if not reference.startswith("#/"):
            raise DocumentError(f"the reference {reference} leaves the document: bundle it first")
        found: JSON = self.root
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or key not in found:
                raise DocumentError(f"the reference {reference} leads nowhere")
            found = found[key]
        return found

    def renamed(self, schema: JSON) -> JSON:
        """Let a schema refer to the Python names of the others."""
        if isinstance(schema, list):
            return [self.renamed(part) for part in schema]
        if not isinstance(schema, dict):
            return schema
        found: JSONObject = {}
        for key, part in schema.items():
            if key == "$ref" and isinstance(part, str):
                name = self._renamed.get(part)
                found[key] = SCHEMAS + name if name is not None else part
            elif key == "mapping" and isinstance(part, dict):
                found[key] = {one: self._mapped(target) for one, target in part.items()}
            else:
                found[key] = self.renamed(part)
        return found

    def _mapped(self, target: JSON) -> JSON:
        whole = target if str(target).startswith("#") else f"{SCHEMAS}{target}"
        name = self._renamed.get(str(whole))
        return SCHEMAS + name if name is not None else target

    def name(self, wish: str, schema: JSONObject) -> str:
        """Add a schema under a new name, so that it becomes a class."""
        taken = set(self.schemas)
        name = unique(pascal(wish), taken)
        self.schemas[name] = schema
        return name


def members(value: JSONObject, name: str) -> JSONObject:
    """Return a member that is an object; an empty one if it is not there."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _items(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else []


def _with_text_keys(value: object) -> JSONObject:
    """Read what YAML made of a document as JSON: `200:` is a text, and so is a date."""
    found: object = json.loads(json.dumps(value, default=str))
    if not isinstance(found, dict):
        raise DocumentError("must be an object")
    return found


def _check(root: JSONObject) -> None:
    try:
        validate(root)
        openapi_pydantic.parse_obj(root)
    except Exception as error:  # each package has its own kinds
        message = getattr(error, "message", "") or str(error)
        raise DocumentError(f"is not valid (see --no-validate): {message}") from error
