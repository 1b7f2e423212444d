"""The one transaction that files a mail: case, message, sealed contents, keyed hashes, outbox, audit entry."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, CursorResult, bindparam, delete, func, insert, select, update

from mailroom.flow.filing import Case, Facts, Filed, Filing, Outgoing
from mailroom.flow.ports import Encryptor
from mailroom.log import get_logger
from mailroom.mail.message import Opened, RawMail
from mailroom.records import arrivals, audit, limits
from mailroom.records.digests import Digests, address_form, quarter
from mailroom.records.outbox import row as outbox_row
from mailroom.records.seal import Sealer
from mailroom.records.tables import blobs, cases, digests, messages, originals, outbox

_log = get_logger(__name__)

# Suspected spam may be a report, so the keeper has time to look; but most of it is none, and needs no keeping.
SPAM_RETENTION = timedelta(days=90)

# Statements of the way of every mail are built once: building costs SQLAlchemy more than running them.
_HASHES = select(digests.c.kind, digests.c.digest).where(digests.c.case_id == bindparam("here"))
_LAST_NUMBER = select(func.max(messages.c.number)).where(messages.c.case_id == bindparam("here"))


@dataclass(frozen=True, slots=True)
class Archive:
    """The archive keys in force: their generation (0: none, a trial) and certificates."""

    generation: int
    certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Sealed:
    """The contents of one message, sealed: rows for `blobs` without the message, and SHA-256 of what lies inside."""

    rows: tuple[dict[str, object], ...]
    checksums: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Filer:
    """Writes one `Filing`. `retention` in days."""

    sealer: Sealer
    digests: Digests
    encryptor: Encryptor
    archive: Archive
    retention: timedelta

    def contents(self, filing: Filing) -> dict[str, bytes]:
        """Name what is sealed of a mail: the bytes as they arrived, what was decrypted, why we decided as we did."""
        found = {"original": filing.raw.content}
        if filing.opened is not None and filing.opened.cleartext is not None:
            found["cleartext"] = filing.opened.cleartext
        found["decision"] = json.dumps(filing.explanation, ensure_ascii=False).encode()
        return found

    def seal(self, filing: Filing, number: int) -> Sealed:
        """Seal the contents for their place in the case."""
        contents = self.contents(filing)
        generation = self.archive.generation if filing.sealed_to_archive else 0
        inner = {name: self._inner(content) if generation else content for name, content in contents.items()}
        if generation and any(map(self.encryptor.expired, self.archive.certificates)):
            _log.error("archive key expired", case=filing.case.reference)
        rows = []
        for name, content in inner.items():
            where = place(filing.case.reference, number, name)
            sealed = self.sealer.close(content, filing.case.key_id, where, generation)
            rows.append({"name": name, "archive_generation": generation, "sealed": sealed})
        return Sealed(tuple(rows), {name: hashlib.sha256(content).hexdigest() for name, content in inner.items()})

    def _inner(self, content: bytes) -> bytes:
        return self.encryptor.seal(content, self.archive.certificates)

    def write(self, connection: Connection, filing: Filing, sealed: Sealed, now: datetime) -> Filed:
        """Write everything in the caller's transaction; `sealed` is for the next number of the case."""
        case_id = self._case(connection, filing, now)
        number = 1 if filing.case.id is None else next_number(connection, case_id)
        message_id = self._message(connection, filing, sealed, (case_id, number), now)
        connection.execute(insert(blobs), [row | {"message_id": message_id} for row in sealed.rows])
        self._original(connection, filing, message_id, now)
        known = [*threads(filing), *threads_of(filing.outgoing)]
        self._hashes(connection, case_id, known, now)
        if filing.case.contact in ("none", "unsafe"):
            _stop_replies(connection, case_id)
        self._letters(connection, filing.case, case_id, filing.outgoing, now)
        arrivals.mark(connection, filing.raw.arrival, _fate(filing), message_id)
        if filing.spends is not None:
            limits.spend(connection, self.digests, filing.spends, now)
        audit.append(connection, now, "desk", "intake", filing.case.reference, filing.kind)
        return Filed(filing.case, number)

    def _case(self, connection: Connection, filing: Filing, now: datetime) -> int:
        details = self.sealer.close_json(case_details(filing, now), filing.case.key_id, f"{filing.case.reference}/case")
        values: dict[str, object] = {"details": details, "status": filing.case.status}
        if filing.case.id is not None:
            connection.execute(update(cases).where(cases.c.id == filing.case.id).values(**values))
            return filing.case.id
        values |= {"reference": filing.case.reference, "key_id": filing.case.key_id, "legal_hold": False}
        retention = SPAM_RETENTION if filing.facts.channel == "spam" else self.retention
        values |= {"month": now.strftime("%Y-%m"), "retain_until": (now + retention).date().isoformat()}
        result = connection.execute(insert(cases), values | _in_clear(filing.facts))
        return _new_id(result)

    def _message(
        self, connection: Connection, filing: Filing, sealed: Sealed, row: tuple[int, int], now: datetime
    ) -> int:
        case_id, number = row
        values: dict[str, object] = {"case_id": case_id, "number": number, "direction": "in"}
        result = connection.execute(insert(messages), values | self._of_message(filing, number, sealed, now))
        return _new_id(result)

    def _of_message(self, filing: Filing, number: int, sealed: Sealed, now: datetime) -> dict[str, object]:
        details = message_details(filing, now) | {"sha256": dict(sealed.checksums)}
        where = place(filing.case.reference, number, "details")
        return {
            "kind": filing.kind,
            "protection": protection(filing),
            "size": filing.raw.arrival.size,
            "details": self.sealer.close_json(details, filing.case.key_id, where),
        }

    def rewrite(self, connection: Connection, filing: Filing, number: int, sealed: Sealed, now: datetime) -> None:
        """Put what was read at last in the place of what nobody could read: same case, same message, sealed anew."""
        case_id = self._case(connection, filing, now)
        if filing.kind != "follow_up":
            connection.execute(update(cases).where(cases.c.id == case_id).values(**_in_clear(filing.facts)))
        here = (messages.c.case_id == case_id) & (messages.c.number == number)
        connection.execute(update(messages).where(here).values(**self._of_message(filing, number, sealed, now)))
        message_id = connection.execute(select(messages.c.id).where(here)).scalar_one()
        connection.execute(delete(blobs).where(blobs.c.message_id == message_id))
        connection.execute(insert(blobs), [row | {"message_id": message_id} for row in sealed.rows])
        self._hashes(connection, case_id, [*threads(filing), *threads_of(filing.outgoing)], now)
        self._letters(connection, filing.case, case_id, filing.outgoing, now)
        audit.append(connection, now, "operator", "retry", filing.case.reference, filing.kind)

    def post(self, connection: Connection, case: Case, outgoing: Sequence[Outgoing], now: datetime) -> None:
        """Put more letters of a committed case into the outbox."""
        case_id = connection.execute(select(cases.c.id).where(cases.c.reference == case.reference)).scalar_one()
        self._hashes(connection, case_id, threads_of(outgoing), now)
        self._letters(connection, case, case_id, outgoing, now)

    def _letters(
        self, connection: Connection, case: Case, case_id: int, outgoing: Sequence[Outgoing], now: datetime
    ) -> None:
        rows = [outbox_row(self.sealer, case, case_id, one, now) for one in outgoing]
        if rows:
            connection.execute(insert(outbox), rows)

    def _original(self, connection: Connection, filing: Filing, message_id: int, now: datetime) -> None:
        period = quarter(now)
        known = [("raw", whole(filing.raw)), *copies_of(filing.opened)[:1]]
        digests_of = [self.digests.make(kind, value, period) for kind, value in known]
        rows = [{"digest": one, "period": period, "message_id": message_id} for one in digests_of]
        connection.execute(insert(originals), rows)

    def _hashes(self, connection: Connection, case_id: int, known: Sequence[tuple[str, str]], now: datetime) -> None:
        period = quarter(now)
        wanted = {(kind, self.digests.make(kind, value.encode(), period)) for kind, value in known}
        known_there = connection.execute(_HASHES, {"here": case_id})
        fresh = sorted(wanted - {(found.kind, found.digest) for found in known_there})
        if fresh:
            values = [{"kind": kind, "digest": one, "period": period, "case_id": case_id} for kind, one in fresh]
            connection.execute(insert(digests), values)


def _stop_replies(connection: Connection, case_id: int) -> None:
    """Stop answers that still wait: she has said meanwhile that her address is not safe, or that she wants none."""
    waiting = (outbox.c.case_id == case_id) & (outbox.c.kind == "reply") & outbox.c.state.in_(("waiting", "held"))
    connection.execute(update(outbox).where(waiting).values(state="stopped", letter=None))


def _new_id(result: CursorResult[Any]) -> int:
    key = result.inserted_primary_key
    return int(key[0]) if key else 0


def place(reference: str, number: int, name: str) -> str:
    """Name the place of a sealed thing of a message; part of what its seal is bound to."""
    return f"{reference}/{number}/{name}"


def next_number(connection: Connection, case_id: int) -> int:
    """Give the next free number for a message of this case, from 1."""
    found = connection.execute(_LAST_NUMBER, {"here": case_id})
    return int(found.scalar_one() or 0) + 1


def protection(filing: Filing) -> str:
    """Say in one word how the mail was protected."""
    if filing.opened is None:
        return "none"
    pgp = filing.opened.openpgp
    if pgp.encrypted:
        return "encrypted" if pgp.decrypted else "undecrypted"
    return "signed" if pgp.signature.state == "valid" else "none"


def threads(filing: Filing) -> list[tuple[str, str]]:
    """Name what this case is found again by: who wrote, and the ids of those mails."""
    if filing.opened is None or filing.kind not in ("report", "follow_up"):
        return []
    message, writer = filing.opened.message, filing.opened.writer
    found = [("sender", address_form(writer))] if writer else []
    return found + ([("mid", message.message_id)] if message.message_id else [])


def whole(raw: RawMail) -> bytes:
    """Give what a mail is known by: its bytes; of an oversize one its beginning and its size, for more was not read."""
    return raw.content if raw.complete else b"%d\n" % raw.arrival.size + raw.content


def copies_of(opened: Opened | None) -> list[tuple[str, bytes]]:
    """Name what another copy of a mail, with other trace fields, is recognised by: first as what it is filed itself.

    A copy counts only where its sender is vouched for no better than that of the first, and where the first did not
    come by way of a list, a machine or a filter that this one did not meet: what was held as forged, or not answered,
    must not swallow the true one.
    """
    if opened is None or opened.written is None:
        return []
    states = ("fail", "none", "pass")
    ways = ("marked", "same") if opened.machine or opened.spam else ("same",)
    no_better = states[states.index(opened.authentication) :]
    return [(f"{way}/{state}", opened.written.encode()) for way in ways for state in no_better]


def threads_of(outgoing: Sequence[Outgoing]) -> list[tuple[str, str]]:
    """Name what an answer to these letters, or a bounce of them, is recognised by."""
    letters = [one for one in outgoing if not one.is_line]
    answers = [("mid", one.message_id) for one in letters if one.kind != "notice"]
    return answers + [("note" if one.kind == "notice" else "bounce", one.token) for one in letters]


def case_details(filing: Filing, now: datetime) -> dict[str, object]:
    """Give what is sealed under the case key alone: what the daemon needs to answer while the case is open."""
    case = filing.case
    return {
        "opened": (case.opened or now).isoformat(),
        "flags": sorted({*case.flags, *filing.facts.flags}),
        "contact": case.contact,
        "address": case.address,
        "unreachable": case.unreachable,
        "reply_key": base64.b64encode(case.reply_key).decode() if case.reply_key else None,
        "key_dated": case.key_dated.isoformat() if case.key_dated else None,
    }


def message_details(filing: Filing, now: datetime) -> dict[str, object]:
    """Give what is sealed of a message under the case key alone: no content."""
    sender = filing.opened.writer if filing.opened else None
    return {
        "at": now.isoformat(),
        "address": sender,
        "authentication": filing.opened.authentication if filing.opened else None,
        "complete": filing.raw.complete,
        "held": next((outgoing.held for outgoing in filing.outgoing if outgoing.held), None),
    }


def _fate(filing: Filing) -> str:
    """What becomes of the mail in the inbox: of an oversize one we hold only the beginning, so it stays."""
    if not filing.raw.complete:
        return "left"
    return "parked" if filing.kind == "parked" else "filed"


def _in_clear(facts: Facts) -> dict[str, object]:
    names = ("channel", "category", "taxonomy", "country", "country_source", "language", "language_source")
    return {name: getattr(facts, name) for name in names}
