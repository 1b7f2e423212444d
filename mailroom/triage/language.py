"""Which language a text is written in. The one file that knows py3langid.

The model is loaded at first use, once a process: about 0.4 s and 105 MB.
"""

import functools
import re
import unicodedata
from typing import Any

from mailroom.triage.facts import Finding
from mailroom.triage.folding import prose

ENOUGH_LETTERS = 20
ENOUGH_CONFIDENCE = 0.80
_NOTHING = 0.001  # guesses below this are not worth adding up
_LOOKED_AT = 1500  # characters; more does not change the answer, only the time
_FIRST_IDEOGRAPH = 0x2E80  # from here on a letter says about as much as three of an alphabet
_SAME_WRITTEN = {
    # Varieties whose writers read the standard language; ISO 639-3 codes of the model -> codes of our texts.
    "an": "es", "ary": "ar", "arz": "ar", "ext": "es", "lij": "it", "pcm": "en", "tl": "fil", "uzs": "uz", "vec": "it",
    "wuu": "zh", "yue": "zh", "zxx": "und",
}  # fmt: skip
_ARMOUR = re.compile(r"-----BEGIN PGP [^\n]*(?:.*?-----END PGP [^\n]*|.*)", re.DOTALL)
_QUOTED = re.compile(r"^[ \t]*>.*$", re.MULTILINE)


def detect(text: str) -> Finding:
    """Name the language of a text: an ISO 639 code, or "und" where it is too short or in doubt.

    Web and mail addresses, quoted lines and OpenPGP armour are left out. Fewer than 20 letters, or a
    probability below 0.80, is "und"; the evidence then still names the two best guesses. Varieties count for
    their written standard (Egyptian and Moroccan Arabic for ar, Cantonese for zh, Nigerian Pidgin for en).
    """
    own = " ".join(prose(_QUOTED.sub("", _ARMOUR.sub("", text)))[:_LOOKED_AT].split())
    if _letters(own) < ENOUGH_LETTERS:
        return Finding("und", 0.0, ("fewer than 20 letters",))
    ranked = _ranked(own)
    code, probability = ranked[0]
    if code == "und" or probability < ENOUGH_CONFIDENCE:
        return Finding("und", probability, tuple(_said(*guess) for guess in ranked[:2]))
    return Finding(code, probability, (_said(code, probability),), "inferred")


def _said(code: str, probability: float) -> str:
    return f"py3langid {code} {probability:.2f}"


def _letters(text: str) -> int:
    """Count the letters, an ideograph, kana or Hangul syllable as three; stops early when there are enough."""
    count = 0
    for character in text:
        if unicodedata.category(character)[0] in "LM":
            count += 3 if ord(character) >= _FIRST_IDEOGRAPH else 1
        if count >= ENOUGH_LETTERS:
            break
    return count


def _ranked(text: str) -> list[tuple[str, float]]:
    """Give codes with their probability, varieties added to their standard, best first."""
    total: dict[str, float] = {}
    for code, probability in _model().rank(text):
        if probability < _NOTHING:
            break
        standard = _SAME_WRITTEN.get(code, code)
        total[standard] = min(1.0, total.get(standard, 0.0) + float(probability))
    return sorted(total.items(), key=lambda guess: -guess[1])


def load_model() -> None:
    """Load the model now, so that the first text need not wait for it."""
    _model()


@functools.cache
def _model() -> Any:  # noqa: ANN401 py3langid publishes no types
    # Imported here: the daemon itself reads no language, and is spared numpy.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
