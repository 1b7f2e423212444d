"""Text as bare words, so that phrases match however they were typed.

Folded away: case, punctuation, Latin accents, Arabic vowel signs, tatweel and hamza seats, the joining Arabic
"and", the Hindi nukta, and characters that nobody sees. People in distress leave them out, and people who hide
words put them in.
"""

import unicodedata

_DROPPED_MARKS = (
    range(0x0300, 0x0370),  # Latin accents
    range(0x064B, 0x0660),  # Arabic vowel signs, and the hamza and madda of decomposed letters
    range(0x0670, 0x0671),  # Arabic superscript alef
    range(0x093C, 0x093D),  # Devanagari nukta, often not typed
    range(0xFE00, 0xFE10),  # variation selectors
)
_ALIKE = {
    0x0640: None,  # tatweel
    0x0671: "ا",  # alef wasla
    0x0629: "ه",  # teh marbuta
    0x0649: "ي",  # alef maksura
    0x06CC: "ي",  # Persian yeh
    0x06A9: "ك",  # Persian keheh
    0x0901: "ं",  # chandrabindu: often typed as anusvara
}
_AND = "و"
_CACHED_BELOW = 0x2E80  # alphabets; a hostile text must not fill the memory with every ideograph


class _Table(dict[int, int | None]):
    def __missing__(self, code: int) -> int | None:
        character = _fold_character(code)
        kept = None if character is None else ord(character)  # `translate` is quicker with numbers
        if code < _CACHED_BELOW:
            self[code] = kept
        return kept


def _fold_character(code: int) -> str | None:
    if code in _ALIKE:
        return _ALIKE[code]
    character = chr(code)
    category = unicodedata.category(character)
    if category == "Cf" or any(code in marks for marks in _DROPPED_MARKS):
        return None
    if category == "Nd":
        return str(unicodedata.digit(character))
    return character if category[0] in "LMN" and category != "Lm" else " "


_TABLE = _Table()


def words(text: str) -> list[str]:
    """Split a text into folded words, in order. Never raises; folding folded words changes nothing.

    Unicode NFKD and case folding, see https://www.unicode.org/reports/tr15/.
    """
    if text.isascii():
        return text.casefold().translate(_TABLE).split()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(_TABLE)
    return [_without_and(word) for word in folded.split()] if _AND in folded else folded.split()


def _without_and(word: str) -> str:
    """Take off the Arabic conjunction that is written onto the next word."""
    while word[0] == _AND and len(word) > 3:
        word = word[1:]
    return word


def prose(text: str) -> str:
    """Leave out web and mail addresses: their letters are not what the person says."""
    if "@" not in text and "://" not in text and "www." not in text:
        return text
    return " ".join(word for word in text.split(" ") if "@" not in word and "://" not in word and "www." not in word)
