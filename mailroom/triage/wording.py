"""How a phrase is written in the files under rules/phrases, and taken apart.

    he|she|they     any one of these
    (going|trying)  a word that may be missing
    threaten*       any word that begins so (at least two letters)
    ...             up to three words of any kind in between
    {country}       a name of a country in the language of the file
    {age}           7 to 17, in digits

There is no handling of "not": a danger screen that misses is worse than one that hits once too often.
"""

import functools
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from mailroom.triage.folding import words

GAP, COUNTRY, AGE = "...", "{country}", "{age}"
SHORTEST_BEGINNING = 2  # letters before a star
_MINOR_AGES = tuple(str(age) for age in range(7, 18))

# Where the words of a text stand: by word, by beginning of a word with its star, and by step as it is written; under
# GAP all places that there are, under COUNTRY those of the first words of all names. Places are the bits of an
# integer, so that one operation looks at all of a text at once: bit n stands before word n.
Places = defaultdict[str, int]


@dataclass(slots=True, eq=False)
class Step:
    """One word of a phrase as written, with everything that it stands for; for `...` and {country} only `text`.

    `keys` are folded words, and beginnings of words with their star; `runs` are several of them, one after another.
    `plain` is a step that is always exactly one word.
    """

    text: str
    optional: bool = False
    keys: tuple[str, ...] = ()
    runs: tuple[tuple[str, ...], ...] = ()
    plain: bool = False

    @property
    def first(self) -> tuple[str, ...]:
        """The keys with which a match can begin."""
        return (*self.keys, *(run[0] for run in self.runs))

    @property
    def beginnings(self) -> tuple[str, ...]:
        """The beginnings of words among the keys and in the runs, without their star."""
        keys = (*self.keys, *(run[-1] for run in self.runs))
        return tuple(sys.intern(key[:-1]) for key in keys if key.endswith("*"))

    def places(self, where: Places) -> int:
        """Give the places of one word that is this step."""
        if self.text not in where:
            places = 0
            for key in self.keys:
                if key in where:
                    places |= where[key]
            where[self.text] = places
        return where[self.text]

    def before(self, after: int, where: Places) -> int:
        """Give the places from which this step leads to one of the places `after`; some too many for {country}."""
        if self.text == GAP:
            after |= after >> 1
            return after | after >> 2
        if self.text == COUNTRY:
            last = after.bit_length() - 1
            return where[COUNTRY] & (1 << max(0, last)) - 1
        found = after >> 1 & self.places(where)
        for run in self.runs:
            at = after
            for key in reversed(run):
                at = at >> 1 & where[key]
            found |= at
        return found | after if self.optional else found

    def after(self, before: int, where: Places) -> int:
        """Give the places to which this step leads from one of the places `before`; not for {country}."""
        if self.text == GAP:
            before |= before << 1
            return (before | before << 2) & where[GAP]
        found = (before & self.places(where)) << 1
        for run in self.runs:
            at = before
            for key in run:
                at = (at & where[key]) << 1
            found |= at
        return found | before if self.optional else found


def steps(phrase: str) -> list[Step]:
    """Take a phrase apart.

    Raises:
        ValueError: nothing to look for, a stem too short, or an unknown {name}.
    """
    parsed = [_step(token) for token in phrase.split()]
    needed = [step for step in parsed if not step.optional and step.text != GAP]
    if not needed:
        raise ValueError("the phrase is empty, or every word of it may be missing")
    if GAP in {parsed[0].text, parsed[-1].text}:
        raise ValueError("... belongs between two words")
    return parsed


@functools.cache
def _step(token: str) -> Step:
    if token in {GAP, COUNTRY}:
        return Step(sys.intern(token))
    if token == AGE:
        return Step(AGE, keys=_MINOR_AGES, plain=True)
    if "{" in token:
        raise ValueError(f"{token} is not known; there are {{country}} and {{age}}, alone")
    if token.startswith("(") != token.endswith(")"):
        raise ValueError(f"{token}: ( and ) stand around one word, or words with | between them")
    runs = [_run(alternative) for alternative in token.removeprefix("(").removesuffix(")").split("|")]
    single = tuple(sorted({run[0] for run in runs if len(run) == 1}))
    longer = tuple(run for run in runs if len(run) > 1)
    optional = token.startswith("(")
    return Step(sys.intern(token), optional, single, longer, plain=not optional and not longer)


def _run(alternative: str) -> tuple[str, ...]:
    """Fold one alternative: mostly one word, two for "don't", the last with its star."""
    folded = list(map(sys.intern, words(alternative.removesuffix("*"))))
    if not folded or "*" in alternative[:-1]:
        raise ValueError(f"{alternative!r} is not a word, nor a stem with * at its end")
    if not alternative.endswith("*"):
        return tuple(folded)
    if len(folded[-1]) < SHORTEST_BEGINNING:
        raise ValueError(f"the stem {alternative!r} is too short")
    return (*folded[:-1], sys.intern(f"{folded[-1]}*"))


def rare_steps(parsed: Sequence[Step]) -> list[Step]:
    """Give the steps by which to look for a phrase, the best first.

    Of those that have to be there they are the ones whose shortest word is long: long words are rare.
    """
    needed = [step for step in parsed if not step.optional and step.first]
    return sorted(needed, key=lambda step: -min(len(key.rstrip("*")) for key in step.first))
