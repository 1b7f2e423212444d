"""The records with many cases: a page of the case list, a follow-up that finds its case, the counts of each month.

    python -m benchmarks.records [--cases 100000] [--repeat 5] [--json]

The rows are as filing makes them (sealed details, keyed hashes of eight quarters, an audit entry for each case),
but written straight into the tables, in one transaction, with a key store written in one go. Sealed contents
(table `blobs`) are left out: nothing measured here reads them.
"""

import argparse
import asyncio
import json
import random
import secrets
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select

from benchmarks.mails import address
from benchmarks.watch import machine
from mailroom.assembly import Books, records
from mailroom.config import Config, load
from mailroom.records import audit, keystore, reference, tables
from mailroom.records.casework import Casework
from mailroom.records.clock import utc
from mailroom.records.digests import Digests, quarter
from mailroom.records.filing import place
from mailroom.records.seal import Sealer
from mailroom.transport.gnupg_home import DeskHome
from tests.e2e.house import House, build
from tests.servers.dovecot import Dovecot

_DAYS = 730
_COUNTRIES = ("IN", "BR", "MX", "EG", "FR", "NG", None)
_LANGUAGES = ("en", "es", "fr", "hi", "ar", "pt")
_CATEGORIES = ("stalking", "doxing", "insults_intimidation", "sexual_harassment", "unclassified")
_STATUS = ("open", "waiting", "closed", "closed")
_MOST = 5000  # rows inserted at a time
_LOOKED_UP = 200


def message_id(number: int) -> str:
    """Give the Message-ID of the mail that opened case `number`."""
    return f"mail{number}@example.net"


class Maker:
    """Makes the rows of cases."""

    def __init__(self, books: Books) -> None:
        self._sealer, self._digests, self._draw = Sealer(books.keystore), Digests(books.keystore), random.Random(1)

    def rows(self, number: int, key_id: bytes, at: datetime) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Give the rows of one case with one mail and its two letters, table by table."""
        name = reference.new()
        details: dict[str, object] = {
            "opened": at.isoformat(),
            "flags": [],
            "contact": None,
            "address": address(number),
        }
        sealed = self._sealer.close_json(details | {"reply_key": None}, key_id, f"{name}/case")
        yield tables.cases, self._clear(at) | {"id": number, "reference": name, "key_id": key_id, "details": sealed}
        about = {"at": at.isoformat(), "address": address(number), "authentication": "pass", "complete": True}
        sums = {"original": secrets.token_hex(32), "decision": secrets.token_hex(32)}
        message = self._sealer.close_json(about | {"held": None, "sha256": sums}, key_id, place(name, 1, "details"))
        columns = {"id": number, "case_id": number, "number": 1, "direction": "in", "kind": "report"}
        yield tables.messages, columns | {"protection": "none", "size": 4096, "details": message}
        known = [("sender", address(number)), ("mid", message_id(number)), ("mid", secrets.token_hex())]
        for kind, value in (*known, ("bounce", secrets.token_hex()), ("bounce", secrets.token_hex())):
            digest = self._digests.make(kind, value.encode(), quarter(at))
            yield tables.digests, {"kind": kind, "period": quarter(at), "digest": digest, "case_id": number}
        original = self._digests.make("raw", secrets.token_bytes(32), quarter(at))
        yield tables.originals, {"digest": original, "period": quarter(at), "message_id": number}
        for kind in ("reply", "notice"):
            yield tables.outbox, _sent(number, kind)

    def _clear(self, at: datetime) -> dict[str, Any]:
        country = self._draw.choice(_COUNTRIES)
        return {
            "status": self._draw.choice(_STATUS),
            "month": at.strftime("%Y-%m"),
            "channel": "email",
            "category": self._draw.choice(_CATEGORIES),
            "taxonomy": 1,
            "country": country,
            "country_source": "inferred" if country else "unknown",
            "language": self._draw.choice(_LANGUAGES),
            "language_source": "inferred",
            "retain_until": (at + timedelta(days=_DAYS)).date().isoformat(),
            "legal_hold": False,
        }


def _sent(number: int, kind: str) -> dict[str, Any]:
    columns = {"case_id": number, "kind": kind, "sequence": 1, "state": "sent", "automatic": kind == "reply"}
    return columns | {"attempts": 0, "due": 0, "since": 0, "letter": None}


def fill(config: Config, count: int) -> None:
    """Write the key store and the tables."""
    key_ids = _case_keys(config, count)
    books, now = records(config, DeskHome(config.openpgp.home)), datetime.now(UTC)
    maker = Maker(books)

    def write(connection: Connection) -> None:
        waiting: dict[Any, list[dict[str, Any]]] = {}
        for number, key_id in enumerate(key_ids, 1):
            at = now - timedelta(days=_DAYS * (1 - number / count))
            for table, row in maker.rows(number, key_id, at):
                waiting.setdefault(table, []).append(row)
            audit.append(connection, at, "desk", "intake", "", "report")
            if number % _MOST == 0 or number == count:
                for table, rows in waiting.items():  # in the order of their foreign keys
                    connection.execute(insert(table), rows)
                waiting.clear()

    books.database.write_now(write)
    books.database.close()


def _case_keys(config: Config, count: int) -> list[bytes]:
    """Append many case keys to the key store, which on its own would wait for the disk for every few."""
    path = config.service.data_dir / "keystore"
    generation = keystore.KeyStore(path, config.archive.key_file.read_key())._generation_key  # noqa: SLF001  # to write in bulk
    key_ids = [secrets.token_bytes(16) for _ in range(count)]
    with path.open("ab") as file:
        for key_id in key_ids:
            name = keystore.CASE + key_id
            file.write(name + keystore._close(generation, secrets.token_bytes(32), name))  # noqa: SLF001  # likewise
    return key_ids


def measure(house: House, count: int, repeat: int) -> dict[str, float]:
    """Fill the records and measure; times in milliseconds."""
    house.fresh("run", "--once")  # makes the database
    config = load(house.config)
    began = time.monotonic()
    fill(config, count)
    filled, opening = time.monotonic() - began, time.monotonic()
    books = records(config, DeskHome(config.openpgp.home))
    opened = time.monotonic() - opening
    casework = Casework(books.database, Sealer(books.keystore), utc)
    found = {
        "cases": count,
        "filled_s": round(filled, 1),
        "database_mb": round((config.service.data_dir / "mailroom.db").stat().st_size / 1e6, 1),
        "opened_ms": round(1000 * opened, 1),
        "page_500_ms": _median(repeat, casework.page),
        "page_50_ms": _median(repeat, lambda: casework.page(limit=50)),
        "follow_up_ms": asyncio.run(_follow_ups(books, count)),
        "all_months_ms": _median(repeat, lambda: books.database.read_now(_months)),
        "one_month_ms": _median(repeat, lambda: books.database.read_now(_months, f"{datetime.now(UTC):%Y-%m}")),
        "case_list_command_s": round(_median(repeat, lambda: house.fresh("case", "list", "--json")) / 1000, 3),
    }
    books.database.close()
    return found


async def _follow_ups(books: Books, count: int) -> float:
    """Ask what intake asks for a mail that answers one of ours: which case, and whether she wrote to it."""
    draw, times = random.Random(2), []
    for _ in range(_LOOKED_UP):
        number = draw.randrange(1, count + 1)
        began = time.perf_counter()
        case = await books.cases.by_message_ids([message_id(number)])
        assert case is not None
        assert await books.cases.wrote(case, address(number))
        times.append(time.perf_counter() - began)
    return round(1000 * statistics.median(times), 2)


def _months(connection: Connection, month: str | None = None) -> int:
    columns = (tables.cases.c.month, tables.cases.c.category, tables.cases.c.country, tables.cases.c.language)
    query = select(*columns, func.count()).group_by(*columns)
    return len(connection.execute(query.where(tables.cases.c.month == month) if month else query).all())


def _median(repeat: int, work: Callable[[], object]) -> float:
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return round(1000 * statistics.median(times), 2)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.records")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    wanted, here = parser.parse_args(), machine()
    with Dovecot() as dovecot, build(dovecot, 1) as house:
        found = measure(house, wanted.cases, wanted.repeat)
    if wanted.json:
        print(json.dumps(found | {"machine": here}))
        return
    for name, value in found.items():
        print(f"{name:24}{value:>12}")


if __name__ == "__main__":
    main()
