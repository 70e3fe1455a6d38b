"""Describes a response or a failure, in words and as a JSON document."""

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from railhttp import (
    HTTPConnectionError,
    HTTPDecodeError,
    HTTPFailure,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPRetryExhaustedError,
    HTTPStatusError,
    HTTPTimeoutError,
    extract_json_type,
)
from railhttp.cli.exit_code import exit_code
from railhttp.cli.terminal import Terminal, printable
from railhttp.cli.units import milliseconds, size
from railhttp.headers import Headers, redact_headers
from railhttp.policy.advice import advise
from railhttp.types import JSON
from railhttp.urls import redact_url

_INDENT: Final = "  "


def headline(response: HttpResponse, attempts: str) -> str:
    """Sum a response up in a line.

    Example:
        >>> headline(HttpResponse(200, body=b"x", elapsed=0.084), "attempts 1")
        '200 OK  HTTP/1.1  1 B  84 ms   attempts 1'
    """
    status = f"{response.status} {phrase(response.status)}".rstrip()
    version = f"HTTP/{response.http_version}"
    took = milliseconds(response.elapsed)
    return f"{status}  {version}  {size(len(response.body))}  {took}   {attempts}"


def phrase(status: int) -> str:
    """Name a status as RFC 9110 does; empty if it is not registered."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def style_of(status: int) -> str:
    """Choose the colour of a status."""
    return "green" if status < 300 else "yellow" if status < 400 else "red"


def name_of(failure: HTTPFailure) -> str:
    """Return the class of a failure and what distinguishes it: the place, for a decode failure.

    Example:
        >>> name_of(HTTPTimeoutError("no answer", phase="read"))
        'HTTPTimeoutError read'
    """
    label = failure.where if isinstance(failure, HTTPDecodeError) else failure.label
    return f"{type(failure).__name__} {label}".rstrip()


def say_failure(terminal: Terminal, failure: HTTPFailure) -> None:
    """Show a failure: its cause, its delivery, and advice."""
    kind = name_of(failure)
    target = f"{failure.method} {failure.url}".strip()
    terminal.say(
        f"{kind}: {target}: {failure.message}" if target else f"{kind}: {failure.message}", "red"
    )
    took = milliseconds(failure.elapsed)
    terminal.say(
        f"{_INDENT}delivery {failure.delivery.value}   attempts {failure.attempts}   elapsed {took}"
    )
    terminal.say(f"{_INDENT}→ {advise(failure)}")


def failure_document(failure: HTTPFailure) -> dict[str, JSON]:
    """Make the document of a failure.

    Example:
        >>> failure_document(HTTPTimeoutError("no answer", phase="read"))["kind"]
        'read'
    """
    document: dict[str, JSON] = {
        "class": type(failure).__name__,
        "kind": failure.label,
        "delivery": failure.delivery.value,
        "attempts": failure.attempts,
        "elapsed": failure.elapsed,
        "method": failure.method,
        "url": failure.url,
        "message": failure.message,
        "advice": advise(failure),
        "exit_code": exit_code(failure),
    }
    match failure:
        case HTTPStatusError():
            return document | response_document(failure.response)
        case HTTPTimeoutError(phase):
            document["phase"] = phase
        case HTTPDecodeError():
            document["where"] = failure.where
        case HTTPInvalidRequestError():
            document["field"] = failure.field
        case HTTPRetryExhaustedError():
            document["failures"] = [failure_document(one) for one in failure.failures]
        case HTTPConnectionError() | _:
            pass
    return document


def response_document(response: HttpResponse) -> dict[str, JSON]:
    """Make the document of a response; secret header fields and query values are masked."""
    return {
        "status": response.status,
        "reason": phrase(response.status),
        "http_version": response.http_version,
        "method": response.method,
        "url": redact_url(response.url),
        "attempts": response.attempts,
        "elapsed": response.elapsed,
        "headers": [[name, value] for name, value in masked_fields(response.headers)],
        **_body_document(response),
    }


def _body_document(response: HttpResponse) -> dict[str, JSON]:
    if extract_json_type(response.content_type):
        try:
            return {"json": response.json()}
        except HTTPDecodeError:
            pass
    try:
        return {"text": response.body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(response.body).decode("ascii")}


def masked_fields(headers: Headers | Mapping[str, str]) -> list[tuple[str, str]]:
    """Mask the values of secret header fields.

    Example:
        >>> masked_fields({"Authorization": "Bearer s3cret", "Accept": "*/*"})
        [('Authorization', '***'), ('Accept', '*/*')]
    """
    return [(name, redact_headers({name: value})[name]) for name, value in headers.items()]


def print_document(terminal: Terminal, document: object) -> None:
    """Print a JSON document: indented on a terminal, else in one line."""
    indent = 2 if terminal.shows_body else None
    terminal.print(json.dumps(document, ensure_ascii=False, indent=indent))


def show_body(terminal: Terminal, response: HttpResponse) -> None:
    """Write a body to stdout: as it is into a pipe, and as text on a terminal."""
    if not terminal.shows_body:
        terminal.write(response.body)
        return
    text = readable(response)
    if text is None:
        terminal.say(f"{size(len(response.body))} of binary data; -o FILE saves it", "yellow")
    elif text:
        terminal.print(text.removesuffix("\n"))


def readable(response: HttpResponse) -> str | None:
    r"""Decode a body to text that a terminal can show; None if it is binary.

    Example:
        >>> readable(HttpResponse(200, body=b"\x00\x01")) is None
        True
    """
    if b"\0" in response.body:
        return None
    if extract_json_type(response.content_type) == "application/json":
        try:
            return json.dumps(response.json(), ensure_ascii=False, indent=2)
        except HTTPDecodeError:
            pass

    return printable(response.text)
