"""The plain parser and typer read the same table, and never differ."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.cli import folder, plain, typed
from promptslim.cli.error import UsageError
from promptslim.cli.parameters import Argument, Given, Option, Parameters


def commands(package: str = folder.COMMANDS, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Parameters]:
    found: dict[tuple[str, ...], Parameters] = {}
    for name, entry in folder.entries(package).items():
        if entry.group:
            found |= commands(entry.module, (*path, name))
        else:
            found[*path, name] = entry.load().PARAMETERS
    return found


COMMANDS = commands()
WORDS = st.sampled_from(
    ["a.py", ".", "-", "--", "", "PS1,PS2", "json", "text", "nope", "-q", "-qq", "-qv", "-qx", "-v", "-", "--select=",
     "--select=PS1", "--selec", "--help", "-h", "auto", "low", "x=1", "--color=always", "--quiet=3", "--exit-zero=1",
     " a , b ", "-1", "--from"]
)  # fmt: skip


def by_typer(path: tuple[str, ...], words: list[str]) -> Given | None:
    """What typer makes of a command line, None where it prints help or an error."""
    chosen: list[Given] = []
    app = typed.application()
    command = typed.typer.main.get_command(app)
    try:
        result = command.main(args=[*path, *words], prog_name="promptslim", standalone_mode=False)
    except Exception as error:
        if isinstance(error, typed._CLICK_ERROR):
            return None
        raise
    if isinstance(result, typed.Chosen):
        chosen.append(result.given)
    return chosen[0] if chosen else None


@st.composite
def command_lines(draw: st.DrawFn) -> tuple[tuple[str, ...], list[str]]:
    path = draw(st.sampled_from(sorted(COMMANDS)))
    flags = [flag for item in COMMANDS[path] if isinstance(item, Option) for flag in item.flags]
    word = st.one_of(WORDS, st.sampled_from(flags)) if flags else WORDS
    return path, draw(st.lists(word, max_size=6))


@settings(max_examples=150, deadline=None)
@given(command_lines())
def test_what_the_plain_parser_reads_typer_reads_alike(line: tuple[tuple[str, ...], list[str]]) -> None:
    path, words = line
    given_ = plain.parse(words, COMMANDS[path])
    if given_ is not None:
        assert by_typer(path, words) == given_


def test_ordinary_command_lines_need_no_typer() -> None:
    check = COMMANDS["check",]
    for words in (
        [],
        ["."],
        ["src", "a.py", "--output-format", "json"],
        ["--select", "PS1,PS2", "--select=PS3", "-q", "--exit-zero", "src"],
        ["-", "--stdin-filename", "src/app.py"],
    ):
        assert plain.parse(words, check) is not None


@pytest.mark.parametrize(
    "words", [["--help"], ["--nope"], ["--select"], ["--output-format", "xml"], ["-x"], ["--", "a"]]
)
def test_the_rest_is_left_to_typer(words: list[str]) -> None:
    assert plain.parse(words, COMMANDS["check",]) is None


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_help_names_every_parameter(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert typed.run([*path, "--help"]) == 0
    shown = capsys.readouterr().out
    for item in COMMANDS[path]:
        assert (item.flags[0] if isinstance(item, Option) else item.name) in shown
    assert all(isinstance(item, Argument) or item.help for item in COMMANDS[path])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["chek"], "no such command 'chek', did you mean 'check'? see `promptslim --help`"),
        (["check", "--nope"], "no such option: --nope"),
        (["check", "--select"], "option '--select' requires an argument; see `promptslim --help`"),
        (
            ["inventory", "--output-format", "xml"],
            "'xml' is not one of 'text', 'json'; see `promptslim inventory --help`",
        ),
        (["explain"], "missing argument 'rule'; see `promptslim explain --help`"),
        (["prices"], "missing command; see `promptslim prices --help`"),
    ],
)
def test_errors_are_one_line_with_the_next_step(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        typed.run(words)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
