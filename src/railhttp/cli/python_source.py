"""Writes the Python of a request. A secret becomes the name of an environment variable."""

import json
import re
from typing import Final
from urllib.parse import parse_qsl, urlencode

from yarl import URL

from railhttp.cli.curl_command import FORM, LINE_ENDS, CurlCommand, CurlError, Piece
from railhttp.model.redaction import SECRET_HEADERS
from railhttp.types import JSON

_SECRET: Final = re.compile(
    r"token|secret|passw|pwd|pass$|api.?key|access.?key|^key$|auth|credential|session|signature|^sig$"
    r"|^code$|private|bearer|jwt",
    re.IGNORECASE,
)
"""Names of parameters and members whose values are likely to be secret."""

_PROGRAM: Final = """\
import asyncio
{imports}
{packages}


async def main() -> None:
    async with HTTPClient({settings}) as client:
{body}


asyncio.run(main())
"""

_VERB: Final = """\
        match await client.{call}:
            case Success({success}):
                {use}
            case Failure(failure):
                print(failure)"""

_REQUEST: Final = """\
        response = await client.{call}
        print(response.status, response.text)"""
"""For a method without a verb: it raises what goes wrong."""


class _Writer:
    """Collects what a program needs while its parts are written."""

    def __init__(self) -> None:
        self.imports: set[str] = set()

    def secret(self, name: str) -> str:
        """Write the look-up of a secret."""
        self.imports.add("import os")
        variable = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").upper()
        return f'os.environ["{variable}"]'

    def text(self, name: str, value: str) -> str:
        """Write a value, or the look-up of it if its name is that of a secret."""
        return self.secret(name) if _SECRET.search(name) else _literal(value)

    def pairs(self, pairs: list[tuple[str, str]]) -> str:
        """Write names and values as a dict; a name that is repeated has a list."""
        names = dict.fromkeys(name for name, _ in pairs)
        items = []
        for name in names:
            values = [self.text(name, value) for key, value in pairs if key == name]
            shown = values[0] if len(values) == 1 else f"[{', '.join(values)}]"
            items.append(f"{_literal(name)}: {shown}")
        return f"{{{', '.join(items)}}}"

    def headers(self, fields: list[tuple[str, str]]) -> str:
        """Write header fields as a dict."""
        items = []
        for name, value in dict(fields).items():
            secret = name.lower() in SECRET_HEADERS or _SECRET.search(name)
            items.append(f"{_literal(name)}: {self.secret(name) if secret else _literal(value)}")
        return f"{{{', '.join(items)}}}"

    def document(self, value: JSON, name: str = "") -> str:
        """Write a JSON document as Python."""
        match value:
            case dict():
                items = (
                    f"{_literal(key)}: {self.document(one, key)}" for key, one in value.items()
                )
                return f"{{{', '.join(items)}}}"
            case list():
                return f"[{', '.join(self.document(one, name) for one in value)}]"
            case str():
                return self.text(name, value)
            case _:
                return self.secret(name) if name and _SECRET.search(name) else repr(value)

    def form(self, fields: list[tuple[str, str]]) -> str:
        """Write the fields of a multipart form as a dict; `@file` is an open file."""
        items = []
        for name, value in fields:
            shown = self.text(name, value)
            if value.startswith("@"):
                self.imports.add("from pathlib import Path")
                shown = f'Path({_literal(value[1:].partition(";")[0])}).open("rb")'
            items.append(f"{_literal(name)}: {shown}")
        return f"{{{', '.join(items)}}}"

    def piece(self, piece: Piece) -> str:
        """Write one piece of a body, as bytes."""
        if not piece.file:
            return f"{_literal(piece.text)}.encode()"
        if piece.file in {"-", "/dev/stdin"}:
            self.imports.add("import sys")
            read = "sys.stdin.buffer.read()"
        else:
            self.imports.add("from pathlib import Path")
            read = f"Path({_literal(piece.file)}).read_bytes()"
        return read if piece.is_binary else f"{read}.translate(None, {LINE_ENDS!r})"


def python_of(command: CurlCommand) -> str:
    """Write the program of a curl command.

    Example:
        >>> from railhttp.cli.curl_command import parse_curl
        >>> command = parse_curl("curl http://h/ -H 'Authorization: Bearer s3cret'")
        >>> [line.strip() for line in python_of(command).splitlines() if "headers" in line]
        ['headers={"Authorization": os.environ["AUTHORIZATION"]},']
    """
    writer = _Writer()
    settings = _settings(command, writer)
    verb = "post_multipart" if command.form else command.method.lower()
    arguments = [*_target(command, writer), *_contents(command, writer)]
    if "location" not in command.flags:
        arguments.append("allow_redirects=False")
    if "output" in command.options and verb == "get":
        verb = "download"
        arguments.insert(1, _literal(command.options["output"]))
    if verb not in _VERBS:
        arguments.insert(0, _literal(command.method))
        verb = "request"
    lines = "".join(f"            {argument},\n" for argument in arguments)
    call = f"{verb}(\n{lines}        )"
    if verb == "request":
        body = _REQUEST.format(call=call)
    elif verb == "download":
        use = "print(download.path, download.size)"
        body = _VERB.format(call=call, success="download", use=use)
    else:
        use = "print(response.status, response.text)"
        body = _VERB.format(call=call, success="response", use=use)
    return _program(writer, settings, body)


_VERBS: Final = frozenset(
    {"get", "post", "put", "delete", "patch", "head", "options", "post_multipart", "download"}
)


def _program(writer: _Writer, settings: str, body: str) -> str:
    found = re.findall(r"\b(HTTPClientConfig|ConnectionPoolConfig|RetryPolicy)\b", settings)
    names = ", ".join(sorted({"HTTPClient", *found}))
    packages = f"from railhttp import {names}"
    if "case Success" in body:
        packages += "\nfrom returns.result import Failure, Success"
    plain = sorted(writer.imports, key=lambda line: (line.startswith("from"), line))
    imports = "".join(f"{line}\n" for line in plain)
    return _PROGRAM.format(imports=imports, packages=packages, settings=settings, body=body)


def _target(command: CurlCommand, writer: _Writer) -> list[str]:
    url = URL(command.url)
    bare = str(url.with_user(None).with_query(None).with_fragment(None))
    query = command.url.partition("#")[0].partition("?")[2]
    if not query:
        return [_literal(bare)]
    params = writer.pairs(list(url.query.items()))
    if "os.environ[" in params:
        return [_literal(bare), f"params={params}"]
    # A query without secrets stays as it is, because a server may care about its spelling and
    # order (tests/cli/test_curl.py::test_a_query_without_secrets_is_sent_as_curl_sends_it).
    return [_literal(f"{bare}?{query}")]


def _contents(command: CurlCommand, writer: _Writer) -> list[str]:
    name, value = _body(command, writer)
    fields = list(command.headers)
    if URL(command.url).user:
        fields.append(("Authorization", ""))
    if name == "json":  # it brings its own
        fields = [field for field in fields if field[0].lower() != "content-type"]
    elif name == "text":
        name = "data"
        if command.is_form and not command.header("Content-Type"):
            fields.append(("Content-Type", FORM))
    headers = [f"headers={writer.headers(fields)}"] if fields else []
    return [*([value if name == "fields" else f"{name}={value}"] if name else []), *headers]


def _body(command: CurlCommand, writer: _Writer) -> tuple[str, str]:
    """Write the body: what it is (`fields`, `json`, `data` of a form, `text`), and its value."""
    if command.form:
        return "fields", writer.form(command.form)
    if not command.data:
        return "", ""
    if (text := command.text) is None:
        return "text", " + b'&' + ".join(map(writer.piece, command.data))
    try:
        document: JSON = json.loads(text)
        if isinstance(document, dict | list):
            return "json", writer.document(document)
    except ValueError:
        pass
    pairs = parse_qsl(text, keep_blank_values=True)
    if command.is_form and command.header("Content-Type").lower() in {"", FORM}:
        form = writer.pairs(pairs)
        if "os.environ[" in form or (pairs and _is_spelled_as(text, pairs)):
            return "data", form
    return "text", _literal(text)


def _is_spelled_as(text: str, pairs: list[tuple[str, str]]) -> bool:
    """Whether a dict of these pairs is sent as the text that curl sends."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return urlencode(values, doseq=True) == text


def _settings(command: CurlCommand, writer: _Writer) -> str:
    options = command.options
    pool, config, client = [], [], []
    if "insecure" in command.flags:
        pool.append("verify_ssl=False")
    if "cacert" in options:
        writer.imports.add("import ssl")
        file = _literal(options["cacert"])
        pool.append(f"ssl_context=ssl.create_default_context(cafile={file})")
    if pool:
        config.append(f"ConnectionPoolConfig({', '.join(pool)})")
    if "proxy" in options:
        proxy = options["proxy"]
        config.append(f"proxy={writer.secret('proxy') if '@' in proxy else _literal(proxy)}")
    for flag, name in (("max-time", "timeout"), ("connect-timeout", "connect_timeout")):
        if flag in options:
            config.append(f"{name}={_number(flag, options[flag])}")
    if config:
        client.append(f"HTTPClientConfig({', '.join(config)})")
    if options.get("retry", "").isdigit():
        client.append(f"retry_policy=RetryPolicy({int(options['retry']) + 1})")
    return ", ".join(client)


def _number(flag: str, text: str) -> str:
    try:
        return f"{float(text):g}"
    except ValueError:
        raise CurlError(f"has no number behind --{flag}") from None


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
