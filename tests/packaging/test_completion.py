"""What a shell asks when somebody presses Tab, and what it is told."""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.running import ROOT, here

# What each script passes for a line, in the words of its shell.
ASKED: dict[str, Mapping[str, str]] = {
    "zsh": {"_MAILROOM_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "mailroom case sh"},
    "fish": {
        "_MAILROOM_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": "mailroom case sh",
    },
}


def asked_by_bash(line: str) -> dict[str, str]:
    return {"_MAILROOM_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}


def told(monkeypatch: pytest.MonkeyPatch, asked: Mapping[str, str]) -> str:
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    done = here()
    assert (done.status, done.err) == (0, "")
    return done.out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mailroom ca", "case"),
        ("mailroom case sh", "show"),
        ("mailroom case show --rev", "--reveal"),
        ("mailroom case list --status p", "parked"),
        ("mailroom completion f", "fish"),
    ],
)
def test_bash_is_told_how_a_line_goes_on(line: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, asked_by_bash(line)).split() == [words]


def test_every_verb_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = told(monkeypatch, asked_by_bash("mailroom ")).split()
    assert {"init", "run", "case", "completion", "version"} <= set(offered)


@pytest.mark.parametrize("shell", ASKED)
def test_other_shells_are_told_too(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "show" in told(monkeypatch, ASKED[shell])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_asks_in_the_words_that_are_understood(shell: str) -> None:
    done = here("completion", shell)
    assert done.status == 0
    assert f"_MAILROOM_COMPLETE=complete_{shell}" in done.out


def test_unknown_shell_is_refused_with_those_that_there_are() -> None:
    done = here("completion", "tcsh")
    assert (done.status, done.out) == (2, "")
    assert all(f"'{shell}'" in done.err for shell in ("bash", "zsh", "fish"))


def test_real_bash_completes_with_the_printed_script(tmp_path: Path) -> None:
    (tmp_path / "mailroom").write_text(f"#!{sys.executable}\nfrom mailroom.cli import main\nmain()\n")
    (tmp_path / "mailroom").chmod(0o755)
    script = tmp_path / "completion.bash"
    script.write_text(here("completion", "bash").out)
    pressed = (
        f"source {shlex.quote(str(script))}; COMP_WORDS=(mailroom case sh); COMP_CWORD=2; "
        'complete -p mailroom >&2; _mailroom_completion mailroom; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "--norc", "-c", pressed], env=env, capture_output=True, check=True, text=True)
    assert done.stdout == "show\n"
    assert "-F _mailroom_completion mailroom" in done.stderr
