"""Every error that Mailroom raises on purpose, as one tree.

MailroomError
├── ConfigError          bad configuration, rules or texts: all problems at once (exit status 2)
├── ServerUnreachable    an IMAP or SMTP server could not be reached at all (exit status 3)
│   └── LoginRefused     it refused our name and secret, or there is no token to be had
├── MailboxError         the mailbox answered, but not as needed: try again later
├── DeliveryFailure
│   ├── TemporaryFailure the same letter may go later (4yz, connection lost)
│   └── PermanentFailure this letter will never go (5yz)
├── OpeningFailed        a worker hung or died over one mail
├── WorkersBroken        no worker could be started: no mail is to blame
├── DecryptionFailed     an OpenPGP message that we cannot or must not open
├── EncryptionFailed     a certificate that cannot be encrypted to
├── RecordsUnavailable   the database failed: disk full, locked for too long; try again later
├── SealError            sealed bytes that do not open, or a key that is gone
└── NoSuchCase           a reference that no case has

No message of these errors may carry an address, a subject, a file name or text of a mail: they reach logs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


class MailroomError(Exception):
    """Base of all errors raised on purpose; the text is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file that a person edits.

    `where` is the key or `line 12`; `nearest` the closest valid value, if there is one.
    """

    file: str
    where: str
    what: str
    nearest: str | None = None

    def __str__(self) -> str:
        hint = f" Did you mean {self.nearest!r}?" if self.nearest else ""
        place = f"{self.file}: {self.where}" if self.where else self.file
        return f"{place}: {self.what}{hint}"


class ConfigError(MailroomError):
    """Bad configuration, rules or texts; carries all problems, so that one look is enough."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def attempt(parse: Callable[[], T], problems: list[Problem]) -> T | None:
    """Give what `parse` makes; None when it raises a ConfigError, whose problems are added to `problems`."""
    try:
        return parse()
    except ConfigError as error:
        problems.extend(error.problems)
        return None


class ServerUnreachable(MailroomError):
    """A server could not be reached at all: no address, refused, no TLS."""


class LoginRefused(ServerUnreachable):
    """The server does not let us in: the password or token is wrong, or no token could be had."""


class MailboxError(MailroomError):
    """The IMAP server was reached, but the step failed; nothing is lost by trying again."""


class DeliveryFailure(MailroomError):
    """A letter was not taken by the SMTP server. `code` is the SMTP reply code, 0 without one."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class TemporaryFailure(DeliveryFailure):
    """Not taken now; the same bytes may be sent again later."""


class PermanentFailure(DeliveryFailure):
    """Never to be taken; another try would only annoy the server."""


class OpeningFailed(MailroomError):
    """The worker did not come back with an opened mail. `why`: timeout | died | the type of error."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the worker could not open a mail: {why}")
        self.why = why


class WorkersBroken(MailroomError):
    """Workers do not start. The mails are innocent and stay where they are."""


class DecryptionFailed(MailroomError):
    """No cleartext. `why`: no_key | symmetric | damaged | unprotected | too_large | too_many | failed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"an OpenPGP message could not be opened: {why}")
        self.why = why


class EncryptionFailed(MailroomError):
    """A certificate that nothing can be encrypted to, or OpenPGP failed inside."""


class RecordsUnavailable(MailroomError):
    """The database failed, whatever was asked of it. No mail is to blame."""


class SealError(MailroomError):
    """Sealed bytes that do not open: damaged, another key, or the key was destroyed."""


class NoSuchCase(MailroomError):
    """No case has this reference."""
