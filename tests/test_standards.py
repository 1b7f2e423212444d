"""What the documents name exists: files of docs/standards.md, RFCs of the code, tests of docs/threats.md."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROW = re.compile(
    r"\| (?P<standard>[^|]+) \| (?P<section>[^|]*) ?\| (?P<what>[^|]*) ?\| (?P<far>[^|]+) \| (?P<files>[^|]*)\|"
)
NAMED = re.compile(r"\bRFC (\d{3,5})\b|rfc-editor\.org/rfc/rfc(\d{3,5})", re.IGNORECASE)


def rows() -> list[re.Match[str]]:
    """Read the rows of all tables, without their heads."""
    lines = (ROOT / "docs" / "standards.md").read_text(encoding="utf-8").splitlines()
    tables = [line for line in lines if line.startswith("| ") and not line.startswith("| Standard ")]
    matches = [ROW.fullmatch(line) for line in tables]
    assert all(matches), [line for line, match in zip(tables, matches, strict=True) if not match]
    return [match for match in matches if match]


def rfcs(text: str) -> set[str]:
    """Give the numbers of all RFCs that a text names."""
    return {name or link for name, link in NAMED.findall(text)}


def files(row: re.Match[str]) -> list[str]:
    return re.findall(r"`([^`]+)`", row["files"])


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["standard"].strip("[").split("]")[0])
def test_a_standard_that_we_follow_names_files_that_exist(row: re.Match[str]) -> None:
    far = row["far"].partition(":")[0]
    assert far in {"Yes", "Partial", "No"}
    assert bool(files(row)) is (far != "No")
    assert [name for name in files(row) if not (ROOT / name).is_file()] == []


def test_a_link_leads_to_the_rfc_that_it_names() -> None:
    for row in rows():
        assert len(rfcs(row["standard"])) <= 1, row["standard"]


def test_every_rfc_that_the_code_names_has_a_row() -> None:
    listed = {number for row in rows() for number in rfcs(row["standard"]) if files(row)}
    missing = {
        f"{source.relative_to(ROOT)}: RFC {number}"
        for source in (ROOT / "mailroom").rglob("*.py")
        for number in rfcs(source.read_text(encoding="utf-8")) - listed
    }
    assert missing == set()


def test_no_standard_stands_twice() -> None:
    standards = [row["standard"] for row in rows()]
    assert len(standards) == len(set(standards)) > 40


def test_every_promise_about_threats_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/[^`]+|test_\w+)`", (ROOT / "docs" / "threats.md").read_text(encoding="utf-8"))
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    functions = {name for source in sources for name in re.findall(r"def (test_\w+)", source)}
    assert [name for name in named if name.startswith("tests/") and not (ROOT / name).is_file()] == []
    assert {name for name in named if name.startswith("test_")} <= functions
    assert len(named) > 40
