"""Words, sentences and direction of a text in any script, as far as the lint has to count and find them."""

import re
import unicodedata
from collections.abc import Iterable

from mailroom.referral.facts import base

# Scripts without spaces: about how many letters make a word.
LETTERS_A_WORD = {"zh": 2, "ja": 2, "th": 4, "lo": 4, "km": 4, "my": 4}
_SENTENCE_END = re.compile(r"[.!?:;。！？؟؛।…]+(?:\s|$)|[。！？]|\n\n")


def folded(text: str, language: str) -> str:
    """Give the words alone, lower case, with one space around each, so that phrases can be looked for.

    Vowel signs of Indic and Arabic scripts are part of a word; apostrophes and hyphens are not.
    """
    if base(language) in {"tr", "az"}:
        text = text.replace("İ", "i").replace("I", "ı")
    text = unicodedata.normalize("NFC", text.lower())
    words = "".join(each if each.isalnum() or unicodedata.category(each)[0] == "M" else " " for each in text).split()
    return f" {' '.join(words)} "


def found(phrases: Iterable[str], text: str, language: str) -> list[str]:
    """Give those phrases that stand in the text; a star at the end of a phrase stands for any ending.

    Where a script has no spaces, a phrase is found anywhere.
    """
    here = folded(text, language)
    return [phrase for phrase in phrases if _pattern(phrase, language) in here]


def _pattern(phrase: str, language: str) -> str:
    pattern = folded(phrase, language)
    if base(language) in LETTERS_A_WORD:
        return pattern.strip()
    return pattern.rstrip() if phrase.endswith("*") else pattern


def word_count(text: str, language: str) -> int:
    """Count the words, a script without spaces by its letters."""
    words = folded(text, language).split()
    letters = LETTERS_A_WORD.get(base(language))
    return len(words) if letters is None else sum(map(len, words)) // letters


def sentence_length(text: str, language: str) -> float:
    """Give the mean number of words in a sentence. Thai, Lao and Khmer end a sentence with a space."""
    ends = re.compile(r"\s+") if base(language) in {"th", "lo", "km"} else _SENTENCE_END
    counts = [word_count(sentence, language) for sentence in ends.split(text)]
    # Numbers and addresses on lines of their own are no sentences.
    counts = [count for count in counts if count > 2]
    return sum(counts) / len(counts) if counts else 0.0


def is_right_to_left(text: str) -> bool:
    """Whether the text is mostly in a right-to-left script."""
    kinds = [unicodedata.bidirectional(each) for each in text if each.isalpha()]
    return sum(kind in {"R", "AL"} for kind in kinds) * 2 > len(kinds)


def first_strong(line: str) -> str | None:
    """Give the direction that the first strong character gives to a line: "rtl", "ltr" or None.

    See Also:
        Unicode bidirectional algorithm, rules P2 and P3, https://www.unicode.org/reports/tr9/#P2
    """
    kinds = (unicodedata.bidirectional(each) for each in line)
    return next(({"L": "ltr", "R": "rtl", "AL": "rtl"}[kind] for kind in kinds if kind in {"L", "R", "AL"}), None)
