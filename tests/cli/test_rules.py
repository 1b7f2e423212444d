import json
import shutil
from pathlib import Path

import pytest

from tests.cli.running import ROOT, here


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("rules", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_shipped_is_in_order(folder: Path) -> None:
    done = here("rules", "check")
    assert (done.status, done.out) == (0, "")


def test_a_bad_rule_is_told_with_file_line_reason_and_nearest_value(folder: Path) -> None:
    file = folder / "rules" / "rules.yaml"
    lines = file.read_text().splitlines()
    at = next(number for number, line in enumerate(lines, 1) if "template: minimal" in line)
    lines[at - 1] = lines[at - 1].replace("template: minimal", "template: minimla")
    file.write_text("\n".join(lines))
    done = here("rules", "check", "--json")
    assert done.status == 1
    [problem] = done.lines()
    assert (problem["file"], problem["line"], problem["nearest"]) == ("rules/rules.yaml", at, "minimal")
    assert "minimla" in problem["what"]
    assert here("rules", "check").out.startswith(f"rules/rules.yaml: line {at}: ")


def test_a_text_that_breaks_a_promise_to_its_reader_is_told_with_the_promise(folder: Path) -> None:
    file = folder / "templates" / "es" / "minimal.txt"
    file.write_text(file.read_text().replace("{{ reference }}", ""))
    done = here("rules", "check", "--json")
    assert done.status == 1
    assert ("templates/es/minimal.txt", "T5") in {(line["file"], line["where"]) for line in done.lines()}


def spoilt(folder: Path, changes: dict[str, tuple[str, str]]) -> set[str]:
    """Change a word in each of some files; give the files that `rules check` tells of then."""
    for name, (old, new) in changes.items():
        assert old in (folder / name).read_text()
        (folder / name).write_text((folder / name).read_text().replace(old, new, 1))
    return {line["file"] for line in here("rules", "check", "--json").lines()}


def test_the_problems_of_all_files_are_told_at_once(folder: Path) -> None:
    phrases_and_rules = {
        "rules/phrases/en.yaml": ("\ndanger:", "\ndangr:"),
        "rules/rules.yaml": ("template: minimal", "template: minimla"),
    }
    broken_promise = {"templates/es/minimal.txt": ("{{ reference }}", "")}
    assert spoilt(folder, phrases_and_rules | broken_promise) == {*phrases_and_rules, *broken_promise}
    assert spoilt(folder, {"templates/fr/full.txt": ("version:", "versoin:")}) == {
        *phrases_and_rules,
        "templates/fr/full.txt",
    }


def test_without_a_taxonomy_everything_but_its_ids_is_checked(folder: Path) -> None:
    (folder / "rules" / "categories.yaml").write_text("version: one\n")
    rules = folder / "rules" / "rules.yaml"
    rules.write_text(rules.read_text().replace("template: minimal", "template: minimla", 1))
    told = here("rules", "check", "--json").lines()
    assert {line["file"] for line in told} == {"rules/categories.yaml", "rules/rules.yaml"}
    assert [line["nearest"] for line in told if line["file"] == "rules/rules.yaml"] == ["minimal"]


def test_both_folders_are_told_when_neither_can_be_read(folder: Path) -> None:
    (folder / "rules" / "rules.yaml").write_bytes(b"\xff")
    (folder / "templates" / "en" / "full.txt").write_bytes(b"\xff")
    told = here("rules", "check", "--json").lines()
    assert [line["file"].rpartition("/")[2] for line in told] == ["rules.yaml", "full.txt"]


def test_a_missing_folder_of_a_configuration_is_told(folder: Path) -> None:
    done = here("rules", "check", "--config", str(folder / "none.toml"))
    assert done.status == 2


def test_list_shows_every_rule_in_its_order(folder: Path) -> None:
    told = here("rules", "list", "--json").lines()
    written = [line.partition("id: ")[2] for line in (folder / "rules" / "rules.yaml").read_text().splitlines()]
    assert [line["id"] for line in told] == [name for name in written if name]
    assert told[0].keys() == {"id", "file", "line", "when", "refer"}
    assert told[-1]["when"] == {}
    assert len(here("rules", "list").out.splitlines()) == len(told) + 1


def test_a_bad_form_is_told_with_file_line_reason_and_nearest_value(folder: Path) -> None:
    file = folder / "rules" / "forms" / "web-form.yaml"
    lines = file.read_text("utf-8").splitlines()
    at = lines.index("person: email") + 1
    file.write_text("\n".join(lines).replace("person: email", "person: emial"), "utf-8")
    [problem] = here("rules", "check", "--json").lines()
    assert (problem["file"], problem["line"], problem["nearest"]) == ("rules/forms/web-form.yaml", at, "email")


@pytest.mark.parametrize(
    ("kind", "key"), [("forms", "senders"), ("rules", "rules"), ("services", "services"), ("phrases", "danger")]
)
def test_schema_tells_editors_the_keys(kind: str, key: str) -> None:
    assert key in json.loads(here("rules", "schema", kind).out)["properties"]


def test_an_unknown_kind_of_file_has_no_schema() -> None:
    assert here("rules", "schema", "form").status == 2
