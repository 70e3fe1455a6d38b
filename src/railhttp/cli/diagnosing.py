"""`railhttp doctor`: the findings of a diagnosis, step by step."""

import asyncio
from collections.abc import Sequence
from typing import Final

from multidict import CIMultiDict

from railhttp.cli.arguments import UNLIMITED, Parser, Setup, add_call_options
from railhttp.cli.exit_code import OK, exit_code
from railhttp.cli.report import failure_document, name_of, print_document
from railhttp.cli.sending import report_failure
from railhttp.cli.terminal import Terminal, printable
from railhttp.cli.units import milliseconds
from railhttp.doctor import Diagnosis, Finding, Severity, diagnose
from railhttp.model.errors import FAILURES
from railhttp.types import JSON

_MARKS: Final[dict[Severity, str]] = {"ok": "ok", "warning": "!", "fault": "✗"}


def run(argv: Sequence[str], terminal: Terminal) -> int:
    """Diagnose a URL, and return the exit code: 0 if it is well, else that of its failure."""
    parser = Parser(
        "doctor",
        "Say which of name, route, proxy, TLS, HTTP and content is at fault, and what to do.",
    )
    add_call_options(parser)
    given = parser.read(argv)
    setup = Setup.of(parser, given)
    timeout = given.timeout if given.timeout not in {None, UNLIMITED} else 10.0
    headers = CIMultiDict(setup.headers)
    try:
        diagnosis = asyncio.run(
            diagnose(setup.url, config=setup.config, headers=headers, timeout=timeout)
        )
    except FAILURES as failure:
        return report_failure(failure, terminal, as_json=setup.as_json)
    if setup.as_json:
        print_document(terminal, document_of(diagnosis))
    else:
        for line in lines_of(diagnosis):
            terminal.print(printable(line))
    return OK if diagnosis.failure is None else exit_code(diagnosis.failure)


def lines_of(diagnosis: Diagnosis) -> list[str]:
    """Write a diagnosis as lines: one a finding, then what to do."""
    lines = [f"{diagnosis.url}"]
    lines += [_line(finding, diagnosis) for finding in diagnosis.findings]
    lines += [f"→ {advice}" for advice in diagnosis.advice]
    return lines


def _line(finding: Finding, diagnosis: Diagnosis) -> str:
    took = "" if finding.seconds is None else f"  {milliseconds(finding.seconds)}"
    line = f"  {finding.step:<8} {finding.what}{took}  {_MARKS[finding.severity]}"
    failure = diagnosis.failure
    if finding is diagnosis.fault and failure is not None:
        line += f" {name_of(failure)}, {failure.delivery.value}"
    return line


def document_of(diagnosis: Diagnosis) -> dict[str, JSON]:
    """Make the JSON document of a diagnosis."""
    findings: list[JSON] = [
        {
            "step": finding.step,
            "severity": finding.severity,
            "what": finding.what,
            "advice": finding.advice,
            "seconds": finding.seconds,
        }
        for finding in diagnosis.findings
    ]
    failure = diagnosis.failure
    return {
        "url": diagnosis.url,
        "ok": diagnosis.ok,
        "at_fault": diagnosis.at_fault,
        "findings": findings,
        "failure": None if failure is None else failure_document(failure),
    }
