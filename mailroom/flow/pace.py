"""How fast letters may go, and who waits for whom. A restart forgets it: nothing here is a record."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

_CIRCUIT_SECONDS = 300
_DAY = 24 * 3600
#: Whose budget is used: that of a domain, with whether somebody vouches for the sender, or that of a wording.
Payer = tuple[str, bool | None]


@dataclass(slots=True)
class Pace:
    """The circuit breaker for automatic replies, and the hourly allowance of notices. Times are Unix seconds."""

    replies_per_minute: int = 6000
    notices_per_hour: int = 20
    open_until: int = 0
    _replies: deque[int] = field(default_factory=deque)
    _notices: deque[int] = field(default_factory=deque)
    _promised: Counter[Payer] = field(default_factory=Counter)
    _forged_at: int | None = None

    def reply(self, now: int) -> bool:
        """Count one automatic reply; True when this one opens the circuit."""
        self._replies.append(now)
        while self._replies and self._replies[0] <= now - 60:
            self._replies.popleft()
        if len(self._replies) <= self.replies_per_minute or self.circuit_open(now):
            return False
        self.open_until = now + _CIRCUIT_SECONDS
        return True

    def circuit_open(self, now: int) -> bool:
        """Whether automatic replies wait in the outbox."""
        return now < self.open_until

    def forget(self) -> None:
        """Begin anew: the clock jumped, and times that were noted mean nothing any more."""
        self.open_until = 0
        self._replies.clear()
        self._notices.clear()

    @contextmanager
    def promised(self, payers: Sequence[Payer]) -> Iterator[None]:
        """Count an automatic reply while it is on its way into the records.

        The records answer in the order in which they were asked. So whoever adds these to what the records counted,
        in the step in which that answer comes, counts every reply once.
        """
        self._promised.update(payers)
        try:
            yield
        finally:
            self._promised -= Counter(payers)

    def promises(self, payer: Payer) -> int:
        """Give how many replies of this budget are on their way into the records."""
        return self._promised[payer]

    def notice(self, now: int) -> int | None:
        """Ask for the way of one notice: None when it may go, else the Unix time of the next digest.

        Above the hourly allowance notices are collected, and go as one when the allowance has room again.
        """
        while self._notices and self._notices[0] <= now - 3600:
            self._notices.popleft()
        if len(self._notices) >= self.notices_per_hour:
            return self._notices[0] + 3600
        self._notices.append(now)
        return None

    def forgery(self, now: int) -> bool:
        """Note a mail that was forged in the name of one of our people; True for the first one of a day."""
        is_first = self._forged_at is None or not 0 <= now - self._forged_at < _DAY
        if is_first:
            self._forged_at = now
        return is_first


class Turns:
    """Mails of one sender are routed and filed one after the other, so that copies and follow-ups are seen."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, sender: str) -> AsyncIterator[None]:
        """Wait for this sender's turn. A `+suffix` makes no other sender."""
        local, _, domain = sender.casefold().rpartition("@")
        name = f"{local.partition('+')[0]}@{domain}"
        lock, users = self._locks.get(name, (asyncio.Lock(), 0))
        self._locks[name] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks.pop(name)
            if users > 1:
                self._locks[name] = (lock, users - 1)
