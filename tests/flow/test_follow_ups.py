"""Who may speak to a case, and what a stranger, a forger or a replay gets out of it: nothing."""

import base64
import dataclasses
import re
from email import message_from_bytes
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from mailroom.config import load
from mailroom.flow import retrying
from mailroom.flow.filing import Case, Letter
from mailroom.mail.message import Arrival, RawMail
from mailroom.office import worker_settings
from mailroom.records.seal import Sealer
from mailroom.records.tables import cases
from tests.e2e.crashing import InProcess
from tests.e2e.letters import plain
from tests.flow.conftest import FORGED, VOUCHED, Counter, notices, reference_in, replies, text_of
from tests.gnupg_home import new_home, public
from tests.openpgp_mails import autocrypt, entity, pgp_mime_encrypted, pgp_mime_signed

ANNA = "anna@example.net"
STRANGER = "stranger@example.net"
WORRY = "An unfamiliar man waits outside my house every evening and follows me to work."


def about(case: Case) -> tuple[object, ...]:
    """Give everything of a case that somebody might want to change."""
    return case.address, case.reply_key, case.contact, case.status, case.flags, case.category, case.messages


def anonymous(letter: Letter) -> bytes:
    """Give the bytes of a letter without reference, ids, date and address."""
    content = letter.content.replace(reference_in(letter).encode(), b"REFERENCE")
    return re.sub(rb"(?m)^(Message-ID|In-Reply-To|References|Date|To): .*$", b"", content)


async def opened_by_anna(counter: Counter) -> tuple[Letter, Case]:
    [reply] = replies(await counter.take(VOUCHED + plain(1, WORRY, ANNA)))
    return reply, await counter.case(reply)


@pytest.mark.parametrize("fields", [b"", VOUCHED, FORGED])
async def test_a_stranger_with_the_right_reference_gets_what_one_with_a_wrong_reference_gets(
    counter: Counter, fields: bytes
) -> None:
    reply, case = await opened_by_anna(counter)
    right, wrong = reference_in(reply), "0000-0000-0"
    sent = await counter.take(
        fields + plain(2, "MORE", "one@example.net", f"news [{right}]"),
        fields + plain(3, "MORE", "two@example.net", f"news [{wrong}]"),
    )
    if fields != FORGED:
        one, two = replies(sent)
        assert anonymous(one) == anonymous(two)
        assert right not in text_of(one)
        assert reference_in(one) != right
    else:
        assert replies(sent) == []
    assert about(await counter.case(reply)) == about(case)
    told = [counter.read(letter) for letter in notices(sent)]
    assert [f"may belong to {right}" in text for text in told] == [f"news [{right}]" in text for text in told]
    assert sum("may belong to" in text for text in told) == 1


async def test_a_stranger_who_answers_our_message_id_opens_a_case_of_his_own(counter: Counter) -> None:
    reply, case = await opened_by_anna(counter)
    our_id = message_from_bytes(reply.content)["Message-ID"].strip().encode()
    knows = VOUCHED + b"In-Reply-To: " + our_id + b"\r\nReferences: " + our_id + b"\r\n"
    sent = await counter.take(
        knows + plain(2, "STOP", "one@example.net"), VOUCHED + plain(3, "Hello there.", "two@example.net")
    )
    assert [letter.recipient for letter in replies(sent)] == ["two@example.net"]
    assert about(await counter.case(reply)) == about(case)
    assert sum(f"may belong to {case.reference}" in counter.read(letter) for letter in notices(sent)) == 1


@pytest.mark.parametrize("field", ["To", "Cc", "Delivered-To", "X-Original-To", "X-Envelope-To"])
async def test_who_knows_a_bounce_address_cannot_change_the_case_and_hears_nothing_of_it(
    counter: Counter, field: str
) -> None:
    reply, case = await opened_by_anna(counter)
    mail = VOUCHED + f"{field}: <{reply.sender}>\r\n".encode() + plain(2, "MORE", STRANGER)
    heard = replies(await counter.take(mail))
    # A copy to a bounce address is no mail to it: who sends that is answered as any stranger is, in a case of his own.
    assert [one.recipient for one in heard] in ([], [STRANGER] if field == "Cc" else [])
    assert all(reference_in(one) != case.reference for one in heard)
    after = await counter.case(reply)
    assert about(after)[:-1] == about(case)[:-1]
    assert not await counter.desk.cases.wrote(after, STRANGER)


async def test_a_forged_follow_up_that_our_server_calls_forged_opens_a_case_and_waits(counter: Counter) -> None:
    reply, case = await opened_by_anna(counter)
    sent = await counter.take(FORGED + plain(2, "STOP", ANNA, f"[{case.reference}]"))
    assert replies(sent) == []
    assert about(await counter.case(reply)) == about(case)


async def test_nobody_vouching_for_anna_means_no_new_key_and_no_looser_wish(counter: Counter) -> None:
    [reply] = replies(await counter.take(VOUCHED + plain(1, f"{WORRY}\r\nMy husband reads my mail.", ANNA)))
    before = await counter.case(reply)
    assert before.contact == "unsafe"
    forged = pgp_mime_encrypted(
        ANNA, entity("MORE"), subject=f"[{before.reference}]", fields=[("Autocrypt", autocrypt(ANNA, "other-address"))]
    )
    sent = await counter.take(plain(2, "MORE", ANNA, f"[{before.reference}]"), forged)
    after = await counter.case(reply)
    assert (after.contact, after.reply_key) == ("unsafe", None)
    assert all("findahelpline" not in text_of(one) for one in replies(sent) if b"multipart" not in one.content)


async def test_a_signature_speaks_only_for_the_bytes_that_it_covers(counter: Counter) -> None:
    her = "complainant@example.net"
    [reply] = replies(await counter.take(VOUCHED + plain(1, f"{WORRY}\r\nMy husband reads my mail.", her)))
    before = await counter.case(reply)
    # A mail that the keeper signed once, sent again in another name, under another subject, with a key in its header.
    minutes = entity("The minutes of our meeting are attached.")
    subject = f"MORE [{before.reference}]"
    await counter.take(pgp_mime_signed(her, minutes, "keeper", subject=subject, autocrypt="complainant"))
    after = await counter.case(reply)
    assert (after.contact, after.reply_key) == (before.contact, before.reply_key) == ("unsafe", None)


@pytest.mark.parametrize("state", ["expired", "revoked", "sign-only"])
async def test_a_stored_key_that_can_no_longer_be_used_is_as_good_as_none(counter: Counter, state: str) -> None:
    her = f"{state}@example.net"
    [reply] = replies(await counter.take(plain(1, WORRY, her)))
    case = await counter.case(reply)
    await plant_key(counter, case, public(state))
    [answer] = replies(await counter.take(pgp_mime_encrypted(her, entity("Again."), subject=f"[{case.reference}]")))
    assert reference_in(answer) == case.reference
    assert "public OpenPGP key" in text_of(answer)
    assert counter.inbox.mails == {}


async def plant_key(counter: Counter, case: Case, certificate: bytes) -> None:
    """Put a key into a case, as if it had still been good when it came."""
    books: Any = counter.desk.cases
    sealer, place = Sealer(books._keystore), f"{case.reference}/case"

    def change(connection: Connection) -> None:
        details = sealer.open_json(connection.execute(select(cases.c.details)).scalar_one(), place)
        changed = dict(details) | {"reply_key": base64.b64encode(certificate).decode()}
        connection.execute(update(cases).values(details=sealer.close_json(changed, case.key_id, place)))

    await books._database.write(change)


async def test_trying_again_keeps_to_her_wish_to_hear_nothing(counter: Counter) -> None:
    original = VOUCHED + pgp_mime_encrypted(ANNA, entity(WORRY), to=["deputy"])
    [reply] = replies(await counter.take(original))
    await counter.take(VOUCHED + plain(2, "STOP", ANNA, f"[{reference_in(reply)}]"))
    case = await counter.case(reply)
    assert case.contact == "none"
    with new_home(["desk", "deputy"], ["keeper"]) as home:
        config = load(counter.folder / "config.toml")
        settings = dataclasses.replace(worker_settings(config, counter.desk.office.guide.lexicon), home=home)
        desk = dataclasses.replace(counter.desk, opener=InProcess(settings))
        raw = RawMail(Arrival("", 0, 1, len(original)), original)
        await retrying.retry(desk, case, 1, raw)
    assert replies(await counter.take()) == []
    assert (await counter.case(reply)).contact == "none"


async def test_trying_again_does_not_rewrite_a_case_that_was_there_before(counter: Counter) -> None:
    reply, case = await opened_by_anna(counter)
    closed = VOUCHED + pgp_mime_encrypted(ANNA, entity("Hello."), to=["deputy"], subject=f"[{case.reference}]")
    await counter.take(closed)
    with new_home(["desk", "deputy"], ["keeper"]) as home:
        config = load(counter.folder / "config.toml")
        settings = dataclasses.replace(worker_settings(config, counter.desk.office.guide.lexicon), home=home)
        desk = dataclasses.replace(counter.desk, opener=InProcess(settings))
        raw = RawMail(Arrival("", 0, 2, len(closed)), closed)
        assert await retrying.retry(desk, await counter.case(reply), 2, raw) == "follow_up"
    after = await counter.case(reply)
    assert (after.category, after.language) == (case.category, case.language) == ("stalking", "en")
