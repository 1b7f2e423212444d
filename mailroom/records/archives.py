"""Generations of archive keys: which set of keeper, deputy and escrow keys a sealed content opens with."""

from sqlalchemy import Connection, func, insert, select

from mailroom.records.clock import utc
from mailroom.records.tables import archives


def archive_generation(connection: Connection, fingerprints: str) -> int:
    """Give the number of the generation of exactly these keys (sorted, space-separated); begin one if they are new."""
    known = select(archives.c.generation).where(archives.c.fingerprints == fingerprints)
    found: int | None = connection.execute(known.order_by(archives.c.generation.desc())).scalars().first()
    if found is not None:
        return found
    last: int = connection.execute(select(func.coalesce(func.max(archives.c.generation), 0))).scalar_one()
    row = {"generation": last + 1, "fingerprints": fingerprints, "month": f"{utc():%Y-%m}"}
    connection.execute(insert(archives), row)
    return last + 1
