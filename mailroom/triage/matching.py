"""Many phrases looked for in one pass over the words of a text."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal, NamedTuple

from mailroom.triage.folding import words
from mailroom.triage.wording import COUNTRY, GAP, SHORTEST_BEGINNING, Places, Step, rare_steps, steps

Kind = Literal["category", "danger", "contact", "country", "harmless"]


class Meaning(NamedTuple):
    """What it means that a phrase is in a text.

    `target` is the id of a category or flag, a contact preference, or the language of a country phrase;
    `flag` is raised beside a category.
    """

    kind: Kind
    target: str
    weight: int = 1
    flag: str | None = None


class Hit(NamedTuple):
    """One phrase found: words `start` to `end` (exclusive) of the text, and the country named in it."""

    meaning: Meaning
    start: int
    end: int
    words: str
    country: str | None = None

    def __repr__(self) -> str:
        """Leave out the words: they are content."""
        return f"Hit({self.meaning}, {self.start}, {self.end})"


@dataclass(slots=True, eq=False)
class _Phrase:
    """A phrase taken apart. `language` is the one whose country names count in it; `plain`: so is each step."""

    steps: tuple[Step, ...]
    meaning: Meaning
    language: str
    also: frozenset[str]
    plain: bool
    names_country: bool

    def starts(self, where: Places) -> int:
        """Give the places (bits, see `Places`) where the phrase begins; some too many when it names a country."""
        places = where[GAP]
        for step in reversed(self.steps):
            places = places >> 1 & step.places(where) if step.plain else step.before(places, where)
            if not places:
                break
        return places


class Phrases:
    """All phrases of all languages. Filled once, then only read.

    Each phrase has a rare word without which it cannot be in a text. A scan first asks which of these words are there.
    Then it goes through the words of each phrase that can be there, the last word first, at all places of the text
    at once.
    """

    def __init__(self) -> None:
        self._phrases: list[_Phrase] = []
        self._by_rare_key: dict[str, list[int]] = {}
        self._beginnings: dict[str, tuple[str, ...]] = {}  # by their first two letters
        self._names: dict[str, dict[str, str]] = {}
        self._first_of_names: set[str] = set()
        self._longest_name = 0

    def add(self, phrase: str, meaning: Meaning, language: str) -> None:
        """Look for `phrase` from now on. Raises ValueError as `steps`."""
        parsed = steps(phrase)
        rare, *others = rare_steps(parsed)
        for key in rare.first:
            self._by_rare_key.setdefault(key, []).append(len(self._phrases))
        for step in parsed:
            self._add_keys(step)
        plain, names_country = all(step.plain for step in parsed), any(step.text == COUNTRY for step in parsed)
        self._phrases.append(
            _Phrase(
                tuple(parsed), meaning, language, frozenset(others[0].first if others else ()), plain, names_country
            )
        )

    def _add_keys(self, step: Step) -> None:
        for beginning in step.beginnings:
            same = self._beginnings.get(beginning[:SHORTEST_BEGINNING], ())
            self._beginnings[beginning[:SHORTEST_BEGINNING]] = (*same, *{beginning}.difference(same))

    def add_country(self, name: str, code: str, language: str) -> None:
        """Let `name` stand for the country `code` in the phrases of `language`."""
        folded = words(name)
        self._names.setdefault(language, {})[" ".join(folded)] = code
        self._first_of_names.update(folded[:1])
        self._longest_name = max(self._longest_name, len(folded))

    def scan(self, text: list[str]) -> list[Hit]:
        """Find every phrase in a folded text, in the order of the text; harmless ones hide what lies inside them.

        Of the ways in which one phrase fits at one place the longest counts.
        """
        where = self._where(text)
        hits = []
        for phrase in self._possible(where):
            for start in _numbers(phrase.starts(where)):
                end, country = self._end(phrase, text, where, start)
                if end > start:
                    hits.append(Hit(phrase.meaning, start, end, " ".join(text[start:end]), country))
        return _not_harmless(hits)

    def _possible(self, where: Places) -> list[_Phrase]:
        """Give the phrases whose two rarest words are in the text, wherever."""
        keys = set(where)
        rare = keys & self._by_rare_key.keys()
        numbers = {number for key in rare for number in self._by_rare_key[key]}
        phrases = map(self._phrases.__getitem__, numbers)
        return [phrase for phrase in phrases if not phrase.also or not phrase.also.isdisjoint(keys)]

    def _where(self, text: list[str]) -> Places:
        """Find out where all is that phrases look for."""
        where: Places = defaultdict(int)
        place = 1
        for word in text:
            where[word] |= place
            place <<= 1
        for word, places in list(where.items()):
            beginnings = self._beginnings.get(word[:SHORTEST_BEGINNING], ())
            if word.startswith(beginnings):
                for beginning in filter(word.startswith, beginnings):
                    where[f"{beginning}*"] |= places
        for word in self._first_of_names & where.keys():
            where[COUNTRY] |= where[word]
        where[GAP] = (2 << len(text)) - 1
        return where

    def _end(self, phrase: _Phrase, text: list[str], where: Places, start: int) -> tuple[int, str | None]:
        """Give the end of the longest way in which the phrase fits at `start`, and the country in it; 0 for none."""
        if phrase.plain:
            return start + len(phrase.steps), None
        if not phrase.names_country:
            return _after(phrase.steps, 1 << start, where).bit_length() - 1, None
        reached: dict[str | None, int] = {None: 1 << start}  # places by the country named on the way there
        for step in phrase.steps:
            if step.text == COUNTRY:
                reached = self._after_country(phrase.language, text, reached)
            else:
                reached = {country: step.after(places, where) for country, places in reached.items()}
        ends = [(places.bit_length() - 1, country) for country, places in reached.items()]
        return max(reversed(ends), key=itemgetter(0), default=(0, None))

    def _after_country(self, language: str, text: list[str], before: Mapping[str | None, int]) -> dict[str | None, int]:
        """Give the places after the longest name of a country that begins at any of the places before, by its code."""
        names, reached = self._names.get(language, {}), dict[str | None, int]()
        for at in (at for places in before.values() for at in _numbers(places)):
            for end in range(min(at + self._longest_name, len(text)), at, -1):
                code = names.get(" ".join(text[at:end]))
                if code is not None:
                    reached[code] = reached.pop(code, 0) | 1 << end
                    break
        return reached


def _after(steps: Sequence[Step], places: int, where: Places) -> int:
    for step in steps:
        places = (places & step.places(where)) << 1 if step.plain else step.after(places, where)
    return places


def _numbers(places: int) -> Iterator[int]:
    """Give the numbers of the bits that are set, the lowest first."""
    while places:
        lowest = places & -places
        yield lowest.bit_length() - 1
        places ^= lowest


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
    for hit in sorted(hits, key=lambda each: (each.start, each.meaning.kind != "harmless", *_order(each))):
        if hit.meaning.kind == "harmless":
            covered = max(covered, hit.end)
        elif hit.end > covered:
            kept.append(hit)
    return kept
