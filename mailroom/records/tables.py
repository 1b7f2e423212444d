"""The tables. In clear stands only what counts need; all else is sealed under the case's own key.

No SQL of one database only; times in clear are months, days or, where delivery needs them, seconds of work that
still waits. Columns are NOT NULL with a default wherever a value always exists.
"""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

cases = Table(
    "cases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("reference", String(11), nullable=False, unique=True),
    Column("status", String(8), nullable=False),  # open | waiting | closed | parked
    Column("month", String(7), nullable=False),  # "2026-11", the month of receipt in UTC
    Column("channel", String(16), nullable=False),  # email | form | phone | letter | machine | command | spam
    Column("category", String(32), nullable=False),
    Column("taxonomy", Integer, nullable=False),  # version under which the category was given
    Column("country", String(2)),
    Column("country_source", String(8), nullable=False),  # stated | keeper | inferred | unknown
    Column("language", String(16), nullable=False),
    Column("language_source", String(8), nullable=False),
    Column("retain_until", String(10), nullable=False),  # a date
    Column("legal_hold", Boolean, nullable=False, default=False),
    Column("key_id", LargeBinary(16), nullable=False),
    Column("details", LargeBinary, nullable=False),  # sealed JSON: exact time, flags, contact, addresses, reply key
    Index("ix_cases_month_category", "month", "category"),
    Index("ix_cases_status", "status"),
    sqlite_autoincrement=True,
)

messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("number", Integer, nullable=False),  # counts from 1 within the case; names the message's place
    Column("direction", String(4), nullable=False),  # in | out | note
    Column("kind", String(16), nullable=False),  # as in the contract, or the kind of a reply
    Column("protection", String(16), nullable=False),  # none | signed | encrypted | undecrypted
    Column("size", Integer, nullable=False),
    Column("details", LargeBinary, nullable=False),  # sealed JSON: address, ids, exact time, checksums
    # Where the mail server keeps it now, so that erasure deletes that copy and no other.
    Column("folder", Text),
    Column("folder_uidvalidity", Integer),
    Column("folder_uid", Integer),
    UniqueConstraint("case_id", "number"),
    sqlite_autoincrement=True,
)

blobs = Table(
    "blobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message_id", ForeignKey("messages.id"), nullable=False),
    Column("name", String(16), nullable=False),  # original | cleartext | decision
    Column("archive_generation", Integer, nullable=False),  # 0: case key only, until it has been read
    Column("sealed", LargeBinary, nullable=False),
    UniqueConstraint("message_id", "name"),
)

originals = Table(
    "originals",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # keyed hash of the bytes as they arrived
    Column("period", String(6), nullable=False),
    Column("message_id", ForeignKey("messages.id"), nullable=False),
)

digests = Table(
    "digests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "kind", String(8), nullable=False
    ),  # sender | mid (ids of this case's mails) | bounce (of a reply) | note (bounce of a notice)
    Column("period", String(6), nullable=False),  # the quarter of the hash key, "2026Q4"
    Column("digest", LargeBinary(32), nullable=False),
    Column("case_id", ForeignKey("cases.id"), nullable=False, index=True),
    Index("ix_digests_digest", "digest", "kind"),
    UniqueConstraint("kind", "digest", "case_id"),
)

arrivals = Table(
    "arrivals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("mailbox", Text, nullable=False),
    Column("uidvalidity", Integer, nullable=False),
    Column("uid", Integer, nullable=False),
    Column("state", String(8), nullable=False),  # started | alone | suspect | filed | copy | parked | left
    Column("failures", Integer, nullable=False, default=0),  # of the worker, while alone
    Column("desk_deaths", Integer, nullable=False, default=0),  # of the whole desk, while alone
    Column("message_id", ForeignKey("messages.id")),
    UniqueConstraint("mailbox", "uidvalidity", "uid"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # reply | notice | answer, or a line of a digest
    Column("sequence", Integer, nullable=False),
    Column("state", String(8), nullable=False),  # waiting | held | sent | failed | stopped | line
    Column("automatic", Boolean, nullable=False),  # an answer to a complainant: waits while the circuit is open
    Column("attempts", Integer, nullable=False, default=0),
    Column("due", Integer, nullable=False),  # Unix time of the next try
    Column("since", Integer, nullable=False),  # Unix time of the first; cleared to 0 once sent
    Column("letter", LargeBinary),  # sealed envelope and bytes; gone once sent
    UniqueConstraint("case_id", "kind", "sequence"),
    Index("ix_outbox_state_due", "state", "due"),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", ForeignKey("cases.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("details", LargeBinary, nullable=False),  # sealed JSON: exact time, actor, old and new value
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", String(20), nullable=False),  # UTC, seconds
    Column("actor", String(32), nullable=False),
    Column("act", String(32), nullable=False),
    Column("object", String(16), nullable=False),
    Column("result", String(32), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

archives = Table(
    "archives",
    metadata,
    Column("generation", Integer, primary_key=True),
    Column("fingerprints", Text, nullable=False),  # space-separated, sorted
    Column("month", String(7), nullable=False),
)

limits = Table(
    "limits",
    metadata,
    Column("scope", String(8), nullable=False, primary_key=True),  # sender | domain | urgent | receipt | wording
    Column("digest", LargeBinary(32), nullable=False, primary_key=True),
    Column("window", String(16), nullable=False, primary_key=True, index=True),  # the day or hour
    Column("count", Integer, nullable=False),
)
