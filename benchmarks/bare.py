"""The same libraries in a bare loop, to compare with: no sealing, no notice, no rules, no safety.

    python -m benchmarks.bare CONFIG USER SMTP_PORT DATABASE

For each mail of the inbox of USER: fetch it (in batches of 50), decrypt it with gpg if it is encrypted (two at a
time), read it with mail-parser, ask py3langid, commit one row with synchronous=FULL, send one reply. It prints
the number of mails, and the time of the first fetch.
"""

import asyncio
import imaplib
import json
import logging
import re
import sqlite3
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import gnupg
import mailparser
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from mailroom.config import Config, load
from tests.servers.dovecot import PASSWORD

_BATCH = 50
_ARMORED = re.compile(rb"-----BEGIN PGP MESSAGE-----.*-----END PGP MESSAGE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Read:
    """What the loop wants of a mail."""

    content: bytes
    sender: str
    subject: str
    text: str


def _fetched(port: int, user: str) -> Iterator[list[bytes]]:
    client = imaplib.IMAP4("127.0.0.1", port)
    client.login(user, PASSWORD)
    client.select()
    uids = client.uid("SEARCH", "ALL")[1][0].decode().split()
    for start in range(0, len(uids), _BATCH):
        found = client.uid("FETCH", ",".join(uids[start : start + _BATCH]), "(BODY.PEEK[])")[1]
        yield [one[1] for one in found if isinstance(one, tuple)]
    client.logout()


def _read(content: bytes, gpg: gnupg.GPG) -> Read:
    mail = mailparser.parse_from_bytes(content)
    sender, subject, text = mail.from_[0][1], mail.subject, mail.body
    armored = _ARMORED.search(content)
    if armored:
        text = mailparser.parse_from_bytes(gpg.decrypt(armored[0]).data).body
    return Read(content, sender, subject, text)


def _database(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE mails (sender, subject, language, content)")
    return database


def _reply(to: str, language: str) -> EmailMessage:
    reply = EmailMessage()
    reply["From"], reply["To"], reply["Subject"] = "desk@example.org", to, f"Your letter ({language})"
    reply.set_content("Thank you for writing to us. " * 40)
    return reply


async def _run(config: Config, user: str, smtp_port: int, path: Path) -> dict[str, float]:
    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    gpg = gnupg.GPG(gnupghome=str(config.openpgp.home), options=["--trust-model", "always"])
    database, count, began = _database(path), 0, 0.0
    smtp = aiosmtplib.SMTP(hostname="127.0.0.1", port=smtp_port, start_tls=False)
    async with smtp:
        began = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            for batch in _fetched(config.imap.port, user):
                for mail in pool.map(_read, batch, [gpg] * len(batch)):
                    language = model.classify(mail.text)[0]
                    row = (mail.sender, mail.subject, language, mail.content)
                    database.execute("INSERT INTO mails VALUES (?, ?, ?, ?)", row)
                    database.commit()
                    await smtp.send_message(_reply(mail.sender, language))
                    count += 1
    return {"count": count, "began": began}


def main() -> None:
    logging.disable(logging.WARNING)  # mail-parser warns of every encrypted part
    config, user, port, database = sys.argv[1:]
    print(json.dumps(asyncio.run(_run(load(Path(config)), user, int(port), Path(database)))))


if __name__ == "__main__":
    main()
