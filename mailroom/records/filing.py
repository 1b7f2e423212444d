"""The one transaction that files a mail: case, message, sealed contents, keyed hashes, outbox, audit entry."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mailroom.flow.filing import Facts, Filed, Filing
from mailroom.flow.ports import Encryptor
from mailroom.records import arrivals, audit, limits
from mailroom.records.digests import Digests, address_form, quarter
from mailroom.records.outbox import row as outbox_row
from mailroom.records.seal import Sealer
from mailroom.records.tables import blobs, cases, digests, messages, originals, outbox


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
        found["decision"] = json.dumps(filing.explanation, ensure_ascii=False, indent=1).encode()
        return found

    def seal(self, filing: Filing, number: int) -> Sealed:
        """Seal the contents for their place in the case."""
        archived = filing.sealed_to_archive and self.archive.generation > 0
        generation = self.archive.generation if archived else 0
        rows, checksums = [], {}
        for name, content in self.contents(filing).items():
            inner = self.encryptor.encrypt(content, self.archive.certificates, armor=False) if archived else content
            checksums[name] = hashlib.sha256(inner).hexdigest()
            sealed = self.sealer.close(
                inner, filing.case.key_id, place(filing.case.reference, number, name), generation
            )
            rows.append({"name": name, "archive_generation": generation, "sealed": sealed})
        return Sealed(tuple(rows), checksums)

    async def write(self, connection: AsyncConnection, filing: Filing, sealed: Sealed, now: datetime) -> Filed:
        """Write everything in the caller's transaction; `sealed` is for the next number of the case."""
        case_id = await self._case(connection, filing, now)
        number = await next_number(connection, case_id)
        message_id = await self._message(connection, filing, sealed, (case_id, number), now)
        await connection.execute(insert(blobs), [row | {"message_id": message_id} for row in sealed.rows])
        await self._hashes(connection, filing, (case_id, message_id), now)
        for outgoing in filing.outgoing:
            await connection.execute(insert(outbox), outbox_row(self.sealer, filing.case, case_id, outgoing, now))
        state = "parked" if filing.kind == "parked" else "filed"
        await arrivals.mark(connection, filing.raw.arrival, state, message_id)
        if filing.spends is not None:
            await limits.spend(connection, self.digests, filing.spends, now)
        await audit.append(connection, now, "desk", "intake", filing.case.reference, filing.kind)
        return Filed(filing.case, number)

    async def _case(self, connection: AsyncConnection, filing: Filing, now: datetime) -> int:
        details = self.sealer.close_json(case_details(filing, now), filing.case.key_id, f"{filing.case.reference}/case")
        values: dict[str, object] = {"details": details, "status": filing.case.status}
        if filing.case.id is not None:
            await connection.execute(update(cases).where(cases.c.id == filing.case.id).values(**values))
            return filing.case.id
        values |= {"reference": filing.case.reference, "key_id": filing.case.key_id, "legal_hold": False}
        values |= {"month": now.strftime("%Y-%m"), "retain_until": (now + self.retention).date().isoformat()}
        result = await connection.execute(insert(cases), values | _in_clear(filing.facts))
        return _new_id(result)

    async def _message(
        self, connection: AsyncConnection, filing: Filing, sealed: Sealed, row: tuple[int, int], now: datetime
    ) -> int:
        case_id, number = row
        details = message_details(filing, now) | {"sha256": dict(sealed.checksums)}
        result = await connection.execute(
            insert(messages),
            {
                "case_id": case_id,
                "number": number,
                "direction": "in",
                "kind": filing.kind,
                "protection": protection(filing),
                "size": filing.raw.arrival.size,
                "details": self.sealer.close_json(
                    details, filing.case.key_id, place(filing.case.reference, number, "details")
                ),
            },
        )
        return _new_id(result)

    async def _hashes(self, connection: AsyncConnection, filing: Filing, row: tuple[int, int], now: datetime) -> None:
        case_id, message_id = row
        period = quarter(now)
        raw = self.digests.make("raw", filing.raw.content, period)
        await connection.execute(insert(originals), {"digest": raw, "period": period, "message_id": message_id})
        known = {(kind, self.digests.make(kind, value.encode(), period)) for kind, value in threads(filing)}
        kept = set()
        if filing.case.id is not None:
            rows = await connection.execute(
                select(digests.c.kind, digests.c.digest).where(digests.c.case_id == case_id)
            )
            kept = {(found.kind, found.digest) for found in rows}
        fresh = sorted(known - kept)
        if fresh:
            values = [{"kind": kind, "digest": one, "period": period, "case_id": case_id} for kind, one in fresh]
            await connection.execute(insert(digests), values)


def _new_id(result: CursorResult[Any]) -> int:
    key = result.inserted_primary_key
    return int(key[0]) if key else 0


def place(reference: str, number: int, name: str) -> str:
    """Name the place of a sealed thing of a message; part of what its seal is bound to."""
    return f"{reference}/{number}/{name}"


async def next_number(connection: AsyncConnection, case_id: int) -> int:
    """Give the next free number for a message of this case, from 1."""
    found = await connection.execute(select(func.max(messages.c.number)).where(messages.c.case_id == case_id))
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
    """Name what this case is found again by: who wrote, ids of its mails, bounce tokens of our letters."""
    found = [("mid", outgoing.message_id) for outgoing in filing.outgoing if outgoing.kind != "notice"]
    found += [("bounce", outgoing.token) for outgoing in filing.outgoing]
    if filing.opened is not None and filing.kind in ("report", "follow_up"):
        message = filing.opened.message
        found += [("sender", address_form(message.sender))] if message.sender else []
        found += [("mid", message.message_id)] if message.message_id else []
    return found


def case_details(filing: Filing, now: datetime) -> dict[str, object]:
    """Give what is sealed under the case key alone: what the daemon needs to answer while the case is open."""
    case = filing.case
    return {
        "opened": (case.opened or now).isoformat(),
        "flags": sorted({*case.flags, *filing.facts.flags}),
        "contact": filing.facts.contact or case.contact,
        "address": case.address,
        "reply_key": base64.b64encode(case.reply_key).decode() if case.reply_key else None,
    }


def message_details(filing: Filing, now: datetime) -> dict[str, object]:
    """Give what is sealed of a message under the case key alone: no content."""
    sender = filing.opened.message.sender if filing.opened else None
    return {
        "at": now.isoformat(),
        "address": sender,
        "authentication": filing.opened.authentication if filing.opened else None,
        "complete": filing.raw.complete,
        "held": next((outgoing.held for outgoing in filing.outgoing if outgoing.held), None),
    }


def _in_clear(facts: Facts) -> dict[str, object]:
    names = ("channel", "category", "taxonomy", "country", "country_source", "language", "language_source")
    return {name: getattr(facts, name) for name in names}
