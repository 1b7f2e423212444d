"""What triage finds in a message: frozen values, each with the evidence that decided it."""

from dataclasses import dataclass, field
from typing import Literal

Source = Literal["stated", "inferred", "unknown"]
Contact = Literal["ok", "unsafe", "none"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One decision about a message, and why.

    `value` is never a guess: where the evidence is thin it is the room's word for "not known" (language
    "und", category "unclassified", country None), and `evidence` still shows what was seen. `confidence`
    is 0 to 1; where nothing is known, it is that of the best guess. `evidence` holds words of the message:
    it may be sealed or shown to the keeper, never logged, and is therefore not part of the repr.
    """

    value: str | None
    confidence: float = 0.0
    evidence: tuple[str, ...] = field(default=(), repr=False)
    source: Source = "unknown"


@dataclass(frozen=True, slots=True)
class Triage:
    """What a message says.

    `flags` are sorted ids of the taxonomy; `flag_evidence` has one pair (flag, words) for each of them.
    `contact` is what the writer says about being written to: "none" (do not write), "unsafe" (somebody else
    may read it), "ok", or None when nothing is said. `severity` is that of the gravest category that has enough
    phrases, 0 for none: a tie leaves the category "unclassified", and the answer must be careful all the same.
    """

    language: Finding
    country: Finding
    category: Finding
    flags: tuple[str, ...] = ()
    flag_evidence: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)
    contact: Contact | None = None
    contact_evidence: tuple[str, ...] = field(default=(), repr=False)
    severity: int = 0
