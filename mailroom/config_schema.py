"""Every key of the configuration: its name, type, default and checks.

Checks that compare two keys hang on the later one, so that all problems of a file are found in one go.
"""

from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import Field, ValidationInfo, field_validator

from mailroom.config_servers import Imap, Smtp
from mailroom.config_types import (
    AbsolutePath,
    AbsolutePathOrNone,
    Address,
    Country,
    Day,
    FilledLine,
    Fingerprint,
    FingerprintOrNone,
    LanguageTag,
    Line,
    NotNegative,
    Place,
    Positive,
    Quiet,
    SecretFile,
    ShortLine,
    Some,
    Table,
    Timezone,
    WebAddress,
    quiet_hours,
    refuse,
    secret,
    zone,
)

SQLITE = "sqlite+aiosqlite:///"
_Person = TypeVar("_Person", "Keeper", "Admin", "Researcher")
Hour = Annotated[int, Field(ge=0, le=23)]


class Service(Table):
    """Who we are. `hours` is shown to people as it stands."""

    name: FilledLine
    address: Address
    aliases: Some[Address] = ()
    default_language: LanguageTag = "en"
    timezone: Timezone = "UTC"
    data_dir: AbsolutePath
    hours: ShortLine = ""
    retention_months: Positive = 24

    @property
    def addresses(self) -> frozenset[str]:
        """The published address and its aliases."""
        return frozenset({self.address, *self.aliases})

    @property
    def zone(self) -> tzinfo:
        """The time zone that people of the service live in."""
        return zone(self.timezone)


class Database(Table):
    """Where the records are. `url` is complete only with `Config.database_url`."""

    url: Annotated[str, Field(validate_default=True)] = SQLITE + "{data_dir}/mailroom.db"

    @field_validator("url")
    @classmethod
    def _sqlite_file(cls, value: str, info: ValidationInfo) -> str:
        path = value.removeprefix(SQLITE)
        if path == value or not path or set("{}") & set(path.replace("{data_dir}", "")):
            raise refuse(
                f"must be {SQLITE} and the path of a file; {{data_dir}} is filled in", SQLITE + "{data_dir}/mailroom.db"
            )
        if path.startswith(("/", "{data_dir}")):
            return value
        place = info.context if isinstance(info.context, Place) else Place()
        return f"{SQLITE}{place.file.absolute().parent / path}"


class OpenPGP(Table):
    """The desk key and where GnuPG keeps it."""

    home: AbsolutePath
    key: Fingerprint
    passphrase_file: Annotated[SecretFile | None, secret("openpgp.passphrase_file")] = None


class Archive(Table):
    """Who can open the sealed archive, and the wrapping key."""

    recipients: Some[Fingerprint] = ()
    key_file: Annotated[SecretFile, secret("archive.key_file")]


class Keeper(Table):
    """A record keeper or a deputy."""

    address: Address
    fingerprint: Fingerprint
    name: Line = ""
    also_known_as: Some[Address] = ()
    role: Literal["keeper", "deputy"] = "keeper"
    language: LanguageTag = "en"


class Admin(Table):
    """Whoever is told about the machine."""

    address: Address
    fingerprint: FingerprintOrNone = None


class Researcher(Table):
    """Whoever gets the monthly counts, up to and including the day `until`."""

    address: Address
    fingerprint: FingerprintOrNone = None
    until: Day


class Commands(Table):
    """What proves a command, and for how long it may be undone or used."""

    proof: Literal["signature", "signature_or_token"] = "signature"
    undo_minutes: NotNegative = 2
    window_hours: Positive = 48


class Notices(Table):
    """When the keeper is told. With `digest` hours, once at each of them; never in quiet hours."""

    digest: Some[Hour] = ()
    quiet: Quiet = ""
    per_hour: Positive = 20

    @property
    def quiet_hours(self) -> tuple[int, int] | None:
        """First quiet hour and first hour that is not; None when there are none."""
        return quiet_hours(self.quiet)


class Replies(Table):
    """Limits on automatic replies, and what is sent unreviewed."""

    per_sender_per_day: Positive = 3
    per_domain_per_hour: Positive = 60
    circuit_per_minute: Positive = 6000
    hold_unauthenticated: bool = False
    unreviewed: Literal["bilingual", "send", "never"] = "bilingual"
    envelope: Literal["verp", "null"] = "verp"


def _fits(threshold: int, base: int) -> bool:
    # One below the threshold must be the top of a rounding class, else the first published number says exactly how
    # many there are. 10 with 5 fits too: there 10 means 10 to 12.
    return (threshold, base) == (10, 5) or threshold % base == (base + 1) // 2


class Research(Table):
    """How the monthly counts are made safe; the numbers may only be stricter than the defaults."""

    base: Annotated[int, Field(ge=5)] = 5
    threshold: Annotated[int, Field(ge=10, validate_default=True)] = 10
    min_width: Annotated[int, Field(ge=4)] = 4
    lag_days: Annotated[int, Field(ge=10)] = 10
    timezone: Timezone = "UTC"
    withheld_countries: Some[Country] = ()

    @field_validator("base")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise refuse("must be odd, so that no count lies half-way", str(value + 1))
        return value

    @field_validator("threshold")
    @classmethod
    def _top_of_a_class(cls, value: int, info: ValidationInfo) -> int:
        base = info.data.get("base")
        if base is None or _fits(value, base):
            return value
        fitting = next(number for number in range(value, value + base + 1) if _fits(number, base))
        raise refuse(f"does not fit base {base}: a published number would say too much", str(fitting))


class Audit(Table):
    """Who else keeps the head of the audit log."""

    anchor: Some[Address] = ()


class Alarms(Table):
    """When the admin is told that something stands still."""

    poll_minutes: Positive = 15
    outbox_minutes: Positive = 60
    alive_hours: Some[Hour] = ()
    heartbeat_file: AbsolutePathOrNone = None


class Paths(Table):
    """Where rules and templates lie, and where the public pages are."""

    rules: Annotated[AbsolutePath, Field(validate_default=True)] = Path("rules")
    templates: Annotated[AbsolutePath, Field(validate_default=True)] = Path("templates")
    pages_url: WebAddress = ""


class Config(Table):
    """The whole configuration, checked; every path in it is absolute."""

    service: Service
    imap: Imap
    smtp: Smtp
    database: Database = Field(default_factory=Database)
    openpgp: OpenPGP
    archive: Archive
    keepers: Some[Keeper]
    admins: Some[Admin] = ()
    researchers: Some[Researcher] = ()
    commands: Commands = Commands()
    notices: Notices = Notices()
    replies: Replies = Replies()
    research: Research = Research()
    audit: Audit = Audit()
    alarms: Alarms = Alarms()
    paths: Paths = Field(default_factory=Paths)

    @field_validator("keepers")
    @classmethod
    def _somebody_keeps_the_records(cls, value: tuple[Keeper, ...]) -> tuple[Keeper, ...]:
        if not any(keeper.role == "keeper" for keeper in value):
            raise refuse('one [[keepers]] table with role "keeper" is required')
        if len({keeper.address.lower() for keeper in value}) < len(value):
            raise refuse("must not name one address twice")
        return value

    @field_validator("keepers", "admins", "researchers")
    @classmethod
    def _not_ourselves(cls, value: tuple[_Person, ...], info: ValidationInfo) -> tuple[_Person, ...]:
        service: Service | None = info.data.get("service")
        ours = frozenset[str]() if service is None else service.addresses
        if {person.address.lower() for person in value} & {address.lower() for address in ours}:
            raise refuse("must not name an address of the service itself: it would write to itself")
        return value

    @property
    def own_addresses(self) -> frozenset[str]:
        """Every address that is ours: local parts as configured, domains in lower case."""
        return self.service.addresses

    @property
    def desk_domain(self) -> str:
        """The domain of the service's address, in lower case."""
        return self.service.address.rpartition("@")[2]

    @property
    def database_url(self) -> str:
        """The URL for SQLAlchemy, with the path of the data folder filled in."""
        return self.database.url.replace("{data_dir}", str(self.service.data_dir))

    @property
    def has_database(self) -> bool:
        """Whether there is a database; asking makes none."""
        return Path(self.database_url.removeprefix(SQLITE)).exists()


#: The tables that may stand several times, as [[name]].
ARRAYS = frozenset({"keepers", "admins", "researchers"})


def _table(annotation: Any) -> type[Table]:  # noqa: ANN401 # an annotation has no narrower type
    table: type[Table] = next(iter(get_args(annotation)), annotation)
    return table


#: All tables; their model_fields are their keys.
TABLES = {name: _table(field.annotation) for name, field in Config.model_fields.items()}
