"""How the entry point finds the command, and which exit code each end has."""

import json
import sys
from collections.abc import Sequence

import pytest

from railhttp import HTTPValidationError, __version__
from railhttp.cli import curl, diagnosing, downloading, sending, tailing
from railhttp.cli.command import HELP, main
from railhttp.cli.terminal import Terminal

METHODS = ("get", "post", "put", "delete", "patch", "head", "options")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """The methods and arguments that are read, instead of being sent."""
    seen: list[tuple[str, list[str]]] = []

    def note(method: str, argv: Sequence[str]) -> None:
        seen.append((method, list(argv)))

    monkeypatch.setattr(sending, "read", note)
    monkeypatch.setattr(sending, "send", lambda _, __: 7)
    return seen


@pytest.mark.parametrize(
    ("argv", "method", "rest"),
    [
        *(([name, "u", "-v"], name, ["u", "-v"]) for name in METHODS),
        (["http://h/"], "", ["http://h/"]),
        ([":8000"], "", [":8000"]),
        (["/users"], "", ["/users"]),
        (["h.example", "-v"], "", ["h.example", "-v"]),
        (["-v", "localhost"], "", ["-v", "localhost"]),
    ],
)
def test_a_method_or_a_url_sends_a_request(
    argv: list[str], method: str, rest: list[str], read: list[tuple[str, list[str]]]
) -> None:
    assert main(argv) == 7
    assert read == [(method, rest)]


def test_the_arguments_are_those_of_the_process(
    read: list[tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["railhttp", "put", "u"])
    assert main() == 7
    assert read == [("put", ["u"])]


@pytest.mark.parametrize(
    ("name", "module"),
    [("download", downloading), ("tail", tailing), ("doctor", diagnosing), ("curl", curl)],
)
def test_a_command_gets_the_arguments_after_its_name(
    name: str, module: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Sequence[str]] = []

    def run(argv: Sequence[str], terminal: Terminal) -> int:
        seen.append(argv)
        return 9

    monkeypatch.setattr(module, "run", run)
    assert main([name, "u", "-v"]) == 9
    assert seen == [["u", "-v"]]


@pytest.mark.parametrize(
    ("argv", "code", "out"),
    [
        ([], 2, HELP),
        (["help"], 0, HELP),
        (["-h"], 0, HELP),
        (["--help"], 0, HELP),
        (["-V"], 0, f"railhttp {__version__}\n"),
        (["--version"], 0, f"railhttp {__version__}\n"),
        (["bogus"], 2, ""),
        (["bogus", "http://h/"], 2, ""),
    ],
)
def test_other_words_are_help_or_a_usage_error(
    argv: list[str],
    code: int,
    out: str,
    read: list[tuple[str, list[str]]],
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert main(argv) == code
    shown = capfdbinary.readouterr()
    assert (shown.out.decode(), read) == (out, [])
    assert bool(shown.err) is (argv[:1] == ["bogus"])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (SystemExit(3), 3),
        (SystemExit("a text"), 2),
        (SystemExit(None), 2),
        (HTTPValidationError("no", field="url"), 10),
    ],
)
def test_each_end_has_its_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(argv: Sequence[str], terminal: Terminal) -> int:
        raise error

    monkeypatch.setattr(tailing, "run", run)
    assert main(["tail", "u"]) == code


@pytest.mark.parametrize("name", [*METHODS, "download", "tail", "doctor", "curl"])
def test_a_usage_error_and_the_help_name_the_command(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--no-such-option"]) == 2
    usage, *_, last = capsys.readouterr().err.splitlines()
    assert usage.startswith(f"usage: railhttp {name} ")
    assert last.startswith(f"railhttp {name}: ")
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: railhttp {name} ")


@pytest.mark.parametrize("name", ["get", "download", "tail", "doctor"])
def test_a_url_that_cannot_be_requested_is_a_failure_of_each_command(
    name: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main([name, "ftp://h/f", "--json"]) == 10
    document = json.loads(capfdbinary.readouterr().out)
    assert (document["field"], document["attempts"], document["exit_code"]) == ("url", 0, 10)
    assert main([name, "ftp://h/f"]) == 10
    assert capfdbinary.readouterr().err.startswith(b"HTTPInvalidRequestError ")


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("flag", [[], ["--json"]])
def test_a_value_that_is_refused_is_a_failure_like_others(
    flag: list[str],
    given: bool,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    def run(argv: Sequence[str], terminal: Terminal) -> int:
        raise HTTPValidationError("must be something else", field="proxy")

    monkeypatch.setattr(tailing, "run", run)
    argv = ["tail", "u", *flag]
    monkeypatch.setattr(sys, "argv", ["railhttp", *([] if given else argv)])
    assert main(argv if given else None) == 10
    shown = capfdbinary.readouterr()
    if flag:
        document = json.loads(shown.out)
        assert (document["field"], document["attempts"]) == ("proxy", 0)
        assert document["message"] == "must be something else"
        assert shown.err == b""
    else:
        assert b"must be something else" in shown.err
        assert b"attempts 0" in shown.err
        assert shown.out == b""
