"""What a person at the shell does with cases: list, look, take out. Every look is logged before it is shown."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from mailroom.errors import NoSuchCase
from mailroom.mail.message import Arrival, RawMail
from mailroom.records import audit, reference
from mailroom.records.clock import Clock
from mailroom.records.database import Database
from mailroom.records.filing import place
from mailroom.records.seal import Sealer
from mailroom.records.tables import blobs, cases, messages

PAGE = 500
_UNREAD = (messages.c.kind == "parked") | (messages.c.protection == "undecrypted")


@dataclass(frozen=True, slots=True)
class Content:
    """One sealed content without its outer layer. `archived`: an OpenPGP message to the archive keys."""

    number: int
    name: str
    content: bytes
    archived: bool


class Casework:
    """Reads case records for one operator; synchronous. `actor` stands in the audit log."""

    def __init__(self, database: Database, sealer: Sealer, clock: Clock, actor: str = "operator") -> None:
        self._database, self._sealer, self._clock, self._actor = database, sealer, clock, actor

    def page(self, status: str | None = None, limit: int = PAGE) -> list[dict[str, object]]:
        """Give the newest cases, newest last, in the form of the contract; mail in a keeper's name is left out."""
        self._log("list", "")
        return self._database.read_now(self._page, status, limit)

    def show(self, written: str) -> dict[str, object]:
        """Give one case and its messages, without their content.

        Raises:
            NoSuchCase: there is none of this reference.
        """
        normal = self._logged("read", written)
        return self._database.read_now(self._show, normal)

    def contents(self, written: str, act: str = "export") -> list[Content]:
        """Take the outer layer off every content of a case."""
        normal = self._logged(act, written)
        return self._database.read_now(self._contents, normal)

    def accept(self, written: str, retention: timedelta) -> bool:
        """Make of suspected spam a case like any other, kept for `retention` from its first day; False when it is one.

        Raises:
            NoSuchCase: there is none of this reference.
        """
        normal = self._logged("not spam", written)
        return self._database.write_now(self._accept, normal, retention)

    def unread(self) -> list[str]:
        """List the references of cases with a mail that nobody could read yet."""
        query = select(cases.c.reference).join(messages, messages.c.case_id == cases.c.id).where(_UNREAD).distinct()
        return self._database.read_now(lambda connection: list(connection.execute(query).scalars()))

    def unread_mails(self, written: str) -> list[tuple[int, RawMail]]:
        """Give the bytes of each mail of a case that nobody could read yet, with its number."""
        normal = self._logged("retry", written)
        query = select(messages.c.number).join(cases, cases.c.id == messages.c.case_id)
        unread = query.where(cases.c.reference == normal, _UNREAD)
        numbers = self._database.read_now(lambda connection: set(connection.execute(unread).scalars()))
        found = self._database.read_now(self._contents, normal)
        return [_again(one) for one in found if one.name == "original" and one.number in numbers]

    def _logged(self, act: str, written: str) -> str:
        normal = reference.normalise(written)
        query = select(cases.c.id).where(cases.c.reference == normal)
        if normal is None or self._database.read_now(lambda connection: connection.execute(query).first()) is None:
            raise NoSuchCase(f"there is no case {written}")
        self._log(act, normal)
        return normal

    def _accept(self, connection: Connection, normal: str, retention: timedelta) -> bool:
        suspected = (cases.c.reference == normal) & (cases.c.channel == "spam")
        found = connection.execute(select(cases).where(suspected)).one_or_none()
        if found is None:
            return False
        details = self._sealer.open_json(found.details, f"{normal}/case")
        flags = details["flags"] if isinstance(details["flags"], list) else []
        details |= {"flags": [flag for flag in flags if flag != "suspected_spam"]}
        values: dict[str, object] = {
            "channel": "email",
            "details": self._sealer.close_json(details, found.key_id, f"{normal}/case"),
        }
        values["retain_until"] = (datetime.fromisoformat(str(details["opened"])) + retention).date().isoformat()
        connection.execute(update(cases).where(cases.c.id == found.id).values(**values))
        return True

    def _log(self, act: str, subject: str) -> None:
        self._database.write_now(audit.append, self._clock(), self._actor, act, subject, "")

    def _page(self, connection: Connection, status: str | None, limit: int) -> list[dict[str, object]]:
        count = select(func.count()).where(messages.c.case_id == cases.c.id).scalar_subquery()
        query = select(cases, count.label("messages")).where(cases.c.channel != "command")
        query = query.order_by(cases.c.id.desc()).limit(limit)
        if status is not None:
            query = query.where(cases.c.status == status)
        return [self._line(found) for found in reversed(connection.execute(query).all())]

    def _line(self, found: Row[*tuple[Any, ...]]) -> dict[str, object]:
        details = self._sealer.open_json(found.details, f"{found.reference}/case")
        return {
            "case": found.reference,
            "opened": _zulu(str(details["opened"])),
            "status": found.status,
            "channel": found.channel,
            "category": found.category,
            "country": found.country,
            "language": found.language,
            "flags": details["flags"],
            "messages": found.messages,
        }

    def _show(self, connection: Connection, normal: str) -> dict[str, object]:
        count = select(func.count()).where(messages.c.case_id == cases.c.id).scalar_subquery()
        found = connection.execute(select(cases, count.label("messages")).where(cases.c.reference == normal)).one()
        details = self._sealer.open_json(found.details, f"{normal}/case")
        rows = connection.execute(select(messages).where(messages.c.case_id == found.id).order_by(messages.c.number))
        return self._line(found) | {
            "contact": details["contact"],
            "address": details["address"],
            "unreachable": details.get("unreachable", False),
            "reply_key": details["reply_key"] is not None,
            "retain_until": found.retain_until,
            "legal_hold": found.legal_hold,
            "mails": [self._mail(normal, row) for row in rows],
        }

    def _mail(self, normal: str, row: Row[*tuple[Any, ...]]) -> dict[str, object]:
        details = self._sealer.open_json(row.details, place(normal, row.number, "details"))
        return {
            "number": row.number,
            "at": _zulu(str(details["at"])),
            "direction": row.direction,
            "kind": row.kind,
            "protection": row.protection,
            "size": row.size,
            "from": details["address"],
            "authentication": details["authentication"],
            "held": details["held"],
        }

    def _contents(self, connection: Connection, normal: str) -> list[Content]:
        query = (
            select(messages.c.number, blobs.c.name, blobs.c.archive_generation, blobs.c.sealed)
            .join(messages, messages.c.id == blobs.c.message_id)
            .join(cases, cases.c.id == messages.c.case_id)
            .where(cases.c.reference == normal)
            .order_by(messages.c.number, blobs.c.id)
        )
        return [
            Content(row.number, row.name, self._sealer.open(row.sealed, place(normal, row.number, row.name)), archived)
            for row in connection.execute(query)
            for archived in [row.archive_generation > 0]
        ]


def _again(kept: Content) -> tuple[int, RawMail]:
    return kept.number, RawMail(Arrival("", 0, kept.number, len(kept.content)), kept.content)


def _zulu(at: str) -> str:
    return at[:19] + "Z"
