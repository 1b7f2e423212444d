"""The outside of a desk, in memory: they fit `flow.ports`, and keep what they are given."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import pysequoia

from mailroom.errors import MailboxError
from mailroom.flow.filing import Case, Letter, Location
from mailroom.mail.message import Arrival, RawMail
from tests.openpgp_mails import signer

BEGINNING = 1000  # bytes of an oversize mail that are fetched


class Inbox:
    """An inbox; fits `flow.ports.Mailbox`. While `stuck`, nothing can be removed, as after a lost connection."""

    def __init__(self) -> None:
        self.mails: dict[Arrival, bytes] = {}
        self.folders: dict[str, list[bytes]] = {}
        self.stuck = False
        self.copies: list[str] = []
        self._uid = 0

    def receive(self, *mails: bytes, junk: bool = False) -> None:
        """Let mails arrive; `junk`: in the folder of suspected spam."""
        for content in mails:
            self._uid += 1
            folder = "Junk" if junk else "INBOX"
            self.mails[Arrival(folder, 1, self._uid, len(content), junk=junk)] = content

    async def arrivals(self) -> list[Arrival]:
        return sorted(one for one in self.mails if not one.junk)

    async def junk(self) -> list[Arrival]:
        return sorted(one for one in self.mails if one.junk)

    async def fetch(self, arrivals: Sequence[Arrival]) -> list[RawMail]:
        return [RawMail(one, self.mails[one]) for one in arrivals if one in self.mails]

    async def fetch_beginning(self, arrival: Arrival) -> RawMail:
        return RawMail(arrival, self.mails[arrival][:BEGINNING], complete=False)

    async def delete(self, arrivals: Sequence[Arrival]) -> None:
        self._take(arrivals)

    async def move(self, arrivals: Sequence[Arrival], folder: str) -> dict[Arrival, Location]:
        moved = self.folders.setdefault(folder, [])
        moved += self._take(arrivals)
        return {one: Location(folder, 1, number) for number, one in enumerate(arrivals, 1)}

    async def delete_copies(self, folder: str, is_ours: Callable[[str], bool]) -> int:
        if folder not in self.folders:
            raise MailboxError("the server refused SELECT: NO NONEXISTENT")
        kept = [one for one in self.copies if not is_ours(one)]
        self.copies, before = kept, self.copies
        return len(before) - len(kept)

    async def news(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def certificate_expires(self) -> int | None:
        return None

    async def close(self) -> None:
        return

    def _take(self, arrivals: Sequence[Arrival]) -> list[bytes]:
        if self.stuck:
            raise MailboxError("the connection was lost")
        return [self.mails.pop(one) for one in arrivals]


class Bag:
    """Takes every letter; fits `flow.ports.Courier`."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    async def send(self, letter: Letter) -> None:
        self.letters.append(letter)

    def certificate_expires(self) -> int | None:
        return None

    async def close(self) -> None:
        return


class Host:
    """A machine that a test moves; fits `flow.ports.Machine`."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.free = 0.5
        self.keys: list[tuple[str, int]] = []
        self.notes: dict[str, int] = {}
        self.beats = 0
        self.states: list[str] = []

    def ticks(self) -> float:
        return self.now

    def disk_free(self) -> float:
        return self.free

    async def key_expiries(self) -> list[tuple[str, int]]:
        return self.keys

    def recall(self) -> dict[str, int]:
        return dict(self.notes)

    def note(self, told: Mapping[str, int]) -> None:
        self.notes = dict(told)

    def beat(self) -> None:
        self.beats += 1

    def notify(self, state: str) -> None:
        self.states.append(state)


class Names:
    """Gives letters their ids without records; fits those parts of `flow.ports.Cases` that writing one needs."""

    def message_id(self, case: Case, kind: str, sequence: int, domain: str) -> str:
        return f"{kind}{sequence}@{domain}"

    def token(self, case: Case, kind: str, sequence: int) -> str:
        return f"{kind}{sequence}"

    async def sequence(self, case: Case, kind: str) -> int:
        return case.messages + 1


class Pen:
    """Signs with the test desk's key in this process; fits `flow.ports.Signer`."""

    async def sign(self, content: bytes) -> tuple[bytes, str]:
        return pysequoia.sign(signer("desk"), content, mode=pysequoia.SignatureMode.DETACHED), "pgp-sha512"
