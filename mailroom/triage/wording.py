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
from collections.abc import Sequence
from dataclasses import dataclass

from mailroom.triage.folding import words

GAP, COUNTRY, AGE = "...", "{country}", "{age}"
_GAP_WORDS = 3
_COUNTRY_WORDS = 9  # as many as the longest names have
_MINOR_AGES = frozenset(str(age) for age in range(7, 18))


@dataclass(frozen=True, slots=True)
class Step:
    """One word of a phrase as written, with everything that it stands for; for `...` and {country} only `text`."""

    text: str
    optional: bool = False
    words: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()
    runs: tuple[tuple[str, ...], ...] = ()
    first_words: frozenset[str] = frozenset()

    def ends(self, text: list[str], at: int) -> list[int]:
        """Give the places after each way to match at `at`; not for {country}, which needs the names."""
        if self.text == GAP:
            return list(range(at, min(at + _GAP_WORDS, len(text)) + 1))
        found = [at] if self.optional else []
        if at == len(text):
            return found
        word = text[at]
        if word in self.words or (self.beginnings and word.startswith(self.beginnings)):
            found.append(at + 1)
        if self.runs and word in self.first_words:
            found += self._run_ends(text, at)
        return found

    @property
    def shortest(self) -> int:
        """The fewest words that this step can cover."""
        return 0 if self.optional or self.text == GAP else 1

    @property
    def longest(self) -> int:
        """The most words that this step can cover."""
        if self.text in {GAP, COUNTRY}:
            return _GAP_WORDS if self.text == GAP else _COUNTRY_WORDS
        return max((1, *map(len, self.runs)))

    def may_be_in(self, vocabulary: set[str]) -> bool:
        """Tell, quickly, whether this step can match in a text of these words; True where that is not quick."""
        return (
            bool(self.optional or self.beginnings)
            or not self.first_words
            or not self.first_words.isdisjoint(vocabulary)
        )

    def _run_ends(self, text: list[str], at: int) -> list[int]:
        lasts = [(run, at + len(run) - 1) for run in self.runs]
        return [
            last + 1
            for run, last in lasts
            if last < len(text) and text[at:last] == list(run[:-1]) and _is_word(run[-1], text[last])
        ]


def _is_word(written: str, word: str) -> bool:
    return word.startswith(written[:-1]) if written.endswith("*") else word == written


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
        return Step(token)
    if token == AGE:
        return Step(token, words=_MINOR_AGES, first_words=_MINOR_AGES)
    if "{" in token:
        raise ValueError(f"{token} is not known; there are {{country}} and {{age}}, alone")
    if token.startswith("(") != token.endswith(")"):
        raise ValueError(f"{token}: ( and ) stand around one word, or words with | between them")
    runs = [_run(alternative) for alternative in token.removeprefix("(").removesuffix(")").split("|")]
    single = {run[0] for run in runs if len(run) == 1}
    longer = tuple(run for run in runs if len(run) > 1)
    whole = frozenset(word for word in single if not word.endswith("*"))
    return Step(
        token,
        optional=token.startswith("("),
        words=whole,
        beginnings=tuple(sorted(word[:-1] for word in single - whole)),
        runs=longer,
        first_words=whole.union(run[0] for run in longer),
    )


def _run(alternative: str) -> tuple[str, ...]:
    """Fold one alternative: mostly one word, two for "don't", the last with its star."""
    folded = words(alternative.removesuffix("*"))
    if not folded or "*" in alternative[:-1]:
        raise ValueError(f"{alternative!r} is not a word, nor a stem with * at its end")
    if not alternative.endswith("*"):
        return tuple(folded)
    if len(folded[-1]) < 2:
        raise ValueError(f"the stem {alternative!r} is too short")
    return (*folded[:-1], folded[-1] + "*")


def rare_step(parsed: Sequence[Step]) -> int:
    """Give the index of the step by which to look for a phrase.

    Of those that have to be there it is the one whose shortest word is longest: long words are rare.
    """
    needed = [at for at, step in enumerate(parsed) if not step.optional and (step.first_words or step.beginnings)]
    return max(needed, key=lambda at: min(map(len, (*parsed[at].first_words, *parsed[at].beginnings))))
