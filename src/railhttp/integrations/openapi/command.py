"""`railhttp openapi`: make a typed service of an OpenAPI document."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from railhttp.integrations.openapi.document import Document, DocumentError
from railhttp.integrations.openapi.source import module_of

if TYPE_CHECKING:
    from railhttp.integrations.openapi.source import Models


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: The arguments after `openapi`; those of the process if None.

    Returns:
        0, or 1 if the document cannot be used.

    Raises:
        SystemExit: The arguments are wrong (2), or `--help` is one of them (0).
    """
    return run(_parser().parse_args(argv))


def run(arguments: argparse.Namespace) -> int:
    """Run the command with parsed arguments."""
    spec: str = arguments.spec
    models: Models = arguments.models
    output: str | None = arguments.output
    try:
        source = module_of(Document.load(spec, check=not arguments.no_validate), models)
    except DocumentError as error:
        print(f"railhttp openapi: {spec} {error}", file=sys.stderr)  # noqa: T201  # a command
        return 1
    if output is None or output == "-":
        sys.stdout.write(source)
    else:
        Path(output).write_text(source, encoding="utf-8")
    return 0


_ABOUT = "make a typed service of an OpenAPI document (3.0 or 3.1)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="railhttp openapi", description=_ABOUT)
    _add_arguments(parser)
    return parser


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", help="a file of JSON or YAML")
    parser.add_argument("-o", "--output", help="the module to write; standard output if absent")
    parser.add_argument(
        "--models",
        choices=("dataclass", "msgspec", "pydantic"),
        default="dataclass",
        help="the kind of classes for schemas (default: dataclass)",
    )
    parser.add_argument(
        "--no-validate", action="store_true", help="use the document even if it is not valid"
    )
