"""How the desk does: what worked last, and what did not. A restart forgets it: nothing here is a record."""

from dataclasses import dataclass

from mailroom.errors import EncryptionFailed, RecordsUnavailable, SealError, WorkersBroken

# Our fault, not that of a mail or a letter: it waits. OSError is a full disk, or no descriptors left.
OURS = (SealError, EncryptionFailed, WorkersBroken, RecordsUnavailable, OSError)


@dataclass(slots=True)
class Health:
    """What the loops note about themselves. Times are seconds of `Machine.ticks`.

    `polled_at`: the end of the last round through the inbox in which nothing failed. `stirred_at`: the last step of
    any round. `trouble`: what failed since, in a sentence; None when nothing did. `unopened`: encrypted mails in a
    row that the desk key did not open. `unsaid`: whether a notice was refused for good, and none was taken since.
    `has_polled`, `has_opened`, `has_said`: whether a round, an encrypted mail and a notice went well since the start.
    """

    polled_at: float
    stirred_at: float
    trouble: str | None = None
    unopened: int = 0
    unsaid: bool = False
    filed: int = 0
    _failed: bool = False
    _is_ready: bool = False
    has_polled: bool = False
    has_opened: bool = False
    has_said: bool = False

    def begin(self, now: float) -> None:
        """A round begins."""
        self.stirred_at, self._failed = now, False

    def stir(self, now: float) -> bool:
        """A step was taken; True for the first one of all."""
        self.stirred_at, first, self._is_ready = now, not self._is_ready, True
        return first

    def fault(self, why: str) -> None:
        """Something failed; the round at hand is not a whole one. `why` is a sentence without content."""
        self.trouble, self._failed = why, True

    def polled(self, filed: int, now: float) -> bool:
        """A round has ended, in which so many mails were filed; whether nothing failed in it."""
        self.filed += filed
        if not self._failed:
            self.polled_at, self.trouble, self.has_polled = now, None, True
        return not self._failed

    def opened(self, *, encrypted: bool, decrypted: bool) -> None:
        """A mail came back from the worker."""
        if encrypted:
            self.unopened = 0 if decrypted else self.unopened + 1
            self.has_opened = self.has_opened or decrypted

    def said(self) -> None:
        """A notice was taken by the keeper's server."""
        self.unsaid, self.has_said = False, True


def sentence(failure: Exception) -> str:
    """Tell a failure to the admins. What the system says of an OSError is a fixed phrase."""
    return (failure.strerror if isinstance(failure, OSError) else str(failure)) or type(failure).__name__
