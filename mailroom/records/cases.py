"""The case records, as the flow needs them: identities, finding again, filing, reading back."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mailroom.errors import SealError
from mailroom.flow.filing import Budget, Case, Contact, Filed, Filing
from mailroom.mail.message import Arrival, RawMail
from mailroom.records import arrivals, limits, reference
from mailroom.records.clock import Clock
from mailroom.records.database import Database
from mailroom.records.digests import address_form
from mailroom.records.filing import Filer, next_number, place
from mailroom.records.keystore import KeyStore
from mailroom.records.tables import arrivals as arrivals_table
from mailroom.records.tables import blobs, cases, digests, messages, originals, outbox

AnyRow = Row[*tuple[Any, ...]]
_LARGE = 256 * 1024  # bytes; sealing more than that would keep the loop waiting


class CaseBook:
    """The tables of cases; fits `flow.ports.Cases`."""

    def __init__(self, database: Database, keystore: KeyStore, filer: Filer, clock: Clock) -> None:
        self._database, self._keystore, self._filer, self._clock = database, keystore, filer, clock

    def open(self) -> Case:
        """Draw a reference and make a case key."""
        return Case(reference=reference.new(), key_id=self._keystore.new_case_key())

    def message_id(self, case: Case, kind: str, sequence: int, domain: str) -> str:
        """Derive the id from the case key: fixed, and it tells nothing to who has not the key."""
        return f"{self._derived(case, f'mid/{kind}/{sequence}')}@{domain}"

    def token(self, case: Case, kind: str, sequence: int) -> str:
        """Derive the token likewise."""
        return self._derived(case, f"bounce/{kind}/{sequence}")

    async def seen(self, raw: RawMail) -> bool:
        """Look for the keyed hash of the bytes; a second copy is marked as filed under the first one's message."""
        known = self._filer.digests.all("raw", raw.content)
        query = select(originals.c.message_id).where(originals.c.digest.in_(known))
        async with self._database.read() as connection:
            message_id = (await connection.execute(query)).scalars().first()
        if message_id is None:
            return False
        async with self._database.write() as connection:
            await arrivals.mark(connection, raw.arrival, "filed", message_id)
        return True

    async def by_reference(self, written: str) -> Case | None:
        """Find by a reference as a person writes it."""
        normal = reference.normalise(written)
        if normal is None:
            return None
        async with self._database.read() as connection:
            found = (await connection.execute(_case_query().where(cases.c.reference == normal))).first()
        return self._case(found) if found else None

    async def by_message_ids(self, ids: Sequence[str]) -> Case | None:
        """Find by Message-IDs, the newest first."""
        return await self._by_digest("mid", list(reversed(ids)))

    async def by_bounce_token(self, token: str) -> Case | None:
        """Find by a bounce token."""
        return await self._by_digest("bounce", [token])

    async def wrote(self, case: Case, address: str) -> bool:
        """Look for the keyed hash of the address among the case's senders."""
        known = self._filer.digests.all("sender", address_form(address).encode())
        here = digests.c.case_id == case.id
        hit = exists().where(digests.c.kind == "sender", digests.c.digest.in_(known), here)
        async with self._database.read() as connection:
            return bool((await connection.execute(select(hit))).scalar_one())

    async def sequence(self, case: Case, kind: str) -> int:
        """Count from 1."""
        if case.id is None:
            return 1
        query = select(func.max(outbox.c.sequence)).where(outbox.c.case_id == case.id, outbox.c.kind == kind)
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar_one() or 0) + 1

    async def budget(self, address: str) -> Budget:
        """Count in the windows of now."""
        async with self._database.read() as connection:
            return await limits.spent(connection, self._filer.digests, address, self._clock())

    async def file(self, filing: Filing) -> Filed:
        """Seal, then commit."""
        number = filing.case.messages + 1
        large = filing.raw.arrival.size > _LARGE
        sealed = (
            await asyncio.to_thread(self._filer.seal, filing, number) if large else self._filer.seal(filing, number)
        )
        async with self._database.write() as connection:
            if filing.case.id is not None and await next_number(connection, filing.case.id) != number:
                raise SealError("another message was filed in this case meanwhile")
            return await self._filer.write(connection, filing, sealed, self._clock())

    async def read_back(self, batch: Sequence[Arrival]) -> list[Arrival]:
        """Open the outer layer of every content and hold it against the SHA-256 that was sealed beside it."""
        async with self._database.read() as connection:
            return [arrival for arrival in batch if await self._proven(connection, arrival)]

    async def _proven(self, connection: AsyncConnection, arrival: Arrival) -> bool:
        query = (
            select(cases.c.reference, messages.c.number, messages.c.details, blobs.c.name, blobs.c.sealed)
            .select_from(arrivals_table)
            .join(messages, messages.c.id == arrivals_table.c.message_id)
            .join(cases, cases.c.id == messages.c.case_id)
            .join(blobs, blobs.c.message_id == messages.c.id)
            .where(arrivals.is_(arrival))
        )
        found = (await connection.execute(query)).all()
        return bool(found) and all(self._whole(one) for one in found)

    def _whole(self, found: AnyRow) -> bool:
        try:
            details = self._filer.sealer.open_json(found.details, place(found.reference, found.number, "details"))
            inner = self._filer.sealer.open(found.sealed, place(found.reference, found.number, found.name))
        except SealError:
            return False
        sums = details["sha256"]
        return isinstance(sums, Mapping) and sums.get(found.name) == hashlib.sha256(inner).hexdigest()

    async def _by_digest(self, kind: str, values: Sequence[str]) -> Case | None:
        async with self._database.read() as connection:
            for value in values:
                known = self._filer.digests.all(kind, value.encode())
                query = _case_query().join(digests, digests.c.case_id == cases.c.id)
                hits = query.where(digests.c.digest.in_(known), digests.c.kind == kind).order_by(cases.c.id.desc())
                found = (await connection.execute(hits.limit(1))).first()
                if found:
                    return self._case(found)
        return None

    def _case(self, found: AnyRow) -> Case:
        details = self._filer.sealer.open_json(found.details, f"{found.reference}/case")
        key = details["reply_key"]
        blank = Case(reference=found.reference, key_id=found.key_id, id=found.id, status=found.status)
        return replace(
            blank,
            address=_text(details["address"]),
            reply_key=base64.b64decode(key) if isinstance(key, str) else None,
            contact=_contact(details["contact"]),
            language=found.language,
            country=found.country,
            category=found.category,
            flags=tuple(details["flags"]) if isinstance(details["flags"], list) else (),
            messages=found.last or 0,
            opened=datetime.fromisoformat(str(details["opened"])),
        )

    def _derived(self, case: Case, purpose: str) -> str:
        key = self._keystore.case_key(case.key_id)
        digest = hmac.digest(key, purpose.encode(), hashlib.sha256)
        return base64.b32encode(digest[:15]).decode().lower()


def _case_query() -> Select[*tuple[Any, ...]]:
    last = select(func.max(messages.c.number)).where(messages.c.case_id == cases.c.id).scalar_subquery()
    return select(cases, last.label("last"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _contact(value: object) -> Contact | None:
    return value if value in ("ok", "unsafe", "none") else None
