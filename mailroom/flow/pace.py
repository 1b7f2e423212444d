"""How fast letters may go, and who waits for whom. A restart forgets it: nothing here is a record."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

_CIRCUIT_SECONDS = 300
Payer = tuple[str, bool]  # a domain whose hourly budget is used, and whether somebody vouches for the sender


@dataclass(slots=True)
class Pace:
    """The circuit breaker for automatic replies, and the hourly allowance of notices. Times are Unix seconds."""

    replies_per_minute: int = 6000
    notices_per_hour: int = 20
    open_until: int = 0
    _replies: deque[int] = field(default_factory=deque)
    _notices: deque[int] = field(default_factory=deque)
    _promised: Counter[Payer] = field(default_factory=Counter)

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
    def promised(self, payer: Payer) -> Iterator[None]:
        """Count an automatic reply while it is on its way into the records.

        The records answer in the order in which they were asked. So whoever adds these to what the records counted,
        in the step in which that answer comes, counts every reply once.
        """
        self._promised[payer] += 1
        try:
            yield
        finally:
            self._promised -= Counter([payer])

    def promises(self, payer: Payer) -> int:
        """Give how many replies of this budget are on their way into the records."""
        return self._promised[payer]

    def notice(self, now: int) -> int:
        """Plan one notice; give the time at which it may go: now, or when the hourly allowance has room again."""
        while self._notices and self._notices[0] <= now - 3600:
            self._notices.popleft()
        full = len(self._notices) >= self.notices_per_hour
        at = max(now, self._notices[-self.notices_per_hour] + 3600) if full else now
        self._notices.append(at)
        return at


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
