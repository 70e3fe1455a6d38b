"""Reads a curl command line, as browsers and documentation give it."""

import base64
import shlex
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

FORM: Final = "application/x-www-form-urlencoded"
"""The type of a body that curl sends unless a header field names another."""

LINE_ENDS: Final = b"\r\n\0"
"""What curl leaves out of a file that is not binary."""

_WITH_VALUE: Final = {
    "-X": "request", "--request": "request",
    "-H": "header", "--header": "header",
    "-d": "data", "--data": "data", "--data-ascii": "data",
    "--data-raw": "data-raw",
    "--data-binary": "data-binary",
    "--data-urlencode": "data-urlencode",
    "--json": "json",
    "-F": "form", "--form": "form",
    "-u": "user", "--user": "user",
    "--oauth2-bearer": "bearer",
    "-A": "agent", "--user-agent": "agent",
    "-e": "referer", "--referer": "referer",
    "-b": "cookie", "--cookie": "cookie",
    "-o": "output", "--output": "output",
    "-x": "proxy", "--proxy": "proxy",
    "-m": "max-time", "--max-time": "max-time",
    "--connect-timeout": "connect-timeout",
    "--retry": "retry",
    "--cacert": "cacert",
    "--url": "url",
}  # fmt: skip

_FLAGS: Final = {
    "-G": "get", "--get": "get",
    "-I": "head", "--head": "head",
    "-L": "location", "--location": "location",
    "-k": "insecure", "--insecure": "insecure",
    "--compressed": "", "-s": "", "--silent": "", "-S": "", "--show-error": "",
    "-f": "", "--fail": "", "-v": "", "--verbose": "", "-i": "", "--include": "",
    "-#": "", "--progress-bar": "", "--http1.1": "", "-N": "", "--no-buffer": "",
}  # fmt: skip
"""Flags without a value; empty for those that change nothing about the request."""


class CurlError(ValueError):
    """A command line that is not one of curl, or has no URL."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a body.

    Attributes:
        text: The piece itself; empty if it is in a file.
        file: The path of the file, `-` for stdin; empty if there is none.
        is_binary: Whether the line ends of the file are sent. `-d @FILE` leaves them out.
    """

    text: str = ""
    file: str = ""
    is_binary: bool = False


@dataclass(slots=True)
class CurlCommand:
    """A curl command, taken apart.

    Attributes:
        method: The method, in upper case.
        url: The URL.
        headers: The header fields, in order.
        data: The pieces of a body.
        is_form: Whether the body has the type of a form unless a header field names another.
        form: The fields of a multipart form.
        options: The flags with values that concern the client: `max-time`, `proxy` and so on.
        flags: The other flags that count: `location`, `insecure`.
        ignored: The flags that could not be converted.
    """

    method: str = ""
    url: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    data: list[Piece] = field(default_factory=list)
    is_form: bool = True
    form: list[tuple[str, str]] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    ignored: list[str] = field(default_factory=list)

    @property
    def text(self) -> str | None:
        """The whole body; None if a piece of it is in a file."""
        if any(piece.file for piece in self.data):
            return None
        return "&".join(piece.text for piece in self.data)

    def header(self, name: str) -> str:
        """The value of a header field; empty if it is absent."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def parse_curl(line: str) -> CurlCommand:
    """Read a curl command line.

    Raises:
        CurlError: It is not one, or has no URL.

    Example:
        >>> command = parse_curl("curl -X PUT -d a=1 http://h/x -L")
        >>> command.method, command.url, command.data[0].text
        ('PUT', 'http://h/x', 'a=1')
    """
    try:
        words = shlex.split(line.replace("\\\n", " ").replace("\\\r\n", " "))
    except ValueError as error:
        raise CurlError(f"cannot be split into words: {error}") from None
    if not words or words[0].rpartition("/")[2] not in {"curl", "curl.exe"}:
        raise CurlError("must begin with curl")
    command = CurlCommand()
    queue = words[1:]
    while queue:
        _take(command, queue)
    if not command.url:
        raise CurlError("has no URL")
    return _completed(command)


def _take(command: CurlCommand, queue: list[str]) -> None:
    word = queue.pop(0)
    if not word.startswith("-") or word == "-":
        command.url = command.url or word
        return
    name, attached = _split(word, queue)
    if name in _WITH_VALUE:
        if attached is None and not queue:
            raise CurlError(f"{name} has no value")
        _set(command, _WITH_VALUE[name], queue.pop(0) if attached is None else attached)
    elif name in _FLAGS:
        command.flags.add(_FLAGS[name])
    else:
        command.ignored.append(name)


def _split(word: str, queue: list[str]) -> tuple[str, str | None]:
    """Split what is written together: `-XPOST`, `--max-time=3`, `-sSL`."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return name, value if equals else None
    name, rest = word[:2], word[2:]
    if rest and name in _FLAGS:
        queue.insert(0, f"-{rest}")
        return name, None
    return name, rest or None


def _set(command: CurlCommand, name: str, value: str) -> None:
    match name:
        case "request":
            command.method = value.upper()
        case "url":
            command.url = value
        case "header":
            key, _, text = value.partition(":")
            command.headers.append((key.strip(), text.strip()))
        case "agent" | "referer":
            command.headers.append(("User-Agent" if name == "agent" else "Referer", value))
        case "user":
            token = base64.b64encode(value.encode()).decode("ascii")
            command.headers.append(("Authorization", f"Basic {token}"))
        case "bearer":
            command.headers.append(("Authorization", f"Bearer {value}"))
        case "cookie":
            command.headers.append(("Cookie", value))
        case "form":
            command.form.append(_pair(value))
        case _ if name.startswith("data") or name == "json":
            _add_data(command, name, value)
        case _:
            command.options[name] = value


def _add_data(command: CurlCommand, name: str, value: str) -> None:
    if name == "json":
        command.headers.append(("Content-Type", "application/json"))
        command.headers.append(("Accept", "application/json"))
        command.is_form = False
    if name == "data-urlencode":
        piece = Piece(_url_encoded(value))
    elif value.startswith("@") and name != "data-raw":
        if value == "@":
            raise CurlError("has no name of a file behind @")
        piece = Piece(file=value[1:], is_binary=name != "data")
    else:
        piece = Piece(value)
    command.data.append(piece)


def _url_encoded(value: str) -> str:
    key, equals, text = value.partition("=")
    if not equals and "@" in key:
        raise CurlError("has a file behind --data-urlencode, which cannot be converted")
    return f"{key}={quote(text)}" if equals else quote(key)


def _pair(value: str) -> tuple[str, str]:
    name, _, text = value.partition("=")
    return name, text


def _completed(command: CurlCommand) -> CurlCommand:
    if "://" not in command.url:
        command.url = f"http://{command.url}"
    if "get" in command.flags and command.data:
        if (query := command.text) is None:
            raise CurlError("has a file behind -G, which cannot be converted")
        command.url += f"{'&' if '?' in command.url else '?'}{query}"
        command.data.clear()
    if not command.method:
        has_body = bool(command.data or command.form)
        command.method = "HEAD" if "head" in command.flags else "POST" if has_body else "GET"
    return command
