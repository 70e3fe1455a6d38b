"""The entry point: finds the command, and turns every way to end into an exit code."""

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from railhttp import HTTPInvalidRequestError, HTTPValidationError, __version__
from railhttp.cli.exit_code import BROKEN_PIPE, INTERRUPTED, OK, USAGE
from railhttp.cli.terminal import Terminal, discard_stdout

Command: TypeAlias = Callable[[Sequence[str], Terminal], int]

HELP: Final = """\
usage: railhttp [COMMAND] URL [OPTIONS]

An HTTP client in which every failure is a typed value, and has an exit code.

  get, post, put, delete, patch, head, options
                 send a request; `railhttp URL` is a GET, or a POST if it has a body
  download       download to a file: with a bar, resumed, checked
  tail           follow server-sent events or NDJSON
  doctor         say why a URL cannot be requested, and what to do
  curl           print the Python of a curl command
  openapi        make a typed service of an OpenAPI document

`railhttp COMMAND --help` lists the options.

The body goes to stdout, everything about the call to stderr. Exit codes:
   0 below 400   4 4xx   5 5xx   2 usage   10 invalid request
  20 dns   21 connect   22 proxy   23 tls   24 disconnected   25 truncated
  26 protocol   27 redirect   28 rejected   29 closed
  30 pool   31 connect   32 read   33 total (time limits)
  40 decode   41 too large   50 circuit open   51 interceptor   60 retries exhausted
  64 more where the request may have been sent; 130 after Ctrl-C
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: The arguments; those of the process if None.

    Returns:
        The exit code, see `railhttp --help`.
    """
    terminal = Terminal.of_process()
    try:
        return _run(sys.argv[1:] if argv is None else argv, terminal)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        discard_stdout()
        return BROKEN_PIPE
    except HTTPValidationError as error:
        from railhttp.cli.sending import report_failure  # noqa: PLC0415  # see `_sent`

        failure = HTTPInvalidRequestError(error.message, field=error.field, attempts=0)
        return report_failure(failure, terminal, as_json="--json" in (argv or sys.argv))
    except SystemExit as ended:  # argparse: --help, and usage errors
        return ended.code if isinstance(ended.code, int) else USAGE


def _run(argv: Sequence[str], terminal: Terminal) -> int:
    match argv:
        case [] | ["-h" | "--help" | "help"]:
            terminal.write(HELP.encode())
            return OK if argv else USAGE
        case ["--version" | "-V"]:
            terminal.print(f"railhttp {__version__}")
            return OK
        case [name, *rest] if name in _COMMANDS:
            return _COMMANDS[name](rest, terminal)
        case [first, *_] if first.startswith("-") or "/" in first or ":" in first or "." in first:
            return _sent("")(argv, terminal)
        case _:
            terminal.say("railhttp: there is no such command; see railhttp --help")
            return USAGE


def _sent(method: str) -> Command:
    def run(argv: Sequence[str], terminal: Terminal) -> int:
        from railhttp.cli.sending import read, send  # noqa: PLC0415  # only what a command needs

        return send(read(method, argv), terminal)

    return run


def _download(argv: Sequence[str], terminal: Terminal) -> int:
    from railhttp.cli.downloading import run  # noqa: PLC0415  # see `_sent`

    return run(argv, terminal)


def _tail(argv: Sequence[str], terminal: Terminal) -> int:
    from railhttp.cli.tailing import run  # noqa: PLC0415  # see `_sent`

    return run(argv, terminal)


def _doctor(argv: Sequence[str], terminal: Terminal) -> int:
    from railhttp.cli.diagnosing import run  # noqa: PLC0415  # see `_sent`

    return run(argv, terminal)


def _curl(argv: Sequence[str], terminal: Terminal) -> int:
    from railhttp.cli.curl import run  # noqa: PLC0415  # see `_sent`

    return run(argv, terminal)


def _openapi(argv: Sequence[str], terminal: Terminal) -> int:
    try:
        command = importlib.import_module("railhttp.integrations.openapi.command")
    except ModuleNotFoundError as error:  # its text names the extra to install
        terminal.say(f"railhttp openapi: {error}", "red")
        return USAGE
    run: Callable[[Sequence[str]], int] = command.main
    return run(argv)


_COMMANDS: Final[dict[str, Command]] = {
    **{method: _sent(method) for method in ("get", "post", "put", "delete", "patch")},
    **{method: _sent(method) for method in ("head", "options")},
    "download": _download,
    "tail": _tail,
    "doctor": _doctor,
    "curl": _curl,
    "openapi": _openapi,
}
