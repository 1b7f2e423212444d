"""Reads folders of texts that people edit: rules and templates."""

from collections.abc import Sequence
from pathlib import Path

from mailroom.errors import ConfigError, Problem

MAX_BYTES = 1_000_000


def read_texts(folder: Path, patterns: Sequence[str]) -> dict[str, str]:
    """Read every file below `folder` that fits one of the patterns of Path.glob, such as "**/*.yaml".

    Gives the texts by their names relative to `folder`, in the order of those names, with "/" between folders,
    without byte order mark, and with every line ended by a single newline character. Hidden files, and those in
    hidden folders, are left out: editors put unfinished copies there.

    Raises:
        ConfigError: the folder is missing, or files cannot be read, are over 1 MB or are not UTF-8; all of them.
    """
    if not folder.is_dir():
        raise ConfigError(Problem(str(folder), "", "there is no such folder."))
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for name, path in sorted(_visible(folder, patterns).items()):
        text = _read(path)
        if isinstance(text, Problem):
            problems.append(text)
        else:
            texts[name] = text
    if problems:
        raise ConfigError(*problems)
    return texts


def _visible(folder: Path, patterns: Sequence[str]) -> dict[str, Path]:
    found = {path.relative_to(folder): path for pattern in patterns for path in folder.glob(pattern)}
    return {
        name.as_posix(): path
        for name, path in found.items()
        if not any(part.startswith(".") for part in name.parts) and not path.is_dir()
    }


def _read(path: Path) -> str | Problem:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig") if len(content) <= MAX_BYTES else None
    except OSError as error:
        return Problem(str(path), "", f"cannot be read: {error.strerror}.")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return Problem(str(path), f"line {line}", "must be UTF-8 text.")
    if text is None:
        return Problem(str(path), "", f"must be at most {MAX_BYTES} bytes long.")
    return text.replace("\r\n", "\n").replace("\r", "\n")
