"""The help of each command: every option is explained, and what it takes is named."""

import re

import pytest

from railhttp.cli.command import main
from railhttp.cli.exit_code import exit_code_of_status

COMMANDS = ("get", "post", "download", "tail", "doctor", "curl")
OPTION = re.compile(r"^  (?P<names>-\S.*?)(?:  +(?P<words>\S.*))?$")


KINDS = {"FIELD", "SECONDS", "URL", "FILE", "N", "BODY", "JSON", "ID", "DIGEST"}
"""The kinds of values: one word means one thing in every command."""

FLAGS = {
    *("--help", "--insecure", "--json", "--timings", "--verbose", "--run"),
    *("--no-redirects", "--no-resume", "--no-reconnect"),
}
"""Options that take nothing."""


def explained(help_: str) -> dict[str, str]:
    """Return the first name of each option with its explanation."""
    found: dict[str, str] = {}
    name = ""
    for line in help_.partition("options:\n")[2].splitlines():
        if option := OPTION.match(line):
            name = option["names"].partition(",")[0].split()[0]
            found[name] = option["words"] or ""
        elif line.startswith("   ") and name:
            found[name] += line.strip()
        else:
            name = ""
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_is_explained(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert main([name, "--help"]) == 0
    options = explained(capsys.readouterr().out)
    assert len(options) >= 3
    assert [option for option, words in options.items() if not words] == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tail", "With --json each event is one line: an object with id, event and data."),
        ("curl", "Secrets are not printed"),
    ],
)
def test_the_help_ends_with_what_no_option_says(
    name: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main([name, "--help"])
    _, _, after = capsys.readouterr().out.partition("options:\n")
    assert words in after


def test_the_lines_of_a_help_are_kept_on_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    main(["tail", "--help"])
    lines = capsys.readouterr().out.splitlines()
    assert "connection ends, from the last event on, until the server responds with 204." in lines


@pytest.mark.parametrize("name", COMMANDS)
def test_what_an_option_takes_is_named_by_its_kind(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    main([name, "--help"])
    usage, _, options = capsys.readouterr().out.partition("options:\n")
    listed = re.findall(
        r"^  (?:-[A-Za-z](?: [A-Z]+)?, )?(--[a-z-]+)( [A-Za-z]\S*)?", options, re.MULTILINE
    )
    assert {"--help", "--json"} <= {option for option, _ in listed}
    for option, kind in listed:
        assert kind.strip() in ({""} if option in FLAGS else KINDS), option
    assert ("COMMAND" if name == "curl" else "URL") in usage.split()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_says_first_what_the_command_does(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main([name, "--help"])
    usage, about, *_ = capsys.readouterr().out.split("\n\n")
    assert usage.startswith(f"usage: railhttp {name} ")
    assert about.endswith(".")
    assert about[0].isupper()


@pytest.mark.parametrize("option", ["--verb", "--head", "--connect", "--no-redirect"])
def test_an_option_is_written_in_full(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A later version may have another option that begins like it."""
    assert main(["get", "ftp://h/", option]) == 2
    assert f"unknown: {option}" in capsys.readouterr().err


def test_the_command_that_is_converted_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    main(["curl", "--help"])
    shown = capsys.readouterr().out.partition("positional arguments:\n")[2].splitlines()[0]
    name, *words = shown.split()
    assert (name, len(words) > 2) == ("COMMAND", True)


@pytest.mark.parametrize("status", [500, 599, 600, 999])
def test_a_status_above_500_is_a_5(status: int) -> None:
    assert exit_code_of_status(status) == 5
