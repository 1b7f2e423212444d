"""The case records, as the flow needs them: identities, finding again, filing, reading back."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from mailroom.errors import SealError
from mailroom.flow.filing import Budget, Case, Contact, Due, Filed, Filing, Outgoing, Spending
from mailroom.mail.message import Arrival, Opened, RawMail
from mailroom.records import arrivals, limits, reference
from mailroom.records.clock import Clock
from mailroom.records.database import Database
from mailroom.records.digests import address_form
from mailroom.records.filing import Filer, Sealed, copies_of, next_number, place, whole
from mailroom.records.keystore import KeyStore
from mailroom.records.outbox import drop_lines, finish, wrote_to
from mailroom.records.tables import arrivals as arrivals_table
from mailroom.records.tables import blobs, cases, digests, messages, originals, outbox

AnyRow = Row[*tuple[Any, ...]]
_LARGE = 256 * 1024  # bytes; sealing more than that would keep the loop waiting


_SAME_BYTES = select(originals.c.message_id).where(originals.c.digest.in_(bindparam("known", expanding=True)))


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

    async def seen(self, raw: RawMail, opened: Opened | None = None) -> bool:
        """Look for the keyed hashes; a second copy is marked as filed under the first one's message."""
        return await self._database.write(self._seen, raw, opened)

    async def by_reference(self, written: str) -> Case | None:
        """Find by a reference as a person writes it."""
        normal = reference.normalise(written)
        if normal is None:
            return None
        return await self._database.read(self._first, _case_query().where(cases.c.reference == normal))

    async def by_message_ids(self, ids: Sequence[str]) -> Case | None:
        """Find by Message-IDs, the newest first."""
        if not ids:
            return None
        return await self._database.read(self._by_digest, "mid", list(reversed(ids)))

    async def by_sender(self, address: str) -> Case | None:
        """Find by an address, the newest case first."""
        return await self._database.read(self._by_digest, "sender", [address_form(address)])

    async def by_bounce_token(self, token: str) -> Case | None:
        """Find by a bounce token."""
        return await self._database.read(self._by_digest, "bounce", [token])

    async def by_notice_token(self, token: str) -> Case | None:
        """Find by the bounce token of a notice."""
        return await self._database.read(self._by_digest, "note", [token])

    async def wrote(self, case: Case, address: str) -> bool:
        """Look for the keyed hash of the address among the case's senders."""
        if case.id is None:
            return False
        return await self._database.read(wrote_to, self._filer.digests, case.id, address)

    async def sequence(self, case: Case, kind: str) -> int:
        """Count from 1."""
        return 1 if case.id is None else await self._database.read(_sequence, case.id, kind)

    async def budget(self, spending: Spending) -> Budget:
        """Count in the windows of now."""
        return await self._database.read(limits.spent, self._filer.digests, spending, self._clock())

    async def file(self, filing: Filing) -> Filed:
        """Seal, then commit; large contents are sealed beside the records' thread."""
        number = filing.case.messages + 1
        if filing.raw.arrival.size > _LARGE:
            sealed = await asyncio.to_thread(self._filer.seal, filing, number)
        else:
            sealed = self._filer.seal(filing, number)
        return await self._database.write(self._file, filing, number, sealed)

    async def refile(self, filing: Filing, number: int) -> None:
        """Replace what is kept of a message that could not be read before."""
        sealed = self._filer.seal(filing, number)
        await self._database.write(self._filer.rewrite, filing, number, sealed, self._clock())

    async def give_up(self, due: Due, code: int, case: Case, outgoing: Sequence[Outgoing]) -> None:
        """Mark the letter as failed and write the outbox rows that tell of it."""
        await self._database.write(self._give_up, due, code, case, outgoing)

    async def post(self, case: Case, outgoing: Sequence[Outgoing], instead_of: Sequence[Due] = ()) -> None:
        """Write the outbox rows and the hashes by which answers find the case."""
        await self._database.write(self._post, case, outgoing, instead_of)

    async def read_back(self, batch: Sequence[Arrival]) -> list[Arrival]:
        """Open the outer layer of every content and hold it against the SHA-256 that was sealed beside it."""
        return await self._database.read(self._read_back, batch)

    def _post(
        self, connection: Connection, case: Case, outgoing: Sequence[Outgoing], instead_of: Sequence[Due]
    ) -> None:
        self._filer.post(connection, case, outgoing, self._clock())
        drop_lines(connection, instead_of)

    def _give_up(self, connection: Connection, due: Due, code: int, case: Case, outgoing: Sequence[Outgoing]) -> None:
        finish(connection, due, {"state": "failed"}, self._clock(), f"failed {code}")
        self._filer.post(connection, case, outgoing, self._clock())

    def _seen(self, connection: Connection, raw: RawMail, opened: Opened | None) -> bool:
        known = self._filer.digests.all("raw", whole(raw))
        for kind, value in copies_of(opened):
            known += self._filer.digests.all(kind, value)
        message_id = connection.execute(_SAME_BYTES, {"known": known}).scalars().first()
        if message_id is not None:
            arrivals.mark(connection, raw.arrival, "copy" if raw.complete else "left", message_id)
        return message_id is not None

    def _file(self, connection: Connection, filing: Filing, number: int, sealed: Sealed) -> Filed:
        if filing.case.id is not None and next_number(connection, filing.case.id) != number:
            raise SealError("another message was filed in this case meanwhile")
        return self._filer.write(connection, filing, sealed, self._clock())

    def _read_back(self, connection: Connection, batch: Sequence[Arrival]) -> list[Arrival]:
        return [arrival for arrival in batch if self._proven(connection, arrival)]

    def _proven(self, connection: Connection, arrival: Arrival) -> bool:
        query = (
            select(cases.c.reference, messages.c.number, messages.c.details, blobs.c.name, blobs.c.sealed)
            .select_from(arrivals_table)
            .join(messages, messages.c.id == arrivals_table.c.message_id)
            .join(cases, cases.c.id == messages.c.case_id)
            .join(blobs, blobs.c.message_id == messages.c.id)
            .where(arrivals.is_(arrival))
        )
        found = connection.execute(query).all()
        return bool(found) and all(self._whole(one) for one in found)

    def _whole(self, found: AnyRow) -> bool:
        try:
            details = self._filer.sealer.open_json(found.details, place(found.reference, found.number, "details"))
            inner = self._filer.sealer.open(found.sealed, place(found.reference, found.number, found.name))
        except SealError:
            return False
        sums = details["sha256"]
        return isinstance(sums, Mapping) and sums.get(found.name) == hashlib.sha256(inner).hexdigest()

    def _by_digest(self, connection: Connection, kind: str, values: Sequence[str]) -> Case | None:
        for value in values:
            known = self._filer.digests.all(kind, value.encode())
            query = _case_query().join(digests, digests.c.case_id == cases.c.id)
            hits = query.where(digests.c.digest.in_(known), digests.c.kind == kind).order_by(cases.c.id.desc())
            found = self._first(connection, hits)
            if found:
                return found
        return None

    def _first(self, connection: Connection, query: Select[*tuple[Any, ...]]) -> Case | None:
        found = connection.execute(query.limit(1)).first()
        return self._case(found) if found else None

    def _case(self, found: AnyRow) -> Case:
        details = self._filer.sealer.open_json(found.details, f"{found.reference}/case")
        key = details["reply_key"]
        blank = Case(reference=found.reference, key_id=found.key_id, id=found.id, status=found.status)
        return replace(
            blank,
            address=_text(details["address"]),
            reply_key=base64.b64decode(key) if isinstance(key, str) else None,
            key_dated=_moment(details.get("key_dated")),
            contact=_contact(details["contact"]),
            unreachable=details.get("unreachable") is True,
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


def _sequence(connection: Connection, case_id: int, kind: str) -> int:
    query = select(func.max(outbox.c.sequence)).where(outbox.c.case_id == case_id, outbox.c.kind == kind)
    return int(connection.execute(query).scalar_one() or 0) + 1


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _moment(value: object) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def _contact(value: object) -> Contact | None:
    return value if value in ("ok", "unsafe", "none") else None
