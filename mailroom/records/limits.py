"""How many automatic replies were given, to whom and about what, and how often the same was said: keyed hashes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from mailroom.flow.filing import Budget, Spending
from mailroom.records.digests import Digests, address_form, quarter
from mailroom.records.tables import limits


def spent(connection: Connection, digests: Digests, spending: Spending, now: datetime) -> Budget:
    """Count in the windows of now what this mail would use."""
    counts = _counts(connection, _windows(digests, spending, now))
    return Budget(*(counts.get(scope, 0) for scope in ("sender", "domain", "urgent", "receipt", "wording")))


def spend(connection: Connection, digests: Digests, spending: Spending, now: datetime) -> None:
    """Count what this mail uses."""
    windows = _windows(digests, spending, now)
    counts = _counts(connection, windows)
    again = [window for window in windows if window["scope"] in counts]
    first = [window | {"count": 1} for window in windows if window["scope"] not in counts]
    if again:
        connection.execute(_COUNT_UP, [{f"the_{name}": value for name, value in window.items()} for window in again])
    if first:
        connection.execute(_FORGET, {"day": f"{now:%Y-%m-%d}", "hour": f"{now:%Y-%m-%dT%H}"})
        connection.execute(_FIRST, first)


def _windows(digests: Digests, spending: Spending, now: datetime) -> list[dict[str, object]]:
    """Name the counters. A forger must not use up the budget of the person whose address he bears."""
    period, day, hour = quarter(now), f"{now:%Y-%m-%d}", f"{now:%Y-%m-%dT%H}"
    windows = {"sender": day, "domain": hour, "urgent": hour, "receipt": day, "wording": hour}
    return [
        {"scope": scope, "digest": digests.make(kind, value.encode(), period), "window": windows[scope]}
        for scope, kind, value in _counted(spending)
    ]


def _counted(spending: Spending) -> Iterator[tuple[str, str, str]]:
    """Give scope, kind of hash and value of each counter; no two scopes of one mail share a hash."""
    kind = "vouched" if spending.vouched else "limit"
    if spending.address is not None:
        form = address_form(spending.address)
        yield "sender", kind, form
        yield "domain", kind, form.rpartition("@")[2]
        if spending.urgent:
            yield "urgent", f"urgent/{kind}", form
    if spending.receipt is not None:
        yield "receipt", f"receipt/{kind}", spending.receipt
    if spending.wording is not None:
        yield "wording", "wording", spending.wording


def _counts(connection: Connection, windows: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """Give the counts of these windows by their scope; a scope stands in one window only."""
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
