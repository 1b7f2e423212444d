"""The answer never betrays (law 3): whatever a mail says, the answer is one of a small, known set of texts."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import Header, decode_header, make_header
from email.message import Message as Entity
from pathlib import Path
from typing import Any

import pysequoia
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailroom.flow import answering
from mailroom.flow.desk import Desk, Guide, Office, Policy
from mailroom.flow.filing import Budget, Case, Letter, Understood
from mailroom.flow.linking import Link
from mailroom.flow.opening import Reader
from mailroom.flow.pace import Pace
from mailroom.flow.routing import route
from mailroom.mail.message import Arrival, Opened, RawMail
from mailroom.transport.gnupg import GnuPG
from mailroom.transport.sequoia import Sequoia
from mailroom.triage.triage import triage
from tests.e2e.letters import TEXTS
from tests.fakes import Names, Pen
from tests.flow.conftest import text_of
from tests.gnupg_home import fingerprint, public, secret
from tests.openpgp_mails import autocrypt, entity, inline_encrypted, multipart, pgp_mime_encrypted

REFERENCE = "K7QD-3M9X-T"
HER = "complainant@example.net"
OWN = frozenset({"desk@example.org"})
FIELDS = [
    "Date", "From", "To", "Subject", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
    "X-Auto-Response-Suppress", "X-Loop", "Autocrypt", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
]  # fmt: skip
SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def office(guide: Guide) -> Office:
    policy = Policy("Letter desk", "desk@example.org", OWN, fingerprint("desk"))
    ours = bytes(pysequoia.Cert.from_bytes(public("desk")))
    return Office(policy, (), guide, lambda: datetime(2026, 11, 23, tzinfo=UTC), ours)


@pytest.fixture(scope="module")
def desk(office: Office) -> Desk:
    unused: Any = None
    names: Any = Names()
    return Desk(office, unused, unused, unused, Pen(), Sequoia(), unused, names, unused, unused, Pace(), unused)


@pytest.fixture(scope="module")
def reader(desk_home: Path, guide: Guide) -> Reader:
    keyring = GnuPG(desk_home, fingerprint("desk"), None, 1_000_000)
    return Reader(keyring, Sequoia().certificate_for, OWN, frozenset(), "", guide.lexicon)


@pytest.fixture(scope="module")
def texts(office: Office) -> dict[str, set[str]]:
    """Every body that an answer of this desk can have, by the name of the text."""
    book = office.guide.book.texts
    return {name: {body(office, name, language, u) for language in book.languages for u in (True, False)}
            for name in book.names}  # fmt: skip


def body(office: Office, name: str, language: str, urgent: bool) -> str:
    key = re.sub("(.{4})(?!$)", r"\1 ", office.policy.fingerprint)
    values = dict.fromkeys(("emergency", "country", "hours")) | {"reference": REFERENCE, "retention_months": 24}
    values |= {"services": (), "fingerprint": key, "urgent": urgent}
    made = office.guide.book.texts.render(name, language, values, unreviewed="bilingual", default_language="en")
    assert made is not None
    return made.body


def answer(desk: Desk, opened: Opened, case: Case | None = None) -> Letter | None:
    """Give the letter that answers a mail."""
    case = case or Case(REFERENCE, b"key")
    link = Link(case=case) if case.id else Link()
    routed = route(desk.office, understood(desk, opened), link, Budget(0, 0))
    routed, text = answering.settle(desk.office, routed, REFERENCE)
    if text is None or not routed.answer.will_send:
        return None
    made = asyncio.run(answering.reply(desk, routed, opened, case, text))
    return made.letter if made else None


def understood(desk: Desk, opened: Opened) -> Understood:
    return Understood(opened, triage(opened.message, desk.office.guide.lexicon))


def opened(reader: Reader, content: bytes) -> Opened:
    return reader.open(RawMail(Arrival("INBOX", 1, 1, len(content)), content))


def field(mail: Entity, name: str) -> str:
    return str(make_header(decode_header(mail[name])))


HEADER_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
LINE_BREAKS = st.sampled_from(
    ["\r\nBcc: evil@example.net", "\nX-Evil: 1\n\nbody", "\r\r\n", "\u2028To: evil@example.net"]
)
HOSTILE = st.builds(lambda one, two, three: one + two + three, HEADER_TEXT, LINE_BREAKS, HEADER_TEXT)
DANGERS = ["", "I want to die.", "He has a knife and stands at the door now.", "My husband reads my mail.", "MORE"]


@st.composite
def mails(draw: Callable[..., Any]) -> bytes:
    """Make a mail of hostile fields, in a language of ours, with an attachment."""
    hostile = {name: Header(draw(HOSTILE | HEADER_TEXT), "utf-8").encode() for name in ("name", "Subject", "Reply-To")}
    ids = draw(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
    text = f"{draw(HEADER_TEXT)}\r\n{draw(st.sampled_from(sorted(TEXTS.values())))}\r\n{draw(st.sampled_from(DANGERS))}"
    fields = [
        f"From: {hostile['name']} <{HER}>", f"Subject: {hostile['Subject']}", f"Reply-To: {hostile['Reply-To']}",
        "Cc: evil@example.net", f"Message-ID: <{ids}\r\n Bcc: evil@example.net>",
        f"References: <{ids}>\r\n\t<a\r\n b@c>", "To: desk@example.org",
    ]  # fmt: skip
    parts = (
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text.encode(),
        b'Content-Type: image/png; name="evidence-photo.png"\r\nContent-Disposition: attachment\r\n\r\nx',
    )
    start = "\r\n".join([*fields, 'Content-Type: multipart/mixed; boundary="=b"', "", ""])
    return start.encode() + multipart("=b", parts)


@SLOW
@given(content=mails())
def test_nothing_that_a_mail_says_stands_in_its_answer(
    desk: Desk, reader: Reader, texts: dict[str, set[str]], content: bytes
) -> None:
    letter = answer(desk, opened(reader, content))
    assert letter is not None
    mail = message_from_bytes(letter.content)
    assert text_of(letter) in set.union(*texts.values())
    subjects = {f"{front.subject} [{REFERENCE}]" for front in desk.office.guide.book.texts.fronts.values()}
    assert field(mail, "Subject") in subjects
    assert re.sub(r"\s+", " ", mail["From"]).strip() == '"Letter desk" <desk@example.org>'
    assert (letter.recipient, mail["To"]) == (HER, HER)
    assert [name for name in mail if name not in FIELDS] == []
    assert len(set(mail.keys())) == len(mail.keys())
    assert b"evil" not in re.sub(rb"(?m)^(In-Reply-To|References):.*\r\n", b"", letter.content)


@SLOW
@given(st.lists(st.text(st.characters(min_codepoint=0x10D0, max_codepoint=0x10F0), min_size=4, max_size=9), min_size=8))
@pytest.mark.parametrize("language", sorted(TEXTS))
def test_no_four_letters_of_the_subject_and_no_eight_words_of_the_text_come_back(
    desk: Desk, reader: Reader, language: str, words: list[str]
) -> None:
    subject = " ".join(words[:6])
    text = f"{TEXTS[language]} {' '.join(words)}"
    header = f"From: {HER}\r\nSubject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    letter = answer(desk, opened(reader, (header + text).encode()))
    assert letter is not None
    said = f"{field(message_from_bytes(letter.content), 'Subject')} {text_of(letter)}"
    assert [subject[at : at + 4] for at in range(len(subject) - 3) if subject[at : at + 4] in said] == []
    run, flat = text.split(), " ".join(said.split())
    assert [at for at in range(len(run) - 7) if " ".join(run[at : at + 8]) in flat] == []


def test_a_lock_screen_shows_one_neutral_sentence_per_language_whatever_the_answer_is(office: Office) -> None:
    book = office.guide.book.texts
    for language in book.languages:
        starts = {body(office, name, language, urgent)[:100] for name in book.names for urgent in (True, False)}
        assert len(starts) == 1
        assert not re.search(r"\d", starts.pop())


def test_the_subject_is_the_same_for_every_text_of_a_language(office: Office) -> None:
    book = office.guide.book.texts
    for language in book.languages:
        assert len({book.fronts[f"{language}/{name}"].subject for name in book.names}) == 1


KEYS = [(), ("complainant",), ("rsa",), ("expired",), ("revoked",), ("sign-only",), ("other-address",),
        ("complainant", "complainant"), ("complainant", "other-address")]  # fmt: skip


@pytest.mark.parametrize("stored", [None, "complainant"])
@pytest.mark.parametrize("names", KEYS)
@pytest.mark.parametrize("how", ["mime to desk", "mime to deputy", "inline to desk", "inline to deputy"])
def test_an_answer_is_never_weaker_protected_than_the_question(
    desk: Desk,
    reader: Reader,
    texts: dict[str, set[str]],
    stored: str | None,
    names: tuple[str, ...],
    how: str,
) -> None:
    make, _, to = how.partition(" to ")
    sender = f"{names[0]}@example.net" if names and names[0] != "other-address" else HER
    fields = [("Autocrypt", autocrypt(sender, name)) for name in names]
    if make == "mime":
        content = pgp_mime_encrypted(sender, entity(TEXTS["en"], subject="inside"), to=[to], fields=fields)
    else:
        content = inline_encrypted(sender, TEXTS["en"], to=[to], fields=fields)
    key = bytes(pysequoia.Cert.from_bytes(public(stored))) if stored else None
    found = opened(reader, content)
    assert found.openpgp.encrypted
    letter = answer(desk, found, Case(REFERENCE, b"key", 1, address=sender, reply_key=key) if key else None)
    assert letter is not None
    mail = message_from_bytes(letter.content)
    assert field(mail, "Subject") == f"About your message [{REFERENCE}]"
    usable = stored is not None or names in [("complainant",), ("rsa",)]
    if mail.get_content_type() == "multipart/encrypted":
        assert usable
        assert inside(letter, stored or names[0])
    else:
        assert not usable
        assert text_of(letter) in texts["ask_key"] | texts["cannot_open"]


def inside(letter: Letter, name: str) -> bytes:
    """Open an encrypted letter with a complainant's key; fails when it is for another one."""
    ciphertext = message_from_bytes(letter.content).get_payload()[1].get_payload(decode=True)  # type: ignore[union-attr,index]  # multipart
    key = pysequoia.Tsk.from_bytes(secret(name)).decryptor()
    return bytes(pysequoia.decrypt(ciphertext, key).bytes or b"")  # type: ignore[arg-type]  # bytes


def test_a_mail_that_was_encrypted_in_another_way_gets_no_answer_in_clear_that_tells_more(
    desk: Desk, reader: Reader, texts: dict[str, set[str]]
) -> None:
    kind = 'application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"'
    content = f"From: {HER}\r\nSubject: x\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\nMIAG\r\n"
    letter = answer(desk, opened(reader, content.encode()))
    assert letter is not None
    assert text_of(letter) in texts["ask_key"] | texts["cannot_open"]


def test_what_stands_in_clear_beside_a_block_that_does_not_open_is_still_read(desk: Desk, reader: Reader) -> None:
    armored = inline_encrypted(HER, "A name.", to=["deputy"]).partition(b"\r\n\r\n")[2]
    clear = (
        f"From: {HER}\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\nHe has a knife and stands at my door now.\r\n"
    )
    found = opened(reader, clear.encode() + armored)
    routed = route(desk.office, understood(desk, found), Link(), Budget(0, 0))
    assert "imminent_danger" in routed.triage.flags
    assert routed.answer.template == "cannot_open"
