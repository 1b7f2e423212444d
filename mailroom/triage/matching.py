"""Many phrases looked for in one pass over the words of a text."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from mailroom.triage.folding import words
from mailroom.triage.wording import COUNTRY, Step, rare_step, steps

Kind = Literal["category", "danger", "contact", "country", "harmless"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What it means that a phrase is in a text.

    `target` is the id of a category or flag, a contact preference, or the language of a country phrase;
    `flag` is raised beside a category.
    """

    kind: Kind
    target: str
    weight: int = 1
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One phrase found: words `start` to `end` (exclusive) of the text, and the country named in it."""

    meaning: Meaning
    start: int
    end: int
    words: str = field(repr=False)
    country: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Phrase:
    """A phrase taken apart. `language` is the one whose country names count in it.

    Before its rare step, by which it is looked for, come at least `fewest` and at most `most` words.
    """

    steps: tuple[Step, ...]
    meaning: Meaning
    language: str
    fewest: int
    most: int

    def may_be_in(self, vocabulary: set[str]) -> bool:
        """Tell whether each word that has to be there is there somewhere."""
        return all(step.may_be_in(vocabulary) for step in self.steps)

    def starts(self, rare_at: Iterable[int]) -> set[int]:
        """Give the positions where the phrase can begin, when its rare step is at these."""
        return {start for at in rare_at for start in range(max(0, at - self.most), at - self.fewest + 1)}


@dataclass(slots=True)
class _Names:
    """A place inside names of countries; `code` where a name ends."""

    after: "dict[str, _Names]" = field(default_factory=dict)
    code: str | None = None


class Phrases:
    """All phrases of all languages. Filled once, then only read.

    Each phrase has a rare word without which it cannot be in a text. A scan first asks which of these words
    are there, and then looks only at the phrases that can be.
    """

    def __init__(self) -> None:
        self._by_rare_word: dict[str, list[_Phrase]] = {}
        self._by_rare_stem: dict[str, list[_Phrase]] = {}
        self._stem_lengths: tuple[int, ...] = ()
        self._names: dict[str, _Names] = {}

    def add(self, phrase: str, meaning: Meaning, language: str) -> None:
        """Look for `phrase` from now on. Raises ValueError as `steps`."""
        parsed = steps(phrase)
        at = rare_step(parsed)
        fewest, most = sum(step.shortest for step in parsed[:at]), sum(step.longest for step in parsed[:at])
        entry = _Phrase(tuple(parsed), meaning, language, fewest, most)
        for word in parsed[at].first_words:
            self._by_rare_word.setdefault(word, []).append(entry)
        for stem in parsed[at].beginnings:
            self._by_rare_stem.setdefault(stem, []).append(entry)
        self._stem_lengths = tuple({*self._stem_lengths, *map(len, parsed[at].beginnings)})

    def add_country(self, name: str, code: str, language: str) -> None:
        """Let `name` stand for the country `code` in the phrases of `language`."""
        node = self._names.setdefault(language, _Names())
        for word in words(name):
            node = node.after.setdefault(word, _Names())
        node.code = code

    def scan(self, text: list[str]) -> list[Hit]:
        """Find every phrase in a folded text, in the order of the text; harmless ones hide what lies inside them.

        Of the ways in which one phrase fits at one place the longest counts.
        """
        positions: dict[str, list[int]] = {}
        for at, word in enumerate(text):
            positions.setdefault(word, []).append(at)
        hits = []
        for phrase, rare_at in self._possible(positions).items():
            for start in phrase.starts(rare_at):
                end, country = self._end(phrase, text, start)
                if end > start:
                    hits.append(Hit(phrase.meaning, start, end, " ".join(text[start:end]), country))
        return _not_harmless(hits)

    def _possible(self, positions: dict[str, list[int]]) -> dict[_Phrase, list[int]]:
        """Give the phrases whose words are in the text, in whatever order, and where their rare step is."""
        found: dict[_Phrase, list[int]] = {}
        for word in self._by_rare_word.keys() & positions.keys():
            for phrase in self._by_rare_word[word]:
                found.setdefault(phrase, []).extend(positions[word])
        for word, beginning in ((word, word[:length]) for word in positions for length in self._stem_lengths):
            for phrase in self._by_rare_stem.get(beginning, ()):
                found.setdefault(phrase, []).extend(positions[word])
        vocabulary = set(positions)
        return {phrase: rare_at for phrase, rare_at in found.items() if phrase.may_be_in(vocabulary)}

    def _end(self, phrase: _Phrase, text: list[str], start: int) -> tuple[int, str | None]:
        """Give the end of the longest way in which the phrase fits at `start`, and the country in it; 0 for none."""
        reached: dict[int, str | None] = {start: None}
        for step in phrase.steps:
            behind: dict[int, str | None] = {}
            for at, country in reached.items():
                if step.text == COUNTRY:
                    behind.update(self._behind_country(phrase.language, text, at))
                else:
                    for end in step.ends(text, at):
                        behind[end] = country
            if not behind:
                return 0, None
            reached = behind
        end = max(reached)
        return end, reached[end]

    def _behind_country(self, language: str, text: list[str], at: int) -> dict[int, str | None]:
        """Give the position after the longest name of a country that begins here, with its code."""
        names, best = self._names.get(language), dict[int, str | None]()
        while names is not None:
            if names.code is not None:
                best = {at: names.code}
            names = names.after.get(text[at]) if at < len(text) else None
            at += 1
        return best


def _order(hit: Hit) -> tuple[int, int, str, int]:
    """Order hits by their place, the longer first; complete, so that evidence is the same in every run."""
    return hit.start, -hit.end, hit.meaning.target, -hit.meaning.weight


def outermost(hits: Iterable[Hit], kind: Kind) -> list[Hit]:
    """Give the hits of one kind that do not lie inside a longer one of that kind, in the order of the text."""
    kept: list[Hit] = []
    for hit in sorted((hit for hit in hits if hit.meaning.kind == kind), key=_order):
        same_place = bool(kept) and (kept[-1].start, kept[-1].end) == (hit.start, hit.end)
        if not kept or same_place or hit.end > kept[-1].end:
            kept.append(hit)
    return kept


def _not_harmless(hits: list[Hit]) -> list[Hit]:
    """Drop what lies inside a harmless phrase ("shoot me an email"), and the harmless phrases themselves."""
    kept, covered = [], 0
    for hit in sorted(hits, key=lambda each: (each.start, each.meaning.kind != "harmless", _order(each))):
        if hit.meaning.kind == "harmless":
            covered = max(covered, hit.end)
        elif hit.end > covered:
            kept.append(hit)
    return kept
