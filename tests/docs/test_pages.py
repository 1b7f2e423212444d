"""What the pages for operators promise about themselves and about each other."""

import re
from pathlib import Path
from typing import get_args

import pytest

from mailroom.config_schema import Service
from mailroom.mail.entity import read_entity
from mailroom.mail.form import read_form
from mailroom.mail.message import Message
from mailroom.mail.parse import parse
from mailroom.transport.files import read_texts
from mailroom.triage.forms import FieldName, FormFile, parse_forms
from mailroom.triage.triage import lexicon, taxonomy_of, triage

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
NAMES = (
    "backup",
    "encrypted-mail",
    "forms",
    "gmail",
    "imap",
    "microsoft365",
    "oauth2",
    "privacy-notice",
    "when-it-fails",
)
PRIVACY = (DOCS / "privacy-notice.md").read_text(encoding="utf-8")
BRACKET = re.compile(r"\[([A-Z ]{3,})\]")


@pytest.mark.parametrize("name", NAMES)
def test_link_to_another_page_leads_there(name: str) -> None:
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert [link for link in links if "://" not in link and not (DOCS / link).exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_pages_use_example_addresses_only(name: str) -> None:
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    domains = set(re.findall(r"[\w.+-]@([\w-]+\.[\w.-]+)", text)) - {""}
    assert {domain for domain in domains if not domain.endswith((".example", "example.org", "example.net"))} == set()


def test_every_bracket_of_the_notice_is_explained_and_used() -> None:
    head, _, texts = PRIVACY.partition("## The notice")
    explained = re.findall(r"^\| `\[([A-Z ]+)\]` \|", head, re.MULTILINE)
    assert set(BRACKET.findall(texts)) == set(explained)


def test_notice_tells_the_words_that_the_answers_offer_and_no_other() -> None:
    offered = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "templates" / "en").glob("*.txt"))
    told = set(re.findall(r"\b(STOP|MORE|COPY|WITHDRAW|ERASE)\b", PRIVACY))
    assert told == set(re.findall(r"\b(STOP|MORE|COPY|WITHDRAW|ERASE)\b", offered))


@pytest.mark.parametrize(("said", "wish"), [("\n\nSTOP\n", "none"), ("This address is not safe.", "unsafe")])
def test_words_that_the_notice_advises_are_understood(said: str, wish: str) -> None:
    assert said.strip(" .\n").casefold() in PRIVACY.casefold()
    rules = lexicon(read_texts(ROOT / "rules", ["categories.yaml", "phrases/*.yaml"]))
    mail = Message(None, "", None, "", None, None, (), f"Somebody follows me on every page. {said}")
    assert triage(mail, rules).contact == wish


def test_notice_tells_the_months_that_hold_when_nothing_is_changed() -> None:
    assert f"{Service.model_fields['retention_months'].default} if you changed nothing" in PRIVACY


def test_the_form_on_the_page_reads_the_mail_on_the_page() -> None:
    text = (DOCS / "forms.md").read_text(encoding="utf-8")
    [described] = [each for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if each.startswith("id:")]
    [filled] = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    files = read_texts(ROOT / "rules", ["categories.yaml"])
    shapes = parse_forms({"forms/conference.yaml": described}, taxonomy_of(files))
    content = f"From: forms@conference.example\n\n{filled}".encode()
    form = read_form(read_entity(content), parse(content), shapes)
    assert form is not None
    assert (form.address, form.category, form.named_sender) == ("ann@example.net", "stalking", True)
    assert form.details == "He waits for me at the door.\nHe did so yesterday, too."


def test_the_page_of_forms_tells_every_key_and_field() -> None:
    text = (DOCS / "forms.md").read_text(encoding="utf-8")
    names = {*FormFile.model_fields, *get_args(FieldName), "end"}
    assert {name for name in names if f"`{name}`" not in text} == set()
