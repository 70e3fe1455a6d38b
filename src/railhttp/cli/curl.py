"""`railhttp curl '…'`: prints the Python of a curl command; `--run` sends it."""

import shlex
from argparse import ArgumentTypeError
from collections.abc import Sequence

from multidict import CIMultiDict

from railhttp import RequestOptions
from railhttp.cli.arguments import Limits, Parser, Setup, config_of, file_content, seconds, trusted
from railhttp.cli.curl_command import FORM, LINE_ENDS, CurlCommand, CurlError, Piece, parse_curl
from railhttp.cli.exit_code import OK
from railhttp.cli.python_source import python_of
from railhttp.cli.sending import Sending, send
from railhttp.cli.terminal import Terminal


def run(argv: Sequence[str], terminal: Terminal) -> int:
    """Convert a curl command, and return the exit code."""
    parser = Parser(
        "curl",
        "Print the Python of a curl command.",
        epilog="Secrets are not printed: the program reads them from environment variables.",
    )
    parser.add_argument("--run", action="store_true", help="send the request")
    parser.add_argument("--json", action="store_true", help="with --run: print one JSON document")
    parser.add_argument("command", metavar="COMMAND", help="the command line, as one word")
    flags, line = _divided(argv)
    given = parser.read([*flags, "--", line] if line else flags)
    try:
        command = parse_curl(line)
        program = python_of(command)
    except CurlError as error:
        parser.error(f"the command {error}")
    for name in command.ignored:
        terminal.say(f"{name} is not converted", "yellow")
    if given.run:
        return send(_sending(command, parser, as_json=given.json), terminal)
    terminal.write(program.encode())
    return OK


def _divided(argv: Sequence[str]) -> tuple[list[str], str]:
    """Tell the options of this command from the curl command, quoted as one word or not."""
    start = next((at for at, word in enumerate(argv) if word.startswith("curl")), len(argv))
    before, rest = list(argv[:start]), list(argv[start:])
    if rest and not rest[0].partition(" ")[2]:
        return before, shlex.join(rest)
    return before + rest[1:], "".join(rest[:1])


def _sending(command: CurlCommand, parser: Parser, *, as_json: bool) -> Sending:
    if command.form:
        parser.error("-F is converted, but cannot be run")
    options = command.options
    insecure = "insecure" in command.flags
    try:
        timeout = seconds(options["max-time"]) if "max-time" in options else None
        context = trusted(options["cacert"]) if "cacert" in options else None
        content = b"&".join(map(_content, command.data)) if command.data else None
    except ArgumentTypeError as error:
        parser.error(str(error))
    limits = Limits(timeout)
    config = config_of(limits, options.get("proxy"), context, insecure=insecure)
    retries = int(options["retry"]) if options.get("retry", "").isdigit() else None
    headers = CIMultiDict(command.headers)
    if content is not None and command.is_form:
        headers.setdefault("Content-Type", FORM)
    setup = Setup(command.url, (*headers.items(),), config, options.get("proxy"), retries, as_json)
    call = RequestOptions(headers=headers, allow_redirects="location" in command.flags)
    if content is not None:
        call["data"] = content
    return Sending(command.method, setup, call, options.get("output", ""))


def _content(piece: Piece) -> bytes:
    if not piece.file:
        return piece.text.encode("utf-8", "surrogateescape")
    content = file_content(piece.file)
    return content if piece.is_binary else content.translate(None, LINE_ENDS)
