"""`railhttp get` and the other methods: the response on stdout, everything about it on stderr."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from multidict import CIMultiDict
from yarl import URL

from railhttp import (
    HTTPClient,
    HTTPFailure,
    HTTPInvalidRequestError,
    HttpResponse,
    HTTPResponseTooLargeError,
    HTTPStatusError,
    RequestOptions,
    RetryPolicy,
)
from railhttp.cli.arguments import Parser, Setup, add_call_options, add_retries, body, document
from railhttp.cli.attempts import AttemptLog
from railhttp.cli.curl_command import FORM
from railhttp.cli.exit_code import exit_code, exit_code_of_status
from railhttp.cli.report import (
    failure_document,
    headline,
    masked_fields,
    phrase,
    print_document,
    response_document,
    say_failure,
    show_body,
    style_of,
)
from railhttp.cli.terminal import Terminal
from railhttp.cli.timings import phases_of, waterfall
from railhttp.doctor import proxy_of
from railhttp.events import Timings
from railhttp.model.errors import FAILURES
from railhttp.urls import redact_url


@dataclass(frozen=True, slots=True)
class Sending:
    """One call, as the command line describes it.

    Attributes:
        method: The method, in upper case.
        setup: The options that all commands share.
        options: The options of the call for the client.
        output: The file that the body goes to; empty or `-` for stdout.
        timings: Whether the phases are timed.
        verbose: Whether the heads of request and response are shown.
    """

    method: str
    setup: Setup
    options: RequestOptions
    output: str = ""
    timings: bool = False
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class Exchanged:
    """The outcome of a call; `phases` is None unless they were timed."""

    response: HttpResponse
    phases: Timings | None = None


def read(method: str, argv: Sequence[str]) -> Sending:
    """Read the arguments of a method.

    Args:
        method: The method, in lower case; empty for POST if there is a body, else GET.
        argv: The arguments after it.
    """
    parser = Parser(method, f"Send a {method.upper() or 'GET'} request.")
    add_call_options(parser)
    add_retries(parser)
    add = parser.add_argument
    add("-d", "--data", metavar="BODY", type=body, help="a body; @FILE and @- (stdin) are read")
    add("-j", "--json-body", metavar="JSON", type=document, help="a body of type application/json")
    add("-o", "--output", metavar="FILE", default="", help="write the body to a file")
    add("--timings", action="store_true", help="show where the time went")
    add("-v", "--verbose", action="store_true", help="show the heads, with secrets masked")
    add("--no-redirects", action="store_true", help="do not follow redirects")
    given = parser.read(argv)
    if given.data is not None and given.json_body is not None:
        parser.error("-d and -j exclude each other")
    setup = Setup.of(parser, given)
    headers = CIMultiDict(setup.headers)
    options = RequestOptions(headers=headers, allow_redirects=not given.no_redirects)
    content = given.data if given.json_body is None else given.json_body
    if content is not None:
        headers.setdefault("Content-Type", FORM if given.json_body is None else "application/json")
        options["data"] = content
    verb = method or ("get" if content is None else "post")
    return Sending(verb.upper(), setup, options, given.output, given.timings, given.verbose)


def send(sending: Sending, terminal: Terminal) -> int:
    """Make the call, report it, and return the exit code."""
    log = AttemptLog(terminal)
    try:
        _show_request(sending, terminal)
        exchanged = asyncio.run(_exchanged(sending, log))
        _save(sending, exchanged.response)
    except FAILURES as failure:
        return report_failure(failure, terminal, as_json=sending.setup.as_json)
    if sending.setup.as_json:
        _print_document(exchanged, terminal)
    else:
        _show(sending, exchanged, log, terminal)
    return exit_code_of_status(exchanged.response.status)


def report_failure(failure: HTTPFailure, terminal: Terminal, *, as_json: bool) -> int:
    """Report a failure, and return its exit code."""
    if as_json:
        print_document(terminal, failure_document(failure))
    else:
        say_failure(terminal, failure)
    return exit_code(failure)


def client_of(setup: Setup, log: AttemptLog) -> HTTPClient:
    """Make the client of a command."""
    policy = None if setup.retries is None else RetryPolicy(setup.retries + 1)
    return HTTPClient(setup.config, retry_policy=policy, instruments=[log])


async def _exchanged(sending: Sending, log: AttemptLog) -> Exchanged:
    async with client_of(sending.setup, log) as client:
        if sending.timings:
            return await _timed(sending, client)
        url = sending.setup.url
        return Exchanged(await client.request(sending.method, url, **sending.options))


async def _timed(sending: Sending, client: HTTPClient) -> Exchanged:
    """Make the call as a stream, which gives its head before its body."""
    setup = sending.setup
    options: RequestOptions = {**sending.options, "timeout": setup.config.timeout}
    content = bytearray()
    async with client.stream(sending.method, setup.url, **options) as stream:
        started = time.monotonic()
        head = stream.head
        async for chunk in stream:
            content += chunk
            _check_size(len(content), setup.config.max_response_bytes, head)
        seconds = time.monotonic() - started
    response = HttpResponse(
        head.status,
        head.headers,
        bytes(content),
        head.url,
        head.method,
        head.elapsed + seconds,
        head.http_version,
        head.attempts,
    )
    return Exchanged(response, phases_of(head.timings, seconds))


def _check_size(found: int, limit: int, head: HttpResponse) -> None:
    if found > limit:
        message = f"the body is larger than {limit} bytes"
        raise HTTPResponseTooLargeError(
            message, limit=limit, method=head.method, url=head.url, attempts=head.attempts
        )


def _show_request(sending: Sending, terminal: Terminal) -> None:
    setup = sending.setup
    say_setup(setup, terminal)
    if sending.verbose:
        terminal.say(f"> {sending.method} {redact_url(setup.url)}", "dim")
        for name, value in masked_fields(CIMultiDict(setup.headers)):
            terminal.say(f"> {name}: {value}", "dim")


def say_setup(setup: Setup, terminal: Terminal) -> None:
    """Warn of a call without verification, and show a proxy that the environment chose."""
    if not setup.config.pool.verify_ssl:
        terminal.say("warning: the certificate is not verified (--insecure)", "yellow")
    try:
        proxy, _ = proxy_of(URL(setup.url), setup.config)
    except ValueError:
        return  # the client has a better message for such a URL
    if proxy.url and not setup.proxy:
        terminal.say(f"proxy {proxy.url} ({proxy.source})", "dim")


def _save(sending: Sending, response: HttpResponse) -> None:
    if sending.output in {"", "-"}:
        return
    try:
        Path(sending.output).write_bytes(response.body)
    except OSError as error:
        raise HTTPInvalidRequestError(
            f"cannot be written: {error.strerror}",
            field="output",
            **response.call_info(),
        ) from None


def _print_document(exchanged: Exchanged, terminal: Terminal) -> None:
    response, phases = exchanged.response, exchanged.phases
    if response.status < 400:
        document = response_document(response)
    else:
        document = failure_document(HTTPStatusError(response))
    print_document(terminal, document | ({"timings": phases.timed()} if phases else {}))


def _show(sending: Sending, exchanged: Exchanged, log: AttemptLog, terminal: Terminal) -> None:
    response, phases = exchanged.response, exchanged.phases
    if sending.verbose:
        terminal.say(f"< {response.status} {phrase(response.status)}".rstrip(), "dim")
        for name, value in masked_fields(response.headers):
            terminal.say(f"< {name}: {value}", "dim")
    terminal.say(headline(response, log.summary(response.attempts)), style_of(response.status))
    for line in waterfall(phases) if phases else ():
        terminal.say(line)
    if sending.method == "HEAD":
        terminal.print(
            "\n".join(f"{name}: {value}" for name, value in masked_fields(response.headers))
        )
    elif sending.output == "-":
        terminal.write(response.body)
    elif not sending.output:
        show_body(terminal, response)
    if response.status >= 400:
        say_failure(terminal, HTTPStatusError(response))
