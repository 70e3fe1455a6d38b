"""The options that the commands share, as argparse reads them, and what they mean."""

import argparse
import json
import re
import ssl
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from typing_extensions import override

from railhttp import ConnectionPoolConfig, HTTPClientConfig, validate_timeout
from railhttp.cli.exit_code import USAGE
from railhttp.model.config import DEFAULT_MAX_RESPONSE_BYTES

UNLIMITED: Final = 0.0
"""What `--timeout 0` means, as in curl."""


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` that never repeats a value in a message, as it may be a secret."""

    def __init__(self, command: str, description: str, *, epilog: str = "") -> None:
        super().__init__(
            prog=f"railhttp {command}".rstrip(),
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def read(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse the arguments; a usage error ends the process with exit code 2."""
        arguments, unknown = self.parse_known_args(argv)
        if unknown:
            names = [
                name.partition("=")[0] for name in unknown if re.match(r"--?[a-z-]+(=|$)", name)
            ]
            self.error(f"unknown: {', '.join(names) or 'an argument too many'}; see --help")
        return arguments

    @override
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        shown = re.sub(r"'[^']*'|\"[^\"]*\"", "***", message)  # argparse quotes what was given
        self.exit(USAGE, f"{self.prog}: {shown}\n")


def header(text: str) -> list[tuple[str, str]]:
    """Read `NAME: VALUE`, or `@FILE` with one of these in each line."""
    if text.startswith("@"):
        lines = file_content(text[1:]).decode("utf-8", "replace").splitlines()
        return [_field(line) for line in lines if line.strip()]
    return [_field(text)]


def _field(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError("must be NAME: VALUE")
    return name.strip(), value.strip()


def file_content(path: str) -> bytes:
    """Read a file, or stdin for `-`."""
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"the file cannot be read: {error.strerror}") from None


def body(text: str) -> bytes:
    """Read a body: the text itself, `@FILE`, or `@-` for stdin."""
    return (
        file_content(text[1:]) if text.startswith("@") else text.encode("utf-8", "surrogateescape")
    )


def document(text: str) -> bytes:
    """Read a body that must be JSON; see `body`."""
    content = body(text)
    try:
        json.loads(content)
    except ValueError:
        raise argparse.ArgumentTypeError("must be JSON; -d sends any text") from None
    return content


def seconds(text: str) -> float:
    """Read a time limit; 0 means unlimited."""
    try:
        value = float(text)
        if value != UNLIMITED:
            validate_timeout(value)
    except ValueError:  # HTTPValidationError is one
        raise argparse.ArgumentTypeError("must be a number of seconds, 0 for no limit") from None
    return value


def count(text: str) -> int:
    """Read a number that is not negative."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError("must be a number, 0 or more")
    return int(text)


def size(text: str) -> int:
    """Read a number of bytes, at least one."""
    if not count(text):
        raise argparse.ArgumentTypeError("must be 1 or more")
    return count(text)


def trusted(path: str) -> ssl.SSLContext:
    """Read a file of certificates to trust instead of the system's."""
    try:
        return ssl.create_default_context(cafile=path)
    except OSError:
        raise argparse.ArgumentTypeError("must be a file of certificates in PEM") from None


def web_url(text: str) -> str:
    """Complete a URL as browsers do: `:8000/x` is on this machine, and http is the usual scheme."""
    if "://" in text:
        return text
    return f"http://localhost{text}" if text.startswith((":", "/")) else f"http://{text}"


def add_call_options(parser: Parser) -> None:
    """Add what every command that sends requests takes."""
    add = parser.add_argument
    add("url", metavar="URL", type=web_url)
    add(
        "-H", "--header", metavar="FIELD", type=header, action="append", default=[],
        help="a header field, NAME: VALUE; @FILE reads one from each line",
    )  # fmt: skip
    add("--timeout", metavar="SECONDS", type=seconds, help="limit for the whole call; 0 for none")
    add("--connect-timeout", metavar="SECONDS", type=seconds, help="limit for connecting")
    add("--read-timeout", metavar="SECONDS", type=seconds, help="limit for silence of the server")
    add("--proxy", metavar="URL", help="an HTTP proxy; empty for none")
    add("--cacert", metavar="FILE", type=trusted, help="trust the certificates of this file only")
    add("-k", "--insecure", action="store_true", help="do not verify the certificate")
    add("--max-bytes", metavar="N", type=size, help="the largest body to read (100 MiB)")
    add("--json", action="store_true", help="print one JSON document")


def add_retries(parser: Parser) -> None:
    """Add the choice of a retry policy."""
    parser.add_argument(
        "--retries", metavar="N", type=count,
        help="retry up to N times, then exit with 60; by default the client retries twice where "
        "that is safe, and exits with the code of the last failure",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setup:
    """The settings that the shared options lead to.

    Attributes:
        url: The URL.
        headers: The header fields, repeated ones too.
        config: The settings of the client.
        proxy: The proxy of the call; None uses the environment, an empty string no proxy.
        retries: The number of retries; None for the policy of the client.
        as_json: Whether the output is one JSON document.
    """

    url: str
    headers: tuple[tuple[str, str], ...]
    config: HTTPClientConfig
    proxy: str | None
    retries: int | None
    as_json: bool

    @classmethod
    def of(cls, parser: Parser, given: argparse.Namespace) -> "Setup":
        """Take the options from what argparse read."""
        if given.insecure and given.cacert:
            parser.error("--insecure and --cacert exclude each other")
        return cls(
            given.url,
            tuple(field for fields in given.header for field in fields),
            config_of(
                Limits(given.timeout, given.connect_timeout, given.read_timeout, given.max_bytes),
                given.proxy,
                given.cacert,
                insecure=given.insecure,
            ),
            given.proxy,
            getattr(given, "retries", None),
            given.json,
        )


class Limits(NamedTuple):
    """Limits; None leaves one to the client.

    Attributes:
        timeout: Seconds for the whole call; 0 means unlimited.
        connect: Seconds for connecting; 0 means unlimited.
        read: Seconds of silence; 0 means unlimited.
        max_bytes: The largest body that is read.
    """

    timeout: float | None = None
    connect: float | None = None
    read: float | None = None
    max_bytes: int | None = None


def config_of(
    limits: Limits, proxy: str | None, trusts: ssl.SSLContext | None, *, insecure: bool
) -> HTTPClientConfig:
    """Make the settings of a client.

    Raises:
        HTTPValidationError: The proxy is not the URL of an HTTP proxy, or a limit is longer than
            that of the whole call.
    """
    pool = ConnectionPoolConfig(verify_ssl=not insecure, ssl_context=trusts)
    if limits.timeout is not None:
        pool = replace(pool, timeout=limits.timeout or None)
    return HTTPClientConfig(
        pool,
        proxy or None,
        trust_env=proxy is None,
        connect_timeout=limits.connect or None,
        read_timeout=limits.read or None,
        max_response_bytes=limits.max_bytes or DEFAULT_MAX_RESPONSE_BYTES,
    )
