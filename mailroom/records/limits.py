"""How many automatic replies an address had today and its domain this hour, under keyed hashes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

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
    counts = _counts(connection, spender.windows(digests, now))
    return Budget(counts.get("sender", 0), counts.get("domain", 0))


def spend(connection: Connection, digests: Digests, spender: Spender, now: datetime) -> None:
    """Count one automatic reply to this address."""
    windows = spender.windows(digests, now)
    counts = _counts(connection, windows)
    again = [window for window in windows if window["scope"] in counts]
    first = [window | {"count": 1} for window in windows if window["scope"] not in counts]
    if again:
        connection.execute(_COUNT_UP, [{f"the_{name}": value for name, value in window.items()} for window in again])
    if first:
        connection.execute(_FORGET, {"day": f"{now:%Y-%m-%d}", "hour": f"{now:%Y-%m-%dT%H}"})
        connection.execute(_FIRST, first)


def _counts(connection: Connection, windows: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """Give the counts of these windows by their scope; no digest of an address is that of a domain."""
    wanted = {f"{name}s": [window[name] for window in windows] for name in _KEY}
    return {found[0]: found[1] for found in connection.execute(_COUNTS, wanted)}


_KEY = ("scope", "digest", "window")
_COUNTS = select(limits.c.scope, limits.c.count).where(
    *(limits.c[name].in_(bindparam(f"{name}s", expanding=True)) for name in _KEY)
)
_COUNT_UP = (
    update(limits)
    .where(*(limits.c[name] == bindparam(f"the_{name}") for name in _KEY))
    .values(count=limits.c.count + 1)
)
_FIRST = insert(limits)
# A day sorts before its hours. Two ranges, and not two inequalities: the index finds at once that nothing is over.
_EARLIER_DAYS = limits.c.window < bindparam("day")
_EARLIER_HOURS = (limits.c.window > bindparam("day")) & (limits.c.window < bindparam("hour"))
_FORGET = delete(limits).where(_EARLIER_DAYS | _EARLIER_HOURS)
