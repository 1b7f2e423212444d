"""`explain` says exactly what `run` does, for every mail of the corpus."""

import asyncio
import json
from pathlib import Path
from typing import Any

from sqlalchemy import select

from mailroom import assembly
from mailroom.config import load
from mailroom.records.casework import Casework
from mailroom.records.clock import utc
from mailroom.records.seal import Sealer
from mailroom.records.tables import cases
from mailroom.transport.gnupg_home import DeskHome
from tests.e2e.conftest import Build
from tests.e2e.house import House, parsed, replies
from tests.e2e.letters import mixed, plain
from tests.gnupg_home import gpg
from tests.openpgp_mails import entity, pgp_mime_encrypted
from tests.servers.sink import Sink

CORPUS = Path(__file__).parents[1] / "mail"
REFERENCES = select(cases.c.reference)  # mail in a keeper's name too, which is not listed
INSULTS = "Somebody insults me on the talk page every day."
DANGER = "He is here, outside my door, with a gun. I am afraid that he will kill me."
NO_REFERENCE = "0000-0000-0"


def corpus() -> list[bytes]:
    """Every golden mail that a server would take, and some OpenPGP ones."""
    golden = [path.read_bytes() for path in sorted(CORPUS.glob("[0-9]*/mail.eml"))]
    keyless = pgp_mime_encrypted("nobody@example.net", entity("He follows me."), to=["deputy"])
    harvested = pgp_mime_encrypted("complainant@example.net", entity("He follows me."), autocrypt="complainant")
    spam = [b"X-Spam-Flag: YES\r\n" + plain(number, text) for number, text in enumerate((INSULTS, DANGER), 901)]
    return [mail for mail in golden if mail.strip()] + [keyless, harvested, *spam, *mixed(5)]


def explained(house: House, mails: list[bytes]) -> list[dict[str, Any]]:
    """Ask `explain` about each mail; the paths are left out."""
    folder = house.folder / "corpus"
    folder.mkdir()
    for number, mail in enumerate(mails):
        (folder / f"{number:03}.eml").write_bytes(mail)
    lines = house.lines("explain", "--json", str(folder))
    assert [line.pop("path") for line in lines] == [str(path) for path in sorted(folder.iterdir())]
    return lines


def decided(house: House, home: Path) -> list[dict[str, Any]]:
    """Open what `run` sealed of its decisions with the keeper's key, the references taken out."""
    config = load(house.config)
    books = assembly.records(config, DeskHome(house.home))
    casework = Casework(books.database, Sealer(books.keystore), utc)
    found = []
    for reference in books.database.read_now(lambda connection: list(connection.execute(REFERENCES).scalars())):
        [sealed] = [one for one in casework.contents(reference) if one.name == "decision"]
        opened = gpg(home, "--decrypt", stdin=sealed.content) if sealed.archived else sealed.content
        found.append(json.loads(opened.decode().replace(reference, NO_REFERENCE)))
    books.database.close()
    return found


async def test_explain_and_run_agree_on_every_mail_of_the_corpus(furnish: Build, sink: Sink, people_home: Path) -> None:
    house: House = furnish(replies__per_sender_per_day=1000)
    mails = corpus()
    house.receive(*mails)
    as_stored = house.inbox()
    said = await asyncio.to_thread(explained, house, as_stored)
    assert not (house.data / "mailroom.db").exists()
    await asyncio.to_thread(house.mailroom, "run", "--once")
    assert house.inbox() == []
    done = await asyncio.to_thread(decided, house, people_home)
    assert sorted(map(canonical, done)) == sorted(map(canonical, said))
    answered = [line["reply"] for line in said if line["reply"]["will_send"]]
    sent = replies(sink.deliveries)
    assert sorted(str(one.rcpt_tos[0]) for one in sent) == sorted(str(reply["to"]) for reply in answered)
    kinds = {parsed(one).get_content_type() for one in sent}
    assert kinds == {"text/plain", "multipart/encrypted", "multipart/mixed"}  # mixed: with our key attached


BODY = b"\r\n" + b"He follows me home every day and threatens to kill me.\r\n" * 20
HTML = b"Content-Type: text/html\r\n\r\n<p>He follows me home every day.</p>\r\n"
TEXT = b"Content-Type: text/plain; charset=utf-8\r\n" + BODY
PICTURE = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"AAAA" * 2000 + b"\r\n"
HEAD = b"From: anna@example.net\r\nSubject: what he does\r\nMessage-ID: <%d@example.net>\r\nX-A: " + b"a" * 900


def too_large() -> list[bytes]:
    """Mails of more than 2,000 bytes, whose text stands in different places."""
    bodies = [(HTML, TEXT, PICTURE), (PICTURE, HTML), (PICTURE, TEXT, HTML), (PICTURE,)]
    multipart = b'\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    made = [multipart + b"".join(b"--b\r\n" + part for part in parts) + b"--b--\r\n" for parts in bodies]
    plain = b"\r\nContent-Type: text/plain\r\n" + BODY * 3
    whole = [HEAD % number + body for number, body in enumerate([*made, plain], 1)]
    return [*whole, pgp_mime_encrypted("carla@example.net", entity("He follows me. " * 300))]


async def test_they_agree_on_mails_of_which_only_the_beginning_is_read(
    furnish: Build, sink: Sink, people_home: Path
) -> None:
    house: House = furnish(replies__per_sender_per_day=1000, imap__max_message_bytes=2000)
    mails = too_large()
    house.receive(*mails)
    said = await asyncio.to_thread(explained, house, house.inbox())
    await asyncio.to_thread(house.mailroom, "run", "--once")
    assert house.inbox() == mails
    done = await asyncio.to_thread(decided, house, people_home)
    assert sorted(map(canonical, done)) == sorted(map(canonical, said))
    assert {line["triage"]["category"]["value"] for line in said} >= {"stalking"}
    assert [line["message"]["attachments"] for line in said] == [[]] * len(said)


def canonical(explanation: dict[str, Any]) -> str:
    """Write an explanation so that equal ones are equal strings."""
    return json.dumps(explanation, sort_keys=True, ensure_ascii=False)
