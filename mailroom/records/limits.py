"""How many automatic replies an address had today and its domain this hour, under keyed hashes."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, insert, select, update

from mailroom.flow.filing import Budget
from mailroom.records.digests import Digests, address_form, quarter
from mailroom.records.tables import limits


@dataclass(frozen=True, slots=True)
class Spender:
    """Whose budget is asked for. A forger must not use up the budget of the person whose address he bears."""

    address: str
    vouched: bool

    def windows(self, digests: Digests, now: datetime) -> list[dict[str, object]]:
        """Name the counters of this address today and of its domain this hour."""
        form, period, kind = address_form(self.address), quarter(now), "vouched" if self.vouched else "limit"
        domain = form.rpartition("@")[2]
        return [
            {"scope": "sender", "digest": digests.make(kind, form.encode(), period), "window": f"{now:%Y-%m-%d}"},
            {"scope": "domain", "digest": digests.make(kind, domain.encode(), period), "window": f"{now:%Y-%m-%dT%H}"},
        ]


def spent(connection: Connection, digests: Digests, spender: Spender, now: datetime) -> Budget:
    """Count what was given to this address today and to its domain this hour."""
    counts = []
    for window in spender.windows(digests, now):
        count = connection.execute(_COUNT, window)
        counts.append(count.scalar_one_or_none() or 0)
    return Budget(*counts)


def spend(connection: Connection, digests: Digests, spender: Spender, now: datetime) -> None:
    """Count one automatic reply to this address."""
    for window in spender.windows(digests, now):
        done = connection.execute(_COUNT_UP, {f"the_{name}": value for name, value in window.items()})
        if done.rowcount == 0:
            forget(connection, now)
            connection.execute(_FIRST, window | {"count": 1})


def forget(connection: Connection, now: datetime) -> None:
    """Delete the counts of windows that are over."""
    connection.execute(_FORGET, {"day": f"{now:%Y-%m-%d}", "hour": f"{now:%Y-%m-%dT%H}"})


def _is(prefix: str) -> ColumnElement[bool]:
    return and_(*(limits.c[name] == bindparam(prefix + name) for name in ("scope", "digest", "window")))


_COUNT = select(limits.c.count).where(_is(""))
_COUNT_UP = update(limits).where(_is("the_")).values(count=limits.c.count + 1)
_FIRST = insert(limits)
# A day sorts before its hours. Two ranges, and not two inequalities: the index finds at once that nothing is over.
_EARLIER_DAYS = limits.c.window < bindparam("day")
_EARLIER_HOURS = (limits.c.window > bindparam("day")) & (limits.c.window < bindparam("hour"))
_FORGET = delete(limits).where(_EARLIER_DAYS | _EARLIER_HOURS)
