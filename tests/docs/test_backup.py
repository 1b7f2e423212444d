"""The commands of docs/backup.md, run as they stand on records that are in use, give records that open."""

import re
import subprocess
from pathlib import Path

import pytest

from mailroom.records.database import HEAD, Database, version
from mailroom.records.keystore import KeyStore
from mailroom.records.schema import upgrade

PAGE = (Path(__file__).parent.parent.parent / "docs" / "backup.md").read_text(encoding="utf-8")
WRAPPING = bytes(range(32))


def command(name: str) -> str:
    """Give the one line of the page that begins with this command."""
    (line,) = re.findall(rf"^ +({name}.*)$", PAGE, re.MULTILINE)
    return str(line)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("data", "secrets", "backup/records", "backup-keys"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "secrets" / "wrapping.key").write_bytes(WRAPPING)
    KeyStore.create(tmp_path / "data" / "keystore", WRAPPING)
    upgrade(f"sqlite:///{tmp_path}/data/mailroom.db")
    return tmp_path


def run(folder: Path, name: str) -> str:
    line = command(name).replace("/backup-keys", f"{folder}/backup-keys").replace("/backup/", f"{folder}/backup/")
    return subprocess.run(["bash", "-ec", line], cwd=folder, capture_output=True, check=True, text=True).stdout


def test_records_are_copied_whole_while_they_are_in_use(folder: Path) -> None:
    books = Database(f"sqlite:///{folder}/data/mailroom.db")
    books.write_now(lambda one: one.exec_driver_sql("CREATE TABLE probe (word TEXT)"))
    books.write_now(lambda one: one.exec_driver_sql("INSERT INTO probe VALUES ('newest')"))
    assert (folder / "data" / "mailroom.db-wal").stat().st_size > 0  # what `cp` of the database alone would miss
    run(folder, "sqlite3")
    books.close()
    copy = f"sqlite:///{folder}/backup/records/mailroom.db"
    assert version(copy) == HEAD
    restored = Database(copy)
    assert restored.read_now(lambda one: one.exec_driver_sql("SELECT word FROM probe").scalar_one()) == "newest"
    restored.close()


def test_copied_key_store_opens_and_waits_for_whoever_rewrites_it(folder: Path) -> None:
    store = KeyStore(folder / "data" / "keystore", WRAPPING)
    case = store.new_case_key()
    run(folder, "flock")
    (copy,) = (folder / "backup-keys").iterdir()
    assert KeyStore(copy, WRAPPING).case_key(case) == store.case_key(case)
    assert (folder / "data" / "keystore").with_suffix(".lock").name in command("flock")


def test_copies_of_the_key_store_end_within_seven_days(folder: Path) -> None:
    for name, days in (("keystore-old", 6.1), ("keystore-new", 5.9)):
        path = folder / "backup-keys" / name
        path.touch()
        subprocess.run(["touch", "-d", f"-{int(days * 1440)} minutes", str(path)], check=True)
    run(folder, "find")
    assert [path.name for path in (folder / "backup-keys").iterdir()] == ["keystore-new"]


def test_wrapping_key_on_paper_is_as_long_as_the_page_says_and_comes_back(folder: Path) -> None:
    paper = run(folder, "base64 secrets").strip()
    assert (len(paper), "It is 44 letters long" in PAGE) == (44, True)
    back = subprocess.run(["base64", "-d"], input=paper.encode(), capture_output=True, check=True).stdout
    assert back == WRAPPING
