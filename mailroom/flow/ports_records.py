"""The ports to the records: part of `flow/ports.py`, which tells what holds for all ports."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from mailroom.flow.filing import Budget, Case, Due, Filed, Filing, Location, Outgoing, Sorted, Spending
from mailroom.mail.message import Arrival, Opened, RawMail


class Arrivals(Protocol):
    """What became of each message of the inbox, so that none is filed twice and a killer mail is known."""

    async def sort(self, listing: Sequence[Arrival], *, whole: bool = True) -> Sorted:
        """Hold the listing against what is known; forget rows of messages that are gone from a `whole` one.

        What was in work when the desk last died counts as a suspect, once.
        """
        ...

    async def known(self, batch: Sequence[Arrival]) -> Sorted:
        """Tell what became of these, without forgetting or judging any."""
        ...

    async def start(self, arrivals: Sequence[Arrival], *, alone: bool) -> None:
        """Note, durably, that work on these begins."""
        ...

    async def suspect(self, arrival: Arrival, *, alone: bool) -> int:
        """Note that work on this one failed while the desk lived; give how often that was while it was alone."""
        ...

    async def desk_deaths(self, arrival: Arrival) -> int:
        """How often the whole desk died while this one was alone in work."""
        ...

    async def release(self, arrivals: Sequence[Arrival]) -> None:
        """Forget that work on these began: nothing is wrong with them, they are left for later."""
        ...

    async def removed(self, locations: Mapping[Arrival, Location | None]) -> None:
        """Note that these left the inbox, and where they went."""
        ...

    async def end(self) -> None:
        """Note a clean end of the desk: what is still in work is no suspect because of it."""
        ...


class Cases(Protocol):
    """The case records, as the flow needs them."""

    def open(self) -> Case:
        """Make the identity of a new case: a reference and a case key that is safely on disk."""
        ...

    def message_id(self, case: Case, kind: str, sequence: int, domain: str) -> str:
        """Give the fixed Message-ID (bare) of a letter of this case: the same at every try."""
        ...

    def token(self, case: Case, kind: str, sequence: int) -> str:
        """Give the fixed token for the bounce address of a letter of this case."""
        ...

    async def seen(self, raw: RawMail, opened: Opened | None = None) -> bool:
        """Whether exactly these bytes were filed before, or another copy of this mail; if so, it is noted as a copy."""
        ...

    async def by_reference(self, reference: str) -> Case | None:
        """Find a case by what stands in a subject: any case, missing dashes; None when there is none."""
        ...

    async def by_message_ids(self, ids: Sequence[str]) -> Case | None:
        """Find the case that one of these Message-IDs (bare, newest last) belongs to."""
        ...

    async def by_sender(self, address: str) -> Case | None:
        """Find the newest case that this address wrote to."""
        ...

    async def by_bounce_token(self, token: str) -> Case | None:
        """Find the case that a letter with this bounce token belongs to."""
        ...

    async def by_notice_token(self, token: str) -> Case | None:
        """Find the case that a notice with this bounce token is about."""
        ...

    async def wrote(self, case: Case, address: str) -> bool:
        """Whether this address wrote to this case."""
        ...

    async def sequence(self, case: Case, kind: str) -> int:
        """The next free sequence number for letters of this kind in this case, from 1."""
        ...

    async def budget(self, spending: Spending) -> Budget:
        """Count what was used already of the budgets that a mail would use."""
        ...

    async def file(self, filing: Filing) -> Filed:
        """Commit case, message, sealed contents, hashes, outbox rows and audit entry in one transaction."""
        ...

    async def refile(self, filing: Filing, number: int) -> None:
        """Put what was read at last in the place of what is kept of message `number`, in one transaction."""
        ...

    async def give_up(self, due: Due, code: int, case: Case, outgoing: Sequence[Outgoing]) -> None:
        """Note that a letter will never go, and put the letters that tell of it into the outbox, in one transaction."""
        ...

    async def post(self, case: Case, outgoing: Sequence[Outgoing], instead_of: Sequence[Due] = ()) -> None:
        """Put more letters of a case into the outbox, in the place of these lines of a digest, in one transaction."""
        ...

    async def read_back(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Read back what was sealed of these arrivals; give those that may leave the inbox.

        A sealed copy that does not open, or whose content has another SHA-256 than what arrived, is left out.
        """
        ...


class Outbox(Protocol):
    """Letters that wait, sealed, until the SMTP server took them."""

    async def due(self, now: int, *, automatic: bool, limit: int) -> list[Due]:
        """Give letters to be tried at Unix time `now`, oldest first; `automatic` False leaves automatic ones out."""
        ...

    async def sent(self, letters: Sequence[Due]) -> None:
        """Note that the server took them; their bytes are forgotten."""
        ...

    async def later(self, due: Due, at: int) -> None:
        """Try again at Unix time `at`."""
        ...

    async def failed(self, due: Due, code: int) -> None:
        """Note that it will never go; its bytes are kept for the keeper."""
        ...

    async def lines(self, now: int) -> list[Due]:
        """Give the lines of digests that are due at Unix time `now`, oldest first."""
        ...

    async def drop(self, lines: Sequence[Due]) -> None:
        """Forget lines that nobody will read."""
        ...

    async def overdue(self) -> int | None:
        """Give the Unix time since which the server should have had the letter that waits longest; None without one."""
        ...

    async def mend_times(self, now: int, longest: int) -> int:
        """Let letters go whose time lies in a future that only a wrong clock can have set; give how many those were.

        No letter that was tried waits more than `longest` seconds for the next try.
        """
        ...

    async def counts(self) -> tuple[int, int]:
        """Count the letters that wait for the server, and those that are held for the keeper."""
        ...
