import asyncio
import os
import re
from pathlib import Path
from typing import Any

import pytest

from mailroom.records.database import Database
from tests.cli.running import MAILS, Done, here
from tests.e2e.house import House
from tests.e2e.letters import TEXTS, plain
from tests.openpgp_mails import entity, pgp_mime_encrypted
from tests.servers.sink import Sink

ENGLISH = MAILS / "02-english-utf8" / "mail.eml"
KINDS = {"own", "bounce", "command", "list", "automatic", "follow_up", "unreadable", "report"}
OPENPGP = {"encrypted", "decrypted", "weak", "signature", "signer", "subject_protected"}
REPLY = {"will_send", "why", "to", "template", "language", "detail", "encrypted", "subject", "body", "services"}


@pytest.fixture(scope="module")
def corpus() -> list[dict[str, Any]]:
    done = here("explain", "--json", str(MAILS))
    assert done.status == 0
    return done.lines()


def test_every_line_has_the_keys_of_the_contract_at_every_level(corpus: list[dict[str, Any]]) -> None:
    for line in corpus:
        assert {"path", "kind", "message", "openpgp", "triage", "rule", "reply"} <= line.keys()
        message = {"from", "reply_to", "subject", "date", "text", "attachments", "defects"}
        assert message <= line["message"].keys()
        assert all(one.keys() >= {"name", "type", "size"} for one in line["message"]["attachments"])
        assert line["openpgp"].keys() >= OPENPGP
        assert {"language", "country", "category", "flags", "contact"} <= line["triage"].keys()
        for name in ("language", "country", "category"):
            assert {"value", "confidence", "evidence"} <= line["triage"][name].keys()
        assert line["reply"].keys() >= REPLY


def test_values_are_those_of_the_contract(corpus: list[dict[str, Any]]) -> None:
    assert {line["kind"] for line in corpus} <= KINDS
    for line in corpus:
        date = line["message"]["date"]
        assert date is None or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", date)
        assert isinstance(line["triage"]["language"]["value"], str)
        assert isinstance(line["triage"]["category"]["value"], str)
        assert line["triage"]["contact"] in ("ok", "unsafe", "none", None)
        assert line["reply"]["detail"] in ("full", "minimal", None)
        assert line["rule"].keys() >= {"id", "file", "line", "trace"}
        if line["kind"] not in ("report", "follow_up"):
            assert line["rule"] == {"id": None, "file": None, "line": None, "trace": []}
        else:
            assert line["rule"]["trace"]
            assert all(one.keys() == {"rule", "hit", "why"} for one in line["rule"]["trace"])


def test_what_cannot_be_read_is_explained_as_such_with_status_0(tmp_path: Path) -> None:
    mail = tmp_path / "empty.eml"
    mail.write_bytes(b"")
    done = here("explain", "--json", str(mail))
    [line] = done.lines()
    assert done.status == 0
    assert (line["kind"], line["reply"]["will_send"], line["reply"]["body"]) == ("unreadable", False, None)
    found = [line["triage"][name]["value"] for name in ("language", "country", "category")]
    assert found == ["und", None, "unclassified"]


def test_paths_are_told_as_given_and_folders_are_read_to_the_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("a/2.eml", "a/b/1.eml", "a/.hidden"):
        (tmp_path / name).write_bytes(ENGLISH.read_bytes())
    monkeypatch.chdir(tmp_path)
    done = here("explain", "--json", "./a/", "a/../a/2.eml", "-", stdin=ENGLISH.read_bytes())
    assert [line["path"] for line in done.lines()] == ["./a/2.eml", "./a/b/1.eml", "a/../a/2.eml", "-"]
    assert len({str(line | {"path": None}) for line in done.lines()}) == 1


def test_of_a_mail_that_is_too_large_no_more_than_its_beginning_is_read(house: House, tmp_path: Path) -> None:
    written = house.config.read_text()
    house.config.write_text(written.replace("# max_message_bytes = 26214400", "max_message_bytes = 2000"))
    mail = tmp_path / "large.eml"
    mail.write_bytes(plain(1, TEXTS["en"]))
    os.truncate(mail, 1 << 40)  # a terabyte, most of it a hole
    done = here("--config", str(house.config), "explain", "--json", str(mail))
    [line] = done.lines()
    assert (done.status, line["kind"], line["triage"]["language"]["value"]) == (0, "report", "en")


def test_a_leading_mbox_line_changes_nothing() -> None:
    bare = here("explain", "--json", "-", stdin=ENGLISH.read_bytes())
    mbox = here("explain", "--json", "-", stdin=b"From writer Mon Nov 23 10:00:00 2026\n" + ENGLISH.read_bytes())
    assert mbox.lines() == bare.lines()


def test_every_missing_path_is_told_before_anything_is_explained() -> None:
    done = here("explain", "--json", str(ENGLISH), "/no/one", "/no/two")
    assert (done.status, done.out, len(done.err.splitlines())) == (2, "", 2)


def test_a_file_that_cannot_be_read_does_not_keep_the_others_back() -> None:
    done = here("explain", "--json", "/proc/self/mem", str(ENGLISH))
    assert (done.status, len(done.lines()), len(done.err.splitlines())) == (1, 1, 1)


def test_without_configuration_rules_and_templates_of_this_folder_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> Done:
        return here("explain", str(ENGLISH))

    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "categories.yaml").write_text("version: one\n")
    assert refused().status == 2
    assert "categories.yaml: line 1" in refused().err


def test_the_text_for_people_tells_decision_and_answer() -> None:
    done = here("explain", "-", stdin=plain(1, TEXTS["en"]))
    assert "  rule: " in done.out
    assert "  answer: yes" in done.out
    assert "\n  | " in done.out


def test_explain_makes_no_database_and_changes_no_file(house: House) -> None:
    before = sorted(house.data.iterdir())
    done = here("--config", str(house.config), "explain", "--json", str(ENGLISH))
    assert done.status == 0
    assert sorted(house.data.iterdir()) == before


def test_encrypted_mail_is_opened_with_the_desk_key_even_from_an_mbox(house: House) -> None:
    mail = pgp_mime_encrypted("writer@example.net", entity(TEXTS["es"], subject="inside"), sign_with="complainant")
    [line] = here("--config", str(house.config), "explain", "--json", "-", stdin=b"From x Mon\r\n" + mail).lines()
    assert line["openpgp"]["decrypted"]
    assert line["message"]["subject"] == "inside"
    assert line["triage"]["language"]["value"] == "es"


async def test_the_records_are_read_and_stay_as_they_are(house: House, sink: Sink) -> None:
    house.receive(plain(1, TEXTS["en"]))
    assert (await asyncio.to_thread(house.mailroom, "run", "--once")).returncode == 0
    answered = plain(2, "Thank you.", "writer1@example.net").replace(
        b"\r\n\r\n", b"\r\nIn-Reply-To: <mail1@example.net>\r\nReferences: <mail1@example.net>\r\n\r\n", 1
    )
    before = _records(house)
    explain = ("--config", str(house.config), "explain", "--json", "-")
    [line] = (await asyncio.to_thread(here, *explain, stdin=answered)).lines()
    assert line["kind"] == "follow_up"
    assert _records(house) == before


def _records(house: House) -> tuple[bytes, list[str]]:
    database = Database(f"sqlite:///{house.data / 'mailroom.db'}")
    try:
        with database.engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            return (house.data / "keystore").read_bytes(), list(raw.iterdump())
    finally:
        database.close()
