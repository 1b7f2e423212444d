"""The audit log: an append-only hash chain of who did what to which case, and with what result; no content, no values.

Each entry's hash is SHA-256 over the hash before it and its own fields, separated by line ends. Whoever changes,
removes or reorders an entry breaks the chain; a cut-off end shows against a head that was kept elsewhere.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from mailroom.records.tables import audit

START = "0" * 64
_LAST = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_APPEND = insert(audit)


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. `object` is a case reference or empty; `result` one of a few fixed words."""

    seq: int
    at: str
    actor: str
    act: str
    object: str
    result: str
    previous: str

    def hash(self) -> str:
        """Give the entry's hash, in hexadecimal."""
        line = "\n".join((self.previous, str(self.seq), self.at, self.actor, self.act, self.object, self.result))
        return hashlib.sha256(line.encode()).hexdigest()


def append(connection: Connection, now: datetime, actor: str, act: str, *about: str) -> str:
    """Append one entry in the transaction of the act itself; give the new head. `about` is object and result."""
    last = connection.execute(_LAST).first()
    subject, result = (*about, "", "")[:2]
    seq, previous = (last.seq, last.hash) if last else (0, START)
    entry = Entry(seq + 1, now.strftime("%Y-%m-%dT%H:%M:%SZ"), actor, act, subject, result or "done", previous)
    values = {name: getattr(entry, name) for name in Entry.__slots__} | {"hash": entry.hash()}
    connection.execute(_APPEND, values)
    return entry.hash()


def broken_at(connection: Connection) -> int | None:
    """Give the first sequence number at which the chain breaks, or None when it is whole."""
    previous, expected = START, 1
    for row in connection.execute(select(audit).order_by(audit.c.seq)):
        entry = Entry(row.seq, row.at, row.actor, row.act, row.object, row.result, row.previous)
        if row.seq != expected or row.previous != previous or entry.hash() != row.hash:
            return expected
        previous, expected = row.hash, expected + 1
    return None


def length(connection: Connection) -> int:
    """Count the entries."""
    return (connection.execute(select(func.count()).select_from(audit))).scalar_one()
